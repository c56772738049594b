import Accounting
import CaseworkContract
import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

/// Two practices, of whom one has bank details: the other's money is held.
@Suite("A run sent, paid, sent back and closed (payments.md 12.1, 12.7)")
struct RunPaidTests {
    private static func row(_ code: String) -> String {
        "\(code),PRACTICE \(code),GMS,2004-04-01,,16C,Y63,\(code),Y,N,0,0,NONE,,,,N"
    }

    /// April, approved on the 20th: to be paid on the 30th, sent by the 28th.
    private func april(_ body: (PaymentsOffice, Pcs_Payments_V1_Run) async throws -> Void) async throws {
        try await PaymentsOffice.with { office in
            try await office.loadContracts(Self.row("A81001"), Self.row("A81002"))
            try await office.loadLists("2026-04-01", "A81001,8000,8100.00,0", "A81002,4000,4100.50,0")
            try await office.setOriginator()
            try await office.setDetails("A81001", "66374958")
            office.host.clock.set(try day("2026-04-20"))
            try await body(office, try await office.pay("2026-04"))
        }
    }

    @Test("a run is paid once its file was sent and its day has come, with what the file pays")
    func paid() async throws {
        try await april { office, run in
            func refused(_ total: Int64, _ on: String? = nil) async throws -> Failure {
                try await refusal { try await office.recordPaid(run, total: total, on: on) }
            }
            #expect(try await refused(run.netPence).reason == PaymentsReasons.paymentFileStateWrong)
            let file = try await office.build(run)
            #expect(try await refused(file.totalPence).reason == PaymentsReasons.paymentFileStateWrong)
            try await office.submit(file)
            #expect(try await refused(file.totalPence).violations.map(\.field) == ["paid_on"])
            office.host.clock.set(try day("2026-04-30"))
            #expect(try await refused(file.totalPence, "2026-04-29").violations.map(\.field) == ["paid_on"])
            #expect(try await refused(file.totalPence, "2026-05-01").violations.map(\.field) == ["paid_on"])
            #expect(try await refused(run.netPence).reason == PaymentsReasons.controlTotalMismatch)
            #expect(try await office.recordPaid(run, total: file.totalPence).state == .paid)
            let told = try #require(try office.published(Pcs_Payments_V1_RunPaid.self).last)
            #expect(told.netPence == run.netPence && told.paidPence == file.totalPence)
            #expect(told.paidPence < told.netPence)
        }
    }

    @Test("without an originator a run is paid from outside: its net, from its payment date on")
    func paidFromOutside() async throws {
        try await PaymentsOffice.with { office in
            try await office.loadContracts(Self.row("A81001"))
            try await office.loadLists("2026-04-01", "A81001,8000,8100.00,0")
            let run = try await office.pay("2026-04")
            let early = try await refusal { try await office.recordPaid(run, total: run.netPence) }
            #expect(early.violations.map(\.field) == ["paid_on"])
            office.host.clock.set(try day("2026-05-02"))
            let before = try await refusal { try await office.recordPaid(run, total: run.netPence, on: "2026-04-29") }
            #expect(before.violations.map(\.field) == ["paid_on"])
            #expect(try await office.recordPaid(run, total: run.netPence).state == .paid)
        }
    }

    @Test("a run is closed once its credits can no longer come back; what comes later still counts, as late")
    func closed() async throws {
        try await april { office, run in
            let file = try await office.build(run)
            try await office.submit(file)
            office.host.clock.set(try day("2026-04-30"))
            try await office.recordPaid(run, total: file.totalPence)
            // Five working days after the 30th, over a bank holiday.
            office.host.clock.set(try day("2026-05-08"))
            let early = try await refusal {
                _ = try await office.runs(office.submitter).closeRun(.with { $0.runID = run.runID })
            }
            #expect(early.reason == PaymentsReasons.runStateWrong)
            #expect(early.message.contains("2026-05-08"))
            office.host.clock.set(try day("2026-05-09"))
            let closed = try await office.runs(office.submitter).closeRun(.with { $0.runID = run.runID })
            #expect(closed.state == .closed)
            office.host.clock.set(try day("2026-06-02"))
            let owed = try await office.bringBack(file, "A81001 2604-1", file.totalPence, code: "5")
            #expect(owed.map(\.because) == ["returned late: no account"])
            // The books of June, which are open, have it; those of April stay as they are.
            #expect(try await office.journal("2026-06-01", "2026-06-30").contains("2026-06-02 return of A81001 2604-1"))
            #expect(try await !office.journal("2026-04-01", "2026-04-30").contains("return of"))
            #expect(try await office.runs().getRun(.with { $0.runID = run.runID }).state == .closed)
        }
    }

