import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

// What the steps of a change share: who may not take them, when it is submitted, how it is shown.
extension BankDetailsHandlers {
    func payee(_ text: String, _ fields: inout RequestFields) -> ODSCode? {
        guard let code = ODSCode(text) else {
            fields.refuse("payee_code", "payments 1", "An ODS code has 3 to 12 letters and digits.")
            return nil
        }
        return code
    }

    func find(_ id: String, sha256: String, _ reader: any Reader) throws -> BankDetailsStore.Change {
        guard let change = try BankDetailsStore.change(id, reader) else {
            throw Failure(HostReasons.notFound, "There is no such change.")
        }
        guard change.sha256 == sha256 else {
            throw Failure.field("sha256", "12.5", "This is not what was proposed: look at the change again.")
        }
        return change
    }

    func require(_ change: BankDetailsStore.Change, _ state: BankDetailsStore.State) throws {
        guard change.state == state else {
            throw Failure(
                PaymentsReasons.bankChangeStateWrong,
                "Change \(change.id) is \(change.state); this needs one that is \(state).")
        }
    }

    /// Whoever proposed or signed takes no later step (payments.md 12.5; identity-and-organisations.md 12).
    func requireUninvolved(
        _ change: BankDetailsStore.Change, _ call: CallContext, step: String, _ reader: any Reader
    ) throws {
        try call.requireOtherPerson(than: change.proposedBy, step: step)
        for signature in try BankDetailsStore.signatures(of: change.id, reader) {
            try call.requireOtherPerson(than: signature.by, step: step)
        }
    }

    /// Operators verify any change; a commissioner's editor that of a network of the area (payments.md 8.2, 12.8).
    func requireVerifier(
        of change: BankDetailsStore.Change, _ request: Pcs_Payments_V1_VerifyBankDetailsRequest, _ call: CallContext
    ) throws {
        if call.caller.roles.contains(Roles.paymentsOperator) { return }
        guard request.payeeCode == change.payee.value else {
            throw Failure(HostReasons.notFound, "There is no such change for \(request.payeeCode).")
        }
        guard context.organisations.organisation(change.payee, at: call.today)?.kind == .pcn else {
            throw Failure.field("payee_code", "12.8", "A commissioner verifies the details of networks only.")
        }
    }

    /// Submitted once everybody has signed. In the cooling-off before a cut-off a third confirmation is needed.
    func submitWhenSigned(_ change: inout BankDetailsStore.Change, in transaction: any Transaction) throws {
        let signed = Set(try BankDetailsStore.signatures(of: change.id, transaction).map(\.signatory))
        guard signed.isSuperset(of: change.signatories) else { return }
        change.state = .submitted
        change.submittedAt = transaction.now
        if try isCoolingOff(transaction) { change.verificationsNeeded = 2 }
        try BankDetailsStore.save(change, in: transaction)
        try notices.submitted(change, in: transaction)
    }

    var notices: BankNotices {
        BankNotices(organisations: context.organisations, today: context.clock.today)
    }

    /// Whether a cut-off is near: of a month's run, or where none is open yet that of the calendar. A month is paid
    /// within it or the next one, so a cut-off lies in a month beside its own.
    private func isCoolingOff(_ reader: any Reader) throws -> Bool {
        let today = context.clock.today
        let runs = try RunStore.runs(reader).filter { $0.state != .aborted }
        let calendar = try BankCalendar(reader)
        let month = YearMonth(containing: today)
        return try (-1...1).contains { offset in
            let paid = month.adding(months: offset)
            do {
                let cutOff = try runs.last { $0.month == paid }?.cutOffOn ?? RunHandlers.dates(paid, nil, reader).cutOff
                return try calendar.isCoolingOff(today, before: cutOff)
            } catch is CalendarError {
                // A calendar that nobody knows yet: rather one person more.
                return true
            } catch let error as PaymentsError {
                throw error.failure
            }
        }
    }

    /// What a person should look at before money goes to the account.
    private func risks(
        _ change: BankDetailsStore.Change, sharing: [String], seesAll: Bool, _ reader: any Reader
    ) throws -> [String] {
        var risks = ["signatories_not_compared: nobody has compared the signatories with the performers list"]
        if !change.singleSignatoryReason.isEmpty {
            risks.append("one signatory alone: " + change.singleSignatoryReason)
        }
        if seesAll, !sharing.isEmpty {
            risks.append("the account is also that of " + sharing.joined(separator: ", "))
        }
        if change.verificationsNeeded > 1 { risks.append("submitted shortly before a cut-off: two verifications") }
        let proposed = LondonTime.day(at: change.proposedAt)
        let days = try BankCalendar(reader).contactChangeDays(on: proposed)
        for moved in try ContactChanges.days(of: change.payee, reader)
        where abs(moved.daysSince1970 - proposed.daysSince1970) <= days {
            risks.append("contact_changed: the register has another address from \(moved) on")
        }
        return risks
    }

