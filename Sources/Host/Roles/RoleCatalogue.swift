package import PluginAPI

/// The roles of this system as data: what each is called, at which kinds of organisation it is held, who gives it, how
/// many hold it, what it lets one see; which roles do not go together; and the figures of user management. A version
/// holds from a day on (identity-and-organisations.md 8, cqrs.md 2, payments.md 12.8, performers.md 2, registrations.md
/// 7.1, supplies.md 5).
package struct RoleCatalogue: Sendable {
    /// A kind of organisation in the words of the catalogue.
    package struct Kind: Hashable, Sendable {
        package let word: String
    }

    /// Where the giver stands: at the organisation itself, at its commissioner, its region, a national body, or PCSE's
    /// support, which proposes. `registration` is the organisation's first registration.
    package enum Level: String, Sendable, CaseIterable {
        case own, commissioner, icb, region, national, pcse
    }

    /// One way in which a role is given: by holders of another, standing at a level.
    package struct Giver: Hashable, Sendable {
        package let role: Role
        package let level: Level
    }

    package enum EmailRule: String, Sendable {
        case any
        /// Only nhs.net and nhs.uk (USR-2).
        case nhs
        /// The address names a person (USR-2, CQRS Local).
        case named
        /// Either: an NHS address or one that names a person.
        case nhsOrNamed = "nhs_or_named"
    }

    package struct Entry: Hashable, Sendable {
        package var role: Role
        package var label: String
        package var service: String
        package var kinds: Set<Kind>
        package var givers: [Giver]
        /// Given at the registration of the organisation itself.
        package var atRegistration: Bool
        package var mostHolders: Int?
        /// Fewer holders than this are warned of (USR-7).
        package var leastHolders: Int?
        package var isAdministrator: Bool
        package var isPrivileged: Bool
        /// What the giver acknowledges that the holder will see; empty when nothing sensitive.
        package var sight: String
        package var takesPaymentTypes: Bool
        package var email: EmailRule
        package var source: String
        package var from: CalendarDate
        package var to: CalendarDate?

        package var isSensitive: Bool { !sight.isEmpty }
        func holds(on day: CalendarDate) -> Bool { from <= day && to.map { day < $0 } ?? true }
    }

    /// Two roles that one natural person should not hold.
    package struct Conflict: Hashable, Sendable {
        package enum Scope: String, Sendable {
            case sameOrganisation = "same_organisation"
            case anywhere
        }
        package enum Effect: String, Sendable { case refuse, warn }

        package var first: Role
        package var second: Role
        package var scope: Scope
        package var effect: Effect
        package var why: String
        package var source: String
        package var from: CalendarDate
        package var to: CalendarDate?

        func holds(on day: CalendarDate) -> Bool { from <= day && to.map { day < $0 } ?? true }
    }

    /// Figures of user management; see `parameters.csv` for what each means and its source.
    package struct Parameters: Hashable, Sendable {
        package var supportGivesAdministratorsOnlyFrom: CalendarDate
        package var proposalLapseDays: Int
        package var reviewEveryMonths: Int
        package var reviewAnswerDays: Int
        package var breakGlassMinutes: Int
        package var breakGlassExtensions: Int
        package var breakGlassReviewWorkingDays: Int
        package var closedOrganisationReadDays: Int
        package var unusedAccountWarnDays: Int
    }

    package let entries: [Role: [Entry]]
    package let conflicts: [Conflict]
    package let parameters: Parameters

    package func entry(_ role: Role, on day: CalendarDate) -> Entry? {
        entries[role]?.first { $0.holds(on: day) }
    }

    /// All roles that can be held that day, in the order of their names.
    package func entries(on day: CalendarDate) -> [Entry] {
        entries.values.compactMap { $0.first { $0.holds(on: day) } }.sorted { $0.role.name < $1.role.name }
    }
}

extension RoleCatalogue.Kind {
    static let words: Set<String> = [
        "practice", "pcn", "sub_icb", "icb", "region", "pharmacy", "optical", "accountant", "lmc", "national",
        "other",
    ]

    /// The register's kinds in the catalogue's words.
    package init(_ kind: OrganisationKind) {
        switch "\(kind)" {
        case "practice": word = "practice"
        case "pcn": word = "pcn"
        case "subICBLocation": word = "sub_icb"
        case "icb": word = "icb"
        case "region": word = "region"
        case "pharmacy": word = "pharmacy"
        case let name where name.hasPrefix("opt"): word = "optical"
        case "accountant": word = "accountant"
        case let name where name.lowercased() == "lmc" || name.hasPrefix("localMedical"): word = "lmc"
        case "national": word = "national"
        default: word = "other"
        }
    }
}

extension RoleCatalogue.Parameters {
    /// Names as in the file.
    static let names = [
        "support_gives_administrators_only_from", "proposal_lapse_days", "review_every_months",
        "review_answer_days", "break_glass_minutes", "break_glass_extensions",
        "break_glass_review_working_days", "closed_organisation_read_days", "unused_account_warn_days",
    ]
}
