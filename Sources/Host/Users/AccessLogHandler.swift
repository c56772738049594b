import CommonContract
package import HostContract
package import PluginAPI

/// Serves `pcs.host.v1.AccessLogService`: who read sensitive records, and who could have (identity-and-organisations.md 13).
package struct AccessLogHandler: Pcs_Host_V1_AccessLogService {
    /// The methods that this host serves, asked for at each call.
    package typealias Methods = @Sendable () -> [MethodDescriptor]

    private let registry: IdentityRegistry
    private let methods: Methods

    package init(registry: IdentityRegistry, methods: @escaping Methods) {
        self.registry = registry
        self.methods = methods
    }

    package func listSensitiveReads(
        _ request: Pcs_Host_V1_ListSensitiveReadsRequest, _ reply: ReplyStream<Pcs_Host_V1_AccessLogEntry>,
        _ call: CallContext
    ) async throws {
        let organisation =
            request.organisationCode.isEmpty
            ? "" : try FieldCheck.code(request.organisationCode, "organisation_code").value
        let from = try FieldCheck.day(request.from, "from")
        let to = try request.hasTo ? FieldCheck.day(request.to, "to") : call.today
        guard from <= to else { throw Failure.invalid("to", "period", "The period ends before it begins.") }
        guard (0...100_000).contains(request.limit) else {
            throw Failure.invalid("limit", "RANGE", "0 to 100,000.")
        }
        let london = LondonTime.self
        try await AccessLog(store: registry.store).send(
            AccessLog.Question(
                subject: request.subjectID, organisation: organisation,
                from: london.instant(on: from, hour: 0, minute: 0),
                to: london.instant(on: to.adding(days: 1), hour: 0, minute: 0), glass: "",
                limit: request.limit == 0 ? 1_000 : Int(request.limit)), to: reply)
    }

    package func whoCouldSee(
        _ request: Pcs_Host_V1_WhoCouldSeeRequest, _ reply: ReplyStream<Pcs_Host_V1_SightRow>,
        _ call: CallContext
    ) async throws {
        let organisation = try FieldCheck.code(request.organisationCode, "organisation_code")
        let day = try request.hasOn ? FieldCheck.day(request.on, "on") : call.today
        guard day <= call.today else {
            throw Failure.invalid("on", "period", "Who will see is not known yet.")
        }
        guard registry.directory.organisation(organisation, at: day) != nil else {
            throw Failure.notFound("The organisation is not in the register as at that day.")
        }
        let sight = SightQuestion(
            organisation: organisation, day: day, directory: registry.directory,
            methods: methods().filter { method in
                !method.access.changesState
                    && (!request.sensitiveOnly || method.access.audit == .sensitiveRead)
            })
        let grants = try registry.store.read { reader in
            try reader.all(UserTables.allGrants, [], GrantRow.init(row:))
        }
        for grant in grants where sight.held(grant) {
            for row in sight.rows(of: grant) {
                var row = row
                row.name = registry.subject(grant.subjectID)?.name ?? ""
                row.kind = registry.subject(grant.subjectID)?.kind.rawValue ?? ""
                try await reply.send(row)
            }
        }
    }
}

/// Which methods a grant opened on the records of an organisation on a day: the same relations that decide each call.
struct SightQuestion {
    let organisation: ODSCode
    let day: CalendarDate
    let directory: any OrganisationDirectory
    let methods: [MethodDescriptor]

    /// In force at any moment of that day, as we know now.
    func held(_ grant: GrantRow) -> Bool {
        guard grant.from <= day, grant.to.map({ day < $0 }) ?? true else { return false }
        guard let revokedAt = grant.revokedAt else { return true }
        return LondonTime.day(at: revokedAt) >= day
    }

    /// One row for each relation that opens something.
    func rows(of grant: GrantRow) -> [Pcs_Host_V1_SightRow] {
        guard let acting = ODSCode(grant.organisation) else { return [] }
        var paths: [Relation: Set<String>] = [:]
        for method in methods {
            for allow in method.access.allow where allow.role == grant.role {
                let question = AccessQuestion(
                    method: method, acting: acting, roles: [grant.role],
                    organisations: [
                        OrganisationTarget(field: allow.organisationField, code: organisation.value)
                    ],
                    directory: directory, today: day)
                guard question.isOpen(allow) else { continue }
                // Records of the organisation acted for are another's unless it is the same.
                if allow.relation == .acting, acting != organisation { continue }
                paths[allow.relation, default: []].insert(method.path)
            }
        }
        return paths.sorted { $0.key.rawValue < $1.key.rawValue }.map { relation, paths in
            .with {
                $0.subjectID = grant.subjectID
                $0.actingFor = grant.organisation
                $0.relation = relation.rawValue
                $0.role = WantedGrant.role(named: grant.role.name)
                $0.grantID = grant.id
                $0.validFrom = Pcs_Common_V1_Date(grant.from)
                $0.givenBy = grant.givenBy
                $0.methods = paths.sorted()
            }
        }
    }
}
