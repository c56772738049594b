import Accounting
import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Notional rents through the public door (payments.md 6.3)")
struct NotionalRentTests {
    @Test("a twelfth each month, days of a part month; a determination approved late pays the differences, once")
    func wholeLife() async throws {
        try await RentDesk.with { desk in
            let rent = try await desk.approve(try RentDesk.request(.notional, "24000.50", from: "2026-03-16"))
            #expect(rent.state == .approved && rent.proposedBy == "eddie" && rent.decidedBy == "cas")
            #expect(rent.version > 0 && rent.contents.evidenceDocumentIds == ["doc-1"])
            try await desk.office.pay("2026-03")
            // 24,000.50 / 12 x 16/31, rounded once.
            #expect(try await desk.paid("2026-03") == ["1032.28"])
            let march = try await desk.explained("2026-03")
            #expect(march.rule == "6.3 notional rent" && march.replayedPence == 103_228)
            #expect(march.line.basis == "NOTIONAL_RENT/12 x 16/31" && march.line.rate == "24000.50")
            #expect(march.inputs.first?.source.contains("District Valuer North on 2026-01-05") == true)
            #expect(try ShownFigures.agrees(march.line))
            try await desk.office.pay("2026-04")
            #expect(try await desk.paid("2026-04") == ["2000.04"])
            _ = try await desk.approve(try RentDesk.request(.notional, "30000.00", from: "2026-03-16"))
            try await desk.office.pay("2026-05")
            // 1,290.32 and 2,500.00 are due.
            #expect(try await desk.paid("2026-05") == ["2500.00", "258.04 of 3", "499.96 of 4"])
            try await desk.office.pay("2026-06")
            #expect(try await desk.paid("2026-06") == ["2500.00"])
            // It ends, and nothing of it is forgotten.
            _ = try await desk.approve(
                .with {
                    ($0.practiceCode, $0.kind, $0.reason) = ("A81001", .notional, "the practice moved out")
                    $0.effectiveFrom = .with { ($0.year, $0.month, $0.day) = (2026, 7, 11) }
                })
            try await desk.office.pay("2026-07")
            #expect(try await desk.paid("2026-07") == ["806.45"])
            try await desk.office.pay("2026-08")
            #expect(try await desk.paid("2026-08") == [])
            let all = try await desk.rents()
            #expect(all.map(\.contents.annualPence) == [2_400_050, 3_000_000, 0])
            #expect(all.map { $0.hasEffectiveTo } == [true, true, false])
        }
    }

    @Test("the contract decides: no rent after its end, nor for the time of a stop")
    func contract() async throws {
        try await RentDesk.with("A81001,One,APMS,2020-04-01,2026-04-11,16C,Y63,,,,,,,FIXED,120000.00,,") { desk in
            _ = try await desk.approve(try RentDesk.request(.notional, "24000.00", from: "2026-03-01"))
            try await desk.office.pay("2026-03")
            #expect(try await desk.paid("2026-03") == ["2000.00"])
            try await desk.office.pay("2026-04")
            #expect(try await desk.paid("2026-04") == ["666.67"])
        }
        try await RentDesk.with { desk in
            try await desk.office.loadContracts(
                "A81001,One,PMS,2026-04-01,2026-04-16,16C,Y63,,,,,,,FIXED,120000.00,,Y",
                "A81001,One,PMS,2026-04-16,,16C,Y63,,,,,,,FIXED,120000.00,,")
            _ = try await desk.approve(try RentDesk.request(.notional, "24000.00", from: "2026-04-01"))
            try await desk.office.pay("2026-04")
            #expect(try await desk.paid("2026-04") == ["1000.00"])
        }
    }

