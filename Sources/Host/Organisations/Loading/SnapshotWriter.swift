import CommonContract
import HostContract
import PluginAPI

/// Writes what a comparison found, in the transaction of the load: rows of the register, events, the report.
struct SnapshotWriter {
    let transaction: any Transaction
    let source: SnapshotSource
    let loadID: String
    /// Day from which the register knows it.
    let knownFrom: CalendarDate

    /// Applies the whole comparison to the register.
    func apply(_ comparison: SnapshotComparison) throws {
        for organisation in comparison.newOrganisations {
            try state(organisation)
            let timeline = OrganisationTimeline(organisation, publishedOn: source.publishedOn)
            try insert(timeline, of: organisation.code)
        }
        for (old, new) in comparison.changedOrganisations {
            try state(new)
            let known = OrganisationTimeline(slices: try currentSlices(of: new.code))
            try transaction.run(
                OrganisationTables.endSlices, [.text(new.code.value), .date(knownFrom), .text(loadID)])
            try insert(known.stating(new, after: old, publishedOn: source.publishedOn), of: new.code)
        }
        for organisation in comparison.restatedOrganisations { try state(organisation) }
        for code in comparison.missingOrganisations {
            try transaction.run(
                OrganisationTables.markMissing, [.text(code.value), .date(source.publishedOn)])
        }
        for (child, timeline) in comparison.commissioners {
            try replace(.commissioner, of: child, by: timeline)
        }
        for (child, timeline) in comparison.operators { try replace(.operatedBy, of: child, by: timeline) }
        for (code, address) in comparison.addresses {
            try transaction.run(
                OrganisationTables.insertAddress,
                [
                    .text(code.value), .text(loadID), .date(knownFrom), .text(address.storedLines),
                    .text(address.postcode),
                ])
        }
        try applyMemberships(comparison)
        for succession in comparison.newSuccessions {
            try transaction.run(
                OrganisationTables.insertSuccession,
                [
                    .text(succession.predecessor.value), .text(succession.successor.value), .date(knownFrom),
                    .text(loadID),
                ])
        }
        for (succession, day) in comparison.successionDays {
            try transaction.run(
                OrganisationTables.dateSuccession,
                [.text(succession.predecessor.value), .text(succession.successor.value), .date(day)])
        }
        for (code, namedBy) in comparison.newPending {
            try transaction.run(
                OrganisationTables.queuePending, [.text(code.value), .text(namedBy.value), .text(loadID)])
        }
        for code in comparison.resolvedPending {
            try transaction.run(OrganisationTables.resolvePending, [.text(code.value), .text(loadID)])
        }
        if !comparison.isBaseline { try publish(comparison) }
    }

    private func state(_ organisation: StatedOrganisation) throws {
        try transaction.run(
            OrganisationTables.putStated,
            [
                .text(organisation.code.value), .integer(source.layout.rawValue), .text(source.series),
                .integer(organisation.kind.rawValue), .text(organisation.name),
                .integer(organisation.status.rawValue),
                .date(organisation.openedOn), .date(organisation.closedOn), .text(organisation.postcode),
                .text(organisation.town),
            ])
    }

    private func currentSlices(of code: ODSCode) throws -> [OrganisationSlice] {
        // Known on the day before the end of knowledge is known still.
        try transaction.all(
            OrganisationTables.slicesOf,
            [.text(code.value), .date(CalendarDate.unboundedEnd.adding(days: -1))],
            OrganisationSlice.init(row:))
    }

    private func insert(_ timeline: OrganisationTimeline, of code: ODSCode) throws {
        for slice in timeline.slices {
            try transaction.run(
                OrganisationTables.insertSlice,
                [
                    .text(code.value), .date(slice.from), .date(slice.to), .integer(slice.kind.rawValue),
                    .integer(slice.status.rawValue), .text(slice.name), .text(slice.postcode),
                    .text(slice.town),
                    .date(slice.openedOn), .date(slice.closedOn), .date(knownFrom), .text(loadID),
                ])
        }
    }

    private func replace(_ relation: LinkRelation, of child: ODSCode, by timeline: LinkTimeline) throws {
        try transaction.run(
            OrganisationTables.endLinks,
            [.text(child.value), .text(relation.rawValue), .date(knownFrom), .text(loadID)])
        for slice in timeline.slices {
            try insert(child, relation, slice.parent, from: slice.from, to: slice.to)
        }
    }

    private func applyMemberships(_ comparison: SnapshotComparison) throws {
        guard let relation = source.layout.listedRelation else { return }
        for link in comparison.newMemberships {
            try insert(link.child, relation, link.parent, from: link.key.from, to: link.to ?? .unboundedEnd)
        }
        for link in comparison.changedMemberships {
            try transaction.run(
                OrganisationTables.endLink,
                identity(of: link.key, relation) + [.date(knownFrom), .text(loadID)])
            try insert(link.child, relation, link.parent, from: link.key.from, to: link.to ?? .unboundedEnd)
        }
        for key in comparison.restatedMemberships {
            try transaction.run(
                OrganisationTables.restateLink, identity(of: key, relation) + [.text(source.series), .null])
        }
        for key in comparison.missingMemberships {
            try transaction.run(
                OrganisationTables.restateLink,
                identity(of: key, relation) + [.text(source.series), .date(source.publishedOn)])
        }
    }

    private func identity(of key: MembershipKey, _ relation: LinkRelation) -> [StoredValue] {
        [.text(key.practice.value), .text(relation.rawValue), .text(key.pcn.value), .date(key.from)]
    }

    private func insert(
        _ child: ODSCode, _ relation: LinkRelation, _ parent: ODSCode, from: CalendarDate, to: CalendarDate
    ) throws {
        try transaction.run(
            OrganisationTables.insertLink,
            [
                .text(child.value), .text(relation.rawValue), .text(parent.value), .date(from), .date(to),
                .text(source.series), .date(knownFrom), .text(loadID),
            ])
    }

    /// One event for each line of the report that is a change, in the order of the report.
    private func publish(_ comparison: SnapshotComparison) throws {
        for difference in comparison.differences where difference.isChange {
            try transaction.publish(
                Pcs_Host_V1_OrganisationChanged.with {
                    $0.code = difference.code.value
                    $0.kind = difference.kind
                    $0.effectiveOn = Pcs_Common_V1_Date(difference.effectiveOn)
                    $0.before = difference.before
                    $0.after = difference.after
                    $0.loadID = loadID
                }, key: difference.code.value)
        }
    }

    /// Writes the difference report, in place of an earlier one of the same load.
    func report(_ differences: [OrganisationDifference]) throws {
        try transaction.run(OrganisationTables.deleteDifferences, [.text(loadID)])
        for (number, difference) in differences.enumerated() {
            try transaction.run(
                OrganisationTables.insertDifference,
                [
                    .text(loadID), .integer(number + 1), .text(difference.code.value),
                    .integer(difference.kind.rawValue),
                    .text(difference.subject), .text(difference.before), .text(difference.after),
                ])
        }
    }
}

extension OrganisationSlice {
    /// From a row of the slice statements, whose first column is the code.
    init(row: any Row) throws {
        guard let kind = OrganisationKind(rawValue: Int(row.integer(3))),
            let status = OrganisationStatus(rawValue: Int(row.integer(4)))
        else { throw StoredValueError(message: "an organisation slice has an unknown kind or status") }
        self.init(
            from: try row.date(1), to: try row.date(2), kind: kind, status: status, name: row.text(5),
            postcode: row.text(6), town: row.text(7), openedOn: try row.optionalDate(8),
            closedOn: try row.optionalDate(9))
    }
}
