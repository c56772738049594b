import Accounting
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@testable import PaymentsPlugin

@Suite("Levies through the public door (payments.md 9.6)")
struct LevyMonthTests {
    @Test("E11 in three runs: deducted, paid over, and in the committee's remittance practice by practice")
    func workedExample11() async throws {
        try await LevyOffice.with { desk in
            let office = desk.office
            try await desk.setExample11()
            try await office.pay("2026-04")
            #expect(try await desk.levies("A81001", "2026-04") == ["LMCS -345.56", "LMCV -49.37"])
            #expect(try await desk.levies("A81002", "2026-04").isEmpty)
            #expect(try await desk.levies(LevyOffice.committee, "2026-04") == ["LMCP 345.56", "LMCP 49.37"])
            let statement = try await office.statement(LevyOffice.committee, "2026-04", as: desk.viewer)
            #expect(statement.payeeKind == .localCommittee && statement.netPence == 39_493)
            #expect(statement.practiceName == "Cleveland LMC 1" && statement.commissionerCode == "16C")
            #expect(statement.lines.map(\.quantity) == ["9873", "9873"])
            #expect(statement.lines.map(\.rate) == ["0.42", "0.06"])

            try await office.pay("2026-05")
            try await office.pay("2026-06")
            #expect(try await desk.levies("A81001", "2026-05") == ["LMCS -345.55", "LMCV -49.36"])
            #expect(try await desk.levies("A81001", "2026-06") == ["LMCS -345.56", "LMCV -49.37"])
            let remittance = try await desk.remittance("2026-06")
            #expect(remittance.published && remittance.sha256.count == 64)
            #expect(remittance.deductedPence == 39_493 && remittance.paidOverPence == 39_493)
            let first = try #require(remittance.rows.first)
            #expect(first.practiceCode == "A81001" && first.practiceName == "One" && first.kind == .statutory)
            #expect(first.registeredPatients == 9_873 && first.pencePerPatient == "42")
            #expect(first.ratePeriod == .year && first.amountPence == 34_556)

            var csv = Data()
            for try await chunk in try await desk.service(desk.viewer).exportLevyRemittance(
                .with {
                    $0.committeeCode = LevyOffice.committee
                    $0.month = .with { ($0.year, $0.month) = (2026, 6) }
                })
            { csv += chunk.data }
            #expect(
                String(decoding: csv, as: UTF8.self).split(separator: "\r\n").last
                    == "LOCALLMC1,2026-06-1,2026-06-30,A81001,One,VOLUNTARY,2026-06,N,9873,6,YEAR,49.37,,")
            let other = try await office.host.person(
                "otto", roles: [Roles.lmcViewer], at: LevyOffice.otherCommittee)
            let denied = try await refusal { _ = try await desk.remittance("2026-06", as: other) }
            #expect(denied.reason == HostReasons.organisationOutOfScope)
        }
    }

    @Test("a list corrected later makes equal differences on both sides, once")
    func correctedList() async throws {
        try await LevyOffice.with { desk in
            try await desk.setExample11()
            try await desk.office.pay("2026-04")
            try await desk.office.loadLists("2026-04-01", "A81001,10000,10000.00,0")
            try await desk.office.pay("2026-05")
            #expect(
                try await desk.levies("A81001", "2026-05") == [
                    "LMCS -350.00", "LMCV -50.00", "LMCS -4.44", "LMCV -0.63",
                ])
            #expect(
                try await desk.levies(LevyOffice.committee, "2026-05") == [
                    "LMCP 350.00", "LMCP 50.00", "LMCP 5.07",
                ])
            let remittance = try await desk.remittance("2026-05")
            #expect(remittance.rows.map(\.amountPence) == [35_000, 5_000, 444, 63])
            #expect(remittance.rows.map(\.isRetro) == [false, false, true, true])
            #expect(remittance.rows.map(\.registeredPatients) == [10_000, 10_000, 10_000, 10_000])
            #expect(remittance.paidOverPence == 40_507)
            for (code, count) in [("A81001", 4), (LevyOffice.committee, 3)] {
                let lines = try await desk.office.statement(code, "2026-05").lines.filter {
                    ["LMCS", "LMCV", "LMCP"].contains($0.paycode)
                }
                #expect(lines.count == count)
                for line in lines {
                    let explained = try await desk.office.statements().explainLine(
                        .with {
                            ($0.practiceCode, $0.runID, $0.lineNumber) = (code, "2026-05-1", line.lineNumber)
                        })
                    #expect(explained.replayedPence == line.amountPence)
                }
            }
            try await desk.office.pay("2026-06")
            #expect(try await desk.levies("A81001", "2026-06") == ["LMCS -350.00", "LMCV -50.00"])
        }
    }

    @Test(
        "a practice that was of another committee all along: nothing for it, the money moves, and the totals agree"
    )
    func movedMember() async throws {
        try await LevyOffice.with { desk in
            let office = desk.office
            try await desk.setExample11()
            try await office.pay("2026-04")
            try await desk.setCommittee(LevyOffice.otherCommittee)
            try await desk.setRate("42", of: LevyOffice.otherCommittee)
            try await desk.setMembers([("A81001", false, false)], of: LevyOffice.otherCommittee)
            let run = try await office.calculate(try await office.open("2026-05").runID)
            #expect(try await office.exceptions(run.runID).allSatisfy { $0.kind != .levyMismatch })
            try await office.approve(run)
            // The voluntary levy was that of the first committee, and comes back.
            #expect(try await desk.levies("A81001", "2026-05") == ["LMCS -345.55", "LMCV 49.37"])
            #expect(
                try await desk.levies(LevyOffice.otherCommittee, "2026-05") == ["LMCP 345.55", "LMCP 345.56"])
            #expect(try await desk.levies(LevyOffice.committee, "2026-05") == ["LMCP -394.93"])
            let remittance = try await desk.remittance(
                "2026-05", of: LevyOffice.otherCommittee, as: office.operating)
            #expect(remittance.rows.map(\.practiceCode) == ["A81001", "A81001", ""])
            #expect(remittance.rows.reduce(0) { $0 + $1.amountPence } == 69_111)
        }
    }

    @Test(
        "C3: with a penny deducted that is not paid over the run cannot be reviewed, and nobody can accept it"
    )
    func mismatch() async throws {
        try await LevyOffice.with { desk in
            let office = desk.office
            try await desk.setExample11()
            let (code, april) = (try practice("A81001"), try month("2026-04"))
            let penny = PaymentLine(
                paycode: .statutoryLevy, contractID: "A81001", contractVersion: 0, periodFrom: april.firstDay,
                periodTo: april.lastDay, quantity: ExactDecimal(1),
                rate: ExactDecimal(mantissa: -1, scale: 2),
                basis: "BY_HAND", pence: -1, source: .item, month: april,
                explanation: Explanation(
                    rule: "none", ruleVersion: 1, inputs: [],
                    steps: [.init("amount", .whole(-1), .divide, .whole(100))], rounding: "none",
                    amount: Money(pence: -1)),
                origin: "by hand")
            try await office.host.store(of: "payments").write(actor: "test") { transaction in
                _ = try PayableItemStore.add(
                    [PayableItem(naturalKey: "penny", payee: code, firstRun: april, line: penny)], by: "test",
                    detail: "a penny", in: transaction)
            }
            let run = try await office.calculate(try await office.open("2026-04").runID)
            let found = try await office.exceptions(run.runID).filter { $0.kind == .levyMismatch }
            let mismatch = try #require(found.first)
            #expect(
                found.count == 1 && mismatch.severity == .fatal
                    && mismatch.practiceCode == LevyOffice.committee)
            #expect(mismatch.message == "2026-04: 394.94 deducted from members, 394.93 paid over")
            let open = try await refusal {
                _ = try await office.runs().acceptException(
                    .with {
                        ($0.runID, $0.numbers, $0.reason) = (run.runID, [mismatch.number], "only a penny")
                    })
            }
            #expect(open.reason != HostReasons.fieldInvalid)
            let review = try await refusal {
                _ = try await office.runs().reviewRun(
                    .with { ($0.runID, $0.calculation) = (run.runID, run.calculation) })
            }
            #expect(review.reason == PaymentsReasons.exceptionsOpen)
        }
    }

    @Test("PMS is levied with a mandate from its day on; a rate outside its bounds must be accepted by name")
    func mandateAndBounds() async throws {
        try await LevyOffice.with { desk in
            let office = desk.office
            try await desk.setCommittee(LevyOffice.committee, .firstMonth)
            try await desk.setRate("42")
            try await desk.setMembers([("A81002", true, false)])
            try await office.setRate(
                "levy_maximum_pence", "40", from: "2026-04-01", to: "2027-04-01", unit: .count)
            let run = try await office.calculate(try await office.open("2026-04").runID)
            let bounds = try await office.exceptions(run.runID).filter { $0.kind == .amountOutOfBounds }
            #expect(bounds.map(\.practiceCode) == [LevyOffice.committee] && bounds.map(\.paycode) == ["LMCS"])
            #expect(bounds.map(\.severity) == [.blocking])
            try await office.approve(run)
            #expect(try await desk.levies("A81002", "2026-04") == ["LMCS -955.50"])
            try await office.pay("2026-05")
            #expect(try await desk.levies("A81002", "2026-05").isEmpty)
            let manager = try await office.host.person("mia", roles: [Roles.practiceStatements], at: "A81002")
            let memberships = try await desk.service(manager).listLevyMemberships(
                .with { $0.practiceCode = "A81002" }
            ).memberships
            #expect(memberships.map(\.committeeCode) == [LevyOffice.committee])
            #expect(memberships.first?.members.map(\.mandate) == [true])
        }
    }

    @Test(
        "an instruction is decided once, by another person of the commissioner that may; what is wrong is named at once"
    )
    func instructions() async throws {
        try await LevyOffice.with { desk in
            let broken = try await refusal {
                _ = try await desk.propose {
                    ($0.authority, $0.reason) = ("", "")
                    $0.rate = .with { ($0.committeeCode, $0.pencePerPatient) = ("LOCALLMC9", "42.12345") }
                }
            }
            #expect(
                broken.violations.map { "\($0.field) \($0.rule)" } == [
                    "authority LEV07", "reason reason", "rate.committee_code LEV02", "rate.kind LEV05",
                    "rate.period LEV05", "rate.pence_per_patient LEV04", "rate.effective_from day",
                ])
            try await desk.setCommittee()
            let foreign = try await refusal {
                try await desk.setMembers([
                    ("C84101", true, true), ("A81001", true, true), ("A81001", true, true),
                ])
            }
            #expect(foreign.violations.map(\.rule) == ["LEV06", "LEV06"])
            let midQuarter = try await refusal { try await desk.setRate("42", from: "2026-05-01") }
            #expect(midQuarter.violations.map(\.rule) == ["LEV03"])

            let both = try await desk.office.host.grant(
                [Roles.commissionerApprover], at: "16C", to: desk.editor)
            let from = try day("2026-04-01")
            let proposed = try await desk.propose {
                $0.rate = .with {
                    ($0.committeeCode, $0.kind, $0.pencePerPatient) = (LevyOffice.committee, .statutory, "42")
                    ($0.period, $0.effectiveFrom) = (.year, Pcs_Common_V1_Date(from))
                }
            }
            func decide(_ subject: TestSubject, approve: Bool) async throws -> Pcs_Payments_V1_LevyInstruction
            {
                try await desk.service(subject).decideLevyInstruction(
                    .with {
                        ($0.instructionID, $0.commissionerCode) = (proposed.instructionID, "16C")
                        ($0.approve, $0.reason) = (approve, "not authorised")
                    })
            }
            let own = try await refusal { _ = try await decide(both, approve: true) }
            #expect(own.reason == HostReasons.secondPersonRequired)
            #expect(try await decide(desk.approver, approve: false).state == .returned)
            let again = try await refusal { _ = try await decide(desk.approver, approve: true) }
            #expect(again.reason == PaymentsReasons.alreadyDecided)
            let committee = try await desk.service(desk.viewer).getLevyCommittee(
                .with { $0.committeeCode = LevyOffice.committee })
            #expect(committee.rates.isEmpty && committee.terms.map(\.collection) == [.eachMonth])
            var listed: [Pcs_Payments_V1_LevyInstruction] = []
            for try await instruction in try await desk.service(desk.editor).listLevyInstructions(
                .with { $0.commissionerCode = "16C" })
            { listed.append(instruction) }
            #expect(listed.map(\.state) == [.approved, .returned])
            #expect(listed.map(\.proposedBy) == ["eddie", "eddie"] && listed.last?.decidedBy == "cas")
        }
    }
}
