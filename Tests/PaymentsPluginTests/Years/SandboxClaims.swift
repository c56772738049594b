import Accounting
import CommonContract
import CqrsContract
import Foundation
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@testable import PaymentsPlugin

/// Variations of the commissioner: once, monthly, stopped in time and too late, recovered.
final class SandboxVariations: SandboxKind {
    let paycodes: Set = ["LIS", "PRNT", "RECO"]
    private var monthly: [Pcs_Payments_V1_Variation] = []

    func before(_ month: YearMonth, _ area: SandboxArea) async throws {
        let codes = area.practices
        switch month.description {
        case "2026-04":
            let upload = try await area.variations(
                (0..<6).map { "\(codes[$0]),PRNTG,notional rent,MONTHLY,\(1000 + $0).0\($0),2026-04,,,," }
                    + ["\(codes[1]),LIS,winter scheme,ONEOFF,250.01,2026-04,,250.01,,"])
            monthly = try await area.rows(of: upload).filter(\.monthly)
        case "2026-06":
            _ = try await area.variations([
                "\(codes[6]),RECO,OVERPAYMENT of rates,MONTHLY,-50.03,2026-06,2026-08,-150.09,,",
                "\(codes[7]),LIS,large scheme,ONEOFF,21000.77,2026-06,,21000.77,,",
            ])
        case "2026-07": try await area.stop(monthly[0], from: month)
        // Too late: June to August come back.
        case "2026-09": try await area.stop(monthly[1], from: month.adding(months: -3))
        // For a practice that is stopped: neither the month nor a later difference may pay it.
        case "2026-11":
            _ = try await area.variations(["\(codes[16]),PRNTG,notional rent,MONTHLY,700.00,2026-11,,,,"])
        default: break
        }
    }
}

/// Claims of a practice: a bill, adjusted and later recovered; locum cover week by week (E10).
final class SandboxClaims: SandboxKind {
    let paycodes: Set = ["PACT", "LPAR", "RECO"]
    private var rent: Pcs_Payments_V1_Claim?

    private func claims(_ area: SandboxArea, _ subject: TestSubject) async throws
        -> Pcs_Payments_V1_ClaimServiceClient
    { Pcs_Payments_V1_ClaimServiceClient(try await area.office.transport(subject)) }

    private func submit(_ contents: Pcs_Payments_V1_ClaimContents, _ area: SandboxArea) async throws
        -> Pcs_Payments_V1_Claim
    {
        let admin = try await claims(area, area.people.claimsAdmin)
        let draft = try await admin.createClaim(.with { $0.claim = contents })
        return try await admin.submitClaim(
            .with { ($0.claimID, $0.practiceCode) = (draft.claimID, contents.practiceCode) })
    }

    private func decide(
        _ claim: Pcs_Payments_V1_Claim, _ decision: Pcs_Payments_V1_ClaimDecision, pence: Int64,
        _ area: SandboxArea
    ) async throws {
        _ = try await claims(area, area.people.commissionerApprover).decideClaim(
            .with {
                ($0.claimID, $0.practiceCode) = (claim.claimID, claim.contents.practiceCode)
                ($0.version, $0.decision, $0.amountPence) = (claim.version, decision, pence)
                ($0.reason, $0.rule) = ("checked against the bill", "payments.md 6.3")
            })
    }

    func before(_ month: YearMonth, _ area: SandboxArea) async throws {
        let code = area.practices[4]
        switch month.description {
        case "2026-05":
            let (from, to) = (try area.date("2026-04-01"), try area.date("2026-04-30"))
            let claim = try await submit(
                .with {
                    ($0.practiceCode, $0.type, $0.amountPence) = (code, .actualRent, 512_345)
                    ($0.invoiceNumber, $0.evidenceDocumentIds) = ("R-1", ["doc-1"])
                    ($0.periodFrom, $0.periodTo) = (from, to)
                }, area)
            try await decide(claim, .adjust, pence: 498_701, area)
            rent = claim
            let start = try day("2025-09-01")
            let (first, last) = (Pcs_Common_V1_Date(start), Pcs_Common_V1_Date(start.adding(days: 41)))
            let invoices: [Int64] = [135_000, 150_000, 230_000, 215_196, 198_050, 230_000]
            let cover = try await submit(
                .with {
                    ($0.practiceCode, $0.type) = (code, .parentalLeave)
                    ($0.invoiceNumber, $0.evidenceDocumentIds) = ("L-1", ["doc-2"])
                    ($0.periodFrom, $0.periodTo) = (first, last)
                    ($0.locum.doctorName, $0.locum.gmcNumber, $0.locum.absentFrom) = (
                        "Dr A", "1234567", first
                    )
                    $0.locum.coverKind = .externalLocum
                    $0.locum.weeks = invoices.enumerated().map { index, pence in
                        .with {
                            $0.from = Pcs_Common_V1_Date(start.adding(days: index * 7))
                            ($0.days, $0.invoicedPence) = (7, pence)
                        }
                    }
                }, area)
            try await decide(cover, .approve, pence: 0, area)
        case "2026-08":
            let claim = try #require(rent)
            _ = try await claims(area, area.people.commissionerApprover).recoverClaim(
                .with {
                    ($0.claimID, $0.practiceCode, $0.amountPence) = (claim.claimID, code, 100_000)
                    ($0.months, $0.reason, $0.note) = (3, .overpayment, "billed twice")
                })
        default: break
        }
    }
}

/// Instructions of the quality service: aspiration, achievement, corrections, and recalls before and after payment.
final class SandboxQuality: SandboxKind {
    let paycodes: Set = ["QASP", "QACH", "VFLU"]

