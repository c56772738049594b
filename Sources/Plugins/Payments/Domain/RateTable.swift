import PluginAPI

/// The rates that this slice uses. Names are those of the reference data files and of `ReferenceDataService`.
enum RateName: String, CaseIterable, Sendable {
    case globalSumPrice = "global_sum_price"
    case outOfHoursPercent = "out_of_hours_percent"
    case minorSurgeryPercent = "minor_surgery_percent"
    case londonAdjustment = "london_adjustment"
    case correctionFactorSevenths = "correction_factor_sevenths"
    case cutOffWorkingDays = "cut_off_working_days"
    case paymentDay = "payment_day"
    case netChangePercent = "net_change_percent"
    case netChangeAmount = "net_change_amount"
    case baselinePerHeadLow = "baseline_per_head_low"
    case baselinePerHeadHigh = "baseline_per_head_high"
    // Allocation formula, payments.md 3.3 and C6: bounds of an index, and of the turnover index's movement.
    case allocationIndexLow = "allocation_index_low"
    case allocationIndexHigh = "allocation_index_high"
    case turnoverIndexMovement = "turnover_index_movement"
    /// A stop instruction comes at least so many working days before the payment (payments.md 2.3).
    case stopInstructionWorkingDays = "stop_instruction_working_days"
    // Networks, payments.md 8.1: pounds a year for each patient or bed.
    /// 1 from the month in which networks are paid by this calculation, 0 while amounts come as instructions.
    case networkCalculatedHere = "network_calculated_here"
    case networkCoreRegistered = "network_core_registered"
    case networkCoreAdjusted = "network_core_adjusted"
    case networkClinicalDirector = "network_clinical_director"
    case networkLeadership = "network_leadership"
    case networkExtendedHours = "network_extended_hours"
    case networkEnhancedAccess = "network_enhanced_access"
    case networkCapacitySupport = "network_capacity_support"
    case networkSupportWeighted = "network_support_weighted"
    /// Core funding as revised in a year, where only the sum of both bases is published: nothing is paid by it.
    case networkCoreRevised = "network_core_revised"
    /// Most that capacity and access improvement comes to: pounds a year for each adjusted patient.
    case networkCapacityImprovement = "network_capacity_improvement"
    case networkCareHomeBed = "network_care_home_bed"
    case networkParticipation = "network_participation"
    /// Most that a network is paid back for additional roles, for each weighted patient.
    case networkAdditionalRoles = "network_additional_roles"
    /// For how many months after it a month can be claimed.
    case networkAdditionalRolesMonths = "network_additional_roles_months"
    // Locum cover, payments.md 6.4: pounds a week.
    case locumParentalFirstWeeks = "locum_parental_first_weeks"
    case locumParentalWeek = "locum_parental_week"
    case locumParentalWeeks = "locum_parental_weeks"
    case locumSicknessFull = "locum_sickness_full"
    case locumSicknessHalf = "locum_sickness_half"
    case locumStudyWeek = "locum_study_week"
    case locumSuspendedWeek = "locum_suspended_week"
    /// Days after the end of a month within which its cover is claimed.
    case locumClaimDays = "locum_claim_days"
    /// A variation over this many pounds takes two approvers.
    case variationSecondApproval = "variation_second_approval"

