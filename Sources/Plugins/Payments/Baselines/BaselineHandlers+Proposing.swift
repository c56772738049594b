import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import Tabular

// Proposals: one by one, or a file of them.
extension BaselineHandlers {
    func proposeBaseline(
        _ request: Pcs_Payments_V1_ProposeBaselineRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_Baseline {
        var fields = RequestFields()
        let practice = fields.practice(request.practiceCode)
        let year = fields.financialYear(request.financialYear)
        let wanted = fields.date(
            request.effectiveFrom, isSet: request.hasEffectiveFrom, field: "effective_from")
        fields.reason(request.note, field: "note")
        let asked = request.hasUplift ? nil : BaselineHandlers.baseline(request, &fields)
        if request.hasUplift { BaselineHandlers.check(request, &fields) }
        try fields.finish()
        guard let practice, let year else { throw Failure(HostReasons.fieldInvalid) }
        return try await call.commit { transaction in
            guard try BaselineStore.opening(of: practice, year, transaction) != nil else {
                throw Failure.field(
                    "financial_year", "BAS01",
                    "\(year) is not open for \(practice): open it first (OpenBaselineYear).")
            }
            let timeline = try ContractStore.timeline(of: practice, knownAt: .max, transaction)
            var fields = RequestFields()
            for breach in try breaches(timeline, year, from: wanted, transaction) {
                fields.refuse(
                    breach.field == "effectiveFrom" ? "effective_from" : breach.field, breach.rule,
                    breach.message)
            }
            try fields.finish()
            try requireNotFrozen(practice, year, transaction)
            guard let from = BaselineRules.effectiveDay(timeline, in: year) else {
                throw Failure(PaymentsReasons.contractUnknown)
            }
            let reckoned =
                try request.hasUplift
                ? uplifted(request.uplift, timeline, year, from: from, transaction) : nil
            guard let baseline = asked ?? reckoned?.baseline else { throw Failure(HostReasons.fieldInvalid) }
            let proposal = BaselineStore.Proposal(
                id: transaction.newIdentifier(), practice: practice, year: year, baseline: baseline,
                from: from,
                note: request.note, reckoning: reckoned?.reckoning, proposedBy: call.caller.responsible,
                proposedAt: transaction.now)
            try add(proposal, in: transaction)
            return Pcs_Payments_V1_Baseline(proposal, warnings: try warnings(proposal, transaction))
        }
    }

    private static func baseline(
        _ request: Pcs_Payments_V1_ProposeBaselineRequest, _ fields: inout RequestFields
    ) -> Baseline? {
        let (annual, price) = (request.annualPence, request.priceMicropounds)
        let annualIsSound = (0...1_000_000_000_00).contains(annual)
        let priceIsSound = (0...10_000_000_000).contains(price) && price % 100 == 0
        switch request.basis {
        case .fixed where price == 0 && annualIsSound: return .fixed(annualPence: annual)
        case .weighted where annual == 0 && priceIsSound: return .weighted(priceMicropounds: price)
        case .raw where annual == 0 && priceIsSound: return .raw(priceMicropounds: price)
        default:
            fields.refuse(
                "basis", "BAS03",
                "FIXED has an amount and no price; WEIGHTED and RAW a price of at most four decimals and no amount."
            )
            return nil
        }
    }

    private static func check(
        _ request: Pcs_Payments_V1_ProposeBaselineRequest, _ fields: inout RequestFields
    ) {
        if request.annualPence != 0 || request.priceMicropounds != 0 || request.basis != .unspecified {
            fields.refuse(
                "uplift", "BAS08", "An uplift comes instead of basis, amount and price: it keeps last year's."
            )
        }
        let uplift = request.uplift.perPatientMicropounds
        if !(-1_000_000_000...1_000_000_000).contains(uplift) || uplift % 100 != 0 {
            fields.refuse(
                "uplift.per_patient_micropounds", "BAS08",
                "An uplift is at most 1,000 pounds with four decimals.")
        }
        if !(0...1_000_000_000_00).contains(request.uplift.reductionsPence) {
            fields.refuse("uplift.reductions_pence", "BAS08", "Reductions are given as a positive sum.")
        }
    }

    private struct Uplifted {
        var baseline: Baseline
        var reckoning: BaselineRules.Reckoning?
    }

    private func uplifted(
        _ uplift: Pcs_Payments_V1_BaselineUplift, _ timeline: ContractTimeline, _ year: FinancialYear,
        from day: CalendarDate, _ reader: any Reader
    ) throws -> Uplifted {
        let last = timeline.span(at: year.firstDay.adding(days: -1))?.terms.payment.baseline
        func priced(_ price: Int64) throws -> Int64 {
            guard uplift.reductionsPence == 0, !uplift.onRegistered else {
                throw Failure.field("uplift", "BAS08", "A priced baseline takes an uplift of its price only.")
            }
            let sum = price + uplift.perPatientMicropounds
            guard sum >= 0 else { throw Failure.field("uplift", "BAS08", "The price would be below zero.") }
            return sum
        }
        switch last {
        case nil:
            throw Failure.field("uplift", "BAS08", "There is no baseline of the year before to raise.")
        case .weighted(let price): return Uplifted(baseline: .weighted(priceMicropounds: try priced(price)))
        case .raw(let price): return Uplifted(baseline: .raw(priceMicropounds: try priced(price)))
        case .fixed(let pence):
            guard let (lists, quarter) = try BaselineHandlers.lists(of: timeline.practice, on: day, reader)
            else {
                throw Failure(
                    PaymentsReasons.capitationUnknown,
                    "An uplift for each patient needs the lists of \(Quarter(containing: day)) or the quarter before."
                )
            }
            let reckoning = try refusing {
                try BaselineRules.Reckoning(
                    lastPence: pence, upliftMicropounds: uplift.perPatientMicropounds,
                    onRegistered: uplift.onRegistered,
                    patientsHundredths: uplift.onRegistered
                        ? lists.registered * 100 : lists.weightedHundredths,
                    quarterDay: quarter.quarterDay, reductionsPence: uplift.reductionsPence)
            }
            guard reckoning.annualPence >= 0 else {
                throw Failure.field("uplift", "BAS08", "The baseline would be below zero.")
            }
            return Uplifted(baseline: .fixed(annualPence: reckoning.annualPence), reckoning: reckoning)
        }
    }

    /// What is wrong with a baseline for the contract: BAS04 and BAS05.
    private func breaches(
        _ timeline: ContractTimeline, _ year: FinancialYear, from wanted: CalendarDate?, _ reader: any Reader
    ) throws -> [ContractRules.Breach] {
        guard let from = BaselineRules.effectiveDay(timeline, in: year) else {
            return [
                .init(
                    field: "financialYear", rule: "BAS04",
                    message: "\(timeline.practice) has no PMS or APMS contract in \(year)")
            ]
        }
        guard let wanted, wanted != from else { return [] }
        return [
            .init(
                field: "effectiveFrom", rule: "BAS05",
                message: "the baseline of \(year) takes effect on \(from), not on \(wanted)")
        ]
    }

    /// A proposal takes the place of one that waits.
    private func add(_ proposal: BaselineStore.Proposal, in transaction: any Transaction) throws {
        for var earlier in try BaselineStore.proposals(of: proposal.practice, proposal.year, transaction)
        where earlier.state == .proposed {
            earlier.state = .returned
            earlier.decidedBy = proposal.proposedBy
            earlier.decisionReason = "replaced by \(proposal.id)"
            try BaselineStore.saveDecision(earlier, in: transaction)
        }
        try BaselineStore.add(proposal, in: transaction)
        transaction.audit(
            AuditNote(
                object: "baseline/\(proposal.id)", organisation: proposal.practice.value,
                detail: "\(proposal.baseline.basis.name) proposed for \(proposal.year): \(proposal.note)"))
    }

    func uploadBaselines(
        _ requests: RequestStream<Pcs_Payments_V1_UploadBaselinesRequest>, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_BaselineUpload {
        let first = requests.first
        guard let commissioner = ODSCode(first.commissionerCode),
            context.organisations.organisation(commissioner, at: call.today)?.kind == .subICBLocation
        else {
            throw Failure.field("commissioner_code", "BAS02", "Name the Sub ICB Location of the practices.")
        }
        let file = try await Upload.collect(requests, name: first.fileName) { Array($0.data) }
        if first.dryRun {
            return try context.store.read { reader in
                let rows = try read(file, commissioner, call.today, reader)
                let proposals = rows.map {
                    proposal($0, id: "", evidenceID: nil, by: call.caller.responsible, at: call.now)
                }
                return try message(file, proposals, dryRun: true, reader)
            }
        }
        return try await call.commit { transaction in
            let rows = try read(file, commissioner, call.today, transaction)
            let actor = call.caller.responsible
            let evidence = try EvidenceStore.keep(file, kind: .contracts, by: actor, in: transaction)
            var proposals: [BaselineStore.Proposal] = []
            for row in rows {
                let proposal = proposal(
                    row, id: transaction.newIdentifier(), evidenceID: evidence, by: actor, at: transaction.now
                )
                try BaselineStore.open(row.practice, row.year, by: actor, in: transaction)
                try add(proposal, in: transaction)
                proposals.append(proposal)
            }
            return try message(file, proposals, dryRun: false, transaction)
        }
    }

    private func proposal(
        _ row: BaselineFile.Row, id: String, evidenceID: String?, by actor: String, at now: Instant
    ) -> BaselineStore.Proposal {
        BaselineStore.Proposal(
            id: id, practice: row.practice, year: row.year, baseline: row.baseline, from: row.from,
            note: row.note,
            evidenceID: evidenceID, proposedBy: actor, proposedAt: now)
    }

    private func read(
        _ file: UploadedFile, _ commissioner: ODSCode, _ today: CalendarDate, _ reader: any Reader
    ) throws -> [BaselineFile.Row] {
        let organisations = context.organisations
        let (rows, violations) = try BaselineFile.read(file.bytes) { row in
            guard organisations.commissioner(of: row.practice, at: today) == commissioner else {
                return [
                    .init(
                        field: "practiceCode", rule: "BAS02",
                        message: "\(row.practice) is not commissioned by \(commissioner)")
                ]
            }
            let timeline = try ContractStore.timeline(of: row.practice, knownAt: .max, reader)
            var found = try breaches(timeline, row.year, from: row.from, reader)
            if try BaselineStore.isFrozen(row.practice, row.year, reader) {
                found.append(
                    .init(
                        field: "financialYear", rule: "BAS09",
                        message: "the baseline of \(row.year) is frozen: change it by a contract variation"))
            }
            return found
        }
        guard violations.isEmpty else { throw Failure.file(violations) }
        return rows
    }

    private func message(
        _ file: UploadedFile, _ proposals: [BaselineStore.Proposal], dryRun: Bool, _ reader: any Reader
    ) throws -> Pcs_Payments_V1_BaselineUpload {
        let messages = try proposals.map { Pcs_Payments_V1_Baseline($0, warnings: try warnings($0, reader)) }
        return .with {
            ($0.fileName, $0.sha256, $0.baselines, $0.dryRun) = (file.name, file.sha256, messages, dryRun)
        }
    }
}
