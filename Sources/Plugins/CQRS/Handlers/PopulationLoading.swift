import CommonContract
import CqrsContract
import HostContract
import PluginAPI

/// Loads population figures. Results that stand on a figure that is now another are left as they are; a proposal to
/// calculate again is raised for each (POP-2, R10).
struct PopulationLoading {
    let context: PluginContext
    let call: CallContext

    func load(_ requests: RequestStream<Pcs_Cqrs_V1_LoadPopulationsRequest>) async throws
        -> Pcs_Cqrs_V1_PopulationLoad
    {
        let first = requests.first
        let file = try await Upload.collect(requests, name: first.fileName) { Array($0.data) }
        let isLoaded = try context.store.read { try ReferenceStore.isLoaded(.populations, file.sha256, $0) }
        let (rows, violations) = PopulationFile.read(file.bytes)
        guard violations.isEmpty else { throw Failure.cqrsFile(violations) }
        var reply = Pcs_Cqrs_V1_PopulationLoad()
        reply.rows = Int64(rows.count)
        reply.organisations = Int64(Set(rows.map(\.organisation)).count)
        reply.sha256 = file.sha256
        reply.alreadyLoaded = isLoaded
        reply.dryRun = first.dryRun
        if isLoaded || first.dryRun { return reply }
        let answer = reply
        let organisations = context.organisations
        let actor = call.caller.responsible
        return try await call.commit { transaction in
            var reply = answer
            let load = try ReferenceStore.record(
                .populations, file, rows: rows.count, by: actor, in: transaction)
            try ReferenceStore.add(rows, load: load, in: transaction)
            reply.loadID = String(load)
            // A network's list is its members' lists.
            var changes: [(organisation: String, asOf: CalendarDate)] = []
            for row in rows {
                changes.append((row.organisation.value, row.asOf))
                if let pcn = organisations.pcn(of: row.organisation, at: row.asOf) {
                    changes.append((pcn.value, row.asOf))
                }
            }
            reply.recalculationProposals = try ProposalStore.raise(
                cause: "population", after: changes, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "populations/\(load)",
                    detail:
                        "\(rows.count) figures, \(reply.recalculationProposals) results to calculate again"))
            return reply
        }
    }
}
