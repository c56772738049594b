import CaseworkContract
import CommonContract
import CqrsContract
import Foundation
import PluginAPI
import PluginTestKit
import Testing

@testable import CQRSPlugin

/// cqrs.md 8: each trigger with the text it must contain, seen by those it is for; tasks close when the state moves on.
@Suite("CQRS tasks and messages")
struct NoticeTests {
    @Test(
        "ready: amount, comparison, deadline and pay day; reminded 7, 3 and 1 days before, the supervisor too"
    )
    func ready() async throws {
        try await PracticeOffice.with { practice in
            let host = practice.office.host
            let supervisor = try await host.person(
                "sue", roles: [Role("CQRS_SUPERVISOR")], at: PracticeOffice.practice)
            try await practice.readyByHand()
            let task = try #require(try await host.tasks(of: practice.declaring).first)
            #expect(task.title == "Declare WM2526 of 2026-02-28")
            #expect(
                task.detail
                    == "195.50 pounds. There is no period before to compare with. Declare by 2026-03-24. "
                    + "It is paid on 2026-04-20.")
            #expect(task.dueOn == Pcs_Common_V1_Date(day("2026-03-24")))
            #expect(try await host.messages(of: supervisor).isEmpty)
            // 17, 21 and 23 March; nights between say nothing new.
            for (days, told) in [(1, 1), (1, 1), (3, 2), (2, 3)] {
                try await host.advance(days: days)
                // A supervisor sees the message to those who declare beside the own.
                let seen = try await host.messages(of: supervisor).count
                #expect(seen == 2 * told, "\(seen) on \(host.clock.today)")
            }
            let reminder = try #require(try await host.messages(of: practice.declaring).first)
            #expect(reminder.title == "WM2526 of 2026-02-28 is to be declared by 2026-03-24")
            #expect(
                reminder.body.contains("195.50 pounds.")
                    && reminder.body.contains("It is paid on 2026-04-20."))
            #expect(try await host.tasks(of: practice.declaring).map(\.priority) == [.urgent])
        }
    }

    @Test("the period before is compared with, once there is one")
    func comparison() async throws {
        try await PracticeOffice.with { practice in
            let host = practice.office.host
            try await practice.readyByHand()
            try await host.advance(days: 17)
            _ = try await practice.office.submissions(practice.entering).submitCounts(
                .with {
                    ($0.providerCode, $0.serviceCode) = (PracticeOffice.practice, PracticeOffice.manual)
                    $0.achievementDate = Pcs_Common_V1_Date(day("2026-03-31"))
                    $0.entries = [.with { ($0.indicatorCode, $0.field, $0.value) = ("WM001", "Count", "20") }]
                })
            _ = try await practice.office.calculate(PracticeOffice.manual, day("2026-03-31"))
            try await practice.network.nightly()
            let march = try #require(
                try await host.tasks(of: practice.declaring).first {
                    $0.title == "Declare WM2526 of 2026-03-31"
                })
            #expect(
                march.detail.hasPrefix(
                    "230.00 pounds. The period before, 2026-02-28: 195.50 pounds. Declare by 2026-04-24."))
        }
    }

    @Test(
        "declared: one task for the queue with count and value; queried: a task with the reason; both close by themselves"
    )
    func queue() async throws {
        try await PracticeOffice.with { practice in
            let host = practice.office.host
            let network = practice.network
            let ready = try await practice.readyByHand()
            _ = try await practice.declare(ready)
            #expect(try await host.tasks(of: practice.declaring).isEmpty)
            let waiting = try await host.tasks(of: network.approving)
            #expect(waiting.map(\.title) == ["Approve WM2526 of 2026-02-28"])
            #expect(waiting.map(\.detail) == ["1 declaration, 195.50 pounds"])
            _ = try await practice.declarations(network.approving).queryDeclaration(
                .with {
                    ($0.commissionerCode, $0.declarationID) = (
                        NetworkOffice.commissioner, ready.declarationID
                    )
                    $0.reason = "are all 17 from February?"
                })
            #expect(try await host.tasks(of: network.approving).isEmpty)
            let answer = try await host.tasks(of: practice.declaring)
            #expect(answer.map(\.detail) == ["are all 17 from February?"])
            // Corrected on behalf, it is calculated again overnight: the query is answered (transition 9).
            host.clock.advance(milliseconds: 1_000)
            let entry = try await host.person(
                "cora", roles: [Role("CQRS_ACHIEVEMENT_ENTRY")], at: NetworkOffice.commissioner)
            _ = try await practice.office.submissions(entry).submitCounts(
                .with {
                    ($0.providerCode, $0.serviceCode) = (PracticeOffice.practice, PracticeOffice.manual)
                    $0.achievementDate = Pcs_Common_V1_Date(PracticeOffice.february)
                    $0.reason = "two were of March"
                    $0.entries = [.with { ($0.indicatorCode, $0.field, $0.value) = ("WM001", "Count", "15") }]
                })
            try await network.nightly()
            #expect(
                try await host.tasks(of: practice.declaring).map(\.title) == ["Declare WM2526 of 2026-02-28"])
            for subject in [practice.declaring, network.approving] {
                let told = try await host.messages(of: subject).filter {
                    $0.title.contains("was recalculated")
                }
                #expect(told.map(\.body) == ["recalculated: 195.50 -> 172.50 pounds"])
            }
            #expect(try await practice.newest(PracticeOffice.manual).amountPence == 172_50)
        }
    }

    @Test(
        "finance approved, sent, refused: the provider is told with reference and date; queues are empty again"
    )
    func paid() async throws {
        try await PracticeOffice.with { practice in
            let host = practice.office.host
            let ready = try await practice.readyByHand()
            try await practice.pay(ready)
            #expect(try await host.tasks(of: practice.network.approving).isEmpty)
            #expect(try await host.tasks(of: practice.network.financing).isEmpty)
            let id = ready.declarationID + "-1"
            host.clock.advance(milliseconds: 36 * 86_400_000)
            try await practice.network.nightly()
            for (answer, reason) in [
                (Pcs_Cqrs_V1_InstructionState.acknowledged, ""), (.refused, "account closed"),
            ] {
                _ = try await practice.network.instructions().recordAgencyAnswer(
                    .with { ($0.instructionID, $0.answer, $0.reason) = (id, answer, reason) })
            }
            let told = try await host.messages(of: practice.declaring).filter {
                $0.title.hasPrefix("WM2526 of 2026-02-28 is ")
            }
            let bodies = Dictionary(uniqueKeysWithValues: told.map { ($0.title, $0.body) })
            #expect(
                bodies["WM2526 of 2026-02-28 is financially approved"]
                    == "195.50 pounds. Reference \(id), 2026-04-20. It goes to G83001.")
            #expect(bodies["WM2526 of 2026-02-28 is sent"] == "195.50 pounds. Reference \(id), 2026-04-21.")
            #expect(
                bodies["WM2526 of 2026-02-28 is refused"]
                    == "195.50 pounds. Reference \(id), 2026-04-21. account closed")
        }
    }

    @Test(
        "data loaded but incomplete: Achievement Entry has the missing indicators as n of m, until the rest comes"
    )
    func incomplete() async throws {
        try await PracticeOffice.with { practice in
            let host = practice.office.host
            func row(_ code: String) -> String {
                "TWO2526,1,\(code),TWO,payment,count,0,,,,none,,A,,,,C=Count,,,C,test,doses"
            }
            try await practice.office.define(
                service:
                    "TWO2526,1,Two counts 2025/26,2025/26,vaccination,2025-04-01,2026-03-31,monthly,monthly,automated,practice,itemOfService,none,PRACTICE,financeApprovalRequired,TWO,,C,test",
                indicator: row("TWO01") + "\r\n" + row("TWO02"),
                tariff:
                    "TWO2526,1,dose,TWO01,10.06,none,1,2025-04-01,,,C,test\r\nTWO2526,1,dose two,TWO02,10.06,none,1,2025-04-01,,,C,test"
            )
            try await practice.office.participate("TWO2526", ["G83001"], from: "20250401", to: "20260331")
            func load(_ code: String) async throws {
                _ = try await practice.office.load(
                    QualityOffice.header
                        + QualityOffice.row("TWO2526", "G83001", "20260228", code, "Count", "4"),
                    as: .indicatorValues)
            }
            try await load("TWO01")
            let open = try await host.tasks(of: practice.entering)
            #expect(open.map(\.title) == ["Figures of TWO2526 of 2026-02-28 are missing"])
            #expect(open.map(\.detail) == ["1 of 2 submitted. Missing: TWO02."])
            try await load("TWO02")
            #expect(try await host.tasks(of: practice.entering).isEmpty)
        }
    }
}
