/// What a practice may claim (payments.md 6.1). Numbers are stored and follow `pcs.payments.v1.ClaimType`.
enum ClaimKind: Int64, CaseIterable, Sendable {
    case costRent = 1
    case actualRent = 2
    case healthCentreRent = 3
    case healthCentreRates = 4
    case serviceCharge = 5
    case waterRates = 6
    case nonDomesticRates = 7
    case clinicalWaste = 8
    case parentalLeave = 9
    case sickness = 10
    case suspension = 11
    case studyLeave = 12
    /// Salaried doctors under the practice-level reimbursement scheme (payments.md 6.5).
    case reimbursementScheme = 13

    /// Locum cover is claimed week by week and has ceilings.
    var isLocumCover: Bool {
        switch self {
        case .parentalLeave, .sickness, .suspension, .studyLeave: true
        default: false
        }
    }

    /// Rule of payments.md that its line names.
    var rule: String {
        if self == .reimbursementScheme { return "6.5 reimbursement scheme" }
        return isLocumCover ? "6.4 locum cover" : "6.3 premises"
    }

    var paycode: Paycode {
        switch self {
        case .costRent: .costRent
        case .actualRent: .actualRent
        case .healthCentreRent: .healthCentreRent
        case .healthCentreRates: .healthCentreRates
        case .serviceCharge: .serviceCharge
        case .waterRates: .waterRates
        case .nonDomesticRates: .nonDomesticRates
        case .clinicalWaste: .clinicalWaste
        case .parentalLeave: .locumParental
        case .sickness: .locumSickness
        case .suspension: .locumSuspended
        case .studyLeave: .locumStudyLeave
        case .reimbursementScheme: .reimbursementScheme
        }
    }

    /// The code that the statement's reader knows: the family, with `G` for GMS and PMS, `A` for APMS (payments.md 5.4).
    func displayedCode(_ contract: ContractKind) -> String { paycode.code + (contract == .apms ? "A" : "G") }
}

/// The life of a claim (payments.md 6.2). Being in a run and being paid follow from the run.
enum ClaimStage: Int64, CaseIterable, Sendable {
    case draft = 1
    case submitted = 2
    case returned = 3
    case approved = 4
    case adjusted = 5
    case rejected = 6

    var name: String {
        switch self {
        case .draft: "draft"
        case .submitted: "submitted"
        case .returned: "returned"
        case .approved: "approved"
        case .adjusted: "adjusted"
        case .rejected: "rejected"
        }
    }
}

enum ClaimAction: String, CaseIterable, Sendable {
    case amend, submit, withdraw, review, approve, adjust, giveBack, reject

    func next(from stage: ClaimStage) -> ClaimStage? {
        switch (self, stage) {
        case (.amend, .draft), (.amend, .returned): stage
        case (.submit, .draft), (.submit, .returned): .submitted
        case (.withdraw, .submitted): .draft
        case (.review, .submitted): .submitted
        case (.approve, .submitted): .approved
        case (.adjust, .submitted): .adjusted
        case (.giveBack, .submitted): .returned
        case (.reject, .submitted): .rejected
        default: nil
        }
    }
}
