import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

extension ContractHandlers {
    func loadContracts(
        _ requests: RequestStream<Pcs_Payments_V1_LoadContractsRequest>, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ContractLoad {
        let first = requests.first
        let file = try await Upload.collect(requests, name: first.fileName) { Array($0.data) }
        if let earlier = try context.store.read({ try loaded(file.sha256, $0) }) { return earlier }
        let (rows, violations) = ContractFile.read(file.bytes)
        guard violations.isEmpty else { throw Failure.file(violations) }
        let completed = withRegions(rows)
        if first.dryRun {
            let plan = try context.store.read { try makePlan(completed, $0) }
            return reply(plan, rows: rows.count, file, id: "", dryRun: true)
        }
        return try await call.commit { transaction in
            if let earlier = try loaded(file.sha256, transaction) { return earlier }
            let plan = try makePlan(completed, transaction)
            for record in plan.records where record.terms == nil && record.from <= call.today {
                try OpenClaims.requireNone(of: record.practice, transaction)
            }
            let actor = call.caller.responsible
            let evidence = try EvidenceStore.keep(file, kind: .contracts, by: actor, in: transaction)
            let id = transaction.newIdentifier()
            var seq: Int64?
            if !plan.records.isEmpty {
                let number = try InputLog.record(
                    .contracts, from: plan.from, to: nil, by: actor, detail: "load \(id)", in: transaction)
                _ = try ContractStore.add(
                    plan.records, seq: number, reason: "file \(file.name)", source: "load \(id)",
                    in: transaction)
                seq = number
            }
            try ContractLoadStore.add(
                .init(
                    id: id, evidenceID: evidence, rows: Int64(rows.count), practices: plan.practices,
                    added: plan.added, changed: plan.changed, unchanged: plan.unchanged,
                    pendingReferences: plan.pendingReferences),
                seq: seq, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "contract-load/\(id)",
                    detail:
                        "\(plan.practices) practices, \(plan.changed) changed, \(plan.added) new, sha256 \(file.sha256)"
                ))
            var message = reply(plan, rows: rows.count, file, id: id, dryRun: false)
            message.loadedBy = actor
            message.loadedAt = Google_Protobuf_Timestamp(transaction.now)
            return message
        }
    }

    private func makePlan(_ rows: [ContractFile.Row], _ reader: any Reader) throws -> ContractLoadPlan {
        let timelines = try ContractStore.timelines(knownAt: .max, reader)
        let existing = Dictionary(uniqueKeysWithValues: timelines.map { ($0.practice, $0) })
        let today = context.clock.today
        let plan = ContractLoadPlan(
            rows, existing: existing, isKnown: { context.organisations.organisation($0, at: today) != nil },
            frozen: try BaselineStore.frozenYears(reader))
        guard plan.violations.isEmpty else { throw Failure.file(plan.violations) }
        return plan
    }

    /// The region from the register where the file gives none, recorded so that totals do not move with the register.
    private func withRegions(_ rows: [ContractFile.Row]) -> [ContractFile.Row] {
        rows.map { row in
            guard row.terms.region.isEmpty else { return row }
            var row = row
            row.terms.region = context.organisations.region(of: row.practice, at: row.from)?.value ?? ""
            return row
        }
    }

    private func loaded(_ sha256: String, _ reader: any Reader) throws -> Pcs_Payments_V1_ContractLoad? {
        guard let load = try ContractLoadStore.load(withHash: sha256, reader),
            let evidence = try EvidenceStore.evidence(load.evidenceID, reader)
        else { return nil }
        return .with {
            $0.loadID = load.id
            $0.fileName = evidence.fileName
            $0.sha256 = evidence.sha256
            $0.rows = load.rows
            $0.practices = load.practices
            $0.added = load.added
            $0.changed = load.changed
            $0.unchanged = load.unchanged
            $0.pendingReferences = load.pendingReferences
            $0.loadedBy = evidence.uploadedBy
            $0.loadedAt = Google_Protobuf_Timestamp(evidence.uploadedAt)
            $0.alreadyLoaded = true
        }
    }

    private func reply(
        _ plan: ContractLoadPlan, rows: Int, _ file: UploadedFile, id: String, dryRun: Bool
    ) -> Pcs_Payments_V1_ContractLoad {
        .with {
            $0.loadID = id
            $0.fileName = file.name
            $0.sha256 = file.sha256
            $0.rows = Int64(rows)
            $0.practices = plan.practices
            $0.added = plan.added
            $0.changed = plan.changed
            $0.unchanged = plan.unchanged
            $0.pendingReferences = plan.pendingReferences
            $0.dryRun = dryRun
        }
    }
}
