import PluginAPI

/// States of taking part in a service (cqrs.md 4.2). The numbers are those of the contract.
enum ParticipationState: Int, CaseIterable, Sendable {
    case offered = 1, accepted, active, declined, withdrawn, lapsed, cancelled, ended, scheduled

    /// Whether it stands in the way of another offer of the same service.
    var isLive: Bool { self == .offered || self == .accepted || self == .active || self == .scheduled }
}

enum ParticipationEvent: CaseIterable, Sendable {
    case offer, accept, decline, withdraw, lapse, start, cancel, end
}

/// The table of 4.2. Whatever is not in it is refused. A re-offer is a new row.
enum ParticipationLifecycle {
    struct Step: Hashable, Sendable {
        var from: ParticipationState
        var event: ParticipationEvent
        var to: ParticipationState
    }

    static let table: [Step] = [
        .init(from: .scheduled, event: .offer, to: .offered),
        .init(from: .scheduled, event: .withdraw, to: .withdrawn),
        .init(from: .offered, event: .accept, to: .accepted),
        .init(from: .offered, event: .decline, to: .declined),
        .init(from: .offered, event: .withdraw, to: .withdrawn),
        .init(from: .offered, event: .lapse, to: .lapsed),
        .init(from: .accepted, event: .start, to: .active),
        .init(from: .accepted, event: .cancel, to: .cancelled),
        .init(from: .active, event: .cancel, to: .cancelled),
        .init(from: .accepted, event: .end, to: .ended),
        .init(from: .active, event: .end, to: .ended),
    ]

    static func next(_ state: ParticipationState, _ event: ParticipationEvent) -> ParticipationState? {
        table.first { $0.from == state && $0.event == event }?.to
    }
}
