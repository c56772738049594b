import CommonContract
import CqrsContract
import HostContract
import PluginAPI

/// What an offer would do (4.1, steps 1 to 4): its terms, and each provider with the rule that refuses it.
struct OfferPlan {
    struct Line {
        var provider: ODSCode
        var name: String
        var pcn: String
        var refused = ""
    }

    let definition: ServiceDefinition
    let commissioner: ODSCode
    let start: CalendarDate
    let end: CalendarDate
    let answerBy: CalendarDate?
    let offerOn: CalendarDate
    let isAutomatic: Bool
    let contract: String
    private(set) var lines: [Line] = []

    /// Services that reach all members of a network.
    static func isByNetwork(_ definition: ServiceDefinition) -> Bool {
        definition.offerUnit == .pcn || definition.flags.contains(.pcnAggregated)
    }

    init(
        _ request: Pcs_Cqrs_V1_CreateOfferRequest, _ context: PluginContext, today: CalendarDate,
        _ reader: any Reader
    )
        throws
    {
        guard let commissioner = ODSCode(request.commissionerCode),
            let body = context.organisations.organisation(commissioner, at: today)
        else { throw Failure.field("commissioner_code", "4.1", "There is no such commissioner.") }
        guard body.kind != .icb else { throw Failure(CqrsReasons.icbMayNotAct) }
        let record =
            request.serviceVersion == 0
            ? try ServiceStore.published(request.serviceCode, reader)
            : try ServiceStore.record(request.serviceCode, Int(request.serviceVersion), reader)
        guard let record else { throw Failure(CqrsReasons.serviceUnknown) }
        guard record.state == .published else {
            throw Failure(CqrsReasons.serviceStateWrong, "\(request.serviceCode) is \(record.state).")
        }
        definition = record.definition
        self.commissioner = commissioner
        start = (request.hasStartOn ? request.startOn.calendarDate : nil) ?? definition.startOn
        end = (request.hasEndOn ? request.endOn.calendarDate : nil) ?? definition.endOn
        answerBy = request.hasAnswerBy ? request.answerBy.calendarDate : nil
        offerOn = (request.hasOfferOn ? request.offerOn.calendarDate : nil) ?? today
        contract = String(request.contractReference.prefix(200))
        guard start <= end, definition.covers(start), definition.covers(end) else {
            throw Failure.field(
                "start_on", "4.1",
                "The days are within \(definition.startOn) to \(definition.endOn), the first before the last."
            )
        }
        guard offerOn >= today else {
            throw Failure.field("offer_on", "R3", "An offer is made today or later.")
        }
        let isByNetwork = Self.isByNetwork(definition)
        isAutomatic =
            isByNetwork || (definition.flags.contains(.autoAcceptOffer) && request.automaticallyAccept)
        if isByNetwork {
            guard request.automaticallyAccept else {
                throw Failure.field(
                    "automatically_accept", "4.1", "A network service is accepted automatically.")
            }
            guard request.providerCodes.isEmpty else { throw Failure(CqrsReasons.wholeNetworkOnly) }
            lines = try members(request, context, reader)
        } else {
            guard answerBy.map({ $0 >= offerOn }) ?? false else {
                throw Failure.field(
                    "answer_by", "4.1", "A day by which to answer, not before the offer, is needed.")
            }
            guard request.pcnCodes.isEmpty, (1...10_000).contains(request.providerCodes.count),
                Set(request.providerCodes).count == request.providerCodes.count
            else { throw Failure.field("provider_codes", "4.1", "Name 1 to 10,000 providers, each once.") }
            lines = request.providerCodes.map { text in
                let code = ODSCode(text)
                let entry = code.flatMap { context.organisations.organisation($0, at: start) }
                return Line(
                    provider: code ?? commissioner, name: entry?.name ?? "",
                    pcn: definition.paymentType == .pcn
                        ? code.flatMap { context.organisations.pcn(of: $0, at: start)?.value } ?? "" : "",
                    refused: entry == nil ? "there is no provider \(text.prefix(12))" : "")
            }
        }
        let live = Dictionary(
            grouping: try ParticipationStore.of(service: definition.code, reader).filter(\.state.isLive),
            by: \.provider)
        for index in lines.indices where lines[index].refused.isEmpty {
            lines[index].refused = refusal(lines[index], context, live[lines[index].provider.value] ?? [])
        }
    }