    @Test("private use takes off its share above the threshold; without a threshold nothing, and the line says so")
    func privateUse() async throws {
        try await RentDesk.with { desk in
            var request = try RentDesk.request(.notional, "24000.00", from: "2026-03-01")
            request.privateUseHundredths = 1_250
            _ = try await desk.approve(request)
            try await desk.office.pay("2026-03")
            #expect(try await desk.paid("2026-03") == ["2000.00"])
            let unset = try await desk.explained("2026-03")
            #expect(unset.inputs.contains { $0.source.contains("no threshold is set") })
            try await desk.office.setRate(
                "premises_private_use_percent", "12.5", from: "2026-03-01", to: "2027-04-01", unit: .percent)
            let same = try await desk.office.calculate(try await desk.office.open("2026-04").runID)
            #expect(same.retroLines == 0)
            try await desk.office.approve(same)
            try await desk.office.setRate(
                "premises_private_use_percent", "10", from: "2026-03-01", to: "2027-04-01", unit: .percent)
            try await desk.office.pay("2026-05")
            #expect(try await desk.paid("2026-05") == ["1750.00", "-250.00 of 3", "-250.00 of 4"])
            let reduced = try await desk.explained("2026-05")
            #expect(reduced.line.basis == "PERCENT_OF_NOTIONAL_RENT/12" && reduced.line.quantity == "87.5")
            #expect(try ShownFigures.agrees(reduced.line))
            #expect(reduced.replayedPence == 175_000)
        }
    }