    // General Ophthalmic Services, payments.md 10.2: pounds a claim, by the day of the test or of supply.
    case gosSightTest = "gos_sight_test"
    case gosDomiciliaryFirst = "gos_domiciliary_first"
    case gosDomiciliaryFurther = "gos_domiciliary_further"
    case gosVoucherA = "gos_voucher_a"
    case gosVoucherB = "gos_voucher_b"
    case gosVoucherC = "gos_voucher_c"
    case gosVoucherD = "gos_voucher_d"
    case gosVoucherE = "gos_voucher_e"
    case gosVoucherF = "gos_voucher_f"
    case gosVoucherG = "gos_voucher_g"
    case gosVoucherH = "gos_voucher_h"
    case gosVoucherI = "gos_voucher_i"
    case gosVoucherJ = "gos_voucher_j"
    case gosVoucherComplexSingle = "gos_voucher_complex_single"
    case gosVoucherComplexBifocal = "gos_voucher_complex_bifocal"
    case gosVoucherSmallGlasses = "gos_voucher_small_glasses"
    case gosVoucherTint = "gos_voucher_tint"
    case gosVoucherPrism = "gos_voucher_prism"
    case gosProfessionalDevelopment = "gos_professional_development"
    case gosPreRegistration = "gos_pre_registration"
    /// Not used any more: each Local Optical Committee has a rate of its own (`Levies/`). Sets approved before hold it.
    case gosLevyPercent = "gos_levy_percent"
    case gosTestClaimMonths = "gos_test_claim_months"
    case gosVoucherClaimMonths = "gos_voucher_claim_months"
    case gosTrainingFirstMonth = "gos_training_first_month"
    case gosTrainingLastNovemberDay = "gos_training_last_november_day"
    /// 1 while work of the day is taken on paper.
    case gosPaperWork = "gos_paper_work"
    /// 1 while paper forms are taken.
    case gosPaperForms = "gos_paper_forms"
    // Notices of visits (PVN): up to so many patients at an address and day are notified so many hours before, more of
    // them so many days.
    case gosVisitFewPatients = "gos_visit_few_patients"
    case gosVisitNoticeHours = "gos_visit_notice_hours"
    case gosVisitNoticeDays = "gos_visit_notice_days"
    case gosVisitMostChanges = "gos_visit_most_changes"
    // Levies, payments.md 9.6: pence a patient a year, outside of which a rate is pointed out.
    case levyMinimumPence = "levy_minimum_pence"
    case levyMaximumPence = "levy_maximum_pence"
    // Pharmacy, payments.md 10.1.
    /// Last day of the month for its file of local payments.
    case pharmacyFileDay = "pharmacy_file_day"
    /// Working days before the payment at which the schedule can be seen.
    case pharmacyScheduleDays = "pharmacy_schedule_days"
    // Fees with which the yearly published file is compared. Nothing is paid by them.
    case publishedFeeChildhoodVaccination = "published_fee_childhood_vaccination"
    case publishedFeeInfluenzaPneumococcal = "published_fee_influenza_pneumococcal"
    case publishedFeeLearningDisabilities = "published_fee_learning_disabilities"
    case publishedFeeMeningitis = "published_fee_meningitis"
    case publishedFeePertussis = "published_fee_pertussis"
    case publishedFeeRotavirusShingles = "published_fee_rotavirus_shingles"
    case publishedFeeMainProgramme = "published_fee_main_programme"
    case publishedFeeWeightManagement = "published_fee_weight_management"

    // Dispensing, payments.md 9.4.
    case dispensingArrearsMonths = "dispensing_arrears_months"
    /// 0 = the band of the total prices everything, 1 = each band prices what lies within it.
    case dispensingBandMarginal = "dispensing_band_marginal"
    case drugVATPercent = "drug_vat_percent"
    // Training and retention, payments.md 9.5.
    case trainingArrearsMonths = "training_arrears_months"
    /// Pounds for each session of each week.
    case retentionSession = "retention_session"
    case retentionMostSessions = "retention_most_sessions"
    case retentionWeeks = "retention_weeks"
    case retentionMostYears = "retention_most_years"
    // Pounds a year for a doctor's expenses, by sessions a week that are paid.
    case retentionExpensesOne = "retention_expenses_1"
    case retentionExpensesTwo = "retention_expenses_2"
    case retentionExpensesThree = "retention_expenses_3"
    case retentionExpensesFour = "retention_expenses_4"
    // Practice-level reimbursement scheme, payments.md 6.5.
    /// Pounds a year for each adjusted patient.
    case schemeAllocation = "scheme_allocation"
    case schemeHourlyCap = "scheme_hourly_cap"
    case schemeSalaryCap = "scheme_salary_cap"
    case schemeSalaryCapLondon = "scheme_salary_cap_london"
    case schemeEmployerNIPercent = "scheme_employer_ni_percent"
    /// Sessions for which the salary cap is meant.
    case schemeFullTimeSessions = "scheme_full_time_sessions"
    // Bank details, payments.md 12.5.
    /// Working days before a run's cut-off by which details must be authorised and in effect.
    case bankDetailsLeadDays = "bank_details_lead_days"
    /// Working days before a cut-off in which a change needs a further confirmation.
    case bankCoolingOffDays = "bank_cooling_off_days"
    /// Days for which the number of a call-back must have been on file.
    case bankNumberOnFileDays = "bank_number_on_file_days"
    /// Days around a change of bank details in which a change of address is a risk.
    case bankContactChangeDays = "bank_contact_change_days"
    // Returned credits, payments.md 12.7.
    /// Working days after the entry day in which credits come back.
    case bacsReturnDays = "bacs_return_days"
    /// Working days in which the payee of a returned credit must act.
    case returnActionDays = "return_action_days"

