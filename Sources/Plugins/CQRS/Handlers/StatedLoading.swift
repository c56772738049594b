import CommonContract
import CqrsContract
import HostContract
import PluginAPI
import Tabular

/// Loads what other systems state: achieved points, participation lists (cqrs.md 5.4).
struct StatedLoading {
    let context: PluginContext
    let call: CallContext

    func loadPoints(_ requests: RequestStream<Pcs_Cqrs_V1_LoadExtractRequest>) async throws
        -> Pcs_Cqrs_V1_ExtractLoad
    {
        let first = requests.first
        let file = try await Upload.collect(requests, name: first.fileName, limit: 256 << 20) {
            Array($0.data)
        }
        if let earlier = try earlier(first, file) { return earlier }
        var (rows, violations) = AchievedPointsFile.read(file.bytes)
        let definitions = try context.store.read { reader in
            try Dictionary(
                uniqueKeysWithValues: Set(rows.map(\.service)).map {
                    ($0, try ServiceStore.published($0, reader))
                })
        }
        for row in rows {
            guard let record = definitions[row.service] ?? nil else {
                violations.add(
                    "DAT-1", row: 0, field: "QUALITY_SERVICE", "there is no service \(row.service.prefix(20))"
                )
                break
            }
            if !record.definition.indicators.contains(where: { $0.code == row.indicator }) {
                violations.add(
                    "DAT-9", row: 0, field: "IND_CODE",
                    "\(row.service) has no indicator \(row.indicator.prefix(20))")
            }
        }
        guard violations.isEmpty else { throw Failure.cqrsFile(violations) }
        rows.sort { ($0.service, $0.date, $0.provider) < ($1.service, $1.date, $1.provider) }
        var grouped: [(service: String, date: CalendarDate, provider: String, points: [(String, Points)])] =
            []
        for row in rows {
            if let last = grouped.last, last.service == row.service, last.date == row.date,
                last.provider == row.provider.value
            {
            } else {
                grouped.append((row.service, row.date, row.provider.value, []))
            }
            if let points = row.points { grouped[grouped.count - 1].points.append((row.indicator, points)) }
        }
        let submission = submission(
            first, file, rows: rows.count, providers: Set(rows.map(\.provider)).count,
            services: rows.map(\.service))
        if first.dryRun { return dryRun(submission) }
        let sets = grouped
        return try await call.commit { transaction in
            var submission = submission
            submission.id = transaction.newIdentifier()
            submission.at = transaction.now
            submission.added = submission.rows
            let seq = try CountStore.record(submission, in: transaction)
            try CountStore.addStated(sets, seq: seq, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "submission/\(submission.id)", detail: "stated points, \(submission.rows) rows"))
            return Pcs_Cqrs_V1_ExtractLoad(submission)
        }
    }

    func loadParticipation(_ requests: RequestStream<Pcs_Cqrs_V1_LoadExtractRequest>) async throws
        -> Pcs_Cqrs_V1_ExtractLoad
    {
        let first = requests.first
        let file = try await Upload.collect(requests, name: first.fileName, limit: 64 << 20) {
            Array($0.data)
        }
        if let earlier = try earlier(first, file) { return earlier }
        var (rows, violations) = ParticipationListFile.read(file.bytes)
        let organisations = context.organisations
        var versions: [String: ServiceStore.Record] = [:]
        try context.store.read { reader in
            for service in Set(rows.map(\.service)) {
                versions[service] = try ServiceStore.published(service, reader)
            }
            let live = try Set(
                versions.keys.flatMap { service in
                    try ParticipantList.participants(
                        in: service, on: rows.first { $0.service == service }?.start ?? call.today, reader
                    ).map { service + " " + $0.provider }
                })
            for row in rows {
                func refuse(_ field: String, _ rule: String, _ message: String) {
                    let column = (ParticipationListFile.columns.firstIndex(of: field) ?? -1) + 1
                    violations.add(rule, row: row.line, column: column, field: field, message)
                }
                guard let record = versions[row.service] else {
                    refuse(
                        "QUALITY_SERVICE", "DAT-1",
                        "there is no service \(row.service.prefix(20)) that is published")
                    continue
                }
                if organisations.organisation(row.provider, at: row.start) == nil {
                    refuse("SP_ORG_CODE", "EXT02", "\(row.provider) is not in the register on \(row.start)")
                }
                if !record.definition.covers(row.start) {
                    refuse("PART_ST_DT", "EXT03", "\(row.service) does not run on \(row.start)")
                }
                if live.contains(row.service + " " + row.provider.value) {
                    refuse("SP_ORG_CODE", "4.2", "\(row.provider) takes part in \(row.service) already")
                }
            }
        }
        guard violations.isEmpty else { throw Failure.cqrsFile(violations) }
        let submission = submission(
            first, file, rows: rows.count, providers: Set(rows.map(\.provider)).count,
            services: rows.map(\.service))
        if first.dryRun { return dryRun(submission) }
        let adding = rows.map { row in
            let isNetwork = versions[row.service]?.definition.offerUnit == .pcn
            let commissioner =
                ODSCode(row.commissioner) ?? organisations.commissioner(of: row.provider, at: row.start)
            let participant = ParticipantList.Participant(
                provider: row.provider.value,
                pcn: isNetwork ? organisations.pcn(of: row.provider, at: row.start)?.value ?? "" : "",
                commissioner: commissioner?.value ?? "")
            return (
                participant: participant, service: row.service,
                version: versions[row.service]?.definition.version ?? 1,
                start: row.start, end: row.end
            )
        }
        return try await call.commit { transaction in
            var submission = submission
            submission.id = transaction.newIdentifier()
            submission.at = transaction.now
            submission.added = submission.rows
            _ = try CountStore.record(submission, in: transaction)
            try ParticipantList.add(adding, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "submission/\(submission.id)",
                    detail: "participation list, \(submission.rows) rows"))
            return Pcs_Cqrs_V1_ExtractLoad(submission)
        }
    }

    private func earlier(_ first: Pcs_Cqrs_V1_LoadExtractRequest, _ file: UploadedFile) throws
        -> Pcs_Cqrs_V1_ExtractLoad?
    {
        guard
            let load = try context.store.read({
                try CountStore.load(format: first.format.rawValue, file.sha256, $0)
            })
        else { return nil }
        var reply = Pcs_Cqrs_V1_ExtractLoad(load)
        reply.alreadyLoaded = true
        return reply
    }

    private func submission(
        _ first: Pcs_Cqrs_V1_LoadExtractRequest, _ file: UploadedFile, rows: Int, providers: Int,
        services: [String]
    ) -> CountStore.Submission {
        var submission = CountStore.Submission()
        submission.format = first.format.rawValue
        submission.fileName = file.name
        submission.sha256 = file.sha256
        submission.rows = Int64(rows)
        submission.providers = Int64(providers)
        submission.services = Set(services).sorted().joined(separator: " ")
        submission.reason = first.reason
        submission.by = call.caller.responsible
        return submission
    }

    private func dryRun(_ submission: CountStore.Submission) -> Pcs_Cqrs_V1_ExtractLoad {
        var reply = Pcs_Cqrs_V1_ExtractLoad(submission)
        reply.dryRun = true
        return reply
    }
}
