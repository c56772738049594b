import PluginAPI

extension RegisterState {
    /// What the tables hold, for comparing a file of `layout` with. Read in the transaction that will write.
    init(_ reader: any Reader, layout: SnapshotLayout) throws {
        try reader.forEach(OrganisationTables.stated, []) { row in
            guard let facts = try StatedOrganisation(row) else { return }
            stated[facts.code] = StatedRecord(
                layout: Int(row.integer(1)), series: row.text(2), facts: facts, isMissing: !row.isNull(10))
        }
        if let relation = layout.listedRelation {
            try reader.forEach(OrganisationTables.linksOfRelation, [.text(relation.rawValue)]) { row in
                guard let practice = ODSCode(row.text(0)), let pcn = ODSCode(row.text(1)) else { return }
                memberships[MembershipKey(practice: practice, pcn: pcn, from: try row.date(2))] =
                    MembershipRecord(
                        to: try row.date(3), series: row.text(4), isMissing: !row.isNull(5))
            }
        }
        if layout != .pcnMembers, layout != .nominatedPayees, layout != .successions {
            commissioners = try RegisterState.timelines(reader, .commissioner)
            operators = try RegisterState.timelines(reader, .operatedBy)
            try reader.forEach(OrganisationTables.addresses, []) { row in
                if let code = ODSCode(row.text(0)) { addresses[code] = StatedAddress(row: row) }
            }
        }
        try reader.forEach(OrganisationTables.successions, []) { row in
            guard let predecessor = ODSCode(row.text(0)), let successor = ODSCode(row.text(1)) else { return }
            successions.insert(StatedSuccession(predecessor: predecessor, successor: successor))
        }
        try reader.forEach(OrganisationTables.pending, []) { row in
            if let code = ODSCode(row.text(0)) { pending.insert(code) }
        }
        try reader.forEach(OrganisationTables.appliedLoads, [.integer(layout.rawValue)]) { row in
            newestApplied[row.text(0)] = max(newestApplied[row.text(0)] ?? .unboundedStart, try row.date(1))
        }
    }
}

extension RegisterState {
    private static func timelines(
        _ reader: any Reader, _ relation: LinkRelation
    ) throws -> [ODSCode: LinkTimeline] {
        var result: [ODSCode: LinkTimeline] = [:]
        try reader.forEach(OrganisationTables.linksOfRelation, [.text(relation.rawValue)]) { row in
            guard let child = ODSCode(row.text(0)), let parent = ODSCode(row.text(1)) else { return }
            let slice = LinkSlice(parent: parent, from: try row.date(2), to: try row.date(3))
            result[child, default: LinkTimeline()].slices.append(slice)
        }
        return result
    }
}

extension StatedOrganisation {
    /// From a row of `OrganisationTables.stated`.
    fileprivate init?(_ row: any Row) throws {
        guard let code = ODSCode(row.text(0)), let kind = OrganisationKind(rawValue: Int(row.integer(3))),
            let status = OrganisationStatus(rawValue: Int(row.integer(5)))
        else { return nil }
        self.init(
            code: code, kind: kind, name: row.text(4), status: status, openedOn: try row.optionalDate(6),
            closedOn: try row.optionalDate(7), postcode: row.text(8), town: row.text(9))
    }
}
