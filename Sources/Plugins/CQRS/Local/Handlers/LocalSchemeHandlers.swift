import CommonContract
import CqrsContract
import Digests
import HostContract
import PluginAPI
import SwiftProtobuf

/// Local services from their definition to their end, and what may be spent on them (10.1).
struct LocalSchemeHandlers: Pcs_Cqrs_V1_LocalSchemeService {
    typealias Record = LocalSchemeStore.Record
    let context: PluginContext

    func gate(_ call: CallContext) -> LocalGate { LocalGate(context: context, today: call.today) }

    func reason(_ text: String) throws {
        var fields = RequestFields()
        fields.reason(text)
        try fields.finish()
    }

    // MARK: Definition

    func defineLocalService(_ request: Pcs_Cqrs_V1_DefineLocalServiceRequest, _ call: CallContext)
        async throws
        -> Pcs_Cqrs_V1_LocalService
    {
        try await call.commit { transaction in
            let figures = try LocalGate.figures(transaction)
            let owner = try gate(call).commissioner(request.commissionerCode, figures)
            var fields = RequestFields()
            LocalSchemeReading.check(request.definition, owner: owner.value, figures, into: &fields)
            try fields.finish()
            let earlier =
                try request.serviceID.isEmpty ? [] : owned(request.serviceID, owner.value, transaction)
            if let frozen = earlier.first(where: { $0.state != .draft }) {
                try requireFrozen(frozen, request.definition)
            }
            let bytes: [UInt8] = try request.definition.serializedBytes()
            let record = Record(
                id: request.serviceID.isEmpty ? transaction.newIdentifier() : request.serviceID,
                version: (earlier.first?.version ?? 0) + 1, owner: owner.value, state: .draft,
                sha256: Digest.hex(Digest.sha256(bytes)),
                definition: request.definition, definedBy: call.caller.responsible, definedAt: transaction.now
            )
            try LocalSchemeStore.add(record, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "local-service/" + record.id, organisation: record.owner,
                    detail:
                        "version \(record.version) defined: \(record.definition.name), sha256 \(record.sha256)"
                ))
            return message(record, [])
        }
    }

    /// 10.1: publishing freezes the pay code, and with it where the money goes.
    private func requireFrozen(_ frozen: Record, _ next: Pcs_Cqrs_V1_LocalServiceDefinition) throws {
        guard frozen.state != .closed else {
            throw Failure(CqrsReasons.localServiceStateWrong, "The service is closed.")
        }
        let present = frozen.definition
        guard present.payCode == next.payCode, present.subjectiveCode == next.subjectiveCode,
            present.paymentRoute == next.paymentRoute, present.participationOnly == next.participationOnly
        else {
            throw Failure(
                CqrsReasons.localPayCodeFrozen,
                "Version \(frozen.version) was published with pay code \(present.payCode); it stays.")
        }
        let kept = Dictionary(
            next.components.map { ($0.componentID, $0.unit) }, uniquingKeysWith: { first, _ in first })
        for component in present.components
        where kept[component.componentID].map({ $0 != component.unit }) ?? false {
            throw Failure.field(
                "definition.components", "LS07",
                "\(component.componentID) keeps its unit: claims were made in it.")
        }
    }

    func publishLocalService(_ request: Pcs_Cqrs_V1_PublishLocalServiceRequest, _ call: CallContext)
        async throws
        -> Pcs_Cqrs_V1_LocalService
    {
        try await call.commit { transaction in
            try gate(call).commissioner(request.commissionerCode, LocalGate.figures(transaction))
            var record = try newest(request.serviceID, request.commissionerCode, transaction)
            guard record.state == .draft,
                try LocalSchemeStore.present(record.id, transaction)?.state != .closed
            else {
                throw Failure(
                    CqrsReasons.localServiceStateWrong,
                    "Version \(record.version) is \(record.state), or the service is closed.")
            }
            guard request.definitionSha256 == record.sha256 else {
                throw Failure(CqrsReasons.definitionChanged)
            }
            try call.requireOtherPerson(than: record.definedBy, step: "publish a local service")
            record.state = .published
            record.publishedBy = call.caller.responsible
            record.publishedAt = transaction.now
            try LocalSchemeStore.save(record, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "local-service/" + record.id, organisation: record.owner,
                    detail: "version \(record.version) published, pay code \(record.definition.payCode)"))
            return message(record, [])
        }
    }

    func closeLocalService(_ request: Pcs_Cqrs_V1_CloseLocalServiceRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_LocalService
    {
        try reason(request.reason)
        return try await call.commit { transaction in
            try gate(call).commissioner(request.commissionerCode, LocalGate.figures(transaction))
            let versions = try owned(request.serviceID, request.commissionerCode, transaction)
            guard var record = versions.first(where: { $0.state == .published }) else {
                throw Failure(CqrsReasons.localServiceStateWrong, "Only a published service is closed.")
            }
            record.state = .closed
            try LocalSchemeStore.save(record, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "local-service/" + record.id, organisation: record.owner,
                    detail: "closed: " + request.reason))
            return message(record, [])
        }
    }

    func owned(_ id: String, _ commissioner: String, _ reader: any Reader) throws -> [Record] {
        let versions = try LocalSchemeStore.versions(of: id, reader)
        guard versions.first?.owner == commissioner else { throw Failure(CqrsReasons.localServiceUnknown) }
        return versions
    }

    private func newest(_ id: String, _ commissioner: String, _ reader: any Reader) throws -> Record {
        guard let record = try owned(id, commissioner, reader).first else {
            throw Failure(CqrsReasons.localServiceUnknown)
        }
        return record
    }

    // MARK: Budget

    func setLocalBudget(_ request: Pcs_Cqrs_V1_SetLocalBudgetRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_LocalBudget
    {
        var fields = RequestFields()
        fields.reason(request.reason)
        let year = FinancialYear(request.financialYear)
        if year == nil { fields.refuse("financial_year", "10.1", "A financial year like 2026/27 is needed.") }
        if !(0...1_000_000_000_000).contains(request.budgetPence) {
            fields.refuse("budget_pence", "10.1", "At least 0, and in range.")
        }
        try fields.finish()
        return try await call.commit { transaction in
            try gate(call).commissioner(request.commissionerCode, LocalGate.figures(transaction))
            guard let record = try LocalSchemeStore.present(request.serviceID, transaction),
                record.scheme.isOpen(to: request.commissionerCode)
            else { throw Failure(CqrsReasons.localServiceUnknown) }
            let budget = LocalSchemeStore.Budget(
                service: record.id, year: year?.description ?? "", pence: request.budgetPence,
                reason: request.reason,
                by: call.caller.responsible, at: transaction.now)
            try LocalSchemeStore.add(budget, of: request.commissionerCode, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "local-budget/\(record.id)/\(budget.year)",
                    organisation: request.commissionerCode,
                    detail: "\(Money(pence: budget.pence)) pounds: \(budget.reason)"))
            return self.budget(budget, request.commissionerCode)
        }
    }

    // MARK: Reading

    func getLocalService(_ request: Pcs_Cqrs_V1_GetLocalServiceRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_LocalService
    {
        try context.store.read { reader in
            let versions = try LocalSchemeStore.versions(of: request.serviceID, reader)
            let national = !call.caller.roles.isDisjoint(with: [Roles.cqrsOperator, Roles.auditor])
            var visible = versions.filter { record in
                national || record.owner == request.commissionerCode
                    || (record.state != .draft && record.scheme.isOpen(to: request.commissionerCode))
            }
            if !request.providerCode.isEmpty {
                let parts = try LocalContractStore.parts(ofProvider: request.providerCode, reader)
                let holds = try parts.contains {
                    try LocalContractStore.contract($0.contract, reader)?.items[request.serviceID] != nil
                }
                if holds { visible = versions.filter { $0.state != .draft } }
            }
            let wanted =
                request.version > 0
                ? visible.first { $0.version == Int(request.version) }
                : visible.first { $0.state != .draft } ?? visible.first
            guard let record = wanted else { throw Failure(CqrsReasons.localServiceUnknown) }
            return message(record, try budgets(request.commissionerCode, reader))
        }
    }

    func listLocalServices(_ request: Pcs_Cqrs_V1_ListLocalServicesRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_ListLocalServicesResponse
    {
        try context.store.read { reader in
            let budgets = try budgets(request.commissionerCode, reader)
            let services = try LocalSchemeStore.services(of: request.commissionerCode, reader).compactMap {
                id in
                try LocalSchemeStore.versions(of: id, reader).first {
                    $0.owner == request.commissionerCode
                        || ($0.state != .draft && $0.scheme.isOpen(to: request.commissionerCode))
                }
            }
            return .with { $0.services = services.map { message($0, budgets) } }
        }
    }

    private func budgets(_ commissioner: String, _ reader: any Reader) throws -> [Pcs_Cqrs_V1_LocalBudget] {
        try LocalSchemeStore.budgets(of: commissioner, reader).map { budget($0, commissioner) }
    }

    private func budget(_ budget: LocalSchemeStore.Budget, _ commissioner: String) -> Pcs_Cqrs_V1_LocalBudget
    {
        .with {
            $0.serviceID = budget.service
            $0.commissionerCode = commissioner
            $0.financialYear = budget.year
            $0.budgetPence = budget.pence
            $0.reason = budget.reason
            $0.setBy = budget.by
            $0.setAt = Google_Protobuf_Timestamp(budget.at)
        }
    }

    private func message(_ record: Record, _ budgets: [Pcs_Cqrs_V1_LocalBudget]) -> Pcs_Cqrs_V1_LocalService {
        .with {
            $0.serviceID = record.id
            $0.version = Int32(clamping: record.version)
            $0.state = .init(rawValue: record.state.rawValue) ?? .unspecified
            $0.definition = record.definition
            $0.definitionSha256 = record.sha256
            $0.ownerCode = record.owner
            $0.definedBy = record.definedBy
            $0.definedAt = Google_Protobuf_Timestamp(record.definedAt)
            $0.publishedBy = record.publishedBy
            if let at = record.publishedAt { $0.publishedAt = Google_Protobuf_Timestamp(at) }
            $0.budgets = budgets.filter { $0.serviceID == record.id }
        }
    }
}
