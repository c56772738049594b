import Accounting
import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Nothing is paid that is stopped, ended or paid already")
struct PaidTwiceTests {
    /// April, paid with its file built but not yet sent.
    private func april(_ area: SandboxArea, _ bank: SandboxBank) async throws
        -> (run: Pcs_Payments_V1_Run, file: Pcs_Payments_V1_PaymentFile)
    {
        try await bank.prepare(area)
        try await area.load(area.practices.prefix(2).map { SandboxContracts.row($0) })
        try await area.office.loadLists(
            "2026-04-01",
            area.practices.prefix(2).enumerated().map { SandboxLists.row($1, $0, quarter: 0) }.joined(
                separator: "\n"))
        let run = try await area.office.pay("2026-04")
        let file = try await bank.service(area, area.office.submitter).buildPaymentFile(
            .with { $0.runID = run.runID })
        return (run, file)
    }

    private func abort(_ area: SandboxArea, _ run: Pcs_Payments_V1_Run) async throws {
        for person in [area.office.approver, area.office.secondApprover] {
            _ = try await area.office.runs(person).abortRun(
                .with { ($0.runID, $0.reason) = (run.runID, "wrong month") })
        }
    }

    @Test("12.1: a run whose file the bank has cannot be aborted, or its money would be paid twice")
    func abortAfterSubmission() async throws {
        try await SandboxArea.with { area in
            let bank = SandboxBank()
            let (run, file) = try await april(area, bank)
            _ = try await bank.service(area, area.office.submitter).recordSubmission(
                .with { ($0.fileID, $0.sha256, $0.submissionReference) = (file.fileID, file.sha256, "sent") })
            let refused = try await refusal { try await abort(area, run) }
            #expect(refused.reason == PaymentsReasons.runStateWrong)
        }
    }

    @Test("12.1: the file of an aborted run is never sent, and nothing is owed for it")
    func fileOfAbortedRun() async throws {
        try await SandboxArea.with { area in
            let bank = SandboxBank()
            let (run, file) = try await april(area, bank)
            try await abort(area, run)
            let refused = try await refusal {
                _ = try await bank.service(area, area.office.submitter).recordSubmission(
                    .with {
                        ($0.fileID, $0.sha256, $0.submissionReference) = (file.fileID, file.sha256, "sent")
                    })
            }
            #expect(refused.reason == PaymentsReasons.paymentFileStateWrong)
            #expect(try await bank.outstanding(area).isEmpty)
        }
    }

    @Test("12.1: the same of a file beside it, which pays what was held")
    func abortWithFileBeside() async throws {
        try await PaymentsOffice.with { office in
            try await office.loadContracts(SandboxContracts.row("A81001"))
            try await office.loadLists("2026-04-01", "A81001,8000,8100.00,0")
            try await office.setOriginator()
            let run = try await office.pay("2026-04")
            let held = try await office.build(run).held.map(\.paymentID)
            try await office.setDetails("A81001", "66374958", from: "2026-04-20")
            let beside = try await office.build(held, on: "2026-04-30")
            func abort() async throws {
                for person in [office.approver, office.secondApprover] {
                    _ = try await office.runs(person).abortRun(
                        .with { ($0.runID, $0.reason) = (run.runID, "wrong month") })
                }
            }
            try await abort()
            let refused = try await refusal { try await office.submit(beside) }
            #expect(refused.reason == PaymentsReasons.paymentFileStateWrong)
            let again = try await office.pay("2026-04")
            // The details take effect too late for April: held again, and paid once by a file beside the new run.
            let rest = try await office.build(try await office.build(again).held.map(\.paymentID), on: "2026-04-30")
            #expect(rest.totalPence == again.netPence)
            try await office.submit(rest)
        }
    }

    @Test("12.1: a run of which a file beside it has been sent cannot be aborted")
    func abortAfterFileBeside() async throws {
        try await PaymentsOffice.with { office in
            try await office.loadContracts(SandboxContracts.row("A81001"))
            try await office.loadLists("2026-04-01", "A81001,8000,8100.00,0")
            try await office.setOriginator()
            let run = try await office.pay("2026-04")
            let held = try await office.build(run).held.map(\.paymentID)
            try await office.setDetails("A81001", "66374958", from: "2026-04-20")
            try await office.submit(try await office.build(held, on: "2026-04-30"))
            let refused = try await refusal {
                _ = try await office.runs(office.approver).abortRun(
                    .with { ($0.runID, $0.reason) = (run.runID, "wrong month") })
            }
            #expect(refused.reason == PaymentsReasons.runStateWrong)
        }
    }

    @Test(
        "C9: a stopped practice gets no monthly payment, in its month or as a difference, until the stop is lifted"
    )
    func stopped() async throws {
        try await SandboxArea.with { area in
            let code = area.practices[0]
            try await area.load([SandboxContracts.row(code)])
            try await area.office.loadLists("2026-04-01", SandboxLists.row(code, 0, quarter: 0))
            _ = try await area.variations(["\(code),PRNTG,notional rent,MONTHLY,700.00,2026-04,,,,"])
            try await area.office.pay("2026-04")
            try await area.load([SandboxContracts.row(code, from: "2026-05-01", isStopped: true)])
            try await area.office.pay("2026-05")
            // Something makes May to be looked at again.
            try await area.office.loadLists("2026-04-01", SandboxLists.row(code, 0, quarter: 0, plus: 1))
            let june = try await area.office.pay("2026-06")
            #expect(june.statements == 1)
            let lines = try await area.office.statement(code, "2026-06").lines
            #expect(Set(lines.map { $0.originalMonth.month }) == [4], "\(shown(lines))")
            try await area.load([SandboxContracts.row(code, from: "2026-05-01")])
            try await area.office.pay("2026-07")
            let released = try await area.office.statement(code, "2026-07").lines.filter {
                $0.paycode == "PRNT"
            }
            #expect(released.map(\.amountPence) == [70_000, 70_000, 70_000])
        }
    }

    @Test(
        "C9: a practice whose contract has ended gets no participation, though the register has it in a network"
    )
    func ended() async throws {
        try await SandboxArea.with { area in
            let code = area.practices[0]
            try await area.load([SandboxContracts.row(code, to: "2026-05-01")])
            try await area.office.loadLists("2026-04-01", SandboxLists.row(code, 0, quarter: 0))
            try await area.office.pay("2026-04")
            #expect(try await area.office.statement(code, "2026-04").lines.contains { $0.paycode == "NPP" })
            #expect(try await area.office.pay("2026-05").statements == 0)
        }
    }
}
