import Accounting
import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Training through the public door (payments.md 9.5, 13 C2)")
struct TrainingMonthTests {
    private struct Desk {
        let office: PaymentsOffice

        func service(_ subject: TestSubject? = nil) async throws -> Pcs_Payments_V1_TrainingServiceClient {
            Pcs_Payments_V1_TrainingServiceClient(try await office.transport(subject ?? office.operating))
        }

        func placement(
            _ from: String, _ to: String, trainee: String = "T-100", area: String = "NORTH_WEST",
            employer: Pcs_Payments_V1_TraineeEmployer = .leadEmployer, pay: Int64 = 0, costs: Int64 = 0
        ) throws -> Pcs_Payments_V1_TraineePlacement {
            let (first, last) = (try day(from), try day(to))
            return .with {
                ($0.traineeRef, $0.practiceCode, $0.trainerRef, $0.area) = (trainee, "A81001", "R-7", area)
                ($0.grade, $0.employer) = (.st3, employer)
                $0.from = Pcs_Common_V1_Date(first)
                $0.to = Pcs_Common_V1_Date(last)
                ($0.annualPayPence, $0.annualEmployerCostsPence) = (pay, costs)
            }
        }

        func propose(_ placements: Pcs_Payments_V1_TraineePlacement...) async throws
            -> Pcs_Payments_V1_TrainingProposal
        {
            try await service().proposePlacements(
                .with { ($0.placements, $0.reason) = (placements, "August rotation") })
        }

        @discardableResult
        func approve(
            _ proposal: Pcs_Payments_V1_TrainingProposal, as subject: TestSubject? = nil
        ) async throws -> Pcs_Payments_V1_TrainingProposal {
            try await service(subject ?? office.approver).decideTraining(
                .with { ($0.proposalID, $0.approve) = (proposal.proposalID, true) })
        }

        /// `["TGRT 618.02", ...]` without the baseline.
        func lines(_ month: String) async throws -> [String] {
            shown(try await office.statement("A81001", month).lines).filter { !$0.hasPrefix("APMSB") }
        }

        func missing(_ runID: String) async throws -> [String] {
            try await office.exceptions(runID).filter { $0.kind == .expectedMissing }.map(\.message)
        }
    }

    private func withDesk(
        today: String = "2023-10-20", _ body: (Desk) async throws -> Void
    ) async throws {
        let today = try day(today)
        try await PaymentsOffice.with(clock: ManualClock(today)) { office in
            try await office.loadContracts(
                "A81001,One,APMS,2023-04-01,2032-04-01,16C,Y63,,,,,,,FIXED,120000.00,,")
            try await body(Desk(office: office))
        }
    }

