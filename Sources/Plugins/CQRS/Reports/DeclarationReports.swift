import CqrsContract
import PluginAPI

// What is declared, approved and paid.
extension ReportBuilder {
    func declarationManagement(into table: inout ReportTable) throws {
        for record in try declarations() {
            let steps = try history(record)
            let declared = steps.last(into: .awaitingCommissioner)
            table.append([
                record.id, "\(record.kind)", record.service, record.date.description, record.provider,
                name(record.provider, on: record.date), record.pcn, record.state.name,
                Cell.pounds(record.pence),
                Cell.pounds(record.penceBefore), declared.by, declared.at,
                try DeclarationHandlers.heldBecause(record, reader) ?? "", record.calculation, asOf,
            ])
        }
    }

    /// Each member, also one that has no declaration yet, and whether it holds the network up (R9).
    func networkDeclarations(into table: inout ReportTable) throws {
        let records = try declarations().filter { !$0.pcn.isEmpty && $0.provider != $0.pcn }
        let keys = Set(records.map { IndicatorValuesFile.Key(service: $0.service, date: $0.date) })
        for key in keys.sorted(by: { ($0.service, $0.date) < ($1.service, $1.date) }) {
            let live = Dictionary(
                records.filter { $0.service == key.service && $0.date == key.date }.map { ($0.provider, $0) },
                uniquingKeysWith: { first, _ in first })
            let isSummed =
                try ServiceStore.published(key.service, reader)?.definition.flags.contains(.pcnAggregated)
                ?? false
            for participant in try scope.participants(key, reader) where !participant.pcn.isEmpty {
                let practice = participant.provider
                let record = live[practice]
                let steps = try record.map { try history($0) } ?? Steps(steps: [])
                let isApproved =
                    record.map { $0.state == .awaitingNetwork || $0.state == .aggregated } ?? false
                let (declared, approved) = (steps.last(into: .awaitingCommissioner), steps.approved)
                table.append([
                    participant.pcn, name(participant.pcn, on: key.date), practice,
                    name(practice, on: key.date), key.service,
                    key.date.description, record?.state.name ?? "No declaration",
                    record.map { Cell.pounds($0.pence) } ?? "",
                    declared.by, declared.at, approved.by, approved.at, Cell.yes(isSummed && !isApproved),
                    record?.id ?? "",
                    record?.calculation ?? "", asOf,
                ])
            }
        }
    }

    /// When it was paid, or will be, under which reference.
    private func payment(_ record: DeclarationStore.Record) throws -> [String] {
        let own = record.aggregatedInto.isEmpty ? record.id : record.aggregatedInto
        let first = try InstructionStore.of(declaration: own, reader).first
        return [
            first.map { $0.agencyReference.isEmpty ? $0.id : $0.agencyReference } ?? "",
            Cell.day(first?.paidOn),
        ]
    }

    func providerPayments(into table: inout ReportTable) throws {
        let source = try ResultSource(reader)
        for record in try declarations() where record.kind != .aggregated {
            let key = IndicatorValuesFile.Key(service: record.service, date: record.date)
            let pcn = pcn(of: record.provider, on: record.date)
            let payee =
                record.payee.isEmpty && !pcn.isEmpty ? try payee(of: pcn, on: record.date) : record.payee
            let steps = try history(record)
            let first = [
                record.id, "\(record.kind)", record.provider, name(record.provider, on: record.date), pcn,
                name(pcn, on: record.date), payee, name(payee, on: today),
                try weightedList(record.provider, on: record.date), record.service, record.date.description,
            ]
            let last =
                try [
                    Cell.pounds(record.pence), record.state.name, steps.last(into: .awaitingCommissioner).at,
                    steps.approved.at,
                    steps.last(into: .financiallyApproved).at,
                ] + payment(record) + [record.calculation, asOf]
            let view =
                record.adjusts.isEmpty
                ? try source.view(of: record.provider, key, calculation: record.calculation) : nil
            guard let view else {
                table.append(first + ["1", "difference", "", "", Cell.pounds(record.pence)] + last)
                continue
            }
            for line in try view.payment().lines {
                table.append(
                    first + [
                        "\(line.number)", line.label, Points(hundredths: line.pointsHundredths).description,
                    ]
                        + ["\(line.quantity)", Cell.pounds(line.amountPence)] + last)
            }
        }
    }

    func aggregatedPayments(into table: inout ReportTable) throws {
        for sum in try declarations() where sum.kind == .aggregated {
            let payee = sum.payee.isEmpty ? try payee(of: sum.provider, on: today) : sum.payee
            let sumSteps = try history(sum)
            for part in try DeclarationStore.parts(of: sum.id, reader)
            where scope.contains(
                part.provider, pcn: part.pcn, commissioner: part.commissioner, service: part.service,
                on: part.date)
            {
                table.append(
                    try [
                        sum.id, sum.provider, name(sum.provider, on: sum.date), payee, name(payee, on: today),
                        sum.service,
                        sum.date.description, part.provider, name(part.provider, on: sum.date),
                        weightedList(part.provider, on: sum.date), Cell.pounds(part.pence),
                        Cell.pounds(sum.pence),
                        sum.state.name, history(part).approved.at,
                        sumSteps.last(into: .financiallyApproved).at,
                    ] + payment(sum) + [part.calculation, asOf])
            }
        }
    }
}
