import PluginAPI

enum EnquiryStore {
    private static let columns = """
        e.enquiry_id, e.kind, e.state, e.organisation, e.category, e.sub_category, e.subject, e.body, e.documents,
        e.urgent, e.urgency_reason, e.patient_safety, e.restricted, e.raised_by, e.raised_at, e.clock_from, e.team,
        e.handler, e.acknowledged_at, e.first_answered_at, e.resolved_at, e.planned_answer_on, e.stopped_minutes,
        e.waiting_since, e.reminded, e.escalated_percent, e.closing_reason, e.duplicate_of, e.complaint_proposed,
        e.drafted_by, e.event_on, e.late_reason, e.times_reopened, e.resolve_by
        """
    private static let byID = Statement("SELECT \(columns) FROM enquiry e WHERE e.enquiry_id = ?1")
    private static let upsert = Statement(
        """
        INSERT INTO enquiry (enquiry_id, kind, state, organisation, category, sub_category, subject, body, documents,
            urgent, urgency_reason, patient_safety, restricted, raised_by, raised_at, clock_from, team, handler,
            acknowledged_at, first_answered_at, resolved_at, planned_answer_on, stopped_minutes, waiting_since, reminded,
            escalated_percent, closing_reason, duplicate_of, complaint_proposed, drafted_by, event_on, late_reason,
            times_reopened, resolve_by, is_ended, is_answered)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
            ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36)
        ON CONFLICT (enquiry_id) DO UPDATE SET kind = ?2, state = ?3, category = ?5, sub_category = ?6,
            restricted = ?13, clock_from = ?16, team = ?17, handler = ?18, acknowledged_at = ?19,
            first_answered_at = ?20, resolved_at = ?21, planned_answer_on = ?22, stopped_minutes = ?23,
            waiting_since = ?24, reminded = ?25, escalated_percent = ?26, closing_reason = ?27, duplicate_of = ?28,
            complaint_proposed = ?29, drafted_by = ?30, times_reopened = ?33, resolve_by = ?34, is_ended = ?35,
            is_answered = ?36
        """)
    // Those of the organisation itself and those copied to it, newest first.
    private static let ofOrganisation = Statement(
        """
        SELECT \(columns) FROM enquiry e
        WHERE e.enquiry_id < ?2 AND (e.organisation = ?1 OR EXISTS (
            SELECT 1 FROM enquiry_copy c WHERE c.organisation = ?1 AND c.enquiry_id = e.enquiry_id))
        ORDER BY e.enquiry_id DESC LIMIT ?3
        """)
    private static let work = Statement(
        """
        SELECT \(columns) FROM enquiry e
        WHERE e.is_answered = 0 AND e.team = ?1 AND (e.resolve_by > ?2 OR (e.resolve_by = ?2 AND e.enquiry_id > ?3))
        ORDER BY e.resolve_by, e.enquiry_id LIMIT ?4
        """)
    private static let notEnded = Statement(
        "SELECT \(columns) FROM enquiry e WHERE e.is_ended = 0 AND e.enquiry_id > ?1 ORDER BY e.enquiry_id LIMIT ?2"
    )
    private static let raisedBetween = Statement(
        """
        SELECT \(columns) FROM enquiry e WHERE e.raised_at >= ?1 AND e.raised_at < ?2 ORDER BY e.raised_at LIMIT ?3
        """)
    private static let entries = Statement(
        """
        SELECT at, by_whom, action, state, body, internal, documents FROM enquiry_entry
        WHERE enquiry_id = ?1 ORDER BY number
        """)
    private static let insertEntry = Statement(
        """
        INSERT INTO enquiry_entry (enquiry_id, number, at, by_whom, action, state, body, internal, documents)
        SELECT ?1, COALESCE(MAX(number), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM enquiry_entry WHERE enquiry_id = ?1
        """)
    private static let records = Statement(
        """
        SELECT area, kind, record_id, organisation FROM enquiry_record
        WHERE enquiry_id = ?1 ORDER BY area, kind, record_id
        """)
    private static let insertRecord = Statement(
        """
        INSERT INTO enquiry_record (enquiry_id, area, kind, record_id, organisation) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (enquiry_id, area, kind, record_id) DO NOTHING
        """)
    private static let named = Statement(
        "SELECT person FROM enquiry_named WHERE enquiry_id = ?1 ORDER BY person")
    private static let insertNamed = Statement(
        "INSERT INTO enquiry_named (enquiry_id, person) VALUES (?1, ?2) ON CONFLICT (enquiry_id, person) DO NOTHING"
    )
    private static let copies = Statement(
        "SELECT organisation FROM enquiry_copy WHERE enquiry_id = ?1 ORDER BY organisation")
    private static let insertCopy = Statement(
        """
        INSERT INTO enquiry_copy (enquiry_id, organisation) VALUES (?1, ?2)
        ON CONFLICT (enquiry_id, organisation) DO NOTHING
        """)

    // MARK: Cases

    static func find(_ id: String, _ reader: any Reader) throws -> CaseRecord? {
        try reader.first(byID, [.text(id)], read)
    }

    /// Newest first. Says nothing of who may see them.
    static func list(
        of organisation: String, before id: String, limit: Int, _ reader: any Reader
    ) throws -> [CaseRecord] {
        try reader.all(ofOrganisation, [.text(organisation), .text(id), .integer(limit)], read)
    }

    static func work(
        of team: String, after due: Instant, _ id: String, limit: Int, _ reader: any Reader
    ) throws -> [CaseRecord] {
        try reader.all(work, [.text(team), .instant(due), .text(id), .integer(limit)], read)
    }

