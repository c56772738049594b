import CommonContract
import CqrsContract
import Foundation
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import CQRSPlugin

/// To PCSE and back, or into the commissioner's own payment file (10.6).
@Suite("Payment of local claims")
struct LocalPaymentTests {
    typealias Office = LocalOffice
    private static let instructed = "pcs.cqrs.v1.PaymentInstructed"

    private func approved(
        _ office: Office, _ change: (inout Pcs_Cqrs_V1_LocalServiceDefinition) -> Void = { _ in }
    )
        async throws -> Pcs_Cqrs_V1_LocalClaim
    {
        let open = try await office.open(Office.definition(change))
        let claim = try await office.submit(
            try await office.create(
                open.service, open.window, [Office.line("BLOOD", "42"), Office.line("ECG", "9")]))
        return try await office.approve(claim)
    }

    private func instructions(_ office: Office) throws -> [Pcs_Cqrs_V1_PaymentInstructed] {
        try office.published(Self.instructed).map { try Pcs_Cqrs_V1_PaymentInstructed(serializedBytes: $0) }
    }

    @Test(
        "R15: a lost reply means three sends under one key, one payment, and an operator's task after the third"
    )
    func lostReply() async throws {
        try await Office.with { office in
            try await office.enrol()
            let claim = try await approved(office)
            #expect(claim.paymentStatus == "waits for the next run to PCSE")
            // 15:00 of this working day; then an hour's look every hour for three days.
            try await office.host.advance(milliseconds: 6 * 3_600_000)
            #expect(try instructions(office).count == 1)
            #expect(try await office.read(claim).state == .sentToPcse)
            for _ in 0..<17 { try await office.host.advance(milliseconds: 3_600_000) }
            #expect(try instructions(office).count == 1, "not before 18 hours")
            for _ in 0..<72 { try await office.host.advance(milliseconds: 3_600_000) }
            let sent = try instructions(office)
            #expect(sent.count == 3)
            #expect(Set(sent.map(\.instructionID)) == [claim.claimID + "-1-1"], "one key")
            #expect(Set(sent.map(\.grossPence)) == [1_352_25])
            #expect(
                sent.allSatisfy {
                    $0.claimID == claim.claimID && $0.declarationID.isEmpty && $0.payCode == "LIS"
                })
            let tasks = try office.published("pcs.casework.v1.TaskRequested").map {
                String(decoding: $0, as: UTF8.self)
            }
            #expect(tasks.filter { $0.contains("/silent") }.count == 1)
            let report = try await office.report(.pcse)
            #expect(report.rows.map { $0.cells[7] } == ["3"])
            #expect(report.rows.map { $0.cells[9] } == ["Y"])
            // PCSE had paid all along.
            let answer = Pcs_Cqrs_V1_RecordAgencyAnswerRequest.with {
                ($0.instructionID, $0.answer, $0.agencyReference) = (claim.claimID + "-1-1", .paid, "PCSE-77")
                $0.paidOn = Pcs_Common_V1_Date(day("2026-03-17"))
            }
            _ = try await office.instructions().recordAgencyAnswer(answer)
            _ = try await office.instructions().recordAgencyAnswer(answer)
            let paid = try await office.read(claim)
            #expect(paid.state == .paid)
            #expect(paid.paidOn.calendarDate == day("2026-03-17"))
            #expect(paid.history.count { $0.to == .paid } == 1)
            #expect(try await office.handOver() == Pcs_Cqrs_V1_LocalHandOverReport())
        }
    }

    @Test("a claim approved before the enrolment is never sent; one approved on its day is")
    func enrolment() async throws {
        try await Office.with { office in
            let claim = try await approved(office)
            #expect(try await office.handOver().notEnrolled == 1)
            try await office.enrol(from: "2026-03-17")
            #expect(try await office.handOver().notEnrolled == 1)
            #expect(try instructions(office).isEmpty)
            office.host.clock.advance(days: 1)
            let service = claim.serviceID
            let window = claim.windowID
            let later = try await office.create(
                service, window, [Office.line("ECG", "1")], by: office.otherUser)
            try await office.approve(try await office.submit(later, by: office.otherUser))
            let report = try await office.handOver()
            #expect((report.sent, report.sentPence, report.notEnrolled) == (1, 17_25, 1))
        }
    }

    @Test("nothing is sent on a Saturday or a bank holiday")
    func workingDays() async throws {
        try await Office.with { office in
            try await office.enrol()
            _ = try await approved(office)
            // Good Friday of 2026.
            office.host.clock.set(day("2026-04-03"), hour: 16)
            #expect(try await office.handOver().sent == 0)
            office.host.clock.set(day("2026-04-04"), hour: 16)
            #expect(try await office.handOver().sent == 0)
            office.host.clock.set(day("2026-04-07"), hour: 16)
            #expect(try await office.handOver().sent == 1)
        }
    }

    @Test("a refused payment is told, and tried again under a new instruction only")
    func refused() async throws {
        try await Office.with { office in
            try await office.enrol()
            let claim = try await approved(office)
            #expect(try await office.handOver().sent == 1)
            _ = try await office.instructions().recordAgencyAnswer(
                .with {
                    ($0.instructionID, $0.answer, $0.reason) = (
                        claim.claimID + "-1-1", .refused, "no bank account"
                    )
                })
            let failed = try await office.read(claim)
            #expect(failed.state == .paymentFailed)
            #expect(failed.paymentStatus == "\(claim.claimID)-1-1 refused, sent 1 times: no bank account")
            let again = try await office.claims(office.tier2).retryLocalPayment(
                office.reasoned(claim, "account given"))
            #expect(again.state == .approved)
            #expect(try await office.handOver().sent == 1)
            #expect(
                try instructions(office).map(\.instructionID) == [
                    claim.claimID + "-1-1", claim.claimID + "-2-1",
                ])
        }
    }

    @Test("a queued instruction can be recalled, and the claim says so")
    func recalled() async throws {
        try await Office.with { office in
            try await office.enrol()
            let claim = try await approved(office)
            let finance = try await office.host.person(
                "fiona", roles: [Role("CQRS_FINANCE_MANAGEMENT")], at: Office.commissioner)
            let instructions = Pcs_Cqrs_V1_InstructionServiceClient(
                try await office.host.transport(.inProcess, as: finance))
            _ = try await instructions.recallInstruction(
                .with {
                    ($0.commissionerCode, $0.instructionID) = (Office.commissioner, claim.claimID + "-1-1")
                    $0.reason = "claimed in error"
                })
            #expect(try await office.read(claim).state == .paymentFailed)
            #expect(try await office.handOver().sent == 0)
        }
    }

    @Test("the nightly run of declarations leaves instructions of claims to their own time")
    func nightly() async throws {
        try await Office.with { office in
            try await office.enrol()
            _ = try await approved(office)
            let declarations = Pcs_Cqrs_V1_DeclarationServiceClient(
                try await office.host.transport(.inProcess, as: office.operator))
            #expect(try await declarations.runNightly(.init()).releasedInstructions == 0)
            #expect(try await office.handOver().sent == 1)
        }
    }

    @Test("file route: one CSV for the commissioner with totals; results are pushed to the claims")
    func fileRoute() async throws {
        try await Office.with { office in
            let open = try await office.open(Office.definition { $0.paymentRoute = .file })
            var claims: [Pcs_Cqrs_V1_LocalClaim] = []
            for subject in [office.user, office.otherUser] {
                let draft = try await office.create(
                    open.service, open.window, [Office.line("ECG", "2")], by: subject)
                claims.append(try await office.approve(try await office.submit(draft, by: subject)))
            }
            #expect(try await office.handOver().sent == 0)
            let finance = try await office.claims(office.finance)
            await expectLocalRefusal("CONTROL_TOTAL_MISMATCH") {
                _ = try await finance.makePaymentFile(
                    .with { ($0.commissionerCode, $0.controlTotalPence) = (Office.commissioner, 1) })
            }
            let file = try await finance.makePaymentFile(
                .with { ($0.commissionerCode, $0.controlTotalPence) = (Office.commissioner, 69_00) })
            #expect((file.claims, file.totalPence) == (2, 69_00))
            await expectLocalRefusal("LOCAL_PAYMENT_FILE_UNKNOWN") {
                _ = try await finance.makePaymentFile(.with { $0.commissionerCode = Office.commissioner })
            }
            var bytes: [UInt8] = []
            for try await chunk in try await finance.readPaymentFile(
                .with { ($0.commissionerCode, $0.fileID) = (Office.commissioner, file.fileID) })
            {
                bytes += chunk.data
            }
            let rows = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n").map(String.init)
            #expect(rows.count == 4)
            #expect(rows[1].contains(",34.50,LOCAL \(Office.practice) 2026-02"))
            #expect(rows[3] == "TOTAL,2 claims,2 rows,,,,,69.00,")
            let done = try await finance.recordFilePayments(
                .with {
                    ($0.commissionerCode, $0.fileID) = (Office.commissioner, file.fileID)
                    $0.paidOn = Pcs_Common_V1_Date(day("2026-03-16"))
                    $0.failed = [.with { ($0.claimID, $0.reason) = (claims[1].claimID, "account closed") }]
                })
            #expect((done.paid, done.failed) == (1, 1))
            #expect(try await office.read(claims[0]).state == .paid)
            #expect(try await office.read(claims[1]).state == .paymentFailed)
        }
    }

    @Test("a claim of nothing is approved and has nothing to pay (LOC-9)")
    func nothing() async throws {
        try await Office.with { office in
            try await office.enrol()
            let open = try await office.open()
            let zero = try await office.approve(
                try await office.submit(
                    try await office.create(open.service, open.window, [Office.line("ECG", "0")])))
            #expect(zero.paymentStatus == "nothing to pay")
            #expect(try await office.handOver().sent == 0)
        }
    }
}
