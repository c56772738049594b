import PluginAPI

/// A quantity claimed, in thousandths.
struct LocalQuantity: Hashable, Comparable, Sendable, CustomStringConvertible {
    var thousandths: Int64

    static let zero = LocalQuantity(thousandths: 0)
    static let one = LocalQuantity(thousandths: 1_000)
    /// A thousand million.
    static let most = LocalQuantity(thousandths: 1_000_000_000_000)

    init(thousandths: Int64) { self.thousandths = thousandths }

    /// LOC-1: at least zero, whole unless the unit allows decimals.
    init?(_ text: some StringProtocol, allowsDecimals: Bool) {
        guard let value = ExactDecimal(text, maximumScale: allowsDecimals ? 3 : 0)?.scaled(to: 3),
            (0...LocalQuantity.most.thousandths).contains(value)
        else { return nil }
        thousandths = value
    }

    var decimal: ExactDecimal { ExactDecimal(mantissa: thousandths, scale: 3).trimmed() }
    var description: String { decimal.description }
    var isZero: Bool { thousandths == 0 }

    static func < (left: LocalQuantity, right: LocalQuantity) -> Bool { left.thousandths < right.thousandths }
}

/// LOC-3: what a quantity is worth, rounded once.
enum LocalAmount {
    private static let powers: [Int128] = [1, 10, 100, 1_000, 10_000]

    /// - Returns: pence; `nil` when out of range.
    static func pence(_ quantity: LocalQuantity, at tariff: ExactDecimal, _ unit: LocalUnit) -> Int64? {
        let top = Int128(quantity.thousandths) * Int128(tariff.mantissa) * 100
        let bottom = 1_000 * powers[Int(tariff.scale)] * (unit == .percent ? 100 : 1)
        return try? Rounding.quotient(top, bottom)
    }

    /// The most that costs no more than `pence`, in whole steps of what the unit allows.
    static func most(within pence: Int64, at tariff: ExactDecimal, _ component: LocalComponent)
        -> LocalQuantity
    {
        guard pence > 0 else { return .zero }
        guard tariff.mantissa > 0 else { return .most }
        let step: Int64 = component.allowsDecimals ? 1 : 1_000
        let scale = 1_000 * powers[Int(tariff.scale)] * (component.unit == .percent ? 100 : 1)
        // Half a penny more still rounds down to the limit; then step back to what really fits.
        let reach = (Int128(pence) * 2 + 1) * scale / (Int128(tariff.mantissa) * 200)
        var found = Int64(Swift.min(reach, Int128(LocalQuantity.most.thousandths))) / step * step
        while found > 0,
            self.pence(LocalQuantity(thousandths: found), at: tariff, component.unit).map({ $0 > pence })
                ?? true
        { found -= step }
        return LocalQuantity(thousandths: found)
    }

    /// Replays to the amount.
    static func explanation(_ line: LocalLine, unit: LocalUnit) -> Explanation {
        let service = Explanation.Source(
            "local service " + line.service, version: Int64(line.serviceVersion),
            note: "component " + line.component)
        var quantity = Explanation.Source("claim")
        if line.claimed != line.quantity { quantity.note = "LOC-4: cut to the cap, claimed \(line.claimed)" }
        let isPercent = unit == .percent
        return Explanation(
            rule: "LOC-3 quantity x tariff", ruleVersion: 1,
            inputs: [
                .init(
                    isPercent ? "percentage" : "quantity", line.quantity.decimal,
                    isPercent ? .percent : .count,
                    from: quantity, asOf: line.activity),
                .init("tariff", line.price, .pounds, from: service, asOf: line.activity),
            ],
            steps: [
                .init("worth", .input(0), isPercent ? .percentage : .multiply, .input(1)),
                .init("amount", rounding: .step(0)),
            ], rounding: "GEN-4", amount: Money(pence: line.pence))
    }
}

/// One line of a claim, priced.
struct LocalLine: Hashable, Sendable {
    var service: String
    var serviceVersion: Int
    var component: String
    /// What is paid.
    var quantity: LocalQuantity
    /// What was asked for, where a cap cut it.
    var claimed: LocalQuantity
    var price: ExactDecimal
    var pence: Int64
    var activity: CalendarDate
    var note = ""
}
