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
        let words = MembershipWords(source.layout.listedRelation)
        breaker.noun = words.noun
        let inFile = Set(parsed.memberships.map(\.key))
        breaker.findSeries(
            own: source.series, known: register.memberships.map { ($0.key, $0.value.series) }, inFile: inFile)
        findMissing(inFile, source, register, &breaker)
        for link in parsed.memberships {
            let to = link.to ?? .unboundedEnd
            guard let record = register.memberships[link.key] else {
                opened += 1
                newMemberships.append(link)
                guard let begins = words.begins, let ends = words.ends else { continue }
                note(link.child, begins, words.subject, "", link.parent.value, link.key.from)
                if let end = link.to { note(link.child, ends, words.subject, link.parent.value, "", end) }
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
                note(link.child, words.ends ?? .corrected, words.subject, link.parent.value, "", end)
            } else {
                changed += 1
                note(
                    link.child, .corrected, "\(words.subject) \(link.parent) last day",
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

/// How a report speaks of the rows of a listed relation.
private struct MembershipWords {
    var noun: String
    var subject: String
    /// Kind of difference when one begins or ends; `nil` when what it changes is reported elsewhere.
    var begins: Pcs_Host_V1_DifferenceKind?
    var ends: Pcs_Host_V1_DifferenceKind?

    init(_ relation: LinkRelation?) {
        switch relation {
        case .pcn: (noun, subject, begins, ends) = ("memberships", "pcn", .pcnJoined, .pcnLeft)
        case .payee: (noun, subject, begins, ends) = ("payees", "payee", .payeeChanged, .payeeChanged)
        default: (noun, subject, begins, ends) = ("Sub ICB Locations", "pcn", nil, nil)
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
