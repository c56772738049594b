import PluginAPI

/// A local service as its commissioner defined it (cqrs.md 10.1), in one version.
struct LocalScheme: Sendable {
    var id: String
    var version: Int
    var owner: String
    var name: String
    var start: CalendarDate
    var end: CalendarDate
    var isParticipationOnly: Bool
    var kinds: Set<LocalProviderKind>
    var isMultiService: Bool
    var needsEvidence: Bool
    var backing: [LocalBackingColumn]
    var route: LocalRoute
    var payCode: String
    var subjectiveCode: String
    /// `nil` = the national figure.
    var mediumFrom: ExactDecimal?
    var highFrom: ExactDecimal?
    var sharedWith: Set<String>
    var components: [LocalComponent]
    var isClosed = false

    func covers(_ day: CalendarDate) -> Bool { start <= day && day <= end }
    func component(_ id: String) -> LocalComponent? { components.first { $0.id == id } }
    /// Who may offer it, and decide and pay the claims of its own offers.
    func isOpen(to commissioner: String) -> Bool {
        owner == commissioner || sharedWith.contains(commissioner)
    }
}

/// Kinds of provider (10.1). The numbers are those of the contract.
enum LocalProviderKind: Int, CaseIterable, Sendable {
    case gpPractice = 1, pcn, federation, pharmacy, optometrist, acuteTrust, community, thirdSector

    /// As tariff rows name it.
    var group: String {
        switch self {
        case .gpPractice: "GP_PRACTICE"
        case .pcn: "PCN"
        case .federation: "FEDERATION"
        case .pharmacy: "PHARMACY"
        case .optometrist: "OPTOMETRIST"
        case .acuteTrust: "ACUTE_TRUST"
        case .community: "COMMUNITY"
        case .thirdSector: "THIRD_SECTOR"
        }
    }

    /// What the register says; `nil` where it does not tell these kinds apart.
    init?(_ kind: OrganisationKind) {
        switch kind {
        case .practice, .branchSurgery: self = .gpPractice
        case .pcn: self = .pcn
        case .pharmacy, .pharmacyHeadquarters: self = .pharmacy
        case .opticalSite, .opticalHeadquarters: self = .optometrist
        case .trust: self = .acuteTrust
        default: return nil
        }
    }
}

enum LocalRoute: Int, CaseIterable, Sendable { case pcse = 1, file }

enum LocalUnit: Int, CaseIterable, Sendable {
    case item = 1, patient, session, fixed, percent

    var plural: String {
        switch self {
        case .item: "items"
        case .patient: "patients"
        case .session: "sessions"
        case .fixed: "fixed sums"
        case .percent: "per cent"
        }
    }
}

struct LocalComponent: Sendable {
    var id: String
    var name: String
    var unit: LocalUnit
    var allowsDecimals: Bool
    var tariffs: [LocalTariffRow]
    var minimum: LocalQuantity?
    var maximum: LocalQuantity?
    /// In the order in which they are applied (LOC-4).
    var caps: [LocalCap]
    var needsEvidence: Bool

    /// A group of the contract goes before the kind, the kind before everybody (LOC-3).
    func tariff(group: String, kind: LocalProviderKind, on day: CalendarDate) -> LocalTariffRow? {
        for wanted in group.isEmpty ? [kind.group, ""] : [group, kind.group, ""] {
            if let row = tariffs.first(where: { $0.group == wanted && $0.covers(day) }) { return row }
        }
        return nil
    }
}

struct LocalTariffRow: Sendable {
    var group: String
    var amount: ExactDecimal
    var from: CalendarDate
    var to: CalendarDate?

    func covers(_ day: CalendarDate) -> Bool { from <= day && (to.map { day <= $0 } ?? true) }
    func overlaps(_ other: LocalTariffRow) -> Bool {
        group == other.group && from <= (other.to ?? .distantFuture) && other.from <= (to ?? .distantFuture)
    }
}

extension CalendarDate {
    /// Of what has no last day.
    static let distantFuture =
        CalendarDate(year: 9999, month: 12, day: 31) ?? CalendarDate(daysSince1970: Int32.max / 2)
}

/// Caps in the order in which they are applied: claim, month, year, list, value (LOC-4).
enum LocalCapKind: Int, CaseIterable, Sendable {
    case quantityAClaim = 1, quantityAMonth, quantityAYear, perMilleOfList, valueAYear

    var name: String {
        switch self {
        case .quantityAClaim: "quantity a claim"
        case .quantityAMonth: "quantity a month"
        case .quantityAYear: "quantity a financial year"
        case .perMilleOfList: "quantity a financial year by list size"
        case .valueAYear: "value a financial year"
        }
    }
}

struct LocalCap: Sendable {
    var kind: LocalCapKind
    var limit: ExactDecimal
    var truncates: Bool
}

enum LocalBackingType: Int, CaseIterable, Sendable { case text = 1, whole, decimal, date }

struct LocalBackingColumn: Sendable {
    var name: String
    var type: LocalBackingType
    /// Component whose quantity the column's total is; empty = none.
    var component: String
}

/// What may be claimed when.
struct LocalWindow: Sendable {
    var id: String
    var service: String
    var activityFrom: CalendarDate
    var activityTo: CalendarDate
    var opens: CalendarDate
    var closes: CalendarDate
    var lateUntil: CalendarDate?

    /// Last day on which it takes a claim of a provider with this extension.
    func lastDay(extended until: CalendarDate?) -> CalendarDate {
        Swift.max(closes, lateUntil ?? closes, until ?? closes)
    }
    func covers(_ day: CalendarDate) -> Bool { activityFrom <= day && day <= activityTo }
}

/// A provider's part in a contract: for what it may claim, and under which tariffs.
struct LocalTerm: Sendable {
    var contract: String
    var commissioner: String
    var provider: String
    var kind: LocalProviderKind
    var group: String
    var start: CalendarDate
    /// Of the contract, or the day on which it was ended.
    var end: CalendarDate
    var isBulkAgreed: Bool
    /// By service; an empty set = every component.
    var items: [String: Set<String>]

    func covers(_ day: CalendarDate) -> Bool { start <= day && day <= end }
    func holds(_ service: String, _ component: String) -> Bool {
        items[service].map { $0.isEmpty || $0.contains(component) } ?? false
    }
}
