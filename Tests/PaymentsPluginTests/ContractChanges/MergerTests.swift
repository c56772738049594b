import Accounting
import ChangesContract
import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@testable import PaymentsPlugin

@Suite("Mergers and closures in payments (payments.md 12.3)")
struct MergerTests {
    private func step(
        _ number: Int32, _ kind: Pcs_Changes_V1_ChangeKind, on text: String, survivor: String = "A81001"
    ) throws -> Pcs_Changes_V1_ChangeStepDue {
        let day = Pcs_Common_V1_Date(try day(text))
        return .with {
            ($0.caseID, $0.step, $0.ownerArea, $0.kind) = ("case-1", number, "payments", kind)
            $0.survivingPracticeCode = kind == .merger ? survivor : ""
            $0.closingPracticeCodes = ["A81002"]
            $0.effectiveOn = day
        }
    }

    private func deliver(_ event: Pcs_Changes_V1_ChangeStepDue, to host: TestHost) async throws {
        let envelope = EventEnvelope(
            publisher: PracticeChangeEvents.publisher, sequence: Int64(event.step),
            type: Pcs_Changes_V1_ChangeStepDue.protoMessageName, key: event.caseID, occurredAt: host.clock.now
        )
        try await host.store(of: "payments").write(actor: "changes") { transaction in
            try PracticeChangeEvents.receive(event, envelope, transaction)
        }
    }

    /// Revisions of a practice that the case proposed: id, first day, whether it ends, state.
    private func proposals(_ host: TestHost) throws -> [RevisionStore.Revision] {
        let closing = try practice("A81002")
        return try host.store(of: "payments").read {
            try RevisionStore.revisions(of: closing, proposedBy: "changes/case-1", $0)
        }
    }

    private func approveAll(_ office: PaymentsOffice) async throws {
        for revision in try proposals(office.host) where revision.state == .proposed {
            _ = try await office.contracts(office.approver).decideContractRevision(
                .with { ($0.practiceCode, $0.revisionID, $0.approve) = ("A81002", revision.id, true) })
        }
    }

