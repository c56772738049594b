import PluginAPI

/// A network's claim for a month, with the rows of its present version beside it.
struct AdditionalRolesClaim: Hashable, Sendable {
    var id: String
    var network: ODSCode
    var month: YearMonth
    /// Of the network's claims for the month, from 1.
    var number: Int64
    /// One more whenever the rows are replaced.
    var version: Int64
    var stage: AdditionalRolesStage
    var rowCount: Int64
    var claimedPence: Int64
    /// For the month, as decided.
    var approvedPence: Int64 = 0
    var createdBy: String
    var submittedBy = ""
    var submittedAt: Instant?
    var reviewedBy = ""
    var decidedBy = ""
    var decidedAt: Instant?
    var reason = ""
    var fileName = ""
    var sha256 = ""
    var evidenceID: String?
    /// Claim that was in force for the month when this one was decided.
    var corrects = ""
    /// Maximum sum of the year as at the decision.
    var maximum: MaximumSum?

    /// Tells the times apart at which a claim was submitted; 0 = not yet.
    var submission: Int64 { submittedAt?.microsecondsSince1970 ?? 0 }
    var year: FinancialYear { FinancialYear(containing: month) }
    /// As lines and people name it.
    var name: String { "\(network)/\(month)/\(number)" }
    var origin: String { "additional-roles/\(name)" }
}

/// The life of a claim (payments.md 8.2). Numbers are stored and follow `pcs.payments.v1.AdditionalRolesClaimState`;
/// being in a run and being paid follow from the run.
///
/// draft -> submitted -> reviewed -> approved, adjusted or rejected; returned from submitted and reviewed, and then
/// submitted again; withdrawn from every state before the decision.
enum AdditionalRolesStage: Int64, CaseIterable, Sendable {
    case draft = 1
    case submitted = 2
    case returned = 3
    case reviewed = 4
    case approved = 5
    case adjusted = 6
    case rejected = 7
    case withdrawn = 8

    var name: String {
        switch self {
        case .draft: "draft"
        case .submitted: "submitted"
        case .returned: "returned"
        case .reviewed: "reviewed"
        case .approved: "approved"
        case .adjusted: "adjusted"
        case .rejected: "rejected"
        case .withdrawn: "withdrawn"
        }
    }

    /// Amounts of the month rest on it.
    var isInForce: Bool { self == .approved || self == .adjusted }
    /// Nothing further happens to it.
    var isFinal: Bool { isInForce || self == .rejected || self == .withdrawn }
    /// Waits for the commissioner.
    var isWaiting: Bool { self == .submitted || self == .reviewed }
}

enum AdditionalRolesAction: String, CaseIterable, Sendable {
    case amend, submit, withdraw, review, approve, adjust, giveBack, reject

    func next(from stage: AdditionalRolesStage) -> AdditionalRolesStage? {
        switch (self, stage) {
        case (.amend, .draft), (.amend, .returned): stage
        case (.submit, .draft), (.submit, .returned): .submitted
        case (.withdraw, .draft), (.withdraw, .submitted), (.withdraw, .returned), (.withdraw, .reviewed):
            .withdrawn
        case (.review, .submitted): .reviewed
        case (.giveBack, .submitted), (.giveBack, .reviewed): .returned
        case (.approve, .reviewed): .approved
        case (.adjust, .reviewed): .adjusted
        case (.reject, .reviewed): .rejected
        default: nil
        }
    }
}
