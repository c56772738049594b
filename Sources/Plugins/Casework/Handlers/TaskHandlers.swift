import CaseworkContract
import CommonContract
import HostContract
import PluginAPI

/// Tasks as those see them who are to do them.
struct TaskHandlers: Pcs_Casework_V1_TaskService {
    let context: PluginContext
    let book: TaskBook
    let feeds: Feeds

    // MARK: Reading

    func listTasks(
        _ request: Pcs_Casework_V1_ListTasksRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_ListTasksResponse {
        var fields = RequestFields()
        let size = fields.pageSize(request.pageSize)
        try fields.finish()
        let today = call.today
        var response = Pcs_Casework_V1_ListTasksResponse()
        var after = request.pageToken
        // Pages of what the roles show, until enough of them pass the filters.
        while response.tasks.count < size {
            let page = try context.store.read { reader in
                try Self.page(
                    call.caller, settledToo: request.includeSettled, after: after, limit: size, reader)
            }
            for seen in page where response.tasks.count < size {
                after = seen.task.id
                let task = Pcs_Casework_V1_Task(seen.task, seenAs: seen.audience, on: today)
                if request.overdueOnly, !task.overdue { continue }
                if request.assignedToMe, task.assignedTo.isEmpty || task.assignedTo != call.caller.personID {
                    continue
                }
                if !request.area.isEmpty, task.area != request.area { continue }
                response.tasks.append(task)
            }
            if page.count < size { return response }
        }
        response.nextPageToken = after
        return response
    }

    /// The next tasks of all roles held at the organisation acted for, in order of arrival; each once.
    private static func page(
        _ caller: Caller, settledToo: Bool, after: String, limit: Int, _ reader: any Reader
    ) throws -> [TaskStore.Seen] {
        var seen: [String: TaskStore.Seen] = [:]
        for role in caller.roleNames {
            let rows = try TaskStore.page(
                caller.actingFor, role, settledToo: settledToo, after: after, limit: limit, reader)
            for row in rows
            where seen[row.task.id].map({ row.audience.standing < $0.audience.standing }) ?? true {
                seen[row.task.id] = row
            }
        }
        return Array(seen.values.sorted { $0.task.id < $1.task.id }.prefix(limit))
    }

    func getTask(
        _ request: Pcs_Casework_V1_GetTaskRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_Task {
        try context.store.read { reader in
            let (task, audience) = try Self.visible(request.taskID, to: call.caller, reader)
            return try Self.message(task, audience, call.today, reader)
        }
    }

    /// The task as the caller sees it; refused alike when there is none and when it is somebody else's.
    private static func visible(
        _ id: String, to caller: Caller, _ reader: any Reader
    ) throws -> (TaskRecord, TaskAudience) {
        let roles = caller.roleNames
        guard let task = try TaskStore.task(id, reader),
            let audience = try TaskStore.audience(of: id, reader)
                .filter({ $0.includes(organisation: caller.actingFor, roles: roles) })
                .min(by: { $0.standing < $1.standing })
        else { throw Failure(CaseworkReasons.taskNotFound) }
        return (task, audience)
    }

    private static func message(
        _ task: TaskRecord, _ audience: TaskAudience, _ today: CalendarDate, _ reader: any Reader
    ) throws -> Pcs_Casework_V1_Task {
        var message = Pcs_Casework_V1_Task(task, seenAs: audience, on: today)
        let steps = try TaskStore.steps(of: task.id, reader)
        let shown = audience.standing == .moved ? steps.prefix(Int(audience.stepsUntil)) : steps[...]
        message.history = shown.map { Pcs_Casework_V1_TaskStep($0) }
        return message
    }

    // MARK: Acting

    func assignTask(
        _ request: Pcs_Casework_V1_AssignTaskRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_Task {
        let person = request.personID
        let (task, _) = try context.store.read { try Self.visible(request.taskID, to: call.caller, $0) }
        if !person.isEmpty { try await requireRole(of: person, for: task, call) }
        let today = call.today
        return try await call.commit { transaction in
            var (present, audience) = try Self.open(request.taskID, call.caller, transaction)
            guard present.organisation == task.organisation else {
                throw Failure(
                    CaseworkReasons.taskStateWrong, "The task has just moved to another organisation.")
            }
            present.assignedTo = person
            let by = call.caller.responsible
            try TaskStore.addStep("assigned", of: present.id, by: by, detail: person, in: transaction)
            try TaskStore.save(present, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "task/\(present.id)", organisation: present.organisation,
                    detail: person.isEmpty ? "assigned to nobody" : "assigned to \(person)"))
            feeds.announce()
            return try Self.message(present, audience, today, transaction)
        }
    }

    /// An open task on which the caller may act.
    private static func open(
        _ id: String, _ caller: Caller, _ reader: any Reader
    ) throws -> (TaskRecord, TaskAudience) {
        let (task, audience) = try visible(id, to: caller, reader)
        guard task.isOpen, audience.standing.mayAct else {
            let why =
                !task.isOpen
                ? "The task is settled."
                : audience.standing == .moved
                    ? "The task moved to \(audience.movedTo)." : "You see this task only."
            throw Failure(CaseworkReasons.taskStateWrong, why)
        }
        return (task, audience)
    }

    /// The Host keeps the grants; casework asks it whether the person holds the task's role there today.
    private func requireRole(of person: String, for task: TaskRecord, _ call: CallContext) async throws {
        if person == call.caller.personID, task.organisation == call.caller.actingFor,
            call.caller.roleNames.contains(task.role)
        {
            return
        }
        let identity = Pcs_Host_V1_IdentityServiceClient(context.calls)
        let known = try await identity.listSubjects(.with { $0.subjectID = person })
        let today = call.today
        let holds = known.grants.contains { grant in
            grant.subjectID == person && grant.revokedBy.isEmpty
                && grant.organisationCode == task.organisation
                && RoleNames.name(grant.role) == task.role
                && grant.validFrom.calendarDate.map { $0 <= today } ?? true
                && grant.validTo.calendarDate.map { today < $0 } ?? true
        }
        guard holds, known.people.contains(where: { $0.personID == person && $0.state == .active }) else {
            throw Failure(CaseworkReasons.assigneeLacksRole)
        }
    }

    func settleTask(
        _ request: Pcs_Casework_V1_SettleTaskRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_Task {
        var fields = RequestFields()
        fields.reason(request.reason)
        try fields.finish()
        let today = call.today
        return try await call.commit { transaction in
            let (task, audience) = try Self.open(request.taskID, call.caller, transaction)
            guard task.byHand else { throw Failure(CaseworkReasons.taskNotByHand) }
            guard task.allows(outcome: request.outcome, byArea: false) else {
                let allowed = task.outcomes.isEmpty ? ["done"] : task.outcomes
                let message = "The task ends as \(allowed.joined(separator: ", "))."
                throw Failure(
                    HostReasons.fieldInvalid, message,
                    violations: [Violation(field: "outcome", rule: "14.3", message: message)])
            }
            let by = call.caller.responsible
            let ended = try book.end(task, request.outcome, by: by, request.reason, in: transaction)
            let told = Pcs_Casework_V1_TaskSettled.with {
                $0.taskKey = task.key
                $0.outcome = request.outcome
                $0.settledBy = by
                $0.reason = request.reason
            }
            try transaction.publish(told, key: task.key)
            return try Self.message(ended, audience, today, transaction)
        }
    }

    // MARK: Watching

    func watchTasks(
        _ request: Pcs_Casework_V1_WatchTasksRequest, _ reply: ReplyStream<Pcs_Casework_V1_TaskChange>,
        _ call: CallContext
    ) async throws {
        var position = request.afterPosition
        let changes = feeds.changes()
        if position == 0 {
            let (start, open) = try context.store.read { reader in
                (try CounterStore.current(reader), try openTasks(call.caller, reader))
            }
            for seen in open {
                try await reply.send(
                    .with { $0.task = Pcs_Casework_V1_Task(seen.task, seenAs: seen.audience, on: call.today) }
                )
            }
            position = start
        }
        for await _ in changes {
            while true {
                let from = position
                let news = try context.store.read { try Self.news(call.caller, after: from, $0) }
                for seen in news {
                    position = max(position, seen.audience.position)
                    try await reply.send(
                        .with {
                            $0.position = seen.audience.position
                            $0.task = Pcs_Casework_V1_Task(seen.task, seenAs: seen.audience, on: call.today)
                        })
                }
                if news.isEmpty { break }
            }
            if call.isExpired { return }
        }
    }

    private func openTasks(_ caller: Caller, _ reader: any Reader) throws -> [TaskStore.Seen] {
        var all: [TaskStore.Seen] = []
        while true {
            let page = try Self.page(
                caller, settledToo: false, after: all.last?.task.id ?? "", limit: 200, reader)
            all += page
            if page.count < 200 { return all }
        }
    }

    /// The next changes in order of position, never past what another role may still have to show.
    private static func news(_ caller: Caller, after: Int64, _ reader: any Reader) throws -> [TaskStore.Seen]
    {
        var all: [TaskStore.Seen] = []
        var horizon = Int64.max
        for role in caller.roleNames {
            let rows = try TaskStore.changes(caller.actingFor, role, after: after, limit: 100, reader)
            if rows.count == 100, let last = rows.last { horizon = min(horizon, last.audience.position) }
            all += rows
        }
        return all.filter { $0.audience.position <= horizon }.sorted {
            $0.audience.position < $1.audience.position
        }
    }
}
