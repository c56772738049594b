import Accounting
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Ophthalmic claims through the public door (payments.md 10.2)")
struct OphthalmicMonthTests {
    private func opticalMonth() throws -> [Pcs_Payments_V1_OphthalmicClaimContents] {
        try (1...142).map { try opticalClaim("T\($0)") }
            + (1...20).map { try opticalClaim("A\($0)", .gos3, voucher: "A") }
            + (1...5).map { try opticalClaim("E\($0)", .gos3, voucher: "E", bifocal: true) }
            + [try opticalClaim("H1", .gos3, voucher: "H", sphere: 1_425, bifocal: true)]
    }

    @Test(
        "E14 in one payment; a fee confirmed later is paid back by difference lines, once; every claim is listed"
    )
    func opticalMonthIsPaid() async throws {
        try await OpticalPractice.with { practice in
            let office = practice.office
            let levies = try await practice.setLevy("0.5")
            let batch = try await practice.submit(try opticalMonth())
            #expect(batch.accepted == 168 && batch.rejected == 0 && batch.awaitingFee == 0)
            try await office.pay("2026-04")
            let first = try await office.statement(OpticalPractice.code, "2026-04")
            #expect(first.payeeKind == .ophthalmicContractor)
            let owner = try await office.host.person(
                "olga", roles: [Roles.contractorStatements], at: OpticalPractice.code)
            #expect(try await office.statement(OpticalPractice.code, "2026-04", as: owner) == first)
            let other = try await office.host.person(
                "otto", roles: [Roles.contractorStatements], at: "A81002")
            let denied = try await refusal {
                _ = try await office.statement(OpticalPractice.code, "2026-04", as: other)
            }
            #expect(denied.reason == HostReasons.organisationOutOfScope)
            #expect(first.practiceName == "Clear Sight Ltd")
            #expect(
                shown(first.lines) == [
                    "GOS1 3426.46", "GOS3 848.00", "GOS3 365.50", "GOS3 233.56", "LOCL -17.13",
                ])
            #expect(first.netPence == 485_639)
            #expect(try await practice.get("T1").state == .inRun)

            let rows = try await practice.export("2026-04")
            #expect(rows.count == 169)
            let vouchers = try await practice.export("2026-04", line: "gos/GOS3/gos_voucher_e/2024-04-01")
            #expect(vouchers.count == 6)
            #expect(
                vouchers.last
                    == "E5,GOS3,2026-03-02,J.P.,01-12345,E,gos_voucher_e,73.10,gos/GOS3/gos_voucher_e/2024-04-01"
            )

