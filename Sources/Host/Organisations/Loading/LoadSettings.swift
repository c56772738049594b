package import PluginAPI
package import Tabular

/// Limits of a load, and when it waits for a person (identity-and-organisations.md 5, item 4).
package struct OrganisationLoadSettings: Sendable {
    /// A load that closes more than this share of the active organisations is held. Percent.
    package var closurePercent = 2
    /// A load in which more than this share of the active organisations is missing is held. Percent.
    package var missingPercent = 5
    package var file = TableLimits()
    /// Violations that a refusal lists; it counts them all.
    package var listedViolations = 1_000
    package init() {}
}

/// The file that is offered.
package struct SnapshotSource: Sendable {
    package var layout: SnapshotLayout
    package var fileName: String
    package var publishedOn: CalendarDate
    package var sha256: String
    package var loadedBy: String

    package init(
        layout: SnapshotLayout, fileName: String, publishedOn: CalendarDate, sha256: String, loadedBy: String
    ) {
        self.layout = layout
        self.fileName = fileName
        self.publishedOn = publishedOn
        self.sha256 = sha256
        self.loadedBy = loadedBy
    }

    /// Files of one series are issues of the same extract: `epraccur-gp-england-2026-04.csv` follows
    /// `epraccur-gp-england.csv`. What vanishes from a series is missing; what another extract states is not.
    package var series: String {
        let stem = fileName.lowercased().split(separator: ".", omittingEmptySubsequences: true).first ?? ""
        return String(stem.unicodeScalars.filter { ("a"..."z").contains($0) }.map(Character.init))
    }
}

/// What is in the register of one organisation, for comparing a file with it.
struct StatedRecord: Sendable {
    var layout: Int
    var series: String
    var facts: StatedOrganisation
    var isMissing: Bool
}

/// Identity of a listed relation, such as a practice's membership of a PCN: files state each with its first day, and
/// change only its last.
struct MembershipKey: Hashable, Sendable {
    var practice: ODSCode
    var pcn: ODSCode
    var from: CalendarDate
}

struct MembershipRecord: Sendable {
    var to: CalendarDate
    var series: String
    var isMissing: Bool
}

/// The register as a comparison sees it: what the files said last.
struct RegisterState: Sendable {
    var stated: [ODSCode: StatedRecord] = [:]
    var commissioners: [ODSCode: LinkTimeline] = [:]
    var operators: [ODSCode: LinkTimeline] = [:]
    var addresses: [ODSCode: StatedAddress] = [:]
    var memberships: [MembershipKey: MembershipRecord] = [:]
    var successions: Set<StatedSuccession> = []
    var pending: Set<ODSCode> = []
    /// Newest day of publication applied, by series, of the file's layout; empty before the first load of it.
    var newestApplied: [String: CalendarDate] = [:]
}
