import HostContract
import PluginAPI
import Tabular

/// One line of the difference report.
struct OrganisationDifference: Sendable, Hashable {
    var code: ODSCode
    var kind: Pcs_Host_V1_DifferenceKind
    var subject: String
    var before: String
    var after: String
    var effectiveOn: CalendarDate

    /// Whether it is a change of the organisation, which subscribers are told of.
    var isChange: Bool { kind != .missing && kind != .pendingReference }
}

/// What a file would change, and whether a person has to look first. Made by `SnapshotComparison.compare`; pure.
struct SnapshotComparison: Sendable {
    var differences: [OrganisationDifference] = []
    var opened = 0
    var closed = 0
    var reopened = 0
    var changed = 0
    var missing = 0
    var unchanged = 0
    var pendingReferences = 0
    var heldBecause: String?
    /// No file of this layout was applied before: the state to start from, not a change.
    var isBaseline = false

    var newOrganisations: [StatedOrganisation] = []
    var changedOrganisations: [(old: StatedOrganisation, new: StatedOrganisation)] = []
    /// Same facts as before, now stated by another series or no longer missing.
    var restatedOrganisations: [StatedOrganisation] = []
    var missingOrganisations: [ODSCode] = []
    var commissioners: [(child: ODSCode, timeline: LinkTimeline)] = []
    var operators: [(child: ODSCode, timeline: LinkTimeline)] = []
    var addresses: [(code: ODSCode, address: StatedAddress)] = []
    var successionDays: [StatedSuccession: CalendarDate] = [:]
    var newMemberships: [StatedLink] = []
    var changedMemberships: [StatedLink] = []
    var restatedMemberships: [MembershipKey] = []
    var missingMemberships: [MembershipKey] = []
    var newSuccessions: [StatedSuccession] = []
    var newPending: [(code: ODSCode, namedBy: ODSCode)] = []
    var resolvedPending: [ODSCode] = []

    /// Compares a parsed file with the register.
    ///
    /// Missing is what a series stated and its next issue does not. A file is the next issue of a series when it has
    /// its name, or when at least one in twenty of either's codes is in the other: renaming a file does not get a
    /// shortened one past the circuit breaker, and an extract for one area does not make the rest of England missing.
    /// - Throws: `FILE_INVALID` when the file states an organisation that another kind of file states.
    static func compare(
        _ parsed: ParsedSnapshot, from source: SnapshotSource, with register: RegisterState,
        settings: OrganisationLoadSettings
    ) throws -> SnapshotComparison {
        try refuseForeignOwners(parsed, source, register, settings)
        var comparison = SnapshotComparison()
        comparison.isBaseline = register.newestApplied.isEmpty
        var breaker = CircuitBreaker(settings: settings)
        comparison.compareOrganisations(parsed, source, register, &breaker)
        comparison.compareMemberships(parsed, source, register, &breaker)
        comparison.compareSurroundings(parsed, source, register)
        comparison.compareSuccessions(parsed, source, register)
        comparison.findPending(parsed, source, register)
        comparison.heldBecause =
            olderThanRegister(source, register, series: breaker.comparedSeries.union([source.series]))
            ?? breaker.verdict
        return comparison
    }

    private static func refuseForeignOwners(
        _ parsed: ParsedSnapshot, _ source: SnapshotSource, _ register: RegisterState,
        _ settings: OrganisationLoadSettings
    ) throws {
        var violations = ViolationList(limit: settings.listedViolations)
        for (organisation, line) in zip(parsed.organisations, parsed.organisationLines) {
            guard let known = register.stated[organisation.code], known.layout != source.layout.rawValue
            else { continue }
            violations.add(
                .ownedByOtherKind, row: line, column: 1, field: "code",
                "\(organisation.code) is in the register from another kind of file")
        }
        guard violations.isEmpty else { throw violations.failure(HostReasons.fileInvalid) }
    }

    private static func olderThanRegister(
        _ source: SnapshotSource, _ register: RegisterState, series: Set<String>
    ) -> String? {
        guard let newest = series.compactMap({ register.newestApplied[$0] }).max(),
            source.publishedOn < newest
        else {
            return nil
        }
        return
            "the file was published on \(source.publishedOn), and the register already holds that of \(newest)"
    }

    mutating func note(
        _ code: ODSCode, _ kind: Pcs_Host_V1_DifferenceKind, _ subject: String, _ before: String,
        _ after: String,
        _ effectiveOn: CalendarDate
    ) {
        differences.append(
            OrganisationDifference(
                code: code, kind: kind, subject: subject, before: before, after: after,
                effectiveOn: effectiveOn))
    }
}

/// Counts what closes and what is missing, and says whether the load has to wait for a person.
struct CircuitBreaker: Sendable {
    let settings: OrganisationLoadSettings
    var comparedSeries: Set<String> = []
    /// Active (or current) before the load, in the series that the file is an issue of.
    var active = 0
    var closing = 0
    var missing = 0
    /// What is counted, for the sentence.
    var noun = "organisations"

    init(settings: OrganisationLoadSettings) { self.settings = settings }

    /// The series of which a file with these keys is an issue.
    mutating func findSeries<Key: Hashable>(
        own: String, known: [(key: Key, series: String)], inFile: Set<Key>
    ) {
        var sizes: [String: (all: Int, shared: Int)] = [:]
        for record in known {
            sizes[record.series, default: (0, 0)].all += 1
            if inFile.contains(record.key) { sizes[record.series, default: (0, 0)].shared += 1 }
        }
        comparedSeries = Set(
            sizes.filter { series, size in
                series == own
                    || (size.shared > 0 && (size.shared * 20 >= size.all || size.shared * 20 >= inFile.count))
            }.keys)
    }

    /// Why the load is held, or `nil`.
    var verdict: String? {
        var reasons: [String] = []
        if closing * 100 > settings.closurePercent * active {
            reasons.append(sentence(closing, "close", settings.closurePercent))
        }
        if missing * 100 > settings.missingPercent * active {
            reasons.append(sentence(missing, "are missing", settings.missingPercent))
        }
        return reasons.isEmpty ? nil : reasons.joined(separator: "; ")
    }

    private func sentence(_ count: Int, _ verb: String, _ limit: Int) -> String {
        let perMille = active == 0 ? 1_000 : count * 1_000 / active
        return
            "\(count) of \(active) active \(noun) \(verb) (\(perMille / 10).\(perMille % 10) %; the limit is \(limit) %)"
    }
}
