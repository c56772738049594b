import CommonContract
import CqrsContract
import HostContract
import PluginAPI

// Decisions of the commissioner: Tier 1, Tier 2, Finance, each claim for itself; queries and rejections (10.2, 10.4).
extension LocalClaimHandlers {
    func checkLocalClaims(_ request: Pcs_Cqrs_V1_DecideLocalClaimsRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_DecideLocalClaimsResponse
    {
        try await decide(request, from: .submitted, call) { desk, record, _ in
            try desk.move(record, .check) { $0.tier1By = desk.actor }
        }
    }

    func approveLocalClaims(_ request: Pcs_Cqrs_V1_DecideLocalClaimsRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_DecideLocalClaimsResponse
    {
        try await decide(request, from: .tier1Approved, call) { desk, record, bench in
            if let why = try bench.recheck(record) { throw LocalDecisionRefused(why: why) }
            guard let scheme = try bench.scheme(record.service) else {
                throw LocalDecisionRefused(why: "10.1: no service")
            }
            let band = try LocalGate.band(
                record.pence, scheme, bench.figures, on: record.lines.first?.activity ?? desk.today)
            try bench.commit(record)
            return try self.approve(record, band, desk, bench)
        }
    }

    private func approve(_ record: Record, _ band: LocalRiskBand, _ desk: LocalDesk, _ bench: LocalBench)
        throws -> Record
    {
        guard band == .low else {
            return try desk.move(record, .approveForFinance) {
                $0.band = band
                $0.tier2By = desk.actor
                $0.financeBy = ""
            }
        }
        let approved = try desk.move(record, .approve) {
            $0.band = band
            $0.tier2By = desk.actor
            $0.approvedOn = desk.today
        }
        return try release(approved, desk, bench)
    }

    /// Approved for good: what is to be paid is instructed, and the provider told.
    private func release(_ record: Record, _ desk: LocalDesk, _ bench: LocalBench) throws -> Record {
        var schemes: [String: LocalScheme] = [:]
        for line in record.lines { schemes[line.service] = try bench.scheme(line.service) }
        try desk.instruct(record, schemes)
        if !record.isPartOfUpload {
            try LocalNotices.tell(
                record, "A local claim was approved", "\(Money(pence: record.pence)) pounds.",
                in: desk.transaction)
        }
        return record
    }

    func financeApproveLocalClaims(_ request: Pcs_Cqrs_V1_DecideLocalClaimsRequest, _ call: CallContext)
        async throws
        -> Pcs_Cqrs_V1_DecideLocalClaimsResponse
    {
        try await decide(request, from: .awaitingFinance, call) { desk, record, bench in
            // High band: a first person of Finance, then a second one.
            if record.band.financePersons > 1, record.financeBy.isEmpty {
                return try desk.move(record, .financeApproveFirst, reason: "first of two") {
                    $0.financeBy = desk.actor
                }
            }
            let approved = try desk.move(record, .financeApprove) {
                if $0.financeBy.isEmpty { $0.financeBy = desk.actor }
                $0.approvedOn = desk.today
            }
            return try self.release(approved, desk, bench)
        }
    }

    private func decide(
        _ request: Pcs_Cqrs_V1_DecideLocalClaimsRequest, from state: LocalClaimState, _ call: CallContext,
        _ step: @escaping @Sendable (LocalDesk, Record, LocalBench) throws -> Record
    ) async throws -> Pcs_Cqrs_V1_DecideLocalClaimsResponse {
        let ways = [request.allWaiting, !request.bulkID.isEmpty, !request.claimIds.isEmpty].count { $0 }
        guard ways == 1, request.claimIds.count <= 20_000,
            Set(request.claimIds).count == request.claimIds.count
        else {
            throw Failure.field(
                "claim_ids", "10.4", "Name 1 to 20,000 claims, each once, or an upload, or all that wait.")
        }
        return try await call.commit { transaction in
            let figures = try LocalGate.figures(transaction)
            try LocalGate(context: context, today: call.today).commissioner(request.commissionerCode, figures)
            let desk = LocalDesk(context: context, call: call, transaction)
            let records = try waiting(request, state, transaction)
            let bench = LocalBench(
                commissioner: request.commissionerCode, isMany: records.count > 50, figures: figures,
                transaction)
            var reply = Pcs_Cqrs_V1_DecideLocalClaimsResponse()
            for (id, found) in records {
                guard var record = found, record.commissioner == request.commissionerCode else {
                    reply.refuse(id, nil, "there is no such claim")
                    continue
                }
                guard record.state == state else {
                    reply.refuse(id, record.state, "10.4: it is \(record.state.name)")
                    continue
                }
                // USR-6: no person has two parts in one claim.
                guard record.persons.allSatisfy({ DeclarationHandlers.isOther(call, $0, "decide a claim") })
                else {
                    reply.refuse(
                        id, record.state,
                        "USR-6: a person who had a part in the claim does not take the next step")
                    continue
                }
                record.lines = try LocalClaimStore.lines(of: record, transaction)
                do {
                    let after = try step(desk, record, bench)
                    reply.decided += 1
                    reply.totalPence += after.pence
                    if !request.claimIds.isEmpty { reply.take(id, after.state) }
                } catch let refused as LocalDecisionRefused {
                    reply.refuse(id, record.state, refused.why)
                }
            }
            if request.hasControlTotalPence, request.controlTotalPence != reply.totalPence {
                throw Failure(
                    CqrsReasons.controlTotalMismatch,
                    "These claims come to \(Money(pence: reply.totalPence)) pounds.")
            }
            if state == .tier1Approved, !request.bulkID.isEmpty {
                try LocalNotices.bulkApproved(request.bulkID, by: desk.actor, in: transaction)
            }
            transaction.audit(
                AuditNote(
                    object: "local-decision", organisation: request.commissionerCode,
                    detail:
                        "\(reply.decided) claims, \(Money(pence: reply.totalPence)) pounds, from \(state.name)"
                ))
            return reply
        }
    }

    private func waiting(
        _ request: Pcs_Cqrs_V1_DecideLocalClaimsRequest, _ state: LocalClaimState, _ reader: any Reader
    ) throws -> [(String, Record?)] {
        if !request.bulkID.isEmpty {
            guard let bulk = try LocalBulkStore.record(request.bulkID, reader),
                bulk.commissioner == request.commissionerCode
            else { throw Failure(CqrsReasons.localBulkUnknown) }
            return try LocalClaimStore.of(bulk: bulk.number, reader).filter { $0.state == state }.map {
                ($0.id, $0)
            }
        }
        return request.allWaiting
            ? try LocalClaimStore.waiting(with: request.commissionerCode, state, reader).map { ($0.id, $0) }
            : try request.claimIds.map { ($0, try LocalClaimStore.record($0, reader)) }
    }

    // MARK: One by one

    func queryLocalClaim(_ request: Pcs_Cqrs_V1_ReasonedLocalClaimRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_LocalClaim
    {
        try await commissioner(request, .query, call) {
            try LocalNotices.tell($1, "A local claim was queried", request.reason, in: $0.transaction)
        }
    }

    func rejectLocalClaim(_ request: Pcs_Cqrs_V1_ReasonedLocalClaimRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_LocalClaim
    {
        try await commissioner(request, .reject, call) {
            try LocalNotices.tell($1, "A local claim was rejected", request.reason, in: $0.transaction)
        }
    }

    func financeReturnLocalClaim(_ request: Pcs_Cqrs_V1_ReasonedLocalClaimRequest, _ call: CallContext)
        async throws
        -> Pcs_Cqrs_V1_LocalClaim
    {
        try await commissioner(request, .financeReturn, call) { _, _ in }
    }

    func retryLocalPayment(_ request: Pcs_Cqrs_V1_ReasonedLocalClaimRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_LocalClaim
    {
        try await commissioner(request, .retryPayment, call) { desk, record in
            let bench = LocalBench(
                commissioner: record.commissioner, isMany: false,
                figures: try LocalGate.figures(desk.transaction),
                desk.transaction)
            _ = try self.release(record, desk, bench)
        }
    }

    private func commissioner(
        _ request: Pcs_Cqrs_V1_ReasonedLocalClaimRequest, _ event: LocalClaimEvent, _ call: CallContext,
        _ after: @escaping @Sendable (LocalDesk, Record) throws -> Void
    ) async throws -> Pcs_Cqrs_V1_LocalClaim {
        try reason(request.reason)
        return try await call.commit { transaction in
            try LocalGate(context: context, today: call.today)
                .commissioner(request.commissionerCode, LocalGate.figures(transaction))
            guard let record = try LocalClaimStore.record(request.claimID, transaction),
                record.commissioner == request.commissionerCode
            else { throw Failure(CqrsReasons.localClaimUnknown) }
            try requireVersion(request.expectedVersion, record)
            let desk = LocalDesk(context: context, call: call, transaction)
            let moved = try desk.move(record, event, reason: request.reason) {
                switch event {
                case .query: ($0.tier1By, $0.tier2By, $0.financeBy) = ("", "", "")
                case .financeReturn: ($0.tier2By, $0.financeBy) = ("", "")
                case .retryPayment: ($0.attempt, $0.file) = ($0.attempt + 1, 0)
                default: break
                }
            }
            try after(desk, moved)
            return try message(moved, call, transaction)
        }
    }
}

/// One claim of several is not decided; the others go on.
struct LocalDecisionRefused: Error {
    var why: String
}

extension Pcs_Cqrs_V1_DecideLocalClaimsResponse {
    mutating func take(_ id: String, _ state: LocalClaimState) {
        results.append(
            .with {
                ($0.claimID, $0.decided, $0.state) = (
                    id, true, .init(rawValue: state.rawValue) ?? .unspecified
                )
            })
    }

    mutating func refuse(_ id: String, _ state: LocalClaimState?, _ why: String) {
        refused += 1
        guard refused <= 1_000 else { return }
        results.append(
            .with {
                $0.claimID = id
                $0.state = .init(rawValue: state?.rawValue ?? 0) ?? .unspecified
                $0.refusedBecause = why
            })
    }
}

/// What Tier 2 looks at again, looked up once for all the claims of a decision: caps and budget (10.4).
final class LocalBench {
    private let commissioner: String
    private let isMany: Bool
    let figures: NationalFigures
    private let reader: any Reader
    private var schemes: [String: LocalScheme] = [:]
    private var usages: [String: LocalUsage] = [:]
    private var lists = LocalLists()
    private var budgets: [String: Int64]?
    private var committed: [String: Int64] = [:]

    init(commissioner: String, isMany: Bool, figures: NationalFigures, _ reader: any Reader) {
        self.commissioner = commissioner
        self.isMany = isMany
        self.figures = figures
        self.reader = reader
    }

    func scheme(_ id: String) throws -> LocalScheme? {
        if let known = schemes[id] { return known }
        schemes[id] = try LocalSchemeStore.present(id, reader)?.scheme
        return schemes[id]
    }

    /// - Returns: why it cannot be approved; `nil` when it can.
    func recheck(_ record: LocalClaimStore.Record) throws -> String? {
        try caps(record) ?? budget(record)
    }

    /// Loads what counts for the provider, or where there are many claims for the whole service; returns its name.
    private func load(_ provider: String, _ service: String) throws -> String {
        let key = isMany ? service : provider
        if usages[key] == nil {
            usages[key] =
                try isMany
                ? LocalUsageStore.of(service: service, commissioner: commissioner, reader).usage
                : LocalUsageStore.of(provider: provider, commissioner: commissioner, except: 0, reader).usage
        }
        return key
    }

    private func caps(_ record: LocalClaimStore.Record) throws -> String? {
        var inClaim: [String: LocalQuantity] = [:]
        for (index, line) in record.lines.enumerated() where !line.quantity.isZero {
            guard let component = try scheme(line.service)?.component(line.component), !component.caps.isEmpty
            else {
                continue
            }
            let key = try load(record.provider, line.service)
            let name = line.service + "/" + line.component
            var capping = LocalCapping(
                provider: record.provider, service: line.service, component: component, day: line.activity,
                inClaim: inClaim[name] ?? .zero)
            if component.caps.contains(where: { $0.kind == .perMilleOfList }) {
                capping.list = try lists.patients(of: record.provider, on: line.activity, reader)
            }
            // What counts without this line and those after it; changed in place, because the table may be large.
            let rest = record.lines[index...].filter {
                $0.service == line.service && $0.component == line.component
            }
            for own in rest { usages[key]?.add(record.provider, own, sign: -1) }
            let outcome = capping.apply(line.quantity, at: line.price, usages[key] ?? LocalUsage())
            for own in rest { usages[key]?.add(record.provider, own) }
            switch outcome {
            case .refused(let why): return "LOC-4: " + why
            case .taken(let quantity) where quantity < line.quantity:
                return "LOC-4: \(line.component): the caps leave \(quantity)"
            case .taken: break
            }
            inClaim[name] = LocalQuantity(
                thousandths: (inClaim[name] ?? .zero).thousandths + line.quantity.thousandths)
        }
        return nil
    }

    private func years(_ record: LocalClaimStore.Record) -> [String: Int64] {
        var sums: [String: Int64] = [:]
        for line in record.lines {
            sums[line.service + " " + FinancialYear(containing: line.activity).description, default: 0] +=
                line.pence
        }
        return sums
    }

    private func budget(_ record: LocalClaimStore.Record) throws -> String? {
        if budgets == nil {
            committed = try LocalUsageStore.committed(by: commissioner, reader)
            budgets = Dictionary(
                try LocalSchemeStore.budgets(of: commissioner, reader).map {
                    ($0.service + " " + $0.year, $0.pence)
                },
                uniquingKeysWith: { $1 })
        }
        for (key, pence) in years(record) {
            guard let bound = budgets?[key] else { continue }
            let left = bound - (committed[key] ?? 0)
            if pence > left {
                return "10.4: the budget of \(Money(pence: bound)) pounds leaves \(Money(pence: left)); "
                    + "raise it with SetLocalBudget"
            }
        }
        return nil
    }

    /// Approved: counts against the budget for the claims that follow.
    func commit(_ record: LocalClaimStore.Record) throws {
        for (key, pence) in years(record) { committed[key, default: 0] += pence }
    }
}