            try await office.setRate("gos_sight_test", "25.00", from: "2025-04-01", to: "2026-04-01")
            try await office.pay("2026-05")
            let second = try await office.statement(OpticalPractice.code, "2026-05")
            #expect(shown(second.lines) == ["GOS1 123.54", "LOCL -0.62"])
            #expect(second.lines.map(\.isRetro) == [true, true])
            try await practice.submit([try opticalClaim("T200")])
            try await office.pay("2026-06")
            let third = try await office.statement(OpticalPractice.code, "2026-06")
            for line in first.lines + second.lines + third.lines {
                #expect(try ShownFigures.agrees(line), "\(line.basis)")
            }
            #expect(shown(third.lines) == ["GOS1 25.00", "LOCL -0.13"])
            // Paid over in the same run, differences included (C3).
            for (month, lines) in [("2026-04", ["LMCP 17.13"]), ("2026-05", ["LMCP 0.62"]), ("2026-06", ["LMCP 0.13"])] {
                let committee = try await office.statement(LevyOffice.opticalCommittee, month)
                #expect(shown(committee.lines) == lines)
                for line in committee.lines { #expect(try ShownFigures.agrees(line), "\(line.basis)") }
            }
            let remittance = try await levies.remittance("2026-04", of: LevyOffice.opticalCommittee)
            #expect((remittance.deductedPence, remittance.paidOverPence) == (1_713, 1_713))
            let row = try #require(remittance.rows.first)
            #expect((row.practiceCode, row.kind, row.feesPence) == (OpticalPractice.code, .optical, 3_426_46))
            #expect(row.percentOfFees == "0.5")
            #expect(try await practice.export("2026-06").count == 2)
        }
    }

    @Test("a claim for which no fee is set waits, and is paid when the fee is")
    func waiting() async throws {
        try await OpticalPractice.with { practice in
            let office = practice.office
            let batch = try await practice.submit([
                try opticalClaim("B1", .gos3, voucher: "B", sphere: 650), try opticalClaim("T1"),
            ])
            #expect(batch.accepted == 2 && batch.awaitingFee == 1)
            try await office.pay("2026-04")
            #expect(
                shown(try await office.statement(OpticalPractice.code, "2026-04").lines) == ["GOS1 24.13"])
            try await office.setRate("gos_voucher_b", "64.30", from: "2024-04-01", to: "2026-04-01")
            try await office.pay("2026-05")
            #expect(
                shown(try await office.statement(OpticalPractice.code, "2026-05").lines) == ["GOS3 64.30"])
        }
    }

    @Test("rejected claims are corrected under their reference, accepted ones stay; the same again is known")
    func corrections() async throws {
        try await OpticalPractice.with { practice in
            var faulty = try opticalClaim("R1")
            faulty.neverTested = false
            var twin = try opticalClaim("R3")
            twin.patientSurname = "patient r2"
            let batch = try await practice.submit([faulty, try opticalClaim("R2"), twin])
            #expect(
                batch.rejections.map { "\($0.reference) \($0.codes)" } == [
                    "R1 [\"GOS01\"]", "R3 [\"GOS18\"]",
                ])
            #expect(batch.rejections.first?.messages.first?.contains("last sight test") == true)
            #expect(try await practice.get("R1").state == .rejected)
            let again = try await practice.submit([faulty, try opticalClaim("R1"), try opticalClaim("R2")])
            #expect(again.accepted == 1 && again.known == 2)
            let corrected = try await practice.get("R1")
            #expect(corrected.state == .accepted && corrected.version == 2)
            #expect(corrected.history == ["1 REJECTED GOS01"])
            #expect(corrected.amountPence == 2_413)
            let other = try await practice.submit([try opticalClaim("R2", on: "2026-03-03")])
            #expect(other.rejections.map(\.codes) == [["GOS19"]])
            #expect(try await practice.get("R2").contents.performedOn.day == 2)
            practice.office.host.clock.set(try day("2026-06-03"))
            let late = try await practice.submit([try opticalClaim("R3")])
            #expect(late.rejections.map(\.codes) == [["GOS09"]])
            let limit = "after 2026-06-02, the last day: 3 months after the day of the test or of supply, 2026-03-02"
            #expect(late.rejections.first?.messages.first?.contains(limit) == true)
            #expect(try await practice.get("R3").messages.first?.contains(limit) == true)
        }
    }

    @Test("a claim by hand: draft, signed, accepted, in a run, taken back after verification")
    func byHand() async throws {
        try await OpticalPractice.with { practice in
            let (office, service) = (practice.office, try await practice.service())
            let key = Pcs_Payments_V1_OphthalmicClaimRequest.with {
                ($0.contractorCode, $0.reference) = (OpticalPractice.code, "D1")
            }
            let contents = try opticalClaim("D1")
            let draft = try await service.saveOphthalmicDraft(
                .with { ($0.contractorCode, $0.claim) = (OpticalPractice.code, contents) })
            #expect(draft.state == .draft && !draft.contents.hasPatientSignedOn)
            let early = try await refusal { _ = try await service.submitSignedOphthalmicClaim(key) }
            #expect(early.reason == PaymentsReasons.ophthalmicClaimStateWrong)
            let signed = try day("2026-03-15")
            let half = try await refusal {
                _ = try await service.signOphthalmicClaim(
                    .with {
                        ($0.contractorCode, $0.reference) = (OpticalPractice.code, "D1")
                        $0.performerSignedOn = Pcs_Common_V1_Date(signed)
                    })
            }
            #expect(half.reason == HostReasons.fieldInvalid)
            _ = try await service.signOphthalmicClaim(
                .with {
                    ($0.contractorCode, $0.reference) = (OpticalPractice.code, "D1")
                    $0.performerSignedOn = Pcs_Common_V1_Date(signed)
                    $0.contractorSignedOn = Pcs_Common_V1_Date(signed)
                    $0.patientSignedOn = Pcs_Common_V1_Date(signed)
                })
            let accepted = try await service.submitSignedOphthalmicClaim(key)
            #expect(accepted.state == .accepted && accepted.history == ["1 DRAFT", "2 SIGNED"])
            func recover() async throws -> Pcs_Payments_V1_OphthalmicClaim {
                try await practice.service(office.operating).recoverOphthalmicClaim(
                    .with {
                        ($0.contractorCode, $0.reference) = (OpticalPractice.code, "D1")
                        $0.reason = "no record of the test"
                    })
            }
            let unpaid = try await refusal { _ = try await recover() }
            #expect(unpaid.reason == PaymentsReasons.ophthalmicClaimStateWrong)
            try await office.pay("2026-04")
            #expect(try await recover().state == .recovered)
            let twice = try await refusal { _ = try await recover() }
            #expect(twice.reason == PaymentsReasons.ophthalmicClaimStateWrong)
            try await practice.submit([try opticalClaim("D2"), try opticalClaim("D3")])
            try await office.pay("2026-05")
            let lines = try await office.statement(OpticalPractice.code, "2026-05").lines
            #expect(shown(lines) == ["GOS1 48.26", "GOS1 -24.13"])
            #expect(try await practice.export("2026-05").count == 4)
        }
    }

    @Test("GOS 6 needs a visit notified in time, on its day, with room; first two patients are paid more")
    func visits() async throws {
        try await OpticalPractice.with { practice in
            let (office, service) = (practice.office, try await practice.service())
            try await office.setRate("gos_domiciliary_first", "40.00", from: "2025-04-01", to: "2027-04-01")
            try await office.setRate("gos_domiciliary_further", "10.00", from: "2025-04-01", to: "2027-04-01")
            try await office.setRate("gos_sight_test", "24.13", from: "2026-04-01", to: "2027-04-01")
            func notify(_ reference: String, on text: String, patients: Int32) async throws {
                let visit = try day(text)
                _ = try await service.notifyVisit(
                    .with {
                        ($0.contractorCode, $0.visitReference) = (OpticalPractice.code, reference)
                        ($0.address, $0.postcode) = ("The Laurels", "TS1 1AA")
                        $0.visitOn = Pcs_Common_V1_Date(visit)
                        ($0.startsAtMinute, $0.patients) = (600, patients)
                    })
            }
            let hasty = try await refusal { try await notify("V0", on: "2026-03-18", patients: 3) }
            #expect(hasty.violations.map(\.field) == ["visit_on"])
            try await notify("V1", on: "2026-04-06", patients: 3)
            let today = try day("2026-04-06")
            func change(_ patients: Int32) async throws -> Pcs_Payments_V1_VisitNotice {
                try await service.changeVisit(
                    .with {
                        ($0.contractorCode, $0.visitReference) = (OpticalPractice.code, "V1")
                        $0.visitOn = Pcs_Common_V1_Date(today)
                        ($0.startsAtMinute, $0.patients, $0.reason) = (600, patients, "a resident is ill")
                    })
            }
            #expect(try await change(3).changes == 1)
            office.host.clock.set(today)
            #expect(try await change(3).awaitsApproval)
            func claim(_ number: Int, visit: String = "V1", on day: String = "2026-04-06") throws
                -> Pcs_Payments_V1_OphthalmicClaimContents
            {
                var claim = try opticalClaim("D\(number)", .gos6, on: day)
                claim.visitReference = visit
                return claim
            }
            let waiting = try await practice.submit([try claim(1)])
            #expect(waiting.rejections.map(\.codes) == [["GOS26"]])
            let approver = try await office.host.person("cas", roles: [Roles.commissionerApprover], at: "16C")
            _ = try await practice.service(approver).approveVisitSubstitution(
                .with {
                    ($0.commissionerCode, $0.contractorCode, $0.visitReference) = (
                        "16C", OpticalPractice.code, "V1"
                    )
                })
            #expect(try await change(3).changes == 3)
            let often = try await refusal { _ = try await change(3) }
            #expect(often.reason == PaymentsReasons.ophthalmicClaimStateWrong)
            _ = try await practice.service(approver).approveVisitSubstitution(
                .with {
                    ($0.commissionerCode, $0.contractorCode, $0.visitReference) = (
                        "16C", OpticalPractice.code, "V1"
                    )
                })
            let batch = try await practice.submit([
                try claim(1), try claim(2), try claim(3), try claim(4), try claim(5, visit: "V9"),
                try claim(6, on: "2026-04-05"),
            ])
            #expect(batch.accepted == 3)
            #expect(batch.rejections.map(\.codes) == [["GOS17"], ["GOS15"], ["GOS16"]])
            try await office.pay("2026-04")
            #expect(
                shown(try await office.statement(OpticalPractice.code, "2026-04").lines)
                    == ["GOS6 72.39", "GOS6 80.00", "GOS6 10.00"])
        }
    }

    @Test("two notices for one address and day count together: for the three weeks and for the two higher fees")
    func twoNotices() async throws {
        try await OpticalPractice.with { practice in
            let (office, service) = (practice.office, try await practice.service())
            try await office.setRate("gos_domiciliary_first", "40.00", from: "2025-04-01", to: "2027-04-01")
            try await office.setRate("gos_domiciliary_further", "10.00", from: "2025-04-01", to: "2027-04-01")
            try await office.setRate("gos_sight_test", "24.13", from: "2026-04-01", to: "2027-04-01")
            func notify(_ reference: String, at address: String, on text: String) async throws {
                let visit = try day(text)
                _ = try await service.notifyVisit(
                    .with {
                        ($0.contractorCode, $0.visitReference) = (OpticalPractice.code, reference)
                        ($0.address, $0.postcode) = (address, "TS1 1AA")
                        $0.visitOn = Pcs_Common_V1_Date(visit)
                        ($0.startsAtMinute, $0.patients) = (600, 2)
                    })
            }
            // Four patients, four days ahead: each notice alone would be in time.
            try await notify("A1", at: "The Laurels", on: "2026-03-20")
            let second = try await refusal { try await notify("A2", at: "the laurels,", on: "2026-03-20") }
            #expect(second.violations.map(\.field) == ["visit_on"])
            #expect(second.violations.first?.message.contains("21 days before") == true)
            try await notify("A3", at: "The Oaks", on: "2026-03-20")

            try await notify("B1", at: "The Laurels", on: "2026-04-06")
            try await notify("B2", at: "The Laurels", on: "2026-04-06")
            office.host.clock.set(try day("2026-04-07"))
            let claims = try ["B1", "B2", "B1", "B2"].enumerated().map { index, visit in
                var claim = try opticalClaim("D\(index)", .gos6, on: "2026-04-06")
                claim.visitReference = visit
                return claim
            }
            // In two batches: what is stored counts as what is new.
            #expect(try await practice.submit(Array(claims.prefix(3))).accepted == 3)
            #expect(try await practice.submit(Array(claims.suffix(1))).accepted == 1)
            var third = try opticalClaim("D9", .gos6, on: "2026-04-06")
            third.visitReference = "B1"
            #expect(try await practice.submit([third]).rejections.map(\.codes) == [["GOS17"]])
            try await office.pay("2026-04")
            #expect(
                shown(try await office.statement(OpticalPractice.code, "2026-04").lines)
                    == ["GOS6 96.52", "GOS6 80.00", "GOS6 20.00"])
        }
    }

    @Test("a committee without a rate stops the run; a contractor of no committee is pointed out")
    func missingLevies() async throws {
        try await OpticalPractice.with { practice in
            let office = practice.office
            try await practice.submit([try opticalClaim("T1")])
            let run = try await office.calculate(try await office.open("2026-04").runID)
            func found() async throws -> [String] {
                try await office.exceptions(run.runID).filter { $0.paycode == "LOCL" }
                    .map { "\($0.severity) \($0.practiceCode)" }
            }
            #expect(try await found() == ["warning A81001"])
            func again() async throws {
                _ = try await office.runs().reopenRun(
                    .with { ($0.runID, $0.thaw, $0.reason) = (run.runID, true, "a committee was told") })
                _ = try await office.calculate(run.runID)
            }
            let levies = try await practice.setLevy(nil)
            try await again()
            #expect(try await found() == ["blocking LOCTEES"])
            try await levies.setOpticalRate("0.5")
            try await again()
            #expect(try await found().isEmpty)
            let wrong = try await refusal { try await levies.setRate("42", of: LevyOffice.opticalCommittee) }
            #expect(wrong.violations.map(\.field) == ["rate.kind", "rate.period", "rate.percent_of_fees"])
            let practices = try await refusal {
                try await levies.setMembers([("A81002", false, false)], of: LevyOffice.opticalCommittee)
            }
            #expect(practices.violations.map(\.rule) == ["LEV06"])
        }
    }

    @Test("grants are claimed in their window, once a performer and year")
    func grants() async throws {
        try await OpticalPractice.with { practice in
            let office = practice.office
            try await office.setRate(
                "gos_professional_development", "500.00", from: "2025-01-01", to: "2027-01-01")
            let claim = try opticalClaim("G1", .cpd, on: "2025-12-31")
            #expect(try await practice.submit([claim]).rejections.map(\.codes) == [["GOS24"]])
            office.host.clock.set(try day("2026-07-01"))
            var twin = claim
            twin.reference = "G2"
            let batch = try await practice.submit([claim, twin])
            #expect(batch.accepted == 1 && batch.rejections.map(\.codes) == [["GOS18"]])
            try await office.pay("2026-07")
            #expect(
                shown(try await office.statement(OpticalPractice.code, "2026-07").lines) == ["GCPD 500.00"])
        }
    }

    @Test(
        "only the contractor claims for itself; unknown contractors and empty or foreign batches are refused")
    func refusals() async throws {
        try await OpticalPractice.with { practice in
            let stranger = try await practice.office.host.client(
                "eve", roles: [Roles.ophthalmicClaims], at: "A81002")
            let service = try await practice.service(stranger)
            let claim = try opticalClaim("X1")
            let denied = try await refusal {
                _ = try await service.submitOphthalmicClaims([
                    .with { ($0.contractorCode, $0.claims) = (OpticalPractice.code, [claim]) }
                ])
            }
            #expect(denied.reason == HostReasons.organisationOutOfScope)
            let unknown = try await refusal {
                _ = try await service.submitOphthalmicClaims([
                    .with { ($0.contractorCode, $0.claims) = ("A81002", [claim]) }
                ])
            }
            #expect(unknown.reason == PaymentsReasons.ophthalmicContractorUnknown)
            let mixed = try await refusal {
                _ = try await practice.service().submitOphthalmicClaims([
                    .with { ($0.contractorCode, $0.claims) = (OpticalPractice.code, [claim]) },
                    .with { ($0.contractorCode, $0.claims) = ("A81002", [claim]) },
                ])
            }
            #expect(mixed.violations.map(\.field) == ["contractor_code"])
            #expect(try await practice.all().isEmpty)
            let empty = try await refusal {
                _ = try await practice.service().submitOphthalmicClaims([
                    .with { $0.contractorCode = OpticalPractice.code }
                ])
            }
            #expect(empty.violations.map(\.field) == ["claims"])
        }
    }

    @Test(
        "property: however claims are cut into batches, the claims and the payment are the same",
        arguments: 1...3)
    func anySplit(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        var claims: [Pcs_Payments_V1_OphthalmicClaimContents] = []
        for _ in 0..<120 {
            // Few references and people, so that corrections, duplicates and taken references come about.
            var claim = try opticalClaim("C\(Int.random(in: 0..<60, using: &generator))")
            claim.patientSurname = "P\(Int.random(in: 0..<40, using: &generator))"
            claim.neverTested = Bool.random(using: &generator)
            if Bool.random(using: &generator) {
                claim.form = .gos3
                (claim.voucherType, claim.right) = ("A", .with { $0.sphereHundredths = 25 })
                claim.pricePence = Int64.random(in: 0...6_000, using: &generator)
                if Bool.random(using: &generator) { claim.prescribedOn = claim.performedOn }
            }
            claims.append(claim)
        }
        var outcomes: [[String]] = []
        for most in [120, 1, 17] {
            try await OpticalPractice.with { practice in
                var rest = claims[...]
                while !rest.isEmpty {
                    let size = most == 17 ? Int.random(in: 1...17, using: &generator) : most
                    try await practice.submit(Array(rest.prefix(size)), piece: 7)
                    rest = rest.dropFirst(size)
                }
                try await practice.office.pay("2026-04")
                let statement = try await practice.office.statement(OpticalPractice.code, "2026-04")
                outcomes.append(
                    try await practice.all().map {
                        "\($0.contents.reference) \($0.state) \($0.version) \($0.codes) \($0.history)"
                    }
                        + shown(statement.lines))
            }
        }
        #expect(outcomes[0] == outcomes[1])
        #expect(outcomes[0] == outcomes[2])
        #expect(outcomes[0].count > 30)
    }
}
