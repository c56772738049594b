import CqrsContract
import PluginAPI

/// Which report has which columns, and which roles show it to whom (cqrs.md 9). Columns of pounds begin with £.
struct ReportCatalogue: Sendable {
    /// From where a caller looks: the same role shows more to a commissioner than to a network.
    enum Side: Sendable {
        /// A practice or other provider at its own.
        case provider
        /// A PCN, or a practice at its network or a peer.
        case network
        case commissioner
        case icb
    }

    let name: Pcs_Cqrs_V1_ReportName
    let columns: [ReportColumn]
    /// Each inner list suffices, if all of its roles are held.
    private let roles: [Side: [[String]]]
    let needsService: Bool
    let needsDate: Bool

    private init(
        _ name: Pcs_Cqrs_V1_ReportName, _ columns: String, provider: [[String]] = [],
        network: [[String]] = [],
        commissioner: [[String]] = [], icb: [[String]] = [], needsService: Bool = false,
        needsDate: Bool = false
    ) {
        self.name = name
        self.columns = ReportColumn.list(columns)
        roles = [.provider: provider, .network: network, .commissioner: commissioner, .icb: icb]
        self.needsService = needsService
        self.needsDate = needsDate
    }

    func isShown(to held: Set<Role>, _ side: Side) -> Bool {
        (roles[side] ?? []).contains { $0.allSatisfy { held.contains(Role("CQRS_" + $0)) } }
    }

    /// For a refusal.
    func rolesNeeded(_ side: Side) -> String {
        let ways = (roles[side] ?? []).map { $0.joined(separator: " with ") }
        return ways.isEmpty ? "none at this level" : ways.joined(separator: ", or ")
    }

    static let all: [Pcs_Cqrs_V1_ReportName: ReportCatalogue] = Dictionary(
        uniqueKeysWithValues: (figures + declarations + standing + national).map { ($0.name, $0) })

    private static let readers = [["VIEW"], ["FINANCE_VIEW"]]
    private static let dataRoles = readers + [["ACHIEVEMENT_ENTRY"]]
    /// 2.1: network pages need PCN View beside the area's own role; PCN Management brings the data role with it.
    private static let networkData =
        [["PCN_MANAGEMENT"]] + dataRoles.map { ["PCN_VIEW"] + $0 }
    private static let networkDeclarations = ["PCN_VIEW", "PCN_MANAGEMENT"].flatMap { pcn in
        [[pcn, "DECLARATION_MANAGEMENT"], [pcn, "FINANCE_VIEW"]]
    }
    private static let deciders = [["APPROVAL_MANAGEMENT"], ["FINANCE_MANAGEMENT"]]
    private static let anyCommissioner = readers + deciders + [["SERVICE_MANAGEMENT"]]

    private static let place = "commissioner_code commissioner_level icb_code icb_level"

    private static let figures: [ReportCatalogue] = [
        .init(
            .networkAchievement,
            """
            pcn_code pcn_name practice_code practice_name service_code achievement_date indicators_submitted
            indicators_expected indicator_code numerator denominator last_updated as_of
            """, network: networkData, commissioner: dataRoles, icb: readers, needsService: true),
        .init(
            .achievementSummary,
            """
            provider_code provider_name pcn_code \(place) service_code achievement_date indicator_code group numerator
            denominator percent percent_with_adjustments must_rise_by lower_percent upper_percent points maximum_points
            population list_factor prevalence_factor £amount_pounds calculation_id as_of
            """, provider: readers, network: networkData, commissioner: readers + deciders, icb: readers,
            needsService: true),
        .init(
            .dataSubmission,
            """
            pcn_code pcn_name nominated_payee_code nominated_payee_name weighted_list provider_code provider_name
            service_code achievement_date indicator_code field value source submitted_by submitted_at last_submission
            default_used locked as_of
            """, provider: dataRoles, network: networkData, commissioner: dataRoles, icb: readers,
            needsService: true),
    ]