    /// `nil` = the scale has no such step.
    static func retentionExpenses(sessions: Int64) -> RateName? { RateName(rawValue: "retention_expenses_\(sessions)") }
    // Premises, payments.md 6.3.
    /// Private use above it reduces what is paid.
    case premisesPrivateUsePercent = "premises_private_use_percent"
    /// From the determination of a rent to its acceptance.
    case premisesAcceptanceWeeks = "premises_acceptance_weeks"
    case premisesReviewMonths = "premises_review_months"
    /// 1 from the day on which cost rent was closed to new entrants.
    case premisesCostRentClosed = "premises_cost_rent_closed"

    /// Paid months later than the day that sets it.
    var isPaidInArrears: Bool {
        switch self {
        case .dispensingArrearsMonths, .dispensingBandMarginal, .drugVATPercent, .trainingArrearsMonths: true
        default: false
        }
    }

    /// Looked up by the day of what is claimed, so that it may change within a month.
    var changesWithinMonth: Bool { rawValue.hasPrefix("scheme_") }

    /// Fees of claims, which are paid in the month in which the claim comes, later than the day that sets the fee.
    var isOphthalmicFee: Bool { rawValue.hasPrefix("gos_") }

    var unit: RateUnit {
        switch self {
        case .globalSumPrice, .londonAdjustment, .netChangeAmount, .baselinePerHeadLow, .baselinePerHeadHigh:
            .pounds
        case .outOfHoursPercent, .minorSurgeryPercent, .netChangePercent, .gosLevyPercent: .percent
        case .drugVATPercent, .schemeEmployerNIPercent, .premisesPrivateUsePercent: .percent
        case .premisesAcceptanceWeeks, .premisesReviewMonths, .premisesCostRentClosed: .count
        case .dispensingArrearsMonths, .dispensingBandMarginal, .trainingArrearsMonths, .retentionMostSessions,
            .retentionWeeks, .retentionMostYears, .schemeFullTimeSessions:
            .count
        case .retentionExpensesOne, .retentionExpensesTwo, .retentionExpensesThree, .retentionExpensesFour: .pounds
        case .retentionSession, .schemeAllocation, .schemeHourlyCap, .schemeSalaryCap, .schemeSalaryCapLondon: .pounds
        case .cutOffWorkingDays, .stopInstructionWorkingDays, .paymentDay, .pharmacyFileDay, .pharmacyScheduleDays,
            .locumClaimDays, .gosVisitNoticeDays:
            .days
        case .bankDetailsLeadDays, .bankCoolingOffDays, .bankContactChangeDays, .bacsReturnDays, .returnActionDays: .days
        case .bankNumberOnFileDays: .count
        case .networkAdditionalRolesMonths, .correctionFactorSevenths, .networkCalculatedHere,
            .locumParentalWeeks, .allocationIndexLow,
            .allocationIndexHigh, .turnoverIndexMovement,
            .gosTestClaimMonths, .gosVoucherClaimMonths, .gosTrainingFirstMonth, .gosTrainingLastNovemberDay,
            .gosPaperWork, .gosPaperForms, .gosVisitFewPatients, .gosVisitNoticeHours, .gosVisitMostChanges,
            .levyMinimumPence, .levyMaximumPence: .count
        case .networkCoreRegistered, .networkCoreAdjusted, .networkClinicalDirector, .networkLeadership,
            .networkExtendedHours, .networkEnhancedAccess, .networkCapacitySupport, .networkSupportWeighted,
            .networkCareHomeBed, .networkParticipation, .networkCoreRevised, .networkCapacityImprovement,
            .networkAdditionalRoles, .locumParentalFirstWeeks, .locumParentalWeek,
            .locumSicknessFull, .locumSicknessHalf, .locumStudyWeek, .locumSuspendedWeek, .variationSecondApproval,
            .gosSightTest, .gosDomiciliaryFirst, .gosDomiciliaryFurther, .gosVoucherA, .gosVoucherB,
            .gosVoucherC, .gosVoucherD, .gosVoucherE, .gosVoucherF, .gosVoucherG, .gosVoucherH,
            .gosVoucherI, .gosVoucherJ, .gosVoucherComplexSingle, .gosVoucherComplexBifocal,
            .gosVoucherSmallGlasses, .gosVoucherTint, .gosVoucherPrism, .gosProfessionalDevelopment,
            .gosPreRegistration:
            .pounds
        case .publishedFeeChildhoodVaccination, .publishedFeeInfluenzaPneumococcal,
            .publishedFeeLearningDisabilities, .publishedFeeMeningitis, .publishedFeePertussis,
            .publishedFeeRotavirusShingles, .publishedFeeMainProgramme, .publishedFeeWeightManagement:
            .pounds
        }
    }

