import CqrsContract
import Digests
import HostContract
import PluginAPI

/// A dispute of counts: the provider's own figures are checked and kept, and on acceptance become a submission of their own
/// from which everything is calculated again (R6).
struct DisputeDesk {
    let desk: DeclarationDesk
    private var transaction: any Transaction { desk.transaction }

    /// Whether the declaration stands on one practice's counts.
    private static func hasOwnCounts(_ record: DeclarationStore.Record, _ definition: ServiceDefinition)
        -> Bool
    {
        record.kind == .achievement && definition.method != .population
            && (definition.offerUnit == .practice || definition.flags.contains(.pcnAggregated))
    }

    /// The figures as they may be kept, or every breach at once.
    func figures(
        _ counts: [Pcs_Cqrs_V1_DisputedCount], of record: DeclarationStore.Record,
        _ definition: ServiceDefinition
    ) throws -> [DisputeStore.Figure] {
        guard !counts.isEmpty else { return [] }
        var fields = RequestFields()
        if !Self.hasOwnCounts(record, definition) {
            fields.refuse(
                "counts", "R6", "The declaration does not stand on counts of \(record.provider) itself.")
        }
        let view = try FiguresView(
            .init(service: record.service, date: record.date), provider: record.provider, transaction)
        var figures: [DisputeStore.Figure] = []
        for (index, count) in counts.enumerated() {
            let place = "counts[\(index)]"
            guard let indicator = definition.indicators.first(where: { $0.code == count.indicatorCode })
            else {
                fields.refuse(
                    place + ".indicator_code", "DAT-9",
                    "There is no indicator \(count.indicatorCode.prefix(20)).")
                continue
            }
            guard indicator.fields.contains(where: { $0.name == count.field }) else {
                fields.refuse(
                    place + ".field", "DAT-9", "\(indicator.code) has no field \(count.field.prefix(40)).")
                continue
            }
            if !(0...99_999_999).contains(count.value) {
                fields.refuse(place + ".value", "DAT-9", "A count is 0 to 99,999,999.")
            }
            let figure = DisputeStore.Figure(
                indicator: indicator.code, field: count.field, value: count.value)
            if figures.contains(where: { $0.indicator == figure.indicator && $0.field == figure.field }) {
                fields.refuse(
                    place + ".field", "DAT-14", "\(figure.indicator) \(figure.field) is given twice.")
            }
            figures.append(figure)
        }
        for indicator in definition.indicators
        where figures.contains(where: { $0.indicator == indicator.code }) {
            for (least, most) in [
                (CountField.Role.numerator, CountField.Role.denominator), (.count, .maximum),
            ] {
                guard let least = indicator.field(least), let most = indicator.field(most) else { continue }
                func value(_ field: String) -> Int64? {
                    figures.first { $0.indicator == indicator.code && $0.field == field }?.value
                        ?? view.cell(indicator.code, field)?.value
                }
                if let low = value(least), let high = value(most), low > high {
                    fields.refuse(
                        "counts", "DAT-9", "\(indicator.code): \(least) \(low) is over \(most) \(high).")
                }
            }
        }
        try fields.finish()
        return figures
    }

    /// Accepted: both figures stay, the agreed one counts, and the declaration is made anew.
    /// - Returns: the new declaration; the disputed one when the dispute was in words only.
    func accept(_ record: DeclarationStore.Record, _ definition: ServiceDefinition, reason: String) throws
        -> DeclarationStore.Record
    {
        let figures = try DisputeStore.figures(of: record.id, transaction)
        guard !figures.isEmpty else { return record }
        let key = DeclarationDesk.Key(service: record.service, date: record.date)
        let numbers = try CountStore.numbers(
            of: figures.map { .init(indicator: $0.indicator, field: $0.field) }, in: transaction)
        let cells = zip(numbers, figures).map { CountCell(cell: $0, value: $1.value, flags: .isLocked) }
            .sorted { $0.cell < $1.cell }
        var submission = CountStore.Submission()
        submission.id = transaction.newIdentifier()
        submission.source = .agreed
        submission.services = key.service
        submission.rows = Int64(cells.count)
        submission.providers = 1
        submission.reason = reason
        submission.by = desk.actor
        let seq = try CountStore.record(submission, in: transaction)
        try CountStore.add([(record.provider, CountCoding.bytes(cells))], to: key, seq: seq, in: transaction)
        transaction.audit(
            AuditNote(
                object: "submission/\(submission.id)", organisation: record.provider,
                detail: "\(key.service) \(key.date): \(cells.count) figures agreed after a dispute"))
        try desk.calculate(key, [record.provider])
        guard let result = try CalculationStore.results(of: record.provider, key, transaction).first else {
            return record
        }
        try desk.retire(record, .supersede, reason: "dispute accepted: " + reason)
        var again = record
        again.declaredBy = ""
        again.approvedBy = ""
        again.take(result)
        return try desk.draft(
            again, definition,
            reason: "figures agreed: \(Money(pence: record.pence)) -> \(Money(pence: again.pence)) pounds")
    }
}

extension DeclarationStore.Record {
    /// Stands on this result from now on; what it was worth before is remembered.
    mutating func take(_ result: CalculationStore.Stored) {
        penceBefore = pence
        calculation = result.id
        pence = result.totalPence
        figures = Digest.hex(Digest.sha256(result.figures + result.body))
    }
}

extension DeclarationDesk {
    /// Calculates these providers of a service and date, or all, and stores what comes out differently.
    @discardableResult
    func calculate(_ key: Key, _ providers: Set<String>) throws -> CalculationStore.Run {
        let outcome = try refusingCQRS {
            try CalculationJob(context: context, key: key, only: providers).run(transaction)
        }
        var run = outcome.run
        if outcome.changed.isEmpty {
            // Whatever came in changes nothing: the run says that it was looked at, and a held one stays held.
            guard providers.isEmpty else { return run }
            let last = try CalculationStore.runs(transaction).first {
                $0.service == key.service && $0.date == key.date
            }
            run.state = last?.state ?? .released
        }
        run.by = actor
        run.at = transaction.now
        run.id = transaction.newIdentifier()
        try CalculationStore.add(run, in: transaction)
        try CalculationStore.add(outcome.changed, key, in: transaction)
        return run
    }
}
