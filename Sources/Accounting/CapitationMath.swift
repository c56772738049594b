/// The arithmetic of list-based payments in fixed point: fast enough for bulk work, exact, and checked.
///
/// Units: populations in hundredths of a patient (RND-7), prices in millionths of a pound, percentages in millionths of
/// a percent, amounts in pence. The base of a month is kept unrounded, as `MonthlyBase`, until a line is rounded.
public enum CapitationMath {
    /// One month's entitlement before rounding, in units of 10^-8 pounds a year, with the share of the month paid.
    public struct MonthlyBase: Hashable, Sendable {
        /// The annual amount in 10^-8 pounds.
        public let annual: Int128
        /// Days paid and days in the month; equal for a whole month.
        public let days: Int64
        public let daysInMonth: Int64

        /// - Parameter days: 0 to `daysInMonth`; pro rata by days when the contract covers part of the month only.
        public init(annual: Int128, days: Int, daysInMonth: Int) {
            self.annual = annual
            self.days = Int64(days)
            self.daysInMonth = Int64(daysInMonth)
        }

        /// The line: `round(annual / 12 * days / daysInMonth)` in pence (RND-2, RND-3).
        public func pence() throws(ArithmeticError) -> Int64 {
            if days == daysInMonth { return try Rounding.quotient(annual, 12_000_000) }
            let (part, overflow) = annual.multipliedReportingOverflow(by: Int128(days))
            if overflow { throw .overflow }
            return try Rounding.quotient(part, 12_000_000 * Int128(daysInMonth))
        }

        /// The deduction line, in pence, zero or negative for a positive base: the percentage of the unrounded base,
        /// then rounded (RND-4).
        public func deduction(percentMillionths: Int64) throws(ArithmeticError) -> Int64 {
            let (share, high) = annual.multipliedReportingOverflow(by: Int128(percentMillionths))
            let (part, higher) = share.multipliedReportingOverflow(by: Int128(days))
            if high || higher { throw .overflow }
            return -(try Rounding.quotient(part, 12_000_000 * 100_000_000 * Int128(daysInMonth)))
        }
    }

    /// Annual amount of a weighted list at a price: hundredths of patients times micropounds.
    public static func annual(weightedHundredths: Int64, priceMicropounds: Int64) -> Int128 {
        Int128(weightedHundredths) * Int128(priceMicropounds)
    }

    /// Annual amount of whole patients at a price.
    public static func annual(patients: Int64, priceMicropounds: Int64) -> Int128 {
        Int128(patients) * Int128(priceMicropounds) * 100
    }

    /// A fixed annual amount.
    public static func annual(pence: Int64) -> Int128 { Int128(pence) * 1_000_000 }

    /// Weights of the cells of a list (age and sex), in ten-thousandths.
    public struct CellWeights: Sendable {
        public let tenThousandths: [Int32]

        /// Throws `overflow` when a weight is negative or the weights add up to more than 2^32 - 1: within that bound
        /// the weighted sum of any counts fits in 64 bits, so that the sums need no check cell by cell.
        public init(tenThousandths: [Int32]) throws(ArithmeticError) {
            var total: Int64 = 0
            for weight in tenThousandths {
                if weight < 0 { throw .overflow }
                total += Int64(weight)
            }
            if total > Int64(UInt32.max) { throw .overflow }
            self.tenThousandths = tenThousandths
        }
    }

    /// Weighs and prices many lists: for each practice the weighted list to two decimals (RND-7) and from it a month of
    /// the global sum in pence (RND-2, RND-3).
    ///
    /// - Parameters:
    ///   - counts: patients by practice and cell, practice after practice; none negative.
    ///   - prices: micropounds a year for each weighted patient, one for each practice.
    /// - Returns: pence by practice, and their checked sum. Throws `overflow` when a figure leaves its range or the
    ///   arrays do not fit together.
    public static func monthlyPayments(
        counts: [Int32], weights: CellWeights, prices: [Int64]
    ) throws(ArithmeticError) -> (pence: [Int64], total: Int64) {
        let cells = weights.tenThousandths.count
        let practices = prices.count
        guard cells > 0, counts.count == cells * practices else { throw .overflow }
        var failed = false
        var total: Int64 = 0
        let result = [Int64](unsafeUninitializedCapacity: practices) { output, filled in
            counts.withUnsafeBufferPointer { counts in
                weights.tenThousandths.withUnsafeBufferPointer { weights in
                    for practice in 0..<practices {
                        // 0 <= count < 2^31 and sum of weights < 2^32, so this sum is below 2^63. A negative count
                        // makes nonsense of it, without a trap; the sign bits gathered beside it tell. Unsigned,
                        // because every processor can multiply several unsigned cells at once.
                        var sum: UInt64 = 0
                        var signs: Int32 = 0
                        for cell in 0..<cells {
                            let count = counts[practice &* cells &+ cell]
                            let weight = UInt64(UInt32(bitPattern: weights[cell]))
                            sum &+= UInt64(UInt32(bitPattern: count)) &* weight
                            signs |= count
                        }
                        let hundredths = Int64(bitPattern: (sum &+ 50) / 100)
                        let (annual, overflow) = hundredths.multipliedReportingOverflow(by: prices[practice])
                        let pence = Rounding.quotient(annual, 12_000_000)
                        let (next, sumOverflow) = total.addingReportingOverflow(pence)
                        failed = failed || signs < 0 || overflow || sumOverflow
                        total = next
                        output.initializeElement(at: practice, to: pence)
                    }
                }
            }
            filled = practices
        }
        if failed { throw .overflow }
        return (result, total)
    }
}
