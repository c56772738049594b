import HostContract
import PluginAPI

extension SnapshotComparison {
    mutating func compareOrganisations(
        _ parsed: ParsedSnapshot, _ source: SnapshotSource, _ register: RegisterState,
        _ breaker: inout CircuitBreaker
    ) {
        guard !parsed.organisations.isEmpty else { return }
        if source.layout.listedRelation == nil { findMissing(parsed, source, register, &breaker) }
        for new in parsed.organisations {
            guard let record = register.stated[new.code] else {
                opened += 1
                newOrganisations.append(new)
                note(new.code, .opened, "status", "", "\(new.status)", new.openedOn ?? source.publishedOn)
                continue
            }
            compare(new, with: record, source, &breaker)
        }
    }

    private mutating func findMissing(
        _ parsed: ParsedSnapshot, _ source: SnapshotSource, _ register: RegisterState,
        _ breaker: inout CircuitBreaker
    ) {
        let inFile = Set(parsed.organisations.map(\.code))
        let known = register.stated.values.filter { $0.layout == source.layout.rawValue }
        breaker.findSeries(
            own: source.series, known: known.map { ($0.facts.code, $0.series) }, inFile: inFile)
        for record in known.sorted(by: { $0.facts.code < $1.facts.code })
        where breaker.comparedSeries.contains(record.series) && !record.isMissing {
            let isActive = record.facts.status == .active
            if isActive { breaker.active += 1 }
            guard !inFile.contains(record.facts.code) else { continue }
            if isActive { breaker.missing += 1 }
            missing += 1
            missingOrganisations.append(record.facts.code)
            note(record.facts.code, .missing, "row", record.facts.name, "", source.publishedOn)
        }
    }

    private mutating func compare(
        _ new: StatedOrganisation, with record: StatedRecord, _ source: SnapshotSource,
        _ breaker: inout CircuitBreaker
    ) {
        let old = record.facts
        guard new != old else {
            unchanged += 1
            if record.isMissing || record.series != source.series { restatedOrganisations.append(new) }
            return
        }
        changedOrganisations.append((old, new))
        let isCompared = breaker.comparedSeries.contains(record.series) && !record.isMissing
        switch (old.status, new.status) {
        case (.inactive, .inactive): break
        case (_, .inactive):
            closed += 1
            if isCompared, old.status == .active { breaker.closing += 1 }
            note(new.code, .closed, "status", "\(old.status)", "inactive", new.closedOn ?? source.publishedOn)
        case (.inactive, _):
            reopened += 1
            note(new.code, .reopened, "status", "inactive", "\(new.status)", source.publishedOn)
        case (let before, let after) where before != after:
            note(new.code, .corrected, "status", "\(before)", "\(after)", source.publishedOn)
        default: break
        }
        noteAttributes(old, new, source)
        let isOnlyAttributes = (old.status == .inactive) == (new.status == .inactive)
        if isOnlyAttributes { changed += 1 }
    }

    private mutating func noteAttributes(
        _ old: StatedOrganisation, _ new: StatedOrganisation, _ source: SnapshotSource
    ) {
        if old.name != new.name { note(new.code, .renamed, "name", old.name, new.name, source.publishedOn) }
        if old.postcode != new.postcode {
            note(new.code, .moved, "postcode", old.postcode, new.postcode, source.publishedOn)
        }
        if old.town != new.town { note(new.code, .moved, "town", old.town, new.town, source.publishedOn) }
        if old.kind != new.kind {
            note(new.code, .corrected, "kind", "\(old.kind)", "\(new.kind)", source.publishedOn)
        }
        if old.openedOn != new.openedOn {
            note(
                new.code, .corrected, "opened on", old.openedOn.text, new.openedOn.text,
                new.openedOn ?? source.publishedOn)
        }
        let isClosingOrOpening = (old.status == .inactive) != (new.status == .inactive)
        if old.closedOn != new.closedOn, !isClosingOrOpening {
            note(
                new.code, .corrected, "closed on", old.closedOn.text, new.closedOn.text,
                new.closedOn ?? source.publishedOn)
        }
    }

    /// Who commissions, who operates, and where: facts beside an organisation's own, one at a time.
    mutating func compareSurroundings(
        _ parsed: ParsedSnapshot, _ source: SnapshotSource, _ register: RegisterState
    ) {
        var counted = Set(changedOrganisations.map(\.new.code))
        commissioners = compareTimelines(
            parsed.commissioners, register.commissioners, .commissionerChanged, "commissioner", source,
            register,
            &counted)
        operators = compareTimelines(
            parsed.operators, register.operators, .operatorChanged, "operator", source, register, &counted)
        compareAddresses(parsed, source, register, &counted)
    }

