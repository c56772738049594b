import CommonContract
package import HostContract
package import PluginAPI

// Roles given and ended.
extension UserServiceHandler {
    package func giveRole(
        _ request: Pcs_Host_V1_GiveRoleRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_GiveRoleResponse {
        let (caller, today) = (call.caller, call.today)
        let gift = try Self.gift(request, caller: caller, today: today, registry: registry)
        let registry = registry
        let reply = try await call.commit { transaction in
            let given = try registry.giveRole(gift, in: transaction)
            if gift.subjectID == caller.responsible {
                try Self.reportSelfGrant(gift, registry: registry, in: transaction)
            }
            let row = try Self.row(given.grantID, in: transaction)
            return Pcs_Host_V1_GiveRoleResponse.with {
                $0.given = UserList(registry: registry, today: today).message(row)
                $0.warnings = given.warnings
            }
        }
        try registry.refresh(gift.subjectID)
        return reply
    }

    private static func gift(
        _ request: Pcs_Host_V1_GiveRoleRequest, caller: Caller, today: CalendarDate,
        registry: IdentityRegistry
    ) throws -> RoleGift {
        try FieldCheck.reason(request.reason)
        let organisation = try FieldCheck.code(request.organisationCode, "organisation_code")
        guard let name = WantedGrant.name(of: request.role) else {
            throw Failure.invalid("role", "grant.role", "There is no such role.")
        }
        let from = try request.hasValidFrom ? FieldCheck.day(request.validFrom, "valid_from") : today
        let to = try request.hasValidTo ? FieldCheck.day(request.validTo, "valid_to") : nil
        let paymentTypes = request.paymentTypes
        guard paymentTypes.count <= 64, Set(paymentTypes).count == paymentTypes.count else {
            throw Failure.invalid("payment_types", "grant.paymentTypes", "At most 64, each once.")
        }
        for type in paymentTypes { _ = try FieldCheck.text(type, "payment_types", 1...64) }
        return RoleGift(
            subjectID: request.accountID, role: Role(name), organisation: organisation, from: from, to: to,
            reason: request.reason, givenBy: caller.responsible,
            authority: GiverStanding(registry: registry, caller: caller, today: today).authority(
                at: organisation),
            paymentTypes: paymentTypes, acknowledgesSight: request.sightAcknowledged)
    }

    static func row(_ grantID: String, in reader: any Reader) throws -> GrantRow {
        guard let row = try reader.first(UserTables.grant, [.text(grantID)], GrantRow.init(row:)) else {
            throw Failure.notFound("There is no such grant.")
        }
        return row
    }

    /// A role to oneself is allowed and reported: to the other administrators and the Main Contact (12).
    private static func reportSelfGrant(
        _ gift: RoleGift, registry: IdentityRegistry, in transaction: any Transaction
    ) throws {
        let today = registry.clock.today
        let catalogue = registry.catalogue.current(on: today)
        let label = catalogue.entry(gift.role, on: today)?.label ?? gift.role.name
        let holders = try transaction.all(
            UserTables.grantsAt, [.text(gift.organisation.value)], GrantRow.init(row:)
        ).filter {
            $0.holds(on: today) && $0.subjectID != gift.subjectID
                && catalogue.entry($0.role, on: today)?.isAdministrator == true
        }.map(\.subjectID)
        for holder in Set(holders).sorted() {
            try UserMessages.tell(
                person: holder,
                UserMessages.Words(
                    title: "An administrator gave themselves a role",
                    body: "At \(gift.organisation) the account \(gift.subjectID) gave itself \(label). "
                        + "Reason given: \(gift.reason)"),
                about: "subject/\(gift.subjectID)", at: gift.organisation.value,
                key: transaction.newIdentifier(), in: transaction)
        }
    }

    package func revokeRole(
        _ request: Pcs_Host_V1_RevokeRoleRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_RoleGiven {
        try FieldCheck.reason(request.reason)
        let organisation = try FieldCheck.code(request.organisationCode, "organisation_code")
        let (caller, today) = (call.caller, call.today)
        let registry = registry
        let standing = GiverStanding(registry: registry, caller: caller, today: today)
        let catalogue = registry.catalogue.current(on: today)
        let ended = try await call.commit { transaction in
            let row = try Self.row(request.grantID, in: transaction)
            // Another organisation's grant is none for this caller, whoever guesses its number.
            guard row.organisation == organisation.value else {
                throw Failure.notFound("There is no such grant.")
            }
            guard !row.isRevoked else {
                throw Failure(HostReasons.stateWrong, "The grant is revoked already.")
            }
            if !standing.isNationalAdministrator, let entry = catalogue.entry(row.role, on: today) {
                try GivingRule(catalogue: catalogue, today: today).requireMayGive(
                    entry, standing.authority(at: organisation))
            }
            try registry.revoke(row, reason: request.reason, by: caller.responsible, in: transaction)
            return UserList(registry: registry, today: today).message(
                try Self.row(request.grantID, in: transaction))
        }
        try registry.refresh(ended.accountID)
        registry.endTokens(of: ended.accountID)
        return ended
    }
}

extension IdentityRegistry {
    /// Ends a grant within a transaction. Refresh the subject and end its tokens when it is durable.
    func revoke(_ grant: GrantRow, reason: String, by author: String, in transaction: any Transaction) throws
    {
        try transaction.run(
            IdentityTables.revokeGrant,
            [.text(grant.id), .instant(transaction.now), .text(author), .text(reason)])
        transaction.audit(
            AuditNote(
                object: "subject/\(grant.subjectID)", organisation: grant.organisation,
                detail: "revoked \(grant.role) at \(grant.organisation): \(reason)"))
    }

    /// Ends a membership and all its grants (7). Only PCSE ends a Main Contact, by setting another (8.1).
    func endMembership(
        of accountID: String, at organisation: ODSCode, reason: String, by author: String,
        mayEndMainContact: Bool, in transaction: any Transaction
    ) throws {
        guard let membership = try openMembership(of: accountID, at: organisation, in: transaction) else {
            throw Failure.notFound("The person is no active member of \(organisation).")
        }
        let today = clock.today
        let catalogue = catalogue.current(on: today)
        let grants = try transaction.all(
            UserTables.grantsOf, [.text(accountID)], GrantRow.init(row:)
        ).filter { grant in
            !grant.isRevoked && grant.organisation == organisation.value
                && grant.to.map { today < $0 } ?? true
        }
        for grant in grants where !mayEndMainContact {
            guard let entry = catalogue.entry(grant.role, on: today),
                entry.givers.allSatisfy({ $0.level == .pcse })
            else { continue }
            throw Failure.notGiven(
                "pcseOnly", "\(entry.label) is set by PCSE only; it sets another one first.",
                field: "account_id")
        }
        for grant in grants { try revoke(grant, reason: reason, by: author, in: transaction) }
        try transaction.run(
            UserTables.endMembership,
            [.text(membership.id), .instant(transaction.now), .text(author), .text(reason)])
        transaction.audit(
            AuditNote(
                object: "subject/\(accountID)", organisation: organisation.value,
                detail: "membership at \(organisation) ended with \(grants.count) grants: \(reason)"))
    }
}
