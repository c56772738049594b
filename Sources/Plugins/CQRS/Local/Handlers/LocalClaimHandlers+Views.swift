import CommonContract
import CqrsContract
import PluginAPI
import SwiftProtobuf

// What is shown of claims.
extension LocalClaimHandlers {
    /// LOC-10: who may see notes and evidence.
    private static let insiders: Set<Role> = [
        Roles.cqrsLocalApproverTier1, Roles.cqrsLocalApproverTier2, Roles.cqrsLocalFinance,
        Roles.cqrsLocalUser,
        Roles.cqrsLocalPreparer, Roles.cqrsLocalProviderApprover,
    ]

    func message(_ record: Record, _ call: CallContext, _ reader: any Reader) throws -> Pcs_Cqrs_V1_LocalClaim
    {
        let isInsider = !call.caller.roles.isDisjoint(with: Self.insiders)
        let evidence = try isInsider ? LocalEvidenceStore.of(claim: record.number, reader) : []
        let steps = try LocalClaimStore.steps(of: record, reader)
        return try Pcs_Cqrs_V1_LocalClaim.with {
            $0 = summary(record)
            if !isInsider { $0.note = "" }
            $0.lines = record.lines.enumerated().map { line($0.offset + 1, $0.element, withNote: isInsider) }
            $0.evidence = evidence.map { item in
                .with {
                    $0.documentID = item.document
                    $0.fileName = item.fileName
                    $0.sha256 = item.sha256
                    $0.rows = item.rows
                    $0.isBackingData = item.isBacking
                    $0.attachedBy = item.by
                    $0.attachedAt = Google_Protobuf_Timestamp(item.at)
                    $0.noIdentifiersReason = item.noIdentifiers
                }
            }
            $0.history = steps.map { step in
                .with {
                    $0.from = .init(rawValue: step.from) ?? .unspecified
                    $0.to = .init(rawValue: step.to) ?? .unspecified
                    $0.by = step.by
                    $0.actingFor = step.actingFor
                    $0.at = Google_Protobuf_Timestamp(step.at)
                    $0.reason = step.reason
                    $0.figuresSha256 = step.figures
                }
            }
        }.withPayment(record, reader)
    }

    private func summary(_ record: Record) -> Pcs_Cqrs_V1_LocalClaim {
        .with {
            $0.claimID = record.id
            $0.providerCode = record.provider
            $0.commissionerCode = record.commissioner
            $0.serviceID = record.service
            $0.windowID = record.window
            $0.state = .init(rawValue: record.state.rawValue) ?? .unspecified
            $0.totalPence = record.pence
            $0.band =
                record.submittedOn == nil
                ? .unspecified : .init(rawValue: record.band.rawValue) ?? .unspecified
            $0.version = record.version
            $0.late = record.isLate
            $0.note = record.note
            $0.figuresSha256 = record.figures
            if let day = record.paidOn { $0.paidOn = Pcs_Common_V1_Date(day) }
            if let day = record.approvedOn { $0.approvedOn = Pcs_Common_V1_Date(day) }
        }
    }

    private func line(_ number: Int, _ line: LocalLine, withNote: Bool) -> Pcs_Cqrs_V1_LocalClaimLine {
        .with {
            $0.number = Int32(number)
            $0.serviceID = line.service
            $0.componentID = line.component
            $0.quantity = line.quantity.description
            $0.activityOn = Pcs_Common_V1_Date(line.activity)
            $0.note = withNote ? line.note : ""
            $0.unitPricePounds = line.price.description
            $0.amountPence = line.pence
            if line.claimed != line.quantity { $0.claimedQuantity = line.claimed.description }
        }
    }