    @Test("every field that is wrong is named; late acceptance needs a reason; two people decide, one at a time")
    func refusals() async throws {
        try await RentDesk.with { desk in
            let broken = try await refusal {
                _ = try await desk.service(desk.editor).proposeRent(
                    .with {
                        ($0.practiceCode, $0.annualPence) = ("A81001", 1)
                        ($0.privateUseHundredths, $0.reason) = (10_001, "x")
                        $0.effectiveFrom = .with { ($0.year, $0.month, $0.day) = (2019, 1, 1) }
                    })
            }
            #expect(
                broken.violations.map(\.field) == [
                    "kind", "effective_from", "reason", "valuer", "valuer_name", "determined_on",
                    "private_use_hundredths", "evidence_document_ids",
                ])
            var late = try RentDesk.request(
                .notional, "24000.00", from: "2026-03-01", determined: "2025-12-01", accepted: "2026-02-24")
            let refused = try await refusal { _ = try await desk.service(desk.editor).proposeRent(late) }
            #expect(refused.violations.map(\.field) == ["accepted_on"])
            #expect(refused.violations.first?.message.contains("by 2026-02-23") == true)
            late.lateAcceptanceReason = "the practice was in hospital"
            let proposed = try await desk.service(desk.editor).proposeRent(late)
            #expect(proposed.contents.lateAcceptanceReason == late.lateAcceptanceReason)
            let second = try await refusal { _ = try await desk.service(desk.editor).proposeRent(late) }
            #expect(second.reason == PaymentsReasons.rentStateWrong)
            let both = try await desk.office.host.grant(
                [Roles.commissionerApprover], at: "16C", to: desk.editor)
            let own = try await refusal { try await desk.decide(proposed, as: both) }
            #expect(own.reason == HostReasons.secondPersonRequired)
            #expect(try await desk.decide(proposed, approve: false).state == .returned)
            let again = try await refusal { try await desk.decide(proposed) }
            #expect(again.reason == PaymentsReasons.rentStateWrong)
            try await desk.office.pay("2026-03")
            #expect(try await desk.paid("2026-03") == [])
            let stranger = try await desk.office.host.person(
                "eve", roles: [Roles.commissionerEditor], at: "15N")
            let denied = try await refusal {
                _ = try await desk.service(stranger).listRents(.with { $0.practiceCode = "A81001" })
            }
            #expect(denied.reason == HostReasons.organisationOutOfScope)
            // An end has nothing to value.
            var ending = try RentDesk.request(.notional, "0.00", from: "2026-03-01")
            ending.annualPence = 0
            let bare = try await refusal { _ = try await desk.service(desk.editor).proposeRent(ending) }
            #expect(bare.violations.map(\.field) == ["annual_pence"])
        }
    }

    @Test("a variation that pays the same rent stops the run, for every month that both pay")
    func paidTwice() async throws {
        try await RentDesk.with { desk in
            let area = Pcs_Payments_V1_VariationServiceClient(try await desk.office.transport(desk.editor))
            let upload = try await area.uploadVariations([
                .with {
                    ($0.commissionerCode, $0.fileName) = ("16C", "cv.csv")
                    $0.data = .init(
                        (VariationTests.header + "\nA81001,PRNTG,notional rent,MONTHLY,1000.00,2026-03,,,,\n").utf8)
                }
            ])
            _ = try await area.submitVariations(
                .with { ($0.uploadID, $0.commissionerCode) = (upload.uploadID, "16C") })
            _ = try await Pcs_Payments_V1_VariationServiceClient(try await desk.office.transport(desk.approver))
                .decideVariations(
                    .with {
                        ($0.uploadID, $0.commissionerCode, $0.approve) = (upload.uploadID, "16C", true)
                        $0.sha256 = upload.sha256
                    })
            let march = try await desk.office.pay("2026-03")
            #expect(try await desk.exceptions(march, .rentPaidTwice).isEmpty)
            let rent = try await desk.approve(try RentDesk.request(.notional, "24000.00", from: "2026-03-01"))
            let april = try await desk.office.calculate(try await desk.office.open("2026-04").runID)
            let found = try await desk.exceptions(april, .rentPaidTwice)
            #expect(found.map(\.severity) == [.blocking] && found.map(\.practiceCode) == ["A81001"])
            #expect(found.first?.message.contains("rent/\(rent.rentID) and variation") == true)
            #expect(found.first?.message.hasSuffix("notional rent for 2026-03, 2026-04") == true)
        }
    }

    @Test("a review is due three years after the determination: a warning of the run, and a list of the commissioner")
    func reviews() async throws {
        try await RentDesk.with { desk in
            let old = try await desk.approve(
                try RentDesk.request(
                    .notional, "24000.00", from: "2023-06-01", determined: "2023-04-03", accepted: "2023-05-02"))
            #expect(old.reviewDueOn == Pcs_Common_V1_Date.with { ($0.year, $0.month, $0.day) = (2026, 4, 3) })
            let march = try await desk.office.pay("2026-03")
            #expect(try await desk.exceptions(march, .rentReviewDue).isEmpty)
            func due(by text: String) async throws -> [String] {
                let day = try day(text)
                return try await desk.service(desk.approver).listRentReviews(
                    .with { ($0.commissionerCode, $0.by) = ("16C", Pcs_Common_V1_Date(day)) }
                ).rents.map(\.rentID)
            }
            #expect(try await due(by: "2026-04-02") == [])
            #expect(try await due(by: "2026-04-03") == [old.rentID])
            let april = try await desk.office.pay("2026-04")
            let found = try await desk.exceptions(april, .rentReviewDue)
            #expect(found.map(\.severity) == [.warning])
            #expect(found.first?.message.contains("by 2026-04-03") == true)
            _ = try await desk.approve(try RentDesk.request(.notional, "25000.00", from: "2026-05-01"))
            #expect(try await due(by: "2026-05-01") == [])
            let may = try await desk.office.pay("2026-05")
            #expect(try await desk.exceptions(may, .rentReviewDue).isEmpty)
        }
    }

    @Test("guaranteed use follows from the sum and the directions of the day; the bounds belong to the lower band")
    func guaranteedUse() async throws {
        try await RentDesk.with { desk in
            func years(_ amount: String, _ text: String) async throws -> [Int32] {
                let (pence, day) = (try pence(amount), try day(text))
                let use = try await desk.service(desk.claimsAdmin).getGuaranteedUse(
                    .with { ($0.sumPence, $0.on) = (pence, Pcs_Common_V1_Date(day)) })
                return [use.years, use.leastPercent, use.mostPercent]
            }
            #expect(try await years("144000.00", "2024-05-10") == [6, 0, 100])
            #expect(try await years("144000.01", "2024-05-10") == [9, 0, 100])
            #expect(try await years("1200000.01", "2026-03-01") == [18, 0, 100])
            #expect(try await years("100000.00", "2024-05-09") == [5, 33, 66])
            #expect(try await years("250000.01", "2024-05-09") == [15, 33, 66])
            let early = try await refusal { _ = try await years("1.00", "2013-03-31") }
            #expect(early.reason == PaymentsReasons.guaranteedUseMissing)
            let nothing = try await refusal { _ = try await years("0.00", "2026-03-01") }
            #expect(nothing.violations.map(\.field) == ["sum_pence"])
        }
    }
}
