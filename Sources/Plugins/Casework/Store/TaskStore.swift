import PluginAPI

enum TaskStore {
    private static let columns = """
        t.task_id, t.area, t.task_key, t.role, t.organisation, t.title, t.detail, t.record_area, t.record_kind,
        t.record_id, t.record_organisation, t.outcomes, t.due_on, t.urgent, t.escalate_role, t.escalate_organisation,
        t.follows, t.by_hand, t.is_open, t.assigned_to, t.outcome, t.settled_by, t.settled_at, t.requested_at,
        t.escalated_at
        """
    private static let byID = Statement("SELECT \(columns) FROM task t WHERE t.task_id = ?1")
    private static let openByKey = Statement(
        "SELECT \(columns) FROM task t WHERE t.area = ?1 AND t.task_key = ?2 AND t.is_open = 1")
    private static let overdue = Statement(
        """
        SELECT \(columns) FROM task t
        WHERE t.is_open = 1 AND t.due_on < ?1 AND t.escalated_at IS NULL AND t.escalate_role <> '' ORDER BY t.task_id
        """)
    private static let following = Statement(
        "SELECT \(columns) FROM task t WHERE t.is_open = 1 AND t.follows = ?1 ORDER BY t.task_id")
    private static let followed = Statement(
        "SELECT DISTINCT t.follows FROM task t WHERE t.is_open = 1 AND t.follows <> '' ORDER BY t.follows")
    private static let insert = Statement(
        """
        INSERT INTO task (task_id, area, task_key, role, organisation, title, detail, record_area, record_kind,
            record_id, record_organisation, outcomes, due_on, urgent, escalate_role, escalate_organisation, follows,
            by_hand, is_open, assigned_to, outcome, settled_by, settled_at, requested_at, escalated_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
            ?23, ?24, ?25)
        """)
    private static let update = Statement(
        """
        UPDATE task SET organisation = ?2, title = ?3, detail = ?4, due_on = ?5, urgent = ?6, escalate_role = ?7,
            escalate_organisation = ?8, is_open = ?9, assigned_to = ?10, outcome = ?11, settled_by = ?12,
            settled_at = ?13, escalated_at = ?14, outcomes = ?15
        WHERE task_id = ?1
        """)
    private static let audienceOf = Statement(
        """
        SELECT organisation, role, standing, moved_to, steps_until, position FROM task_audience
        WHERE task_id = ?1 ORDER BY standing
        """)
    private static let insertAudience = Statement(
        """
        INSERT INTO task_audience (task_id, organisation, role, standing, moved_to, steps_until, is_open, position)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7)
        ON CONFLICT (task_id, organisation, role, standing)
            DO UPDATE SET moved_to = ?5, steps_until = ?6, is_open = 1, position = ?7
        """)
    private static let deleteAudience = Statement(
        "DELETE FROM task_audience WHERE task_id = ?1 AND organisation = ?2 AND role = ?3 AND standing = ?4")
    private static let deleteStanding = Statement(
        "DELETE FROM task_audience WHERE task_id = ?1 AND standing = ?2")
    // What becomes of a task after it moved is no news for its old holder.
    private static let touch = Statement(
        "UPDATE task_audience SET position = ?2, is_open = ?3 WHERE task_id = ?1 AND standing <> 4")
    private static let endMoved = Statement(
        "UPDATE task_audience SET is_open = 0 WHERE task_id = ?1 AND standing = 4")
    private static let page = Statement(
        """
        SELECT \(columns), a.organisation, a.role, a.standing, a.moved_to, a.steps_until, a.position
        FROM task_audience a JOIN task t ON t.task_id = a.task_id
        WHERE a.organisation = ?1 AND a.role = ?2 AND a.is_open >= ?3 AND a.task_id > ?4
        ORDER BY a.task_id LIMIT ?5
        """)
    private static let changes = Statement(
        """
        SELECT \(columns), a.organisation, a.role, a.standing, a.moved_to, a.steps_until, a.position
        FROM task_audience a JOIN task t ON t.task_id = a.task_id
        WHERE a.organisation = ?1 AND a.role = ?2 AND a.position > ?3 ORDER BY a.position LIMIT ?4
        """)
    private static let steps = Statement(
        "SELECT taken_at, taken_by, step, detail FROM task_step WHERE task_id = ?1 ORDER BY number")
    private static let insertStep = Statement(
        """
        INSERT INTO task_step (task_id, number, taken_at, taken_by, step, detail)
        SELECT ?1, COALESCE(MAX(number), 0) + 1, ?2, ?3, ?4, ?5 FROM task_step WHERE task_id = ?1
        """)

    // MARK: Reading

    static func task(_ id: String, _ reader: any Reader) throws -> TaskRecord? {
        try reader.first(byID, [.text(id)], read)
    }

    static func open(area: String, key: String, _ reader: any Reader) throws -> TaskRecord? {
        try reader.first(openByKey, [.text(area), .text(key)], read)
    }

    /// Open tasks whose last day was before `day`, not escalated yet, that somebody is to be told of.
    static func overdue(on day: CalendarDate, _ reader: any Reader) throws -> [TaskRecord] {
        try reader.all(overdue, [.date(day)], read)
    }

    static func following(_ provider: String, _ reader: any Reader) throws -> [TaskRecord] {
        try reader.all(following, [.text(provider)], read)
    }

    static func followedProviders(_ reader: any Reader) throws -> [String] {
        try reader.all(followed) { $0.text(0) }
    }

