package import HostContract
package import PluginAPI

/// The audit chains of all open stores.
package struct AuditServiceHandler: Pcs_Host_V1_AuditService {
    private static let page = 500
    private static let usualLimit = 1_000

    private let stores: @Sendable () -> [String: HostStore]

    /// - Parameter stores: the open stores by name, asked for at each call.
    package init(stores: @escaping @Sendable () -> [String: HostStore]) { self.stores = stores }

    package func verifyAudit(
        _ request: Pcs_Host_V1_VerifyAuditRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_VerifyAuditResponse {
        var response = Pcs_Host_V1_VerifyAuditResponse()
        response.whole = true
        for (name, store) in stores().sorted(by: { $0.key < $1.key }) {
            let found = try await offThePool { try store.verifyAudit() }
            response.whole = response.whole && found.isWhole
            response.chains.append(
                .with {
                    $0.store = name
                    $0.entries = found.entries
                    $0.whole = found.isWhole
                    $0.brokenAt = found.brokenAt
                    $0.lastHash = DurableFile.hexadecimal(found.lastHash)
                })
        }
        return response
    }

    package func listAuditEntries(
        _ request: Pcs_Host_V1_ListAuditEntriesRequest, _ reply: ReplyStream<Pcs_Host_V1_AuditEntry>,
        _ call: CallContext
    ) async throws {
        guard let store = stores()[request.store] else {
            throw Failure.notFound("There is no store \(request.store).")
        }
        guard request.limit >= 0, request.fromSequence >= 0 else {
            let field = request.limit < 0 ? "limit" : "from_sequence"
            throw Failure(
                HostReasons.fieldInvalid,
                violations: [Violation(field: field, rule: "RANGE", message: "not below 0")])
        }
        var left = request.limit == 0 ? Self.usualLimit : Int(request.limit)
        var from = max(1, request.fromSequence)
        while left > 0 {
            // In pages, so that a slow reader holds no snapshot of the file.
            let limit = min(left, Self.page)
            let rows = try store.auditRows(from: from, limit: limit, organisation: request.organisationCode)
            for row in rows { try await reply.send(.init(row)) }
            guard rows.count == limit, let last = rows.last else { return }
            left -= rows.count
            from = last.sequence + 1
        }
    }
}

extension Pcs_Host_V1_AuditEntry {
    init(_ row: AuditRow) {
        self.init()
        sequence = row.sequence
        at = .init(row.at)
        personID = row.act.personID ?? ""
        clientID = row.act.clientID ?? ""
        actingFor = row.act.actingFor
        method = row.act.method
        object = row.note.object
        organisationCode = row.note.organisation
        outcome = row.outcome
        detail = row.note.detail
        correlationID = row.act.correlationID
        hash = DurableFile.hexadecimal(row.hash)
    }
}
