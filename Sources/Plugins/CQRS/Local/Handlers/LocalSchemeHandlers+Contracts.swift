import CommonContract
import CqrsContract
import HostContract
import PluginAPI
import SwiftProtobuf

// Offers and their answers (10.3).
extension LocalSchemeHandlers {
    typealias Part = LocalContractStore.Part

    func offerLocalContract(_ request: Pcs_Cqrs_V1_OfferLocalContractRequest, _ call: CallContext)
        async throws
        -> Pcs_Cqrs_V1_LocalContract
    {
        try await call.commit { transaction in
            let commissioner = try gate(call).commissioner(
                request.commissionerCode, LocalGate.figures(transaction))
            let plan = try LocalContractPlan(request, commissioner, context, call, transaction)
            try LocalContractStore.add(plan.contract, plan.parts, in: transaction)
            if request.isOffer {
                for part in plan.parts {
                    try LocalNotices.offered(plan.contract, part.provider, in: transaction)
                }
            }
            transaction.audit(
                AuditNote(
                    object: "local-contract/" + plan.contract.id, organisation: commissioner.value,
                    detail: "\(plan.contract.name) \(request.isOffer ? "offered to" : "on paper with") "
                        + "\(plan.parts.count) providers from \(plan.contract.start)"))
            return message(plan.contract, plan.parts)
        }
    }

