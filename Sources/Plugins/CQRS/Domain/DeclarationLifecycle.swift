/// States of a payment declaration (cqrs.md 7.1). The numbers are those of the contract.
enum DeclarationState: Int, CaseIterable, Sendable {
    case provisional = 1, awaitingReaggregation, awaitingProvider, awaitingCommissioner, queried, awaitingNetwork
    case awaitingFinance, financiallyApproved, sent, acknowledged, refused, paid, superseded, void, aggregated

    /// As guides and screens name it.
    var name: String {
        switch self {
        case .provisional: "Provisional"
        case .awaitingReaggregation: "Awaiting Reaggregation"
        case .awaitingProvider: "Awaiting Service Provider Approval"
        case .awaitingCommissioner: "Awaiting Commissioning Organisation Approval"
        case .queried: "Queried"
        case .awaitingNetwork: "Awaiting Network Achievement"
        case .awaitingFinance: "Awaiting Financial Approval"
        case .financiallyApproved: "Financially Approved"
        case .sent: "Sent"
        case .acknowledged: "Acknowledged"
        case .refused: "Refused"
        case .paid: "Paid"
        case .superseded: "Superseded"
        case .void: "Void"
        case .aggregated: "Aggregated"
        }
    }

    /// Locked for ever: what is wrong is put right by an adjustment (7.5).
    var isLocked: Bool {
        switch self {
        case .financiallyApproved, .sent, .acknowledged, .refused, .paid: true
        default: false
        }
    }

    /// Whether it still stands for its provider and date.
    var isLive: Bool { self != .superseded && self != .void }
}

/// What happens to a declaration (cqrs.md 7.2).
enum DeclarationEvent: CaseIterable, Sendable {
    case complete, declare, dispute, approve, query, networkComplete, networkReopened, financeApprove, financeReturn
    case awaitRecalculation, supersede, withdraw, send, acknowledge, refuse, pay
}

/// The table of 7.2: which event leads from where to where. Whatever is not in it is refused.
enum DeclarationLifecycle {
    struct Step: Hashable, Sendable {
        var from: DeclarationState
        var event: DeclarationEvent
        var to: DeclarationState
    }

    /// In the order of 7.2. An approval leads to `awaitingNetwork` instead where the service is summed by network.
    static let table: [Step] = {
        var steps: [Step] = [
            .init(from: .provisional, event: .complete, to: .awaitingProvider),
            .init(from: .awaitingProvider, event: .declare, to: .awaitingCommissioner),
            .init(from: .awaitingProvider, event: .dispute, to: .queried),
            .init(from: .awaitingCommissioner, event: .approve, to: .awaitingFinance),
            .init(from: .awaitingCommissioner, event: .query, to: .queried),
            .init(from: .awaitingNetwork, event: .networkComplete, to: .aggregated),
            .init(from: .aggregated, event: .networkReopened, to: .awaitingNetwork),
            .init(from: .awaitingFinance, event: .financeApprove, to: .financiallyApproved),
            .init(from: .awaitingFinance, event: .financeReturn, to: .awaitingCommissioner),
            .init(from: .financiallyApproved, event: .send, to: .sent),
            .init(from: .sent, event: .acknowledge, to: .acknowledged),
            .init(from: .sent, event: .refuse, to: .refused),
            .init(from: .sent, event: .pay, to: .paid),
            .init(from: .acknowledged, event: .refuse, to: .refused),
            .init(from: .acknowledged, event: .pay, to: .paid),
        ]
        // Transition 10: any before finance approval.
        let open: [DeclarationState] = [
            .provisional, .awaitingReaggregation, .awaitingProvider, .awaitingCommissioner, .queried, .awaitingNetwork,
            .awaitingFinance, .aggregated,
        ]
        for state in open {
            steps.append(.init(from: state, event: .supersede, to: .superseded))
            steps.append(.init(from: state, event: .withdraw, to: .void))
            if state != .awaitingReaggregation, state != .aggregated {
                steps.append(.init(from: state, event: .awaitRecalculation, to: .awaitingReaggregation))
            }
        }
        return steps
    }()

    private static let index: [Step.Key: DeclarationState] = Dictionary(
        uniqueKeysWithValues: table.map { (Step.Key(from: $0.from, event: $0.event), $0.to) })

    /// - Parameter summedByNetwork: whether the practice's amount goes into one of its network.
    /// - Returns: `nil` when the event is not possible in the state.
    static func next(
        _ state: DeclarationState, _ event: DeclarationEvent, summedByNetwork: Bool = false
    ) -> DeclarationState? {
        let to = index[.init(from: state, event: event)]
        return event == .approve && to != nil && summedByNetwork ? .awaitingNetwork : to
    }
}

extension DeclarationLifecycle.Step {
    struct Key: Hashable, Sendable {
        var from: DeclarationState
        var event: DeclarationEvent
    }
}

/// What a declaration is about. The numbers are those of the contract.
enum DeclarationKind: Int, CaseIterable, Sendable {
    case achievement = 1, aggregated, adjustment, reversal, aspiration
}
