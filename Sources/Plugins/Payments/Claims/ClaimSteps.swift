import CaseworkContract
import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

// What the steps of a claim share.
extension ClaimHandlers {
    /// The access rule was checked on the practice of the request, so it must be that of the claim.
    func find(_ id: String, of practice: String, _ reader: any Reader) throws -> ClaimStore.Claim {
        guard let claim = try ClaimStore.claim(id, reader), claim.practice.value == practice else {
            throw Failure(PaymentsReasons.claimUnknown, "There is no such claim of \(practice.prefix(12)).")
        }
        return claim
    }

    func step(_ action: ClaimAction, _ claim: ClaimStore.Claim) throws -> ClaimStage {
        if let next = action.next(from: claim.stage) { return next }
        let allowed = ClaimStage.allCases.filter { action.next(from: $0) != nil }.map(\.name)
        throw Failure(
            PaymentsReasons.claimStateWrong,
            "Claim \(claim.id) is \(claim.stage.name); this needs one that is \(allowed.joined(separator: " or ")).")
    }

    func contents(of claim: ClaimStore.Claim) throws -> Pcs_Payments_V1_ClaimContents {
        try Pcs_Payments_V1_ClaimContents(serializedBytes: claim.contents)
    }

    /// A draft is the practice's own; commissioners see a claim once it was submitted.
    func requireSubmittedForCommissioner(_ claim: ClaimStore.Claim, _ call: CallContext) throws {
        guard claim.version > 0 || call.caller.actingFor == claim.practice.value else {
            throw Failure(PaymentsReasons.claimUnknown, "There is no such claim of \(claim.practice).")
        }
    }

    /// The contract on the first day of the claim.
    func contract(of claim: ClaimStore.Claim, _ reader: any Reader) throws -> ContractSpan {
        let timeline = try ContractStore.timeline(of: claim.practice, knownAt: .max, reader)
        guard let span = timeline.span(at: claim.from) else {
            throw Failure(
                PaymentsReasons.contractUnknown, "\(claim.practice) has no contract on \(claim.from).")
        }
        return span
    }

    /// Contract type and claim type decide the paycode, by the first day of the claim; without one there is no such claim.
    func paycode(of claim: ClaimStore.Claim, _ reader: any Reader) throws -> ClaimPaycode {
        let contract = try contract(of: claim, reader).terms.payment.kind
        if let paycode = try ClaimPaycodeStore.paycode(of: claim.kind, contract, on: claim.from, reader) {
            return paycode
        }
        throw Failure(
            PaymentsReasons.claimPaycodeMissing,
            "payments.md 6.1: no paycode is set for \(claim.kind.name) of \(contract.name) contracts on \(claim.from).")
    }

    func commissioner(of claim: ClaimStore.Claim) -> String {
        context.organisations.commissioner(of: claim.practice, at: context.clock.today)?.value ?? ""
    }

    /// What the rules come to.
    func assess(_ claim: ClaimStore.Claim, _ reader: any Reader) throws -> [AssessedPart] {
        try assess(claim, rates: try ReferenceStore.rates(knownAt: .max, reader), reader)
    }

    /// What the rules come to at other rates than the approved ones.
    func assess(_ claim: ClaimStore.Claim, rates: RateTable, _ reader: any Reader) throws -> [AssessedPart] {
        let check = ClaimContentsCheck(try contents(of: claim), today: context.clock.today)
        if let scheme = check.scheme {
            let contract = try contract(of: claim, reader)
            return try refusing {
                let allocation = try SchemeAllocation(
                    claim.practice, FinancialYear(containing: claim.from), besides: claim.id, rates: rates, reader)
                return try SchemeAssessment(
                    claim: scheme, isInLondon: { isInLondon(claim.practice, $0, contract) },
                    remainingPence: allocation.remainingPence,
                    approved: try ApprovedPartStore.parts(
                        of: claim.practice, gmcNumber: scheme.gmcNumber, besides: claim.id, reader),
                    rates: rates
                ).parts()
            }
        }
        if claim.kind == .actualRent {
            return try refusing { [try RentCeiling(claim.practice, rates, reader).part(of: claim)] }
        }
        guard let cover = check.cover else {
            return [
                AssessedPart(
                    from: claim.from, claimedPence: claim.claimedPence, ceilingPence: claim.claimedPence,
                    payablePence: claim.claimedPence)
            ]
        }
        let approved = try ApprovedPartStore.parts(
            of: claim.practice, gmcNumber: cover.gmcNumber, besides: claim.id, reader)
        return try refusing {
            try LocumAssessment(
                cover: cover, approved: approved, rates: rates,
                parentalMostWeeks: claim.parentalMostWeeks > 0 ? claim.parentalMostWeeks : nil
            ).parts()
        }
    }