    private static let declarations: [ReportCatalogue] = [
        .init(
            .networkDeclarationManagement,
            """
            pcn_code pcn_name practice_code practice_name service_code achievement_date status £amount_pounds declared_by
            declared_at approved_by approved_at blocking declaration_id calculation_id as_of
            """, network: networkDeclarations, commissioner: deciders, icb: [["FINANCE_VIEW"]]),
        .init(
            .declarationManagement,
            """
            declaration_id kind service_code achievement_date provider_code provider_name pcn_code status £amount_pounds
            £amount_before_pounds declared_by declared_at held_because calculation_id as_of
            """, provider: [["DECLARATION_MANAGEMENT"]], commissioner: deciders + [["FINANCE_VIEW"]],
            icb: [["FINANCE_VIEW"]]),
        .init(
            .providerPaymentDeclaration,
            """
            declaration_id kind provider_code provider_name pcn_code pcn_name nominated_payee_code nominated_payee_name
            weighted_list service_code achievement_date line label points quantity £amount_pounds £total_pounds status
            declared_at approved_at finance_approved_at payment_reference paid_on calculation_id as_of
            """, provider: [["FINANCE_VIEW"]],
            network: [["PCN_VIEW", "FINANCE_VIEW"], ["PCN_MANAGEMENT", "FINANCE_VIEW"]],
            commissioner: [["FINANCE_VIEW"]], icb: [["FINANCE_VIEW"]]),
        .init(
            .aggregatedPaymentDeclaration,
            """
            declaration_id pcn_code pcn_name nominated_payee_code nominated_payee_name service_code achievement_date
            practice_code practice_name weighted_list £amount_pounds £total_pounds status approved_at finance_approved_at
            payment_reference paid_on calculation_id as_of
            """, network: [["PCN_VIEW", "FINANCE_VIEW"], ["PCN_MANAGEMENT", "FINANCE_VIEW"]],
            commissioner: [["FINANCE_VIEW"]], icb: [["FINANCE_VIEW"]]),
    ]

    private static let standing: [ReportCatalogue] = [
        .init(
            .participationStatus,
            """
            service_code provider_code provider_name pcn_code \(place) status offered_on accepted_at start_on end_on
            answer_by automatic contract_reference reason as_of
            """, provider: [["SERVICE_MANAGEMENT"]], commissioner: [["SERVICE_MANAGEMENT"]], icb: readers),
        .init(
            .networkRelationship,
            "pcn_code pcn_name practice_code practice_name \(place) member_from member_to as_of",
            provider: dataRoles, network: [["PCN_VIEW"], ["PCN_MANAGEMENT"]], commissioner: anyCommissioner,
            icb: readers),
        .init(
            .audit,
            """
            at by acting_for role object organisation_code service_code achievement_date from_state to_state reason
            figures_sha256 as_of
            """, provider: [["USER_ADMINISTRATOR"]], network: [["USER_ADMINISTRATOR"]],
            commissioner: [
                ["ADVANCED_USER_ADMINISTRATOR"], ["USER_ADMINISTRATOR"], ["ORGANISATION_ADMINISTRATOR"],
            ],
            icb: [["USER_ADMINISTRATOR"]]),
        .init(
            .exceptionsBoard,
            "exception organisation_code organisation_name service_code achievement_date since detail as_of",
            commissioner: anyCommissioner, icb: readers),
        .init(
            .commissionerProgress,
            """
            service_code achievement_date participants offered accepted submitted declared approved finance_approved paid
            £declared_pounds £approved_pounds £finance_approved_pounds £paid_pounds as_of
            """, commissioner: anyCommissioner, icb: readers),
        .init(
            .userAccess,
            "user_id user_name organisation_code role payment_types valid_from valid_to last_used_at as_of",
            provider: [["USER_ADMINISTRATOR"]], network: [["USER_ADMINISTRATOR"]],
            commissioner: [["ADVANCED_USER_ADMINISTRATOR"], ["USER_ADMINISTRATOR"]],
            icb: [["USER_ADMINISTRATOR"]]),
    ]

    private static let national: [ReportCatalogue] = [
        .init(
            .finalPracticeList, ParticipationListFile.columns.joined(separator: " "), commissioner: readers,
            needsService: true),
        .init(
            .achievedPoints, AchievedPointsFile.columns.joined(separator: " "), commissioner: readers,
            needsService: true,
            needsDate: true),
        .init(
            .indicatorValues, IndicatorValuesFile.columns.joined(separator: " "), commissioner: readers,
            needsService: true,
            needsDate: true),
    ]

    /// Layouts of 5.4 are for regions and the nation.
    var isNationalFile: Bool { [.finalPracticeList, .achievedPoints, .indicatorValues].contains(name) }
}
