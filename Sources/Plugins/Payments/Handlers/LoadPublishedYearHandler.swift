import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

/// The yearly official file: loading it as contracts and lists. Comparing is in a file of its own.
struct PublishedYearHandlers: Pcs_Payments_V1_PublishedYearService {
    let context: PluginContext

    func loadPublishedYear(
        _ requests: RequestStream<Pcs_Payments_V1_LoadPublishedYearRequest>, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_PublishedYearLoad {
        let first = requests.first
        var fields = RequestFields()
        let year = fields.financialYear(first.financialYear)
        try fields.finish()
        guard let year else { throw Failure(PaymentsReasons.publishedYearUnknown) }
        let file = try await Upload.collect(requests, name: first.fileName) { Array($0.data) }
        if let earlier = try context.store.read({ try loaded(file.sha256, year, $0) }) { return earlier }
        let (rows, violations) = PublishedYearFile.read(file.bytes)
        guard violations.isEmpty else { throw Failure.file(violations) }
        let published = PublishedYear(year: year, rows: rows)
        if first.dryRun {
            var reply = message(published.load(id: "", evidence: ""))
            (reply.fileName, reply.sha256, reply.dryRun) = (file.name, file.sha256, true)
            return reply
        }
        return try await call.commit { transaction in
            if let earlier = try loaded(file.sha256, year, transaction) { return earlier }
            let actor = call.caller.responsible
            let evidence = try EvidenceStore.keep(file, kind: .published, by: actor, in: transaction)
            let load = published.load(id: transaction.newIdentifier(), evidence: evidence)
            let seq = try addContracts(published, load, by: actor, in: transaction)
            try addLists(published, load, by: actor, in: transaction)
            try PublishedStore.add(load, seq: seq, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "published-year/\(year)",
                    detail:
                        "\(load.rows) rows, \(load.gms) GMS, \(load.pms) PMS, \(load.apms) APMS, sha256 \(file.sha256)"
                ))
            var reply = message(load)
            (reply.fileName, reply.sha256, reply.loadedBy) = (file.name, file.sha256, actor)
            reply.loadedAt = Google_Protobuf_Timestamp(transaction.now)
            return reply
        }
    }

    private func addContracts(
        _ published: PublishedYear, _ load: PublishedStore.Load, by actor: String,
        in transaction: any Transaction
    ) throws -> Int64 {
        let timelines = try ContractStore.timelines(knownAt: .max, transaction)
        let existing = Dictionary(uniqueKeysWithValues: timelines.map { ($0.practice, $0) })
        let plan = ContractLoadPlan(
            published.contracts(), existing: existing, isKnown: { _ in true }, since: published.year.firstDay,
            until: published.end)
        let seq = try InputLog.record(
            .contracts, from: published.year.firstDay, to: published.end, by: actor,
            detail: "published year \(published.year)", in: transaction)
        _ = try ContractStore.add(
            plan.records, seq: seq, reason: "published year \(published.year)",
            source: "published \(load.id)",
            in: transaction)
        return seq
    }

    private func addLists(
        _ published: PublishedYear, _ load: PublishedStore.Load, by actor: String,
        in transaction: any Transaction
    ) throws {
        let rows = published.lists()
        for quarter in published.year.quarters {
            let seq = try InputLog.record(
                .capitation, from: quarter.quarterDay, to: quarter.next.next.quarterDay, by: actor,
                detail: "published year \(published.year)", in: transaction)
            let capitation = CapitationStore.Load(
                seq: seq, id: "\(load.id)/\(quarter)", quarterDay: quarter.quarterDay,
                evidenceID: load.evidenceID,
                practices: Int64(rows.count), registered: load.registered,
                weightedHundredths: load.weightedHundredths,
                changed: 0, added: Int64(rows.count))
            try CapitationStore.add(capitation, rows, in: transaction)
        }
    }

    /// The year's last load, when it was this very file.
    private func loaded(
        _ sha256: String, _ year: FinancialYear, _ reader: any Reader
    ) throws -> Pcs_Payments_V1_PublishedYearLoad? {
        guard let load = try PublishedStore.lastLoad(of: year, reader),
            let evidence = try EvidenceStore.evidence(load.evidenceID, reader), evidence.sha256 == sha256
        else { return nil }
        var reply = message(load)
        (reply.fileName, reply.sha256, reply.loadedBy) = (evidence.fileName, sha256, evidence.uploadedBy)
        reply.loadedAt = Google_Protobuf_Timestamp(evidence.uploadedAt)
        reply.alreadyLoaded = true
        return reply
    }

    private func message(_ load: PublishedStore.Load) -> Pcs_Payments_V1_PublishedYearLoad {
        .with {
            $0.loadID = load.id
            $0.financialYear = load.year.description
            $0.rows = load.rows
            $0.gms = load.gms
            $0.pms = load.pms
            $0.apms = load.apms
            $0.skippedUnknownContract = load.skippedUnknown
            $0.skippedNoList = load.skippedNoList
            $0.skippedNoCoreMoney = load.skippedNoMoney
            $0.registeredPatients = load.registered
            $0.weightedPatientsHundredths = load.weightedHundredths
            $0.publishedGlobalSumPence = load.globalSumPence
        }
    }
}
