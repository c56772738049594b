import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

extension RunHandlers {
    func listExceptions(
        _ request: Pcs_Payments_V1_ListExceptionsRequest, _ reply: ReplyStream<Pcs_Payments_V1_RunException>,
        _ call: CallContext
    ) async throws {
        let calculation = try context.store.read { try RunHandlers.run(request.runID, $0).calculation }
        var last: Int64 = 0
        while true {
            let page = try context.store.read { reader in
                guard try RunHandlers.run(request.runID, reader).calculation == calculation else {
                    throw Failure(PaymentsReasons.calculationChanged)
                }
                return try RunExceptionStore.page(of: request.runID, after: last, limit: 200, reader)
            }
            guard let end = page.last else { return }
            last = end.number
            for stored in page where isWanted(stored, request) {
                try await reply.send(Pcs_Payments_V1_RunException(stored))
            }
        }
    }

    private func isWanted(_ stored: StoredException, _ request: Pcs_Payments_V1_ListExceptionsRequest) -> Bool
    {
        if request.openOnly, !stored.isOpen { return false }
        return request.kind == .unspecified || Int64(request.kind.rawValue) == stored.exception.kind.rawValue
    }

    func acceptException(
        _ request: Pcs_Payments_V1_AcceptExceptionRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_AcceptExceptionResponse {
        var fields = RequestFields()
        fields.reason(request.reason)
        if !(1...1000).contains(request.numbers.count) {
            fields.refuse("numbers", "12.1", "Give 1 to 1,000 numbers.")
        }
        try fields.finish()
        return try await call.commit { transaction in
            let run = try RunHandlers.run(request.runID, transaction)
            _ = try RunAction.acceptException.requireNext(from: run)
            let actor = call.caller.responsible
            for number in request.numbers {
                let accepted = try RunExceptionStore.accept(
                    number: Int64(number), of: run.id, by: actor, reason: request.reason, in: transaction)
                guard accepted else {
                    throw Failure(
                        PaymentsReasons.exceptionNotAcceptable,
                        "Run \(run.id) has no open exception \(number) that can be accepted.")
                }
            }
            let numbers = request.numbers.map(String.init).joined(separator: ", ")
            try save(
                run, step: "exceptions accepted", by: actor, detail: "\(numbers): \(request.reason)",
                in: transaction)
            let counts = try RunExceptionStore.counts(of: run.id, transaction)
            return .with {
                $0.accepted = Int32(request.numbers.count)
                $0.blockingExceptionsOpen = counts.open
            }
        }
    }
}

extension Pcs_Payments_V1_RunException {
    init(_ stored: StoredException) {
        self.init()
        let exception = stored.exception
        number = Int32(clamping: stored.number)
        severity =
            Pcs_Payments_V1_ExceptionSeverity(rawValue: Int(exception.severity.rawValue)) ?? .unspecified
        kind = Pcs_Payments_V1_ExceptionKind(rawValue: Int(exception.kind.rawValue)) ?? .unspecified
        practiceCode = exception.practice?.value ?? ""
        practiceName = exception.practiceName
        paycode = exception.paycode
        message = exception.message
        beforePence = exception.beforePence
        nowPence = exception.nowPence
        if let acceptance = stored.acceptance {
            acceptedBy = acceptance.by
            acceptedAt = Google_Protobuf_Timestamp(acceptance.at)
            acceptanceReason = acceptance.reason
        }
    }
}
