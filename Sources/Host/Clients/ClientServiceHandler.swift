import CommonContract
package import HostContract
package import PluginAPI

/// Serves `pcs.host.v1.ClientService`.
package final class ClientServiceHandler: Pcs_Host_V1_ClientService {
    private let identity: IdentityRegistry
    private let register: OrganisationRegister

    package init(identity: IdentityRegistry, register: OrganisationRegister) {
        self.identity = identity
        self.register = register
    }

    package func registerClient(
        _ request: Pcs_Host_V1_RegisterClientRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_SystemClient {
        var check = IdentityFields()
        let id = check.subjectID(request.clientID, "client_id")
        let name = check.text(request.name, "name", 1...200)
        let purpose = check.text(request.purpose, "purpose", 3...500)
        let owner = check.text(request.owner, "owner", 3...200)
        let scopes = check.scopes(request.scopes, "scopes")
        try check.finish()
        let today = call.today
        let organisation = try ClientFields.organisation(
            request.organisationCode, register: register, today: today)
        let networks = try ClientFields.networks(request.allowedNetworks)
        let expiresOn = try ClientFields.expiry(request.expiresOn, today: today)
        let certificate = try ClientServiceHandler.certificate(request.certificatePem, today)
        let author = call.caller.responsible
        let reply = try await call.commit { transaction in
            try SubjectStore.requireFree(id, "client_id", in: transaction)
            if let certificate { try ClientFields.requireFree(certificate.uri, for: id, in: transaction) }
            try transaction.run(
                IdentityTables.insertSubject,
                [
                    .text(id), .text(Subject.Kind.client.rawValue), .text(name), .null, .null, .text(purpose),
                    .text(owner), .text(scopes.joined(separator: "\n")), .optional(certificate?.uri),
                    .instant(transaction.now), .text(author),
                ])
            var record = try ClientRecord.find(id, in: transaction)
            record.organisation = organisation.value
            record.networks = networks
            record.expiresOn = expiresOn
            record.certificateExpiresOn = certificate?.lastDay
            try record.keep(in: transaction)
            transaction.audit(
                AuditNote(
                    object: "subject/\(id)", organisation: organisation.value,
                    detail: "client registered: \(name), owner \(owner), to \(expiresOn), networks "
                        + "\(networks.isEmpty ? "any" : networks.joined(separator: " ")), scopes "
                        + scopes.joined(separator: " ")))
            return try record.message(in: transaction)
        }
        try bringUp(reply.clientID, endTokens: false)
        return reply
    }

    package func changeClient(
        _ request: Pcs_Host_V1_ChangeClientRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_SystemClient {
        try FieldCheck.reason(request.reason)
        let today = call.today
        var check = IdentityFields()
        if !request.purpose.isEmpty { _ = check.text(request.purpose, "purpose", 3...500) }
        if !request.owner.isEmpty { _ = check.text(request.owner, "owner", 3...200) }
        if !request.scopes.isEmpty { _ = check.scopes(request.scopes, "scopes") }
        try check.finish()
        let organisation =
            try request.organisationCode.isEmpty
            ? nil : ClientFields.organisation(request.organisationCode, register: register, today: today)
        let networks = try ClientFields.networks(request.allowedNetworks)
        guard networks.isEmpty || !request.anyNetwork else {
            throw Failure.invalid(
                "any_network", "client.networks", "Name networks, or any network, not both.")
        }
        let expiresOn =
            try request.hasExpiresOn ? ClientFields.expiry(request.expiresOn, today: today) : nil
        let certificate = try ClientServiceHandler.certificate(request.certificatePem, today)
        let reply = try await call.commit { transaction in
            var record = try ClientRecord.find(request.clientID, in: transaction)
            if let certificate {
                try ClientFields.requireFree(certificate.uri, for: record.id, in: transaction)
                record.certificateURI = certificate.uri
                record.certificateExpiresOn = certificate.lastDay
            }
            if let organisation { record.organisation = organisation.value }
            if !request.owner.isEmpty { record.owner = request.owner }
            if !request.purpose.isEmpty { record.purpose = request.purpose }
            if !request.scopes.isEmpty { record.scopes = request.scopes }
            if !networks.isEmpty || request.anyNetwork { record.networks = networks }
            if let expiresOn { record.expiresOn = expiresOn }
            try transaction.run(
                ClientTables.changeSubject,
                [
                    .text(record.id), .text(record.purpose), .text(record.owner),
                    .text(record.scopes.joined(separator: "\n")), .optional(record.certificateURI),
                ])
            try record.keep(in: transaction)
            transaction.audit(
                AuditNote(
                    object: "subject/\(record.id)", organisation: record.organisation,
                    detail: "client changed: \(request.reason)"))
            return try record.message(in: transaction)
        }
        try bringUp(reply.clientID, endTokens: true)
        return reply
    }

    private static func certificate(_ pem: String, _ today: CalendarDate) throws -> ClientCertificate? {
        try pem.isEmpty ? nil : ClientCertificate(pem: pem, field: "certificate_pem", today: today)
    }

    // MARK: Keys

    package func putClientKeys(
        _ request: Pcs_Host_V1_PutClientKeysRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_SystemClient {
        try FieldCheck.reason(request.reason)
        guard (0...336).contains(request.overlapHours) else {
            throw Failure.invalid("overlap_hours", "client.overlap", "0 to 336 hours.")
        }
        let set = try JSONWebKeySet(request.jwks, field: "jwks")
        let author = call.caller.responsible
        let reply = try await call.commit { transaction in
            let record = try ClientRecord.find(request.clientID, in: transaction)
            let rotation = KeyRotation(
                client: record.id, set: set, overlapHours: request.overlapHours, author: author,
                reason: request.reason)
            try rotation.run(in: transaction)
            return try record.message(in: transaction)
        }
        try identity.refresh(reply.clientID)
        for key in reply.keys where key.revoked {
            identity.endTokens(of: reply.clientID, issuedBy: key.keyID)
        }
        return reply
    }

    // MARK: Reading

    package func getClient(
        _ request: Pcs_Host_V1_GetClientRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_SystemClient {
        try identity.store.read { reader in
            try shown(try ClientRecord.find(request.clientID, in: reader), in: reader)
        }
    }

    package func listClients(
        _ request: Pcs_Host_V1_ListClientsRequest, _ reply: ReplyStream<Pcs_Host_V1_SystemClient>,
        _ call: CallContext
    ) async throws {
        let clients = try identity.store.read { reader in
            try reader.all(ClientTables.clients, [], ClientRecord.init(row:)).filter {
                request.organisationCode.isEmpty || $0.organisation == request.organisationCode
            }.map { try shown($0, in: reader) }
        }
        for client in clients { try await reply.send(client) }
    }

    /// With the last use, which the table learns of later.
    private func shown(_ record: ClientRecord, in reader: any Reader) throws -> Pcs_Host_V1_SystemClient {
        var record = record
        record.lastUsedAt = [record.lastUsedAt, identity.admission.lastUsed(record.id)].compactMap { $0 }
            .max()
        return try record.message(in: reader)
    }

    /// Memory follows what is durable. Connections that rest on what was taken away end at once.
    private func bringUp(_ clientID: String, endTokens: Bool) throws {
        try identity.refresh(clientID)
        let record = try identity.store.read { try ClientRecord.find(clientID, in: $0) }
        identity.admission.set(record.terms, of: clientID)
        if endTokens { identity.endTokens(of: clientID) }
    }
}
