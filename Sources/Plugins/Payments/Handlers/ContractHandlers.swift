import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

/// Contracts: reading them. Loading and revising are in files of their own.
struct ContractHandlers: Pcs_Payments_V1_ContractService {
    let context: PluginContext

    func getContract(
        _ request: Pcs_Payments_V1_GetContractRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_Contract {
        var fields = RequestFields()
        let practice = fields.practice(request.practiceCode)
        let day = fields.date(request.at, isSet: request.hasAt, field: "at") ?? call.today
        let knownOn = fields.date(request.knownOn, isSet: request.hasKnownOn, field: "known_on")
        try fields.finish()
        guard let practice else { throw Failure(PaymentsReasons.contractUnknown) }
        return try context.store.read { reader in
            let known = try InputLog.known(on: knownOn, reader)
            let timeline = try ContractStore.timeline(of: practice, knownAt: known, reader)
            guard let span = timeline.span(at: day) else {
                throw Failure(PaymentsReasons.contractUnknown, "\(practice) has no contract on \(day).")
            }
            return Pcs_Payments_V1_Contract(
                span, of: practice, try ContractStore.recording(ofVersion: span.version, reader),
                try ContractStatus.Book(knownAt: known, reader).status(of: timeline, on: day))
        }
    }

    func listContracts(
        _ request: Pcs_Payments_V1_ListContractsRequest, _ reply: ReplyStream<Pcs_Payments_V1_Contract>,
        _ call: CallContext
    ) async throws {
        var fields = RequestFields()
        let day = fields.date(request.at, isSet: request.hasAt, field: "at") ?? call.today
        let knownOn = fields.date(request.knownOn, isSet: request.hasKnownOn, field: "known_on")
        if !request.commissionerCode.isEmpty, ODSCode(request.commissionerCode) == nil {
            fields.refuse("commissioner_code", "CON09", "A commissioner is an ODS code.")
        }
        try fields.finish()
        let (timelines, book) = try context.store.read { reader in
            let known = try InputLog.known(on: knownOn, reader)
            return (
                try ContractStore.timelines(knownAt: known, reader), try ContractStatus.Book(knownAt: known, reader)
            )
        }
        for timeline in timelines {
            guard let span = timeline.span(at: day) else { continue }
            if !request.commissionerCode.isEmpty, span.terms.commissioner != request.commissionerCode {
                continue
            }
            if let kind = request.contractType.kind, span.terms.payment.kind != kind { continue }
            let recording = try context.store.read {
                try ContractStore.recording(ofVersion: span.version, $0)
            }
            try await reply.send(
                Pcs_Payments_V1_Contract(
                    span, of: timeline.practice, recording, book.status(of: timeline, on: day)))
        }
    }

    func listContractVersions(
        _ request: Pcs_Payments_V1_ListContractVersionsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ListContractVersionsResponse {
        var fields = RequestFields()
        let practice = fields.practice(request.practiceCode)
        try fields.finish()
        guard let practice else { throw Failure(PaymentsReasons.contractUnknown) }
        let history = try context.store.read { try ContractStore.history(of: practice, $0) }
        return .with {
            $0.versions = history.map { record, recording in
                .with {
                    $0.version = record.version
                    $0.effectiveFrom = Pcs_Common_V1_Date(record.from)
                    if let to = record.to { $0.effectiveTo = Pcs_Common_V1_Date(to) }
                    $0.ended = record.terms == nil
                    if let terms = record.terms { $0.terms = Pcs_Payments_V1_ContractTerms(terms) }
                    $0.trailingPayeeCode = record.trailingPayee?.value ?? ""
                    $0.recordedAt = Google_Protobuf_Timestamp(recording.at)
                    $0.recordedBy = recording.by
                    $0.reason = recording.reason
                    $0.source = recording.source
                }
            }
        }
    }
}
