import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

extension TrainingHandlers {
    func listTrainingProposals(
        _ request: Pcs_Payments_V1_ListTrainingProposalsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ListTrainingProposalsResponse {
        let proposals = try context.store.read { try TrainingStore.proposals($0) }
        return .with { response in
            response.proposals = proposals.map(message).filter {
                request.state == .unspecified || $0.state == request.state
            }
        }
    }

    func getTraining(
        _ request: Pcs_Payments_V1_GetTrainingRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_PracticeTraining {
        var fields = RequestFields()
        let practice = fields.practice(request.practiceCode)
        let year = fields.financialYear(request.financialYear)
        try fields.finish()
        guard let practice, let year else { throw Failure(HostReasons.fieldInvalid) }
        return try context.store.read { reader in
            let inForce = try TrainingStore.placements(knownAt: .max, reader)
            let known = Set(inForce.map(\.id))
            let waiting = try TrainingStore.waitingPlacements(reader).filter { !known.contains($0.id) }
            let placements = (inForce + waiting).filter { $0.practice == practice }
            let memberships = try TrainingStore.memberships(knownAt: .max, reader).filter {
                $0.practice == practice
            }
            let grants = try ExpectedGrants(reader)
            let expected = try refusing {
                try placements.flatMap { placement in
                    try year.months.compactMap { try grants.expected(placement, $0, reader) }
                }
            }
            return .with {
                $0.practiceCode = practice.value
                $0.placements = placements.map(Pcs_Payments_V1_TraineePlacement.init)
                $0.memberships = memberships.map(Pcs_Payments_V1_RetentionMembership.init)
                $0.grants = expected
            }
        }
    }

    func getExpectedGrants(
        _ request: Pcs_Payments_V1_GetExpectedGrantsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ExpectedGrants {
        var fields = RequestFields()
        let practice = fields.practice(request.practiceCode)
        try fields.finish()
        guard let practice else { throw Failure(HostReasons.fieldInvalid) }
        return try context.store.read { reader in
            // In force goes before a revision that waits.
            let inForce = try TrainingStore.placements(knownAt: .max, reader)
            let placements = inForce + (try TrainingStore.waitingPlacements(reader))
            guard let placement = placements.first(where: { $0.id == request.placementID && $0.practice == practice })
            else { throw Failure(PaymentsReasons.traineePlacementUnknown) }
            let grants = try ExpectedGrants(reader)
            let first = YearMonth(containing: placement.from)
            let months = (0...YearMonth(containing: placement.to).months(since: first)).map { first.adding(months: $0) }
            let expected = try refusing { try months.compactMap { try grants.expected(placement, $0, reader) } }
            return .with {
                ($0.placementID, $0.traineeRef) = (placement.id, placement.traineeRef)
                $0.grants = expected
            }
        }
    }

    func message(_ proposal: TrainingStore.Proposal) -> Pcs_Payments_V1_TrainingProposal {
        .with {
            $0.proposalID = proposal.id
            $0.state =
                Pcs_Payments_V1_TrainingProposalState(rawValue: Int(proposal.state.rawValue)) ?? .unspecified
            $0.placements = proposal.placements.map(Pcs_Payments_V1_TraineePlacement.init)
            $0.memberships = proposal.memberships.map(Pcs_Payments_V1_RetentionMembership.init)
            $0.payments = proposal.payments.map { payment in
                .with {
                    $0.kind =
                        Pcs_Payments_V1_TrainingPaymentKind(rawValue: Int(payment.kind.rawValue))
                        ?? .unspecified
                    $0.placementID = payment.placementID
                    $0.on = Pcs_Common_V1_Date(payment.on)
                }
            }
            ($0.reason, $0.proposedBy) = (proposal.reason, proposal.proposedBy)
            $0.proposedAt = Google_Protobuf_Timestamp(proposal.proposedAt)
            ($0.decidedBy, $0.decisionReason) = (proposal.decidedBy, proposal.decisionReason)
            $0.version = proposal.seq ?? 0
        }
    }
}

/// The calendar of grants expected, with what runs have paid (payments.md 13 C2).
private struct ExpectedGrants {
    private let grants: TrainingGrants
    private let published: [YearMonth: RunRecord]

    init(_ reader: any Reader) throws {
        grants = TrainingGrants(
            figures: TrainingRates(try TrainingRateStore.rows(knownAt: .max, reader)),
            rates: try ReferenceStore.rates(knownAt: .max, reader))
        published = Dictionary(
            try RunStore.runs(reader).filter(\.state.isPublished).map { ($0.month, $0) },
            uniquingKeysWith: { _, later in later })
    }

    func expected(
        _ placement: TraineePlacement, _ month: YearMonth, _ reader: any Reader
    ) throws -> Pcs_Payments_V1_ExpectedGrant? {
        guard placement.days(in: month) != nil else { return nil }
        let paidIn = try grants.paymentMonth(of: month, placement)
        var amount: Int64 = 0
        var obstacle = placement.version == 0 ? "the placement waits for its second person" : ""
        switch try grants.grant(placement, for: month, paidIn: paidIn) {
        case .nothing: return nil
        case .obstacle(let text): obstacle = text
        case .due(let line): amount = line.pence
        }
        let timeline = try ContractStore.timeline(of: placement.practice, knownAt: .max, reader)
        if !timeline.isInForce(in: month) {
            (amount, obstacle) = (0, "no contract is in force on \(month.firstDay)")
        }
        let run = published[paidIn]
        let paid = try run.flatMap {
            try StatementStore.statement(of: placement.practice, in: $0.id, reader)
        }?
        .document.lines.filter {
            $0.origin == placement.origin && $0.paycode == .trainerGrant && $0.periodFrom == month.firstDay
        }
        let isPaid = paid.map { !$0.isEmpty } ?? false
        var made: RunRecord?
        if !isPaid, obstacle.isEmpty, amount != 0 {
            made = try laterRun(paying: placement, month: paidIn, reader)
        }
        let later = made
        return .with {
            ($0.placementID, $0.traineeRef) = (placement.id, placement.traineeRef)
            $0.month = Pcs_Common_V1_Month(month)
            $0.paymentMonth = Pcs_Common_V1_Month(paidIn)
            ($0.amountPence, $0.obstacle) = (amount, obstacle)
            if let paid, !paid.isEmpty {
                $0.runID = run?.id ?? ""
                $0.paidPence = paid.reduce(0) { $0 + $1.pence }
                $0.state = .paid
            } else if let later {
                $0.runID = later.id
                $0.state = .paid
            } else {
                $0.state = run == nil && obstacle.isEmpty ? .waiting : .missing
            }
        }
    }

    /// The run that made up for a month whose own run had not paid: the first one after it that knew the placement and
    /// has a difference of grants for that month.
    private func laterRun(
        paying placement: TraineePlacement, month: YearMonth, _ reader: any Reader
    ) throws -> RunRecord? {
        guard published[month] != nil, placement.version > 0 else { return nil }
        return try published.values.filter { $0.month > month && $0.snapshot >= placement.version }
            .sorted { $0.month < $1.month }
            .first { run in
                let stored = try StatementStore.statement(of: placement.practice, in: run.id, reader)
                return stored?.document.lines.contains {
                    $0.source == .retro && $0.paycode == .trainerGrant && $0.month == month
                } ?? false
            }
    }
}

extension Pcs_Payments_V1_TraineePlacement {
    init(_ placement: TraineePlacement) {
        self.init()
        (placementID, traineeRef, trainerRef) = (placement.id, placement.traineeRef, placement.trainerRef)
        (practiceCode, area) = (placement.practice.value, placement.area)
        from = Pcs_Common_V1_Date(placement.from)
        to = Pcs_Common_V1_Date(placement.to)
        grade = Pcs_Payments_V1_TrainingGrade(rawValue: Int(placement.grade.rawValue)) ?? .unspecified
        employer = Pcs_Payments_V1_TraineeEmployer(rawValue: Int(placement.employer.rawValue)) ?? .unspecified
        (annualPayPence, annualEmployerCostsPence) = (placement.annualPayPence, placement.annualCostsPence)
        absences = placement.absences.map { absence in
            .with {
                $0.kind = Pcs_Payments_V1_AbsenceKind(rawValue: Int(absence.kind.rawValue)) ?? .unspecified
                $0.from = Pcs_Common_V1_Date(absence.from)
                $0.to = Pcs_Common_V1_Date(absence.to)
            }
        }
    }
}

extension Pcs_Payments_V1_RetentionMembership {
    init(_ membership: RetentionMembership) {
        self.init()
        (membershipID, doctorRef) = (membership.id, membership.doctorRef)
        (practiceCode, sessions) = (membership.practice.value, Int32(clamping: membership.sessions))
        expenses = membership.claimsExpenses
        from = Pcs_Common_V1_Date(membership.from)
        to = Pcs_Common_V1_Date(membership.to)
    }
}
