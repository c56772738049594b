import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

/// Baselines: opening a year and reading it, and deciding. Proposing is in a file of its own.
struct BaselineHandlers: Pcs_Payments_V1_BaselineService {
    let context: PluginContext

    func openBaselineYear(
        _ request: Pcs_Payments_V1_BaselineYearRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_BaselineYear {
        let (practice, year) = try BaselineHandlers.practiceAndYear(request)
        return try await call.commit { transaction in
            let timeline = try ContractStore.timeline(of: practice, knownAt: .max, transaction)
            guard BaselineRules.effectiveDay(timeline, in: year) != nil else {
                throw Failure(
                    PaymentsReasons.contractUnknown, "\(practice) has no PMS or APMS contract in \(year).")
            }
            if try BaselineStore.opening(of: practice, year, transaction) == nil {
                try BaselineStore.open(practice, year, by: call.caller.responsible, in: transaction)
                transaction.audit(
                    AuditNote(
                        object: "baseline-year/\(practice)/\(year)", organisation: practice.value,
                        detail: "opened"))
            }
            return try message(practice, year, transaction)
        }
    }

    func getBaselineYear(
        _ request: Pcs_Payments_V1_BaselineYearRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_BaselineYear {
        let (practice, year) = try BaselineHandlers.practiceAndYear(request)
        return try context.store.read { try message(practice, year, $0) }
    }

    private static func practiceAndYear(
        _ request: Pcs_Payments_V1_BaselineYearRequest
    ) throws -> (ODSCode, FinancialYear) {
        var fields = RequestFields()
        let practice = fields.practice(request.practiceCode)
        let year = fields.financialYear(request.financialYear)
        try fields.finish()
        guard let practice, let year else { throw Failure(HostReasons.fieldInvalid) }
        return (practice, year)
    }

    private func message(
        _ practice: ODSCode, _ year: FinancialYear, _ reader: any Reader
    ) throws -> Pcs_Payments_V1_BaselineYear {
        let timeline = try ContractStore.timeline(of: practice, knownAt: .max, reader)
        let opening = try BaselineStore.opening(of: practice, year, reader)
        let last = timeline.span(at: year.firstDay.adding(days: -1))?.terms.payment.baseline
        var message = Pcs_Payments_V1_BaselineYear.with {
            ($0.practiceCode, $0.financialYear) = (practice.value, year.description)
            ($0.lastBasis, $0.lastAnnualPence, $0.lastPriceMicropounds) = Pcs_Payments_V1_BaselineBasis.parts(
                last)
            if let opening {
                $0.openedBy = opening.by
                $0.openedAt = Google_Protobuf_Timestamp(opening.at)
            }
        }
        if let day = BaselineRules.effectiveDay(timeline, in: year), let span = timeline.span(at: day) {
            message.contractType = Pcs_Payments_V1_ContractType(span.terms.payment.kind)
        }
        message.history = try history(of: practice, before: year, reader)
        message.baselines = try BaselineStore.proposals(of: practice, year, reader).map {
            Pcs_Payments_V1_Baseline($0, warnings: [])
        }
        message.frozen = try BaselineStore.isFrozen(practice, year, reader)
        return message
    }

    /// What the runs of the year before paid, by paycode.
    private func history(
        of practice: ODSCode, before year: FinancialYear, _ reader: any Reader
    ) throws -> [Pcs_Payments_V1_BaselineHistory] {
        let paycodes = try ReferenceStore.paycodes(knownAt: .max, reader)
        var sums: [Paycode: (pence: Int64, runs: Set<String>)] = [:]
        let (first, last) = (year.firstMonth.adding(months: -12), year.firstMonth)
        for document in try refusing({
            try StatementStore.published(of: practice, from: first, before: last.description, reader)
        }) {
            for line in document.lines {
                sums[line.paycode, default: (0, [])].pence += line.pence
                sums[line.paycode]?.runs.insert(document.runID)
            }
        }
        return sums.sorted { $0.key.rawValue < $1.key.rawValue }.map { paycode, sum in
            .with {
                ($0.paycode, $0.description_p) = (paycode.code, paycodes.description(of: paycode))
                ($0.paidPence, $0.runs) = (sum.pence, Int32(clamping: sum.runs.count))
            }
        }
    }

    func decideBaseline(
        _ request: Pcs_Payments_V1_DecideBaselineRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_Baseline {
        var fields = RequestFields()
        fields.reason(request.reason, mayBeEmpty: request.approve)
        try fields.finish()
        return try await call.commit { transaction in
            guard var proposal = try BaselineStore.proposal(request.baselineID, transaction),
                // The access rule was checked on the practice of the request, so it must be that of the proposal.
                proposal.practice.value == request.practiceCode
            else {
                throw Failure(HostReasons.notFound, "There is no such baseline for \(request.practiceCode).")
            }
            guard proposal.state == .proposed else { throw Failure(PaymentsReasons.alreadyDecided) }
            try call.requireOtherPerson(than: proposal.proposedBy, step: "deciding a baseline")
            proposal.state = request.approve ? .approved : .returned
            proposal.decidedBy = call.caller.responsible
            proposal.decisionReason = request.reason
            if request.approve { proposal.version = try record(proposal, in: transaction) }
            try BaselineStore.saveDecision(proposal, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "baseline/\(proposal.id)", organisation: proposal.practice.value,
                    detail: request.approve
                        ? "approved as version \(proposal.version)" : "returned: \(request.reason)"))
            return Pcs_Payments_V1_Baseline(proposal, warnings: try warnings(proposal, transaction))
        }
    }

    /// A new version of the contract from the effective day; months already paid get differences.
    private func record(_ proposal: BaselineStore.Proposal, in transaction: any Transaction) throws -> Int64 {
        try requireNotFrozen(proposal.practice, proposal.year, transaction)
        let timeline = try ContractStore.timeline(of: proposal.practice, knownAt: .max, transaction)
        guard BaselineRules.effectiveDay(timeline, in: proposal.year) == proposal.from else {
            throw Failure(
                PaymentsReasons.contractUnknown,
                "The contract of \(proposal.practice) changed since the baseline was proposed: propose it again."
            )
        }
        let records = BaselineRules.records(
            timeline, proposal.baseline, from: proposal.from, in: proposal.year)
        let seq = try InputLog.record(
            .contracts, from: proposal.from,
            to: records.contains { $0.to == nil } ? nil : records.compactMap(\.to).max(),
            by: proposal.decidedBy, detail: "baseline \(proposal.id)", in: transaction)
        return try ContractStore.add(
            records, seq: seq, reason: proposal.note, source: "baseline \(proposal.id)", in: transaction)
    }

    func requireNotFrozen(_ practice: ODSCode, _ year: FinancialYear, _ reader: any Reader) throws {
        guard try BaselineStore.isFrozen(practice, year, reader) else { return }
        throw Failure(
            PaymentsReasons.baselineFrozen,
            "The baseline of \(practice) for \(year) is frozen: a run has paid of it.")
    }

    /// What does not stop a baseline but must be known (payments.md 4: usually 60 to 160 pounds a weighted patient).
    func warnings(
        _ proposal: BaselineStore.Proposal, _ reader: any Reader
    ) throws -> [Pcs_Common_V1_Violation] {
        func warning(_ message: String) -> Pcs_Common_V1_Violation {
            .with { ($0.field, $0.rule, $0.message) = ("baseline", "payments 4", message) }
        }
        let lists = try BaselineHandlers.lists(of: proposal.practice, on: proposal.from, reader)?.lists
        guard let perHead = BaselineRules.perWeightedPatient(proposal.baseline, lists) else {
            return [warning("there is no weighted list to compare with")]
        }
        let rates = try ReferenceStore.rates(knownAt: .max, reader)
        let (low, high) = try refusing {
            (
                try rates.rate(.baselinePerHeadLow, at: proposal.from).millionths,
                try rates.rate(.baselinePerHeadHigh, at: proposal.from).millionths
            )
        }
        guard perHead < low || perHead > high else { return [] }
        let shown = ExactDecimal(mantissa: perHead / 10_000, scale: 2)
        return [warning("\(shown) pounds a year for each weighted patient is outside the usual range")]
    }

    /// Lists of the quarter, or those of the quarter before while they are not there yet.
    static func lists(
        of practice: ODSCode, on day: CalendarDate, _ reader: any Reader
    ) throws -> (lists: PatientLists, quarter: Quarter)? {
        let quarter = Quarter(containing: day)
        for candidate in [quarter, quarter.previous] {
            if let found = try CapitationStore.history(of: practice, in: candidate, reader).first?.0 {
                return (found, candidate)
            }
        }
        return nil
    }
}

extension Pcs_Payments_V1_BaselineBasis {
    /// Basis, pence a year and micropounds a patient, as messages hold them.
    static func parts(_ baseline: Baseline?) -> (Pcs_Payments_V1_BaselineBasis, Int64, Int64) {
        switch baseline {
        case nil: (.unspecified, 0, 0)
        case .fixed(let pence): (.fixed, pence, 0)
        case .weighted(let price): (.weighted, 0, price)
        case .raw(let price): (.raw, 0, price)
        }
    }
}

extension Pcs_Payments_V1_Baseline {
    init(_ proposal: BaselineStore.Proposal, warnings: [Pcs_Common_V1_Violation]) {
        self.init()
        (baselineID, practiceCode, financialYear) = (
            proposal.id, proposal.practice.value, proposal.year.description
        )
        state = Pcs_Payments_V1_ProposalState(proposal.state)
        (basis, annualPence, priceMicropounds) = Pcs_Payments_V1_BaselineBasis.parts(proposal.baseline)
        effectiveFrom = Pcs_Common_V1_Date(proposal.from)
        note = proposal.note
        if let reckoned = proposal.reckoning {
            reckoning = .with {
                ($0.lastPence, $0.upliftPerPatientMicropounds) = (
                    reckoned.lastPence, reckoned.upliftMicropounds
                )
                $0.patientsHundredths = reckoned.patientsHundredths
                $0.quarterDay = Pcs_Common_V1_Date(reckoned.quarterDay)
                ($0.onRegistered, $0.upliftPence) = (reckoned.onRegistered, reckoned.upliftPence)
                $0.reductionsPence = reckoned.reductionsPence
            }
        }
        proposedBy = proposal.proposedBy
        proposedAt = Google_Protobuf_Timestamp(proposal.proposedAt)
        (decidedBy, decisionReason, version) = (proposal.decidedBy, proposal.decisionReason, proposal.version)
        self.warnings = warnings
    }
}