    /// Values that make sense, in millionths of the unit.
    var range: ClosedRange<Int64> {
        switch unit {
        case .pounds: 0...1_000_000 * 1_000_000
        case .percent: 0...100 * 1_000_000
        case .days: 0...31 * 1_000_000
        case .count: 0...1_000 * 1_000_000
        }
    }
}

enum RateUnit: Int64, CaseIterable, Sendable {
    case pounds = 1
    case percent = 2
    case days = 3
    case count = 4

    var name: String {
        switch self {
        case .pounds: "POUNDS"
        case .percent: "PERCENT"
        case .days: "DAYS"
        case .count: "COUNT"
        }
    }

    init?(name: String) {
        guard let found = RateUnit.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }
}

/// One rate for a span of days, as some approved set says.
struct RateRow: Hashable, Sendable {
    var name: RateName
    var from: CalendarDate
    /// Exclusive; `nil` = open.
    var to: CalendarDate?
    /// `nil` = parameter: not known, and what needs it is refused (payments.md 0, grade R and "parameter").
    var value: ExactDecimal?
    /// P, S, D, R or X.
    var grade: String
    var source: String
    var note: String
    /// Recorded version of the set; 0 while it is not approved.
    var version: Int64 = 0

    func contains(_ day: CalendarDate) -> Bool { day >= from && to.map { day < $0 } != false }
}

/// A rate as used in a calculation.
struct Rate: Hashable, Sendable {
    var value: ExactDecimal
    var millionths: Int64
    var from: CalendarDate
    var version: Int64
    var source: String

    /// For an explanation.
    func input(_ name: String, _ unit: Explanation.Unit) -> Explanation.Input {
        Explanation.Input(name, value, unit, from: .init("rates", version: version, note: source), asOf: from)
    }
}

/// All rates as known at one moment. Where several approved versions speak about a day, the one recorded last holds;
/// within one set, the row that comes last.
struct RateTable: Sendable {
    private let rows: [RateName: [RateRow]]

    /// - Parameter rows: in order of recording.
    init(_ rows: [RateRow]) { self.rows = Dictionary(grouping: rows, by: \.name) }

    func row(_ name: RateName, at day: CalendarDate) -> RateRow? { rows[name]?.last { $0.contains(day) } }

    /// Throws `rateMissing` when no version speaks about the day, or the one that does leaves it as a parameter.
    func rate(_ name: RateName, at day: CalendarDate) throws(PaymentsError) -> Rate {
        guard let row = row(name, at: day), let value = row.value, let millionths = value.scaled(to: 6) else {
            throw .rateMissing(name, day)
        }
        return Rate(
            value: value, millionths: millionths, from: row.from, version: row.version,
            source: row.source.isEmpty ? row.grade : row.source + " " + row.grade)
    }

    /// A whole number of days or pounds, for calendars and bounds.
    func whole(_ name: RateName, at day: CalendarDate) throws(PaymentsError) -> Int64 {
        try rate(name, at: day).millionths / 1_000_000
    }
}
