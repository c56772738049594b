import CaseworkContract
import CommonContract
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import CaseworkPlugin

@Suite("Tasks")
struct TaskTests {
    @Test("a task appears for its role, is one when asked for twice, and closes by the act")
    func life() async throws {
        try await TestHost.with(TestHost.casework) { host in
            let manager = try await host.tasks(try await host.member("manager", [Roles.plPracticeManager]))
            let other = try await host.tasks(try await host.member("other", [Roles.orderEntryClerk]))
            try await host.publish(task("performers/change/1", due: "2026-03-20"))
            var again = task("performers/change/1", due: "2026-03-25")
            again.detail = "now with a date"
            try await host.publish(again)
            let listed = try await manager.listTasks(.init()).tasks
            #expect(listed.map(\.detail) == ["now with a date"])
            #expect(listed.first?.dueOn.day == 25)
            #expect(try await other.listTasks(.init()).tasks.isEmpty)
            let id = try #require(listed.first?.taskID)
            #expect(
                await refusal { try await other.getTask(.with { $0.taskID = id }) }
                    == CaseworkReasons.taskNotFound)

            // Another area's key of the same name is another task, and cannot end this one.
            try await host.publish(task("performers/change/1"), by: "supplies")
            try await host.settle("performers/change/1", "approved", by: "supplies")
            #expect(try await manager.getTask(.with { $0.taskID = id }).state == .open)

            try await host.settle("performers/change/1", "approved")
            let settled = try await manager.getTask(.with { $0.taskID = id })
            #expect(settled.state == .settled)
            #expect(settled.outcome == "approved")
            #expect(settled.settledBy == "ann")
            #expect(settled.history.map(\.step) == ["requested", "requested again", "settled"])
            #expect(try await manager.listTasks(.init()).tasks.isEmpty)
            #expect(try await manager.listTasks(.with { $0.includeSettled = true }).tasks.count == 2)
        }
    }

    @Test(
        "the host's own requests arrive, an unknown key settles nothing, an outcome that is not allowed is parked"
    )
    func publishers() async throws {
        try await TestHost.with(TestHost.casework) { host in
            let manager = try await host.tasks(try await host.member("manager", [Roles.plPracticeManager]))
            try await host.publish(task("host/recertify/1"), by: "host")
            try await host.settle("performers/unknown", "approved")
            #expect(try await manager.listTasks(.init()).tasks.map(\.area) == ["host"])
            try await host.settle("host/recertify/1", "burnt", by: "host")
            #expect(try await manager.listTasks(.init()).tasks.count == 1)
        }
    }

    @Test("assigning takes somebody who holds the role, and hides the task from nobody")
    func assigning() async throws {
        try await TestHost.with(TestHost.casework) { host in
            let ann = try await host.tasks(try await host.member("ann", [Roles.plPracticeManager]))
            let bea = try await host.tasks(try await host.member("bea", [Roles.plPracticeManager]))
            _ = try await host.member("clerk", [Roles.orderEntryClerk])
            try await host.publish(task("performers/change/1"))
            let id = try #require(try await ann.listTasks(.init()).tasks.first?.taskID)
            let wrong = Pcs_Casework_V1_AssignTaskRequest.with {
                $0.taskID = id
                $0.personID = "clerk"
            }
            #expect(await refusal { try await ann.assignTask(wrong) } == CaseworkReasons.assigneeLacksRole)
            var right = wrong
            right.personID = "bea"
            #expect(try await ann.assignTask(right).assignedTo == "bea")
            #expect(try await ann.listTasks(.init()).tasks.count == 1)
            #expect(try await bea.listTasks(.with { $0.assignedToMe = true }).tasks.count == 1)
            #expect(try await ann.listTasks(.with { $0.assignedToMe = true }).tasks.isEmpty)
        }
    }

    @Test("by hand a task ends only where its request allows, with an allowed outcome")
    func byHand() async throws {
        try await TestHost.with(TestHost.casework) { host in
            let manager = try await host.tasks(try await host.member("manager", [Roles.plPracticeManager]))
            try await host.publish(task("performers/act/1"))
            try await host.publish(task("performers/hand/1", outcomes: ["seen"], byHand: true))
            let all = try await manager.listTasks(.init()).tasks
            func settle(_ key: String, _ outcome: String) async throws -> Pcs_Casework_V1_Task {
                try await manager.settleTask(
                    .with {
                        $0.taskID = all.first { $0.taskKey == key }?.taskID ?? ""
                        $0.outcome = outcome
                        $0.reason = "looked at"
                    })
            }
            #expect(
                await refusal { try await settle("performers/act/1", "approved") }
                    == CaseworkReasons.taskNotByHand)
            #expect(
                await refusal { try await settle("performers/hand/1", "burnt") } == HostReasons.fieldInvalid)
            #expect(try await settle("performers/hand/1", "seen").state == .settled)
            #expect(
                await refusal { try await settle("performers/hand/1", "seen") }
                    == CaseworkReasons.taskStateWrong)
            #expect(try await manager.listTasks(.init()).tasks.map(\.taskKey) == ["performers/act/1"])
        }
    }

    @Test("an overdue task is shown to those to whom it escalates")
    func escalation() async throws {
        try await TestHost.with(TestHost.casework) { host in
            let manager = try await host.member("manager", [Roles.plPracticeManager])
            let chief = try await host.member("chief", [Roles.caseManager])
            var asked = task("performers/change/1", due: "2026-03-17")
            asked.escalateToRole = .caseManager
            try await host.publish(asked)
            try await host.advance(days: 1)
            #expect(try await host.tasks(chief).listTasks(.init()).tasks.isEmpty)
            try await host.advance(days: 1)
            let shown = try await host.tasks(chief).listTasks(.init()).tasks
            #expect(shown.map(\.escalated) == [true])
            #expect(shown.map(\.overdue) == [true])
            #expect(try await host.tasks(manager).listTasks(.with { $0.overdueOnly = true }).tasks.count == 1)
            // A new day takes it back.
            asked.dueOn = Pcs_Common_V1_Date(day("2026-04-30"))
            try await host.publish(asked)
            #expect(try await host.tasks(chief).listTasks(.init()).tasks.isEmpty)
        }
    }

    @Test(
        "new tasks arrive at those who watch, without being asked for", .timeLimit(.minutes(1)),
        arguments: [TestHost.Fidelity.inProcess, .unixSocket])
    func watching(_ fidelity: TestHost.Fidelity) async throws {
        try await TestHost.with(TestHost.casework) { host in
            let manager = try await host.member("manager", [Roles.plPracticeManager])
            try await host.publish(task("performers/change/1"))
            let changes = try await host.tasks(manager, fidelity).watchTasks(.init())
            var iterator = changes.makeAsyncIterator()
            #expect(try await iterator.next()?.task.taskKey == "performers/change/1")
            try await host.publish(task("performers/for-others", for: .orderEntryClerk))
            try await host.publish(task("performers/change/2"))
            let second = try await iterator.next()
            #expect(second?.task.taskKey == "performers/change/2")
            try await host.settle("performers/change/1", "rejected")
            let third = try await iterator.next()
            #expect(third?.task.state == .settled)
            #expect(third?.position ?? 0 > second?.position ?? 0)
            // Somebody who comes back with the last position gets what is new since.
            try await host.publish(task("performers/change/3"))
            let resumed = try await host.tasks(manager, fidelity).watchTasks(
                .with { $0.afterPosition = third?.position ?? 0 })
            var again = resumed.makeAsyncIterator()
            #expect(try await again.next()?.task.taskKey == "performers/change/3")
        }
    }

    @Test("a supervisor of CQRS sees the tasks of that area and of no other, and acts on none")
    func supervisor() {
        let audience = TaskAudience(organisation: "C84101", role: "CQRS_SUPERVISOR", standing: .supervisor)
        #expect(audience.includes(organisation: "C84101", roles: ["CQRS_SUPERVISOR"]))
        #expect(!audience.includes(organisation: "B81101", roles: ["CQRS_SUPERVISOR"]))
        #expect(!TaskStanding.supervisor.mayAct)
        #expect(!TaskStanding.moved.mayAct)
    }

    @Test("a pending task follows the responsible commissioner; the old one sees it as moved")
    func commissionerChange() async throws {
        try await TestHost.with(TestHost.casework) { host in
            try await host.loadOrganisations()
            let old = try await host.member("old", [Roles.plApprover], at: "01A")
            let new = try await host.member("new", [Roles.plApprover], at: "02Q")
            var asked = task("performers/contract/1", for: .plApprover, at: "01A")
            asked.followsCommissionerOf = "C84101"
            try await host.publish(asked)
            let before = try await host.tasks(old).listTasks(.init()).tasks
            #expect(before.map(\.state) == [.open])
            #expect(try await host.tasks(new).listTasks(.init()).tasks.isEmpty)
            let change = Pcs_Host_V1_OrganisationChanged.with {
                $0.code = "C84101"
                $0.kind = .commissionerChanged
                $0.effectiveOn = Pcs_Common_V1_Date(day("2026-03-16"))
            }
            try await host.store(of: "host").write(actor: "test") { try $0.publish(change, key: change.code) }
            try await host.eventsDelivered()
            let moved = try await host.tasks(old).listTasks(.init()).tasks
            #expect(moved.map(\.state) == [.moved])
            #expect(moved.map(\.movedTo) == ["02Q"])
            #expect(moved.map(\.detail) == [""])
            let now = try await host.tasks(new).listTasks(.init()).tasks
            #expect(now.map(\.state) == [.open])
            let id = try #require(now.first?.taskID)
            let assign = Pcs_Casework_V1_AssignTaskRequest.with { $0.taskID = id }
            #expect(
                await refusal { try await host.tasks(old).assignTask(assign) }
                    == CaseworkReasons.taskStateWrong)
            try await host.settle("performers/contract/1", "approved")
            let history = try await host.tasks(old).getTask(.with { $0.taskID = id }).history.map(\.step)
            #expect(history == ["requested", "moved"])
        }
    }

    @Test("nobody sees another's tasks and messages: three practices, three roles, by list and by identifier")
    func isolation() async throws {
        try await TestHost.with(TestHost.casework) { host in
            try await host.loadOrganisations()
            let roles: [(Role, Pcs_Access_V1_Role)] = [
                (Roles.plPracticeManager, .plPracticeManager), (Roles.orderEntryClerk, .orderEntryClerk),
                (Roles.practiceClaimsAdmin, .practiceClaimsAdmin),
            ]
            var people: [(key: String, subject: TestSubject)] = []
            for practice in ["C84101", "B81101", "L82008"] {
                for (role, number) in roles {
                    let key = "\(practice)-\(role.name)".lowercased().replacing("_", with: "-")
                    people.append((key, try await host.member(key, [role], at: practice)))
                    try await host.publish(task(key, for: number, at: practice))
                    try await host.publish(
                        Pcs_Casework_V1_MessagePosted.with {
                            $0.messageKey = key
                            $0.role = number
                            $0.organisationCode = practice
                            $0.title = "Something to know"
                            $0.body = key
                        })
                }
            }
            var taskOf: [String: String] = [:]
            var messageOf: [String: String] = [:]
            for (key, subject) in people {
                let tasks = try await host.tasks(subject).listTasks(.with { $0.includeSettled = true }).tasks
                #expect(tasks.map(\.taskKey) == [key])
                taskOf[key] = tasks.first?.taskID
                let messages = try await host.messages(subject).listMessages(.init()).messages
                #expect(messages.map(\.body) == [key])
                messageOf[key] = messages.first?.messageID
            }
            for (key, subject) in people {
                for other in people.map(\.key) where other != key {
                    let (taskID, messageID) = (taskOf[other] ?? "", messageOf[other] ?? "")
                    let tasks = try await host.tasks(subject)
                    #expect(
                        await refusal { try await tasks.getTask(.with { $0.taskID = taskID }) }
                            == CaseworkReasons.taskNotFound)
                    #expect(
                        await refusal { try await tasks.assignTask(.with { $0.taskID = taskID }) }
                            == CaseworkReasons.taskNotFound)
                    let messages = try await host.messages(subject)
                    #expect(
                        await refusal { try await messages.markRead(.with { $0.messageID = messageID }) }
                            == CaseworkReasons.messageNotFound)
                }
            }
        }
    }
}
