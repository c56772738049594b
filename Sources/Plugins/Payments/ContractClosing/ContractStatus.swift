import PaymentsContract
import PluginAPI

/// Where a contract stands on a day (payments.md 2.2). Numbers follow `pcs.payments.v1.ContractStatus`.
enum ContractStatus: Int64, CaseIterable, Sendable {
    case pending = 1
    case active = 2
    case suspended = 3
    case closing = 4
    case closed = 5

    /// - Parameters:
    ///   - isEndDecided: the end that is known was approved as such: more than the end date that every APMS contract has.
    ///   - closedOn: last day of the contract that was closed.
    /// - Returns: `nil` for a practice that never had a contract.
    static func of(
        _ timeline: ContractTimeline, on day: CalendarDate, isEndDecided: Bool, closedOn: CalendarDate?
    ) -> ContractStatus? {
        guard let last = timeline.spans.last else { return nil }
        if let span = timeline.span(at: day) {
            if last.to != nil, isEndDecided { return .closing }
            return span.terms.payment.isStopped ? .suspended : .active
        }
        if last.from > day { return .pending }
        return closedOn != nil && closedOn == timeline.lastDay ? .closed : .closing
    }

    /// What tells the status of any contract, as known at an input number.
    struct Book: Sendable {
        private let ends: Set<RevisionStore.End>
        private let closings: [ODSCode: ContractClosingStore.Closing]

        init(knownAt seq: Int64, _ reader: any Reader) throws {
            ends = try RevisionStore.ends(reader)
            closings = try ContractClosingStore.approved(knownAt: seq, reader)
        }

        func status(of timeline: ContractTimeline, on day: CalendarDate) -> ContractStatus? {
            let last = timeline.spans.last
            let isEndDecided =
                last?.to.map {
                    last?.terms.payment.kind != .apms || ends.contains(.init(practice: timeline.practice, from: $0))
                } ?? false
            return .of(
                timeline, on: day, isEndDecided: isEndDecided, closedOn: closings[timeline.practice]?.lastDay)
        }
    }
}

extension ContractTimeline {
    /// Last day of the last contract; `nil` = no end is known.
    var lastDay: CalendarDate? { spans.last?.to?.adding(days: -1) }
}

extension Pcs_Payments_V1_ContractStatus {
    init(_ status: ContractStatus?) {
        self = status.flatMap { Self(rawValue: Int($0.rawValue)) } ?? .unspecified
    }
}
