/// Paycode families (payments.md 5.4, and those of this project for contractors that the reference names no code for).
/// The number is what stored statements and ledgers hold: never reuse one. Descriptions, headings and the code that a
/// contract type shows for a family are reference data (`PaycodeBook`).
enum Paycode: UInt8, CaseIterable, Sendable {
    // Contract: calculated from contract, list and rates.
    case globalSum = 1
    case london = 2
    case temporaryPatients = 3
    case outOfHours = 4
    case minorSurgery = 5
    case pmsBaseline = 6
    case apmsBaseline = 7
    /// Balance carried (positive) and brought (negative) forward, payments.md 5.3.
    case balanceForward = 8
    /// Correction factor (MPIG), payments.md 3.4.
    case correctionFactor = 9

    // Quality (7), vaccinations (9.1), enhanced services (9.2), local schemes.
    case qofAspiration = 10
    case qofAchievement = 11
    case qofRecovery = 12
    case childhoodVaccination = 13
    case influenzaVaccination = 14
    case pneumococcalVaccination = 15
    case meningitisVaccination = 16
    case shinglesVaccination = 17
    case pertussisVaccination = 18
    case learningDisability = 19
    case enhancedMinorSurgery = 20
    case weightManagement = 21
    case adviceAndGuidance = 22
    case specialAllocation = 23
    case localIncentive = 24

    // Premises (6.3) and locum cover (6.4).
    case notionalRent = 25
    case actualRent = 26
    case costRent = 27
    case healthCentreRent = 28
    case healthCentreRates = 29
    case serviceCharge = 30
    case waterRates = 31
    case nonDomesticRates = 32
    case clinicalWaste = 33
    case locumSickness = 34
    case locumParental = 35
    case locumSuspended = 36
    case locumStudyLeave = 37
    case appraiser = 38
    case reimbursementScheme = 39

    // Networks (8).
    case networkParticipation = 40
    case networkCore = 41
    case networkEnhancedAccess = 42
    case networkCareHomes = 43
    case networkCapacitySupport = 44
    case networkCapacityImprovement = 45
    case networkAdditionalRoles = 46
    case networkInvestment = 47
    case networkClinicalDirector = 48
    case networkLeadership = 49
    case networkExtendedHours = 50

    // Dispensing (9.4).
    case drugReimbursement = 51
    case drugDiscount = 52
    case dispensingFee = 53
    case personallyAdministeredFee = 54
    case drugVAT = 55
    case prescriptionCharges = 56

    // Training, retention, seniority (9.3, 9.5).
    case trainerGrant = 57
    case supervisionReport = 58
    case professionalDevelopment = 59
    case traineeSalary = 60
    case retention = 61
    case seniority = 62

    // Levies (9.6) and superannuation (9.7).
    case statutoryLevy = 63
    case voluntaryLevy = 64
    case superannuationEmployee = 65
    case superannuationEmployer = 66
    case superannuationAddedYears = 67

    // Adjustments (5).
    case adjustmentUp = 68
    case adjustmentDown = 69
    case recovery = 70
    /// What was deducted from practices for a Local Medical Committee, paid over to it in the same run.
    case levyPayover = 71

    // Ophthalmic (10.2).
    case sightTest = 72
    case opticalVoucher = 73
    case voucherRepair = 74
    case privateSightTestHelp = 75
    case domiciliarySightTest = 76
    case opticalLevy = 77
    case opticalTrainingGrant = 78
    case opticalPreRegistrationGrant = 79

    // Pharmacy (10.1).
    case pharmacyLocalPayment = 80
    case pharmacyStatutoryLevy = 81
    case pharmacyVoluntaryLevy = 82

    // Withholding and returned payments (12.4, 12.7).
    case withheld = 83
    case withheldReleased = 84
    case returnedPayment = 85
    case reissuedPayment = 86

    private static let codes: [String] = [
        "", "GSUM", "GSLON", "GSTPA", "GSOOH", "GSMIN", "PMSB", "APMSB", "BCFD", "MPIG", "QASP", "QACH", "QREC", "VCH",
        "VFLU", "VPNE", "VMEN", "VSHI", "VPER", "ESLD", "ESMS", "ESWM", "ESAG", "ESVP", "LIS", "PRNT", "PACT", "PCST",
        "PHCR", "PHCT", "PSVC", "PWAT", "PNDR", "PWST", "LSCK", "LPAR", "LSUS", "LSTU", "APPR", "GPRS", "NPP", "PCNCOR",
        "PCNEA", "PCNCHP", "PCNCSP", "PCNCIP", "PCNARR", "PCNIIF", "PCNCD", "PCNLM", "PCNXH", "RDRG", "RDIS", "RFEE",
        "PFEE", "PVAT", "RXCH", "TGRT", "TESR", "TCPD", "TSAL", "RETN", "SENI", "LMCS", "LMCV", "SPEE", "SPER", "SPAY",
        "ADJP", "ADJN", "RECO", "LMCP", "GOS1", "GOS3", "GOS4", "GOS5", "GOS6", "LOCL", "GCPD", "GPRE", "PHLP", "LPCS",
        "LPCV", "WHLD", "WREL", "RTRN", "RISS",
    ]

    private static let byCode = Dictionary(uniqueKeysWithValues: allCases.map { ($0.code, $0) })

    /// Code of the family.
    var code: String { Paycode.codes[Int(rawValue)] }

    init?(code: String) {
        guard let found = Paycode.byCode[code] else { return nil }
        self = found
    }

    /// The code that the statement's reader knows: the family, with `G` for GMS and PMS, `A` for APMS. Families of
    /// networks and pharmacies have no suffix, nor has what is paid without a contract (payments.md 5.4).
    func displayedCode(_ contract: ContractKind?) -> String {
        guard let contract, !(40...50).contains(rawValue), !(80...82).contains(rawValue) else { return code }
        return code + (contract == .apms ? "A" : "G")
    }

    /// Lines that the official file reports under "Global Sum".
    static let globalSumFamily: [Paycode] = [
        .globalSum, .london, .temporaryPatients, .outOfHours, .minorSurgery,
    ]
}

/// Descriptions of paycodes, as reference data.
struct PaycodeBook: Sendable {
    struct Entry: Hashable, Sendable {
        var code: String
        var description: String
        /// `+`, `-` or `+/-`.
        var sign: String
        /// Heading in the official yearly report.
        var heading: String
        /// Code of the national list; empty = not known.
        var externalCode = ""
    }

    private let entries: [String: Entry]

    init(_ entries: [Entry]) {
        self.entries = Dictionary(entries.map { ($0.code, $0) }, uniquingKeysWith: { _, later in later })
    }

    func entry(_ paycode: Paycode) -> Entry? { entries[paycode.code] }
    func externalCode(of code: String) -> String { entries[code]?.externalCode ?? "" }
    func description(of paycode: Paycode) -> String { entries[paycode.code]?.description ?? paycode.code }
}