    private func write(_ area: SandboxArea, _ body: @escaping @Sendable (any Transaction) throws -> Void)
        async throws
    {
        try await area.office.host.store(of: "payments").write(actor: "cqrs", body)
    }

    private func instruction(
        _ id: String, _ payee: String, _ code: String, _ pence: Int64, _ month: YearMonth
    ) -> Pcs_Cqrs_V1_PaymentInstructed {
        .with {
            ($0.instructionID, $0.declarationID, $0.payeeCode, $0.payCode) = (id, "d-" + id, payee, code)
            ($0.grossPence, $0.serviceCode) = (pence, code)
            $0.period = Pcs_Common_V1_Month(year: month.year, month: month.month)
            $0.releaseDate = Pcs_Common_V1_Date(month.firstDay)
        }
    }

    func before(_ month: YearMonth, _ area: SandboxArea) async throws {
        var events = area.practices.prefix(12).enumerated().map { index, code in
            instruction("A\(index)-\(month)", code, "QOFASP", 349_404 + Int64(index) * 1_003, month)
        }
        var recalled: [String] = []
        switch month.description {
        case "2026-06":
            events.append(instruction("ACH", area.practices[1], "QOFACH", 1_147_082, month))
            events.append(instruction("FLU", area.practices[2], "VFLU", 100_600, month))
            events.append(instruction("NEVER", area.practices[3], "VFLU", 201_200, month))
            recalled = ["NEVER"]
        case "2026-09": recalled = ["FLU"]
        case "2026-10":
            var correction = instruction("ACH-2", area.practices[1], "QOFACH", -5_720, month)
            correction.correctsInstructionID = "ACH"
            events.append(correction)
        default: break
        }
        let (instructed, taken) = (events, recalled)
        try await write(area) { transaction in
            for event in instructed + instructed.prefix(2) { try QualityEvents.instruct(event, transaction) }
            for id in taken {
                try QualityEvents.recall(
                    .with { ($0.instructionID, $0.reason) = (id, "duplicate") }, transaction)
            }
        }
    }
}

/// Local payments of pharmacies, paid here.
final class SandboxPharmacies: SandboxKind {
    let paycodes: Set = ["PHLP"]

    func before(_ month: YearMonth, _ area: SandboxArea) async throws {
        guard month.month == 4 || month.month == 5 else { return }
        let board = area.pharmacyCommissioner
        func service(_ subject: TestSubject) async throws -> Pcs_Payments_V1_PharmacyPaymentServiceClient {
            Pcs_Payments_V1_PharmacyPaymentServiceClient(try await area.office.transport(subject))
        }
        if month.month == 4 {
            _ = try await service(area.people.pharmacyApprovers[0]).setLocalPaymentsPaidHere(
                .with {
                    ($0.commissionerCode, $0.paidHere, $0.reason) = (board, true, "local choice")
                    $0.fromMonth = area.month(month)
                })
        }
        let header = "contractorCode,lpaCode,amount,narrative,paymentMonth,levyStat,levyVol\n"
        let rows = area.pharmacies.enumerated().map { index, code in
            "\(code),LPA01,\(100 + index).1\(month.month),Needle exchange,\(month),Y,N\n"
                + "\(code),LPA02,-5.0\(index),Correction,\(month),Y,N\n"
        }
        let file = try await service(area.people.pharmacySubmitter).loadLocalPayments([
            .with {
                ($0.commissionerCode, $0.fileName, $0.month) = (board, "local.csv", area.month(month))
                $0.data = Data((header + rows.joined()).utf8)
            }
        ])
        for approver in area.people.pharmacyApprovers {
            _ = try await service(approver).authoriseLocalPayments(
                .with {
                    ($0.commissionerCode, $0.fileID) = (board, file.fileID)
                    $0.controlTotalPence = file.totalPence
                })
        }
    }
}

/// An optician's claims, and a fee that is confirmed after they were paid (E14 and the year after).
final class SandboxOptician: SandboxKind {
    let paycodes: Set = ["GOS1", "GOS3", "LOCL"]

    func prepare(_ area: SandboxArea) async throws {
        let from = try area.date("2020-01-01")
        let service = Pcs_Payments_V1_OphthalmicServiceClient(
            try await area.office.transport(area.office.operating))
        _ = try await service.registerContractor(
            .with {
                ($0.contractorCode, $0.name) = (SandboxArea.opticianCode, "Clear Sight Ltd")
                ($0.commissionerCode, $0.committeeName) = (
                    SandboxArea.commissioner, "Tees Local Optical Committee"
                )
                $0.effectiveFrom = from
            })
        try await LevyOffice(
            office: area.office, editor: area.people.commissionerEditor,
            approver: area.people.commissionerApprover, viewer: area.office.operating
        ).setOpticalCommittee("0.5", members: [SandboxArea.opticianCode])
    }

    func before(_ month: YearMonth, _ area: SandboxArea) async throws {
        if month.description == "2026-07" {
            try await area.office.setRate("gos_sight_test", "25.00", from: "2025-04-01", to: "2026-04-01")
        }
        guard [4, 5].contains(month.month) else { return }
        let claims =
            try (1...20).map { try opticalClaim("T\(month.month)-\($0)") }
            + (1...5).map { try opticalClaim("E\(month.month)-\($0)", .gos3, voucher: "E", bifocal: true) }
        let optician = Pcs_Payments_V1_OphthalmicServiceClient(
            try await area.office.transport(area.people.optician))
        let batch = try await optician.submitOphthalmicClaims([
            .with { ($0.contractorCode, $0.claims) = (SandboxArea.opticianCode, claims) }
        ])
        #expect(batch.accepted == 25)
    }
}
