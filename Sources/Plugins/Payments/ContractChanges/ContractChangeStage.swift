/// Where a request stands (payments.md 2.4). Numbers are stored and follow `pcs.payments.v1.ContractChangeState`, in
/// which 5 (applied) follows from the runs: one has frozen its inputs after the approval.
enum ContractChangeStage: Int64, CaseIterable, Sendable {
    case draft = 1
    case submitted = 2
    case approved = 3
    case returned = 4
    case reversed = 6

    var name: String {
        switch self {
        case .draft: "a draft"
        case .submitted: "submitted"
        case .approved: "approved"
        case .returned: "returned"
        case .reversed: "reversed"
        }
    }
}

enum ContractChangeAction: CaseIterable, Sendable {
    case draft, submit, authorise, approve, giveBack, reverse

    func next(from stage: ContractChangeStage) -> ContractChangeStage? {
        switch (self, stage) {
        case (.draft, .draft), (.draft, .returned): .draft
        case (.submit, .draft): .submitted
        case (.authorise, .submitted): .submitted
        case (.approve, .submitted): .approved
        case (.giveBack, .submitted): .returned
        case (.reverse, .approved): .reversed
        default: nil
        }
    }

    var allowedIn: [ContractChangeStage] { ContractChangeStage.allCases.filter { next(from: $0) != nil } }
}

/// Numbers follow `pcs.payments.v1.ContractChangeKind`.
enum ContractChangeKind: Int64, Sendable {
    case type = 1
    case stop = 2
    case reversal = 3
}
