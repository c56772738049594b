import PluginAPI
import Testing

@testable import PracticeChangesPlugin

func day(_ text: String) throws -> CalendarDate { try #require(CalendarDate(iso8601: text), "\(text)") }

@Suite("Rules of mergers and closures")
struct RulesTests {
    static func facts(received: String, effective: String, expedited: String = "", moves: Int = 0) throws
        -> GateFacts
    {
        GateFacts(
            receivedOn: try day(received), effectiveOn: try day(effective), expeditedBecause: expedited,
            practices: [
                .init(code: "A81002", isClosing: false, isOpen: true, commissioner: "16C", otherCase: nil),
                .init(code: "A81001", isClosing: true, isOpen: true, commissioner: "16C", otherCase: nil),
            ],
            approvedBy: ["16C"],
            performers: [.init(name: "Dr A", practice: "A81001", hasDestinationOrEnd: true)], isMerger: true,
            survivor: "A81002", branchCodes: ["A81002001"], accountChanges: false, bankVerification: "",
            noOpenBankChange: "bank list of the day", noOpenIncident: "incident list of the day",
            paymentMoves: moves)
    }

    static func failed(_ facts: GateFacts) -> [String] { Gates.all(facts).filter { !$0.passed }.map(\.name) }

    @Test(
        "example 18: 31 days need a reason, 42 pass; in the middle of a quarter the payments that move are listed"
    )
    func example18() throws {
        #expect(
            Self.failed(try Self.facts(received: "2026-03-01", effective: "2026-04-01")) == ["G2 six weeks"])
        let expedited = try Self.facts(
            received: "2026-03-01", effective: "2026-04-01", expedited: "the last partner retires")
        #expect(Self.failed(expedited).isEmpty)
        let middle = try Self.facts(received: "2026-03-01", effective: "2026-04-12")
        #expect(Self.failed(middle) == ["G7 quarter"])
        #expect(
            Self.failed(try Self.facts(received: "2026-03-01", effective: "2026-04-12", moves: 1)).isEmpty)
        #expect(Gates.notice(try Self.facts(received: "2026-03-02", effective: "2026-04-12")).passed == false)
        #expect(QuarterAlignment.globalSumMoves(try day("2026-04-12")) == (try day("2026-07-01")))
        #expect(QuarterAlignment.globalSumMoves(try day("2026-04-01")) == (try day("2026-04-01")))
    }

    @Test("each gate fails alone")
    func gates() throws {
        let good = try Self.facts(received: "2026-03-01", effective: "2026-07-01")
        #expect(Self.failed(good).isEmpty)
        func failing(_ change: (inout GateFacts) -> Void) -> [String] {
            var facts = good
            change(&facts)
            return Self.failed(facts)
        }
        #expect(failing { $0.practices[1].isOpen = false } == ["G1 open and commissioned"])
        #expect(failing { $0.practices[0].otherCase = "01J" } == ["G10 no other case"])
        #expect(failing { $0.approvedBy = [] } == ["G3 approvals"])
        #expect(failing { $0.practices[1].commissioner = "02Y" } == ["G3 approvals"])
        #expect(failing { $0.performers[0].hasDestinationOrEnd = false } == ["G4 performers"])
        #expect(failing { $0.performers = [] } == ["G4 performers"])
        for codes in [["A81001001"], ["A81002000"], ["A8100201"], ["A81002001", "A81002001"]] {
            #expect(failing { $0.branchCodes = codes } == ["G5 branch codes"])
        }
        #expect(failing { $0.accountChanges = true } == ["G6 bank verified"])
        #expect(failing { $0.noOpenBankChange = "" } == ["G8 no open bank change"])
        #expect(failing { $0.noOpenIncident = "" } == ["G9 no secure forms incident"])
    }

    @Test("every action in every state leads where the table of 15.2 says, and nowhere else")
    func lifecycle() {
        let allowed: [CaseAction: [CaseState: CaseState]] = [
            .revise: [.draft: .draft, .returned: .draft], .submit: [.draft: .submitted],
            .approve: [.submitted: .commissionerApproved], .returnNotice: [.submitted: .returned],
            .reject: [.submitted: .rejected], .receive: [.commissionerApproved: .received],
            .validate: [.received: .validated], .plan: [.validated: .planned],
            .begin: [.planned: .inProgress],
            .reportStep: [.inProgress: .inProgress, .effective: .effective, .rolledBack: .rolledBack],
            .decideGo: [.inProgress: .inProgress], .postpone: [.planned: .planned, .inProgress: .inProgress],
            .makeEffective: [.inProgress: .effective], .complete: [.effective: .completed],
            .withdraw: [
                .draft: .withdrawn, .submitted: .withdrawn, .returned: .withdrawn,
                .commissionerApproved: .withdrawn,
                .received: .withdrawn, .validated: .withdrawn, .planned: .withdrawn, .inProgress: .withdrawn,
            ],
            .rollBack: [.planned: .rolledBack, .inProgress: .rolledBack, .effective: .rolledBack],
        ]
        for action in CaseAction.allCases {
            for state in CaseState.allCases {
                #expect(action.next(from: state) == allowed[action]?[state], "\(action) from \(state)")
            }
        }
    }

    @Test("a step is due when its day has come and the steps before it are settled; blocked until then")
    func turning() throws {
        let today = try day("2026-05-20")
        func step(_ number: Int, _ state: StepState, _ due: String, _ after: [Int] = []) throws -> StepView {
            StepView(number: number, state: state, dueOn: try day(due), after: after, irreversibleAfter: nil)
        }
        let steps = [
            try step(1, .waiting, "2026-05-20"), try step(2, .waiting, "2026-05-20", [1]),
            try step(3, .waiting, "2026-05-21"), try step(4, .done, "2026-05-01"),
            try step(5, .blocked, "2026-05-10", [4]), try step(6, .failed, "2026-05-10"),
            try step(7, .waiting, "2026-05-10", [6]), try step(8, .notApplicable, "2026-05-10"),
            try step(9, .blocked, "2026-05-10", [8]),
        ]
        #expect(StepRules.turn(steps, on: today) == [1: .due, 2: .blocked, 5: .due, 7: .blocked, 9: .due])
    }

    @Test("no penny and no patient is lost or counted twice")
    func proofs() {
        func rules(_ proof: Proof, _ kind: ProofKind) -> [String] {
            ProofRules.faults(proof, kind).map(\.rule)
        }
        var proof = Proof(reference: "record 1")
        #expect(rules(proof, .reference).isEmpty)
        #expect(rules(Proof(), .reference) == ["15.3 proof"])
        #expect(rules(proof, .money) == ["15.3 money"])
        proof.money = .init(before: 100_00, after: 90_00, changes: [-15_00, 5_00])
        #expect(rules(proof, .money).isEmpty)
        proof.money = .init(before: 100_00, after: 90_01, changes: [-10_00])
        #expect(rules(proof, .money) == ["15.3 money"])
        proof.money = .init(before: .max, after: 0, changes: [1])
        #expect(rules(proof, .money) == ["15.3 money"])
        proof = Proof(reference: "record 1")
        #expect(rules(proof, .patients) == ["15.3 patients"])
        proof.patients = .init(
            closingBefore: 4_000, moved: 3_990, excluded: 10, receivingBefore: 9_000, receivingAfter: 12_990)
        #expect(rules(proof, .patients).isEmpty)
        proof.patients?.excluded = 9
        #expect(rules(proof, .patients) == ["15.3 patients"])
        proof.patients = .init(
            closingBefore: 4_000, moved: 4_000, excluded: 0, receivingBefore: 9_000, receivingAfter: 13_001)
        #expect(rules(proof, .patients) == ["15.3 patients"])
        #expect(rules(Proof(reference: "record 1"), .grants) == ["15.3 step 15"])
    }

    @Test("nothing can be rolled back once the register has the closing and patients have moved")
    func irreversible() throws {
        func steps(_ register: StepState, _ patients: StepState) throws -> [StepView] {
            let t = try day("2026-07-01")
            return [
                StepView(number: 12, state: register, dueOn: t, after: [], irreversibleAfter: 13),
                StepView(number: 13, state: patients, dueOn: t, after: [12], irreversibleAfter: nil),
            ]
        }
        #expect(!StepRules.isIrreversible(try steps(.done, .due)))
        #expect(!StepRules.isIrreversible(try steps(.due, .waiting)))
        #expect(StepRules.isIrreversible(try steps(.done, .done)))
    }
}
