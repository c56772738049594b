import Digests
import CaseworkContract
import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

/// Files to the bank and what comes back (payments.md 12.7).
struct PaymentFileHandlers: Pcs_Payments_V1_PaymentFileService {
    let context: PluginContext

    func setOriginator(
        _ request: Pcs_Payments_V1_SetOriginatorRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_SetOriginatorResponse {
        var fields = RequestFields()
        let account = BankAccount(
            sortCode: request.account.sortCode, accountNumber: request.account.accountNumber)
        if account == nil { fields.refuse("account", "12.7", "Name a sort code and an account number.") }
        if request.serviceUserNumber.utf8.count != 6
            || !request.serviceUserNumber.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        {
            fields.refuse("service_user_number", "12.7", "A service user number has six digits.")
        }
        if !(1...18).contains(request.account.accountName.count) {
            fields.refuse("account.account_name", "12.7", "The originator's name has 1 to 18 characters.")
        }
        try fields.finish()
        guard let account else { throw Failure(HostReasons.fieldInvalid) }
        let wanted = BacsOriginator(
            serviceUserNumber: request.serviceUserNumber, account: account, name: request.account.accountName)
        return try await call.commit { transaction in
            let actor = call.caller.responsible
            transaction.audit(
                AuditNote(
                    object: "originator", detail: "\(wanted.serviceUserNumber), account \(account.lastFour)"))
            if let proposed = try PaymentFileStore.proposedOriginator(transaction), proposed.originator == wanted {
                try call.requireOtherPerson(than: proposed.by, step: "approving the originator")
                try PaymentFileStore.approve(proposed.number, by: actor, in: transaction)
                return .with { $0.inForce = true }
            }
            try PaymentFileStore.propose(wanted, by: actor, in: transaction)
            return .with { $0.inForce = false }
        }
    }

    func buildPaymentFile(
        _ request: Pcs_Payments_V1_BuildPaymentFileRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_PaymentFile {
        var fields = RequestFields()
        let named = [!request.runID.isEmpty, !request.paymentIds.isEmpty, !request.replacesFileID.isEmpty]
        if named.count(where: { $0 }) != 1 {
            fields.refuse(
                "run_id", "12.7", "Name either the run, or the outstanding payments, or the file that is built anew.")
        }
        let day = fields.date(
            request.paymentDate, isSet: request.hasPaymentDate, field: "payment_date",
            mayBeEmpty: request.paymentIds.isEmpty)
        try fields.finish()
        return try await call.commit { transaction in
            guard let originator = try PaymentFileStore.originator(transaction) else {
                throw Failure(PaymentsReasons.originatorMissing)
            }
            let building = PaymentFileBuilding(
                originator: originator, actor: call.caller.responsible, today: call.today)
            let file: PaymentFileStore.File
            if !request.runID.isEmpty {
                let run = try RunHandlers.run(request.runID, transaction)
                try requireNoApprover(of: [run.id], call, step: "building the file of a run", transaction)
                guard let made = try building.pay(run, on: day ?? run.paymentDate, in: transaction) else {
                    return try nothingToSend(run.id, run.paymentDate, transaction)
                }
                file = made
            } else if !request.replacesFileID.isEmpty {
                let old = try find(request.replacesFileID, transaction)
                try requireNoApprover(of: old, call, step: "building a file anew", transaction)
                guard let made = try building.replace(old, on: day, in: transaction) else {
                    return try nothingToSend(old.runID, day ?? old.paymentDate, transaction)
                }
                file = made
            } else {
                guard let day else { throw Failure(HostReasons.fieldInvalid) }
                file = try building.payOutstanding(request.paymentIds, on: day, in: transaction)
                try requireNoApprover(of: file, call, step: "building a file of their payments", transaction)
            }
            transaction.audit(
                AuditNote(
                    object: "payment-file/\(file.id)",
                    detail: "\(file.credits) credits, \(Money(pence: file.totalPence)), sha256 \(file.sha256)"))
            return try message(file, transaction)
        }
    }

    func getPaymentFile(
        _ request: Pcs_Payments_V1_GetPaymentFileRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_PaymentFile {
        try context.store.read { try message(try find(request.fileID, $0), $0) }
    }

    func downloadPaymentFile(
        _ request: Pcs_Payments_V1_GetPaymentFileRequest, _ reply: ReplyStream<Pcs_Payments_V1_PaymentFileChunk>,
        _ call: CallContext
    ) async throws {
        let (file, body) = try context.store.read { reader in
            let file = try find(request.fileID, reader)
            return (file, try PaymentFileStore.body(of: file.id, reader))
        }
        guard Digest.hex(Digest.sha256(body)) == file.sha256 else {
            throw PaymentsError.damaged("payment file").failure
        }
        var rest = body[...]
        while !rest.isEmpty {
            let piece = rest.prefix(60_000)
            try await reply.send(.with { $0.data = .init(piece) })
            rest = rest.dropFirst(piece.count)
        }
    }

    func recordSubmission(
        _ request: Pcs_Payments_V1_RecordSubmissionRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_PaymentFile {
        var fields = RequestFields()
        fields.reason(request.submissionReference, field: "submission_reference")
        let sent = fields.date(request.submittedOn, isSet: request.hasSubmittedOn, field: "submitted_on") ?? call.today
        if sent > call.today { fields.refuse("submitted_on", "12.7", "The day lies in the future.") }
        try fields.finish()
        return try await call.commit { transaction in
            let file = try find(request.fileID, transaction)
            try requireNoApprover(of: file, call, step: "submitting a file", transaction)
            guard file.sha256 == request.sha256 else {
                throw Failure.field("sha256", "12.7", "What was sent is not this file.")
            }
            for id in try runs(of: file, transaction) where try RunStore.run(id, transaction)?.state == .aborted {
                throw Failure(
                    PaymentsReasons.paymentFileStateWrong, "Run \(id) was aborted: a file that pays of it is not sent.")
            }
            try requireSendable(file, on: sent, transaction)
            guard
                try PaymentFileStore.submit(
                    file.id, reference: request.submissionReference, by: call.caller.responsible, in: transaction)
            else {
                throw Failure(PaymentsReasons.paymentFileStateWrong, "File \(file.id) has been submitted or replaced.")
            }
            transaction.audit(
                AuditNote(
                    object: "payment-file/\(file.id)", detail: "submitted on \(sent): \(request.submissionReference)"))
            return try message(try find(file.id, transaction), transaction)
        }
    }

    func recordReturns(
        _ request: Pcs_Payments_V1_RecordReturnsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_RecordReturnsResponse {
        try await call.commit { transaction in
            let file = try find(request.fileID, transaction)
            guard file.submittedAt != nil else {
                throw Failure(PaymentsReasons.paymentFileStateWrong, "File \(file.id) was not submitted.")
            }
            let returned = try matched(request.returns, in: file, today: call.today, transaction)
            let returns = PaymentReturns(
                organisations: context.organisations, today: call.today, actor: call.caller.responsible)
            let outstanding = try returned.map { try returns.take($0, file: file, in: transaction) }
            transaction.audit(
                AuditNote(object: "payment-file/\(file.id)", detail: "\(returned.count) credits returned"))
            return .with { $0.outstanding = outstanding }
        }
    }

    /// Every return with its payment; one that does not match refuses all.
    private func matched(
        _ returns: [Pcs_Payments_V1_ReturnedCredit], in file: PaymentFileStore.File, today: CalendarDate,
        _ reader: any Reader
    ) throws -> [PaymentReturns.Credit] {
        let payments = Dictionary(
            try PaymentFileStore.payments(ofFile: file.id, reader).map { ($0.reference, $0) },
            uniquingKeysWith: { first, _ in first })
        var fields = RequestFields()
        var seen: Set<String> = []
        var matched: [PaymentReturns.Credit] = []
        if returns.isEmpty { fields.refuse("returns", "12.7", "Name at least one returned credit.") }
        for (index, credit) in returns.enumerated() {
            let field = "returns[\(index)]"
            guard let code = ReturnCode(rawValue: credit.code) else {
                fields.refuse(field + ".code", "12.7", "The code is 0, 2, 3, 5, B or C.")
                continue
            }
            guard let payment = payments[credit.reference], payment.state == .inFile else {
                fields.refuse(
                    field + ".reference", "12.7", "File \(file.id) has no unreturned credit \(credit.reference).")
                continue
            }
            guard payment.pence == credit.pence else {
                fields.refuse(field + ".pence", "12.7", "\(credit.reference) was for \(Money(pence: payment.pence)).")
                continue
            }
            guard seen.insert(credit.reference).inserted else {
                fields.refuse(field + ".reference", "12.7", "\(credit.reference) is named twice.")
                continue
            }
            let day = fields.date(credit.returnedOn, isSet: credit.hasReturnedOn, field: field + ".returned_on")
            if let day, day < file.paymentDate || day > today {
                fields.refuse(
                    field + ".returned_on", "12.7", "A credit comes back from \(file.paymentDate) on, and not in future.")
            }
            matched.append(.init(payment: payment, code: code, returnedOn: day))
        }
        try fields.finish()
        return matched
    }

    func listOutstandingPayments(
        _ request: Pcs_Payments_V1_ListOutstandingPaymentsRequest,
        _ reply: ReplyStream<Pcs_Payments_V1_OutstandingPayment>, _ call: CallContext
    ) async throws {
        let payments = try context.store.read { try PaymentFileStore.outstanding(payee: request.payeeCode, $0) }
        for payment in payments { try await reply.send(Pcs_Payments_V1_OutstandingPayment(payment)) }
    }

    func exportJournal(
        _ request: Pcs_Payments_V1_ExportJournalRequest, _ reply: ReplyStream<Pcs_Payments_V1_JournalChunk>,
        _ call: CallContext
    ) async throws {
        var fields = RequestFields()
        let from = fields.date(request.from, isSet: request.hasFrom, field: "from")
        let to = fields.date(request.to, isSet: request.hasTo, field: "to")
        try fields.finish()
        try await JournalExport(store: context.store, from: from, to: to).send { bytes in
            try await reply.send(.with { $0.data = .init(bytes) })
        }
    }

    /// Nobody moves money that they approved (payments.md 12.8).
    private func requireNoApprover(
        of runs: Set<String>, _ call: CallContext, step: String, _ reader: any Reader
    ) throws {
        for run in runs.sorted() {
            for approval in try RunStore.approvals(of: run, reader) {
                try call.requireOtherPerson(than: approval.by, step: step)
            }
        }
    }

    private func requireNoApprover(
        of file: PaymentFileStore.File, _ call: CallContext, step: String, _ reader: any Reader
    ) throws {
        try requireNoApprover(of: runs(of: file, reader), call, step: step, reader)
    }

    /// Runs of which a file pays.
    private func runs(of file: PaymentFileStore.File, _ reader: any Reader) throws -> Set<String> {
        file.runID.isEmpty ? Set(try PaymentFileStore.payments(ofFile: file.id, reader).map(\.runID)) : [file.runID]
    }

    /// A file arrives on its day when it is sent two working days before, and goes to no account frozen since.
    private func requireSendable(_ file: PaymentFileStore.File, on day: CalendarDate, _ reader: any Reader) throws {
        guard file.submittedAt == nil, file.replacedBy.isEmpty else { return }
        let calendar = try BankCalendar(reader)
        guard try calendar.reaches(file.paymentDate, sentOn: day) else {
            throw Failure(
                PaymentsReasons.paymentFileStateWrong,
                "File \(file.id) is for \(file.paymentDate), which a file sent on \(day) does not reach: build it anew, for "
                    + "\(try calendar.earliestEntry(sentOn: day)) at the earliest.")
        }
        let frozen = try PaymentFileBuilding.frozen(in: file, reader)
        guard frozen.isEmpty else {
            throw Failure(
                PaymentsReasons.paymentFileStateWrong,
                "Accounts were frozen since file \(file.id) was built, of "
                    + frozen.map(\.value).joined(separator: ", ") + ": build it anew.")
        }
    }

    /// All payees are held: those of a run are listed, and paid by files beside it.
    private func nothingToSend(
        _ runID: String, _ day: CalendarDate, _ transaction: any Transaction
    ) throws -> Pcs_Payments_V1_PaymentFile {
        let held = runID.isEmpty ? [] : try PaymentFileStore.held(ofRun: runID, transaction)
        transaction.audit(AuditNote(object: "payment-file/none", detail: "run \(runID): all payees are held"))
        return .with {
            $0.runID = runID
            $0.paymentDate = Pcs_Common_V1_Date(day)
            $0.held = held.map(Pcs_Payments_V1_OutstandingPayment.init)
        }
    }

    private func find(_ id: String, _ reader: any Reader) throws -> PaymentFileStore.File {
        guard let file = try PaymentFileStore.file(id, reader) else {
            throw Failure(HostReasons.notFound, "There is no such payment file.")
        }
        return file
    }

    private func message(
        _ file: PaymentFileStore.File, _ reader: any Reader
    ) throws -> Pcs_Payments_V1_PaymentFile {
        let held = file.runID.isEmpty ? [] : try PaymentFileStore.held(ofRun: file.runID, reader)
        return .with {
            $0.fileID = file.id
            $0.runID = file.runID
            $0.serial = file.serial
            $0.processingDay = Pcs_Common_V1_Date(file.processingDay)
            $0.paymentDate = Pcs_Common_V1_Date(file.paymentDate)
            $0.credits = file.credits
            $0.totalPence = file.totalPence
            $0.sha256 = file.sha256
            $0.builtBy = file.builtBy
            $0.submittedBy = file.submittedBy
            if let at = file.submittedAt { $0.submittedAt = Google_Protobuf_Timestamp(at) }
            $0.held = held.map(Pcs_Payments_V1_OutstandingPayment.init)
            $0.replacedByFileID = file.replacedBy
        }
    }
}

extension Pcs_Payments_V1_OutstandingPayment {
    init(_ payment: PaymentFileStore.Payment) {
        self.init()
        paymentID = payment.id
        payeeCode = payment.payee.value
        payeeName = payment.payeeName
        runID = payment.runID
        pence = payment.pence
        because = payment.because
        settledByFileID = payment.state == .inFile ? payment.fileID : ""
    }
}
