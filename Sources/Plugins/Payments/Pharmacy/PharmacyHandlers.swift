import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

/// Local payments of pharmacies: a commissioner's file of a month, from loading to the answer (payments.md 10.1).
struct PharmacyHandlers: Pcs_Payments_V1_PharmacyPaymentService {
    let context: PluginContext

    func loadLocalPayments(
        _ requests: RequestStream<Pcs_Payments_V1_LoadLocalPaymentsRequest>, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_PharmacyFile {
        let first = requests.first
        var fields = RequestFields()
        let commissioner = commissioner(first.commissionerCode, &fields)
        let month = fields.month(first.month)
        if let month { try requireInTime(month, call, &fields) }
        try fields.finish()
        guard let commissioner, let month else { throw Failure(HostReasons.fieldInvalid) }
        let file = try await Upload.collect(requests, name: first.fileName) { Array($0.data) }
        let reading = LocalPaymentFile(month: month) { standing($0, commissioner, call.today) }
        let (rows, violations) = reading.read(file.bytes)
        guard violations.isEmpty else { throw Failure.file(violations) }
        let total = try refusing { try Money.sum(rows.map { Money(pence: $0.pence) }).pence }
        let read = PharmacyStore.File(
            id: "", commissioner: commissioner, month: month, stage: .received, evidenceID: "",
            sha256: file.sha256,
            rows: Int64(rows.count), contractors: Int64(Set(rows.map(\.contractor)).count), totalPence: total,
            loadedBy: call.caller.responsible)
        if first.dryRun { return message(read, rows, []) }
        return try await call.commit { transaction in
            var loaded = read
            if var before = try PharmacyStore.file(of: commissioner, in: month, transaction) {
                if before.sha256 == loaded.sha256 { return try message(before, transaction) }
                before.stage = try step(.replace, before)
                try PharmacyStore.save(before, in: transaction)
                try PharmacyStore.record(
                    "replaced", of: before.id, by: loaded.loadedBy,
                    detail: "by a file of sha256 \(file.sha256)",
                    in: transaction)
            }
            loaded.id = transaction.newIdentifier()
            loaded.stage = try step(.validate, loaded)
            loaded.evidenceID = try EvidenceStore.keep(
                file, kind: .localPayments, by: loaded.loadedBy, in: transaction)
            try PharmacyStore.add(loaded, rows, in: transaction)
            for name in ["received", "validated"] {
                try PharmacyStore.record(
                    name, of: loaded.id, by: loaded.loadedBy,
                    detail: "\(rows.count) rows, \(Money(pence: total))",
                    in: transaction)
            }
            note(loaded, "\(rows.count) rows, \(Money(pence: total)), sha256 \(file.sha256)", in: transaction)
            return try message(loaded, transaction)
        }
    }

    /// PHL09: due by the 7th of the month of payment.
    private func requireInTime(_ month: YearMonth, _ call: CallContext, _ fields: inout RequestFields) throws
    {
        let day = try context.store.read { reader in
            try refusing {
                try ReferenceStore.rates(knownAt: .max, reader).whole(.pharmacyFileDay, at: month.firstDay)
            }
        }
        let last = month.firstDay.adding(days: Int(day) - 1)
        if call.today > last {
            fields.refuse(
                "month", "PHL09", "The file of \(month) was due by \(last); send it for the next month.")
        }
        if month > YearMonth(containing: call.today).adding(months: 2) {
            fields.refuse("month", "PHL09", "A file is for one of the next two months.")
        }
    }

    private func standing(
        _ code: ODSCode, _ commissioner: ODSCode, _ day: CalendarDate
    ) -> LocalPaymentFile.Standing {
        // A closed one may not be in the register any more as it stands today.
        let entry =
            context.organisations.organisation(code, at: day)
            ?? context.organisations.organisation(code, at: day.adding(days: -366))
        guard let entry, entry.kind == .pharmacy else { return .unknown }
        // A proposed one with an opening day may be paid from it on: the register is slow to call it active.
        let isOpen = entry.status != .inactive && entry.closedOn.map { $0 > day } ?? true
        guard isOpen, context.organisations.organisation(code, at: day) != nil else { return .closed(entry.closedOn) }
        // The register names the Integrated Care Board as commissioner of pharmacies.
        let commissioners = [
            context.organisations.commissioner(of: code, at: day),
            context.organisations.icb(of: code, at: day),
        ]
        return commissioners.contains(commissioner) ? .ours : .ofAnotherCommissioner
    }

    func authoriseLocalPayments(
        _ request: Pcs_Payments_V1_AuthoriseLocalPaymentsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_PharmacyFile {
        try await call.commit { transaction in
            var file = try find(request.fileID, of: request.commissionerCode, transaction)
            let next = try step(.authorise, file)
            let actor = call.caller.responsible
            try call.requireOtherPerson(than: file.loadedBy, step: "authorising local payments")
            guard request.controlTotalPence == file.totalPence else {
                throw Failure(PaymentsReasons.controlTotalMismatch)
            }
            let isFirst = file.authorisedBy.isEmpty
            if isFirst {
                file.authorisedBy = actor
            } else {
                try call.requireOtherPerson(than: file.authorisedBy, step: "the second authorisation")
                file.stage = next
                file.isPaidHere = try PharmacyStore.isPaidHere(file.commissioner, in: file.month, transaction)
                if file.isPaidHere { try pay(file, by: actor, in: transaction) }
            }
            try PharmacyStore.save(file, in: transaction)
            let name = isFirst ? "authorised by the first person" : "authorised"
            try PharmacyStore.record(
                name, of: file.id, by: actor, detail: "control total \(Money(pence: file.totalPence))",
                in: transaction)
            note(file, name, in: transaction)
            return try message(file, transaction)
        }
    }

    private func pay(_ file: PharmacyStore.File, by actor: String, in transaction: any Transaction) throws {
        let items = try PharmacyStore.payments(of: file.id, transaction).enumerated()
            .filter { $0.element.pence != 0 }
            .map {
                LocalPaymentFile.item($0.element, number: $0.offset + 1, month: file.month, fileID: file.id)
            }
        try PayableItemStore.add(items, by: actor, detail: "local payments \(file.id)", in: transaction)
    }

    func recordLocalPaymentsSent(
        _ request: Pcs_Payments_V1_PharmacyFileStepRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_PharmacyFile {
        try await change(request.fileID, request.commissionerCode, .send, "", call)
    }

    func recordLocalPaymentsAnswer(
        _ request: Pcs_Payments_V1_RecordLocalPaymentsAnswerRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_PharmacyFile {
        var fields = RequestFields()
        fields.reason(request.note, field: "note", mayBeEmpty: request.confirmed)
        try fields.finish()
        return try await change(
            request.fileID, request.commissionerCode, request.confirmed ? .confirm : .query, request.note,
            call)
    }

    private func change(
        _ fileID: String, _ commissioner: String, _ action: PharmacyFileAction, _ detail: String,
        _ call: CallContext
    ) async throws -> Pcs_Payments_V1_PharmacyFile {
        try await call.commit { transaction in
            var file = try find(fileID, of: commissioner, transaction)
            if file.isPaidHere {
                throw Failure(
                    PaymentsReasons.pharmacyFileStateWrong,
                    "The monthly run pays file \(file.id); it is not sent.")
            }
            file.stage = try step(action, file)
            try PharmacyStore.save(file, in: transaction)
            try PharmacyStore.record(
                file.stage.name, of: file.id, by: call.caller.responsible, detail: detail, in: transaction)
            note(file, file.stage.name, in: transaction)
            return try message(file, transaction)
        }
    }

    func setLocalPaymentsPaidHere(
        _ request: Pcs_Payments_V1_SetLocalPaymentsPaidHereRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_LocalPaymentsSetting {
        var fields = RequestFields()
        let commissioner = commissioner(request.commissionerCode, &fields)
        let month = fields.month(request.fromMonth, field: "from_month")
        fields.reason(request.reason)
        if let month, month < YearMonth(containing: call.today) {
            fields.refuse(
                "from_month", "payments 10.1", "The choice holds from this month on at the earliest.")
        }
        try fields.finish()
        guard let commissioner, let month else { throw Failure(HostReasons.fieldInvalid) }
        return try await call.commit { transaction in
            let actor = call.caller.responsible
            try PharmacyStore.set(
                paidHere: request.paidHere, commissioner, from: month, by: actor, reason: request.reason,
                in: transaction)
            transaction.audit(
                AuditNote(
                    object: "local-payments/\(commissioner)", organisation: commissioner.value,
                    detail: "paid \(request.paidHere ? "here" : "by the pricing authority") from \(month)"))
            return .with {
                $0.commissionerCode = commissioner.value
                $0.fromMonth = Pcs_Common_V1_Month(month)
                ($0.paidHere, $0.setBy) = (request.paidHere, actor)
            }
        }
    }
}
