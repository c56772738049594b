import CaseworkContract
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

    var contacts: PayeeContacts {
        PayeeContacts(organisations: context.organisations, today: context.clock.today)
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

    /// Submitted once everybody has signed. In the ten working days before a cut-off a third confirmation is needed.
    func submitWhenSigned(_ change: inout BankDetailsStore.Change, in transaction: any Transaction) throws {
        let signed = Set(try BankDetailsStore.signatures(of: change.id, transaction).map(\.signatory))
        guard signed.isSuperset(of: change.signatories) else { return }
        change.state = .submitted
        change.submittedAt = transaction.now
        if try isCoolingOff(transaction) { change.verificationsNeeded = 2 }
        try BankDetailsStore.save(change, in: transaction)
        try BankNotices.submitted(change, to: contacts.role(of: change.payee, transaction), in: transaction)
    }

    /// Whether a cut-off lies within ten working days.
    private func isCoolingOff(_ reader: any Reader) throws -> Bool {
        let today = context.clock.today
        let days = try ReferenceStore.workingDays(knownAt: .max, reader)
        return try RunStore.runs(reader).contains { run in
            guard run.state == .open, run.cutOffOn >= today else { return false }
            return try refusing { try days.stepping(back: 10, from: run.cutOffOn) } <= today
        }
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
                }
            }
            message.authorisedBy = change.authorisedBy
            if let at = change.authorisedAt { message.authorisedAt = Google_Protobuf_Timestamp(at) }
            message.rejectedBecause = change.rejectedBecause
            message.verificationsNeeded = Int32(clamping: change.verificationsNeeded)
            if seesAll, !sharing.isEmpty {
                message.risks.append("the account is also that of " + sharing.joined(separator: ", "))
            }
            if change.verificationsNeeded > 1 {
                message.risks.append("submitted within ten working days of a cut-off: two verifications")
            }
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

/// Tells people of a change of bank details: who is to verify, and both the old and the new contact.
enum BankNotices {
    private static func key(_ change: BankDetailsStore.Change) -> String {
        "payments/bank-details/\(change.id)/verify"
    }

    private static func record(_ change: BankDetailsStore.Change) -> Pcs_Common_V1_RecordReference {
        .with {
            ($0.area, $0.kind, $0.recordID) = ("payments", "bank-details", change.id)
            $0.organisationCode = change.payee.value
        }
    }

    static func submitted(
        _ change: BankDetailsStore.Change, to role: Pcs_Access_V1_Role, in transaction: any Transaction
    ) throws {
        try transaction.publish(
            Pcs_Casework_V1_TaskRequested.with {
                $0.taskKey = key(change)
                $0.role = .paymentsOperator
                $0.organisationCode = "PCS"
                $0.title = "Verify new bank details of \(change.payee)"
                $0.record = record(change)
                $0.outcomes = ["verified", "rejected"]
                $0.priority = .urgent
            }, key: key(change))
        try message(
            change, "changed", "New bank details were submitted, to take effect on \(change.effectiveFrom).", to: role,
            in: transaction)
    }

    static func authorised(
        _ change: BankDetailsStore.Change, to role: Pcs_Access_V1_Role, in transaction: any Transaction
    ) throws {
        try settle(change, outcome: "verified", by: change.authorisedBy, in: transaction)
        try message(
            change, "authorised",
            "New bank details were authorised and take effect on \(change.effectiveFrom). If you did not ask for this, "
                + "raise it at once.", to: role, in: transaction)
    }

    static func settle(
        _ change: BankDetailsStore.Change, outcome: String, by actor: String, in transaction: any Transaction
    ) throws {
        try transaction.publish(
            Pcs_Casework_V1_TaskSettled.with {
                ($0.taskKey, $0.outcome, $0.settledBy) = (key(change), outcome, actor)
            }, key: key(change))
    }

    private static func message(
        _ change: BankDetailsStore.Change, _ step: String, _ body: String, to role: Pcs_Access_V1_Role,
        in transaction: any Transaction
    ) throws {
        let key = "payments/bank-details/\(change.id)/\(step)"
        try transaction.publish(
            Pcs_Casework_V1_MessagePosted.with {
                $0.messageKey = key
                $0.role = role
                $0.organisationCode = change.payee.value
                $0.title = "Bank details of \(change.payee)"
                $0.body = body
                $0.record = record(change)
                $0.class = .mandatory
            }, key: key)
    }
}
