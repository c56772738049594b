import CommonContract
package import HostContract
package import PluginAPI
import SwiftProtobuf

// What administrators and those who look over their shoulder read.
extension UserServiceHandler {
    package func listUsers(
        _ request: Pcs_Host_V1_ListUsersRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_ListUsersResponse {
        let organisation = try FieldCheck.code(request.organisationCode, "organisation_code")
        let list = UserList(registry: registry, today: call.today)
        let kind = registry.directory.organisation(organisation, at: call.today)?.kind
        return try registry.store.read { reader in
            let grants = try reader.all(
                UserTables.grantsAt, [.text(organisation.value)], GrantRow.init(row:))
            let memberships = try reader.all(
                UserTables.membershipsAt, [.text(organisation.value)], MembershipRow.init(row:))
            let grantsOf = Dictionary(grouping: grants, by: \.subjectID)
            let membershipsOf = Dictionary(grouping: memberships, by: \.subjectID)
            var reply = Pcs_Host_V1_ListUsersResponse()
            for id in membershipsOf.keys.sorted() {
                let own = membershipsOf[id] ?? []
                guard request.includeDeactivated || own.contains(where: \.isOpen) else { continue }
                reply.users.append(
                    try list.user(id, at: organisation.value, own, grantsOf[id] ?? [], in: reader))
            }
            if let kind { reply.warnings = list.warnings(grants, at: RoleCatalogue.Kind(kind)) }
            return reply
        }
    }

    private static let history = Statement(
        """
        SELECT sequence, recorded_at, person_id, client_id, method, object, detail FROM pcs_audit
        WHERE sequence >= ?1 AND organisation_code = ?2 AND organisation_code <> ''
            AND object >= 'subject/' AND object < 'subject0' AND outcome = 'done' AND (?3 = '' OR object = ?3)
        ORDER BY sequence LIMIT ?4
        """)

    package func listUserHistory(
        _ request: Pcs_Host_V1_ListUserHistoryRequest, _ reply: ReplyStream<Pcs_Host_V1_UserHistoryEntry>,
        _ call: CallContext
    ) async throws {
        let organisation = try FieldCheck.code(request.organisationCode, "organisation_code")
        guard (0...100_000).contains(request.limit) else {
            throw Failure.invalid("limit", "RANGE", "0 to 100,000.")
        }
        var left = request.limit == 0 ? 1_000 : Int(request.limit)
        var from = max(1, request.fromSequence)
        let object = request.accountID.isEmpty ? "" : "subject/\(request.accountID)"
        while left > 0 {
            // In pages, so that a slow reader holds no snapshot of the file.
            let page = min(left, 200)
            let entries = try registry.store.read { reader in
                try reader.all(
                    Self.history,
                    [.integer(from), .text(organisation.value), .text(object), .integer(page)]
                ) { row in
                    Pcs_Host_V1_UserHistoryEntry.with {
                        $0.sequence = row.integer(0)
                        $0.at = Google_Protobuf_Timestamp(row.instant(1))
                        $0.personID = row.text(2)
                        $0.clientID = row.text(3)
                        $0.method = row.text(4)
                        $0.object = row.text(5)
                        $0.detail = row.text(6)
                    }
                }
            }
            for entry in entries { try await reply.send(entry) }
            guard entries.count == page, let last = entries.last else { return }
            left -= entries.count
            from = last.sequence + 1
        }
    }

    package func listSelfGrants(
        _ request: Pcs_Host_V1_ListSelfGrantsRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_ListSelfGrantsResponse {
        guard let first = request.month.firstDay, let last = request.month.lastDay else {
            throw Failure.invalid("month", "month", "This is not a real month.")
        }
        let list = UserList(registry: registry, today: call.today)
        let london = LondonTime.self
        return try registry.store.read { reader in
            var reply = Pcs_Host_V1_ListSelfGrantsResponse()
            try reader.forEach(UserTables.selfGrants, []) { row in
                let grant = try GrantRow(row: row)
                guard (first...last).contains(london.day(at: grant.givenAt)) else { return }
                reply.grants.append(list.message(grant))
            }
            return reply
        }
    }
}
