import CommonContract
import CqrsContract
import CaseworkContract
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@testable import PaymentsPlugin

@Suite("Closing a contract with its final statement (payments.md 2.2)")
struct ContractClosingTests {
    private struct Desk {
        let changes: ContractChangeTests.Desk
        var office: PaymentsOffice { changes.office }

        func service(_ subject: TestSubject? = nil) async throws
            -> Pcs_Payments_V1_ContractClosingServiceClient
        {
            Pcs_Payments_V1_ContractClosingServiceClient(
                try await office.transport(subject ?? changes.editor))
        }

        func standing(_ code: String = "A81001") async throws -> Pcs_Payments_V1_ContractStanding {
            try await service().getContractStatus(.with { $0.practiceCode = code })
        }

        func propose() async throws -> Pcs_Payments_V1_ContractClosing {
            try await service().proposeContractClosing(
                .with { ($0.practiceCode, $0.reason) = ("A81001", "everything is paid") })
        }

        /// Kinds of what a refusal names.
        func open() async throws -> [String] {
            let failure = try await refusal { _ = try await propose() }
            #expect(failure.reason == PaymentsReasons.contractNotSettled)
            return failure.violations.map(\.field)
        }

        func decide(
            _ closing: Pcs_Payments_V1_ContractClosing, as subject: TestSubject, approve: Bool = true
        ) async throws -> Pcs_Payments_V1_ContractClosing {
            try await service(subject).decideContractClosing(
                .with {
                    ($0.practiceCode, $0.closingID, $0.approve) = ("A81001", closing.closingID, approve)
                    $0.reason = approve ? "" : "wait for the auditor"
                })
        }

        func status() async throws -> Pcs_Payments_V1_ContractStatus {
            try await office.contracts().getContract(.with { $0.practiceCode = "A81001" }).status
        }

        /// A late achievement of the quality service.
        func instruct(_ id: String, pence: Int64) async throws {
            let event = Pcs_Cqrs_V1_PaymentInstructed.with {
                ($0.instructionID, $0.declarationID, $0.payeeCode) = (id, "d-" + id, "A81001")
                ($0.providerCode, $0.payCode, $0.grossPence) = ("A81001", "LIS", pence)
                $0.period = Pcs_Common_V1_Month(year: 2026, month: 2)
                $0.releaseDate = .with { ($0.year, $0.month, $0.day) = (2026, 3, 16) }
            }
            try await office.host.store(of: "payments").write(actor: "cqrs") {
                try QualityEvents.instruct(event, $0)
            }
        }
    }

    private func withDesk(_ body: (Desk) async throws -> Void) async throws {
        try await ContractChangeTests.withDesk { try await body(Desk(changes: $0)) }
    }

