import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

extension PharmacyHandlers {
    func commissioner(_ text: String, _ fields: inout RequestFields) -> ODSCode? {
        let kind = ODSCode(text).flatMap {
            context.organisations.organisation($0, at: context.clock.today)?.kind
        }
        guard let code = ODSCode(text), kind == .icb || kind == .subICBLocation else {
            fields.refuse(
                "commissioner_code", "payments 1", "Name an Integrated Care Board or Sub ICB Location.")
            return nil
        }
        return code
    }

    /// The access rule was checked on the commissioner of the request, so it must be that of the file.
    func find(_ id: String, of commissioner: String, _ reader: any Reader) throws -> PharmacyStore.File {
        guard let file = try PharmacyStore.file(id, reader), file.commissioner.value == commissioner else {
            throw Failure(PaymentsReasons.pharmacyFileUnknown)
        }
        return file
    }

    func step(_ action: PharmacyFileAction, _ file: PharmacyStore.File) throws -> PharmacyFileStage {
        if let next = action.next(from: file.stage) { return next }
        let allowed = PharmacyFileStage.allCases.filter { action.next(from: $0) != nil }.map(\.name)
        throw Failure(
            PaymentsReasons.pharmacyFileStateWrong,
            "File \(file.id) is \(file.stage.name); this needs one that is \(allowed.joined(separator: " or "))."
        )
    }

    func note(_ file: PharmacyStore.File, _ detail: String, in transaction: any Transaction) {
        transaction.audit(
            AuditNote(
                object: "pharmacy-file/\(file.id)", organisation: file.commissioner.value,
                detail: "\(file.month): \(detail)"))
    }

    func message(_ file: PharmacyStore.File, _ reader: any Reader) throws -> Pcs_Payments_V1_PharmacyFile {
        message(
            file, try PharmacyStore.payments(of: file.id, reader),
            try PharmacyStore.steps(of: file.id, reader))
    }

    func message(
        _ file: PharmacyStore.File, _ rows: [LocalPayment], _ steps: [PharmacyStore.Step]
    ) -> Pcs_Payments_V1_PharmacyFile {
        let byCode = Dictionary(grouping: rows, by: \.lpaCode).sorted { $0.key < $1.key }
        return .with { message in
            message.fileID = file.id
            message.commissionerCode = file.commissioner.value
            message.month = Pcs_Common_V1_Month(file.month)
            message.state =
                Pcs_Payments_V1_PharmacyFileState(rawValue: Int(file.stage.rawValue)) ?? .unspecified
            message.rows = Int32(clamping: file.rows)
            message.contractors = Int32(clamping: file.contractors)
            message.totalPence = file.totalPence
            message.totals = byCode.map { code, payments in
                .with {
                    ($0.lpaCode, $0.rows) = (code, Int32(clamping: payments.count))
                    $0.totalPence = payments.reduce(0) { $0 + $1.pence }
                }
            }
            message.sha256 = file.sha256
            message.loadedBy = file.loadedBy
            message.history = steps.map { step in
                .with {
                    ($0.step, $0.by, $0.detail) = (step.step, step.by, step.detail)
                    $0.at = Google_Protobuf_Timestamp(step.at)
                }
            }
            message.paidHere = file.isPaidHere
        }
    }

    func getLocalPayments(
        _ request: Pcs_Payments_V1_PharmacyFileStepRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_PharmacyFile {
        try context.store.read { try message(try find(request.fileID, of: request.commissionerCode, $0), $0) }
    }

    func exportLocalPayments(
        _ request: Pcs_Payments_V1_PharmacyFileStepRequest,
        _ reply: ReplyStream<Pcs_Payments_V1_LocalPaymentsChunk>, _ call: CallContext
    ) async throws {
        let parts = try context.store.read { reader in
            let file = try find(request.fileID, of: request.commissionerCode, reader)
            guard file.stage.isInForce else { _ = try step(.send, file); return [LocalPaymentFile.Part]() }
            let levies = try PharmacyStore.levies(of: file.commissioner, upTo: file.month, reader)
                .compactMapValues { $0.last?.levies }
            return LocalPaymentFile.output(
                try PharmacyStore.payments(of: file.id, reader), levies, month: file.month)
        }
        for part in parts {
            for start in stride(from: 0, to: part.bytes.count, by: 64 << 10) {
                try await reply.send(
                    Pcs_Payments_V1_LocalPaymentsChunk.with {
                        $0.lpaCode = part.lpaCode
                        $0.data = .init(part.bytes[start..<Swift.min(start + (64 << 10), part.bytes.count)])
                    })
            }
        }
    }

    func getPharmacyLevies(
        _ request: Pcs_Payments_V1_GetPharmacyLeviesRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_PharmacyLevies {
        var fields = RequestFields()
        let commissioner = commissioner(request.commissionerCode, &fields)
        let contractor = fields.payee(request.contractorCode, field: "contractor_code")
        try fields.finish()
        guard let commissioner, let contractor else { throw Failure(HostReasons.fieldInvalid) }
        return try context.store.read { reader in
            let far = YearMonth(containing: SupportedDays.last)
            let stated = try PharmacyStore.levies(of: commissioner, upTo: far, reader)[contractor] ?? []
            return .with {
                $0.contractorCode = contractor.value
                $0.indicators = stated.reversed().map { entry in
                    .with {
                        $0.fromMonth = Pcs_Common_V1_Month(entry.month)
                        ($0.statutory, $0.voluntary) = (entry.levies.statutory, entry.levies.voluntary)
                    }
                }
            }
        }
    }

    func getPharmacyCalendar(
        _ request: Pcs_Payments_V1_GetPharmacyCalendarRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_PharmacyCalendar {
        var fields = RequestFields()
        let year = fields.financialYear(request.financialYear)
        try fields.finish()
        guard let year else { throw Failure(HostReasons.fieldInvalid) }
        return try context.store.read { reader in
            try refusing {
                let days = try ReferenceStore.workingDays(knownAt: .max, reader)
                let rates = try ReferenceStore.rates(knownAt: .max, reader)
                let first = YearMonth(containing: year.firstDay)
                return try .with {
                    $0.days = try (0..<12).map { index in
                        let month = first.adding(months: index)
                        let payment = try PaymentDates(days).pharmacyPayment(in: month)
                        let before = Int(try rates.whole(.pharmacyScheduleDays, at: month.firstDay))
                        let schedule = try days.stepping(back: before, from: payment)
                        return .with {
                            $0.month = Pcs_Common_V1_Month(month)
                            $0.paymentOn = Pcs_Common_V1_Date(payment)
                            $0.scheduleOn = Pcs_Common_V1_Date(schedule)
                        }
                    }
                }
            }
        }
    }
}
