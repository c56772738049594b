import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

/// Changes of bank details (payments.md 12.5): proposed, signed by all partners, verified by one person, authorised by
/// another.
struct BankDetailsHandlers: Pcs_Payments_V1_BankDetailsService {
    let context: PluginContext

    func proposeBankDetails(
        _ request: Pcs_Payments_V1_ProposeBankDetailsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_BankDetailsChange {
        var fields = RequestFields()
        let payee = payee(request.payeeCode, &fields)
        let from = fields.date(
            request.effectiveFrom, isSet: request.hasEffectiveFrom, field: "effective_from", mayBeEmpty: false)
        fields.reason(request.reason)
        if !(1...40).contains(request.account.accountName.count) {
            fields.refuse("account.account_name", "12.5", "The account's name has 1 to 40 characters.")
        }
        let account = BankAccount(
            sortCode: request.account.sortCode, accountNumber: request.account.accountNumber)
        if account == nil {
            fields.refuse(
                "account", "12.6", "A sort code has six digits and an account number six to eight.")
        }
        let names = request.signatories.map { $0.lowercased().filter { $0 != " " } }
        if names.isEmpty || Set(names).count != names.count
            || request.signatories.contains(where: { $0.isEmpty || $0.contains("\n") || $0.count > 120 })
        {
            fields.refuse("signatories", "12.5", "Name every partner who must sign, once each.")
        }
        if names.count == 1 || !request.singleSignatoryReason.isEmpty {
            fields.reason(request.singleSignatoryReason, field: "single_signatory_reason")
        }
        let isRecorded = call.caller.roles.contains(Roles.paymentsOperator) && call.caller.actingFor != request.payeeCode
        if isRecorded, request.evidenceDocumentIds.isEmpty {
            fields.refuse(
                "evidence_document_ids", "12.5", "A change that is recorded on behalf needs the signed form.")
        }
        if let from, from < call.today {
            fields.refuse("effective_from", "12.5", "Details take effect today or later.")
        }
        try fields.finish()
        guard let payee, let from, let account else { throw Failure(HostReasons.fieldInvalid) }
        return try await call.commit { transaction in
            let open = try BankDetailsStore.changes(of: payee, transaction).first {
                [.draft, .submitted, .verified].contains($0.state)
            }
            if let open {
                throw Failure(
                    PaymentsReasons.bankChangeOpen, "Change \(open.id) of \(payee) is not decided yet.")
            }
            var change = BankDetailsStore.Change(
                id: transaction.newIdentifier(), payee: payee, state: .draft,
                accountName: request.account.accountName, account: account, effectiveFrom: from,
                signatories: request.signatories, evidence: request.evidenceDocumentIds, reason: request.reason,
                singleSignatoryReason: request.singleSignatoryReason,
                proposedBy: call.caller.responsible, proposedAt: transaction.now, verificationsNeeded: 1)
            try BankDetailsStore.add(change, in: transaction)
            // On behalf, the form carries the signatures; the payee's own proposer signs by proposing.
            let signing = isRecorded ? change.signatories : Array(change.signatories.prefix(1))
            for signatory in signing {
                try BankDetailsStore.sign(change.id, as: signatory, by: change.proposedBy, in: transaction)
            }
            try submitWhenSigned(&change, in: transaction)
            note(change, "proposed: account \(account.lastFour), from \(from)", in: transaction)
            return try message(change, call, transaction)
        }
    }

    func signBankDetails(
        _ request: Pcs_Payments_V1_SignBankDetailsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_BankDetailsChange {
        try await call.commit { transaction in
            var change = try find(request.changeID, sha256: request.sha256, transaction)
            guard change.payee.value == request.payeeCode else {
                throw Failure(HostReasons.notFound, "There is no such change for \(request.payeeCode).")
            }
            try require(change, .draft)
            guard change.signatories.contains(request.signatory) else {
                throw Failure.field("signatory", "12.5", "Nobody of that name must sign.")
            }
            let signed = try BankDetailsStore.signatures(of: change.id, transaction)
            if signed.contains(where: { $0.signatory == request.signatory }) {
                throw Failure(PaymentsReasons.alreadyDecided, "\(request.signatory) has signed.")
            }
            for earlier in signed {
                try call.requireOtherPerson(than: earlier.by, step: "signing for another partner")
            }
            try BankDetailsStore.sign(
                change.id, as: request.signatory, by: call.caller.responsible, in: transaction)
            try submitWhenSigned(&change, in: transaction)
            note(change, "signed by \(request.signatory)", in: transaction)
            return try message(change, call, transaction)
        }
    }

    func verifyBankDetails(
        _ request: Pcs_Payments_V1_VerifyBankDetailsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_BankDetailsChange {
        var fields = RequestFields()
        let since = fields.date(
            request.callBackNumberOnFileSince, isSet: request.hasCallBackNumberOnFileSince,
            field: "call_back_number_on_file_since", mayBeEmpty: false)
        let called = fields.date(
            request.calledOn, isSet: request.hasCalledOn, field: "called_on", mayBeEmpty: false)
        if request.callBackNumber.count < 6 || request.callBackNumber.count > 30 {
            fields.refuse("call_back_number", "12.5", "Name the number that was called.")
        }
        let onFile = try context.store.read { try BankCalendar($0).numberOnFileDays(on: call.today) }
        if let since, let called, called.adding(days: -onFile) < since {
            fields.refuse(
                "call_back_number_on_file_since", "12.5", "The number must have been on file for \(onFile) days.")
        }
        if let called, called > call.today { fields.refuse("called_on", "12.5", "The call lies in the future.") }
        if request.payeeConfirmation == .unspecified {
            fields.refuse("payee_confirmation", "12.5", "Say what Confirmation of Payee answered.")
        }
        if request.payeeConfirmation != .match {
            fields.reason(request.overrideReason, field: "override_reason")
        }
        try fields.finish()
        guard let since, let called else { throw Failure(HostReasons.fieldInvalid) }
        return try await call.commit { transaction in
            var change = try find(request.changeID, sha256: request.sha256, transaction)
            try requireVerifier(of: change, request, call)
            try require(change, .submitted)
            let earlier = try BankDetailsStore.verifications(of: change.id, transaction)
            try requireUninvolved(change, call, step: "verifying bank details", transaction)
            for verification in earlier {
                try call.requireOtherPerson(than: verification.by, step: "confirming bank details once more")
            }
            let check = ModulusCheck(change.account, try ModulusStore.tables(transaction))
            guard check.outcome != .invalid else {
                throw Failure(
                    PaymentsReasons.bankDetailsRefused,
                    "The modulus check fails: \(check.explanation.joined(separator: "; ")).")
            }
            let sharing = try BankDetailsStore.payees(
                sharing: change.account, besides: change.payee, transaction)
            if !sharing.isEmpty, request.overrideReason.count < 3 {
                throw Failure(
                    PaymentsReasons.bankDetailsRefused,
                    "The account is also that of \(sharing.joined(separator: ", ")): give override_reason.")
            }
            try BankDetailsStore.addVerification(
                BankDetailsStore.Verification(
                    by: call.caller.responsible, at: transaction.now, outcome: check.outcome,
                    explanation: check.explanation, confirmation: Int64(request.payeeConfirmation.rawValue),
                    overrideReason: request.overrideReason, callBackNumber: request.callBackNumber,
                    onFileSince: since, calledOn: called, verifiedFor: call.caller.actingFor),
                number: earlier.count + 1, to: change.id, in: transaction)
            if Int64(earlier.count + 1) >= change.verificationsNeeded { change.state = .verified }
            try BankDetailsStore.save(change, in: transaction)
            note(change, "verified (\(earlier.count + 1)), modulus \(check.outcome.rawValue)", in: transaction)
            return try message(change, call, transaction)
        }
    }

    func authoriseBankDetails(
        _ request: Pcs_Payments_V1_AuthoriseBankDetailsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_BankDetailsChange {
        try await call.commit { transaction in
            var change = try find(request.changeID, sha256: request.sha256, transaction)
            try require(change, .verified)
            try requireUninvolved(change, call, step: "authorising bank details", transaction)
            for verification in try BankDetailsStore.verifications(of: change.id, transaction) {
                try call.requireOtherPerson(than: verification.by, step: "authorising what one has verified")
            }
            change.state = .authorised
            change.authorisedBy = call.caller.responsible
            change.authorisedAt = transaction.now
            try BankDetailsStore.save(change, in: transaction)
            try notices.authorised(change, in: transaction)
            note(change, "authorised", in: transaction)
            return try message(change, call, transaction)
        }
    }

    func rejectBankDetails(
        _ request: Pcs_Payments_V1_RejectBankDetailsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_BankDetailsChange {
        var fields = RequestFields()
        fields.reason(request.reason)
        try fields.finish()
        return try await call.commit { transaction in
            guard var change = try BankDetailsStore.change(request.changeID, transaction) else {
                throw Failure(HostReasons.notFound, "There is no such change.")
            }
            guard change.state != .rejected else { throw Failure(PaymentsReasons.alreadyDecided) }
            if change.state == .authorised, change.effectiveFrom <= call.today {
                throw Failure(
                    PaymentsReasons.bankChangeStateWrong,
                    "Change \(change.id) has been in effect since \(change.effectiveFrom): freeze the account instead.")
            }
            change.state = .rejected
            change.rejectedBecause = request.reason
            try BankDetailsStore.save(change, in: transaction)
            try notices.rejected(change, by: call.caller.responsible, in: transaction)
            note(change, "rejected: \(request.reason)", in: transaction)
            return try message(change, call, transaction)
        }
    }

    func freezeBankDetails(
        _ request: Pcs_Payments_V1_FreezeBankDetailsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_BankDetails {
        var fields = RequestFields()
        let payee = payee(request.payeeCode, &fields)
        fields.reason(request.reason)
        try fields.finish()
        guard let payee else { throw Failure(HostReasons.fieldInvalid) }
        return try await call.commit { transaction in
            try BankDetailsStore.freeze(
                payee, reason: request.reason, by: call.caller.responsible, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "bank-details/\(payee)", organisation: payee.value,
                    detail: "frozen: \(request.reason)"))
            return try details(of: payee, on: call.today, call, transaction)
        }
    }

    func getBankDetails(
        _ request: Pcs_Payments_V1_GetBankDetailsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_BankDetails {
        var fields = RequestFields()
        let payee = payee(request.payeeCode, &fields)
        let day = fields.date(request.at, isSet: request.hasAt, field: "at") ?? call.today
        try fields.finish()
        guard let payee else { throw Failure(HostReasons.fieldInvalid) }
        return try context.store.read { try details(of: payee, on: day, call, $0) }
    }

    func loadModulusTables(
        _ requests: RequestStream<Pcs_Payments_V1_LoadModulusTablesRequest>, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ModulusTablesLoad {
        let first = requests.first
        let kind = Int64(first.table.rawValue)
        guard kind == 1 || kind == 2 else {
            throw Failure.field("table", "12.6", "Say which table: weights or substitutions.")
        }
        let file = try await Upload.collect(requests, name: first.fileName) { Array($0.data) }
        let text = String(decoding: file.bytes, as: UTF8.self)
        let (rows, faults) =
            kind == 1
            ? { ($0.rows.count, $0.faults) }(ModulusFile.weights(text))
            : { ($0.table.count, $0.faults) }(ModulusFile.substitutions(text))
        guard faults.isEmpty, rows > 0 else {
            throw Failure(
                HostReasons.fileInvalid, "The table has \(faults.count) broken rows, \(rows) good ones.",
                violations: faults.prefix(100).map {
                    Violation(field: "row", rule: "12.6", message: $0.message, row: Int($0.row))
                })
        }
        return try await call.commit { transaction in
            if let known = try ModulusStore.known(kind: kind, sha256: file.sha256, transaction) {
                return .with {
                    ($0.loadID, $0.table, $0.rows) = (known.id, first.table, known.rows)
                    ($0.sha256, $0.alreadyLoaded) = (file.sha256, true)
                }
            }
            let id = transaction.newIdentifier()
            try ModulusStore.add(
                id, kind: kind, file, rows: rows, by: call.caller.responsible, in: transaction)
            transaction.audit(AuditNote(object: "modulus/\(id)", detail: "\(rows) rows of \(file.name)"))
            return .with {
                ($0.loadID, $0.table, $0.rows, $0.sha256) = (id, first.table, Int64(rows), file.sha256)
            }
        }
    }

    func checkModulus(
        _ request: Pcs_Payments_V1_CheckModulusRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ModulusResult {
        guard let account = BankAccount(sortCode: request.sortCode, accountNumber: request.accountNumber) else {
            throw Failure.field("sort_code", "12.6", "A sort code has six digits, an account number six to eight.")
        }
        let check = ModulusCheck(account, try context.store.read { try ModulusStore.tables($0) })
        return .with { ($0.outcome, $0.explanation) = (check.outcome.rawValue, check.explanation) }
    }
}