    static func notEnded(after id: String, limit: Int, _ reader: any Reader) throws -> [CaseRecord] {
        try reader.all(notEnded, [.text(id), .integer(limit)], read)
    }

    static func raised(from: Instant, to: Instant, limit: Int, _ reader: any Reader) throws -> [CaseRecord] {
        try reader.all(raisedBetween, [.instant(from), .instant(to), .integer(limit)], read)
    }

    static func save(_ record: CaseRecord, in transaction: any Transaction) throws {
        try transaction.run(
            upsert,
            [
                .text(record.id), .integer(record.kind.rawValue), .integer(record.state.rawValue),
                .text(record.organisation), .text(record.category), .text(record.subCategory),
                .text(record.subject),
                .text(record.body), StoredList.text(record.documents), .flag(record.isUrgent),
                .text(record.urgencyReason), .flag(record.isPatientSafety), .flag(record.isRestricted),
                .text(record.raisedBy), .instant(record.raisedAt), .instant(record.clockFrom),
                .text(record.team),
                .text(record.handler), .optionalInstant(record.acknowledgedAt),
                .optionalInstant(record.firstAnsweredAt), .optionalInstant(record.resolvedAt),
                .date(record.plannedAnswerOn), .integer(record.stoppedMinutes),
                .optionalInstant(record.waitingSince),
                .flag(record.isReminded), .integer(record.escalatedPercent), .text(record.closingReason),
                .text(record.duplicateOf), .flag(record.isComplaintProposed), .text(record.draftedBy),
                .date(record.eventOn), .text(record.lateReason), .integer(record.timesReopened),
                .instant(record.resolveBy), .flag(record.state.isEnded), .flag(record.state.isAnswered),
            ])
    }

    private static func read(_ row: any Row) throws -> CaseRecord {
        guard let kind = CaseKind(rawValue: row.integer(1)), let state = CaseState(rawValue: row.integer(2))
        else {
            throw StoredValueError(
                message: "no kind or state of an enquiry: \(row.integer(1)), \(row.integer(2))")
        }
        var record = CaseRecord(
            id: row.text(0), kind: kind, state: state, organisation: row.text(3), category: row.text(4),
            subCategory: row.text(5), subject: row.text(6), body: row.text(7), raisedBy: row.text(13),
            raisedAt: row.instant(14), clockFrom: row.instant(15), team: row.text(16),
            resolveBy: row.instant(33))
        record.documents = StoredList.list(row.text(8))
        record.isUrgent = row.bool(9)
        record.urgencyReason = row.text(10)
        record.isPatientSafety = row.bool(11)
        record.isRestricted = row.bool(12)
        record.handler = row.text(17)
        record.acknowledgedAt = row.optionalInstant(18)
        record.firstAnsweredAt = row.optionalInstant(19)
        record.resolvedAt = row.optionalInstant(20)
        record.plannedAnswerOn = try row.optionalDate(21)
        record.stoppedMinutes = Int(row.integer(22))
        record.waitingSince = row.optionalInstant(23)
        record.isReminded = row.bool(24)
        record.escalatedPercent = Int(row.integer(25))
        record.closingReason = row.text(26)
        record.duplicateOf = row.text(27)
        record.isComplaintProposed = row.bool(28)
        record.draftedBy = row.text(29)
        record.eventOn = try row.optionalDate(30)
        record.lateReason = row.text(31)
        record.timesReopened = Int(row.integer(32))
        return record
    }

    // MARK: What belongs to a case

    static func entries(of id: String, _ reader: any Reader) throws -> [CaseEntry] {
        try reader.all(entries, [.text(id)]) { row in
            CaseEntry(
                at: row.instant(0), by: row.text(1), action: CaseAction(rawValue: row.integer(2)),
                state: CaseState(rawValue: row.integer(3)) ?? .new, text: row.text(4),
                isInternal: row.bool(5),
                documents: StoredList.list(row.text(6)))
        }
    }

    static func add(_ entry: CaseEntry, to id: String, in transaction: any Transaction) throws {
        try transaction.run(
            insertEntry,
            [
                .text(id), .instant(entry.at), .text(entry.by), .integer(entry.action?.rawValue ?? 0),
                .integer(entry.state.rawValue), .text(entry.text), .flag(entry.isInternal),
                StoredList.text(entry.documents),
            ])
    }

    static func records(of id: String, _ reader: any Reader) throws -> [RecordPointer] {
        try reader.all(records, [.text(id)]) {
            RecordPointer(area: $0.text(0), kind: $0.text(1), id: $0.text(2), organisation: $0.text(3))
        }
    }

    static func link(_ record: RecordPointer, to id: String, in transaction: any Transaction) throws {
        try transaction.run(
            insertRecord,
            [.text(id), .text(record.area), .text(record.kind), .text(record.id), .text(record.organisation)])
    }

    static func named(in id: String, _ reader: any Reader) throws -> [String] {
        try reader.all(named, [.text(id)]) { $0.text(0) }
    }

    static func name(_ person: String, in id: String, _ transaction: any Transaction) throws {
        try transaction.run(insertNamed, [.text(id), .text(person)])
    }

    static func copies(of id: String, _ reader: any Reader) throws -> [String] {
        try reader.all(copies, [.text(id)]) { $0.text(0) }
    }

    static func copy(_ id: String, to organisation: String, in transaction: any Transaction) throws {
        try transaction.run(insertCopy, [.text(id), .text(organisation)])
    }
}
