import Accounting
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@testable import PaymentsPlugin

@Suite("The practice-level reimbursement scheme (payments.md 6.5, 13 C10)")
struct SchemeClaimTests {
    private struct Desk {
        let office: PaymentsOffice
        let admin: TestSubject
        let approver: TestSubject
        var code = "A81001"

        func claims(_ subject: TestSubject) async throws -> Pcs_Payments_V1_ClaimServiceClient {
            Pcs_Payments_V1_ClaimServiceClient(try await office.transport(subject))
        }

        func scheme(_ subject: TestSubject) async throws -> Pcs_Payments_V1_ReimbursementSchemeServiceClient {
            Pcs_Payments_V1_ReimbursementSchemeServiceClient(try await office.transport(subject))
        }

        func populations(_ rows: String) async throws -> Pcs_Payments_V1_SchemePopulationsLoad {
            try await scheme(office.editor).loadSchemePopulations([
                .with {
                    ($0.financialYear, $0.fileName) = ("2026/27", "adjusted.csv")
                    $0.data = Data(("practice_code,adjusted_patients\n" + rows).utf8)
                }
            ])
        }

        func putInForce(
            _ load: Pcs_Payments_V1_SchemePopulationsLoad, total: Int64? = nil, as subject: TestSubject? = nil
        )
            async throws -> Pcs_Payments_V1_SchemePopulationsLoad
        {
            try await scheme(subject ?? office.secondEditor).decideSchemePopulations(
                .with {
                    ($0.loadID, $0.approve) = (load.loadID, true)
                    $0.controlTotalHundredths = total ?? load.adjustedPatientsHundredths
                })
        }

        func allocation() async throws -> Pcs_Payments_V1_SchemeAllocation {
            try await scheme(admin).getSchemeAllocation(
                .with { ($0.practiceCode, $0.financialYear) = ("A81001", "2026/27") })
        }

        /// Extra hours in July 2026.
        func hours(
            _ hundredths: Int32, pay: Int64, insurance: Int64 = 0, pension: Int64 = 0, from text: String = "2026-07-01"
        ) throws -> Pcs_Payments_V1_ClaimContents {
            let (from, to) = (try day(text), try day("2026-07-31"))
            return .with {
                ($0.practiceCode, $0.type, $0.evidenceDocumentIds) = (code, .reimbursementScheme, ["doc-1"])
                $0.periodFrom = Pcs_Common_V1_Date(from)
                $0.periodTo = Pcs_Common_V1_Date(to)
                $0.scheme = .with {
                    ($0.gmcNumber, $0.sessions) = ("1234567", 6)
                    $0.extraHours = [
                        .with {
                            ($0.from, $0.hoursHundredths, $0.payPence) = (
                                Pcs_Common_V1_Date(from), hundredths, pay
                            )
                            ($0.employerNiPence, $0.pensionPence) = (insurance, pension)
                        }
                    ]
                }
            }
        }

        /// One month of a new doctor.
        func month(_ number: Int32, cost: Int64, sessions: Int32 = 9) throws -> Pcs_Payments_V1_ClaimContents {
            var contents = try hours(100, pay: 1)
            (contents.scheme.extraHours, contents.scheme.sessions) = ([], sessions)
            (contents.periodFrom.month, contents.periodTo.month) = (number, number)
            contents.scheme.newDoctor = [
                .with { ($0.month, $0.costPence) = (Pcs_Common_V1_Month(year: 2026, month: Int(number)), cost) }
            ]
            return contents
        }

        func preview(_ claim: Pcs_Payments_V1_Claim) async throws -> Pcs_Payments_V1_ClaimAssessment {
            try await claims(admin).previewClaim(
                .with { ($0.claimID, $0.practiceCode) = (claim.claimID, code) })
        }

        func submit(_ contents: Pcs_Payments_V1_ClaimContents) async throws -> Pcs_Payments_V1_Claim {
            let draft = try await claims(admin).createClaim(.with { $0.claim = contents })
            return try await claims(admin).submitClaim(
                .with { ($0.claimID, $0.practiceCode) = (draft.claimID, code) })
        }

