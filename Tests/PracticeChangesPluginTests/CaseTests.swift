import CaseworkContract
import ChangesContract
import CommonContract
import Foundation
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Cases of mergers and closures")
struct CaseTests {
    @Test("two real practices merge: every state to completed, each step with its effects and proof")
    func merger() async throws {
        try await ChangesOffice.with { office in
            let planned = try await office.planned()
            let id = planned.caseID
            #expect(planned.state == .planned)
            #expect(planned.quarterAligned)
            #expect(planned.gates.count == 10)
            #expect(planned.steps.count == 20)
            #expect(planned.steps.map(\.dueOn.calendarDate).first == (try day("2026-05-20")))
            try await office.on("2026-05-20")
            #expect(try await office.get(id).state == .inProgress)
            let told = try office.host.store(of: "changes").read { reader in
                try reader.all(
                    Statement("SELECT payload FROM pcs_outbox WHERE event_type = ?1"),
                    [.text(Pcs_Changes_V1_ChangeStepDue.protoMessageName)]
                ) { try Pcs_Changes_V1_ChangeStepDue(serializedBytes: $0.blob(0)) }
            }
            #expect(!told.isEmpty && told.allSatisfy { $0.drugArrearsPayeeCode == ChangesOffice.survivor })
            #expect(try await office.state(1, of: id) == .done)
            try await office.report(2, of: id)
            try await office.on("2026-06-17")
            try await office.report(3...10, of: id)
            try await office.on("2026-06-24")
            #expect(try await office.state(11, of: id) == .due)
            _ = try await office.go(id)
            let gone = try await office.go(id, as: office.secondCoordinator)
            #expect(gone.steps.first { $0.number == 11 }?.state == .done)
            try await office.on("2026-07-01")
            #expect(try await office.state(12, of: id) == .due)
            #expect(try await office.state(13, of: id) == .blocked)
            try await office.loadClosing(on: "2026-06-30", published: "2026-07-01")
            let effective = try await office.get(id)
            #expect(effective.state == .effective)
            #expect(try office.published(Pcs_Changes_V1_ChangeEffective.protoMessageName) == 1)
            try await office.report(13...17, of: id)
            try await office.on("2026-07-31")
            try await office.report(18, of: id)
            let early = try await refusal {
                _ = try await office.cases().completeCase(.with { $0.caseID = id })
            }
            #expect(early.reason == ChangesReasons.stepsOpen)
            #expect(early.violations.count == 2)
            try await office.on("2026-09-29")
            try await office.report(20, of: id)
            try await office.on("2027-03-31")
            try await office.report(19, of: id)
            let completed = try await office.cases().completeCase(.with { $0.caseID = id })
            #expect(completed.state == .completed)
            #expect(
                completed.steps.allSatisfy {
                    $0.state == .done && !($0.reports.last?.effects.isEmpty ?? true)
                })
            for step in completed.steps {
                print(
                    "step \(step.number) \(step.dueOn.calendarDate?.description ?? ""): \(step.reports.last?.effects ?? [])"
                )
            }
            try await evidence(id, office)
        }
    }

    private func evidence(_ id: String, _ office: ChangesOffice) async throws {
        var bytes = Data()
        var sum = ""
        for try await chunk in try await office.progress().exportEvidencePack(.with { $0.caseID = id }) {
            bytes += chunk.data
            if !chunk.sha256.isEmpty { sum = chunk.sha256 }
        }
        let pack = try Pcs_Changes_V1_EvidencePack(jsonUTF8Bytes: Array(bytes))
        #expect(pack.case.state == .completed)
        #expect(pack.notices.count == 1)
        #expect(sum.count == 64)
    }

    @Test("example 18: a notice of 31 days is refused until the commissioner says why it is expedited")
    func example18() async throws {
        try await ChangesOffice.with { office in
            // The clock stands at 16 March; 31 days later is 16 April, in the middle of a quarter.
            let notice = try ChangesOffice.notice(effective: "2026-04-16")
            let plain = try await office.approve(try await office.submitted(notice))
            #expect(plain.quarterAligned == false)
            #expect(plain.globalSumMovesOn.calendarDate == (try day("2026-07-01")))
            _ = try await office.cases().receiveCase(.with { $0.caseID = plain.caseID })
            let refused = try await refusal { _ = try await office.validate(plain.caseID) }
            #expect(refused.reason == ChangesReasons.gatesNotPassed)
            #expect(Set(refused.violations.map(\.rule)) == ["G2 six weeks", "G7 quarter"])
            #expect(try await office.get(plain.caseID).state == .received)
            _ = try await office.notices(office.coordinator).withdrawNotice(
                .with { ($0.caseID, $0.reason) = (plain.caseID, "sent again, expedited") })
            let second = try await office.approve(
                try await office.submitted(notice), expedited: "the last partner retires", moves: true)
            _ = try await office.cases().receiveCase(.with { $0.caseID = second.caseID })
            #expect(try await office.validate(second.caseID).state == .validated)
        }
    }

    @Test("example 19: the step of the users takes an approved migration of grants or none, never nothing")
    func example19() async throws {
        try await ChangesOffice.with { office in
            let id = try await effective(office)
            let silent = try await refusal {
                try await office.report(15, of: id, proof: .with { $0.reference = "users list" })
            }
            #expect(silent.reason == ChangesReasons.stepProofWrong)
            #expect(silent.violations.map(\.rule) == ["15.3 step 15"])
            let named = try await office.report(
                15, of: id,
                proof: .with { ($0.reference, $0.grantMigrationID) = ("two of nine users", "migration-7") })
            let report = named.steps.first { $0.number == 15 }?.reports.last
            #expect(report?.proof.grantMigrationID == "migration-7")
        }
    }

    /// A case up to the register's closing.
    private func effective(_ office: ChangesOffice) async throws -> String {
        let id = try await office.planned().caseID
        try await office.on("2026-06-24")
        try await office.report(2...10, of: id)
        _ = try await office.go(id)
        _ = try await office.go(id, as: office.secondCoordinator)
        try await office.on("2026-07-01")
        try await office.loadClosing(on: "2026-06-30", published: "2026-07-01")
        #expect(try await office.get(id).state == .effective)
        return id
    }

    @Test("practices of two commissioners need the approval of both, by other people than the submitter")
    func crossCommissioner() async throws {
        try await ChangesOffice.with { office in
            let first = try await office.host.person("fay", roles: [Roles.commissionerApprover], at: "02Q")
            let second = try await office.host.person("sid", roles: [Roles.commissionerApprover], at: "02Y")
            let notice = try ChangesOffice.notice(
                effective: "2026-07-01", closing: "C84101", survivor: "B81101")
            let submitted = try await office.submitted(notice)
            #expect(submitted.approvalsMissing == ["02Q", "02Y"])
            let stranger = try await refusal { _ = try await office.approve(submitted, practice: "C84101") }
            #expect(stranger.reason == HostReasons.organisationOutOfScope)
            let half = try await office.approve(submitted, as: first, practice: "C84101")
            #expect(half.state == .submittedToCommissioner)
            #expect(half.approvalsMissing == ["02Y"])
            let again = try await refusal {
                _ = try await office.approve(half, as: first, practice: "C84101")
            }
            #expect(again.reason == ChangesReasons.alreadyDecided)
            let stale = try await refusal {
                _ = try await office.approve(submitted, as: second, practice: "B81101")
            }
            #expect(stale.reason == ChangesReasons.caseChanged)
            let both = try await office.approve(half, as: second, practice: "B81101")
            #expect(both.state == .commissionerApproved)
        }
    }

    @Test(
        "a notice without its mandatory fields is refused with all of them named, and a returned one is revised"
    )
    func incomplete() async throws {
        try await ChangesOffice.with { office in
            var notice = try ChangesOffice.notice(effective: "2026-07-01")
            notice.closing[0].address = ""
            notice.closing[0].performers[0].gmcNumber = "12"
            notice.common = .init()
            let draft = try await office.notices().draftNotice(
                .with { ($0.practiceCode, $0.notice) = (ChangesOffice.closing, notice) })
            let failure = try await refusal {
                _ = try await office.notices().submitNotice(
                    .with { ($0.caseID, $0.practiceCode) = (draft.caseID, ChangesOffice.closing) })
            }
            #expect(failure.reason == ChangesReasons.noticeIncomplete)
            #expect(failure.violations.count == 6)
            let whole = try ChangesOffice.notice(effective: "2026-07-01")
            _ = try await office.notices(office.survivorManager).reviseNotice(
                .with {
                    ($0.caseID, $0.practiceCode, $0.notice) = (draft.caseID, ChangesOffice.survivor, whole)
                })
            let submitted = try await office.notices().submitNotice(
                .with { ($0.caseID, $0.practiceCode) = (draft.caseID, ChangesOffice.closing) })
            let returned = try await office.approve(submitted, decision: .return)
            #expect(returned.state == .returned)
            let late = try await refusal { _ = try await office.approve(returned) }
            #expect(late.reason == ChangesReasons.caseStateWrong)
        }
    }

    @Test("what an action needs it must have: every action of the coordinator is refused in a draft")
    func illegal() async throws {
        try await ChangesOffice.with { office in
            let notice = try ChangesOffice.notice(effective: "2026-07-01")
            let draft = try await office.notices().draftNotice(
                .with { ($0.practiceCode, $0.notice) = (ChangesOffice.closing, notice) })
            let id = draft.caseID
            let effectiveOn = Pcs_Common_V1_Date(try day("2026-10-01"))
            let actions: [(Pcs_Changes_V1_ChangeCaseServiceClient) async throws -> Pcs_Changes_V1_Case] = [
                { try await $0.receiveCase(.with { $0.caseID = id }) },
                { try await $0.validateCase(.with { $0.caseID = id }) },
                { try await $0.planCase(.with { $0.caseID = id }) },
                { try await $0.completeCase(.with { $0.caseID = id }) },
                { try await $0.rollBackCase(.with { ($0.caseID, $0.reason) = (id, "no longer") }) },
                { try await $0.decideGo(.with { ($0.caseID, $0.go, $0.reason) = (id, true, "go on") }) },
                {
                    try await $0.postponeCase(
                        .with { ($0.caseID, $0.effectiveOn, $0.reason) = (id, effectiveOn, "later") })
                },
                { try await $0.reportStep(.with { ($0.caseID, $0.step, $0.outcome) = (id, 1, .done) }) },
            ]
            for action in actions {
                let failure = try await refusal { _ = try await action(try await office.cases()) }
                #expect(failure.reason == ChangesReasons.caseStateWrong)
            }
            #expect(try await office.get(id).version == draft.version)
        }
    }

    @Test("one person cannot say go twice; a no-go holds everything until all days are moved")
    func goAndPostpone() async throws {
        try await ChangesOffice.with { office in
            let id = try await office.planned().caseID
            try await office.on("2026-06-24")
            try await office.report(2...10, of: id)
            _ = try await office.go(id)
            let twice = try await refusal { _ = try await office.go(id) }
            #expect(twice.reason == HostReasons.secondPersonRequired)
            _ = try await office.go(id, false, as: office.secondCoordinator)
            let held = try await refusal { _ = try await office.go(id, as: office.secondCoordinator) }
            #expect(held.reason == ChangesReasons.alreadyDecided)
            let october = Pcs_Common_V1_Date(try day("2026-10-01"))
            let postponed = try await office.cases().postponeCase(
                .with { ($0.caseID, $0.effectiveOn, $0.reason) = (id, october, "the new site is not ready") })
            #expect(postponed.goDecisions.isEmpty)
            #expect(postponed.steps.first { $0.number == 11 }?.dueOn.calendarDate == (try day("2026-09-24")))
            #expect(postponed.steps.first { $0.number == 11 }?.state == .waiting)
            #expect(postponed.steps.first { $0.number == 20 }?.dueOn.calendarDate == (try day("2026-12-30")))
            #expect(try office.published(Pcs_Changes_V1_ChangePlanned.protoMessageName) == 2)
        }
    }

    @Test("a case is rolled back with what to take back, and never once patients have moved")
    func rollBack() async throws {
        try await ChangesOffice.with { office in
            let id = try await office.planned().caseID
            try await office.on("2026-05-27")
            try await office.report(2...3, of: id)
            let withdrawn = try await refusal {
                _ = try await office.notices(office.coordinator).withdrawNotice(
                    .with { ($0.caseID, $0.reason) = (id, "no longer wanted") })
            }
            #expect(withdrawn.reason == ChangesReasons.notReversible)
            let back = try await office.cases().rollBackCase(
                .with { ($0.caseID, $0.reason) = (id, "the partners changed their minds") })
            #expect(back.state == .rolledBack)
            #expect(back.steps.filter { $0.state == .compensationDue }.map(\.number) == [1, 2, 3])
            #expect(back.steps.first { $0.number == 12 }?.state == .cancelled)
            let taken = try await office.report(2, of: id, .compensated)
            #expect(taken.steps.first { $0.number == 2 }?.state == .compensated)
            // The practices are free for another case.
            _ = try await office.host.advance(milliseconds: 1)
            let other = try await effectiveAgain(office)
            try await office.report(13, of: other)
            let never = try await refusal {
                _ = try await office.cases().rollBackCase(
                    .with { ($0.caseID, $0.reason) = (other, "too late") })
            }
            #expect(never.reason == ChangesReasons.notReversible)
        }
    }

    private func effectiveAgain(_ office: ChangesOffice) async throws -> String {
        office.host.clock.set(try day("2026-05-10"))
        return try await effective(office)
    }

    @Test(
        "an area answers by events; what fails three times becomes a task, and a proof that does not add up fails"
    )
    func areaAnswers() async throws {
        try await ChangesOffice.with { office in
            let id = try await office.planned().caseID
            try await office.on("2026-06-10")
            func answer(_ outcome: Pcs_Changes_V1_StepOutcome, step: Int32 = 8) async throws {
                let event = Pcs_Changes_V1_ChangeStepReported.with {
                    ($0.caseID, $0.step, $0.outcome) = (id, step, outcome)
                    ($0.proof, $0.effects, $0.words) = (
                        ChangesOffice.proof(step), ["batch 7"], "no batch yet"
                    )
                }
                try await office.host.store(of: "registrations").write(actor: "test") {
                    try $0.publish(event, key: id)
                }
                try await office.host.eventsDelivered()
            }
            // Not its own step.
            try await answer(.done, step: 5)
            #expect(try await office.state(5, of: id) == .due)
            let tasks = try office.published(Pcs_Casework_V1_TaskRequested.protoMessageName)
            for attempt in 1...3 {
                try await answer(.failed)
                try await office.host.advance(milliseconds: 700_000)
                let step = try await office.get(id).steps.first { $0.number == 8 }
                #expect(step?.failures == Int32(attempt))
                #expect(step?.state == (attempt < 3 ? .due : .failed))
            }
            #expect(try office.published(Pcs_Casework_V1_TaskRequested.protoMessageName) == tasks + 1)
            try await answer(.done)
            let done = try await office.get(id).steps.first { $0.number == 8 }
            #expect(done?.state == .done)
            #expect(done?.reports.last?.reportedBy == "registrations")
            #expect(done?.reports.last?.effects == ["batch 7"])
        }
    }

    @Test("what an area cannot take back by itself is a task of the coordinator, settled when it is compensated")
    func takenBackByHand() async throws {
        try await ChangesOffice.with { office in
            let id = try await office.planned().caseID
            try await office.on("2026-06-10")
            func answer(_ outcome: Pcs_Changes_V1_StepOutcome) async throws {
                let event = Pcs_Changes_V1_ChangeStepReported.with {
                    ($0.caseID, $0.step, $0.outcome) = (id, 8, outcome)
                    ($0.proof, $0.effects, $0.words) = (
                        ChangesOffice.proof(8), ["batch 7"], "two people take it back"
                    )
                }
                try await office.host.store(of: "registrations").write(actor: "test") {
                    try $0.publish(event, key: id)
                }
                try await office.host.eventsDelivered()
            }
            try await answer(.done)
            _ = try await office.cases().rollBackCase(
                .with { ($0.caseID, $0.reason) = (id, "the partners changed their minds") })
            #expect(try await office.state(8, of: id) == .compensationDue)
            let (asked, settled) = (
                try office.published(Pcs_Casework_V1_TaskRequested.protoMessageName),
                try office.published(Pcs_Casework_V1_TaskSettled.protoMessageName)
            )
            try await answer(.byHand)
            let step = try await office.get(id).steps.first { $0.number == 8 }
            #expect(step?.state == .compensationDue && step?.byHand == true)
            #expect(step?.reports.last?.effects == ["batch 7"])
            #expect(try office.published(Pcs_Casework_V1_TaskRequested.protoMessageName) == asked + 1)
            try await office.report(8, of: id, .compensated)
            #expect(try await office.state(8, of: id) == .compensated)
            #expect(try office.published(Pcs_Casework_V1_TaskSettled.protoMessageName) == settled + 1)
        }
    }

    @Test("all parties see the progress, watchers at once, and nobody else")
    func progress() async throws {
        try await ChangesOffice.with { office in
            let id = try await office.planned().caseID
            for (subject, practice) in [
                (office.manager, ChangesOffice.closing), (office.survivorManager, ChangesOffice.survivor),
                (office.approver, ChangesOffice.closing),
            ] {
                let seen = try await office.progress(subject).getCase(
                    .with { ($0.caseID, $0.practiceCode) = (id, practice) })
                #expect(seen.caseID == id)
            }
            let stranger = try await office.host.person("zoe", roles: [Roles.mainContact], at: "B81101")
            let refused = try await refusal {
                _ = try await office.progress(stranger).getCase(
                    .with { ($0.caseID, $0.practiceCode) = (id, ChangesOffice.closing) })
            }
            #expect(refused.reason == HostReasons.organisationOutOfScope)
            let own = try await refusal {
                _ = try await office.progress(stranger).getCase(
                    .with { ($0.caseID, $0.practiceCode) = (id, "B81101") })
            }
            #expect(own.reason == HostReasons.notFound)
            let watching = try await office.progress(office.manager, .unixSocket).watchCase(
                .with { ($0.caseID, $0.practiceCode) = (id, ChangesOffice.closing) })
            var states: [Pcs_Changes_V1_CaseState] = []
            for try await seen in watching {
                states.append(seen.state)
                if states.count == 1 {
                    _ = try await office.cases().rollBackCase(
                        .with { ($0.caseID, $0.reason) = (id, "not wanted") })
                }
            }
            #expect(states.first == .planned)
            #expect(states.last == .rolledBack)
        }
    }
}
