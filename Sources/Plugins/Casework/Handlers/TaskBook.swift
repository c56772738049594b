import CaseworkContract
import CommonContract
import PluginAPI

/// Makes, changes and settles tasks: for the events of all areas, and for casework's own.
struct TaskBook: Sendable {
    let context: PluginContext
    let feeds: Feeds

    /// What an event asks for is not sound. It is parked with this text for an operator.
    struct UnsoundRequest: Error, CustomStringConvertible {
        let description: String
    }

    // MARK: Requests

    func request(_ event: Pcs_Casework_V1_TaskRequested, from area: String, in transaction: any Transaction)
        throws
    {
        let asked = try read(event, area, transaction)
        if var open = try TaskStore.open(area: area, key: event.taskKey, transaction) {
            // The same act on the same object: one task, brought up to date (14.3).
            open.title = asked.title
            open.detail = asked.detail
            open.dueOn = asked.dueOn
            open.isUrgent = asked.isUrgent
            open.outcomes = asked.outcomes
            open.escalateRole = asked.escalateRole
            open.escalateOrganisation = asked.escalateOrganisation
            if !open.isOverdue(on: context.clock.today), open.escalatedAt != nil {
                open.escalatedAt = nil
                try TaskStore.hide(open.id, standing: .escalated, in: transaction)
            }
            try TaskStore.addStep(
                "requested again", of: open.id, by: area, detail: due(open), in: transaction)
            try TaskStore.save(open, in: transaction)
            feeds.announce()
            return
        }
        try TaskStore.add(asked, in: transaction)
        try TaskStore.addStep("requested", of: asked.id, by: area, detail: due(asked), in: transaction)
        try show(asked, in: transaction)
        try notify(asked, asked.role, asked.organisation, in: transaction)
        transaction.audit(
            AuditNote(
                object: "task/\(asked.id)", organisation: asked.organisation,
                detail: "\(area): \(asked.title)"))
        feeds.announce()
    }

    private func due(_ task: TaskRecord) -> String { task.dueOn.map { "due on \($0)" } ?? "" }

    private func read(
        _ event: Pcs_Casework_V1_TaskRequested, _ area: String, _ transaction: any Transaction
    ) throws -> TaskRecord {
        func require(_ isSound: Bool, _ message: String) throws {
            if !isSound { throw UnsoundRequest(description: "task \(event.taskKey.prefix(100)): \(message)") }
        }
        try require((1...200).contains(event.taskKey.utf8.count), "the key has 1 to 200 bytes")
        try require((5...120).contains(event.title.count), "the title has 5 to 120 characters")
        try require(event.detail.count <= 4_000, "the detail has at most 4,000 characters")
        try require(ODSCode(event.organisationCode) != nil, "it names no organisation")
        let escalateTo = event.escalateToOrganisationCode
        try require(escalateTo.isEmpty || ODSCode(escalateTo) != nil, "it escalates to no organisation")
        try require(
            event.outcomes.allSatisfy { (1...40).contains($0.count) && !$0.contains("\n") },
            "outcomes are words")
        guard let role = RoleNames.name(event.role) else {
            throw UnsoundRequest(
                description: "task \(event.taskKey): a task is for a role, never only for a person")
        }
        return TaskRecord(
            id: transaction.newIdentifier(), area: area, key: event.taskKey, role: role,
            organisation: event.organisationCode, title: event.title, detail: event.detail,
            record: RecordPointer(event.record), outcomes: event.outcomes, dueOn: event.dueOn.calendarDate,
            isUrgent: event.priority == .urgent, escalateRole: RoleNames.name(event.escalateToRole) ?? "",
            escalateOrganisation: escalateTo, follows: event.followsCommissionerOf,
            byHand: event.settleByHand,
            requestedAt: transaction.now)
    }

    private func show(_ task: TaskRecord, in transaction: any Transaction) throws {
        let own = TaskAudience(organisation: task.organisation, role: task.role, standing: .own)
        try TaskStore.show(task.id, to: own, in: transaction)
        // CQRS: a supervisor sees every open task of the organisation (cqrs.md 2.1).
        if task.area == "cqrs" {
            let supervisor = TaskAudience(
                organisation: task.organisation, role: Roles.cqrsSupervisor.name, standing: .supervisor)
            try TaskStore.show(task.id, to: supervisor, in: transaction)
        }
    }

    private func notify(
        _ task: TaskRecord, _ role: String, _ organisation: String, in transaction: any Transaction
    ) throws {
        try NotificationStore.add(
            NotificationRecord(
                kind: .task, role: role, organisation: organisation, title: task.title,
                raisedAt: transaction.now),
            in: transaction)
    }

