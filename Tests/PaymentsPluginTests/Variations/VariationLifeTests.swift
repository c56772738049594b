import Accounting
import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Withdrawn, stopped and named variations, through the public door (payments.md 5.2, 5.3)")
struct VariationLifeTests {
    private func withDesk(_ body: (VariationTests.Desk) async throws -> Void) async throws {
        try await VariationTests.withDesk(body)
    }

    @Test(
        "what a frozen run pays cannot be withdrawn: the run is named; reopened with thaw, it no longer has it",
        arguments: ["LIS,winter scheme,ONEOFF,250.00,2026-03,,250.00", "PRNT,notional rent,MONTHLY,1000.00,2026-03,,"])
    func frozen(_ row: String) async throws {
        try await withDesk { desk in
            let upload = try await desk.approve(try await desk.upload("A81001,\(row),,\n"))
            let run = try await desk.office.calculate(try await desk.office.open("2026-03").runID)
            let refused = try await refusal { _ = try await desk.withdraw(upload) }
            #expect(refused.reason == PaymentsReasons.frozenRunHasIt && refused.message.contains("2026-03-1"))
            _ = try await desk.office.runs().reopenRun(
                .with { ($0.runID, $0.thaw, $0.reason) = (run.runID, true, "a variation was wrong") })
            #expect(try await desk.withdraw(upload).state == .withdrawn)
            try await desk.office.approve(try await desk.office.calculate(run.runID))
            #expect(shown(try await desk.office.statement("A81001", "2026-03").lines) == ["PMSB 10000.00"])
        }
    }

    @Test("an upload approved after its month was frozen can be withdrawn: no run has it")
    func approvedLate() async throws {
        try await withDesk { desk in
            let upload = try await desk.upload("A81001,PRNT,notional rent,MONTHLY,1000.00,2026-03,,,,\n")
            try await desk.office.pay("2026-03")
            let approved = try await desk.approve(upload)
            #expect(try await desk.withdraw(approved).state == .withdrawn)
            try await desk.office.pay("2026-04")
            let lines = try await desk.office.statement("A81001", "2026-04").lines
            #expect(!lines.contains { $0.paycode == "PRNT" })
        }
    }

    @Test("a stop is never moved to a later month")
    func stopsHold() async throws {
        try await withDesk { desk in
            _ = try await desk.approve(
                try await desk.upload("A81001,PRNT,notional rent,MONTHLY,1000.00,2026-04,,,,\n"))
            let rent = try #require(try await desk.rows().first)
            _ = try await desk.stop(rent, from: "2026-06")
            for month in ["2026-06", "2026-08"] {
                let refused = try await refusal { _ = try await desk.stop(rent, from: month) }
                #expect(refused.violations.map { "\($0.field) \($0.rule)" } == ["from_month 5.3"])
            }
            #expect(try await desk.stop(rent, from: "2026-05").stoppedFrom.month == 5)
        }
    }

    @Test("a stop comes nine working days before the payment, or with the recovery accepted")
    func stopCutOff() async throws {
        try await withDesk { desk in
            _ = try await desk.approve(
                try await desk.upload("A81001,PRNT,notional rent,MONTHLY,1000.00,2026-03,,,,\n"))
            let rent = try #require(try await desk.rows().first)
            // Paid on 31 March: in time up to 18 March.
            try await desk.office.host.advance(days: 2)
            _ = try await desk.stop(rent, from: "2026-04")
            try await desk.office.host.advance(days: 1)
            let late = try await refusal { _ = try await desk.stop(rent, from: "2026-03") }
            #expect(late.violations.map { "\($0.field) \($0.rule)" } == ["accept_recovery 2.3"])
            #expect(try await desk.stop(rent, from: "2026-03") { $0.acceptRecovery = true }.stoppedFrom.month == 3)
        }
    }