    @Test("nobody sends money that they approved: not in a run's file, not in one beside it")
    func approverSubmits() async throws {
        try await april { office, run in
            let both = try await office.host.grant([Roles.bacsSubmitter], at: "PCS", to: office.approver)
            let file = try await office.build(run)
            let refused = try await refusal { try await office.submit(file, as: both) }
            #expect(refused.reason == HostReasons.secondPersonRequired)
            try await office.submit(file)
            office.host.clock.set(try day("2026-05-05"))
            let owed = try await office.bringBack(file, "A81001 2604-1", file.totalPence, code: "C")
            let payment = try #require(owed.first?.paymentID)
            let date = Pcs_Common_V1_Date(try day("2026-05-12"))
            let built = try await refusal {
                _ = try await office.files(both).buildPaymentFile(
                    .with { ($0.paymentIds, $0.paymentDate) = ([payment], date) })
            }
            #expect(built.reason == HostReasons.secondPersonRequired)
            let second = try await office.build([payment], on: "2026-05-12")
            let sent = try await refusal { try await office.submit(second, as: both) }
            #expect(sent.reason == HostReasons.secondPersonRequired)
        }
    }

    @Test("a file is for a day that can be reached: two working days after it is sent")
    func reachableDay() async throws {
        try await april { office, run in
            office.host.clock.set(try day("2026-04-29"))
            let late = try await refusal { _ = try await office.build(run) }
            #expect(late.violations.map(\.field) == ["payment_date"])
            #expect(late.violations.first?.message.contains("2026-05-01") == true)
            office.host.clock.set(try day("2026-04-28"))
            let file = try await office.build(run)
            office.host.clock.set(try day("2026-04-29"))
            let missed = try await refusal { try await office.submit(file) }
            #expect(missed.reason == PaymentsReasons.paymentFileStateWrong)
            #expect(missed.message.contains("2026-05-01"))
            // The same payments go into a file for another day; the one that missed its day stays as it is, unsent.
            let second = try await office.rebuild(file, on: "2026-05-01")
            #expect(second.totalPence == file.totalPence && second.serial != file.serial)
            #expect(second.held.map(\.payeeCode) == ["A81002"])
            let kept = try await office.files().getPaymentFile(.with { $0.fileID = file.fileID })
            #expect(kept.replacedByFileID == second.fileID && kept.sha256 == file.sha256)
            let old = try await refusal { try await office.submit(file, sentOn: "2026-04-28") }
            #expect(old.reason == PaymentsReasons.paymentFileStateWrong)
            // As long as a file can be sent, there is no other in its place.
            let early = try await refusal { _ = try await office.rebuild(second, on: "2026-05-05") }
            #expect(early.reason == PaymentsReasons.paymentFileStateWrong)
            try await office.submit(second)
            office.host.clock.set(try day("2026-05-01"))
            let before = try await refusal { try await office.recordPaid(run, total: file.totalPence) }
            #expect(before.violations.map(\.field) == ["paid_on"])
            try await office.recordPaid(run, total: second.totalPence, on: "2026-05-01")
            let owed = try await office.bringBack(second, "A81001 2604-1", second.totalPence, code: "C")
            let payment = try #require(owed.first?.paymentID)
            // A file beside the monthly ones may miss its day too.
            let third = try await office.build([payment], on: "2026-05-06")
            office.host.clock.set(try day("2026-05-06"))
            let again = try await refusal { try await office.submit(third) }
            #expect(again.reason == PaymentsReasons.paymentFileStateWrong)
            let fourth = try await office.rebuild(third, on: "2026-05-12")
            try await office.submit(fourth)
            #expect(fourth.totalPence == third.totalPence)
            let twice = try await refusal { _ = try await office.build([payment], on: "2026-05-12") }
            #expect(twice.violations.map(\.field) == ["payment_ids"])
        }
    }

    @Test("what was sent in time may be recorded later, by the day on which it was sent")
    func recordedLate() async throws {
        try await april { office, run in
            let file = try await office.build(run)
            office.host.clock.set(try day("2026-04-29"))
            let future = try await refusal { try await office.submit(file, sentOn: "2026-04-30") }
            #expect(future.violations.map(\.field) == ["submitted_on"])
            #expect(try await !office.submit(file, sentOn: "2026-04-28").submittedBy.isEmpty)
        }
    }