    /// Step 3 is skipped: every member of every network that the commissioner leads, also those commissioned elsewhere
    /// (ORG-5).
    private func members(
        _ request: Pcs_Cqrs_V1_CreateOfferRequest, _ context: PluginContext, _ reader: any Reader
    ) throws -> [Line] {
        var led: Set<String> = []
        for practice in context.organisations.practices(commissionedBy: commissioner, at: start) {
            if let pcn = context.organisations.pcn(of: practice, at: start) { led.insert(pcn.value) }
        }
        led.formUnion(try NetworkStore.withLead(reader))
        led = try led.filter { pcn in
            try NetworkStore.lead(of: pcn, on: start, reader)
                ?? ODSCode(pcn)
                .flatMap { context.organisations.commissioner(of: $0, at: start)?.value }
                == commissioner.value
        }
        for pcn in request.pcnCodes where !led.contains(pcn) {
            throw Failure(
                CqrsReasons.providerOutsideScope,
                "\(commissioner) is not the lead commissioner of \(pcn.prefix(12)).")
        }
        let chosen = request.pcnCodes.isEmpty ? led.sorted() : Set(request.pcnCodes).sorted()
        return chosen.compactMap { ODSCode($0) }.flatMap { pcn in
            context.organisations.members(of: pcn, at: start).sorted().map { member in
                Line(
                    provider: member, name: context.organisations.organisation(member, at: start)?.name ?? "",
                    pcn: pcn.value)
            }
        }
    }

    private func refusal(_ line: Line, _ context: PluginContext, _ live: [ParticipationStore.Record])
        -> String
    {
        guard let entry = context.organisations.organisation(line.provider, at: start) else {
            return "is not in the register"
        }
        let kind =
            entry.kind == .practice
            ? "PRACTICE" : entry.kind == .pcn ? "PCN" : entry.kind == .pharmacy ? "PHARMACY" : "OTHER"
        guard definition.providerKinds.isEmpty || definition.providerKinds.contains(kind) else {
            return "3.1: \(kind) may not take part"
        }
        if !Self.isByNetwork(definition) {
            let own = context.organisations.commissioner(of: line.provider, at: start)
            let region = context.organisations.region(of: line.provider, at: start)
            guard own == commissioner || region == commissioner else {
                return "ORG-2: is not commissioned by \(commissioner)"
            }
        }
        if let one = live.first(where: { $0.start <= end && ($0.end ?? end) >= start }) {
            return "4.2: takes part or is offered already (\(one.id))"
        }
        return ""
    }

    /// All or nothing, with every provider that is refused.
    func requireAll() throws {
        guard !lines.isEmpty else {
            throw Failure(CqrsReasons.providerOutsideScope, "Nobody would be offered the service.")
        }
        let refused = lines.enumerated().filter { !$0.element.refused.isEmpty }
        guard let first = refused.first else { return }
        let isOnlyTwice = refused.allSatisfy { $0.element.refused.hasPrefix("4.2") }
        throw Failure(
            isOnlyTwice ? CqrsReasons.alreadyParticipating : CqrsReasons.providerOutsideScope,
            "\(first.element.provider) \(first.element.refused)",
            violations: refused.prefix(100).map { index, line in
                Violation(
                    field: "provider_codes",
                    rule: line.refused.split(separator: ":").first.map(String.init) ?? "4.1",
                    message: "\(line.provider) \(line.refused)", row: index + 1)
            }, violationCount: refused.count)
    }

    func offer(id: String, by actor: String, at instant: Instant) -> ParticipationStore.Offer {
        ParticipationStore.Offer(
            id: id, commissioner: commissioner.value, service: definition.code, version: definition.version,
            start: start, end: end, answerBy: isAutomatic ? nil : answerBy, offerOn: offerOn,
            isAutomatic: isAutomatic,
            contract: contract, by: actor, at: instant)
    }
}
