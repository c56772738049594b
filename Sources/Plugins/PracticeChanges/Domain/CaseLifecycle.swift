/// The life of a case (identity-and-organisations.md 15.2). Numbers follow `pcs.changes.v1.CaseState` and are stored.
enum CaseState: Int64, CaseIterable, Sendable {
    case draft = 1
    case submitted = 2
    case returned = 3
    case commissionerApproved = 4
    case received = 5
    case validated = 6
    case planned = 7
    case inProgress = 8
    case effective = 9
    case completed = 10
    case rejected = 11
    case withdrawn = 12
    case rolledBack = 13

    var name: String {
        switch self {
        case .draft: "a draft"
        case .submitted: "with the commissioner"
        case .returned: "returned"
        case .commissionerApproved: "approved by the commissioner"
        case .received: "received"
        case .validated: "validated"
        case .planned: "planned"
        case .inProgress: "in progress"
        case .effective: "effective"
        case .completed: "completed"
        case .rejected: "rejected"
        case .withdrawn: "withdrawn"
        case .rolledBack: "rolled back"
        }
    }

    /// Nothing more happens, but for taking back what a rolled-back case did.
    var isEnded: Bool { [.completed, .rejected, .withdrawn, .rolledBack].contains(self) }
    /// Steps exist.
    var isPlanned: Bool { [.planned, .inProgress, .effective, .completed, .rolledBack].contains(self) }
}

enum CaseAction: String, CaseIterable, Sendable {
    case revise, submit, approve, returnNotice, reject, receive, validate, plan, begin, reportStep, decideGo,
        postpone
    case makeEffective, complete, withdraw, rollBack

    /// What state each action leads to, by the state in which it may be taken.
    func next(from state: CaseState) -> CaseState? {
        switch (self, state) {
        case (.revise, .draft), (.revise, .returned): .draft
        case (.submit, .draft): .submitted
        case (.approve, .submitted): .commissionerApproved
        case (.returnNotice, .submitted): .returned
        case (.reject, .submitted): .rejected
        case (.receive, .commissionerApproved): .received
        case (.validate, .received): .validated
        case (.plan, .validated): .planned
        case (.begin, .planned): .inProgress
        case (.reportStep, .inProgress), (.reportStep, .effective): state
        // What a rolled-back case did is taken back, and that is reported.
        case (.reportStep, .rolledBack): .rolledBack
        case (.decideGo, .inProgress): .inProgress
        case (.postpone, .planned), (.postpone, .inProgress): state
        case (.makeEffective, .inProgress): .effective
        case (.complete, .effective): .completed
        case (.withdraw, .draft), (.withdraw, .submitted), (.withdraw, .returned),
            (.withdraw, .commissionerApproved), (.withdraw, .received), (.withdraw, .validated),
            (.withdraw, .planned), (.withdraw, .inProgress):
            .withdrawn
        case (.rollBack, .planned), (.rollBack, .inProgress), (.rollBack, .effective): .rolledBack
        default: nil
        }
    }

    var allowedIn: [CaseState] { CaseState.allCases.filter { next(from: $0) != nil } }
}
