import Accounting
import CommonContract
import HostContract
import PaymentsContract
import PensionsContract
import PluginAPI
import PluginTestKit
import SwiftProtobuf
import Testing

@testable import PaymentsPlugin

@Suite("Superannuation contributions, from pensions' events to its answers (payments.md 9.7)")
struct ContributionTests {
    private struct Desk {
        let office: PaymentsOffice

        func publish(_ event: some Message & Sendable, key: String = "M1") async throws {
            try await office.host.store(of: "pensions").write(actor: "test") {
                try $0.publish(event, key: key)
            }
            try await office.host.eventsDelivered()
        }

        func due(
            _ id: String, _ pence: Int64, _ period: (Int32, Int32) = (2026, 4),
            _ kind: Pcs_Pensions_V1_ContributionKind = .employee
        ) async throws {
            try await publish(
                Pcs_Pensions_V1_ContributionDue.with {
                    ($0.contributionID, $0.practiceCode, $0.memberRef) = (id, "A81001", "M1")
                    ($0.kind, $0.amountPence, $0.reason) = (kind, pence, "estimate 2026/27")
                    $0.period = .with { ($0.year, $0.month) = period }
                })
        }

        func left(_ text: String) async throws {
            let day = try day(text)
            try await publish(
                Pcs_Pensions_V1_MemberLeft.with {
                    ($0.memberRef, $0.practiceCode, $0.reason) = ("M1", "A81001", "leaver form")
                    $0.lastDay = Pcs_Common_V1_Date(day)
                })
        }

        /// "E1 DEDUCTED 2026-04-1"
        func listed(run: String = "") async throws -> [String] {
            let service = Pcs_Payments_V1_DeductionServiceClient(try await office.transport(office.operating))
            var found: [String] = []
            for try await contribution in try await service.listContributions(
                .with { ($0.practiceCode, $0.runID) = ("A81001", run) })
            {
                #expect(contribution.memberRef == "M1")
                let words = [
                    "\(contribution.contributionID)", "\(contribution.state)", contribution.code,
                    contribution.runID,
                ]
                found.append(words.filter { !$0.isEmpty }.joined(separator: " "))
            }
            return found
        }

        func answers() async throws -> [String] {
            try await office.host.eventsDelivered()
            return try office.host.store(of: "pensions").read { reader in
                try reader.all(PensionsArea.answers) { $0.text(0) }
            }
        }

        /// Lines of superannuation on the practice's statement.
        func lines(_ month: String) async throws -> [String] {
            let lines = try await office.statement("A81001", month).lines
            return shown(lines.filter { $0.paycode.hasPrefix("SP") })
        }
    }

    private func withDesk(_ body: (Desk) async throws -> Void) async throws {
        try await PaymentsOffice.with(others: [PensionsArea.self]) { office in
            try await office.host.loadOrganisations()
            try await office.loadContracts("A81001,One,PMS,2026-02-01,,16C,Y63,,,,,,,FIXED,120000.00,,")
            try await body(Desk(office: office))
        }
    }

