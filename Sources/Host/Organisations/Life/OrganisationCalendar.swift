import CommonContract
import HostContract
import PluginAPI

/// Announces, each day, the changes that were known before and take effect on it: openings, closings, and relations
/// that begin or end (identity-and-organisations.md 5, item 6). What a later load withdrew is not there any more.
package struct OrganisationCalendar: Sendable {
    /// Days that are made up at most when the host was away for long.
    static let longestGap = 400

    let register: OrganisationRegister

    package init(register: OrganisationRegister) { self.register = register }

    /// Announces every day since the last one announced, today included. The host runs it as a job.
    /// - Returns: a line for the operator.
    package func run() async throws -> String {
        let today = register.clock.today
        let last = try register.store.read { reader in
            try reader.first(OrganisationTables.lastCalendarDay) { try $0.optionalDate(0) } ?? nil
        }
        var day = last.map { $0.adding(days: 1) } ?? today
        day = max(day, today.adding(days: -OrganisationCalendar.longestGap))
        var count = 0
        while day <= today {
            count += try await announce(day)
            day = day.adding(days: 1)
        }
        return "\(count) changes took effect up to \(today)"
    }

    private func announce(_ day: CalendarDate) async throws -> Int {
        try await register.store.write(actor: "job/organisation-calendar") { transaction in
            let changes = try changes(on: day, in: transaction)
            for change in changes { try transaction.publish(change, key: change.code) }
            try transaction.run(
                OrganisationTables.insertCalendarDay,
                [.date(day), .integer(changes.count), .instant(transaction.now)])
            transaction.audit(
                AuditNote(
                    object: "organisation-calendar/\(day)", detail: "\(changes.count) changes took effect"))
            return changes.count
        }
    }

    private func changes(
        on day: CalendarDate, in reader: any Reader
    ) throws -> [Pcs_Host_V1_OrganisationChanged] {
        var changes: [Pcs_Host_V1_OrganisationChanged] = []
        for (code, loadID) in try reader.all(
            OrganisationTables.slicesBeginning, [.date(day)],
            { row in
                (row.text(0), row.text(1))
            })
        {
            guard let change = try statusChange(of: code, on: day, in: reader) else { continue }
            changes.append(make(code, change.kind, change.effectiveOn, change.before, change.after, loadID))
        }
        let began = try links(OrganisationTables.linksBeginning, day, in: reader)
        for link in began {
            let before = try earlierParent(of: link, on: day, in: reader)
            guard let kind = link.relation.kindOfBeginning, before != link.parent else { continue }
            changes.append(make(link.child, kind, day, before ?? "", link.parent, link.loadID))
        }
        let lastDay = day.adding(days: -1)
        for link in try links(OrganisationTables.linksEnding, lastDay, in: reader) {
            // Of what there is one at a time, the new one says that the old one ended.
            guard let kind = link.relation.kindOfEnding,
                link.relation == .pcn
                    || !began.contains(where: { $0.child == link.child && $0.relation == link.relation })
            else { continue }
            changes.append(make(link.child, kind, lastDay, link.parent, "", link.loadID))
        }
        return changes
    }

    private func make(
        _ code: String, _ kind: Pcs_Host_V1_DifferenceKind, _ day: CalendarDate, _ before: String,
        _ after: String, _ loadID: String
    ) -> Pcs_Host_V1_OrganisationChanged {
        .with {
            $0.code = code
            $0.kind = kind
            $0.effectiveOn = Pcs_Common_V1_Date(day)
            $0.before = before
            $0.after = after
            $0.loadID = loadID
            $0.inForce = true
        }
    }

    private struct StatusChange {
        var kind: Pcs_Host_V1_DifferenceKind
        /// A closing is known by its last day, as in the load that announced it.
        var effectiveOn: CalendarDate
        var before: String
        var after: String
    }

    private func statusChange(
        of text: String, on day: CalendarDate, in reader: any Reader
    ) throws -> StatusChange? {
        guard let code = ODSCode(text) else { return nil }
        let timeline = try KnownRegister(reader: reader, knownOn: CalendarDate.unboundedEnd.adding(days: -1))
            .timeline(of: code)
        guard let now = timeline.slice(at: day) else { return nil }
        let before = timeline.slice(at: day.adding(days: -1))
        let lastDay = day.adding(days: -1)
        switch (before?.status, now.status) {
        case (.inactive?, .inactive): return nil
        case (let old?, .inactive):
            return StatusChange(kind: .closed, effectiveOn: lastDay, before: "\(old)", after: "inactive")
        case (.inactive?, let new):
            return StatusChange(kind: .reopened, effectiveOn: day, before: "inactive", after: "\(new)")
        case (nil, let new) where new != .proposed, (.proposed?, let new) where new != .proposed:
            return StatusChange(kind: .opened, effectiveOn: day, before: "", after: "\(new)")
        case (let old?, let new) where old != new:
            return StatusChange(kind: .corrected, effectiveOn: day, before: "\(old)", after: "\(new)")
        default: return nil
        }
    }

    private struct DatedLink {
        var child: String
        var relation: LinkRelation
        var parent: String
        var loadID: String
    }

    private func links(
        _ statement: Statement, _ day: CalendarDate, in reader: any Reader
    ) throws -> [DatedLink] {
        try reader.all(statement, [.date(day)]) { row in
            LinkRelation(rawValue: row.text(1)).map { relation in
                DatedLink(child: row.text(0), relation: relation, parent: row.text(2), loadID: row.text(3))
            }
        }.compactMap { $0 }
    }

    private func earlierParent(
        of link: DatedLink, on day: CalendarDate, in reader: any Reader
    ) throws -> String? {
        guard let child = ODSCode(link.child) else { return nil }
        return try KnownRegister(reader: reader, knownOn: CalendarDate.unboundedEnd.adding(days: -1))
            .link(of: child, link.relation, at: day.adding(days: -1))?.value
    }
}

extension LinkRelation {
    fileprivate var kindOfBeginning: Pcs_Host_V1_DifferenceKind? {
        switch self {
        case .commissioner: .commissionerChanged
        case .pcn: .pcnJoined
        case .operatedBy: .operatorChanged
        case .payee: .payeeChanged
        case .hierarchy: nil
        }
    }

    fileprivate var kindOfEnding: Pcs_Host_V1_DifferenceKind? {
        switch self {
        case .commissioner: .commissionerChanged
        case .pcn: .pcnLeft
        case .operatedBy: .operatorChanged
        case .payee: .payeeChanged
        case .hierarchy: nil
        }
    }
}