    // MARK: Settling

    func settle(_ event: Pcs_Casework_V1_TaskSettled, from area: String, in transaction: any Transaction)
        throws
    {
        guard let task = try TaskStore.open(area: area, key: event.taskKey, transaction) else { return }
        let outcome = event.outcome.isEmpty && task.outcomes.isEmpty ? "done" : event.outcome
        guard task.allows(outcome: outcome, byArea: true) else {
            throw UnsoundRequest(description: "task \(task.key) cannot end as \(outcome.prefix(40))")
        }
        try end(
            task, outcome, by: event.settledBy.isEmpty ? area : event.settledBy, event.reason, in: transaction
        )
    }

    @discardableResult
    func end(
        _ task: TaskRecord, _ outcome: String, by person: String, _ reason: String,
        in transaction: any Transaction
    ) throws -> TaskRecord {
        var ended = task
        ended.isOpen = false
        ended.outcome = outcome
        ended.settledBy = person
        ended.settledAt = transaction.now
        let detail = reason.isEmpty ? outcome : "\(outcome): \(reason)"
        try TaskStore.addStep("settled", of: task.id, by: person, detail: detail, in: transaction)
        try TaskStore.save(ended, in: transaction)
        transaction.audit(
            AuditNote(
                object: "task/\(task.id)", organisation: task.organisation, detail: "settled: \(outcome)"))
        feeds.announce()
        return ended
    }

    // MARK: Time and the register

    /// Shows overdue tasks to those to whom they escalate. Returns how many.
    func escalate(on today: CalendarDate, in transaction: any Transaction) throws -> Int {
        let overdue = try TaskStore.overdue(on: today, transaction)
        for var task in overdue {
            task.escalatedAt = transaction.now
            let place = task.escalateOrganisation.isEmpty ? task.organisation : task.escalateOrganisation
            let audience = TaskAudience(organisation: place, role: task.escalateRole, standing: .escalated)
            try TaskStore.show(task.id, to: audience, in: transaction)
            try TaskStore.addStep(
                "escalated", of: task.id, by: "clock", detail: "to \(task.escalateRole) at \(place)",
                in: transaction)
            try TaskStore.save(task, in: transaction)
            try notify(task, task.escalateRole, place, in: transaction)
        }
        if !overdue.isEmpty { feeds.announce() }
        return overdue.count
    }

    /// Moves the open tasks that follow the commissioner of `provider` to the one it has today. Returns how many.
    func follow(_ provider: ODSCode, on today: CalendarDate, in transaction: any Transaction) throws -> Int {
        guard let commissioner = context.organisations.commissioner(of: provider, at: today)?.value else {
            return 0
        }
        return try move(TaskStore.following(provider.value, transaction), to: commissioner, in: transaction)
    }

    private func move(_ tasks: [TaskRecord], to organisation: String, in transaction: any Transaction) throws
        -> Int
    {
        var moved = 0
        for var task in tasks where task.organisation != organisation {
            let old = task.organisation
            let steps = Int64(try TaskStore.steps(of: task.id, transaction).count)
            for audience in try TaskStore.audience(of: task.id, transaction) {
                if audience.standing == .moved {
                    // It comes back to one who had it before.
                    if audience.organisation == organisation {
                        try TaskStore.hide(task.id, from: audience, in: transaction)
                    }
                } else if audience.organisation == old {
                    try TaskStore.hide(task.id, from: audience, in: transaction)
                    var was = audience
                    was.standing = .moved
                    was.movedTo = organisation
                    was.stepsUntil = steps + 1
                    try TaskStore.show(task.id, to: was, in: transaction)
                }
            }
            // Nobody of the old organisation takes care of it any more, and its escalation begins anew.
            task.organisation = organisation
            task.assignedTo = ""
            task.escalatedAt = nil
            try TaskStore.hide(task.id, standing: .escalated, in: transaction)
            try TaskStore.addStep(
                "moved", of: task.id, by: "register", detail: "from \(old) to \(organisation)",
                in: transaction)
            try show(task, in: transaction)
            try TaskStore.save(task, in: transaction)
            try notify(task, task.role, organisation, in: transaction)
            transaction.audit(
                AuditNote(object: "task/\(task.id)", organisation: organisation, detail: "moved from \(old)"))
            moved += 1
        }
        if moved > 0 { feeds.announce() }
        return moved
    }
}
