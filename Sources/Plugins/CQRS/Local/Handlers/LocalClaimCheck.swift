import CqrsContract
import HostContract
import PatientPrivacy
import PluginAPI

/// LOC-1 to LOC-10 for one claim of one provider: all breaches at once, each with its line.
struct LocalClaimCheck {
    let book: LocalBook
    let scheme: LocalScheme
    let window: LocalWindow
    let term: LocalTerm
    private(set) var violations: [Violation] = []

    /// Lines priced; nothing of a line that breaks a rule.
    /// - Parameters:
    ///   - claim: its own number: what it had before does not count against it.
    ///   - capped: from submitting on.
    mutating func lines(_ drafts: [LocalDraftLine], of claim: Int64, capped: Bool, _ reader: any Reader)
        throws -> [LocalLine]
    {
        if drafts.count > 500 { refuse("lines", "LOC-1", "At most 500 lines.") }
        var (usage, claimed) = try LocalUsageStore.of(
            provider: book.provider, commissioner: term.commissioner, except: claim, reader)
        var inClaim: [String: LocalQuantity] = [:]
        var seen: Set<String> = []
        var lists = LocalLists()
        var lines: [LocalLine] = []
        for (index, draft) in drafts.prefix(500).enumerated() {
            let path = "lines[\(index)]"
            guard var rules = try rules(for: draft, path, reader) else { continue }
            let day = draft.activity ?? rules.window.activityTo
            if !seen.insert("\(rules.scheme.id)/\(draft.component)/\(day)").inserted {
                refuse(path, "LOC-7", "\(draft.component.prefix(20)) is in the claim twice for \(day).")
            }
            let key = LocalUsageStore.Claimed(
                provider: book.provider, service: rules.scheme.id, component: draft.component,
                from: rules.window.activityFrom)
            if claimed.contains(key) {
                refuse(
                    path, "LOC-7", "\(draft.component.prefix(20)) has been claimed for this activity period.")
            }
            if rules.scheme.component(draft.component)?.caps.contains(where: { $0.kind == .perMilleOfList })
                ?? false
            {
                rules.list = try lists.patients(of: book.provider, on: day, reader)
            }
            var breaches: [LocalLineRules.Breach] = []
            if let line = rules.check(draft, &usage, &inClaim, capped: capped, &breaches) {
                lines.append(line)
            }
            for breach in breaches { refuse("\(path).\(breach.field)", breach.rule, breach.message) }
        }
        return lines
    }

    /// LOC-8: lines of another service only where both say so, and its window is open for the same activity.
    private mutating func rules(for draft: LocalDraftLine, _ path: String, _ reader: any Reader) throws
        -> LocalLineRules?
    {
        if draft.service.isEmpty || draft.service == scheme.id {
            return LocalLineRules(window: window, term: term, scheme: scheme)
        }
        let other = book.scheme(draft.service)
        let found = try LocalWindowStore.windows(of: draft.service, reader).first {
            $0.activityFrom == window.activityFrom && $0.activityTo == window.activityTo
        }
        guard let other, let found, scheme.isMultiService, other.isMultiService, other.owner == scheme.owner,
            other.route == scheme.route, other.backing.isEmpty, !other.isClosed, !other.isParticipationOnly,
            let theirs = book.term(for: found), theirs.commissioner == term.commissioner,
            found.opens <= book.today,
            book.today
                <= found.lastDay(
                    extended: try LocalWindowStore.extendedUntil(found.id, book.provider, reader))
        else {
            refuse(
                path + ".service_id", "LOC-8",
                "\(draft.service.prefix(40)) cannot be claimed together with \(scheme.name) in this window.")
            return nil
        }
        return LocalLineRules(window: found, term: theirs, scheme: other)
    }

    /// LOC-6 for what is typed.
    mutating func notes(_ note: String, _ drafts: [LocalDraftLine], confirmed: String) {
        if note.count > 2_000 { refuse("note", "LOC-6", "At most 2,000 characters.") }
        if !confirmed.isEmpty, !(3...500).contains(confirmed.count) {
            refuse("no_identifiers_reason", "LOC-6", "A reason of 3 to 500 characters is needed.")
        }
        let texts =
            [("note", note)] + drafts.enumerated().map { ("lines[\($0.offset)].note", $0.element.note) }
        for (field, text) in texts {
            if field != "note", text.count > 500 { refuse(field, "LOC-6", "At most 500 characters.") }
            guard confirmed.isEmpty, PatientIdentifiers.count(in: Array(text.utf8)) > 0 else { continue }
            refuse(
                field, "LOC-6",
                "It seems to hold an NHS number or birth dates beside names. Take them out, or say why they are none."
            )
        }
    }

    /// LOC-5, LOC-9 and LOC-10, when it is submitted.
    mutating func evidence(_ record: LocalClaimStore.Record, _ lines: [LocalLine], _ reader: any Reader)
        throws
    {
        if lines.isEmpty, violations.isEmpty {
            refuse(
                "lines", "LOC-9", "Nothing is claimed. Where nothing was done, claim it with a quantity of 0."
            )
        }
        guard lines.contains(where: { !$0.quantity.isZero }) else { return }
        let needs = lines.contains { line in
            guard !line.quantity.isZero, let scheme = book.scheme(line.service) else { return false }
            return scheme.needsEvidence || (scheme.component(line.component)?.needsEvidence ?? false)
        }
        if needs, try !LocalEvidenceStore.of(claim: record.number, reader).contains(where: { !$0.isBacking })
        {
            refuse("evidence", "LOC-5", "A document is needed with this claim.")
        }
        guard !scheme.backing.isEmpty else { return }
        guard let body = try LocalEvidenceStore.backing(of: record.number, reader) else {
            refuse("backing_data", "LOC-10", "The service's table of aggregates is needed with this claim.")
            return
        }
        let (table, breaches) = LocalBackingFile.read(body, scheme.backing)
        guard breaches.isEmpty else {
            refuse("backing_data", "LOC-10", "The table does not fit the service's columns any more.")
            return
        }
        for (component, total) in table.totals.sorted(by: { $0.key < $1.key }) {
            let claimed = lines.filter { $0.service == scheme.id && $0.component == component }
                .reduce(Int64(0)) { $0 + $1.claimed.thousandths }
            if claimed != total {
                refuse(
                    "backing_data", "LOC-10",
                    "\(component): the table adds up to \(LocalQuantity(thousandths: total)), "
                        + "claimed are \(LocalQuantity(thousandths: claimed)).")
            }
        }
    }

    private mutating func refuse(_ field: String, _ rule: String, _ message: String) {
        violations.append(Violation(field: field, rule: rule, message: message))
    }

    func finish() throws {
        guard let first = violations.first else { return }
        throw Failure(CqrsReasons.localClaimInvalid, first.message, violations: violations)
    }
}