    /// Where a practice lies is the register's to say; the contract's region counts where it says nothing.
    private func isInLondon(_ practice: ODSCode, _ day: CalendarDate, _ contract: ContractSpan) -> Bool {
        let region = context.organisations.region(of: practice, at: day)?.value ?? contract.terms.region
        return LondonRegions.shipped.contains(region)
    }

    func note(_ claim: ClaimStore.Claim, _ detail: String, in transaction: any Transaction) {
        transaction.audit(
            AuditNote(object: "claim/\(claim.id)", organisation: claim.practice.value, detail: detail))
    }

    func message(_ claim: ClaimStore.Claim, _ reader: any Reader) throws -> Pcs_Payments_V1_Claim {
        let contents = try contents(of: claim)
        let run = try claim.itemID.isEmpty ? nil : PayableItemStore.paidRun(of: claim.itemID, reader)
            .flatMap { try RunStore.run($0, reader) }
        let contract = try ContractStore.timeline(of: claim.practice, knownAt: .max, reader).span(at: claim.from)
        let isReturned = try run.map { try self.isReturned(claim, $0, reader) } ?? false
        let lateness = try lateness(of: claim, reader)
        let history = try ClaimStore.history(of: claim.id, reader)
        let paycode = try contract.flatMap {
            try ClaimPaycodeStore.paycode(of: claim.kind, $0.terms.payment.kind, on: claim.from, reader)
        }
        let rent = claim.stage == .submitted ? try rentWarnings(claim, reader) : []
        let overlaps = claim.stage == .submitted ? try ClaimStore.overlapping(claim, reader) : []
        let missing =
            claim.stage == .draft || claim.stage == .returned
            ? ClaimContentsCheck(contents, today: context.clock.today).violations : []
        return .with { message in
            message.claimID = claim.id
            message.version = Int32(clamping: claim.version)
            message.state = isReturned ? .paymentReturned : state(of: claim, run)
            message.contents = contents
            message.claimedPence = claim.claimedPence
            message.approvedPence = claim.approvedPence
            if let kind = contract?.terms.payment.kind {
                message.paycode = paycode?.code ?? ""
                message.contractType = kind.name
            }
            message.createdBy = claim.createdBy
            message.submittedBy = claim.submittedBy
            if let at = claim.submittedAt { message.submittedAt = Google_Protobuf_Timestamp(at) }
            message.decidedBy = claim.decidedBy
            if let at = claim.decidedAt { message.decidedAt = Google_Protobuf_Timestamp(at) }
            message.reason = claim.reason
            message.runID = run?.id ?? ""
            message.missing = missing.map { violation in
                .with { ($0.field, $0.rule, $0.message) = (violation.field, violation.rule, violation.message) }
            }
            message.warnings = overlaps.map { "claim \($0.id) overlaps the period" } + lateness + rent
            message.recoveredPence = claim.recoveredPence
            message.parentalMostWeeks = Int32(clamping: claim.parentalMostWeeks)
            message.history = history.map { event in
                .with {
                    ($0.step, $0.by, $0.detail) = (event.step, event.by, event.detail)
                    $0.at = Google_Protobuf_Timestamp(event.at)
                }
            }
        }
    }

    /// Whether the bank sent back the payment that holds the claim, and it is not made again.
    private func isReturned(_ claim: ClaimStore.Claim, _ run: RunRecord, _ reader: any Reader) throws -> Bool {
        let returned = try PaymentFileStore.held(ofRun: run.id, reader).filter { $0.timesReturned > 0 }.map(\.payee)
        guard !returned.isEmpty else { return false }
        let payee = try refusing {
            try StatementStore.statement(of: claim.practice, in: run.id, reader)?.document.payee
        }
        return payee.map { returned.contains($0) } ?? false
    }

