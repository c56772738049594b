import CommonContract
package import HostContract
package import PluginAPI

/// Serves `pcs.host.v1.IdentityService`: checks fields, changes the tables in one commit, then brings memory up to what
/// is durable.
package final class IdentityServiceHandler: Pcs_Host_V1_IdentityService {
    private let registry: IdentityRegistry

    package init(registry: IdentityRegistry) { self.registry = registry }

    // MARK: Tokens

    package func issueToken(
        _ request: Pcs_Host_V1_IssueTokenRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_IssueTokenResponse {
        let token = try await registry.issueToken(
            for: request.clientAssertion, correlationID: call.correlationID)
        return .with {
            $0.accessToken = token.text
            $0.expiresInSeconds = token.expiresInSeconds
        }
    }

    package func whoAmI(
        _ request: Pcs_Host_V1_WhoAmIRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_WhoAmIResponse {
        let caller = call.caller
        let today = call.today
        return try .with {
            $0.clientID = caller.clientID ?? ""
            $0.personID = caller.personID ?? ""
            $0.personName = caller.personID.flatMap { registry.subject($0)?.name } ?? ""
            $0.actingFor = caller.actingFor
            $0.authentication = caller.authentication
            $0.grants = try grants(of: caller, on: today)
        }
    }

    private func grants(of caller: Caller, on today: CalendarDate) throws -> [Pcs_Host_V1_Grant] {
        guard let subject = registry.subject(caller.responsible) else {
            guard caller.responsible.hasPrefix("local:") else { return [] }
            return IdentityRegistry.operatorGrants.map { grant in
                .with {
                    $0.grantID = grant.id
                    $0.subjectID = caller.responsible
                    $0.role = .hostOperator
                    $0.organisationCode = grant.organisation.value
                    $0.reason = "User of the machine, by the Unix socket."
                }
            }
        }
        let inForce = Set(registry.inForce(subject.grants, on: today).map(\.id))
        return try registry.store.read { reader in
            try reader.all(IdentityTables.grantsOf, [.text(subject.id)], Pcs_Host_V1_Grant.init(row:))
        }.filter { inForce.contains($0.grantID) }
    }

    package func revokeToken(
        _ request: Pcs_Host_V1_RevokeTokenRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_RevokeTokenResponse {
        // Who has a token may end it, whosever it is.
        let id =
            request.accessToken.isEmpty
            ? TokenID(call.caller.session) : AccessTokens.Digest(request.accessToken).id
        guard let id else {
            throw Failure.invalid(
                "access_token", "token.required", "This call carries no token; name the one to end.")
        }
        let reply = try await call.commit { transaction in
            transaction.audit(AuditNote(object: "token/\(id)", detail: "revoked"))
            return Pcs_Host_V1_RevokeTokenResponse()
        }
        registry.endToken(id)
        return reply
    }

    // MARK: Subjects

    package func createPerson(
        _ request: Pcs_Host_V1_CreatePersonRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_Person {
        var check = IdentityFields()
        let id = check.subjectID(request.personID, "person_id")
        let name = check.text(request.name, "name", 1...200)
        let email = check.email(request.email, "email")
        try check.finish()
        let author = call.caller.responsible
        let person = try await call.commit { transaction in
            try SubjectStore.requireFree(id, "person_id", in: transaction)
            if try transaction.first(
                IdentityTables.subjectByEmail, [.text(email.lowercased())], { $0.text(0) }) != nil
            {
                throw Failure(
                    HostReasons.alreadyExists,
                    "An account with this e-mail address exists; give it the grants it needs.",
                    violations: [
                        Violation(
                            field: "email", rule: "email.unique", message: "Another account has this address."
                        )
                    ])
            }
            try transaction.run(
                IdentityTables.insertSubject,
                [
                    .text(id), .text(Subject.Kind.person.rawValue), .text(name), .text(email),
                    .text(email.lowercased()),
                    .text(""), .text(""), .text(""), .null, .instant(transaction.now), .text(author),
                ])
            transaction.audit(AuditNote(object: "subject/\(id)", detail: "person created: \(name)"))
            return Pcs_Host_V1_Person.with {
                $0.personID = id
                $0.name = name
                $0.email = email
                $0.state = .active
            }
        }
        try registry.refresh(person.personID)
        return person
    }

    package func createClient(
        _ request: Pcs_Host_V1_CreateClientRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_Client {
        var check = IdentityFields()
        let id = check.subjectID(request.clientID, "client_id")
        let name = check.text(request.name, "name", 1...200)
        let purpose = check.text(request.purpose, "purpose", 3...500)
        let owner = check.text(request.owner, "owner", 3...200)
        let scopes = check.scopes(request.scopes, "scopes")
        let uri = check.certificateURI(request.certificateUri, "certificate_uri")
        try check.finish()
        let author = call.caller.responsible
        let client = try await call.commit { transaction in
            try SubjectStore.requireFree(id, "client_id", in: transaction)
            if let uri,
                try transaction.first(IdentityTables.subjectByCertificate, [.text(uri)], { $0.text(0) })
                    != nil
            {
                throw Failure(
                    HostReasons.alreadyExists, "Another client has this certificate name.",
                    violations: [
                        Violation(
                            field: "certificate_uri", rule: "certificate.unique",
                            message: "Another client has this name.")
                    ])
            }
            try transaction.run(
                IdentityTables.insertSubject,
                [
                    .text(id), .text(Subject.Kind.client.rawValue), .text(name), .null, .null, .text(purpose),
                    .text(owner), .text(scopes.joined(separator: "\n")), .optional(uri),
                    .instant(transaction.now),
                    .text(author),
                ])
            transaction.audit(
                AuditNote(
                    object: "subject/\(id)",
                    detail: "client created: \(name), owner \(owner), scopes \(scopes.joined(separator: " "))"
                ))
            return Pcs_Host_V1_Client.with {
                $0.clientID = id
                $0.name = name
                $0.purpose = purpose
                $0.owner = owner
                $0.scopes = scopes
                $0.certificateUri = uri ?? ""
                $0.state = .active
            }
        }
        try registry.refresh(client.clientID)
        return client
    }

    package func setSubjectState(
        _ request: Pcs_Host_V1_SetSubjectStateRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_SetSubjectStateResponse {
        try FieldCheck.reason(request.reason)
        let state = request.state
        guard state == .active || state == .disabled else {
            throw Failure.invalid(
                "state", "subject.state", "Say whether the account is to be active or disabled.")
        }
        let reply = try await call.commit { transaction in
            try SubjectStore.require(request.subjectID, in: transaction)
            try transaction.run(
                IdentityTables.setActive, [.text(request.subjectID), .integer(state == .active ? 1 : 0)])
            transaction.audit(
                AuditNote(object: "subject/\(request.subjectID)", detail: "set \(state): \(request.reason)"))
            return Pcs_Host_V1_SetSubjectStateResponse.with { $0.state = state }
        }
        try registry.refresh(request.subjectID)
        if reply.state == .disabled { registry.endTokens(of: request.subjectID) }
        return reply
    }

    // MARK: Keys

    package func registerKey(_ request: Pcs_Host_V1_RegisterKeyRequest, _ call: CallContext) async throws
        -> Pcs_Host_V1_Key
    {
        var check = IdentityFields()
        let keyID = check.keyID(request.keyID, "key_id")
        let key = check.publicKey(request.publicKeyPem, "public_key_pem")
        try check.finish()
        guard let key else { throw Failure(HostReasons.fieldInvalid) }
        let author = call.caller.responsible
        let subjectID = request.subjectID
        let reply = try await call.commit { transaction in
            try SubjectStore.require(subjectID, in: transaction)
            try SubjectStore.requireNew(key, named: keyID, of: subjectID, in: transaction)
            try transaction.run(
                IdentityTables.insertKey,
                [
                    .text(subjectID), .text(keyID), .text(key.algorithm), .text(key.pem),
                    .text(key.fingerprint),
                    .instant(transaction.now), .text(author),
                ])
            transaction.audit(
                AuditNote(
                    object: "subject/\(subjectID)",
                    detail: "key \(keyID) registered: \(key.algorithm), SHA-256 \(key.fingerprint)"))
            return Pcs_Host_V1_Key.with {
                $0.subjectID = subjectID
                $0.keyID = keyID
                $0.algorithm = key.algorithm
            }
        }
        try registry.refresh(subjectID)
        return reply
    }

    package func revokeKey(_ request: Pcs_Host_V1_RevokeKeyRequest, _ call: CallContext) async throws
        -> Pcs_Host_V1_Key
    {
        try FieldCheck.reason(request.reason)
        let author = call.caller.responsible
        let reply = try await call.commit { transaction in
            let found = try transaction.first(
                IdentityTables.key, [.text(request.subjectID), .text(request.keyID)],
                Pcs_Host_V1_Key.init(row:))
            guard var key = found else { throw Failure(HostReasons.notFound, "The subject has no such key.") }
            guard !key.revoked else { throw Failure(HostReasons.stateWrong, "The key is revoked already.") }
            try transaction.run(
                IdentityTables.revokeKey,
                [
                    .text(request.subjectID), .text(request.keyID), .instant(transaction.now), .text(author),
                    .text(request.reason),
                ])
            transaction.audit(
                AuditNote(
                    object: "subject/\(request.subjectID)",
                    detail: "key \(request.keyID) revoked: \(request.reason)"))
            key.revoked = true
            return key
        }
        try registry.refresh(request.subjectID)
        registry.endTokens(of: request.subjectID, issuedBy: request.keyID)
        return reply
    }

    // MARK: Grants

    package func grantRole(_ request: Pcs_Host_V1_GrantRoleRequest, _ call: CallContext) async throws
        -> Pcs_Host_V1_Grant
    {
        let wanted = try WantedGrant(request, directory: registry.directory, today: call.today)
        let caller = call.caller
        let registry = registry
        let grant = try await call.commit { transaction in
            try SubjectStore.require(wanted.subjectID, in: transaction)
            // Systems are given roles too, and are members of nothing.
            if registry.subject(wanted.subjectID)?.kind == .person {
                try registry.addMembership(
                    of: wanted.subjectID, at: wanted.organisation, from: call.today, reason: wanted.reason,
                    givenBy: caller.responsible, in: transaction)
            }
            let gift = RoleGift(
                subjectID: wanted.subjectID, role: Role(wanted.roleName), organisation: wanted.organisation,
                from: wanted.from, to: wanted.to, reason: wanted.reason, givenBy: caller.responsible,
                authority: .installation, acknowledgesSight: true)
            let id = try registry.giveRole(gift, in: transaction).grantID
            return wanted.message(id: id, givenBy: caller.responsible)
        }
        try registry.refresh(grant.subjectID)
        return grant
    }

    package func revokeGrant(
        _ request: Pcs_Host_V1_RevokeGrantRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_Grant {
        try FieldCheck.reason(request.reason)
        let author = call.caller.responsible
        let grant = try await call.commit { transaction in
            let found = try transaction.first(
                IdentityTables.grant, [.text(request.grantID)], Pcs_Host_V1_Grant.init(row:))
            guard var grant = found else { throw Failure(HostReasons.notFound, "There is no such grant.") }
            guard grant.revokedBy.isEmpty else {
                throw Failure(HostReasons.stateWrong, "The grant is revoked already.")
            }
            try transaction.run(
                IdentityTables.revokeGrant,
                [.text(request.grantID), .instant(transaction.now), .text(author), .text(request.reason)])
            transaction.audit(
                AuditNote(
                    object: "subject/\(grant.subjectID)", organisation: grant.organisationCode,
                    detail: "revoked \(grant.role) at \(grant.organisationCode): \(request.reason)"))
            grant.revokedBy = author
            return grant
        }
        try registry.refresh(grant.subjectID)
        // What runs on the strength of the grant ends with it: clients prove themselves anew and get what is left.
        registry.endTokens(of: grant.subjectID)
        return grant
    }

    // MARK: Reading

    package func listSubjects(
        _ request: Pcs_Host_V1_ListSubjectsRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_ListSubjectsResponse {
        let id = request.subjectID
        let values: [StoredValue] = id.isEmpty ? [] : [.text(id)]
        return try registry.store.read { reader in
            var reply = Pcs_Host_V1_ListSubjectsResponse()
            try reader.forEach(id.isEmpty ? IdentityTables.subjects : IdentityTables.subject, values) { row in
                if row.text(1) == Subject.Kind.person.rawValue {
                    reply.people.append(Pcs_Host_V1_Person(row: row))
                } else {
                    reply.clients.append(Pcs_Host_V1_Client(row: row))
                }
            }
            reply.keys = try reader.all(
                id.isEmpty ? IdentityTables.keys : IdentityTables.keysOf, values, Pcs_Host_V1_Key.init(row:))
            reply.grants = try reader.all(
                id.isEmpty ? IdentityTables.grants : IdentityTables.grantsOf, values,
                Pcs_Host_V1_Grant.init(row:))
            guard id.isEmpty || !reply.people.isEmpty || !reply.clients.isEmpty else {
                throw Failure(HostReasons.notFound, "There is no such subject.")
            }
            return reply
        }
    }
}
