import CommonContract
import CqrsContract
import HostContract
import PluginAPI

/// Prior-year achievement becomes monthly aspiration (cqrs.md 6.6).
struct AspirationLoading {
    let context: PluginContext
    let call: CallContext

    func load(_ requests: RequestStream<Pcs_Cqrs_V1_LoadAspirationsRequest>) async throws
        -> Pcs_Cqrs_V1_AspirationLoad
    {
        let first = requests.first
        let file = try await Upload.collect(requests, name: first.fileName) { Array($0.data) }
        let (rows, violations) = AspirationFile.read(file.bytes)
        guard violations.isEmpty else { throw Failure.cqrsFile(violations) }
        let (actor, isDryRun) = (call.caller.responsible, first.dryRun)
        @Sendable func reply(_ computed: [Explanation]) -> Pcs_Cqrs_V1_AspirationLoad {
            .with {
                $0.providers = Int64(rows.count)
                $0.monthlyPence = computed.reduce(0) { $0 + $1.amount.pence }
                $0.sha256 = file.sha256
                $0.dryRun = isDryRun
            }
        }
        if isDryRun { return try context.store.read { reply(try compute(rows, $0)) } }
        return try await call.commit { transaction in
            let computed = try compute(rows, transaction)
            let load = try ReferenceStore.record(
                .aspiration, file, rows: rows.count, by: actor, in: transaction)
            for (row, explanation) in zip(rows, computed) {
                try AspirationStore.add(row, explanation, seq: load, in: transaction)
                let event = Pcs_Cqrs_V1_AspirationSet.with {
                    $0.providerCode = row.provider.value
                    $0.financialYear = row.year.description
                    $0.priorAchievementPence = row.achieved.pence
                    $0.monthlyPence = explanation.amount.pence
                }
                try transaction.publish(event, key: row.provider.value)
            }
            transaction.audit(
                AuditNote(
                    object: "aspiration/\(load)", detail: "\(rows.count) providers, sha256 \(file.sha256)"))
            return reply(computed)
        }
    }

    private func compute(_ rows: [AspirationFile.Row], _ reader: any Reader) throws -> [Explanation] {
        let figures = NationalFigures(try ReferenceStore.constants(reader))
        func input(_ name: String, _ figure: NationalFigures.Figure, _ unit: Explanation.Unit)
            -> Explanation.Input
        {
            .init(
                name, figure.value, unit,
                from: .init("national constant", version: figure.version, note: figure.source),
                asOf: figure.asOf)
        }
        return try refusingCQRS {
            try rows.map { row in
                let day = row.year.firstDay
                let value = try figures.figure("value_per_point", "QOF", on: day)
                let prior = try figures.figure("value_per_point", "QOF", on: day.adding(days: -1))
                let rate = try figures.figure("aspiration_percent", "QOF", on: day)
                return try AspirationPayment.monthly(
                    prior: .init(
                        "prior achievement", row.achieved.pounds, .pounds,
                        from: .init("aspiration file", note: row.source),
                        asOf: day.adding(days: -1)),
                    value: input("value per point", value, .pounds),
                    priorValue: input("prior value per point", prior, .pounds),
                    rate: input("rate", rate, .percent))
            }
        }
    }
}

/// Aspiration of one provider and year against its achievement.
enum AspirationView {
    static func read(_ request: Pcs_Cqrs_V1_GetAspirationRequest, _ reader: any Reader) throws
        -> Pcs_Cqrs_V1_Aspiration
    {
        guard let year = FinancialYear(request.financialYear) else {
            throw Failure.field("financial_year", "GEN-1", "A financial year is written 2026/27.")
        }
        guard let row = try AspirationStore.latest(request.providerCode, year, reader) else {
            throw Failure(CqrsReasons.resultUnknown, "No aspiration is set for \(year).")
        }
        let achievement = try ServiceStore.all(reader).last {
            $0.definition.financialYear == year.description && $0.definition.method == .qof
        }.flatMap { record in
            try CalculationStore.results(
                of: request.providerCode, .init(service: record.definition.code, date: year.lastDay), reader
            ).first
        }
        // What falls due by the year's end; payments that were stopped come back as corrections of the payer.
        let paid = row.monthlyPence * 12
        return try .with {
            $0.providerCode = request.providerCode
            $0.financialYear = year.description
            $0.priorAchievementPence = row.priorPence
            $0.monthlyPence = row.monthlyPence
            $0.paidPence = paid
            $0.achievementKnown = achievement?.isComplete ?? false
            if let achievement, achievement.isComplete {
                $0.achievementPence = achievement.totalPence
                $0.balancePence = achievement.totalPence - paid
            }
            $0.explanation = try ResultView.message(row.explanation, number: 1, indicator: "")
        }
    }
}
