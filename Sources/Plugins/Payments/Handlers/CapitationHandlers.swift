import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import Tabular
import SwiftProtobuf

/// Lists of patients by quarter.
struct CapitationHandlers: Pcs_Payments_V1_CapitationService {
    let context: PluginContext

    func loadCapitation(
        _ requests: RequestStream<Pcs_Payments_V1_LoadCapitationRequest>, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_CapitationLoad {
        let first = requests.first
        var fields = RequestFields()
        let day = fields.date(
            first.quarterDay, isSet: first.hasQuarterDay, field: "quarter_day", mayBeEmpty: false)
        if let day, Quarter(quarterDay: day) == nil {
            fields.refuse(
                "quarter_day", "payments 0", "A quarter day is 1 January, 1 April, 1 July or 1 October.")
        }
        try fields.finish()
        guard let day, let quarter = Quarter(quarterDay: day) else {
            throw Failure(PaymentsReasons.capitationUnknown)
        }
        let file = try await Upload.collect(requests, name: first.fileName) { Array($0.data) }
        if let earlier = try context.store.read({ try loaded(file.sha256, quarter, $0) }) { return earlier }
        let (rows, violations) = CapitationFile.read(file.bytes)
        guard violations.isEmpty else { throw Failure.file(violations) }
        try KnownPractices.require(
            rows.map(\.practice), rule: "CAP05", in: file, columns: CapitationFile.columns, context)
        if first.dryRun {
            let load = try context.store.read { try Self.figures(rows, quarter, $0) }
            return message(load, nil, file, dryRun: true)
        }
        return try await call.commit { transaction in
            if let earlier = try loaded(file.sha256, quarter, transaction) { return earlier }
            let actor = call.caller.responsible
            var load = try Self.figures(rows, quarter, transaction)
            load.id = transaction.newIdentifier()
            load.evidenceID = try EvidenceStore.keep(file, kind: .capitation, by: actor, in: transaction)
            load.seq = try InputLog.record(
                .capitation, from: quarter.quarterDay, to: quarter.next.next.quarterDay, by: actor,
                detail: "load \(load.id)", in: transaction)
            try CapitationStore.add(load, rows, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "capitation/\(quarter)",
                    detail:
                        "\(load.practices) practices, \(load.changed) changed, \(load.added) new, sha256 \(file.sha256)"
                ))
            return message(
                load,
                EvidenceStore.Evidence(
                    id: load.evidenceID, sha256: file.sha256, fileName: file.name, uploadedBy: actor,
                    uploadedAt: transaction.now), file, dryRun: false)
        }
    }

    /// What a load would change.
    static func figures(
        _ rows: [CapitationFile.Row], _ quarter: Quarter, _ reader: any Reader
    ) throws -> CapitationStore.Load {
        let known = try CapitationStore.lists(of: [quarter], knownAt: .max, reader).lists(in: quarter)
        var load = CapitationStore.Load(seq: 0, id: "", quarterDay: quarter.quarterDay, evidenceID: "")
        for row in rows {
            load.practices += 1
            load.registered += row.registered
            load.weightedHundredths += row.weightedHundredths
            guard let before = known[row.practice] else {
                load.added += 1
                continue
            }
            let isSame =
                before.registered == row.registered && before.weightedHundredths == row.weightedHundredths
                && before.london == row.london
            if !isSame { load.changed += 1 }
        }
        return load
    }

    /// The quarter's last load, when it was this very file.
    private func loaded(
        _ sha256: String, _ quarter: Quarter, _ reader: any Reader
    ) throws -> Pcs_Payments_V1_CapitationLoad? {
        guard let load = try CapitationStore.lastLoad(of: quarter, reader),
            let evidence = try EvidenceStore.evidence(load.evidenceID, reader), evidence.sha256 == sha256
        else { return nil }
        var message = message(load, evidence, nil, dryRun: false)
        message.alreadyLoaded = true
        return message
    }

    func getCapitation(
        _ request: Pcs_Payments_V1_GetCapitationRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_GetCapitationResponse {
        var fields = RequestFields()
        let practice = fields.practice(request.practiceCode)
        let day = fields.date(request.at, isSet: request.hasAt, field: "at") ?? call.today
        try fields.finish()
        guard let practice else { throw Failure(PaymentsReasons.capitationUnknown) }
        let quarter = Quarter(containing: day)
        let history = try context.store.read { try CapitationStore.history(of: practice, in: quarter, $0) }
        guard let current = history.first else {
            throw Failure(
                PaymentsReasons.capitationUnknown, "\(practice) has no lists for the quarter of \(quarter).")
        }
        func message(_ lists: PatientLists, _ at: Instant) -> Pcs_Payments_V1_Capitation {
            .with {
                $0.practiceCode = practice.value
                $0.quarterDay = Pcs_Common_V1_Date(quarter.quarterDay)
                $0.registeredPatients = lists.registered
                $0.weightedPatientsHundredths = lists.weightedHundredths
                $0.londonPatients = lists.london
                $0.version = lists.version
                $0.recordedAt = Google_Protobuf_Timestamp(at)
            }
        }
        return .with {
            $0.current = message(current.0, current.1)
            $0.superseded = history.dropFirst().map { message($0.0, $0.1) }
        }
    }

    func listCapitationLoads(
        _ request: Pcs_Payments_V1_ListCapitationLoadsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ListCapitationLoadsResponse {
        var fields = RequestFields()
        let day = fields.date(request.quarterDay, isSet: request.hasQuarterDay, field: "quarter_day")
        try fields.finish()
        return try context.store.read { reader in
            let loads = try CapitationStore.loads(reader).filter { day == nil || $0.quarterDay == day }
            let messages = try loads.map { load in
                message(load, try EvidenceStore.evidence(load.evidenceID, reader), nil, dryRun: false)
            }
            return .with { $0.loads = messages }
        }
    }

    private func message(
        _ load: CapitationStore.Load, _ evidence: EvidenceStore.Evidence?, _ file: UploadedFile?, dryRun: Bool
    ) -> Pcs_Payments_V1_CapitationLoad {
        .with {
            $0.loadID = load.id
            $0.quarterDay = Pcs_Common_V1_Date(load.quarterDay)
            $0.fileName = evidence?.fileName ?? file?.name ?? ""
            $0.sha256 = evidence?.sha256 ?? file?.sha256 ?? ""
            $0.practices = load.practices
            $0.registeredPatients = load.registered
            $0.weightedPatientsHundredths = load.weightedHundredths
            $0.changed = load.changed
            $0.added = load.added
            $0.loadedBy = evidence?.uploadedBy ?? ""
            if let evidence { $0.loadedAt = Google_Protobuf_Timestamp(evidence.uploadedAt) }
            $0.dryRun = dryRun
            $0.version = load.seq
        }
    }
}