    func getLocalClaim(_ request: Pcs_Cqrs_V1_GetLocalClaimRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_LocalClaim
    {
        try context.store.read { reader in
            let record = try find(
                request.claimID, provider: request.providerCode, commissioner: request.commissionerCode, call,
                reader)
            return try message(record, call, reader)
        }
    }

    func explainLocalClaim(_ request: Pcs_Cqrs_V1_GetLocalClaimRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_LocalClaimExplanation
    {
        try context.store.read { reader in
            let record = try find(
                request.claimID, provider: request.providerCode, commissioner: request.commissionerCode, call,
                reader)
            var reply = Pcs_Cqrs_V1_LocalClaimExplanation()
            reply.claimID = record.id
            for (index, line) in record.lines.enumerated() {
                let versions = try LocalSchemeStore.versions(of: line.service, reader)
                guard
                    let unit = versions.first(where: { $0.version == line.serviceVersion })?.scheme
                        .component(line.component)?.unit
                else { throw CQRSError.damaged("claim line").failure }
                reply.lines.append(
                    try refusingCQRS {
                        try ResultView.message(
                            LocalAmount.explanation(line, unit: unit), number: index + 1,
                            indicator: line.component)
                    })
                reply.totalPence += line.pence
            }
            return reply
        }
    }

    func listLocalClaims(_ request: Pcs_Cqrs_V1_ListLocalClaimsRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_ListLocalClaimsResponse
    {
        guard (0...10_000).contains(request.limit),
            !(request.providerCode.isEmpty && request.commissionerCode.isEmpty)
        else {
            throw Failure.field("limit", "10.4", "An organisation, and a limit of at most 10,000.")
        }
        return try context.store.read { reader in
            let bulk = try request.bulkID.isEmpty ? nil : LocalBulkStore.record(request.bulkID, reader)
            if !request.bulkID.isEmpty, bulk == nil { throw Failure(CqrsReasons.localBulkUnknown) }
            let before =
                try request.beforeClaimID.isEmpty
                ? nil : LocalClaimStore.record(request.beforeClaimID, reader)?.number
            let all =
                try request.providerCode.isEmpty
                ? LocalClaimStore.of(commissioner: request.commissionerCode, reader)
                : LocalClaimStore.of(provider: request.providerCode, reader)
            let isInsider = !call.caller.roles.isDisjoint(with: Self.insiders)
            let wanted = all.lazy.filter { record in
                (request.commissionerCode.isEmpty || record.commissioner == request.commissionerCode)
                    && (request.state == .unspecified || request.state.rawValue == record.state.rawValue)
                    && (request.serviceID.isEmpty || record.service == request.serviceID)
                    && (bulk.map { $0.number == record.bulk } ?? true)
                    && (before.map { record.number < $0 } ?? true)
            }.prefix(request.limit == 0 ? 1_000 : Int(request.limit))
            return .with {
                $0.claims = wanted.map { record in
                    var claim = summary(record)
                    if !isInsider { claim.note = "" }
                    return claim
                }
            }
        }
    }
}

extension Pcs_Cqrs_V1_LocalClaim {
    /// With what has become of the payment.
    func withPayment(_ record: LocalClaimStore.Record, _ reader: any Reader) throws -> Pcs_Cqrs_V1_LocalClaim
    {
        let instructions = try InstructionStore.of(claim: record.id, reader)
        var claim = self
        claim.bulkID = try LocalBulkStore.id(of: record.bulk, reader)
        claim.instructionIds = instructions.map(\.id)
        claim.paymentFileID = try LocalPaymentStore.id(of: record.file, reader)
        claim.paymentStatus =
            switch record.state {
            case .approved where record.pence == 0: "nothing to pay"
            case .approved where record.route == .file: "waits for the next payment file"
            case .approved: "waits for the next run to PCSE"
            case .inPaymentFile: "in a payment file"
            case .sentToPCSE, .paid, .paymentFailed:
                try instructions.map { instruction in
                    let sending = try LocalPaymentStore.sendings(of: instruction.id, reader)
                    let why = instruction.refusalReason.isEmpty ? "" : ": " + instruction.refusalReason
                    return "\(instruction.id) \(instruction.state), sent \(sending.attempts) times\(why)"
                }.joined(separator: "; ")
            default: ""
            }
        return claim
    }
}