    @Test("a contract is closed when everything is paid; what comes late stops the run until a person accepts it")
    func wholeLife() async throws {
        try await withDesk { desk in
            let office = desk.office
            #expect(try await desk.status() == .active)
            #expect(try await desk.standing().openMatters.isEmpty)
            _ = try await desk.changes.monthly("A81001,LIS,winter scheme,ONEOFF,250.00,2026-05,,250.00,,")
            try await office.endContract(from: "2026-04-01")
            let ended = try office.published(Pcs_Payments_V1_ContractEnded.self)
            #expect(ended.map(\.practiceCode) == ["A81001"] && ended[0].contractType == .pms)
            #expect(ended[0].lastDay.calendarDate == (try day("2026-03-31")) && ended[0].trailingPayeeCode == "A81001")
            #expect(try await desk.status() == .closing)
            #expect(try await desk.standing().openMatters.map(\.kind) == ["contract"])
            #expect(try await desk.open() == ["contract"])
            try await office.host.advance(days: 20)
            // Not yet paid: the month itself, the amount of May.
            #expect(try await desk.open() == ["amount", "run"])
            try await office.pay("2026-03")
            #expect(try await desk.open() == ["amount", "run"])
            try await office.pay("2026-04")
            let waiting = try await desk.standing()
            #expect(waiting.status == .closing && waiting.openMatters.map(\.pence) == [25_000])
            #expect(waiting.lastDay.calendarDate == (try day("2026-03-31")))
            #expect(try await desk.open() == ["amount"])
            try await office.pay("2026-05")

            let proposed = try await desk.propose()
            #expect(proposed.state == .proposed && proposed.finalStatementID == "2026-05-1/A81001")
            let twice = try await refusal { _ = try await desk.propose() }
            #expect(twice.reason == PaymentsReasons.contractClosingStateWrong)
            let both = try await office.host.grant([Roles.commissionerApprover], at: "16C", to: desk.changes.editor)
            let own = try await refusal { _ = try await desk.decide(proposed, as: both) }
            #expect(own.reason == HostReasons.secondPersonRequired)
            #expect(try await desk.decide(proposed, as: desk.changes.approver, approve: false).state == .returned)
            let again = try await desk.propose()
            let closed = try await desk.decide(again, as: desk.changes.approver)
            #expect(closed.state == .approved && closed.decidedBy == "cas")
            let standing = try await desk.standing()
            #expect(standing.status == .closed && standing.closings.map(\.state) == [.returned, .approved])
            let events = try office.published(Pcs_Payments_V1_ContractClosed.self)
            #expect(events.map(\.finalStatementID) == ["2026-05-1/A81001"])
            #expect(try await refusal { _ = try await desk.propose() }.reason == PaymentsReasons.contractClosingStateWrong)
            let tasks = try office.published(Pcs_Casework_V1_TaskRequested.self).map(\.record.kind)
            #expect(tasks.filter { $0 == "contract-closing" }.count == 2)

            try await desk.instruct("late", pence: 12_500)
            let run = try await office.calculate(try await office.open("2026-06").runID)
            let late = try await office.exceptions(run.runID, of: .contractClosed)
            #expect(
                late.map(\.message) == [
                    "the contract ended on 2026-03-31 and was closed with statement 2026-05-1/A81001: 1 lines of 125.00 "
                        + "came late"
                ])
            #expect(late.allSatisfy { $0.severity == .blocking && $0.nowPence == 12_500 })
            let blocked = try await refusal {
                _ = try await office.runs().reviewRun(
                    .with { ($0.runID, $0.calculation) = (run.runID, run.calculation) })
            }
            #expect(blocked.reason == PaymentsReasons.exceptionsOpen)
            try await office.approve(run)
            #expect(try await office.statement("A81001", "2026-06").netPence == 12_500)
        }
    }

    @Test("withholdings, set-offs, differences, a carried balance and dispensing still to come keep a contract open")
    func openMatters() async throws {
        try await withDesk { desk in
            let office = desk.office
            let withholding = Pcs_Payments_V1_WithholdingServiceClient(
                try await office.transport(desk.changes.editor))
            let first = Pcs_Common_V1_Month(year: 2026, month: 3)
            _ = try await withholding.proposeWithholding(
                .with {
                    ($0.payeeCode, $0.reason, $0.amountPence) = ("A81001", "list not returned", 1_000)
                    $0.firstMonth = first
                })
            _ = try await withholding.proposeSetOff(
                .with {
                    ($0.payeeCode, $0.amountPence, $0.reason) = ("A81001", 9_000, .overpayment)
                    ($0.months, $0.debtReference) = (3, "overpaid rates of 2025")
                    $0.note = "rates of 2025"
                    $0.firstMonth = first
                })
            try await office.pay("2026-03")
            try await office.pay("2026-04")
            // Known late: April comes back, more than May has.
            try await office.endContract(from: "2026-04-01")
            let proposal = try await office.contracts().reviseContract(
                .with {
                    ($0.practiceCode, $0.endContract, $0.reason) = ("A81001", true, "another day")
                    $0.effectiveFrom = .with { ($0.year, $0.month, $0.day) = (2026, 4, 1) }
                })
            try await office.host.advance(days: 60)
            #expect(try await desk.open() == ["revision", "withholding", "set-off", "lines", "lines"])
            let lines = try await desk.standing().openMatters.filter { $0.kind == "lines" }
            #expect(lines.map { "\($0.reference) \($0.pence)" } == ["PMSB -1000000", "BCFD 1000000"])
            _ = try await office.contracts(office.approver).decideContractRevision(
                .with {
                    ($0.practiceCode, $0.revisionID, $0.reason) = ("A81001", proposal.revisionID, "the day stands")
                })
            try await office.pay("2026-05")
            // The debt is carried from run to run, and stays open.
            let carried = try await desk.standing().openMatters.filter { $0.kind == "lines" }
            #expect(carried.map(\.reference) == ["BCFD", "BCFD"])
        }
    }

    @Test("months of dispensing that have not come, or wait, keep a contract open")
    func dispensing() async throws {
        let today = try day("2025-08-20")
        try await PaymentsOffice.with(clock: ManualClock(today)) { office in
            try await office.loadContracts("A81001,One,APMS,2025-04-01,2025-06-01,16C,Y63,,,,,,,FIXED,120000.00,,")
            let service = Pcs_Payments_V1_DispensingServiceClient(try await office.transport(office.operating))
            let closing = Pcs_Payments_V1_ContractClosingServiceClient(try await office.transport(office.operating))
            func load(_ month: Int32) async throws -> Pcs_Payments_V1_DispensingLoad {
                let text =
                    DispensingFile.columns.joined(separator: ",")
                    + "\nA81001,2025-0\(month),DISPENSING,1200,1,9500.00,100.00,50.00\n"
                return try await service.loadDispensing([
                    .with {
                        $0.month = .with { ($0.year, $0.month) = (2025, month) }
                        ($0.fileName, $0.data) = ("d\(month).csv", .init(text.utf8))
                    }
                ])
            }
            func authorise(_ load: Pcs_Payments_V1_DispensingLoad) async throws {
                let deciding = Pcs_Payments_V1_DispensingServiceClient(try await office.transport(office.approver))
                _ = try await deciding.decideDispensing(
                    .with {
                        ($0.loadID, $0.authorise, $0.controlTotalPence) = (load.loadID, true, load.basicPricePence)
                    })
            }
            func open() async throws -> Set<String> {
                Set(
                    try await closing.getContractStatus(.with { $0.practiceCode = "A81001" }).openMatters.map {
                        "\($0.kind) \($0.words)"
                    })
            }
            try await authorise(try await load(4))
            for month in ["2025-04", "2025-05", "2025-06"] { try await office.pay(month) }
            let first = try await open()
            #expect(first.contains("dispensing dispensing of 2025-05 has not come"))
            #expect(first.contains("lines the run of 2025-07 would pay it for 2025-07"))
            let may = try await load(5)
            #expect(try await open().contains("dispensing dispensing of 2025-05 waits to be authorised"))
            try await authorise(may)
            try await office.pay("2025-07")
            #expect(try await open() == ["lines the run of 2025-08 would pay it for 2025-08"])
            try await office.pay("2025-08")
            #expect(try await open().isEmpty)
        }
    }

    @Test("the status follows from the records, day by day")
    func status() throws {
        let (code, gms) = (try practice("A81001"), try PaymentTerms.gms())
        func terms(_ payment: PaymentTerms) -> ContractTerms {
            ContractTerms(payment: payment, practiceName: "One", commissioner: "16C", region: "Y63", payee: code)
        }
        func status(
            _ records: [ContractRecord], _ text: String, decided: Bool = true, closed: String? = nil
        ) throws -> ContractStatus? {
            .of(
                ContractTimeline(practice: code, records: records), on: try day(text), isEndDecided: decided,
                closedOn: try closed.map { try day($0) })
        }
        var stopped = gms
        stopped.isStopped = true
        let open = ContractRecord(version: 1, from: try day("2026-04-01"), terms: terms(gms))
        let held = ContractRecord(version: 2, from: try day("2026-06-01"), terms: terms(stopped))
        let end = ContractRecord(version: 3, from: try day("2026-07-01"), terms: nil)
        let later = ContractRecord(version: 4, from: try day("2026-09-01"), terms: terms(gms))
        #expect(try status([], "2026-04-01") == nil)
        #expect(try status([open], "2026-03-31") == .pending)
        #expect(try status([open], "2026-04-01") == .active)
        #expect(try status([open, held], "2026-06-01") == .suspended)
        #expect(try status([open, held, end], "2026-06-30") == .closing)
        #expect(try status([open, held, end], "2026-06-30", decided: false) == .suspended)
        #expect(try status([open, held, end], "2026-07-01", decided: false) == .closing)
        #expect(try status([open, end], "2026-07-01", closed: "2026-06-30") == .closed)
        #expect(try status([open, end], "2026-07-01", closed: "2026-05-31") == .closing)
        #expect(try status([open, end, later], "2026-08-31", closed: "2026-06-30") == .pending)
        #expect(try status([open, end, later], "2026-09-01", closed: "2026-06-30") == .active)
    }
}