    @Test("a reader sees what the runs have made of a row, and an upload that was never submitted as discarded")
    func states() async throws {
        try await withDesk { desk in
            let upload = try await desk.approve(
                try await desk.upload(
                    "A81001,LIS,winter scheme,ONEOFF,250.00,2026-03,,250.00,,\n"
                        + "A81001,PRNT,notional rent,MONTHLY,1000.00,2026-03,,,,\n"
                        + "A81001,PSVC,service charge,MONTHLY,50.00,2026-03,2026-04,100.00,,\n"))
            #expect(upload.state == .approved)
            func states() async throws -> [Pcs_Payments_V1_VariationState] {
                try await desk.rows().filter { $0.uploadID == upload.uploadID }.sorted { $0.paycode < $1.paycode }
                    .map(\.state)
            }
            func recordPaid(_ run: Pcs_Payments_V1_Run) async throws {
                desk.office.host.clock.set(try #require(run.paymentDate.calendarDate))
                try await desk.office.recordPaid(run, total: run.netPence)
            }
            #expect(try await states() == [.approved, .approved, .approved])
            let march = try await desk.office.pay("2026-03")
            #expect(try await states() == [.scheduled, .scheduled, .scheduled])
            try await recordPaid(march)
            #expect(try await states() == [.paid, .active, .active])
            try await recordPaid(try await desk.office.pay("2026-04"))
            #expect(try await states() == [.paid, .active, .completed])
            let rent = try #require(try await desk.rows().first { $0.paycode == "PRNT" })
            _ = try await desk.stop(rent, from: "2026-05")
            #expect(try await states() == [.paid, .stopped, .completed])
            let other = try await desk.upload("A81001,LIS,spring scheme,ONEOFF,250.00,2026-05,,250.00,,\n")
            #expect(try await desk.withdraw(other).state == .discarded)
        }
    }

    @Test("columns I and J are kept, and an amount for an earlier year counts in that year")
    func namedYears() async throws {
        try await withDesk { desk in
            try await QualityPost(host: desk.office.host).aspiration("A81001", "2024/25", prior: 0, monthly: 100)
            let upload = try await desk.upload(
                "A81001,QACH,achievement found late,ONEOFF,500.00,2026-03,,500.00,,2024/25\n"
                    + "A81001,NPP,participation found late,ONEOFF,10.00,2026-03,,10.00,2025-11,2025/26\n")
            _ = try await desk.approve(upload)
            try await desk.office.pay("2026-03")
            let lines = try await desk.office.statement("A81001", "2026-03").lines.filter { $0.sourceType == "ITEM" }
            #expect(
                lines.map { "\($0.paycode) \($0.periodFrom.year)-\($0.periodFrom.month)" }.sorted() == [
                    "NPP 2025-11", "QACH 2025-3",
                ])
            let figures = Pcs_Payments_V1_QualityFiguresServiceClient(
                try await desk.office.transport(desk.office.operating))
            let year = try await figures.getQualityFigures(
                .with { ($0.practiceCode, $0.financialYear) = ("A81001", "2024/25") })
            #expect(year.paidPence == 50_000)
            let rows = try await desk.rows()
            #expect(rows.map(\.financialYear) == ["2024/25", "2025/26"])
            #expect(rows.map { "\($0.hasNppPaymentMonth) \($0.nppPaymentMonth.month)" } == ["false 0", "true 11"])
        }
    }

    @Test("the month of column I lies in the year of column J, and a monthly payment is for its own months")
    func contradictions() async throws {
        try await withDesk { desk in
            let failure = try await refusal {
                _ = try await desk.upload(
                    "A81001,NPP,x,ONEOFF,1.00,2026-03,,1.00,2025-11,2024/25\n"
                        + "A81001,NPP,y,MONTHLY,1.00,2026-03,2026-03,1.00,2025-11,2025/26\n"
                        + "A81001,QACH,x,MONTHLY,1.00,2026-03,2026-04,2.00,,2025/26\n"
                        + "A81001,QACH,y,MONTHLY,1.00,2026-03,2026-03,1.00,,2025/26\n")
            }
            #expect(
                failure.violations.map { "\($0.row) \($0.field) \($0.rule)" } == [
                    "2 nppPaymentMonth CV008", "3 nppPaymentMonth CV008", "4 nppQofFinancialYear CV008",
                ])
        }
    }

    @Test("a practice belongs to who commissions it on the first day paid, not on the day of the upload")
    func commissionedLater() async throws {
        try await VariationTests.withDesk(commissioner: "84H") { desk in
            // A81002 goes from 16C to 84H on 1 April.
            let file = String(decoding: try OpenData.read("ods/epraccur-gp-england.csv.gz"), as: UTF8.self)
            let (now, then) = ("\"16C\",\"20200401\"", "\"84H\",\"20260401\"")
            let rest = ",\"\",\"01642 618170\""
            let moved = file.replacing(now + rest, with: then + rest)
            #expect(moved != file)
            try await desk.office.host.loadOrganisations(
                Array(moved.utf8), kind: .practices, fileName: "epraccur.csv", publishedOn: try day("2026-03-10"))
            try await desk.office.loadContracts("A81002,Two,PMS,2026-02-01,,16C,Y63,,,,,,,FIXED,120000.00,,")
            let early = try await refusal {
                _ = try await desk.upload("A81002,LIS,winter scheme,ONEOFF,250.00,2026-03,,250.00,,\n")
            }
            #expect(early.violations.map(\.rule) == ["CV002"])
            let upload = try await desk.upload("A81002,LIS,winter scheme,ONEOFF,250.00,2026-04,,250.00,,\n")
            #expect(upload.rows == 1)
        }
    }

    @Test("CV012: an upload says whose next payment would be below zero")
    func belowZero() async throws {
        try await withDesk { desk in
            try await desk.office.pay("2026-03")
            let upload = try await desk.upload(
                "A81001,RECO,OVERPAYMENT of rates,ONEOFF,-10000.01,2026-04,,-10000.01,,\n")
            #expect(upload.warnings.map { "\($0.field) \($0.rule)" } == ["amount CV012"])
            let words = try #require(upload.warnings.first).message
            #expect(words.contains("A81001") && words.contains("-0.01"))
            let fits = try await desk.upload(
                "A81001,RECO,OVERPAYMENT of rates,ONEOFF,-10000.00,2026-04,,-10000.00,,\n")
            #expect(fits.warnings.isEmpty)
        }
    }
}