    /// Rule 6: cover is claimed soon after the end of its month; later it is for the commissioner to decide.
    private func lateness(of claim: ClaimStore.Claim, _ reader: any Reader) throws -> [String] {
        guard claim.kind.isLocumCover, claim.stage == .submitted, let at = claim.submittedAt else { return [] }
        let (month, day) = (YearMonth(containing: claim.to), LondonTime.day(at: at))
        let rates = try ReferenceStore.rates(knownAt: .max, reader)
        // An installation that has not set the days yet says nothing of lateness.
        guard let days = try? rates.whole(.locumClaimDays, at: claim.to),
            day > month.lastDay.adding(days: Int(days))
        else { return [] }
        return ["submitted on \(day), more than \(days) days after the end of \(month) (6.4 rule 6)"]
    }

    private func rentWarnings(_ claim: ClaimStore.Claim, _ reader: any Reader) throws -> [String] {
        guard claim.kind == .actualRent else { return [] }
        let rates = try ReferenceStore.rates(knownAt: .max, reader)
        return try RentCeiling(claim.practice, rates, reader).warnings(claim)
    }

    private func state(of claim: ClaimStore.Claim, _ run: RunRecord?) -> Pcs_Payments_V1_ClaimState {
        switch claim.stage {
        case .draft: .draft
        case .submitted: .submitted
        case .returned: .returned
        case .rejected: .rejected
        case .approved, .adjusted:
            switch run?.state {
            case nil: claim.stage == .approved ? .approved : .adjusted
            case .approved?: .inRun
            default: .paid
            }
        }
    }
}

/// Work for the commissioner, news for the practice.
enum ClaimNotices {
    private static func key(_ claim: ClaimStore.Claim) -> String { "payments/claim/\(claim.id)/decide" }

    private static func record(_ claim: ClaimStore.Claim) -> Pcs_Common_V1_RecordReference {
        .with {
            ($0.area, $0.kind, $0.recordID) = ("payments", "claim", claim.id)
            $0.organisationCode = claim.practice.value
        }
    }

    static func submitted(
        _ claim: ClaimStore.Claim, commissioner: String, in transaction: any Transaction
    ) throws {
        guard !commissioner.isEmpty else { return }
        try transaction.publish(
            Pcs_Casework_V1_TaskRequested.with {
                $0.taskKey = key(claim)
                $0.role = .commissionerApprover
                $0.organisationCode = commissioner
                $0.title = "Decide a claim of \(claim.practice)"
                $0.detail = "\(Money(pence: claim.claimedPence)) pounds, \(claim.from) to \(claim.to)"
                $0.record = record(claim)
                $0.outcomes = ["approved", "adjusted", "returned", "rejected"]
                $0.followsCommissionerOf = claim.practice.value
            }, key: key(claim))
    }

    static func settled(
        _ claim: ClaimStore.Claim, outcome: String, by actor: String, in transaction: any Transaction
    ) throws {
        try transaction.publish(
            Pcs_Casework_V1_TaskSettled.with {
                ($0.taskKey, $0.outcome, $0.settledBy) = (key(claim), outcome, actor)
                $0.reason = claim.reason
            }, key: key(claim))
    }

    static func decided(_ claim: ClaimStore.Claim, in transaction: any Transaction) throws {
        let messageKey = "payments/claim/\(claim.id)/\(claim.stage.name)/\(claim.version)"
        try transaction.publish(
            Pcs_Casework_V1_MessagePosted.with {
                $0.messageKey = messageKey
                $0.role = .practiceClaimsAdmin
                $0.organisationCode = claim.practice.value
                $0.title = "A claim was \(claim.stage.name)"
                $0.body = "\(Money(pence: claim.approvedPence)) of \(Money(pence: claim.claimedPence)) pounds. \(claim.reason)"
                $0.record = record(claim)
                $0.class = .ordinary
            }, key: messageKey)
    }
}
