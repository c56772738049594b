import CommonContract
package import HostContract
package import PluginAPI

/// Serves `pcs.host.v1.OrganisationService`.
package final class OrganisationServiceHandler: Pcs_Host_V1_OrganisationService {
    fileprivate let register: OrganisationRegister
    private let loader: SnapshotLoader

    package init(
        register: OrganisationRegister, settings: OrganisationLoadSettings = OrganisationLoadSettings()
    ) {
        self.register = register
        loader = SnapshotLoader(settings: settings)
    }

    package func loadSnapshot(
        _ requests: RequestStream<Pcs_Host_V1_LoadSnapshotRequest>, _ call: CallContext
    ) async throws -> Pcs_Host_V1_SnapshotLoad {
        let description = try SnapshotDescription(requests.first, today: call.today)
        let bytes = try await collect(requests)
        let staged = try loader.stage(
            bytes, layout: description.layout, fileName: description.fileName,
            publishedOn: description.publishedOn,
            loadedBy: call.caller.responsible)
        let today = call.today
        let load = try await call.commit { [loader] transaction in
            try loader.load(staged, dryRun: description.isDryRun, today: today, in: transaction)
        }
        if load.state == .applied { try register.load() }
        return load
    }

    private func collect(_ requests: RequestStream<Pcs_Host_V1_LoadSnapshotRequest>) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        var isFirst = true
        for try await request in requests {
            var rest = request
            rest.data = .init()
            guard isFirst || rest == Pcs_Host_V1_LoadSnapshotRequest() else {
                throw Failure.invalid(
                    "kind", "snapshot.stream", "Only the first message carries the description.")
            }
            isFirst = false
            let limit = loader.settings.file.bytes
            guard bytes.count + request.data.count <= limit else {
                throw Failure(HostReasons.requestTooLarge, "The file is larger than \(limit) bytes.")
            }
            bytes += request.data
        }
        return bytes
    }

    package func listSnapshotLoads(
        _ request: Pcs_Host_V1_ListSnapshotLoadsRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_ListSnapshotLoadsResponse {
        let loads = try register.store.read { reader in
            try reader.all(OrganisationTables.loads, [.integer(1_000)], Pcs_Host_V1_SnapshotLoad.init(row:))
        }
        return .with { $0.loads = loads }
    }

    package func getSnapshotDifferences(
        _ request: Pcs_Host_V1_GetSnapshotDifferencesRequest,
        _ reply: ReplyStream<Pcs_Host_V1_SnapshotDifference>,
        _ call: CallContext
    ) async throws {
        guard
            try register.store.read({ reader in
                try reader.first(OrganisationTables.load, [.text(request.loadID)]) { _ in true } ?? false
            })
        else { throw Failure(HostReasons.notFound, "There is no load '\(request.loadID.prefix(40))'.") }
        var last: Int64 = 0
        while true {
            let page = try differences(of: request.loadID, after: last)
            for (_, difference) in page { try await reply.send(difference) }
            guard let end = page.last?.0 else { return }
            last = end
        }
    }

    private func differences(
        of loadID: String, after last: Int64
    ) throws -> [(Int64, Pcs_Host_V1_SnapshotDifference)] {
        try register.store.read { reader in
            try reader.all(OrganisationTables.differences, [.text(loadID), .integer(last), .integer(500)]) {
                row in
                let difference = Pcs_Host_V1_SnapshotDifference.with {
                    $0.code = row.text(1)
                    $0.kind = Pcs_Host_V1_DifferenceKind(rawValue: Int(row.integer(2))) ?? .unspecified
                    $0.subject = row.text(3)
                    $0.before = row.text(4)
                    $0.after = row.text(5)
                }
                return (row.integer(0), difference)
            }
        }
    }

    package func decideHeldSnapshot(
        _ request: Pcs_Host_V1_DecideHeldSnapshotRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_SnapshotLoad {
        try FieldCheck.reason(request.reason)
        // Before the transaction, for the answer; the state is checked again inside it.
        let held = try register.store.read { try SnapshotLoader.held(request.loadID, in: $0) }
        try call.requireOtherPerson(than: held.loadedBy, step: "deciding on the load that this person made")
        let person = call.caller.responsible
        let today = call.today
        let load = try await call.commit { [loader] transaction in
            try loader.decide(
                request.loadID, apply: request.apply, by: person, reason: request.reason, today: today,
                in: transaction)
        }
        if load.state == .applied { try register.load() }
        return load
    }

    package func getOrganisation(
        _ request: Pcs_Host_V1_GetOrganisationRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_Organisation {
        let code = try FieldCheck.code(request.code, "code")
        let day = try request.hasAt ? FieldCheck.day(request.at, "at") : call.today
        let found: Pcs_Host_V1_Organisation?
        if request.hasKnownOn {
            found = try register.description(
                of: code, at: day, knownOn: FieldCheck.day(request.knownOn, "known_on"))
        } else {
            found = try register.addressed(register.description(of: code, at: day))
        }
        guard let found else {
            throw Failure(HostReasons.notFound, "\(code) is not in the register as at \(day).")
        }
        return found
    }

    package func listOrganisations(
        _ request: Pcs_Host_V1_ListOrganisationsRequest, _ reply: ReplyStream<Pcs_Host_V1_Organisation>,
        _ call: CallContext
    ) async throws {
        let parent = try FieldCheck.code(request.parentCode, "parent_code")
        let day = try request.hasAt ? FieldCheck.day(request.at, "at") : call.today
        let kind = OrganisationKind(rawValue: request.kind.rawValue)
        guard kind != nil || request.kind == .unspecified else {
            throw Failure.invalid("kind", "organisation.kind", "There is no such kind of organisation.")
        }
        let snapshot = register.snapshot
        guard let place = snapshot.place(of: parent) else {
            throw Failure(HostReasons.notFound, "\(parent) is not in the register.")
        }
        for below in snapshot.places(below: place, kind: kind, at: day) {
            if let organisation = snapshot.description(of: below, at: day) {
                try await reply.send(organisation)
            }
        }
    }
}

// Bodies registered here, and payees.
extension OrganisationServiceHandler {
    package func registerLocalOrganisation(
        _ request: Pcs_Host_V1_RegisterLocalOrganisationRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_Organisation {
        let today = call.today
        let wanted = try LocalOrganisations.Wanted(request, register: register, today: today)
        let code = wanted.facts.code
        let reply = try await call.commit { transaction in
            try LocalOrganisations.register(wanted, today: today, in: transaction)
            return Pcs_Host_V1_Organisation.with { $0.code = code.value }
        }
        try register.load()
        return try register.addressed(register.description(of: code, at: wanted.facts.openedOn ?? today))
            ?? reply
    }

    package func closeLocalOrganisation(
        _ request: Pcs_Host_V1_CloseLocalOrganisationRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_Organisation {
        try FieldCheck.reason(request.reason)
        let code = try FieldCheck.code(request.code, "code")
        let today = call.today
        let lastDay = try request.hasClosedOn ? FieldCheck.day(request.closedOn, "closed_on") : today
        let reply = try await call.commit { transaction in
            try LocalOrganisations.close(
                code, lastDay: lastDay, reason: request.reason, today: today, in: transaction)
            return Pcs_Host_V1_Organisation.with { $0.code = code.value }
        }
        try register.load()
        return try register.addressed(register.description(of: code, at: today)) ?? reply
    }

    package func getPayee(
        _ request: Pcs_Host_V1_GetPayeeRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_GetPayeeResponse {
        let pcn = try FieldCheck.code(request.pcnCode, "pcn_code")
        let day = try request.hasAt ? FieldCheck.day(request.at, "at") : call.today
        guard register.organisation(pcn, at: day)?.kind == .pcn else {
            throw Failure(HostReasons.notFound, "\(pcn) is no PCN of the register as at \(day).")
        }
        return .with { $0.payeeCode = register.payee(forPCN: pcn, at: day)?.value ?? "" }
    }
}

extension OrganisationRegister {
    /// The description with the address that the tables have.
    fileprivate func addressed(
        _ organisation: Pcs_Host_V1_Organisation?
    ) throws -> Pcs_Host_V1_Organisation? {
        guard var organisation, let code = ODSCode(organisation.code) else { return nil }
        organisation.addressLines = try store.read { try address(of: code, in: $0)?.lines ?? [] }
        return organisation
    }
}

/// What the first message of a load says.
private struct SnapshotDescription {
    let layout: SnapshotLayout
    let fileName: String
    let publishedOn: CalendarDate
    let isDryRun: Bool

    init(_ request: Pcs_Host_V1_LoadSnapshotRequest, today: CalendarDate) throws {
        guard let layout = SnapshotLayout(rawValue: request.kind.rawValue) else {
            throw Failure.invalid("kind", "snapshot.kind", "Say what the file holds.")
        }
        self.layout = layout
        fileName = try FieldCheck.text(request.fileName, "file_name", 1...200)
        guard !fileName.contains("/"), !fileName.contains("\\") else {
            throw Failure.invalid("file_name", "snapshot.file_name", "A name without folders.")
        }
        publishedOn = try FieldCheck.day(request.publishedOn, "published_on")
        guard publishedOn <= today else {
            throw Failure.invalid(
                "published_on", "snapshot.published_on", "The day of publication lies in the future.")
        }
        isDryRun = request.dryRun
    }
}
