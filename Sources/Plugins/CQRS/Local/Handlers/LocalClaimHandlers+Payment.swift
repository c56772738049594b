import CommonContract
import CqrsContract
import Digests
import HostContract
import PluginAPI
import SwiftProtobuf
import Tabular

// To PCSE, or to the commissioner's own finance by a file (10.1, 10.6).
extension LocalClaimHandlers {
    func runLocalHandOver(_ request: Pcs_Cqrs_V1_RunLocalHandOverRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_LocalHandOverReport
    {
        try await call.commit { transaction in
            var report = Pcs_Cqrs_V1_LocalHandOverReport()
            let run = LocalHandOver(desk: LocalDesk(context: context, call: call, transaction))
            let figures = try LocalGate.figures(transaction)
            if try request.outsideWorkingDays || LocalHandOver.isWorkingDay(call.today, figures) {
                try run.send(&report)
            }
            try run.resend(&report)
            return report
        }
    }

    // MARK: Payment files

    func makePaymentFile(_ request: Pcs_Cqrs_V1_MakePaymentFileRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_PaymentFile
    {
        try await call.commit { transaction in
            try LocalGate(context: context, today: call.today)
                .commissioner(request.commissionerCode, LocalGate.figures(transaction))
            let waiting = try LocalClaimStore.waiting(with: request.commissionerCode, .approved, transaction)
                .filter { $0.route == .file && $0.pence != 0 }
            guard !waiting.isEmpty else {
                throw Failure(
                    CqrsReasons.localPaymentFileUnknown, "No approved claim of the file route waits.")
            }
            let total = try refusingOverflow { try Money.sum(waiting.map { Money(pence: $0.pence) }).pence }
            if request.hasControlTotalPence, request.controlTotalPence != total {
                throw Failure(
                    CqrsReasons.controlTotalMismatch, "These claims come to \(Money(pence: total)) pounds.")
            }
            let desk = LocalDesk(context: context, call: call, transaction)
            let body = try LocalPaymentFile.write(waiting, total, context, call.today, transaction)
            let file = LocalPaymentStore.File(
                number: try LocalPaymentStore.nextNumber(transaction), id: transaction.newIdentifier(),
                commissioner: request.commissionerCode, claims: Int64(waiting.count), pence: total,
                sha256: Digest.hex(Digest.sha256(body)), by: desk.actor, at: transaction.now)
            try LocalPaymentStore.add(file, body, in: transaction)
            for record in waiting {
                try desk.move(record, .putInFile, reason: "payment file \(file.id)") { $0.file = file.number }
            }
            transaction.audit(
                AuditNote(
                    object: "local-payment-file/" + file.id, organisation: file.commissioner,
                    detail: "\(file.claims) claims, \(Money(pence: total)) pounds, sha256 \(file.sha256)"))
            return try message(file, transaction)
        }
    }

    private func refusingOverflow(_ body: () throws -> Int64) throws -> Int64 {
        do { return try body() } catch { throw CQRSError.amountOutOfRange("the commissioner").failure }
    }

    func readPaymentFile(
        _ request: Pcs_Cqrs_V1_ReadPaymentFileRequest, _ reply: ReplyStream<Pcs_Cqrs_V1_LocalFileChunk>,
        _ call: CallContext
    ) async throws {
        let body = try context.store.read { reader in
            let national = !call.caller.roles.isDisjoint(with: [Roles.cqrsOperator, Roles.auditor])
            guard let file = try LocalPaymentStore.file(request.fileID, reader),
                national || file.commissioner == request.commissionerCode
            else { throw Failure(CqrsReasons.localPaymentFileUnknown) }
            return try LocalPaymentStore.body(of: file.id, reader)
        }
        try await send(body, reply)
    }

    func listPaymentFiles(_ request: Pcs_Cqrs_V1_ListPaymentFilesRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_ListPaymentFilesResponse
    {
        try context.store.read { reader in
            let files = try LocalPaymentStore.files(of: request.commissionerCode, reader).map {
                try message($0, reader)
            }
            return .with { $0.files = files }
        }
    }

    func recordFilePayments(_ request: Pcs_Cqrs_V1_RecordFilePaymentsRequest, _ call: CallContext)
        async throws
        -> Pcs_Cqrs_V1_PaymentFile
    {
        var fields = RequestFields()
        let paidOn = request.paidOn.calendarDate
        if paidOn.map({ $0 > call.today }) ?? true {
            fields.refuse("paid_on", "10.4", "Today or an earlier day is needed.")
        }
        for (index, failed) in request.failed.enumerated() {
            fields.reason(failed.reason, field: "failed[\(index)].reason")
        }
        try fields.finish()
        return try await call.commit { transaction in
            guard let file = try LocalPaymentStore.file(request.fileID, transaction),
                file.commissioner == request.commissionerCode
            else { throw Failure(CqrsReasons.localPaymentFileUnknown) }
            let records = try LocalClaimStore.of(file: file.number, transaction)
            let failed = Dictionary(
                request.failed.map { ($0.claimID, $0.reason) }, uniquingKeysWith: { first, _ in first })
            guard failed.keys.allSatisfy({ id in records.contains { $0.id == id } }) else {
                throw Failure(CqrsReasons.localClaimUnknown, "A claim that is named is not in the file.")
            }
            let desk = LocalDesk(context: context, call: call, transaction)
            for record in records where record.state == .inPaymentFile {
                let why = failed[record.id]
                try desk.settlePayment(
                    record, why == nil ? .pay : .failPayment, on: paidOn ?? call.today,
                    reason: why ?? "payment file \(file.id)")
            }
            transaction.audit(
                AuditNote(
                    object: "local-payment-file/" + file.id, organisation: file.commissioner,
                    detail: "paid on \(paidOn ?? call.today), \(failed.count) failed"))
            return try message(file, transaction)
        }
    }

    private func message(_ file: LocalPaymentStore.File, _ reader: any Reader) throws
        -> Pcs_Cqrs_V1_PaymentFile
    {
        let records = try LocalClaimStore.of(file: file.number, reader)
        return .with {
            $0.fileID = file.id
            $0.commissionerCode = file.commissioner
            $0.claims = file.claims
            $0.totalPence = file.pence
            $0.sha256 = file.sha256
            $0.madeBy = file.by
            $0.madeAt = Google_Protobuf_Timestamp(file.at)
            $0.paid = Int64(records.count { $0.state == .paid })
            $0.failed = Int64(records.count { $0.state == .paymentFailed })
        }
    }
}

/// The payment file: one row a claim and service, and a last row with the totals.
enum LocalPaymentFile {
    static let columns = [
        "claim_id", "provider_code", "provider_name", "service", "pay_code", "subjective_code", "period",
        "amount_pounds",
        "narrative",
    ]

    static func write(
        _ records: [LocalClaimStore.Record], _ total: Int64, _ context: PluginContext, _ today: CalendarDate,
        _ reader: any Reader
    ) throws -> [UInt8] {
        var writer = CSVWriter()
        writer.append(columns.map { .plain($0) })
        var schemes: [String: LocalScheme] = [:]
        var rows = 0
        for record in records {
            let lines = try LocalClaimStore.lines(of: record, reader)
            let name =
                ODSCode(record.provider).flatMap { context.organisations.organisation($0, at: today)?.name }
                ?? ""
            for (service, own) in Dictionary(grouping: lines, by: \.service).sorted(by: { $0.key < $1.key }) {
                if schemes[service] == nil {
                    schemes[service] = try LocalSchemeStore.present(service, reader)?.scheme
                }
                guard let scheme = schemes[service], let day = own.map(\.activity).max() else { continue }
                let pence = own.reduce(Int64(0)) { $0 + $1.pence }
                if pence == 0 { continue }
                rows += 1
                writer.append([
                    .plain(record.id), .plain(record.provider), .text(name), .text(scheme.name),
                    .text(scheme.payCode),
                    .text(scheme.subjectiveCode), .plain("\(YearMonth(containing: day))"),
                    .plain(Money(pence: pence).description),
                    .text("LOCAL \(record.provider) \(YearMonth(containing: day))"),
                ])
            }
        }
        writer.append([
            .plain("TOTAL"), .plain("\(records.count) claims"), .plain("\(rows) rows"), .plain(""),
            .plain(""), .plain(""),
            .plain(""), .plain(Money(pence: total).description), .plain(""),
        ])
        return writer.bytes
    }
}
