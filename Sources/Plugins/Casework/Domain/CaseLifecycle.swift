/// An enquiry, or a complaint. Raw values as in the contract and in rows.
enum CaseKind: Int64, Sendable, CaseIterable { case enquiry = 1, complaint }

/// Raw values as in the contract and in rows.
enum CaseState: Int64, Sendable, CaseIterable {
    case new = 1, acknowledged, assigned, inProgress, waitingCustomer, waitingThirdParty, resolved, closed,
        reopened
    case duplicate, withdrawn, investigating, responseDraft, responseApproved, responseSent, stage2, ombudsman

    var name: String { "\(self)" }
    /// Work is left to be done, or the sender may still come back.
    var isEnded: Bool { [.closed, .duplicate, .withdrawn].contains(self) }
    /// Nobody waits for the staff.
    var isAnswered: Bool { isEnded || [.resolved, .responseSent, .ombudsman].contains(self) }
}

/// Raw values as in the contract and in rows.
enum CaseAction: Int64, Sendable, CaseIterable {
    case acknowledge = 1, assign, start, askCustomer, waitThirdParty, resume, reply, resolve, close, reopen
    case markDuplicate, withdraw, makeComplaint, proposeComplaint, declineComplaint, investigate,
        draftResponse
    case approveResponse, returnResponse, sendResponse, goToStage2, goToOmbudsman, answer, note

    var name: String { "\(self)" }

    /// Words to the other side are part of the step.
    var needsText: Bool {
        switch self {
        case .askCustomer, .reply, .resolve, .reopen, .withdraw, .draftResponse, .returnResponse, .goToStage2,
            .answer,
            .note, .proposeComplaint:
            true
        default: false
        }
    }

    /// Seen by staff only.
    var isInternal: Bool {
        switch self {
        case .assign, .note, .draftResponse, .approveResponse, .returnResponse, .waitThirdParty: true
        default: false
        }
    }

    /// The first of these counts as the first answer.
    var isAnswer: Bool { [.askCustomer, .resolve, .answer, .sendResponse].contains(self) }
}

/// In which part somebody takes a step.
enum CaseActor: String, Sendable, CaseIterable {
    /// The raiser, or a member of the same organisation with a role for the category.
    case sender
    /// A member of the team.
    case team
    /// The person to whom it was assigned.
    case handler
    case manager
    case headOfService
    /// The time has passed.
    case clock
}

/// The states of identity-and-organisations.md 14.2 as a table: who takes which step from which state to which.
enum CaseLifecycle {
    struct Transition: Sendable {
        let action: CaseAction
        let kinds: Set<CaseKind>
        let from: Set<CaseState>
        /// `nil` = the state stays.
        let to: CaseState?
        let by: Set<CaseActor>
    }

    private static let staff: Set<CaseActor> = [.team, .manager, .headOfService]
    private static let owner: Set<CaseActor> = [.handler, .manager, .headOfService]
    private static let both: Set<CaseKind> = [.enquiry, .complaint]
    /// Before anybody has answered for good.
    private static let open: Set<CaseState> = [
        .new, .acknowledged, .assigned, .inProgress, .waitingCustomer, .waitingThirdParty, .reopened,
        .investigating,
        .responseDraft, .responseApproved, .stage2,
    ]
    private static let enquiryOpen: Set<CaseState> = [
        .new, .acknowledged, .assigned, .inProgress, .waitingCustomer, .waitingThirdParty, .reopened,
    ]
    private static let waiting: Set<CaseState> = [.waitingCustomer, .waitingThirdParty]