    func withdrawLocalOffer(_ request: Pcs_Cqrs_V1_EndLocalContractRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_LocalContract
    {
        try await end(request, .withdrawn, call)
    }

    func endLocalContract(_ request: Pcs_Cqrs_V1_EndLocalContractRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_LocalContract
    {
        guard request.lastDay.calendarDate != nil else {
            throw Failure.field("last_day", "10.3", "The last day of the contract is needed.")
        }
        return try await end(request, .ended, call)
    }

    private func end(
        _ request: Pcs_Cqrs_V1_EndLocalContractRequest, _ state: LocalContractState, _ call: CallContext
    ) async throws -> Pcs_Cqrs_V1_LocalContract {
        try reason(request.reason)
        return try await call.commit { transaction in
            try gate(call).commissioner(request.commissionerCode, LocalGate.figures(transaction))
            guard let contract = try LocalContractStore.contract(request.contractID, transaction),
                contract.commissioner == request.commissionerCode
            else { throw Failure(CqrsReasons.localContractUnknown) }
            let day = request.lastDay.calendarDate
            if state == .ended, let day, day < contract.start || day > contract.end {
                throw Failure.field(
                    "last_day", "10.3", "It lies within \(contract.start) to \(contract.end).")
            }
            let named = Set(request.providerCodes)
            let all = try LocalContractStore.parts(of: contract.id, transaction)
            let parts = all.filter {
                (named.isEmpty || named.contains($0.provider)) && $0.state.may(become: state)
            }
            guard !parts.isEmpty, named.isEmpty || parts.count == named.count else {
                throw Failure(
                    CqrsReasons.localContractStateWrong,
                    "Not every provider named is in a state that becomes \(state).")
            }
            for part in parts {
                var moved = part
                moved.state = state
                moved.reason = request.reason
                moved.endedOn = state == .ended ? day : nil
                try LocalContractStore.save(
                    moved, from: part.state, by: call.caller.responsible, in: transaction)
                try LocalNotices.contractEnded(contract, moved, by: call.caller.responsible, in: transaction)
            }
            transaction.audit(
                AuditNote(
                    object: "local-contract/" + contract.id, organisation: contract.commissioner,
                    detail: "\(parts.count) providers \(state): \(request.reason)"))
            return message(contract, try LocalContractStore.parts(of: contract.id, transaction))
        }
    }

    func answerLocalContract(_ request: Pcs_Cqrs_V1_AnswerLocalContractRequest, _ call: CallContext)
        async throws
        -> Pcs_Cqrs_V1_LocalContract
    {
        var fields = RequestFields()
        fields.reason(request.reason, mayBeEmpty: request.accept)
        try fields.finish()
        return try await call.commit { transaction in
            guard let contract = try LocalContractStore.contract(request.contractID, transaction),
                let part = try LocalContractStore.part(contract.id, request.providerCode, transaction)
            else { throw Failure(CqrsReasons.localContractUnknown) }
            let next: LocalContractState = request.accept ? .active : .rejected
            guard part.state.may(become: next) else {
                throw Failure(CqrsReasons.localContractStateWrong, "The contract is \(part.state).")
            }
            var moved = part
            moved.state = next
            moved.isBulkAgreed = request.accept && request.agreeToBulk
            moved.reason = request.reason
            moved.answeredBy = call.caller.responsible
            moved.answeredAt = transaction.now
            try LocalContractStore.save(moved, from: part.state, by: call.caller.responsible, in: transaction)
            try LocalNotices.answered(contract, moved, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "local-contract/" + contract.id, organisation: request.providerCode,
                    detail: request.accept ? "accepted" : "rejected: " + request.reason))
            return message(contract, [moved])
        }
    }

    func listLocalContracts(_ request: Pcs_Cqrs_V1_ListLocalContractsRequest, _ call: CallContext)
        async throws
        -> Pcs_Cqrs_V1_ListLocalContractsResponse
    {
        try context.store.read { reader in
            let contracts = try LocalContractStore.of(commissioner: request.commissionerCode, reader)
                .filter { request.serviceID.isEmpty || $0.items[request.serviceID] != nil }
            return try .with { response in
                response.contracts = try contracts.map {
                    message($0, try LocalContractStore.parts(of: $0.id, reader))
                }
            }
        }
    }

    func listOwnLocalContracts(_ request: Pcs_Cqrs_V1_ListOwnLocalContractsRequest, _ call: CallContext)
        async throws
        -> Pcs_Cqrs_V1_ListLocalContractsResponse
    {
        try context.store.read { reader in
            let parts = try LocalContractStore.parts(ofProvider: request.providerCode, reader)
            let contracts = try parts.compactMap { part in
                try LocalContractStore.contract(part.contract, reader).map { message($0, [part]) }
            }
            return .with { $0.contracts = contracts }
        }
    }

    func message(_ contract: LocalContractStore.Contract, _ parts: [Part]) -> Pcs_Cqrs_V1_LocalContract {
        .with {
            $0.contractID = contract.id
            $0.commissionerCode = contract.commissioner
            $0.name = contract.name
            $0.isOffer = contract.isOffer
            $0.startOn = Pcs_Common_V1_Date(contract.start)
            $0.endOn = Pcs_Common_V1_Date(contract.end)
            $0.paperReference = contract.paper
            $0.items = contract.items.keys.sorted().map { service in
                .with {
                    ($0.serviceID, $0.componentIds) = (service, (contract.items[service] ?? []).sorted())
                }
            }
            $0.providers = parts.map(message)
            $0.pending = Int32(parts.count { $0.state == .pending })
            $0.active = Int32(parts.count { $0.state == .active })
            $0.rejected = Int32(parts.count { $0.state == .rejected })
            $0.ended = Int32(parts.count { $0.state == .ended || $0.state == .withdrawn })
        }
    }

    private func message(_ part: Part) -> Pcs_Cqrs_V1_LocalContractProvider {
        .with {
            $0.providerCode = part.provider
            $0.kind = .init(rawValue: part.kind.rawValue) ?? .unspecified
            $0.providerGroup = part.group
            $0.state = .init(rawValue: part.state.rawValue) ?? .unspecified
            $0.bulkAgreed = part.isBulkAgreed
            $0.reason = part.reason
            $0.answeredBy = part.answeredBy
            if let at = part.answeredAt { $0.answeredAt = Google_Protobuf_Timestamp(at) }
            if let day = part.endedOn { $0.endedOn = Pcs_Common_V1_Date(day) }
        }
    }
}
