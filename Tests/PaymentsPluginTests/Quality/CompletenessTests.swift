import Accounting
import CommonContract
import CqrsContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@testable import PaymentsPlugin

/// A run is stopped when something that should be in it is not, or looks as it never should (payments.md 12.1, 13).
@Suite("Completeness of a run")
struct CompletenessTests {
    private let practices = ["A81001", "A81002", "A81004"]

    private func office(_ body: (PaymentsOffice, QualityPost) async throws -> Void) async throws {
        try await PaymentsOffice.with { office in
            for code in practices {
                try await office.loadContracts(
                    "\(code),Practice \(code),PMS,2027-05-01,,16C,Y63,,,,,,,FIXED,120000.00,,")
            }
            try await office.pay("2027-05")
            try await body(office, QualityPost(host: office.host))
        }
    }

    private func missing(_ office: PaymentsOffice, _ run: Pcs_Payments_V1_Run) async throws -> [String] {
        try await office.exceptions(run.runID).filter { $0.kind == .expectedMissing }.map {
            "\($0.practiceCode) \($0.practiceName): \($0.message)"
        }
    }

    private func approve(_ post: QualityPost, instructing: [String]) async throws {
        for (index, code) in practices.enumerated() {
            try await post.approve(QualityPost.achievement("D\(index)", code, pence: 150_000))
            guard instructing.contains(code) else { continue }
            try await post.instruct(QualityPost.instruction("D\(index)-1", "D\(index)", code, pence: 150_000))
        }
    }

