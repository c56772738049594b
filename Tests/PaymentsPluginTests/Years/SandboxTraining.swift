import Accounting
import CommonContract
import Foundation
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

/// Placements by the rate of a day and of a year, at a third, paid at the end of a rotation, and with the trainee's
/// pay; one revised after it was paid; a retained doctor who begins within a month.
final class SandboxTraining: SandboxKind {
    let paycodes: Set = ["TGRT", "TSAL", "TESR", "TCPD", "RETN"]
    private var placed: [Pcs_Payments_V1_TraineePlacement] = []

    private func service(_ area: SandboxArea, _ subject: TestSubject? = nil) async throws
        -> Pcs_Payments_V1_TrainingServiceClient
    {
        Pcs_Payments_V1_TrainingServiceClient(
            try await area.office.transport(subject ?? area.office.operating))
    }

    private func approve(_ proposal: Pcs_Payments_V1_TrainingProposal, _ area: SandboxArea) async throws
        -> Pcs_Payments_V1_TrainingProposal
    {
        try await service(area, area.office.approver).decideTraining(
            .with { ($0.proposalID, $0.approve) = (proposal.proposalID, true) })
    }

    private func placement(
        _ index: Int, _ days: (String, String), in region: String = "NORTH_WEST",
        grade: Pcs_Payments_V1_TrainingGrade = .st3, pay: Int64 = 0, _ area: SandboxArea
    ) throws -> Pcs_Payments_V1_TraineePlacement {
        let (from, to) = (try area.date(days.0), try area.date(days.1))
        return .with {
            ($0.traineeRef, $0.practiceCode) = ("T-\(index)\(pay > 0 ? "P" : "")", area.practices[index])
            ($0.trainerRef, $0.area, $0.grade) = ("R-\(index)", region, grade)
            ($0.employer, $0.from, $0.to) = (pay > 0 ? .practice : .leadEmployer, from, to)
            ($0.annualPayPence, $0.annualEmployerCostsPence) = (pay, pay / 4)
        }
    }

    func before(_ month: YearMonth, _ area: SandboxArea) async throws {
        switch month.description {
        case "2026-06":
            let placements = [
                try placement(6, ("2026-05-06", "2027-05-04"), area),
                try placement(7, ("2026-05-06", "2026-11-03"), in: "EAST_MIDLANDS", area),
                try placement(17, ("2026-05-13", "2027-05-04"), grade: .st4, area),
                try placement(18, ("2026-05-06", "2027-05-04"), pay: 4_812_301, area),
                // In a practice that will be stopped in November.
                try placement(16, ("2026-05-06", "2027-05-04"), area),
            ]
            let proposal = try await service(area).proposePlacements(
                .with { ($0.placements, $0.reason) = (placements, "May rotation") })
            placed = try await approve(proposal, area).placements
            try await retain(from: "2026-06-14", sessions: 4, area)
        case "2026-09":
            // The trainee came ten days later than thought.
            var late = try #require(placed.first { $0.traineeRef == "T-6" })
            late.from.day = 16
            let revised = late
            let proposal = try await service(area).proposePlacements(
                .with { ($0.placements, $0.reason) = ([revised], "began later") })
            _ = try await approve(proposal, area)
        case "2026-10": try await payOnce(area)
        default: break
        }
    }

    private func payOnce(_ area: SandboxArea) async throws {
        let id = try #require(placed.first { $0.traineeRef == "T-17" }).placementID
        let (report, year) = (try area.date("2026-09-20"), try area.date("2026-09-01"))
        let payments: [Pcs_Payments_V1_TrainingPayment] = [
            .with { ($0.kind, $0.placementID, $0.on) = (.supervisionReport, id, report) },
            .with { ($0.kind, $0.placementID, $0.on) = (.professionalDevelopment, id, year) },
        ]
        let proposal = try await service(area).proposeTrainingPayments(
            .with { ($0.payments, $0.reason) = (payments, "reports of the summer") })
        _ = try await approve(proposal, area)
    }

    private func retain(from day: String, sessions: Int32, _ area: SandboxArea) async throws {
        let (from, to) = (try area.date(day), try area.date("2028-06-13"))
        let membership = Pcs_Payments_V1_RetentionMembership.with {
            ($0.doctorRef, $0.practiceCode, $0.sessions) = ("1234567", area.practices[19], sessions)
            ($0.from, $0.to) = (from, to)
        }
        let proposal = try await service(area).proposeRetention(
            .with { ($0.memberships, $0.reason) = ([membership], "agreed with the dean") })
        _ = try await approve(proposal, area)
    }
}

/// Extra hours of the reimbursement scheme, cut to the hourly cap (E18).
final class SandboxScheme: SandboxKind {
    let paycodes: Set = ["GPRS"]

    func before(_ month: YearMonth, _ area: SandboxArea) async throws {
        guard month.description == "2026-08" else { return }
        let (code, office) = (area.practices[4], area.office)
        func scheme(_ subject: TestSubject) async throws -> Pcs_Payments_V1_ReimbursementSchemeServiceClient {
            Pcs_Payments_V1_ReimbursementSchemeServiceClient(try await office.transport(subject))
        }
        let load = try await scheme(office.editor).loadSchemePopulations([
            .with {
                ($0.financialYear, $0.fileName) = ("2026/27", "adjusted.csv")
                $0.data = Data("practice_code,adjusted_patients\n\(code),9800.00\n".utf8)
            }
        ])
        _ = try await scheme(office.secondEditor).decideSchemePopulations(
            .with {
                ($0.loadID, $0.approve) = (load.loadID, true)
                $0.controlTotalHundredths = load.adjustedPatientsHundredths
            })
        func claims(_ subject: TestSubject) async throws -> Pcs_Payments_V1_ClaimServiceClient {
            Pcs_Payments_V1_ClaimServiceClient(try await office.transport(subject))
        }
        let (from, to) = (try area.date("2026-07-01"), try area.date("2026-07-31"))
        let admin = try await claims(area.people.claimsAdmin)
        let draft = try await admin.createClaim(
            .with {
                ($0.claim.practiceCode, $0.claim.type) = (code, .reimbursementScheme)
                ($0.claim.periodFrom, $0.claim.periodTo, $0.claim.evidenceDocumentIds) = (from, to, ["doc-1"])
                ($0.claim.scheme.gmcNumber, $0.claim.scheme.sessions) = ("1234567", 6)
                $0.claim.scheme.extraHours = [
                    .with { ($0.from, $0.hoursHundredths, $0.payPence) = (from, 3_600, 400_000) }
                ]
            })
        let claim = try await admin.submitClaim(
            .with { ($0.claimID, $0.practiceCode) = (draft.claimID, code) })
        let decided = try await claims(area.people.commissionerApprover).decideClaim(
            .with {
                ($0.claimID, $0.practiceCode, $0.version) = (claim.claimID, code, claim.version)
                ($0.decision, $0.reason) = (.approve, "checked")
            })
        #expect(decided.state == .adjusted && decided.approvedPence == 282_276)
    }
}