    static let table: [Transition] = [
        row(.acknowledge, both, [.new], .acknowledged, staff),
        row(.assign, both, [.acknowledged, .reopened, .assigned], .assigned, staff),
        // Another handler while it is being worked on; an enquiry's state does not go back for it.
        row(
            .assign, both, [.inProgress, .waitingCustomer, .waitingThirdParty, .investigating, .stage2], nil,
            staff),
        row(.start, [.enquiry], [.assigned], .inProgress, owner),
        row(.askCustomer, [.enquiry], [.inProgress], .waitingCustomer, owner),
        row(.askCustomer, [.complaint], [.investigating], .waitingCustomer, owner),
        row(.waitThirdParty, [.enquiry], [.inProgress], .waitingThirdParty, owner),
        row(.waitThirdParty, [.complaint], [.investigating], .waitingThirdParty, owner),
        row(.resume, [.enquiry], waiting, .inProgress, owner),
        row(.resume, [.complaint], waiting, .investigating, owner),
        row(.reply, [.enquiry], [.waitingCustomer], .inProgress, [.sender]),
        row(.reply, [.complaint], [.waitingCustomer], .investigating, [.sender]),
        row(.reply, both, open.subtracting([.waitingCustomer]), nil, [.sender]),
        row(.answer, both, open.subtracting([.new]), nil, owner.union(staff)),
        row(.note, both, Set(CaseState.allCases), nil, owner.union(staff)),
        row(.resolve, [.enquiry], [.inProgress], .resolved, owner),
        // Seven working days without a reply.
        row(.resolve, [.enquiry], [.waitingCustomer], .resolved, [.clock]),
        row(.close, [.enquiry], [.resolved], .closed, [.sender, .clock]),
        row(.close, [.complaint], [.responseSent, .ombudsman], .closed, [.sender, .headOfService]),
        row(.reopen, [.enquiry], [.resolved], .reopened, [.sender]),
        row(.markDuplicate, [.enquiry], [.new, .acknowledged, .assigned, .inProgress], .duplicate, staff),
        row(.withdraw, both, open, .withdrawn, [.sender]),
        // A complaint has an acknowledgement and a handler of its own.
        row(.makeComplaint, [.enquiry], enquiryOpen.union([.resolved]), .new, [.sender]),
        row(.proposeComplaint, [.enquiry], enquiryOpen, nil, staff),
        row(.declineComplaint, [.enquiry], enquiryOpen, nil, [.sender]),
        row(.investigate, [.complaint], [.assigned], .investigating, owner),
        row(.draftResponse, [.complaint], [.investigating, .stage2], .responseDraft, owner),
        row(.approveResponse, [.complaint], [.responseDraft], .responseApproved, [.manager, .headOfService]),
        row(.returnResponse, [.complaint], [.responseDraft], .investigating, [.manager, .headOfService]),
        row(.sendResponse, [.complaint], [.responseApproved], .responseSent, owner),
        row(.goToStage2, [.complaint], [.responseSent], .stage2, [.sender]),
        row(.goToOmbudsman, [.complaint], [.responseSent, .stage2], .ombudsman, [.sender]),
    ]

    private static func row(
        _ action: CaseAction, _ kinds: Set<CaseKind>, _ from: Set<CaseState>, _ to: CaseState?,
        _ by: Set<CaseActor>
    ) -> Transition {
        Transition(action: action, kinds: kinds, from: from, to: to, by: by)
    }

    enum Answer: Hashable {
        case leads(to: CaseState)
        /// The state does not allow it; those that do.
        case wrongState(allowed: [CaseState])
        /// The state allows it, to others.
        case notYours(Set<CaseActor>)
    }

    static func answer(
        _ action: CaseAction, _ kind: CaseKind, from state: CaseState, by actors: Set<CaseActor>
    ) -> Answer {
        let rows = table.filter { $0.action == action && $0.kinds.contains(kind) }
        let here = rows.filter { $0.from.contains(state) }
        if here.isEmpty {
            let allowed = Set(rows.flatMap(\.from)).sorted { $0.rawValue < $1.rawValue }
            return .wrongState(allowed: allowed)
        }
        guard let found = here.first(where: { !$0.by.isDisjoint(with: actors) }) else {
            return .notYours(here.reduce(into: []) { $0.formUnion($1.by) })
        }
        return .leads(to: found.to ?? state)
    }

    static func actions(_ kind: CaseKind, in state: CaseState, by actors: Set<CaseActor>) -> [CaseAction] {
        CaseAction.allCases.filter { action in
            if case .leads = answer(action, kind, from: state, by: actors) { return true }
            return false
        }
    }
}
