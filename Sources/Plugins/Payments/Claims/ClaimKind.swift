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

    /// In files of reference data.
    var name: String {
        switch self {
        case .costRent: "COST_RENT"
        case .actualRent: "ACTUAL_RENT"
        case .healthCentreRent: "HEALTH_CENTRE_RENT"
        case .healthCentreRates: "HEALTH_CENTRE_RATES"
        case .serviceCharge: "SERVICE_CHARGE"
        case .waterRates: "WATER_RATES"
        case .nonDomesticRates: "NON_DOMESTIC_RATES"
        case .clinicalWaste: "CLINICAL_WASTE"
        case .parentalLeave: "PARENTAL_LEAVE"
        case .sickness: "SICKNESS"
        case .suspension: "SUSPENSION"
        case .studyLeave: "STUDY_LEAVE"
        case .reimbursementScheme: "REIMBURSEMENT_SCHEME"
        }
    }
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
