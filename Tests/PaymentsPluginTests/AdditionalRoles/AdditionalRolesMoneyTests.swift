import Accounting
import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("The maximum sum, corrections and runs of additional roles (payments.md 8.2)")
struct AdditionalRolesMoneyTests {
    @Test("what exceeds the maximum sum is not paid, and the line says of how much nothing was left")
    func cap() async throws {
        // 26.631 x 600.00 = 15,978.60.
        try await RolesDesk.with(weighted: "600.00") { desk in
            let january = try await desk.approved("2026-01", [try RolesDesk.row("E-1", salary: "8000.00")])
            #expect(january.state == .approved && january.maximum.leftPence == 1_597_860)
            let february = try await desk.approved(
                "2026-02",
                [
                    try RolesDesk.row("E-3", "SUPPORT_WORKER_BAND_3", salary: "2000.00"),
                    try RolesDesk.row("E-1", salary: "5000.00"),
                    try RolesDesk.row("E-4", "SUPPORT_WORKER_BAND_3", wte: 50, salary: "1000.00"),
                    try RolesDesk.row("E-2", salary: "6000.00"),
                ])
            // 7,978.60 are left: support workers first, as the claim names them first.
            #expect(
                shown(february.rows) == [
                    "SUPPORT_WORKER_BAND_3 2000.00", "GP 4978.60 MAXIMUM_SUM",
                    "SUPPORT_WORKER_BAND_3 1000.00",
                    "GP 0.00 MAXIMUM_SUM",
                ])
            #expect(february.maximum.alreadyApprovedPence == 800_000 && february.maximum.leftPence == 797_860)
            let march = try await desk.approved("2026-03", [try RolesDesk.row("E-1", salary: "5000.00")])
            #expect(march.state == .adjusted && march.payablePence == 0)
            try await desk.office.pay("2026-01")
            try await desk.office.pay("2026-02")
            let lines = try await desk.lines("2026-02")
            #expect(shown(lines) == ["PCNARR 3000.00", "PCNARR 4978.60"])
            try await desk.hold(lines, "2026-02")
            let explained = try await desk.office.statements().explainLine(
                .with {
                    ($0.practiceCode, $0.runID) = (RolesDesk.network, "2026-02-1")
                    $0.lineNumber = lines[1].lineNumber
                })
            #expect(explained.inputs.contains { $0.name == "already_approved" && $0.value == "8000.00" })
            #expect(
                explained.steps.map { "\($0.expression) = \($0.value)" }.contains(
                    "left = maximum_sum - already_approved = 7978.6"))
            #expect(
                explained.steps.contains {
                    $0.expression.hasPrefix("beyond_maximum_sum = ") && $0.value == "6021.4"
                })
            #expect(try await desk.year().networks[0].maximum.leftPence == 0)
        }
    }

    @Test("a later claim of a month replaces the earlier one: the difference is paid or taken back by role")
    func corrections() async throws {
        try await RolesDesk.with { desk in
            let first = try await desk.approved(
                "2026-01",
                [
                    try RolesDesk.row("E-1", salary: "5000.00"),
                    try RolesDesk.row("E-3", "SUPPORT_WORKER_BAND_3", salary: "2000.00"),
                ])
            try await desk.office.pay("2026-01")
            let draft = try await desk.draft(
                "2026-01",
                [
                    try RolesDesk.row("E-1", salary: "5100.00"),
                    try RolesDesk.row("E-4", "GENERAL_PRACTICE_NURSE_NEW", salary: "3000.00"),
                ])
            #expect(draft.number == 2 && draft.correctsClaimID == first.claimID)
            let second = try await desk.decide(try await desk.review(try await desk.submit(draft)))
            #expect(second.payablePence == 810_000 && second.differencePence == 110_000)
            #expect(second.correctsClaimID == first.claimID)
            #expect(try await desk.read(first).replacedByClaimID == second.claimID)
            try await desk.office.pay("2026-02")
            let lines = try await desk.lines("2026-02")
            #expect(
                lines.map { "\(Money(pence: $0.amountPence)) \($0.basis)" } == [
                    "100.00 GP", "3000.00 GENERAL_PRACTICE_NURSE_NEW", "-2000.00 SUPPORT_WORKER_BAND_3",
                ])
            #expect(lines.allSatisfy { $0.periodFrom.month == 1 && $0.periodTo.day == 31 })
            try await desk.hold(lines, "2026-02")
            // Once more as it is: nothing differs, nothing is paid.
            let third = try await desk.approved(
                "2026-01",
                [
                    try RolesDesk.row("E-1", salary: "5100.00"),
                    try RolesDesk.row("E-4", "GENERAL_PRACTICE_NURSE_NEW", salary: "3000.00"),
                ])
            #expect(third.differencePence == 0 && third.payablePence == 810_000)
            try await desk.office.pay("2026-03")
            #expect(try await desk.lines("2026-03").isEmpty)
            let year = try #require(try await desk.year().networks.first)
            #expect(year.total.approvedPence == 810_000 && year.total.paidPence == 810_000)
            let worker = try #require(year.roles.first { $0.role == "SUPPORT_WORKER_BAND_3" })
            #expect(worker.approvedPence == 0 && worker.paidPence == 0)
        }
    }

    @Test(
        "a correction that makes room lets a later month have it; a smaller maximum sum takes nothing back by itself"
    )
    func room() async throws {
        try await RolesDesk.with(weighted: "600.00") { desk in
            _ = try await desk.approved("2025-12", [try RolesDesk.row("E-1", salary: "8000.00")])
            let january = try await desk.approved("2026-01", [try RolesDesk.row("E-2", salary: "8500.00")])
            #expect(january.payablePence == 797_860)
            _ = try await desk.approved("2025-12", [try RolesDesk.row("E-1", salary: "7000.00")])
            let again = try await desk.approved("2026-01", [try RolesDesk.row("E-2", salary: "8500.00")])
            #expect(again.payablePence == 850_000 && again.differencePence == 52_140)
            try await desk.load(RolesDesk.network, weighted: "500.00")
            let year = try await desk.year().networks[0]
            #expect(year.maximum.maximumSumPence == 1_331_550 && year.total.approvedPence == 1_550_000)
            #expect(year.maximum.leftPence == 0)
            // Claimed anew, the month comes under the smaller sum.
            let cut = try await desk.approved("2026-01", [try RolesDesk.row("E-2", salary: "8500.00")])
            #expect(cut.payablePence == 631_550 && cut.differencePence == -218_450)
            try await desk.office.pay("2025-12")
            try await desk.office.pay("2026-01")
            #expect(try await desk.lines("2026-01").map(\.amountPence) == [797_860, 52_140, -218_450])
            try await desk.hold(try await desk.lines("2026-01"), "2026-01")
        }
    }

    @Test(
        "in any order of approvals, with corrections, no year is approved or paid above its maximum sum",
        arguments: [1, 2, 3] as [UInt64])
    func anyOrder(seed: UInt64) async throws {
        try await RolesDesk.with(weighted: "1500.00") { desk in
            let maximum: Int64 = 3_994_650
            var generator = SeededGenerator(seed: seed)
            let roles = ["GP", "CONSULTANT_NURSE", "SUPPORT_WORKER_BAND_3"]
            let months = ["2025-09", "2025-10", "2025-11", "2025-12", "2026-01", "2026-02"]
            var expected: [String: Int64] = [:]
            var cut = 0
            for round in 0..<24 {
                let month = try #require(months.randomElement(using: &generator))
                var rows: [Pcs_Payments_V1_AdditionalRolesRow] = []
                for person in 0..<Int.random(in: 1...3, using: &generator) {
                    let role = try #require(roles.randomElement(using: &generator))
                    let salary = Money(pence: .random(in: 100_000...900_000, using: &generator))
                    rows.append(
                        try RolesDesk.row(
                            "E-\(person)", role, wte: .random(in: 20...100, using: &generator),
                            salary: salary.description))
                }
                let claim = try await desk.approved(month, rows)
                #expect(claim.differencePence == claim.payablePence - expected[month, default: 0])
                expected[month] = claim.payablePence
                if claim.rows.contains(where: { $0.assessment.reduction == "MAXIMUM_SUM" }) { cut += 1 }
                let year = try await desk.year().networks[0]
                #expect(year.total.approvedPence == expected.values.reduce(0, +), "round \(round)")
                #expect(year.total.approvedPence <= maximum, "round \(round)")
                #expect(year.maximum.leftPence == maximum - year.total.approvedPence)
            }
            #expect(cut > 0, "the maximum sum was never reached")
            for month in months { try await desk.office.pay(month) }
            var paid: Int64 = 0
            for month in months {
                let lines = try await desk.lines(month)
                try await desk.hold(lines, month)
                paid += lines.reduce(0) { $0 + $1.amountPence }
            }
            #expect(paid == expected.values.reduce(0, +) && paid <= maximum)
            #expect(try await desk.year().networks[0].total.paidPence == paid)
        }
    }

    @Test("a claim approved after the inputs were frozen is pointed out, and the next run pays it")
    func frozen() async throws {
        try await RolesDesk.with { desk in
            let office = desk.office
            let rows = [try RolesDesk.row("E-1", salary: "5000.00")]
            let reviewed = try await desk.review(try await desk.submit(try await desk.draft("2026-02", rows)))
            let run = try await office.calculate(try await office.open("2026-02").runID)
            #expect(try await office.exceptions(run.runID).filter { $0.paycode == "PCNARR" }.isEmpty)
            _ = try await desk.decide(reviewed)
            let again = try await office.calculate(run.runID)
            let warning = try #require(
                try await office.exceptions(run.runID).first { $0.paycode == "PCNARR" })
            #expect(warning.severity == .warning && warning.practiceCode == RolesDesk.network)
            #expect(warning.message.contains("5000.00") && warning.message.contains("2026-02"))
            try await office.approve(again)
            #expect(try await desk.lines("2026-02").isEmpty)
            #expect(try await desk.read(reviewed).state == .approved)
            let next = try await office.pay("2026-03")
            #expect(try await office.exceptions(next.runID).filter { $0.paycode == "PCNARR" }.isEmpty)
            #expect(shown(try await desk.lines("2026-03")) == ["PCNARR 5000.00"])
            #expect(try await desk.read(reviewed).runIds == ["2026-03-1"])
        }
    }
}