        func approve(_ claim: Pcs_Payments_V1_Claim) async throws -> Pcs_Payments_V1_Claim {
            try await claims(approver).decideClaim(
                .with {
                    ($0.claimID, $0.practiceCode, $0.version) = (claim.claimID, code, claim.version)
                    ($0.decision, $0.reason) = (.approve, "checked")
                })
        }

        /// The hourly cap for all claims of the year from a day on.
        func propose(cap: String, from: String) async throws -> Pcs_Payments_V1_RateSet {
            let (from, to) = (try day(from), try day("2027-04-01"))
            return try await office.rates().proposeRates([
                .with {
                    $0.reason = "hourly cap"
                    $0.rates = [
                        .with {
                            ($0.name, $0.value, $0.unit) = ("scheme_hourly_cap", cap, .pounds)
                            $0.effectiveFrom = Pcs_Common_V1_Date(from)
                            $0.effectiveTo = Pcs_Common_V1_Date(to)
                            ($0.grade, $0.source) = ("P", "test")
                        }
                    ]
                }
            ])
        }

        func put(_ set: Pcs_Payments_V1_RateSet) async throws {
            _ = try await office.rates(office.secondEditor).approveRates(
                .with { ($0.setID, $0.approve) = (set.setID, true) })
        }
    }

    private func withDesk(
        adjusted: String = "9800.00", code: String = "A81001", commissioner: String = "16C",
        terms: String = "APMS,2026-04-01,2028-04-01,16C,Y63,,,,,,,FIXED,120000.00,,",
        _ body: (Desk) async throws -> Void
    ) async throws {
        let today = try day("2026-08-20")
        try await PaymentsOffice.with(clock: ManualClock(today)) { office in
            try await office.host.loadOrganisations()
            try await office.loadContracts("\(code),One,\(terms)")
            let desk = Desk(
                office: office,
                admin: try await office.host.person("ann", roles: [Roles.practiceClaimsAdmin], at: code),
                approver: try await office.host.person("cas", roles: [Roles.commissionerApprover], at: commissioner),
                code: code)
            if !adjusted.isEmpty {
                _ = try await desk.putInForce(try await desk.populations("\(code),\(adjusted)\n"))
            }
            try await body(desk)
        }
    }

    @Test("E18: allocation 44,786.00; 36 extra hours at the corrected cap are 2,822.76")
    func e18() async throws {
        try await withDesk { desk in
            #expect(try await desk.allocation().allocationPence == 4_478_600)
            let claim = try await desk.approve(try await desk.submit(try desk.hours(3_600, pay: 400_000)))
            #expect(claim.state == .adjusted && claim.approvedPence == 282_276 && claim.paycode == "GPRSA")
            #expect(claim.reason.contains("checked"))
            for month in ["2026-04", "2026-05", "2026-06", "2026-07"] { try await desk.office.pay(month) }
            let line = try #require(try await desk.office.statement("A81001", "2026-07").lines.last)
            #expect(shown([line]) == ["GPRS 2822.76"])
            #expect("\(line.quantity) x \(line.rate) \(line.basis)" == "36 x 78.41 HOURS")
            let explained = try await desk.office.statements().explainLine(
                .with { ($0.practiceCode, $0.runID, $0.lineNumber) = ("A81001", "2026-07-1", 2) })
            #expect(explained.replayedPence == 282_276)
            let left = try await desk.allocation()
            #expect(left.approvedPence == 282_276 && left.remainingPence == 4_478_600 - 282_276)
        }
    }

