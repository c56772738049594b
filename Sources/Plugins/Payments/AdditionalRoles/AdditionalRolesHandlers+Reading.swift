import CommonContract
import HostContract
import PaymentsContract
import PluginAPI

// Claims and years for those who look.
extension AdditionalRolesHandlers {
    func getClaim(
        _ request: Pcs_Payments_V1_GetAdditionalRolesClaimRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_AdditionalRolesClaim {
        try context.store.read { reader in
            let claim = try find(request.claimID, of: request.pcnCode, reader)
            guard mayRead(claim, call) else {
                throw Failure(
                    PaymentsReasons.additionalRolesClaimUnknown, "There is no such claim of \(claim.network)."
                )
            }
            return try message(claim, reader)
        }
    }

    func listClaims(
        _ request: Pcs_Payments_V1_ListAdditionalRolesClaimsRequest,
        _ reply: ReplyStream<Pcs_Payments_V1_AdditionalRolesClaim>, _ call: CallContext
    ) async throws {
        var fields = RequestFields()
        let month = request.hasMonth && request.month != .init() ? fields.month(request.month) : nil
        try fields.finish()
        let months = month.map { $0...$0 } ?? AdditionalRolesHandlers.allMonths
        for network in try networks(of: request.organisationCode, in: nil, call) {
            let messages = try context.store.read { reader in
                let items = try AdditionalRolesItems.items(of: network, months, reader)
                return try AdditionalRolesStore.claims(of: network, months, reader)
                    .filter { mayRead($0, call) }
                    .map { claim in head(claim, items.filter { $0.claimID == claim.id }) }
            }
            for message in messages where request.state == .unspecified || message.state == request.state {
                try await reply.send(message)
            }
        }
    }

    func getYear(
        _ request: Pcs_Payments_V1_GetAdditionalRolesYearRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_AdditionalRolesYear {
        var fields = RequestFields()
        let year = fields.financialYear(request.financialYear)
        try fields.finish()
        guard let year else { throw Failure(HostReasons.fieldInvalid) }
        let networks = try networks(of: request.organisationCode, in: year, call)
        return try context.store.read { reader in
            let messages = try networks.map { network in
                var message = try message(network, year, call.today, reader)
                if readsAsMember(network, call) { (message.roles, message.months) = ([], []) }
                return message
            }
            return .with { ($0.financialYear, $0.networks) = (year.description, messages) }
        }
    }

    private static var allMonths: ClosedRange<YearMonth> {
        YearMonth(containing: SupportedDays.first)...YearMonth(containing: SupportedDays.last)
    }

    /// A draft is the network's own; others see a claim once it was submitted.
    private func mayRead(_ claim: AdditionalRolesClaim, _ call: CallContext) -> Bool {
        claim.submittedAt != nil || call.caller.actingFor == claim.network.value
    }

    /// A member practice reads its network's totals.
    private func readsAsMember(_ network: ODSCode, _ call: CallContext) -> Bool {
        guard let own = ODSCode(call.caller.actingFor), own != network else { return false }
        return context.organisations.pcn(of: own, at: call.today) == network
    }

    /// The network named, or those that a commissioner commissions: with claims, or in a year with a list.
    private func networks(
        of organisation: String, in year: FinancialYear?, _ call: CallContext
    ) throws -> [ODSCode] {
        let register = context.organisations
        let code = ODSCode(organisation)
        let kind = code.flatMap { register.organisation($0, at: call.today)?.kind }
        guard let code, kind == .pcn || kind == .subICBLocation else {
            throw Failure.field("organisation_code", "payments 1", "Name a network or a Sub ICB Location.")
        }
        if kind == .pcn { return [code] }
        var known = Set(try context.store.read { try AdditionalRolesStore.networks($0) })
        if let year {
            let sizes = try context.store.read { try NetworkStore.sizes(knownAt: .max, $0) }
            known.formUnion(sizes.lazy.filter { $0.value[year] != nil }.map(\.key))
        }
        return known.filter { register.commissioner(of: $0, at: call.today) == code }.sorted()
    }

    private func message(
        _ network: ODSCode, _ year: FinancialYear, _ today: CalendarDate, _ reader: any Reader
    ) throws -> Pcs_Payments_V1_AdditionalRolesNetworkYear {
        let claims = AdditionalRolesYear(try AdditionalRolesStore.claims(of: network, year.span, reader))
        var sums = AdditionalRolesSums()
        for claim in claims.claimed {
            for row in try AdditionalRolesStore.rows(of: claim, reader) {
                sums.add(row.role, claim.month) { $0.claimedPence += row.actualPence }
            }
        }
        for claim in claims.inForce {
            for (role, pence) in try approved(claim, reader) {
                sums.add(role, claim.month) { $0.approvedPence += pence }
            }
        }
        for item in try AdditionalRolesItems.items(of: network, year.span, reader) where item.runID != nil {
            sums.add(item.role, item.month) { $0.paidPence += item.pence }
        }
        return try .with { message in
            message.pcnCode = network.value
            message.pcnName = context.organisations.organisation(network, at: today)?.name ?? ""
            (message.total, message.roles, message.months) = (sums.total, sums.byRole, sums.byMonth)
            do {
                let maximum = try maximumSum(of: network, besides: nil, year, reader)
                message.maximum = .init(maximum)
            } catch let failure as Failure where AdditionalRolesHandlers.isMissing(failure) {
                message.obstacle = failure.message
            }
        }
    }

    /// A figure that is not set (yet).
    static func isMissing(_ failure: Failure) -> Bool {
        failure.reason == PaymentsReasons.rateMissing
            || failure.reason == PaymentsReasons.networkPopulationMissing
    }
}

/// Sums of a year by role and month.
private struct AdditionalRolesSums {
    private(set) var total = Pcs_Payments_V1_AdditionalRolesAmounts()
    private var roles: [String: Pcs_Payments_V1_AdditionalRolesAmounts] = [:]
    private var months: [YearMonth: Pcs_Payments_V1_AdditionalRolesAmounts] = [:]

    mutating func add(
        _ role: String, _ month: YearMonth, _ change: (inout Pcs_Payments_V1_AdditionalRolesAmounts) -> Void
    ) {
        change(&total)
        change(&roles[role, default: .with { $0.role = role }])
        change(&months[month, default: .with { $0.month = Pcs_Common_V1_Month(month) }])
    }

    var byRole: [Pcs_Payments_V1_AdditionalRolesAmounts] { roles.sorted { $0.key < $1.key }.map(\.value) }
    var byMonth: [Pcs_Payments_V1_AdditionalRolesAmounts] { months.sorted { $0.key < $1.key }.map(\.value) }
}