    @Test("each contribution is one line, once, and the answer says which line deducted how much")
    func deducted() async throws {
        try await withDesk { desk in
            try await desk.due("E1", 53_500)
            try await desk.due("R1", 71_900, (2026, 4), .employer)
            try await desk.due("A1", 32_000, (2026, 4), .addedYears)
            try await desk.due("V1", 10_000, (2026, 4), .additionalVoluntary)
            try await desk.due("E1", 53_500)
            try await desk.due("F1", -28_533, (2026, 3))
            try await desk.office.pay("2026-04")
            #expect(
                try await desk.lines("2026-04") == [
                    "SPEE -535.00", "SPER -719.00", "SPAY -320.00", "SPAY -100.00", "SPEE 285.33",
                ])
            let lines = try await desk.office.statement("A81001", "2026-04").lines
            let number = try #require(lines.first { $0.paycode == "SPEE" }).lineNumber
            #expect(
                try await desk.answers() == [
                    "2026-04-1/A81001/\(number) E1 53500", "2026-04-1/A81001/\(number + 1) R1 71900",
                    "2026-04-1/A81001/\(number + 2) A1 32000", "2026-04-1/A81001/\(number + 3) V1 10000",
                    "2026-04-1/A81001/\(number + 4) F1 -28533",
                ])
            #expect(lines.filter { $0.paycode == "SPAY" }.map(\.basis) == ["ADDED_YEARS", "AVC"])
            #expect(try await desk.listed(run: "2026-04-1").count == 5)
            #expect(try await desk.listed().first == "F1 deducted 2026-04-1")
            try await desk.office.pay("2026-05")
            #expect(try await desk.lines("2026-05").isEmpty)
        }
    }

    @Test(
        "C7: a deduction for a month after the member left is refused with PEN410, whichever came first, and is seen"
    )
    func leaver() async throws {
        try await withDesk { desk in
            try await desk.due("E4", 25_000)
            try await desk.due("E5", 53_500, (2026, 5))
            try await desk.left("2026-04-14")
            try await desk.due("E6", 53_500, (2026, 6))
            // What gives money back is not refused.
            try await desk.due("F5", -1_000, (2026, 5))
            #expect(try await desk.answers() == ["PEN410 E5", "PEN410 E6"])
            #expect(
                try await desk.listed() == [
                    "E4 waiting", "E5 refused PEN410", "F5 waiting", "E6 refused PEN410",
                ])
            for month in ["2026-04", "2026-05", "2026-06"] { try await desk.office.pay(month) }
            #expect(try await desk.lines("2026-04") == ["SPEE -250.00"])
            #expect(try await desk.lines("2026-05") == ["SPEE 10.00"])
            #expect(try await desk.lines("2026-06").isEmpty)
        }
    }

    @Test("a member who stayed after all is deducted again, by contributions of their own")
    func stayed() async throws {
        try await withDesk { desk in
            try await desk.left("2026-03-31")
            try await desk.due("E4", 53_500)
            try await desk.publish(
                Pcs_Pensions_V1_MemberStayed.with {
                    ($0.memberRef, $0.practiceCode, $0.reason) = ("M1", "A81001", "form of another doctor")
                })
            try await desk.due("E4B", 53_500)
            try await desk.office.pay("2026-04")
            #expect(try await desk.lines("2026-04") == ["SPEE -535.00"])
            #expect(try await desk.listed() == ["E4 refused PEN410", "E4B deducted 2026-04-1"])
        }
    }

    @Test("a run frozen before the leaving is known deducts, and the next one gives back")
    func frozen() async throws {
        try await withDesk { desk in
            try await desk.due("E5", 53_500, (2026, 5))
            try await desk.office.pay("2026-04")
            let run = try await desk.office.calculate(try await desk.office.open("2026-05").runID)
            try await desk.left("2026-04-30")
            // The same snapshot gives the same run.
            let again = try await desk.office.calculate(run.runID)
            #expect(again.statementsSha256 == run.statementsSha256)
            try await desk.office.approve(again)
            #expect(try await desk.lines("2026-05") == ["SPEE -535.00"])
            try await desk.office.pay("2026-06")
            #expect(try await desk.lines("2026-06") == ["SPEE 535.00"])
            #expect(try await desk.listed() == ["E5 givenBack PEN410 2026-05-1"])
            let amounts = try await desk.answers().map {
                $0.split(separator: " ").last.map(String.init) ?? ""
            }
            #expect(amounts == ["E5", "53500", "-53500"])
        }
    }

    @Test("withdrawn before a run, nothing is deducted; afterwards it is given back, once")
    func withdrawn() async throws {
        try await withDesk { desk in
            try await desk.due("E4", 53_500)
            try await desk.due("R4", 71_900, (2026, 4), .employer)
            func withdraw(_ id: String) async throws {
                try await desk.publish(
                    Pcs_Pensions_V1_ContributionWithdrawn.with {
                        ($0.contributionID, $0.memberRef, $0.reason) = (id, "M1", "twice")
                    })
            }
            try await withdraw("E4")
            try await desk.office.pay("2026-04")
            #expect(try await desk.lines("2026-04") == ["SPER -719.00"])
            try await withdraw("R4")
            try await withdraw("R4")
            try await desk.office.pay("2026-05")
            #expect(try await desk.lines("2026-05") == ["SPER 719.00"])
            #expect(try await desk.listed() == ["E4 withdrawn", "R4 givenBack 2026-04-1"])
        }
    }

    @Test("what cannot be read, or says otherwise under a known id, is parked and deducts nothing")
    func unreadable() async throws {
        try await TestHost.with([PaymentsPlugin.self]) { host in
            // Pensions is not in this house: its events wait, and nothing else does.
            try await host.eventsDelivered()
            let sound = Pcs_Pensions_V1_ContributionDue.with {
                ($0.contributionID, $0.practiceCode, $0.memberRef) = ("E1", "A81001", "M1")
                ($0.kind, $0.amountPence) = (.employee, 100)
                $0.period = .with { ($0.year, $0.month) = (2026, 4) }
            }
            let changes: [@Sendable (inout Pcs_Pensions_V1_ContributionDue) -> Void] = [
                { $0.contributionID = "" }, { $0.practiceCode = "?" }, { $0.memberRef = "" },
                { $0.kind = .unspecified }, { $0.clearPeriod() }, { $0.period.month = 13 },
            ]
            for change in changes {
                var event = sound
                change(&event)
                let broken = event
                await #expect(throws: PensionEvents.Unreadable.self) {
                    try await host.store(of: "payments").write(actor: "pensions") {
                        try PensionEvents.due(broken, $0)
                    }
                }
            }
            var other = sound
            other.amountPence = 101
            let changed = other
            await #expect(throws: PensionEvents.Unreadable.self) {
                try await host.store(of: "payments").write(actor: "pensions") {
                    try PensionEvents.due(sound, $0)
                    try PensionEvents.due(changed, $0)
                }
            }
            let none = try host.store(of: "payments").read { reader in
                try reader.all(Statement("SELECT item_id FROM payable_item")) { $0.text(0) }
            }
            #expect(none.isEmpty)
        }
    }

    @Test("members' references are read by operators only")
    func access() async throws {
        try await withDesk { desk in
            let manager = try await desk.office.host.person(
                "mia", roles: [Roles.practiceStatements], at: "A81001")
            let service = Pcs_Payments_V1_DeductionServiceClient(try await desk.office.transport(manager))
            let denied = try await refusal {
                for try await _ in try await service.listContributions(.with { $0.practiceCode = "A81001" }) {
                }
            }
            #expect(denied.reason == HostReasons.accessDenied)
        }
    }
}