    func note(_ change: BankDetailsStore.Change, _ detail: String, in transaction: any Transaction) {
        transaction.audit(
            AuditNote(object: "bank-details/\(change.id)", organisation: change.payee.value, detail: detail))
    }

    func details(
        of payee: ODSCode, on day: CalendarDate, _ call: CallContext, _ reader: any Reader
    ) throws -> Pcs_Payments_V1_BankDetails {
        let changes = try BankDetailsStore.changes(of: payee, reader)
        let freeze = try BankDetailsStore.freeze(of: payee, reader)
        let inForce = changes.filter { $0.state == .authorised && $0.effectiveFrom <= day }
            .max { ($0.effectiveFrom, $0.id) < ($1.effectiveFrom, $1.id) }
        return try .with {
            $0.payeeCode = payee.value
            if let inForce, freeze == nil { $0.inForce = try message(inForce, call, reader, activeID: inForce.id) }
            $0.changes = try changes.map { try message($0, call, reader, activeID: inForce?.id) }
            $0.frozen = freeze != nil
            $0.frozenBecause = freeze?.reason ?? ""
        }
    }

    func message(
        _ change: BankDetailsStore.Change, _ call: CallContext, _ reader: any Reader, activeID: String? = nil
    ) throws -> Pcs_Payments_V1_BankDetailsChange {
        let seesAll = !call.caller.roles.isDisjoint(with: [Roles.paymentsOperator, Roles.paymentsApprover])
        let sharing = try BankDetailsStore.payees(sharing: change.account, besides: change.payee, reader)
        let signatures = try BankDetailsStore.signatures(of: change.id, reader)
        let verifications = try BankDetailsStore.verifications(of: change.id, reader)
        let risks = try risks(change, sharing: sharing, seesAll: seesAll, reader)
        return .with { message in
            message.changeID = change.id
            message.payeeCode = change.payee.value
            message.state = state(of: change, activeID: activeID)
            message.account = .with {
                $0.accountName = change.accountName
                $0.sortCode = seesAll ? change.account.sortCode : ""
                $0.accountNumber = seesAll ? change.account.accountNumber : "****" + change.account.lastFour
            }
            message.effectiveFrom = Pcs_Common_V1_Date(change.effectiveFrom)
            message.signatories = change.signatories
            message.signedBy = signatures.map(\.signatory)
            message.evidenceDocumentIds = change.evidence
            message.reason = change.reason
            message.singleSignatoryReason = change.singleSignatoryReason
            message.proposedBy = change.proposedBy
            message.proposedAt = Google_Protobuf_Timestamp(change.proposedAt)
            message.verifications = verifications.map { verification in
                .with {
                    $0.verifiedBy = verification.by
                    $0.verifiedAt = Google_Protobuf_Timestamp(verification.at)
                    $0.modulus.outcome = verification.outcome.rawValue
                    $0.modulus.explanation = seesAll ? verification.explanation : []
                    $0.payeeConfirmation =
                        Pcs_Payments_V1_PayeeConfirmation(rawValue: Int(verification.confirmation)) ?? .unspecified
                    $0.overrideReason = verification.overrideReason
                    $0.verifiedFor = verification.verifiedFor
                }
            }
            message.authorisedBy = change.authorisedBy
            if let at = change.authorisedAt { message.authorisedAt = Google_Protobuf_Timestamp(at) }
            message.rejectedBecause = change.rejectedBecause
            message.verificationsNeeded = Int32(clamping: change.verificationsNeeded)
            message.risks = risks
            message.sha256 = change.sha256
        }
    }

    private func state(
        of change: BankDetailsStore.Change, activeID: String?
    ) -> Pcs_Payments_V1_BankDetailsState {
        switch change.state {
        case .draft: .draft
        case .submitted: .submitted
        case .verified: .verified
        case .authorised where change.id == activeID: .active
        case .authorised where activeID.map { $0 > change.id } ?? false: .superseded
        case .authorised: .authorised
        case .rejected: .rejected
        }
    }
}