    @Test("a file does not go to an account that was frozen after it was built: it is built anew, and the payee is held")
    func frozenSinceBuilt() async throws {
        try await april { office, run in
            let file = try await office.build(run)
            _ = try await office.bank(office.operating).freezeBankDetails(
                .with { ($0.payeeCode, $0.reason) = ("A81001", "a call that sounds like fraud") })
            let refused = try await refusal { try await office.submit(file) }
            #expect(refused.reason == PaymentsReasons.paymentFileStateWrong && refused.message.contains("A81001"))
            // New details lift the freeze, and the file still has the old account.
            office.host.clock.advance(milliseconds: 1_000)
            try await office.setDetails("A81001", "66374974", from: "2026-04-20")
            #expect(
                try await refusal { try await office.submit(file) }.reason == PaymentsReasons.paymentFileStateWrong)
            let nothing = try await office.rebuild(file, on: "2026-04-30")
            #expect(nothing.fileID.isEmpty && nothing.held.map(\.payeeCode).sorted() == ["A81001", "A81002"])
            office.host.clock.set(try day("2026-04-30"))
            #expect(try await office.recordPaid(run, total: 0).state == .paid)
            let owed = try await office.outstanding().filter { $0.payeeCode == "A81001" }
            let beside = try await office.build(owed.map(\.paymentID), on: "2026-05-06")
            #expect(beside.totalPence == file.totalPence)
            #expect(try await office.credits(of: beside).values.map(\.account) == ["66374974"])
        }
    }

    @Test("a run all of whose payees are held has no file; they are paid by files beside it")
    func allHeld() async throws {
        try await PaymentsOffice.with { office in
            try await office.loadContracts(Self.row("A81001"))
            try await office.loadLists("2026-04-01", "A81001,8000,8100.00,0")
            try await office.setOriginator()
            let run = try await office.pay("2026-04")
            let none = try await office.build(run)
            #expect(none.fileID.isEmpty && none.held.map(\.pence) == [run.netPence])
            #expect(try await refusal { _ = try await office.build(run) }.reason == PaymentsReasons.paymentFileStateWrong)
            try await office.setDetails("A81001", "66374958", from: "2026-04-20")
            let file = try await office.build(none.held.map(\.paymentID), on: "2026-04-30")
            #expect(file.totalPence == run.netPence)
        }
    }

    @Test("the statement shows at once that its payment came back, and then that it was paid again; its bytes stay")
    func statementShowsReturn() async throws {
        try await april { office, run in
            let file = try await office.build(run)
            try await office.submit(file)
            let before = try await office.statement("A81001", "2026-04")
            #expect(before.paymentSteps.isEmpty)
            office.host.clock.set(try day("2026-05-06"))
            let future = Pcs_Common_V1_Date(try day("2026-05-07"))
            let wrong = try await refusal {
                _ = try await office.files().recordReturns(
                    .with {
                        $0.fileID = file.fileID
                        $0.returns = [
                            .with {
                                ($0.reference, $0.pence, $0.code) = ("A81001 2604-1", file.totalPence, "B")
                                $0.returnedOn = future
                            }
                        ]
                    })
            }
            #expect(wrong.violations.map(\.field) == ["returns[0].returned_on"])
            let owed = try await office.bringBack(file, "A81001 2604-1", file.totalPence, code: "B")
            let returned = try await office.statement("A81001", "2026-04")
            #expect(returned.paymentSteps.map { "\($0.step) \($0.detail)" } == ["returned account closed"])
            let pdf = try await StatementFileTests.download(office, "A81001", run.runID, .pdf)
            #expect(PDFText.texts(pdf.bytes).contains { PDFText.plain($0).contains("account closed") })
            office.host.clock.advance(milliseconds: 1_000)
            try await office.setDetails("A81001", "66374974", from: "2026-05-06")
            _ = try await office.build(owed.map(\.paymentID), on: "2026-05-12")
            let paid = try await office.statement("A81001", "2026-04")
            #expect(
                paid.paymentSteps.map { "\($0.step) \($0.detail) \($0.pence)" } == [
                    "returned account closed \(file.totalPence)", "reissued for 2026-05-12 \(file.totalPence)",
                ])
            #expect(paid.sha256 == before.sha256 && paid.lines == before.lines)
        }
    }

    @Test("who must act on a return has three working days; of a beneficiary who has died the office is told, too")
    func returnTasks() async throws {
        try await april { office, run in
            let file = try await office.build(run)
            try await office.submit(file)
            office.host.clock.set(try day("2026-05-06"))
            try await office.bringBack(file, "A81001 2604-1", file.totalPence, code: "2")
            let tasks = try office.published(Pcs_Casework_V1_TaskRequested.self).filter {
                $0.taskKey.hasPrefix("payments/payment/")
            }
            #expect(tasks.map(\.role) == [.practiceStatements, .paymentsOperator])
            #expect(tasks.map(\.organisationCode) == ["A81001", "PCS"])
            let due = try day("2026-05-11")
            #expect(tasks.allSatisfy { $0.dueOn.calendarDate == due })
        }
    }
}
