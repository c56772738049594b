import HostContract
import PluginAPI

extension SnapshotComparison {
    /// Memberships are stated with their whole history: what is new joins, what gets an end leaves, what vanishes is
    /// flagged and stays. The rows of a hierarchy are compared the same way; what they change of the commissioners is
    /// reported there.
    mutating func compareMemberships(
        _ parsed: ParsedSnapshot, _ source: SnapshotSource, _ register: RegisterState,
        _ breaker: inout CircuitBreaker
    ) {
        guard !parsed.memberships.isEmpty else { return }
        let isPCN = source.layout.listedRelation == .pcn
        breaker.noun = isPCN ? "memberships" : "Sub ICB Locations"
        let inFile = Set(parsed.memberships.map(\.key))
        breaker.findSeries(
            own: source.series, known: register.memberships.map { ($0.key, $0.value.series) }, inFile: inFile)
        findMissing(inFile, source, register, &breaker)
        for link in parsed.memberships {
            let to = link.to ?? .unboundedEnd
            guard let record = register.memberships[link.key] else {
                opened += 1
                newMemberships.append(link)
                guard isPCN else { continue }
                note(link.child, .pcnJoined, "pcn", "", link.parent.value, link.key.from)
                if let end = link.to { note(link.child, .pcnLeft, "pcn", link.parent.value, "", end) }
                continue
            }
            guard record.to != to else {
                unchanged += 1
                if record.isMissing || record.series != source.series { restatedMemberships.append(link.key) }
                continue
            }
            changedMemberships.append(link)
            if record.to == .unboundedEnd, let end = link.to {
                closed += 1
                if breaker.comparedSeries.contains(record.series), !record.isMissing { breaker.closing += 1 }
                note(link.child, .pcnLeft, "pcn", link.parent.value, "", end)
            } else {
                changed += 1
                note(
                    link.child, .corrected, "pcn \(link.parent) last day",
                    record.to == .unboundedEnd ? "" : record.to.description, link.to?.description ?? "",
                    link.to ?? source.publishedOn)
            }
        }
    }

    private mutating func findMissing(
        _ inFile: Set<MembershipKey>, _ source: SnapshotSource, _ register: RegisterState,
        _ breaker: inout CircuitBreaker
    ) {
        for (key, record) in register.memberships.sorted(by: { $0.key < $1.key })
        where breaker.comparedSeries.contains(record.series) && !record.isMissing {
            let isCurrent = key.from <= source.publishedOn && record.to >= source.publishedOn
            if isCurrent { breaker.active += 1 }
            guard !inFile.contains(key) else { continue }
            if isCurrent { breaker.missing += 1 }
            missing += 1
            missingMemberships.append(key)
            note(key.practice, .missing, "row", key.pcn.value, "", source.publishedOn)
        }
    }
}

extension StatedLink {
    /// The parser keeps only memberships with a first day.
    var key: MembershipKey { MembershipKey(practice: child, pcn: parent, from: from ?? .unboundedStart) }
}

extension MembershipKey: Comparable {
    static func < (left: MembershipKey, right: MembershipKey) -> Bool {
        (left.practice, left.from, left.pcn) < (right.practice, right.from, right.pcn)
    }
}
