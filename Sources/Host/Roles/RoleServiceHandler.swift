import CommonContract
package import HostContract
package import PluginAPI

/// Serves `pcs.host.v1.RoleService`: the catalogue, and its versions by two editors (identity-and-organisations.md 8, 12).
package struct RoleServiceHandler: Pcs_Host_V1_RoleService {
    private let registry: IdentityRegistry

    package init(registry: IdentityRegistry) { self.registry = registry }

    package func listRoles(
        _ request: Pcs_Host_V1_ListRolesRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_ListRolesResponse {
        let today = call.today
        let version = registry.catalogue.version(on: today)
        var kind: RoleCatalogue.Kind?
        if !request.organisationCode.isEmpty {
            let code = try FieldCheck.code(request.organisationCode, "organisation_code")
            guard let entry = registry.directory.organisation(code, at: today) else {
                throw Failure.notFound("The organisation is not in the register.")
            }
            kind = RoleCatalogue.Kind(entry.kind)
        }
        return .with {
            $0.catalogueID = version.id
            $0.roles = version.catalogue.entries(on: today).filter { entry in
                kind.map { entry.kinds.contains($0) } ?? true
            }.map { Self.message($0, version.catalogue, today) }
        }
    }

    private static func message(
        _ entry: RoleCatalogue.Entry, _ catalogue: RoleCatalogue, _ today: CalendarDate
    ) -> Pcs_Host_V1_CatalogueRole {
        .with {
            $0.role = WantedGrant.role(named: entry.role.name)
            $0.label = entry.label
            $0.service = entry.service
            $0.organisationKinds = entry.kinds.map(\.word).sorted()
            $0.givenBy = entry.givers.map { giver in
                .with {
                    $0.role = WantedGrant.role(named: giver.role.name)
                    $0.level = giver.level.rawValue
                }
            }
            $0.holdersAtMost = Int32(entry.mostHolders ?? 0)
            $0.holdersAtLeast = Int32(entry.leastHolders ?? 0)
            $0.administrator = entry.isAdministrator
            $0.privileged = entry.isPrivileged
            $0.sight = entry.sight
            $0.takesPaymentTypes = entry.takesPaymentTypes
            $0.emailRule = entry.email.rawValue
            $0.source = entry.source
            $0.validFrom = Pcs_Common_V1_Date(entry.from)
            if let to = entry.to { $0.validTo = Pcs_Common_V1_Date(to) }
            $0.conflicts = catalogue.conflicts.filter {
                $0.holds(on: today) && ($0.first == entry.role || $0.second == entry.role)
            }.map { conflict in
                .with {
                    let other = conflict.first == entry.role ? conflict.second : conflict.first
                    $0.other = WantedGrant.role(named: other.name)
                    $0.scope = conflict.scope.rawValue
                    $0.refused = conflict.effect == .refuse
                    $0.why = conflict.why
                }
            }
        }
    }

    // MARK: Versions

    package func proposeCatalogue(
        _ request: Pcs_Host_V1_ProposeCatalogueRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_CatalogueVersion {
        try FieldCheck.reason(request.reason)
        let from = try FieldCheck.day(request.validFrom, "valid_from")
        guard from > call.today else {
            throw Failure.invalid("valid_from", "catalogue.from", "A version begins tomorrow or later.")
        }
        let file = RoleCatalogueFile(
            roles: Array(request.rolesCsv), conflicts: Array(request.conflictsCsv),
            parameters: Array(request.parametersCsv))
        _ = try file.catalogue()
        let digest = CatalogueTables.digest(of: file, from: from)
        let caller = call.caller
        return try await call.commit { transaction in
            let id = transaction.newIdentifier()
            try transaction.run(
                CatalogueTables.insert,
                [
                    .text(id), .date(from), .blob(file.roles), .blob(file.conflicts),
                    .blob(file.parameters), .text(digest), .text(request.reason),
                    .text(caller.responsible), .instant(transaction.now),
                ])
            transaction.audit(
                AuditNote(
                    object: "catalogue/\(id)",
                    detail: "catalogue of roles from \(from) proposed, \(digest): \(request.reason)"))
            return try CatalogueTables.version(id, in: transaction).message
        }
    }

    package func approveCatalogue(
        _ request: Pcs_Host_V1_ApproveCatalogueRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_CatalogueVersion {
        let stored = try registry.store.read { try CatalogueTables.version(request.catalogueID, in: $0) }
        try call.requireOtherPerson(than: stored.proposedBy, step: "Approving a catalogue of roles")
        let (today, caller) = (call.today, call.caller)
        let days = registry.catalogue.current(on: today).parameters.proposalLapseDays
        let version = try await call.commit { transaction in
            let version = try CatalogueTables.version(request.catalogueID, in: transaction)
            guard version.approvedBy.isEmpty else {
                throw Failure(HostReasons.stateWrong, "The version is approved already.")
            }
            guard request.digest == version.digest else {
                throw Failure.inTheWay(
                    "digest", "this is not what the maker saw; read the version again.", field: "digest")
            }
            let proposedOn = LondonTime.day(at: version.proposedAt)
            guard today <= proposedOn.adding(days: days), version.from > today else {
                throw Failure.inTheWay(
                    "lapsed", "its day has come or its time has run out; propose anew.",
                    field: "catalogue_id")
            }
            try transaction.run(
                CatalogueTables.approve,
                [.text(version.id), .text(caller.responsible), .instant(transaction.now)])
            transaction.audit(
                AuditNote(
                    object: "catalogue/\(version.id)",
                    detail: "catalogue of roles from \(version.from) approved, \(version.digest)"))
            return try CatalogueTables.version(version.id, in: transaction).message
        }
        try registry.loadCatalogue()
        return version
    }

    package func listCatalogues(
        _ request: Pcs_Host_V1_ListCataloguesRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_ListCataloguesResponse {
        try registry.store.read { reader in
            try .with {
                $0.versions = try reader.all(CatalogueTables.list, [], CatalogueTables.Version.init(row:))
                    .map(\.message)
            }
        }
    }
}

extension IdentityRegistry {
    /// Reads the approved versions of the catalogue into memory.
    func loadCatalogue() throws {
        let approved = try store.read { reader in
            try reader.all(CatalogueTables.approved, []) { row in
                CatalogueBook.Version(
                    id: row.text(0), from: try row.date(1),
                    catalogue: try RoleCatalogueFile(
                        roles: row.blob(2), conflicts: row.blob(3), parameters: row.blob(4)
                    ).catalogue())
            }
        }
        catalogue.replace(approved: approved)
    }
}
