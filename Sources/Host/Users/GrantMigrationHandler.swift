import CommonContract
package import HostContract
package import PluginAPI

/// Serves `pcs.host.v1.GrantMigrationService`. A merger moves no access by itself; an approved migration names people
/// and roles (identity-and-organisations.md 7, 15.3 step 15; section 16, example 19).
package struct GrantMigrationHandler: Pcs_Host_V1_GrantMigrationService {
    private let registry: IdentityRegistry

    package init(registry: IdentityRegistry) { self.registry = registry }

    struct Plan: Hashable, Sendable {
        var id: String
        var from: String
        var to: String
        var effectiveOn: CalendarDate?
        var caseReference: String
        var reason: String
        var digest: String
        var proposedBy: String
        var lapsesAfter: CalendarDate
        var state: String
        var decidedBy: String
        var decisionReason: String

        init(row: any Row) throws {
            id = row.text(0)
            from = row.text(1)
            to = row.text(2)
            effectiveOn = try row.optionalDate(3)
            caseReference = row.text(4)
            reason = row.text(5)
            digest = row.text(6)
            proposedBy = row.text(7)
            lapsesAfter = try row.date(8)
            state = row.text(9)
            decidedBy = row.text(10)
            decisionReason = row.text(11)
        }
    }

    struct Named: Hashable, Sendable {
        var accountID: String
        var role: Role
        var grantID = ""
    }

    // MARK: Proposing

    package func proposeMigration(
        _ request: Pcs_Host_V1_ProposeMigrationRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_GrantMigration {
        let from = try FieldCheck.code(request.fromOrganisationCode, "from_organisation_code")
        let to = try FieldCheck.code(request.toOrganisationCode, "to_organisation_code")
        guard from != to else {
            throw Failure.invalid("to_organisation_code", "migration.two", "Two organisations are needed.")
        }
        try registry.requireOpen(to)
        var check = IdentityFields()
        let reference = check.text(request.caseReference, "case_reference", 3...100)
        let reason = check.text(request.reason, "reason", 3...500)
        try check.finish()
        let effectiveOn =
            try request.hasEffectiveOn ? FieldCheck.day(request.effectiveOn, "effective_on") : nil
        let named = try Self.named(request.roles)
        let (today, caller) = (call.today, call.caller)
        let days = registry.catalogue.current(on: today).parameters.proposalLapseDays
        let registry = registry
        return try await call.commit { transaction in
            try Self.requireHeld(named, at: from, in: transaction)
            let id = transaction.newIdentifier()
            let digest = Self.digest(
                id, from.value, to.value, effectiveOn, reference, reason, caller.responsible, named)
            try transaction.run(
                ReviewTables.insertMigration,
                [
                    .text(id), .text(from.value), .text(to.value), .date(effectiveOn), .text(reference),
                    .text(reason), .text(digest), .text(caller.responsible), .instant(transaction.now),
                    .date(today.adding(days: days)),
                ])
            for one in named {
                try transaction.run(
                    ReviewTables.insertMigrationRole,
                    [.text(id), .text(one.accountID), .text(one.role.name)])
            }
            transaction.audit(
                AuditNote(
                    object: "migration/\(id)", organisation: to.value,
                    detail: "proposed: \(named.count) roles from \(from) to \(to), case \(reference)"))
            return try Self.message(id, registry, today: today, in: transaction)
        }
    }

    private static func named(_ roles: [Pcs_Host_V1_MigratedRole]) throws -> [Named] {
        guard (1...500).contains(roles.count) else {
            throw Failure.invalid("roles", "migration.roles", "1 to 500 roles, each of a named person.")
        }
        let named = try roles.enumerated().map { index, role in
            guard let name = WantedGrant.name(of: role.role) else {
                throw Failure.invalid("roles[\(index)].role", "grant.role", "There is no such role.")
            }
            return Named(accountID: role.accountID, role: Role(name))
        }
        guard Set(named).count == named.count else {
            throw Failure.invalid("roles", "migration.roles", "Each person and role once.")
        }
        return named.sorted { ($0.accountID, $0.role.name) < ($1.accountID, $1.role.name) }
    }

    /// Only what was held moves: a role that has not ended by itself or by somebody's hand.
    private static func requireHeld(_ named: [Named], at from: ODSCode, in reader: any Reader) throws {
        let grants = try reader.all(UserTables.grantsAt, [.text(from.value)], GrantRow.init(row:))
            .filter { !$0.isRevoked && $0.to == nil }
        for (index, one) in named.enumerated()
        where !grants.contains(where: { $0.subjectID == one.accountID && $0.role == one.role }) {
            throw Failure.notGiven(
                "notHeld", "\(one.accountID) does not hold \(one.role) at \(from).", field: "roles[\(index)]")
        }
    }

    private static func digest(
        _ id: String, _ from: String, _ to: String, _ effectiveOn: CalendarDate?, _ reference: String,
        _ reason: String, _ proposedBy: String, _ named: [Named]
    ) -> String {
        Seen.digest(
            [id, from, to, effectiveOn?.description ?? "", reference, reason, proposedBy]
                + named.flatMap { [$0.accountID, $0.role.name] })
    }

    // MARK: Deciding

    package func approveMigration(
        _ request: Pcs_Host_V1_ApproveMigrationRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_GrantMigration {
        let (today, caller) = (call.today, call.caller)
        let registry = registry
        let (open, named) = try registry.store.read { reader in
            (try Self.plan(request.migrationID, in: reader), try Self.roles(request.migrationID, in: reader))
        }
        try call.requireOtherPerson(than: open.proposedBy, step: "Approving a migration of grants")
        guard !named.contains(where: { $0.accountID == caller.responsible }) else {
            throw Failure(
                HostReasons.secondPersonRequired,
                "Refused by the clause samePerson: who gains by a migration does not approve it.")
        }
        let reply = try await call.commit { transaction in
            let plan = try Self.plan(request.migrationID, in: transaction)
            try Self.requireApprovable(plan, named, seen: request.digest, today: today)
            guard let from = ODSCode(plan.from), let to = ODSCode(plan.to) else { throw Failure.notFound("") }
            try Self.requireHeld(named, at: from, in: transaction)
            let first = max(today, plan.effectiveOn ?? today)
            for one in named {
                try registry.addMembership(
                    of: one.accountID, at: to, from: first, reason: plan.reason, givenBy: caller.responsible,
                    in: transaction)
                let given = try registry.giveRole(
                    RoleGift(
                        subjectID: one.accountID, role: one.role, organisation: to, from: first,
                        reason: plan.reason, givenBy: caller.responsible, authority: .migration(plan.id),
                        acknowledgesSight: true),
                    in: transaction)
                try transaction.run(
                    ReviewTables.setMigratedGrant,
                    [.text(plan.id), .text(one.accountID), .text(one.role.name), .text(given.grantID)])
            }
            try Self.decide(plan, "approved", caller, "", in: transaction)
            return try Self.message(plan.id, registry, today: today, in: transaction)
        }
        for id in Set(named.map(\.accountID)) { try registry.refresh(id) }
        return reply
    }

    private static func requireApprovable(
        _ plan: Plan, _ named: [Named], seen: String, today: CalendarDate
    ) throws {
        guard plan.state == "open" else {
            throw Failure(HostReasons.stateWrong, "The migration is \(plan.state) already.")
        }
        guard today <= plan.lapsesAfter else {
            throw Failure.inTheWay(
                "lapsed", "the migration lapsed after \(plan.lapsesAfter); propose anew.",
                field: "migration_id")
        }
        let now = digest(
            plan.id, plan.from, plan.to, plan.effectiveOn, plan.caseReference, plan.reason, plan.proposedBy,
            named)
        guard seen == plan.digest, now == plan.digest else {
            throw Failure.inTheWay(
                "digest", "this is not what the maker saw; read the migration again.", field: "digest")
        }
    }

    package func rejectMigration(
        _ request: Pcs_Host_V1_RejectMigrationRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_GrantMigration {
        try FieldCheck.reason(request.reason)
        let (today, caller) = (call.today, call.caller)
        let registry = registry
        return try await call.commit { transaction in
            let plan = try Self.plan(request.migrationID, in: transaction)
            guard plan.state == "open" else {
                throw Failure(HostReasons.stateWrong, "The migration is \(plan.state) already.")
            }
            try Self.decide(plan, "rejected", caller, request.reason, in: transaction)
            return try Self.message(plan.id, registry, today: today, in: transaction)
        }
    }

    private static func decide(
        _ plan: Plan, _ state: String, _ caller: Caller, _ reason: String, in transaction: any Transaction
    ) throws {
        try transaction.run(
            ReviewTables.decideMigration,
            [
                .text(plan.id), .text(state), .text(caller.responsible), .instant(transaction.now),
                .text(reason),
            ])
        transaction.audit(
            AuditNote(
                object: "migration/\(plan.id)", organisation: plan.to,
                detail: "\(state): from \(plan.from) to \(plan.to)" + (reason.isEmpty ? "" : ": \(reason)")))
    }

    // MARK: Reading

    package func listMigrations(
        _ request: Pcs_Host_V1_ListMigrationsRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_ListMigrationsResponse {
        let today = call.today
        return try registry.store.read { reader in
            let plans = try reader.all(
                ReviewTables.migrationsOf, [.text(request.organisationCode)], Plan.init(row:))
            return try .with {
                $0.migrations = try plans.map {
                    try Self.message($0.id, registry, today: today, in: reader)
                }
            }
        }
    }

    private static func plan(_ id: String, in reader: any Reader) throws -> Plan {
        guard let plan = try reader.first(ReviewTables.migration, [.text(id)], Plan.init(row:)) else {
            throw Failure.notFound("There is no such migration.")
        }
        return plan
    }

    private static func roles(_ id: String, in reader: any Reader) throws -> [Named] {
        try reader.all(ReviewTables.migrationRoles, [.text(id)]) { row in
            Named(accountID: row.text(0), role: Role(row.text(1)), grantID: row.text(2))
        }
    }

    private static func message(
        _ id: String, _ registry: IdentityRegistry, today: CalendarDate, in reader: any Reader
    ) throws -> Pcs_Host_V1_GrantMigration {
        let plan = try plan(id, in: reader)
        let named = try roles(id, in: reader)
        return .with {
            $0.migrationID = plan.id
            $0.fromOrganisationCode = plan.from
            $0.toOrganisationCode = plan.to
            if let day = plan.effectiveOn { $0.effectiveOn = Pcs_Common_V1_Date(day) }
            $0.roles = named.map { one in
                .with {
                    $0.accountID = one.accountID
                    $0.role = WantedGrant.role(named: one.role.name)
                    $0.grantID = one.grantID
                }
            }
            $0.caseReference = plan.caseReference
            $0.reason = plan.reason
            let isLapsed = plan.state == "open" && today > plan.lapsesAfter
            $0.state = isLapsed ? "LAPSED" : plan.state.uppercased()
            $0.proposedBy = plan.proposedBy
            $0.decidedBy = plan.decidedBy
            $0.decisionReason = plan.decisionReason
            $0.digest = plan.digest
            $0.lapsesAfter = Pcs_Common_V1_Date(plan.lapsesAfter)
            if let from = ODSCode(plan.from), let to = ODSCode(plan.to) {
                $0.successionRegistered = registry.directory.successors(of: from).contains(to)
            }
        }
    }
}