    private mutating func compareTimelines(
        _ stated: [ODSCode: StatedLink?], _ known: [ODSCode: LinkTimeline],
        _ kind: Pcs_Host_V1_DifferenceKind, _ subject: String, _ source: SnapshotSource,
        _ register: RegisterState, _ counted: inout Set<ODSCode>
    ) -> [(child: ODSCode, timeline: LinkTimeline)] {
        let isNew = Set(newOrganisations.map(\.code))
        var result: [(child: ODSCode, timeline: LinkTimeline)] = []
        for (child, link) in stated.sorted(by: { $0.key < $1.key }) {
            let old = known[child] ?? LinkTimeline()
            let new = old.stating(link, publishedOn: source.publishedOn)
            guard new != old else { continue }
            result.append((child, new))
            guard !isNew.contains(child) else { continue }
            let before = old.slices.last { $0.to >= source.publishedOn }?.parent
            let after = new.slices.last { $0.to >= source.publishedOn }?.parent
            if before != after {
                let from = new.slices.last?.from ?? source.publishedOn
                note(
                    child, kind, subject, before?.value ?? "", after?.value ?? "",
                    from == .unboundedStart ? source.publishedOn : from)
            } else {
                note(
                    child, .corrected, "\(subject) days", LinkTimeline.words(old.slices.last),
                    LinkTimeline.words(new.slices.last), source.publishedOn)
            }
            count(child, source, register, &counted)
        }
        return result
    }

    /// The first address that the register hears of is no move.
    private mutating func compareAddresses(
        _ parsed: ParsedSnapshot, _ source: SnapshotSource, _ register: RegisterState,
        _ counted: inout Set<ODSCode>
    ) {
        for (code, new) in parsed.addresses.sorted(by: { $0.key < $1.key }) {
            let old = register.addresses[code]
            guard new != old else { continue }
            addresses.append((code, new))
            guard let old, old.lines != new.lines else { continue }
            note(
                code, .moved, "address", old.lines.joined(separator: ", "), new.lines.joined(separator: ", "),
                source.publishedOn)
            count(code, source, register, &counted)
        }
    }

    /// An organisation that differs in several ways is one changed organisation.
    private mutating func count(
        _ code: ODSCode, _ source: SnapshotSource, _ register: RegisterState, _ counted: inout Set<ODSCode>
    ) {
        guard counted.insert(code).inserted else { return }
        changed += 1
        if register.stated[code]?.layout == source.layout.rawValue { unchanged -= 1 }
    }

    mutating func compareSuccessions(
        _ parsed: ParsedSnapshot, _ source: SnapshotSource, _ register: RegisterState
    ) {
        newSuccessions = parsed.successions.subtracting(register.successions)
            .sorted { ($0.predecessor, $0.successor) < ($1.predecessor, $1.successor) }
        successionDays = parsed.successionDays
        for succession in newSuccessions {
            note(
                succession.predecessor, .successionAdded, "successor", "", succession.successor.value,
                parsed.successionDays[succession] ?? source.publishedOn)
        }
    }

    mutating func findPending(_ parsed: ParsedSnapshot, _ source: SnapshotSource, _ register: RegisterState) {
        let inFile = Set(parsed.organisations.map(\.code))
        resolvedPending = register.pending.intersection(inFile).sorted()
        var namedBy: [ODSCode: ODSCode] = [:]
        func name(_ code: ODSCode, by other: ODSCode) {
            guard !inFile.contains(code), register.stated[code] == nil else { return }
            if let first = namedBy[code], first <= other { return }
            namedBy[code] = other
        }
        for (child, link) in Array(parsed.commissioners) + Array(parsed.operators) {
            guard let link else { continue }
            name(link.parent, by: child)
            name(child, by: link.parent)
        }
        for link in parsed.memberships {
            name(link.parent, by: link.child)
            name(link.child, by: link.parent)
        }
        for succession in parsed.successions {
            name(succession.predecessor, by: succession.successor)
            name(succession.successor, by: succession.predecessor)
        }
        pendingReferences = namedBy.count
        for (code, other) in namedBy.sorted(by: { $0.key < $1.key }) {
            if !register.pending.contains(code) { newPending.append((code, other)) }
            note(code, .pendingReference, "named by", "", other.value, source.publishedOn)
        }
    }
}

extension Optional where Wrapped == CalendarDate {
    fileprivate var text: String { self?.description ?? "" }
}

extension LinkTimeline {
    fileprivate static func words(_ slice: LinkSlice?) -> String {
        guard let slice else { return "" }
        let from = slice.from == .unboundedStart ? "" : slice.from.description
        return "\(slice.parent) \(from)/\(slice.to == .unboundedEnd ? "" : slice.to.description)"
    }
}