    @Test(
        "E19: a merger within a quarter pays two labelled groups to the survivor, then the merged list and what trails"
    )
    func e19() async throws {
        try await PaymentsOffice.with { office in
            try await office.loadContracts(
                "A81001,Survivor,GMS,2026-04-01,,16C,Y63,,Y,,,,,,,,",
                "A81002,Merged,GMS,2026-04-01,,16C,Y63,,Y,,,,,,,,")
            try await office.loadLists("2026-04-01", "A81001,5300,5210.40,0", "A81002,3900,3844.10,0")
            try await deliver(try step(5, .merger, on: "2026-05-15"), to: office.host)
            // The same step again proposes nothing new; another day takes its place.
            try await deliver(try step(5, .merger, on: "2026-05-15"), to: office.host)
            #expect(try proposals(office.host).map(\.endsContract) == [false, true])
            try await deliver(try step(5, .merger, on: "2026-05-20"), to: office.host)
            #expect(
                try proposals(office.host).map { "\($0.state) \($0.from)" } == [
                    "returned 2026-05-15", "returned 2026-07-01", "proposed 2026-05-20",
                    "proposed 2026-07-01",
                ])
            try await approveAll(office)
            try await office.pay("2026-04")
            #expect(try await office.statement("A81002", "2026-04").payeeCode == "A81002")
            try await office.pay("2026-05")
            let june = try await office.pay("2026-06")
            let survivor = try await office.statement("A81001", "2026-06")
            let merged = try await office.statement("A81002", "2026-06")
            #expect(
                shown(survivor.lines) == ["GSUM 56476.39", "GSOOH -2654.39"] && survivor.netPence == 5_382_200
            )
            #expect(
                shown(merged.lines) == ["GSUM 41666.84", "GSOOH -1958.34"] && merged.netPence == 3_970_850)
            #expect(merged.payeeCode == "A81001" && merged.practiceName == "Merged")
            #expect(june.netPence == 9_353_050)
            // From the quarter day on the merged list alone.
            try await office.loadLists("2026-07-01", "A81001,9200,9054.50,0")
            let july = try await office.pay("2026-07")
            #expect(july.statements == 1)
            #expect(try await office.statement("A81001", "2026-07").weightedPatientsHundredths == 905_450)
            // What trails, here an item approved late, is the merged practice's and goes to the survivor.
            let trailing = PayableItem(
                naturalKey: "test/trailing", payee: try practice("A81002"), firstRun: try month("2026-08"),
                line: PaymentLine(
                    paycode: .qofAchievement, contractID: "A81002-GMS", contractVersion: 0,
                    periodFrom: try day("2026-04-01"), periodTo: try day("2026-04-30"),
                    quantity: ExactDecimal(1),
                    rate: ExactDecimal("125.00") ?? ExactDecimal(0), basis: "INSTRUCTED", pence: 12_500,
                    source: .item,
                    month: try month("2026-04"),
                    explanation: Explanation(
                        rule: "7.3", ruleVersion: 1,
                        inputs: [
                            .init(
                                "amount", Money(pence: 12_500).pounds, .pounds, from: .init("test"),
                                asOf: try day("2026-04-01"))
                        ], steps: [.init("amount", rounding: .input(0))], rounding: "RND-2",
                        amount: Money(pence: 12_500)), origin: "test/trailing"))
            try await office.host.store(of: "payments").write(actor: "test") {
                _ = try PayableItemStore.add([trailing], by: "test", detail: "trailing", in: $0)
            }
            try await office.pay("2026-08")
            let late = try await office.statement("A81002", "2026-08")
            #expect(shown(late.lines) == ["QACH 125.00"] && late.payeeCode == "A81001")
        }
    }

    /// Outcome, step and effects of what payments answered to a roll-back.
    private func rollBack(_ office: PaymentsOffice, steps: [Int32]) async throws -> [Pcs_Changes_V1_ChangeStepReported] {
        let before = try office.published(Pcs_Changes_V1_ChangeStepReported.self).count
        let event = Pcs_Changes_V1_ChangeRolledBack.with {
            ($0.caseID, $0.steps, $0.reason) = ("case-1", steps, "the partners changed their minds")
        }
        try await office.host.store(of: "payments").write(actor: "changes") {
            try PracticeChangeRollBack.receive(event, $0)
        }
        return Array(try office.published(Pcs_Changes_V1_ChangeStepReported.self).dropFirst(before))
    }

    @Test("a case rolled back: proposals are returned, its closing notice is withdrawn, each own step is compensated")
    func rolledBack() async throws {
        try await PaymentsOffice.with { office in
            try await office.loadContracts(
                "A81001,One,GMS,2026-04-01,,16C,Y63,,Y,,,,,,,,", "A81002,Two,GMS,2026-04-01,,16C,Y63,,Y,,,,,,,,")
            try await office.loadLists("2026-04-01", "A81001,5300,5210.40,0", "A81002,3900,3844.10,0")
            try await deliver(try step(5, .closure, on: "2026-04-10"), to: office.host)
            try await deliver(try step(14, .closure, on: "2026-04-10"), to: office.host)
            let run = try await office.calculate(try await office.open("2026-04").runID)
            #expect(try await office.exceptions(run.runID, of: .payeeClosed).count == 1)
            // Step 13 is another area's, step 7 was not begun.
            let reports = try await rollBack(office, steps: [5, 7, 13, 14])
            #expect(reports.map(\.step) == [5, 14] && reports.allSatisfy { $0.outcome == .compensated })
            let proposal = try #require(try proposals(office.host).first)
            #expect(reports[0].effects == ["revision \(proposal.id) returned"])
            #expect(reports[1].effects == ["the closing notice of A81002 is withdrawn"])
            #expect(proposal.state == .returned && proposal.decisionReason.contains("case-1 was rolled back"))
            let again = try await office.calculate(run.runID)
            #expect(try await office.exceptions(again.runID, of: .payeeClosed).isEmpty)
            // Delivered again, the stop is not noted anew, and there is nothing more to take back.
            try await deliver(try step(14, .closure, on: "2026-04-10"), to: office.host)
            #expect(try await rollBack(office, steps: [14]).map(\.effects) == [[]])
            let notices = try office.host.store(of: "payments").read { reader in
                try reader.all(Statement("SELECT practice_code FROM closing_notice")) { $0.text(0) }
            }
            #expect(notices == ["A81002"], "what was announced stays readable")
        }
    }

    @Test("what two people approved, two people take back: the step is answered by hand and names it")
    func approvedIsByHand() async throws {
        try await PaymentsOffice.with { office in
            try await office.loadContracts("A81002,Two,GMS,2026-04-01,,16C,Y63,,Y,,,,,,,,")
            var planned = try step(5, .merger, on: "2026-07-01")
            planned.drugArrearsPayeeCode = "A81003"
            try await deliver(planned, to: office.host)
            let named = try #require(
                try await office.contracts().listContractRevisions(.init()).revisions.first)
            #expect(named.endContract && named.trailingPayeeCode == "A81003")
            _ = try await rollBack(office, steps: [5])
            try await deliver(try step(5, .merger, on: "2026-07-01"), to: office.host)
            let proposed = try #require(
                try await office.contracts().listContractRevisions(.init()).revisions.first)
            // On a quarter day there is no month in between: the end itself names who is paid what trails.
            #expect(proposed.endContract && proposed.trailingPayeeCode == "A81001")
            try await approveAll(office)
            let reports = try await rollBack(office, steps: [5])
            #expect(reports.map(\.outcome) == [.byHand])
            #expect(reports[0].effects.count == 1 && reports[0].effects[0].contains(proposed.revisionID))
            #expect(try proposals(office.host).map(\.state) == [.returned, .approved])
        }
    }

    @Test(
        "C9: a closing practice gets no line after its last day, and is an exception until its contract ends"
    )
    func c9() async throws {
        try await PaymentsOffice.with { office in
            try await office.loadContracts(
                "A81001,One,GMS,2026-04-01,,16C,Y63,,Y,,,,,,,,",
                "A81002,Two,GMS,2026-04-01,,16C,Y63,,Y,,,,,,,,")
            try await office.loadLists("2026-04-01", "A81001,5300,5210.40,0", "A81002,3900,3844.10,0")
            try await deliver(try step(14, .closure, on: "2026-05-10"), to: office.host)
            try await office.pay("2026-04")
            let run = try await office.calculate(try await office.open("2026-05").runID)
            let closed = try await office.exceptions(run.runID).filter { $0.kind == .payeeClosed }
            #expect(
                closed.map(\.practiceCode) == ["A81002"] && closed.allSatisfy { $0.severity == .blocking })
            try await deliver(try step(5, .closure, on: "2026-05-10"), to: office.host)
            try await approveAll(office)
            _ = try await office.runs().reopenRun(
                .with { ($0.runID, $0.thaw, $0.reason) = (run.runID, true, "the contract has ended") })
            let again = try await office.calculate(run.runID)
            try await office.approve(again)
            let may = try await office.statement("A81002", "2026-05").lines
            #expect(
                may.allSatisfy {
                    $0.periodTo.calendarDate.map { $0 < (CalendarDate(iso8601: "2026-05-10") ?? $0) } ?? false
                })
            #expect(may.count == 2)
            try await office.pay("2026-06")
            let none = try await refusal { _ = try await office.statement("A81002", "2026-06") }
            #expect(none.reason == PaymentsReasons.statementUnknown)
        }
    }
}