    @Test("C4: one message removed, and the June run is stopped with the practice named; with it, it goes on")
    func oneMessageRemoved() async throws {
        try await office { office, post in
            try await approve(post, instructing: ["A81001", "A81004"])
            let run = try await office.calculate(try await office.open("2027-06").runID)
            #expect(
                try await missing(office, run) == [
                    "A81002 Practice A81002: QOF2627: 1500.00 pounds are approved and no instruction to pay them came"
                ])
            let stopped = try await refusal {
                _ = try await office.runs().reviewRun(
                    .with { ($0.runID, $0.calculation) = (run.runID, run.calculation) })
            }
            #expect(stopped.reason == PaymentsReasons.exceptionsOpen)
            // The message comes; the run lets go of what it had frozen.
            try await post.instruct(QualityPost.instruction("D1-1", "D1", "A81002", pence: 150_000))
            _ = try await office.runs().reopenRun(
                .with { ($0.runID, $0.thaw, $0.reason) = (run.runID, true, "the message came") })
            let whole = try await office.calculate(run.runID)
            #expect(try await missing(office, whole).isEmpty)
            try await office.approve(whole)
            for code in practices {
                #expect(
                    shown(try await office.statement(code, "2027-06").lines) == [
                        "PMSB 10000.00", "QACH 1500.00",
                    ])
            }
            // Paid: the next run expects nothing more.
            let july = try await office.calculate(try await office.open("2027-07").runID)
            #expect(try await missing(office, july).isEmpty)
        }
    }

    @Test(
        "C4: an instruction that the run does not pay because payments are stopped is named; a recalled one is not"
    )
    func notPaid() async throws {
        try await office { office, post in
            try await approve(post, instructing: practices)
            try await post.recall("D2-1")
            try await office.loadContracts(
                "A81001,Practice A81001,PMS,2027-06-01,,16C,Y63,,,,,,,FIXED,120000.00,,Y")
            let run = try await office.calculate(try await office.open("2027-06").runID)
            #expect(
                try await missing(office, run) == [
                    "A81001 Practice A81001: QOF2627: 1500.00 pounds are instructed and not in the run"
                ])
        }
    }

    @Test("C4: what is released after the run's month, or amounts to nothing, is not expected")
    func later() async throws {
        try await office { office, post in
            try await post.approve(
                QualityPost.achievement("D1", "A81001", pence: 150_000, release: "2027-07-02"))
            try await post.approve(QualityPost.achievement("D2", "A81002", pence: 0))
            let run = try await office.calculate(try await office.open("2027-06").runID)
            #expect(try await missing(office, run).isEmpty)
        }
    }

    @Test(
        "a GMS practice without a global sum, and a payee that was paid last month and is not now, stop the run"
    )
    func vanished() async throws {
        try await office { office, _ in
            try await office.loadContracts("A81006,No list,GMS,2027-06-01,,16C,Y63,,Y,,,,,,,,")
            try await office.loadContracts(
                "A81002,Practice A81002,PMS,2027-05-01,2027-06-01,16C,Y63,,,,,,,FIXED,120000.00,,")
            let run = try await office.calculate(try await office.open("2027-06").runID)
            let found = try await office.exceptions(run.runID, openOnly: true)
            #expect(found.contains { $0.practiceCode == "A81006" && $0.kind == .noCapitation })
            let gone = try #require(found.first { $0.practiceCode == "A81002" && $0.kind == .netChange })
            #expect((gone.beforePence, gone.nowPence) == (1_000_000, 0))
        }
    }

    private func propose(_ office: PaymentsOffice, _ rows: String) async throws -> Pcs_Payments_V1_RateSet {
        let text = "paycode,effective_from,effective_to,minimum,maximum,grade,source,note\n" + rows
        return try await office.rates().proposeRates([
            .with {
                ($0.kind, $0.fileName, $0.reason) = (.amountBounds, "bounds.csv", "for a test")
                $0.data = Data(text.utf8)
            }
        ])
    }

    @Test(
        "an amount outside the bounds of its paycode stops the run; the bounds are proposed and approved by two people"
    )
    func bounds() async throws {
        try await office { office, _ in
            let set = try await propose(office, "PMSB,2027-06-01,,0.00,9999.99,X,test,\n")
            #expect(set.kind == .amountBounds && set.rows == 1)
            let same = try await refusal {
                _ = try await office.rates(office.editor).approveRates(
                    .with { ($0.setID, $0.approve) = (set.setID, true) })
            }
            #expect(same.reason == HostReasons.secondPersonRequired)
            let run = try await office.calculate(try await office.open("2027-06").runID)
            #expect(try await office.exceptions(run.runID).filter { $0.kind == .amountOutOfBounds }.isEmpty)
            _ = try await office.rates(office.secondEditor).approveRates(
                .with { ($0.setID, $0.approve) = (set.setID, true) })
            _ = try await office.runs().reopenRun(
                .with { ($0.runID, $0.thaw, $0.reason) = (run.runID, true, "bounds approved") })
            let again = try await office.calculate(run.runID)
            let found = try await office.exceptions(again.runID, openOnly: true).filter {
                $0.kind == .amountOutOfBounds
            }
            #expect(found.map(\.practiceCode) == practices)
            #expect(found.first?.message == "10000.00 for 2027-06 lies outside 0.00 to 9999.99 (test X)")
            #expect(found.first?.paycode == "PMSB")
        }
    }

    @Test("every paycode but balances has bounds, in every month since 2013, that say how they were found")
    func everyPaycode() throws {
        let bounds = AmountBoundFile.read(PackageResources.amount_bounds_csv).rows
        for paycode in Paycode.allCases where paycode != .balanceForward {
            for text in ["2013-04-01", "2020-01-01", "2027-03-01"] {
                let day = try day(text)
                let found = bounds.filter { $0.paycode == paycode && $0.contains(day) }
                #expect(found.count == 1, "\(paycode.code) \(text)")
                #expect(found.allSatisfy { !$0.note.isEmpty && $0.grade == "X" }, "\(paycode.code)")
            }
        }
    }

    @Test("faults of a file of bounds are listed together")
    func badBounds() async throws {
        try await office { office, _ in
            let refused = try await refusal {
                _ = try await propose(
                    office,
                    "NOPE,2027-06-01,,0.00,1.00,X,test,\nGSUM,2027-06-01,2027-06-01,1,x,Z,test,\n"
                        + "QACH,2027-04-01,,5.00,1.00,X,test,\nQASP,2027-04-01,,0.00,1.00,X,test,\n"
                        + "QASP,2027-05-01,,0.00,1.00,X,test,\n")
            }
            #expect(
                refused.violations.map { "\($0.row) \($0.field) \($0.rule)" } == [
                    "2 paycode REF10", "3 effective_to REF02", "3 maximum REF10", "3 grade REF05",
                    "4 maximum REF10", "6 effective_from REF10",
                ])
        }
    }
}
