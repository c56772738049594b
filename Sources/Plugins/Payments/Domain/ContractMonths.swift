import PluginAPI

/// In which months practices have a contract; what recurs is due in no other (payments.md 2.2, 12.3).
struct ContractMonths: Sendable {
    private let timelines: [ODSCode: ContractTimeline]

    init(_ timelines: [ContractTimeline], of practices: Set<ODSCode>) {
        self.timelines = Dictionary(
            timelines.lazy.filter { practices.contains($0.practice) }.map { ($0.practice, $0) },
            uniquingKeysWith: { first, _ in first })
    }

    func has(_ practice: ODSCode, in month: YearMonth) -> Bool {
        timelines[practice]?.isInForce(in: month) ?? false
    }
}

/// A recurring payment that its own dates make due, and that is not made for want of a contract.
struct EndedPayment: Hashable, Sendable {
    var practice: ODSCode
    /// What it comes from: the origin of its lines.
    var origin: String
    var paycode: Paycode
    var words: String
    /// The first month that is not paid.
    var month: YearMonth
}

/// Recurring lines that end with the contract.
protocol EndingWithContract: RecurringLines {
    /// What the run of a month leaves out for want of a contract.
    func ended(in month: YearMonth) throws(PaymentsError) -> [EndedPayment]
}
