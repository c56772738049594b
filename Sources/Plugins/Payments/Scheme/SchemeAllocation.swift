import PaymentsContract
import PluginAPI

/// The allocation of a practice for a year (payments.md 6.5): adjusted patients at the rate of the year, and what
/// decided claims have taken of it.
struct SchemeAllocation: Sendable {
    var adjustedHundredths: Int64
    var rate: Rate
    var pence: Int64
    var approvedPence: Int64

    var remainingPence: Int64 { Swift.max(0, pence - approvedPence) }

    /// - Parameter besides: a claim that does not count.
    init(
        _ practice: ODSCode, _ year: FinancialYear, besides claimID: String = "", rates: RateTable,
        _ reader: any Reader
    ) throws {
        guard let adjusted = try SchemeStore.adjusted(practice, year, reader) else {
            throw Failure(
                PaymentsReasons.schemePopulationMissing,
                "No adjusted patients of \(practice) are in force for \(year).")
        }
        adjustedHundredths = adjusted
        rate = try rates.rate(.schemeAllocation, at: year.firstDay)
        pence = try Rounding.toPence(
            try ExactDecimal(mantissa: adjusted, scale: 2).rational.multiplied(by: rate.value.rational)
        ).pence
        approvedPence = try ClaimStore.claims(of: practice, reader).filter { claim in
            claim.kind == .reimbursementScheme && claim.id != claimID
                && (claim.stage == .approved || claim.stage == .adjusted)
                && FinancialYear(containing: claim.from) == year
        }.reduce(0) { $0 + $1.approvedPence - $1.recoveredPence }
    }
}
