import Accounting
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("The monthly run, through the public door")
struct RunLifeTests {
    private func loadTwo(_ office: PaymentsOffice) async throws {
        try await office.loadContracts(
            "A81001,One,GMS,2026-04-01,,16C,Y63,,Y,,,,,,,,",
            "A81002,\"Two, Ltd\",PMS,2026-04-01,,16C,Y63,,,,,,,FIXED,938247.54,,")
        try await office.loadLists("2026-04-01", "A81001,10400,10000.00,0", "A81002,9100,9120.40,0")
    }

    @Test("from opening to closed, with every figure on the way", arguments: TestHost.Fidelity.allCases)
    func wholeLife(_ fidelity: TestHost.Fidelity) async throws {
        try await PaymentsOffice.with(fidelity) { office in
            try await loadTwo(office)
            let opened = try await office.open("2026-04")
            #expect(opened.runID == "2026-04-1")
            #expect(opened.state == .open)
            #expect(opened.paymentDate.calendarDate == (try day("2026-04-30")))
            #expect(opened.cutOffOn.calendarDate == (try day("2026-04-17")))
            let run = try await office.calculate(opened.runID)
            #expect(run.state == .calculated)
            #expect(run.statements == 2)
            #expect(run.lines == 3)
            #expect(run.netPence == 10_329_726 + 7_818_730)
            #expect(run.grossPence + run.deductionsPence == run.netPence)
            #expect(run.blockingExceptionsOpen == 0)
            // Not in this host's register, which is empty.
            #expect(run.warnings == 2)
            let approved = try await office.approve(run)
            #expect(approved.state == .approved)
            #expect(approved.approvals.map(\.approvedBy) == ["adam", "bella"])
            office.host.clock.set(try day("2026-04-30"))
            let paid = try await office.runs(office.submitter).recordPaid(
                .with {
                    $0.runID = run.runID
                    $0.paidOn = opened.paymentDate
                    $0.bankReference = "BACS 000123"
                    $0.totalPence = run.netPence
                })
            #expect(paid.state == .paid)
            office.host.clock.set(try day("2026-05-09"))
            let closed = try await office.runs(office.submitter).closeRun(.with { $0.runID = run.runID })
            #expect(closed.state == .closed)
            #expect(
                closed.history.map(\.step) == [
                    "opened", "inputs frozen", "calculated", "reviewed", "approved once", "approved", "paid",
                    "closed",
                ])
            let totals = try await office.runs().getRunTotals(
                .with { ($0.runID, $0.dimension) = (run.runID, .contractType) })
            #expect(totals.totals.map(\.key) == ["GMS", "PMS"])
            #expect(totals.totals.map(\.netPence) == [10_329_726, 7_818_730])
            #expect(try await office.runs().listRuns(.with { $0.financialYear = "2026/27" }).runs.count == 1)
        }
    }

    @Test("calculated by many at once, a run has all statements of one calculation, and nothing is left of the others")
    func calculatedAtOnce() async throws {
        try await PaymentsOffice.with { office in
            try await loadTwo(office)
            let alone = try await office.calculate(try await office.open("2026-04").runID)
            let runs = try await office.runs()
            let reasons = try await withThrowingTaskGroup(of: Reason?.self) { group in
                for _ in 0..<12 {
                    group.addTask {
                        do {
                            _ = try await runs.calculateRun(
                                .with { ($0.runID, $0.beforeCutOff, $0.reason) = (alone.runID, true, "at once") })
                            return nil
                        } catch let failure as Failure {
                            return failure.reason
                        }
                    }
                }
                return try await group.reduce(into: [Reason?]()) { $0.append($1) }
            }
            #expect(reasons.contains(nil))
            #expect(Set(reasons.compactMap { $0 }).isSubset(of: [PaymentsReasons.calculationChanged]))
            let run = try await runs.getRun(.with { $0.runID = alone.runID })
            #expect(Int(run.calculation) == 1 + reasons.count { $0 == nil })
            #expect(run.statementsSha256 == alone.statementsSha256)
            // Approval reads every statement again and compares all hashes and sums.
            #expect(try await office.approve(run).state == .approved)
        }
    }

    @Test("calculating again gives the same bytes, even after new inputs, until the inputs are thawed")
    func recalculation() async throws {
        try await PaymentsOffice.with { office in
            try await loadTwo(office)
            let first = try await office.calculate(try await office.open("2026-04").runID)
            try await office.loadLists("2026-04-01", "A81001,10400,20000.00,0")
            let second = try await office.calculate(first.runID)
            #expect(second.calculation == 2)
            #expect(second.statementsSha256 == first.statementsSha256)
            #expect(second.snapshot == first.snapshot)
            _ = try await office.runs().reopenRun(
                .with { ($0.runID, $0.thaw, $0.reason) = (first.runID, true, "the list was wrong") })
            let third = try await office.calculate(first.runID)
            #expect(third.netPence == 20_659_451 + 7_818_730)
            #expect(third.statementsSha256 != first.statementsSha256)
        }
    }

    @Test(
        "neither the calculator nor the reviewer nor one person twice approves; the total must be typed right"
    )
    func separationOfDuties() async throws {
        try await PaymentsOffice.with { office in
            try await loadTwo(office)
            var both = try await office.host.person(
                "greta", roles: [Roles.paymentsOperator, Roles.paymentsApprover])
            let run = try await office.open("2026-04")
            let calculated = try await office.runs(both).calculateRun(
                .with { ($0.runID, $0.beforeCutOff, $0.reason) = (run.runID, true, "for a test") })
            _ = try await office.runs().reviewRun(.with { ($0.runID, $0.calculation) = (run.runID, 1) })
            func approve(_ subject: TestSubject, calculation: Int32 = 1, total: Int64? = nil) async throws {
                _ = try await office.runs(subject).approveRun(
                    .with {
                        ($0.runID, $0.calculation) = (run.runID, calculation)
                        if let total { $0.controlTotalPence = total }
                    })
            }
            #expect(try await refusal { try await approve(both) }.reason.name == "SECOND_PERSON_REQUIRED")
            #expect(try await refusal { try await approve(office.operating) }.reason.name == "ACCESS_DENIED")
            #expect(
                try await refusal { try await approve(office.approver, calculation: 2) }.reason.name
                    == "CALCULATION_CHANGED")
            try await approve(office.approver)
            #expect(
                try await refusal { try await approve(office.approver, total: calculated.netPence) }.reason
                    .name
                    == "SECOND_PERSON_REQUIRED")
            #expect(
                try await refusal { try await approve(office.secondApprover) }.violations.map(\.field)
                    == ["control_total_pence"])
            #expect(
                try await refusal { try await approve(office.secondApprover, total: calculated.netPence + 1) }
                    .reason.name
                    == "CONTROL_TOTAL_MISMATCH")
            try await approve(office.secondApprover, total: calculated.netPence)
            both = try await office.host.grant([Roles.bacsSubmitter], at: "PCS", to: office.approver)
            let paid = try await refusal {
                _ = try await office.runs(both).recordPaid(
                    .with {
                        ($0.runID, $0.bankReference, $0.totalPence) = (run.runID, "REF", calculated.netPence)
                        $0.paidOn = run.paymentDate
                    })
            }
            #expect(paid.reason.name == "SECOND_PERSON_REQUIRED")
        }
    }

    @Test("an approved run takes no step back; what is asked too early says which states allow it")
    func wrongStates() async throws {
        try await PaymentsOffice.with { office in
            try await loadTwo(office)
            let run = try await office.open("2026-04")
            let early = try await refusal {
                _ = try await office.runs().reviewRun(.with { ($0.runID, $0.calculation) = (run.runID, 0) })
            }
            #expect(early.reason.name == "RUN_STATE_WRONG")
            #expect(early.message == "Run 2026-04-1 is open; this needs a run that is calculated.")
            try await office.approve(try await office.calculate(run.runID))
            for attempt in 0..<3 {
                let late = try await refusal {
                    switch attempt {
                    case 0: _ = try await office.calculate(run.runID)
                    case 1:
                        _ = try await office.runs().reopenRun(
                            .with { ($0.runID, $0.reason) = (run.runID, "try") })
                    default:
                        _ = try await office.runs().reopenRun(
                            .with { ($0.runID, $0.thaw, $0.reason) = (run.runID, true, "try") })
                    }
                }
                #expect(late.reason.name == "RUN_STATE_WRONG")
            }
            #expect(
                try await refusal { _ = try await office.open("2026-04") }.reason.name == "RUN_MONTH_TAKEN")
            #expect(
                try await refusal { _ = try await office.open("2026-03") }.reason.name == "RUN_OUT_OF_ORDER")
            #expect(
                try await refusal { _ = try await office.open("2045-03") }.reason.name == "CALENDAR_MISSING")
            #expect(
                try await refusal { _ = try await office.runs().getRun(.with { $0.runID = "nothing" }) }
                    .reason.name
                    == "RUN_UNKNOWN")
        }
    }

    @Test(
        "two approvers abort a run; the month is run again, and only the last approved run can be taken back")
    func abortion() async throws {
        try await PaymentsOffice.with { office in
            try await loadTwo(office)
            let first = try await office.pay("2026-04")
            let may = try await office.calculate(try await office.open("2026-05").runID)
            func abort(_ subject: TestSubject, _ runID: String) async throws -> Pcs_Payments_V1_Run {
                try await office.runs(subject).abortRun(
                    .with { ($0.runID, $0.reason) = (runID, "wrong month") })
            }
            #expect(
                try await refusal { _ = try await abort(office.approver, first.runID) }.reason.name
                    == "RUN_OUT_OF_ORDER")
            #expect(try await abort(office.approver, may.runID).state == .calculated)
            #expect(
                try await refusal { _ = try await abort(office.approver, may.runID) }.reason.name
                    == "SECOND_PERSON_REQUIRED")
            #expect(try await abort(office.secondApprover, may.runID).state == .aborted)
            let again = try await office.pay("2026-05")
            #expect(again.runID == "2026-05-2")
            #expect(again.netPence == may.netPence)
            #expect(try await office.statement("A81001", "2026-05").runID == "2026-05-2")
        }
    }

    @Test("inputs are frozen the morning after the cut-off; before it, calculating needs a reason")
    func cutOff() async throws {
        try await PaymentsOffice.with { office in
            try await loadTwo(office)
            let run = try await office.open("2026-04")
            let early = try await refusal {
                _ = try await office.runs().calculateRun(.with { $0.runID = run.runID })
            }
            #expect(early.reason.name == "CUT_OFF_NOT_REACHED")
            office.host.clock.set(try day("2026-04-17"), hour: 23)
            try await office.host.advance(milliseconds: 2 * 3_600_000)
            let frozen = try await office.runs().getRun(.with { $0.runID = run.runID })
            #expect(frozen.state == .cutOff)
            #expect(frozen.history.last?.by == "job/cut-off")
            try await office.loadLists("2026-04-01", "A81001,10400,99999.00,0")
            let calculated = try await office.runs().calculateRun(.with { $0.runID = run.runID })
            #expect(calculated.netPence == 10_329_726 + 7_818_730)
            #expect(calculated.snapshot == frozen.snapshot)
        }
    }

    @Test("blocking exceptions must be accepted, one by one, and stay accepted while they are the same")
    func exceptions() async throws {
        try await PaymentsOffice.with { office in
            try await loadTwo(office)
            try await office.loadContracts("A81003,Three,GMS,2026-04-01,,16C,Y63,,Y,,,,,,,,")
            let run = try await office.calculate(try await office.open("2026-04").runID)
            #expect(run.blockingExceptionsOpen == 1)
            let found = try #require(try await office.exceptions(run.runID, openOnly: true).first)
            #expect(found.kind == .noCapitation)
            #expect(found.practiceCode == "A81003")
            let open = try await refusal {
                _ = try await office.runs().reviewRun(.with { ($0.runID, $0.calculation) = (run.runID, 1) })
            }
            #expect(open.reason.name == "EXCEPTIONS_OPEN")
            let unknown = try await refusal {
                _ = try await office.runs().acceptException(
                    .with { ($0.runID, $0.numbers, $0.reason) = (run.runID, [999], "checked") })
            }
            #expect(unknown.reason.name == "EXCEPTION_NOT_ACCEPTABLE")
            try await office.acceptAll(run.runID)
            let again = try await office.calculate(run.runID)
            #expect(again.blockingExceptionsOpen == 0)
            #expect(again.blockingExceptionsAccepted == 1)
            let kept = try #require(try await office.exceptions(run.runID).first { $0.kind == .noCapitation })
            #expect(kept.acceptedBy == "olive")
            #expect(kept.acceptanceReason == "checked by hand")
        }
    }

    @Test("a run of the same month under the same idempotency key is made once")
    func idempotency() async throws {
        try await PaymentsOffice.with { office in
            let runs = try await office.runs()
            let request = Pcs_Payments_V1_OpenRunRequest.with {
                $0.month = Pcs_Common_V1_Month(year: 2026, month: 4)
            }
            let first = try await runs.openRun(request, options: CallOptions(idempotencyKey: "april"))
            let second = try await runs.openRun(request, options: CallOptions(idempotencyKey: "april"))
            #expect(first == second)
        }
    }

    @Test("the export is the run, line by line, and unchanged from one export to the next")
    func export() async throws {
        try await PaymentsOffice.with { office in
            try await loadTwo(office)
            let run = try await office.pay("2026-04")
            func export() async throws -> (text: String, rows: Int64) {
                var (bytes, rows) = (Data(), Int64(0))
                let stream = try await office.runs().exportRun(
                    .with { ($0.runID, $0.byteOrderMark) = (run.runID, true) })
                for try await chunk in stream {
                    bytes += chunk.data
                    rows += chunk.rows
                }
                return (String(decoding: bytes, as: UTF8.self), rows)
            }
            let (text, rows) = try await export()
            #expect(rows == 3)
            #expect(text.hasPrefix("\u{FEFF}statementId,"))
            #expect(text.components(separatedBy: "\r\n").count == 5)
            #expect(
                text.contains(
                    "2026-04-1/A81002,A81002,\"Two, Ltd\",PMS,2026-04-30,2026-04-1,1,PMSB,PMS baseline,"))
            #expect(try await export().text == text)
        }
    }

    @Test("a run tells others once: approved, published, paid")
    func events() async throws {
        try await PaymentsOffice.with { office in
            try await loadTwo(office)
            try await office.pay("2026-04")
            try await office.host.eventsDelivered()
            let store = try office.host.store(of: "payments")
            let types = try store.read { reader in
                try reader.all(Statement("SELECT event_type FROM pcs_outbox ORDER BY sequence")) {
                    $0.text(0)
                }
            }
            #expect(types == ["pcs.payments.v1.RunApproved", "pcs.payments.v1.StatementsPublished"])
        }
    }
}
