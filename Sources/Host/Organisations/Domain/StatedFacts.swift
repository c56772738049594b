package import PluginAPI

/// What one row of a file says of one organisation, as on the day of publication.
package struct StatedOrganisation: Hashable, Sendable {
    package var code: ODSCode
    package var kind: OrganisationKind
    package var name: String
    package var status: OrganisationStatus
    package var openedOn: CalendarDate?
    /// Last day of business.
    package var closedOn: CalendarDate?
    package var postcode: String = ""
    package var town: String = ""
}

/// Relations that the register keeps, all pointing upwards from the organisation that states them.
package enum LinkRelation: String, Sendable {
    /// RE4 for those who are commissioned; for a Sub ICB Location its ICB, for an ICB its region. One at a time.
    case commissioner
    /// RE8: practice to PCN. Files state the whole history.
    case pcn
    /// What a hierarchy file states, kept to find what its next issue lacks. Answers no question.
    case hierarchy
    /// RE6: a branch to its practice, a pharmacy or optical site to its headquarters. One at a time.
    case operatedBy = "operator"
    /// RE9, kept from the PCN's side: PCN to its nominated payee. Files state the whole history.
    case payee
}

/// What a row says of a relation.
package struct StatedLink: Hashable, Sendable {
    package var child: ODSCode
    package var parent: ODSCode
    /// First day; `nil` when the file does not say.
    package var from: CalendarDate?
    /// Last day; `nil` while open.
    package var to: CalendarDate?
    /// Line of the file.
    package var line: Int
}

/// Predecessor and successor; the same event stated from both sides is one.
package struct StatedSuccession: Hashable, Sendable {
    package var predecessor: ODSCode
    package var successor: ODSCode
}

/// Address above the postcode, as a file states it.
package struct StatedAddress: Hashable, Sendable {
    package var lines: [String]
    package var postcode: String

    package init(lines: [String], postcode: String) {
        self.lines = lines.filter { !$0.isEmpty }
        self.postcode = postcode
    }

    /// Whether a letter can reach it.
    package var isPostal: Bool { !lines.isEmpty && !postcode.isEmpty }
}

/// A file that kept every rule that can be checked without the register.
package struct ParsedSnapshot: Sendable {
    package var rows = 0
    package var organisations: [StatedOrganisation] = []
    package var organisationLines: [Int] = []
    /// For each organisation that the file says anything about: its one commissioner, or `nil` for none.
    package var commissioners: [ODSCode: StatedLink?] = [:]
    /// The same for who operates it; only of those about whom the file says anything.
    package var operators: [ODSCode: StatedLink?] = [:]
    package var addresses: [ODSCode: StatedAddress] = [:]
    /// Legal days of successions, for those that the file gives one.
    package var successionDays: [StatedSuccession: CalendarDate] = [:]
    /// Relations stated with their whole history, each by its first day; see `SnapshotLayout.listedRelation`.
    package var memberships: [StatedLink] = []
    package var successions: Set<StatedSuccession> = []
    package init() {}
}

extension CalendarDate {
    /// Stands for "since before anything that the register knows".
    package static let unboundedStart = CalendarDate(daysSince1970: -719_162)  // 0001-01-01
    /// Stands for "open".
    package static let unboundedEnd = CalendarDate(daysSince1970: 2_932_896)  // 9999-12-31
}
