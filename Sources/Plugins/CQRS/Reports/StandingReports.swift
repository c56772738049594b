import CqrsContract
import PluginAPI

// Who takes part, who belongs where, who did what.
extension ReportBuilder {
    func participationStatus(into table: inout ReportTable) throws {
        for record in try scope.participations(reader)
        where query.service.isEmpty || record.service == query.service {
            guard record.start <= query.to, record.end.map({ $0 >= query.from }) ?? true else { continue }
            let offer = try ParticipationStore.offer(record.offer, reader)
            let accepted = try ParticipationStore.steps(of: record.id, reader).first {
                $0.to == ParticipationState.accepted.rawValue
            }
            table.append(
                [record.service, record.provider, name(record.provider, on: record.start), record.pcn]
                    + place(record.provider, record.commissioner, on: record.start)
                    + [
                        "\(record.state)", Cell.day(offer?.offerOn), Cell.moment(accepted?.at),
                        Cell.day(record.start),
                    ]
                    + [
                        Cell.day(record.end), Cell.day(record.answerBy), Cell.yes(record.isAutomatic),
                        offer?.contract ?? "",
                    ]
                    + [record.reason, asOf])
        }
    }

    /// Memberships that touch the span; a practice or network sees those of today only (S14).
    func networkRelationship(into table: inout ReportTable) throws {
        let isProvider = scope.kind == .pcn || scope.kind == .practice
        let (from, to) = isProvider ? (today, today) : (query.from, min(query.to, today))
        guard from <= to else { return }
        var practices = Set(scope.practices(on: to) + scope.practices(on: from))
        // A practice sees its whole network.
        if scope.kind == .practice, let own = scope.organisation,
            let pcn = context.organisations.pcn(of: own, at: today)
        {
            practices.formUnion(context.organisations.members(of: pcn, at: today))
        }
        for practice in practices.sorted() {
            var day = from
            while day <= to {
                guard let pcn = context.organisations.pcn(of: practice, at: day) else {
                    day = day.adding(days: 1)
                    continue
                }
                let span = Membership(organisations: context.organisations, pcn: pcn).span(
                    of: practice, around: day)
                table.append(
                    [pcn.value, name(pcn.value, on: day), practice.value, name(practice.value, on: day)]
                        + place(practice.value, "", on: day) + [Cell.day(span.from), Cell.day(span.to), asOf])
                guard let end = span.to else { break }
                day = end.adding(days: 1)
            }
        }
    }

    /// GEN-6: who, acting for whom, with which role, when, from and to, why, and the figures seen.
    func audit(into table: inout ReportTable) throws {
        var rows: [(at: Instant, cells: [String])] = []
        let records = try scope.declarations(from: query.from, to: query.to, reader).filter {
            query.service.isEmpty || $0.service == query.service
        }
        for record in records {
            for step in try DeclarationStore.steps(of: record.id, reader) {
                let (from, to) = (DeclarationState(rawValue: step.from), DeclarationState(rawValue: step.to))
                rows.append(
                    (
                        step.at,
                        [
                            Cell.moment(step.at), step.by, step.actingFor, Self.role(from, to, by: step.by),
                            "declaration/" + record.id, record.provider, record.service,
                            record.date.description,
                            from?.name ?? "", to?.name ?? "", step.reason, step.figures, asOf,
                        ]
                    ))
            }
        }
        for record in try scope.participations(reader)
        where query.service.isEmpty || record.service == query.service {
            for step in try ParticipationStore.steps(of: record.id, reader) {
                let day = LondonTime.day(at: step.at)
                guard day >= query.from || record.start <= query.to else { continue }
                func word(_ number: Int) -> String {
                    ParticipationState(rawValue: number).map { "\($0)" } ?? ""
                }
                rows.append(
                    (
                        step.at,
                        [
                            Cell.moment(step.at), step.by, "",
                            step.by == "system" ? "system" : "Service Management",
                            "participation/" + record.id, record.provider, record.service, "",
                            word(step.from),
                            word(step.to), step.reason, "", asOf,
                        ]
                    ))
            }
        }
        for row in rows.sorted(by: { $0.at < $1.at }) { table.append(row.cells) }
    }

    /// The role that takes this step (7.2).
    private static func role(_ from: DeclarationState?, _ to: DeclarationState?, by actor: String) -> String {
        if actor == "system" { return "system" }
        switch (from, to) {
        case (.awaitingProvider?, .awaitingCommissioner?), (.awaitingProvider?, .queried?):
            return "Declaration Management"
        case (.awaitingFinance?, _), (_, .financiallyApproved?): return "Finance Management"
        case (.awaitingCommissioner?, _), (.queried?, _), (nil, .awaitingFinance?):
            return "Approval Management"
        default: return "CQRS operator"
        }
    }
}
