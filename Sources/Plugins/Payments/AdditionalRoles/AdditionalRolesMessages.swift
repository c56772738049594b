import CommonContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

extension AdditionalRolesHandlers {
    /// A claim whole: rows with what each comes to, maximum sum, history.
    func message(
        _ claim: AdditionalRolesClaim, _ reader: any Reader
    ) throws -> Pcs_Payments_V1_AdditionalRolesClaim {
        let items = try AdditionalRolesItems.items(of: claim.network, claim.month...claim.month, reader)
        var message = head(claim, items.filter { $0.claimID == claim.id })
        let rows = try AdditionalRolesStore.rows(of: claim, reader)
        let adjustments = Dictionary(
            try AdditionalRolesStore.adjustments(of: claim, reader).map { ($0.number, $0) },
            uniquingKeysWith: { _, later in later })
        let inForce = try inForce(claim.network, claim.month, reader)
        var assessments: [Int: Pcs_Payments_V1_AdditionalRolesAssessment] = [:]
        if claim.stage.isInForce {
            if let inForce, inForce.number > claim.number { message.replacedByClaimID = inForce.id }
            let byNumber = Dictionary(uniqueKeysWithValues: rows.map { ($0.number, $0) })
            for decided in try AdditionalRolesStore.decided(claim.id, reader) {
                guard let row = byNumber[decided.number] else { continue }
                assessments[decided.number] = .init(
                    decided, row, adjustments[decided.number], daysInMonth: claim.month.dayCount)
            }
        } else if !claim.stage.isFinal {
            message.correctsClaimID = inForce?.id ?? ""
            try foresee(claim, &message, &assessments, reader)
        }
        message.rows = rows.map { row in
            var shown = Pcs_Payments_V1_AdditionalRolesRow(row)
            if let assessment = assessments[row.number] { shown.assessment = assessment }
            return shown
        }
        message.history = try AdditionalRolesStore.history(of: claim.id, reader).map { event in
            .with {
                ($0.step, $0.by, $0.detail) = (event.step, event.by, event.detail)
                $0.at = Google_Protobuf_Timestamp(event.at)
            }
        }
        return message
    }

    /// What a claim would come to if it were decided now, and what stands against that.
    private func foresee(
        _ claim: AdditionalRolesClaim, _ message: inout Pcs_Payments_V1_AdditionalRolesClaim,
        _ assessments: inout [Int: Pcs_Payments_V1_AdditionalRolesAssessment], _ reader: any Reader
    ) throws {
        var maximum: MaximumSum?
        do {
            let found = try maximumSum(of: claim.network, besides: claim.month, claim.year, reader)
            (maximum, message.maximum) = (found, .init(found))
        } catch let failure as Failure where AdditionalRolesHandlers.isMissing(failure) {
            message.obstacle = failure.message
        }
        do {
            for role in try assess(claim, under: maximum, reader) {
                assessments[role.row.number] = .init(role, daysInMonth: claim.month.dayCount)
                message.payablePence += role.payablePence
            }
        } catch let failure as Failure where AdditionalRolesHandlers.isMissing(failure) {
            message.obstacle = failure.message
        }
    }

    /// A claim without rows and history.
    ///
    /// - Parameter items: those of the claim.
    func head(
        _ claim: AdditionalRolesClaim, _ items: [AdditionalRolesItems.Item]
    ) -> Pcs_Payments_V1_AdditionalRolesClaim {
        .with { message in
            message.claimID = claim.id
            message.pcnCode = claim.network.value
            message.pcnName =
                context.organisations.organisation(claim.network, at: context.clock.today)?.name ?? ""
            message.month = Pcs_Common_V1_Month(claim.month)
            (message.number, message.version) = (
                Int32(clamping: claim.number), Int32(clamping: claim.version)
            )
            message.state = state(of: claim, items)
            message.rowCount = Int32(clamping: claim.rowCount)
            message.claimedPence = claim.claimedPence
            message.payablePence = claim.approvedPence
            message.differencePence = items.reduce(0) { $0 + $1.pence }
            if let maximum = claim.maximum { message.maximum = .init(maximum) }
            message.correctsClaimID = claim.corrects
            (message.createdBy, message.submittedBy) = (claim.createdBy, claim.submittedBy)
            (message.reviewedBy, message.decidedBy) = (claim.reviewedBy, claim.decidedBy)
            if let at = claim.submittedAt { message.submittedAt = Google_Protobuf_Timestamp(at) }
            if let at = claim.decidedAt { message.decidedAt = Google_Protobuf_Timestamp(at) }
            message.reason = claim.reason
            message.runIds = Set(items.compactMap(\.runID)).sorted()
            (message.fileName, message.sha256) = (claim.fileName, claim.sha256)
        }
    }

    private func state(
        of claim: AdditionalRolesClaim, _ items: [AdditionalRolesItems.Item]
    ) -> Pcs_Payments_V1_AdditionalRolesClaimState {
        let stage =
            Pcs_Payments_V1_AdditionalRolesClaimState(rawValue: Int(claim.stage.rawValue)) ?? .unspecified
        guard claim.stage.isInForce, !items.isEmpty, items.allSatisfy({ $0.runState != nil }) else {
            return stage
        }
        return items.contains { $0.runState == .approved } ? .inRun : .paid
    }
}

extension Pcs_Payments_V1_AdditionalRolesRow {
    init(_ row: ClaimedRole) {
        self.init()
        rowNumber = Int32(clamping: row.number)
        (employeeRef, role) = (row.employee, row.role)
        roleFrom = Pcs_Common_V1_Date(row.from)
        if let to = row.to { roleTo = Pcs_Common_V1_Date(to) }
        wteHundredths = Int32(clamping: row.wholeTimeHundredths)
        (salaryPence, employerNiPence, employerPensionPence) = (
            row.salaryPence, row.insurancePence, row.pensionPence
        )
    }
}

extension Pcs_Payments_V1_AdditionalRolesAssessment {
    init(_ role: AssessedRole, daysInMonth: Int) {
        self.init(
            .init(
                number: role.row.number, area: role.maximum.area, annual: role.annual, days: role.days,
                ceilingPence: role.ceilingPence, payablePence: role.payablePence, reduction: role.reduction),
            role.row, role.adjustment, daysInMonth: daysInMonth)
    }

    init(
        _ decided: AdditionalRolesStore.Decided, _ row: ClaimedRole, _ adjustment: RoleAdjustment?,
        daysInMonth: Int
    ) {
        self.init()
        actualPence = row.actualPence
        annualMaximumPence = decided.annual.scaled(to: 2) ?? 0
        (area, ceilingPence) = (decided.area, decided.ceilingPence)
        (days, self.daysInMonth) = (Int32(clamping: decided.days), Int32(clamping: daysInMonth))
        (payablePence, reduction, rule) = (
            decided.payablePence, decided.reduction.rawValue, decided.reduction.rule
        )
        guard let made = adjustment else { return }
        self.adjustment = .with {
            ($0.rowNumber, $0.payablePence) = (Int32(clamping: made.number), made.pence)
            ($0.reason, $0.adjustedBy) = (made.reason, made.by)
        }
    }
}

extension Pcs_Payments_V1_AdditionalRolesMaximum {
    init(_ maximum: MaximumSum) {
        self.init()
        financialYear = maximum.year.description
        rate = maximum.rate.description
        weightedPatientsHundredths = maximum.weightedHundredths
        maximumSumPence = maximum.pence
        (alreadyApprovedPence, leftPence) = (maximum.approvedPence, maximum.leftPence)
    }
}
