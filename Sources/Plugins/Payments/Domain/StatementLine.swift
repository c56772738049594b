import PluginAPI

/// Where a line comes from.
enum LineSource: UInt8, Sendable {
    /// The contract, for the run's own month.
    case contract = 1
    /// A difference for an earlier month (payments.md 12.2).
    case retro = 2
    /// A balance of the run before.
    case balance = 3
    /// Calculated for the run's own month from something other than the contract: networks, levies.
    case recurring = 4
    /// A fixed amount that was approved once: claims, variations, instructions of other areas. Never recalculated.
    case item = 5

    var name: String {
        switch self {
        case .contract: "CONTRACT"
        case .retro: "RETRO"
        case .balance: "BALANCE"
        case .recurring: "RECURRING"
        case .item: "ITEM"
        }
    }

    /// Whether the amount follows from records and can come out differently for a past month.
    var isRecalculated: Bool {
        switch self {
        case .contract, .retro, .recurring: true
        case .balance, .item: false
        }
    }
}

/// One line of a statement. `quantity` times `rate` on the `basis` named gives the amount to within a penny (C1).
struct PaymentLine: Hashable, Sendable {
    var paycode: Paycode
    var contractID: String
    var contractVersion: Int64
    var periodFrom: CalendarDate
    /// Last day, inclusive.
    var periodTo: CalendarDate
    var quantity: ExactDecimal
    var rate: ExactDecimal
    var basis: String
    var pence: Int64
    var source: LineSource
    /// The month that the line pays for; before the run's month on a difference line.
    var month: YearMonth
    /// Paid on the paycode in the financial year of the payment date, up to and with this line.
    var yearToDatePence: Int64 = 0
    var explanation: Explanation
    /// What the line comes from, beyond the contract: "claim/01J.../2", "cqrs/01J...". Empty for contract lines.
    var origin = ""

    /// Identity of a line within a payee's statement (payments.md 12.2): no two lines share it.
    struct NaturalKey: Hashable {
        var paycode: Paycode
        var contractID: String
        var periodFrom: CalendarDate
        var periodTo: CalendarDate
        var source: LineSource
        var origin: String
    }

    var naturalKey: NaturalKey {
        NaturalKey(
            paycode: paycode, contractID: contractID, periodFrom: periodFrom, periodTo: periodTo,
            source: source, origin: origin)
    }
}