    @Test(
        "E18 and C10: the correction of the cap lists the claim paid by the old one with a difference of 439.20"
    )
    func c10() async throws {
        try await withDesk { desk in
            // As it stood before the correction.
            try await desk.put(try await desk.propose(cap: "90.61", from: "2026-06-25"))
            let claim = try await desk.approve(try await desk.submit(try desk.hours(3_600, pay: 400_000)))
            #expect(claim.approvedPence == 326_196)
            let correction = try await desk.propose(cap: "78.41", from: "2026-06-25")
            // Approved, but in no run yet: nothing is paid, so nothing is affected.
            let nothing = try await desk.office.rates().previewRates(.with { $0.setID = correction.setID })
            #expect(
                nothing.lineCount == 0 && nothing.months.isEmpty && nothing.payees == 0
                    && nothing.deltaPence == 0)
            for month in ["2026-04", "2026-05", "2026-06", "2026-07"] { try await desk.office.pay(month) }
            let impact = try await desk.office.rates().previewRates(.with { $0.setID = correction.setID })
            #expect(impact.lineCount == 1 && impact.payees == 1)
            let line = try #require(impact.lines.first)
            #expect(line.claimID == claim.claimID && line.payeeCode == "A81001" && line.paycode == "GPRS")
            #expect((line.oldPence, line.newPence, line.deltaPence) == (326_196, 282_276, -43_920))
            #expect(impact.months.map { "\($0.month.month) \($0.deltaPence)" } == ["7 -43920"])
            #expect(impact.oldPence == 326_196 && impact.newPence == 282_276)
            // Only from 1 August on: the hours of July stay as they were paid.
            let later = try await desk.propose(cap: "78.41", from: "2026-08-01")
            #expect(
                try await desk.office.rates().previewRates(.with { $0.setID = later.setID }).lineCount == 0)
            try await desk.put(correction)
            let decided = try await refusal {
                _ = try await desk.office.rates().previewRates(.with { $0.setID = correction.setID })
            }
            #expect(decided.reason == PaymentsReasons.alreadyDecided)
            let recovered = try await desk.claims(desk.approver).recoverClaim(
                .with {
                    ($0.claimID, $0.practiceCode, $0.amountPence) = (claim.claimID, "A81001", 43_920)
                    ($0.months, $0.reason, $0.note) = (1, .wrongRate, "cap corrected from 25 June")
                })
            #expect(recovered.recoveredPence == 43_920)
        }
    }

    @Test("C10 for any rate: a price is previewed by payee and month, and the next run pays exactly that")
    func anyRate() async throws {
        try await withDesk { desk in
            try await desk.office.loadContracts(
                "A81002,Two,GMS,2026-04-01,,16C,Y63,,Y,,,,,,,,",
                "A81003,Three,GMS,2026-04-01,,16C,Y63,,,,,,,,,,")
            try await desk.office.loadLists("2026-04-01", "A81002,1000,1000.00,0", "A81003,2000,2000.00,0")
            func price(_ value: String) async throws -> Pcs_Payments_V1_RateSet {
                let (from, to) = (try day("2026-05-01"), try day("2027-04-01"))
                return try await desk.office.rates().proposeRates([
                    .with {
                        $0.reason = "award"
                        $0.rates = [
                            .with {
                                ($0.name, $0.value, $0.unit) = ("global_sum_price", value, .pounds)
                                $0.effectiveFrom = Pcs_Common_V1_Date(from)
                                $0.effectiveTo = Pcs_Common_V1_Date(to)
                                ($0.grade, $0.source) = ("P", "test")
                            }
                        ]
                    }
                ])
            }
            let before = try await price("142.07")
            let early = try await desk.office.rates().previewRates(.with { $0.setID = before.setID })
            #expect(early.lineCount == 0)
            for month in ["2026-04", "2026-05", "2026-06"] { try await desk.office.pay(month) }
            let award = try await price("142.07")
            let impact = try await desk.office.rates().previewRates(
                .with { ($0.setID, $0.limit) = (award.setID, 2) })
            // 12.00 more a year: 1,000.00 and 2,000.00 a month, less 4.70 % of the first.
            #expect(impact.lines.count == 2 && impact.lineCount == 6 && impact.payees == 2)
            #expect(
                impact.months.map { "\($0.month.month) \($0.lines) \($0.deltaPence)" } == [
                    "5 3 295300", "6 3 295300",
                ])
            try await desk.put(award)
            try await desk.office.loadLists("2026-07-01", "A81002,1000,1000.00,0", "A81003,2000,2000.00,0")
            let run = try await desk.office.calculate(try await desk.office.open("2026-07").runID)
            #expect(run.retroPence == impact.deltaPence)
        }
    }

    @Test(
        "the lower of cost and cap: employer National Insurance up to 15 %, a new doctor by months and sessions"
    )
    func lowerOf() async throws {
        try await withDesk { desk in
            // 10 hours at 50.00, insurance of 15 % and nothing more, pension 20.00: below the cap of 784.10.
            let cheap = try await desk.approve(
                try await desk.submit(try desk.hours(1_000, pay: 50_000, insurance: 7_500, pension: 2_000)))
            #expect(cheap.state == .approved && cheap.approvedPence == 59_500)
            let over = try await desk.submit(
                try desk.hours(1_000, pay: 50_000, insurance: 9_000, pension: 2_000, from: "2026-07-06"))
            let preview = try await desk.claims(desk.admin).previewClaim(
                .with { ($0.claimID, $0.practiceCode) = (over.claimID, "A81001") })
            #expect(preview.payablePence == 59_500 && preview.parts.map(\.reduction) == ["EMPLOYER_NI"])
            #expect(preview.parts[0].rule.hasPrefix("payments.md 6.5"))
            var contents = try desk.hours(100, pay: 1)
            contents.scheme.extraHours = []
            contents.scheme.newDoctor = [
                .with { ($0.month, $0.costPence) = (Pcs_Common_V1_Month(year: 2026, month: 7), 900_000) }
            ]
            let doctor = try await desk.approve(try await desk.submit(contents))
            // 152,900 / 12 x 6/9.
            #expect(doctor.approvedPence == 849_444)
        }
    }

    @Test("hours before 25 June have the cap first published, hours from that day on the corrected one")
    func withinAMonth() throws {
        let hours = [("2026-06-24", 100), ("2026-06-25", 100)].map { text, hundredths in
            ClaimedScheme.Hours(
                from: CalendarDate(iso8601: text) ?? CalendarDate(daysSince1970: 0),
                hundredths: Int64(hundredths),
                payPence: 20_000, employerNIPence: 0, pensionPence: 0)
        }
        let assessment = SchemeAssessment(
            claim: ClaimedScheme(gmcNumber: "1234567", sessions: 6, hours: hours, months: []), isInLondon: { _ in false },
            remainingPence: 1_000_000, approved: [],
            rates: RateTable(try World().rates))
        #expect(try assessment.parts().map(\.payablePence) == [9_061, 7_841])
        let month = ClaimedScheme.Month(month: try month("2026-07"), costPence: 5_000_000)
        let london = SchemeAssessment(
            claim: ClaimedScheme(gmcNumber: "1234567", sessions: 9, hours: [], months: [month]), isInLondon: { _ in true },
            remainingPence: 2_000_000, approved: [],
            rates: RateTable(try World().rates))
        #expect(try london.parts().map(\.payablePence) == [1_297_483])
    }

    @Test("nothing is paid beyond the allocation; without one in force a claim cannot be assessed")
    func allocationEnds() async throws {
        try await withDesk(adjusted: "") { desk in
            let claim = try await desk.submit(try desk.hours(3_600, pay: 400_000))
            let unknown = try await refusal { _ = try await desk.approve(claim) }
            #expect(unknown.reason == PaymentsReasons.schemePopulationMissing)
            let load = try await desk.populations("A81001,100.00\n")
            let own = try await refusal { _ = try await desk.putInForce(load, as: desk.office.editor) }
            #expect(own.reason == HostReasons.secondPersonRequired)
            let wrong = try await refusal { _ = try await desk.putInForce(load, total: 1) }
            #expect(wrong.reason == PaymentsReasons.controlTotalMismatch)
            #expect(try await desk.putInForce(load).state == "APPROVED")
            #expect(try await desk.populations("A81001,100.00\n").alreadyLoaded)
            let first = try await desk.approve(claim)
            #expect(first.approvedPence == 45_700)
            let second = try await desk.submit(try desk.hours(100, pay: 10_000, from: "2026-07-06"))
            let preview = try await desk.claims(desk.admin).previewClaim(
                .with { ($0.claimID, $0.practiceCode) = (second.claimID, "A81001") })
            #expect(preview.payablePence == 0 && preview.parts.map(\.reduction) == ["ALLOCATION"])
        }
    }

    @Test("what is approved for a doctor's month, or for hours from one day, is taken off its cap in the next claim")
    func oneCap() async throws {
        try await withDesk { desk in
            let month = try await desk.approve(try await desk.submit(try desk.month(7, cost: 700_000, sessions: 6)))
            #expect(month.approvedPence == 700_000)
            // 152,900 / 12 x 6/9 = 8,494.44.
            let rest = try await desk.preview(try await desk.submit(try desk.month(7, cost: 700_000, sessions: 6)))
            #expect(rest.payablePence == 149_444 && rest.parts.map(\.reduction) == ["ALREADY_APPROVED"])
            #expect(rest.parts[0].rule.hasPrefix("payments.md 6.5") && rest.parts[0].rule.contains(month.claimID))
            let other = try await desk.preview(try await desk.submit(try desk.month(8, cost: 700_000, sessions: 6)))
            #expect(other.payablePence == 700_000)
            let hours = try await desk.approve(try await desk.submit(try desk.hours(1_000, pay: 60_000)))
            #expect(hours.approvedPence == 60_000)
            let twice = try await desk.preview(try await desk.submit(try desk.hours(1_000, pay: 60_000)))
            #expect(twice.payablePence == 78_410 - 60_000 && twice.parts.map(\.reduction) == ["ALREADY_APPROVED"])
            let later = try await desk.submit(try desk.hours(1_000, pay: 60_000, from: "2026-07-06"))
            #expect(try await desk.preview(later).payablePence == 60_000)
        }
    }

    @Test("a corrected cap is looked at claim by claim in the order in which they were approved")
    func correctedAcrossClaims() async throws {
        try await withDesk { desk in
            let first = try await desk.approve(try await desk.submit(try desk.hours(1_000, pay: 60_000)))
            let second = try await desk.approve(try await desk.submit(try desk.hours(1_000, pay: 60_000)))
            #expect((first.approvedPence, second.approvedPence) == (60_000, 18_410))
            for month in ["2026-04", "2026-05", "2026-06", "2026-07"] { try await desk.office.pay(month) }
            let set = try await desk.propose(cap: "70.00", from: "2026-06-25")
            let impact = try await desk.office.rates().previewRates(.with { $0.setID = set.setID })
            #expect(impact.lines.map(\.claimID) == [second.claimID])
            #expect(impact.lines.map(\.newPence) == [10_000])
        }
    }

    @Test("the London cap is for practices that lie in London, whatever their contract and whom they count")
    func london() async throws {
        try await withDesk(
            code: "E84002", commissioner: "W2U3Z", terms: "PMS,2026-04-01,,W2U3Z,,,,,,,,FIXED,120000.00,,"
        ) { desk in
            let claim = try await desk.submit(try desk.month(7, cost: 5_000_000))
            let part = try #require(try await desk.preview(claim).parts.first)
            #expect(part.payablePence == 1_297_483 && part.rule.contains("London"))
        }
        try await withDesk(terms: "GMS,2026-04-01,,16C,Y63,,Y,,,,COUNTED,,,,") { desk in
            let claim = try await desk.submit(try desk.month(7, cost: 5_000_000))
            #expect(try await desk.preview(claim).payablePence == 1_274_167)
        }
    }

    @Test("every fault of a claim and of a file of populations is listed")
    func faults() async throws {
        try await withDesk { desk in
            var contents = try desk.hours(0, pay: 0, insurance: -1)
            (contents.scheme.gmcNumber, contents.scheme.sessions) = ("12345", 9)
            contents.periodTo = Pcs_Common_V1_Date.with { ($0.year, $0.month, $0.day) = (2027, 4, 1) }
            let draft = try await desk.claims(desk.admin).createClaim(.with { $0.claim = contents })
            #expect(
                draft.missing.map(\.field) == [
                    "claim.scheme.gmc_number", "claim.period_to", "claim.scheme.sessions",
                    "claim.scheme.extra_hours[0].hours_hundredths", "claim.scheme.extra_hours[0].pay_pence",
                    "claim.scheme.extra_hours[0].employer_ni_pence",
                ])
            let file = try await refusal {
                _ = try await desk.populations("A81001,1.234\nA81001,1\nA81009,1\nX,-1\n")
            }
            #expect(
                file.violations.map { "\($0.row) \($0.rule)" } == [
                    "2 SCP02", "3 SCP01", "4 SCP01", "5 SCP01", "5 SCP02",
                ])
        }
    }
}
