import CommonContract
import CqrsContract
import HostContract
import PluginAPI

/// What an offer would record: the contract and each provider's part, or everything that refuses it (10.3).
struct LocalContractPlan {
    typealias Request = Pcs_Cqrs_V1_OfferLocalContractRequest

    private(set) var contract: LocalContractStore.Contract
    private(set) var parts: [LocalContractStore.Part] = []

    init(
        _ request: Request, _ commissioner: ODSCode, _ context: PluginContext, _ call: CallContext,
        _ transaction: any Transaction
    ) throws {
        var fields = RequestFields()
        let (start, end) = (request.startOn.calendarDate, request.endOn.calendarDate)
        if !(3...120).contains(request.name.count) {
            fields.refuse("name", "10.3", "A name of 3 to 120 characters is needed.")
        }
        if start == nil || end == nil || (start ?? .distantFuture) > (end ?? .distantFuture) {
            fields.refuse("start_on", "10.3", "A first and a last day are needed, in this order.")
        }
        if !request.isOffer, !(3...200).contains(request.paperReference.count) {
            fields.refuse(
                "paper_reference", "10.3", "Without an offer the reference of the signed contract is needed.")
        }
        if !(1...20_000).contains(request.providers.count) {
            fields.refuse("providers", "10.3", "Name 1 to 20,000 providers.")
        }
        let schemes = try Self.schemes(request, commissioner.value, start, end, transaction, &fields)
        try fields.finish()
        let from = start ?? call.today
        contract = LocalContractStore.Contract(
            id: transaction.newIdentifier(), commissioner: commissioner.value, name: request.name,
            isOffer: request.isOffer, start: from, end: end ?? from,
            paper: request.isOffer ? "" : request.paperReference, by: call.caller.responsible,
            at: transaction.now)
        for item in request.items { contract.items[item.serviceID] = Set(item.componentIds) }
        let taken = try Self.taken(schemes, transaction)
        var seen: Set<String> = []
        for (index, offer) in request.providers.enumerated() {
            let path = "providers[\(index)]"
            guard seen.insert(offer.providerCode).inserted else {
                fields.refuse(path, "10.3", "\(offer.providerCode) is named twice.")
                continue
            }
            guard let kind = Self.kind(offer, path, commissioner, from, context, schemes, &fields) else {
                continue
            }
            if let other = taken[offer.providerCode]?.first(where: { overlaps($0) }) {
                fields.refuse(
                    path, "10.3",
                    "\(offer.providerCode) has contract \(other.id) for the same components and days.")
                continue
            }
            parts.append(
                LocalContractStore.Part(
                    contract: contract.id, provider: offer.providerCode, kind: kind,
                    group: offer.providerGroup,
                    state: request.isOffer ? .pending : .active,
                    isBulkAgreed: !request.isOffer && offer.bulkAgreed,
                    answeredBy: request.isOffer ? "" : call.caller.responsible,
                    answeredAt: request.isOffer ? nil : transaction.now))
        }
        try fields.finish(CqrsReasons.providerOutsideScope)
    }

    private static func schemes(
        _ request: Request, _ commissioner: String, _ start: CalendarDate?, _ end: CalendarDate?,
        _ reader: any Reader,
        _ fields: inout RequestFields
    ) throws -> [LocalScheme] {
        if !(1...100).contains(request.items.count)
            || Set(request.items.map(\.serviceID)).count != request.items.count
        {
            fields.refuse("items", "10.3", "Name 1 to 100 services, each once.")
        }
        var schemes: [LocalScheme] = []
        for (index, item) in request.items.enumerated() {
            let path = "items[\(index)]"
            guard let record = try LocalSchemeStore.present(item.serviceID, reader),
                record.state == .published,
                record.scheme.isOpen(to: commissioner)
            else {
                fields.refuse(
                    path, "10.3", "\(item.serviceID.prefix(40)) is no published service of this commissioner."
                )
                continue
            }
            let scheme = record.scheme
            for component in item.componentIds where scheme.component(component) == nil {
                fields.refuse(path, "10.3", "\(component.prefix(20)) is no component of \(scheme.name).")
            }
            if let start, let end, !scheme.covers(start) || !scheme.covers(end) {
                fields.refuse(
                    path, "10.3", "The contract lies within \(scheme.name), \(scheme.start) to \(scheme.end)."
                )
            }
            schemes.append(scheme)
        }
        return schemes
    }

    /// What the register says the provider is; where it cannot tell, what the commissioner says. ORG-2 for practices.
    private static func kind(
        _ offer: Pcs_Cqrs_V1_LocalContractOffer, _ path: String, _ commissioner: ODSCode,
        _ start: CalendarDate,
        _ context: PluginContext, _ schemes: [LocalScheme], _ fields: inout RequestFields
    ) -> LocalProviderKind? {
        guard let code = ODSCode(offer.providerCode),
            let entry = context.organisations.organisation(code, at: start), entry.status != .inactive
        else {
            fields.refuse(
                path, "10.3",
                "\(offer.providerCode.prefix(12)) is not in the register on \(start), or closed.")
            return nil
        }
        let stated = LocalProviderKind(rawValue: offer.kind.rawValue)
        guard let kind = LocalProviderKind(entry.kind) ?? stated, stated == nil || stated == kind else {
            fields.refuse(
                path + ".kind", "10.1", "The kind of \(code) is needed, and agrees with the register.")
            return nil
        }
        if let other = schemes.first(where: { !$0.kinds.contains(kind) }) {
            fields.refuse(path, "10.1", "\(other.name) is not for providers of kind \(kind.group).")
            return nil
        }
        if kind == .gpPractice || kind == .pcn, !commissions(commissioner, code, start, context) {
            fields.refuse(path, "ORG-2", "\(code) is not commissioned by \(commissioner) on \(start).")
            return nil
        }
        return kind
    }

    private static func commissions(
        _ commissioner: ODSCode, _ provider: ODSCode, _ day: CalendarDate, _ context: PluginContext
    ) -> Bool {
        let organisations = context.organisations
        return organisations.commissioner(of: provider, at: day) == commissioner
            || organisations.icb(of: provider, at: day) == commissioner
            || organisations.region(of: provider, at: day) == commissioner
    }

    private static func taken(_ schemes: [LocalScheme], _ reader: any Reader) throws -> [String:
        [LocalContractStore.Contract]]
    {
        var taken: [String: [LocalContractStore.Contract]] = [:]
        var seen: Set<String> = []
        for scheme in schemes {
            for contract in try LocalContractStore.contracts(of: scheme.id, reader)
            where seen.insert(contract.id).inserted {
                for part in try LocalContractStore.parts(of: contract.id, reader) {
                    guard part.state == .pending || part.state == .active || part.state == .ended else {
                        continue
                    }
                    var contract = contract
                    contract.end = Swift.min(contract.end, part.endedOn ?? contract.end)
                    taken[part.provider, default: []].append(contract)
                }
            }
        }
        return taken
    }

    private func overlaps(_ other: LocalContractStore.Contract) -> Bool {
        guard other.start <= contract.end, contract.start <= other.end else { return false }
        return contract.items.contains { service, components in
            guard let theirs = other.items[service] else { return false }
            return theirs.isEmpty || components.isEmpty || !theirs.isDisjoint(with: components)
        }
    }
}