    @Test(
        "E12 through the door: a grant each month in arrears, by trainee; a revision makes a difference line")
    func grants() async throws {
        try await withDesk { desk in
            let proposal = try await desk.propose(try desk.placement("2023-08-06", "2024-08-05"))
            try await desk.approve(proposal)
            try await desk.office.pay("2023-08")
            #expect(try await desk.lines("2023-08").isEmpty)
            try await desk.office.pay("2023-09")
            #expect(try await desk.lines("2023-09") == ["TGRT 618.02"])
            let line = try #require(try await desk.office.statement("A81001", "2023-09").lines.last)
            #expect(line.periodFrom == Pcs_Common_V1_Date.with { ($0.year, $0.month, $0.day) = (2023, 8, 1) })
            var revised = try #require(proposal.placements.first)
            #expect(!revised.placementID.isEmpty)
            revised.from.day = 16
            try await desk.approve(try await desk.propose(revised))
            try await desk.office.pay("2023-10")
            // September in full, and ten days of August taken back.
            #expect(try await desk.lines("2023-10") == ["TGRT 736.80", "TGRT -237.70"])
            let calendar = try await desk.service().getTraining(
                .with { ($0.practiceCode, $0.financialYear) = ("A81001", "2023/24") })
            #expect(calendar.placements.count == 1 && calendar.grants.count == 8)
            #expect(calendar.grants.prefix(3).map(\.amountPence) == [38_032, 73_680, 73_687])
            #expect(calendar.grants.prefix(3).map(\.runID) == ["2023-09-1", "2023-10-1", ""])
            #expect(
                calendar.grants[0].paidPence == 61_802 && calendar.grants.allSatisfy { $0.obstacle.isEmpty })
        }
    }

    @Test(
        "C2: a trainee placed on 1 August without a grant in the September run is an exception before approval"
    )
    func c2() async throws {
        try await withDesk { desk in
            let proposal = try await desk.propose(try desk.placement("2023-08-01", "2024-07-31"))
            try await desk.office.pay("2023-08")
            let run = try await desk.office.calculate(try await desk.office.open("2023-09").runID)
            let message =
                "no trainer grant for trainee T-100 at A81001 in 2023-08: the placement waits for its second person"
            #expect(try await desk.missing(run.runID) == [message])
            let blocked = try await refusal {
                _ = try await desk.office.runs().reviewRun(
                    .with { ($0.runID, $0.calculation) = (run.runID, run.calculation) })
            }
            #expect(blocked.reason == PaymentsReasons.exceptionsOpen)
            try await desk.office.approve(run)
            func calendar() async throws -> [String] {
                let id = proposal.placements.first?.placementID ?? ""
                return try await desk.service().getExpectedGrants(
                    .with { ($0.practiceCode, $0.placementID) = ("A81001", id) }
                ).grants.prefix(3).map { "\($0.month.month) \($0.paymentMonth.month) \($0.state) \($0.runID)" }
            }
            #expect(try await calendar() == ["8 9 missing ", "9 10 missing ", "10 11 missing "])
            // What comes late is paid by the next run; nothing is missing any more.
            try await desk.approve(proposal)
            #expect(try await calendar() == ["8 9 missing ", "9 10 waiting ", "10 11 waiting "])
            let next = try await desk.office.calculate(try await desk.office.open("2023-10").runID)
            #expect(try await desk.missing(next.runID).isEmpty)
            try await desk.office.approve(next)
            #expect(try await desk.lines("2023-10") == ["TGRT 736.80", "TGRT 736.87"])
            #expect(try await calendar() == ["8 9 paid 2023-10-1", "9 10 paid 2023-10-1", "10 11 waiting "])
            let unknown = try await refusal {
                _ = try await desk.service().getExpectedGrants(
                    .with { ($0.practiceCode, $0.placementID) = ("A81001", "nobody") })
            }
            #expect(unknown.reason == PaymentsReasons.traineePlacementUnknown)
        }
    }

    @Test("C2: an area without a rate and a practice whose payments are stopped are exceptions that say so")
    func c2Obstacles() async throws {
        try await withDesk { desk in
            try await desk.office.loadContracts(
                "A81002,Two,APMS,2023-04-01,2032-04-01,16C,Y63,,,,,,,FIXED,120000.00,,Y")
            var stopped = try desk.placement("2023-08-01", "2024-07-31", trainee: "T-200")
            stopped.practiceCode = "A81002"
            try await desk.approve(
                try await desk.propose(
                    try desk.placement("2023-08-01", "2024-07-31", area: "WESSEX"), stopped,
                    try desk.placement("2023-08-01", "2024-07-31", trainee: "T-300")))
            try await desk.office.pay("2023-08")
            let run = try await desk.office.calculate(try await desk.office.open("2023-09").runID)
            #expect(
                try await desk.missing(run.runID).sorted() == [
                    "no trainer grant for trainee T-100 at A81001 in 2023-08: the training rate GRANT_YEAR of WESSEX is not set",
                    "no trainer grant for trainee T-200 at A81002 in 2023-08: payments to the practice are stopped",
                ])
            try await desk.office.approve(run)
            #expect(try await desk.lines("2023-09") == ["TGRT 736.87"])
            // Something recorded for September has the month looked at again: the stop still holds.
            try await desk.approve(
                try await desk.propose(try desk.placement("2023-08-01", "2024-07-31", trainee: "T-400")))
            try await desk.office.pay("2023-10")
            #expect(try await desk.lines("2023-10") == ["TGRT 736.80", "TGRT 736.80", "TGRT 736.87"])
            let none = try await refusal { _ = try await desk.office.statement("A81002", "2023-10") }
            #expect(none.reason == PaymentsReasons.statementUnknown)
        }
    }

    @Test("outside lead-employer areas the trainee's pay is reimbursed by the set-up of the placement")
    func salary() async throws {
        try await withDesk { desk in
            try await desk.approve(
                try await desk.propose(
                    try desk.placement(
                        "2023-08-06", "2024-08-05", employer: .practice, pay: 4_800_000, costs: 1_200_000)))
            try await desk.office.pay("2023-08")
            try await desk.office.pay("2023-09")
            // 60,000 a year: 5,000 a month, 26 days of 31.
            #expect(try await desk.lines("2023-09") == ["TGRT 618.02", "TSAL 4193.55"])
        }
    }

    @Test("a supervision report and a trainer's year are each paid once; a figure that is not set is refused")
    func payments() async throws {
        try await withDesk { desk in
            let placed = try await desk.approve(
                try await desk.propose(try desk.placement("2023-04-05", "2024-04-02")))
            let id = try #require(placed.placements.first?.placementID)
            func payment(_ kind: Pcs_Payments_V1_TrainingPaymentKind, _ text: String) throws
                -> Pcs_Payments_V1_TrainingPayment
            {
                let day = try day(text)
                return .with { ($0.kind, $0.placementID, $0.on) = (kind, id, Pcs_Common_V1_Date(day)) }
            }
            func propose(_ payments: Pcs_Payments_V1_TrainingPayment...) async throws
                -> Pcs_Payments_V1_TrainingProposal
            {
                try await desk.service().proposeTrainingPayments(
                    .with { ($0.payments, $0.reason) = (payments, "reports of the summer") })
            }
            let both = try await propose(
                try payment(.supervisionReport, "2023-09-20"),
                try payment(.professionalDevelopment, "2023-06-01"))
            let waiting = try await refusal {
                _ = try await propose(try payment(.supervisionReport, "2023-09-21"))
            }
            #expect(waiting.violations.map(\.field) == ["payments[0].on"])
            try await desk.approve(both)
            try await desk.office.pay("2023-09")
            #expect(try await desk.lines("2023-09") == ["TGRT 736.87", "TESR 250.00", "TCPD 750.00"])
            let twice = try await refusal {
                _ = try await propose(
                    try payment(.supervisionReport, "2023-08-01"),
                    try payment(.professionalDevelopment, "2023-10-01"),
                    try payment(.supervisionReport, "2023-11-01"),
                    try payment(.supervisionReport, "2023-01-01"))
            }
            #expect(
                twice.violations.map(\.field) == [
                    "payments[0].on", "payments[1].on", "payments[2].on", "payments[3].on",
                ])
            // The second six months.
            let next = try await propose(try payment(.supervisionReport, "2023-10-10"))
            #expect(next.state == .proposed)
        }
    }

    @Test("every fault of a proposal is named with its place, and nothing is kept")
    func faults() async throws {
        try await withDesk { desk in
            var bad = try desk.placement("2023-08-06", "2023-08-01", trainee: "A trainee's name", area: "ALL")
            (bad.practiceCode, bad.grade, bad.employer) = ("A8100", .unspecified, .unspecified)
            var paid = try desk.placement("2023-08-06", "2024-08-01", pay: 1)
            paid.absences = [
                .with {
                    $0.from = paid.from
                    $0.to = Pcs_Common_V1_Date.with { ($0.year, $0.month, $0.day) = (2025, 1, 1) }
                }
            ]
            var unknown = try desk.placement("2024-08-06", "2025-08-01")
            unknown.placementID = "nobody"
            let overlapping = try desk.placement("2024-07-01", "2024-09-01")
            let refused = try await refusal { _ = try await desk.propose(bad, paid, unknown, overlapping) }
            #expect(
                refused.violations.map(\.field) == [
                    "placements[0].to", "placements[0].practice_code", "placements[0].trainee_ref",
                    "placements[0].grade", "placements[0].employer", "placements[0].area",
                    "placements[1].annual_pay_pence", "placements[1].absences[0].kind",
                    "placements[2].placement_id",
                    "placements[3].from",
                ])
            let empty = try await refusal {
                _ = try await desk.service().proposePlacements(.with { $0.reason = "no" })
            }
            #expect(empty.violations.map(\.field) == ["reason", "placements"])
            #expect(try await desk.service().listTrainingProposals(.init()).proposals.isEmpty)
        }
    }

    @Test("nobody decides what they proposed; decided is decided; a practice sees its own placements only")
    func people() async throws {
        try await withDesk { desk in
            let both = try await desk.office.host.person(
                "oscar", roles: [Roles.paymentsOperator, Roles.paymentsApprover])
            let placement = try desk.placement("2023-08-06", "2024-08-05")
            let own = try await desk.service(both).proposePlacements(
                .with { ($0.placements, $0.reason) = ([placement], "one rotation") })
            let same = try await refusal { try await desk.approve(own, as: both) }
            #expect(same.reason == HostReasons.secondPersonRequired)
            let returned = try await desk.service(desk.office.approver).decideTraining(
                .with { ($0.proposalID, $0.reason) = (own.proposalID, "not this year") })
            #expect(returned.state == .returned)
            let again = try await refusal { try await desk.approve(own) }
            #expect(again.reason == PaymentsReasons.alreadyDecided)
            let none = try await refusal { try await desk.approve(.with { $0.proposalID = "none" }) }
            #expect(none.reason == PaymentsReasons.trainingProposalUnknown)
        }
    }

    @Test(
        "retention is paid each month, refused beyond five years with all memberships of the doctor together")
    func retention() async throws {
        try await withDesk { desk in
            func membership(_ from: String, _ to: String, sessions: Int32 = 4, id: String = "") throws
                -> Pcs_Payments_V1_RetentionMembership
            {
                let (first, last) = (try day(from), try day(to))
                return .with {
                    ($0.doctorRef, $0.practiceCode, $0.sessions, $0.membershipID) = (
                        "1234567", "A81001", sessions, id
                    )
                    $0.from = Pcs_Common_V1_Date(first)
                    $0.to = Pcs_Common_V1_Date(last)
                }
            }
            func propose(_ memberships: Pcs_Payments_V1_RetentionMembership...) async throws
                -> Pcs_Payments_V1_TrainingProposal
            {
                try await desk.service().proposeRetention(
                    .with { ($0.memberships, $0.reason) = (memberships, "agreed with the dean") })
            }
            let tooLong = try await refusal {
                _ = try await propose(try membership("2023-10-01", "2028-10-01"))
            }
            #expect(tooLong.violations.map(\.field) == ["memberships[0].to"])
            let approved = try await desk.approve(
                try await propose(try membership("2023-10-01", "2026-09-30")))
            try await desk.office.pay("2023-10")
            #expect(try await desk.lines("2023-10") == ["RETN 1333.28"])
            // Three years are taken: two are left, whenever they begin.
            let third = try await refusal {
                _ = try await propose(try membership("2027-01-01", "2029-01-01"))
            }
            #expect(third.violations.map(\.field) == ["memberships[0].to"])
            let within = try await propose(try membership("2027-01-01", "2028-12-30"))
            #expect(within.state == .proposed)
            let clash = try await refusal {
                _ = try await propose(try membership("2026-09-30", "2026-12-31"))
            }
            #expect(clash.violations.map(\.field).contains("memberships[0].from"))
            let wrong = try await refusal {
                _ = try await propose(try membership("2029-06-01", "2029-07-01", sessions: 10))
            }
            #expect(wrong.violations.map(\.field).contains("memberships[0].sessions"))
            // Fewer sessions from the start: the difference is taken back once.
            let id = try #require(approved.memberships.first?.membershipID)
            try await desk.approve(
                try await propose(try membership("2023-10-01", "2026-09-30", sessions: 2, id: id)))
            try await desk.office.pay("2023-11")
            #expect(try await desk.lines("2023-11") == ["RETN 666.64", "RETN -666.64"])
        }
    }

    @Test("a retained doctor's expenses are paid by sessions where they are claimed; while no scale is set the run says so")
    func retentionExpenses() async throws {
        try await withDesk { desk in
            func membership(
                _ doctor: String, sessions: Int32, expenses: Bool, to: String = "2026-09-30", id: String = ""
            ) throws -> Pcs_Payments_V1_RetentionMembership {
                let (first, last) = (try day("2023-10-01"), try day(to))
                return .with {
                    ($0.doctorRef, $0.practiceCode, $0.sessions) = (doctor, "A81001", sessions)
                    ($0.expenses, $0.membershipID) = (expenses, id)
                    $0.from = Pcs_Common_V1_Date(first)
                    $0.to = Pcs_Common_V1_Date(last)
                }
            }
            func approve(_ memberships: [Pcs_Payments_V1_RetentionMembership]) async throws
                -> [Pcs_Payments_V1_RetentionMembership]
            {
                try await desk.approve(
                    try await desk.service().proposeRetention(
                        .with { ($0.memberships, $0.reason) = (memberships, "agreed with the dean") })
                ).memberships
            }
            // Six sessions are paid as four; the other doctor claims none and is not asked for the scale.
            let members = try await approve([
                try membership("1234567", sessions: 6, expenses: true),
                try membership("7654321", sessions: 2, expenses: false),
            ])
            #expect(members.map(\.expenses) == [true, false])
            let october = try await desk.office.calculate(try await desk.office.open("2023-10").runID)
            #expect(
                try await desk.missing(october.runID) == [
                    "no expenses of the retention scheme for doctor 1234567 in 2023-10: the rate retention_expenses_4 "
                        + "is not set"
                ])
            #expect(october.blockingExceptionsOpen >= 1)
            try await desk.office.approve(october)
            #expect(try await desk.lines("2023-10").sorted() == ["RETN 1333.28", "RETN 666.64"])

            try await desk.office.setRate("retention_expenses_4", "4000", from: "2023-04-01", to: "2024-04-01")
            let november = try await desk.office.pay("2023-11")
            #expect(try await desk.missing(november.runID).isEmpty)
            #expect(
                try await desk.lines("2023-11").sorted() == [
                    "RETN 1333.28", "RETN 333.33", "RETN 333.33", "RETN 666.64",
                ])
            #expect(try await desk.office.statement("A81001", "2023-11").lines.filter(\.isRetro).count == 1)

            // Ends within December: both lines are for 17 of its 31 days, and show it.
            _ = try await approve([
                try membership("1234567", sessions: 6, expenses: true, to: "2023-12-17", id: members[0].membershipID)
            ])
            try await desk.office.pay("2023-12")
            let lines = try await desk.office.statement("A81001", "2023-12").lines.filter { $0.paycode == "RETN" }
            #expect(shown(lines).sorted() == ["RETN 182.80", "RETN 666.64", "RETN 731.15"])
            #expect(
                Set(lines.map(\.basis)) == ["SESSIONS x 52/12", "SESSIONS x 52/12 x 17/31", "EXPENSES/12 x 17/31"])
            for line in lines {
                #expect(try ShownFigures.agrees(line), "\(line.basis)")
                let explained = try await desk.office.statements().explainLine(
                    .with { ($0.practiceCode, $0.runID, $0.lineNumber) = ("A81001", "2023-12-1", line.lineNumber) })
                #expect(explained.replayedPence == line.amountPence)
            }
        }
    }
}