    static func audience(of id: String, _ reader: any Reader) throws -> [TaskAudience] {
        try reader.all(audienceOf, [.text(id)]) { try readAudience($0, 0) }
    }

    typealias Seen = (task: TaskRecord, audience: TaskAudience)

    static func page(
        _ organisation: String, _ role: String, settledToo: Bool, after: String, limit: Int,
        _ reader: any Reader
    ) throws -> [Seen] {
        try reader.all(
            page,
            [.text(organisation), .text(role), .integer(settledToo ? 0 : 1), .text(after), .integer(limit)]
        ) { (try read($0), try readAudience($0, 25)) }
    }

    static func changes(
        _ organisation: String, _ role: String, after: Int64, limit: Int, _ reader: any Reader
    ) throws -> [Seen] {
        try reader.all(changes, [.text(organisation), .text(role), .integer(after), .integer(limit)]) {
            (try read($0), try readAudience($0, 25))
        }
    }

    static func steps(of id: String, _ reader: any Reader) throws -> [TaskStep] {
        try reader.all(steps, [.text(id)]) {
            TaskStep(at: $0.instant(0), by: $0.text(1), step: $0.text(2), detail: $0.text(3))
        }
    }

    private static func read(_ row: any Row) throws -> TaskRecord {
        TaskRecord(
            id: row.text(0), area: row.text(1), key: row.text(2), role: row.text(3),
            organisation: row.text(4),
            title: row.text(5), detail: row.text(6),
            record: RecordPointer(
                area: row.text(7), kind: row.text(8), id: row.text(9), organisation: row.text(10)),
            outcomes: StoredList.list(row.text(11)), dueOn: try row.optionalDate(12), isUrgent: row.bool(13),
            escalateRole: row.text(14), escalateOrganisation: row.text(15), follows: row.text(16),
            byHand: row.bool(17),
            isOpen: row.bool(18), assignedTo: row.text(19), outcome: row.text(20), settledBy: row.text(21),
            settledAt: row.optionalInstant(22), requestedAt: row.instant(23),
            escalatedAt: row.optionalInstant(24))
    }

    private static func readAudience(_ row: any Row, _ first: Int) throws -> TaskAudience {
        guard let standing = TaskStanding(rawValue: row.integer(first + 2)) else {
            throw StoredValueError(message: "no standing \(row.integer(first + 2))")
        }
        return TaskAudience(
            organisation: row.text(first), role: row.text(first + 1), standing: standing,
            movedTo: row.text(first + 3),
            stepsUntil: row.integer(first + 4), position: row.integer(first + 5))
    }

    // MARK: Writing

    static func add(_ task: TaskRecord, in transaction: any Transaction) throws {
        try transaction.run(
            insert,
            [
                .text(task.id), .text(task.area), .text(task.key), .text(task.role), .text(task.organisation),
                .text(task.title), .text(task.detail), .text(task.record.area), .text(task.record.kind),
                .text(task.record.id), .text(task.record.organisation), StoredList.text(task.outcomes),
                .date(task.dueOn), .flag(task.isUrgent), .text(task.escalateRole),
                .text(task.escalateOrganisation),
                .text(task.follows), .flag(task.byHand), .flag(task.isOpen), .text(task.assignedTo),
                .text(task.outcome), .text(task.settledBy), .optionalInstant(task.settledAt),
                .instant(task.requestedAt), .optionalInstant(task.escalatedAt),
            ])
    }

    /// Keeps what changed and tells the feeds of everybody who has the task.
    static func save(_ task: TaskRecord, in transaction: any Transaction) throws {
        try transaction.run(
            update,
            [
                .text(task.id), .text(task.organisation), .text(task.title), .text(task.detail),
                .date(task.dueOn),
                .flag(task.isUrgent), .text(task.escalateRole), .text(task.escalateOrganisation),
                .flag(task.isOpen),
                .text(task.assignedTo), .text(task.outcome), .text(task.settledBy),
                .optionalInstant(task.settledAt),
                .optionalInstant(task.escalatedAt), StoredList.text(task.outcomes),
            ])
        let position = try CounterStore.next(in: transaction)
        try transaction.run(touch, [.text(task.id), .integer(position), .flag(task.isOpen)])
        if !task.isOpen { try transaction.run(endMoved, [.text(task.id)]) }
    }

    static func show(_ id: String, to audience: TaskAudience, in transaction: any Transaction) throws {
        let position = try CounterStore.next(in: transaction)
        try transaction.run(
            insertAudience,
            [
                .text(id), .text(audience.organisation), .text(audience.role),
                .integer(audience.standing.rawValue),
                .text(audience.movedTo), .integer(audience.stepsUntil), .integer(position),
            ])
    }

    static func hide(_ id: String, from audience: TaskAudience, in transaction: any Transaction) throws {
        try transaction.run(
            deleteAudience,
            [
                .text(id), .text(audience.organisation), .text(audience.role),
                .integer(audience.standing.rawValue),
            ])
    }

    static func hide(_ id: String, standing: TaskStanding, in transaction: any Transaction) throws {
        try transaction.run(deleteStanding, [.text(id), .integer(standing.rawValue)])
    }

    static func addStep(
        _ step: String, of id: String, by: String, detail: String, in transaction: any Transaction
    ) throws {
        try transaction.run(
            insertStep, [.text(id), .instant(transaction.now), .text(by), .text(step), .text(detail)])
    }
}
