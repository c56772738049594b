import ChangesContract
import PluginAPI

struct CaseRecord: Sendable {
    var id: String
    var state: CaseState
    var version: Int64
    var effectiveOn: CalendarDate
    var openedBy: String
    var submittedBy = ""
    var receivedOn: CalendarDate?
    /// Number of the plan: 0 before it is planned, then 1, and more with each postponement.
    var plan: Int64 = 0
    var notice: Pcs_Changes_V1_Notice

    var closing: [String] { notice.closing.map(\.practiceCode) }
    var survivor: String { notice.kind == .merger ? notice.merger.survivingPracticeCode : "" }
    var practices: [String] { (survivor.isEmpty ? [] : [survivor]) + closing }
}

/// Cases, and what was said about them: notices, decisions, gates, log. History is added to, never overwritten.
enum CaseStore {
    private static let columns =
        "case_id, state, version, effective_on, opened_by, submitted_by, received_on, plan, notice"
    private static let insert = Statement(
        "INSERT INTO change_case (\(columns)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")
    private static let update = Statement(
        """
        UPDATE change_case SET state = ?2, version = ?3, effective_on = ?4, opened_by = ?5, submitted_by = ?6,
        received_on = ?7, plan = ?8, notice = ?9 WHERE case_id = ?1
        """)
    private static let byID = Statement("SELECT \(columns) FROM change_case WHERE case_id = ?1")
    private static let ofPractice = Statement(
        "SELECT case_id FROM case_practice WHERE practice_code = ?1 ORDER BY case_id DESC LIMIT 200")
    private static let latest = Statement("SELECT case_id FROM change_case ORDER BY case_id DESC LIMIT 200")
    private static let active = Statement(
        "SELECT case_id FROM change_case WHERE state IN (7, 8, 9) ORDER BY case_id")
    private static let insertPractice = Statement(
        "INSERT INTO case_practice (practice_code, case_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
    private static let deletePractices = Statement("DELETE FROM case_practice WHERE case_id = ?1")
    private static let insertNotice = Statement(
        """
        INSERT INTO notice_revision (case_id, number, body, recorded_by, recorded_at)
        SELECT ?1, COUNT(*) + 1, ?2, ?3, ?4 FROM notice_revision WHERE case_id = ?1
        """)
    private static let notices = Statement(
        "SELECT body FROM notice_revision WHERE case_id = ?1 ORDER BY number")
    private static let insertDecision = Statement(
        """
        INSERT INTO commissioner_decision (case_id, number, body, counts)
        SELECT ?1, COUNT(*) + 1, ?2, 1 FROM commissioner_decision WHERE case_id = ?1
        """)
    private static let voidDecisions = Statement(
        "UPDATE commissioner_decision SET counts = 0 WHERE case_id = ?1")
    private static let decisions = Statement(
        "SELECT body, counts FROM commissioner_decision WHERE case_id = ?1 ORDER BY number")
    private static let deleteGates = Statement("DELETE FROM gate_result WHERE case_id = ?1")
    private static let insertGate = Statement(
        "INSERT INTO gate_result (case_id, number, body) VALUES (?1, ?2, ?3)")
    private static let gates = Statement("SELECT body FROM gate_result WHERE case_id = ?1 ORDER BY number")
    private static let insertLog = Statement(
        "INSERT INTO case_log (case_id, number, body) VALUES (?1, ?2, ?3)")
    private static let log = Statement("SELECT body FROM case_log WHERE case_id = ?1 ORDER BY number")
    private static let insertGo = Statement(
        """
        INSERT INTO go_decision (case_id, number, plan, body)
        SELECT ?1, COUNT(*) + 1, ?2, ?3 FROM go_decision WHERE case_id = ?1
        """)
    private static let goes = Statement(
        "SELECT body FROM go_decision WHERE case_id = ?1 AND plan = ?2 ORDER BY number")

    private static func values(_ record: CaseRecord) throws -> [StoredValue] {
        [
            .text(record.id), .integer(record.state.rawValue), .integer(record.version),
            .date(record.effectiveOn),
            .text(record.openedBy), .text(record.submittedBy), .date(record.receivedOn),
            .integer(record.plan),
            .blob(try record.notice.serializedBytes()),
        ]
    }

    static func add(_ record: CaseRecord, in transaction: any Transaction) throws {
        try transaction.run(insert, try values(record))
        try keepNotice(of: record, by: record.openedBy, in: transaction)
    }

    /// What the notice says from now on; what stood before stays.
    static func keepNotice(of record: CaseRecord, by actor: String, in transaction: any Transaction) throws {
        try transaction.run(
            insertNotice,
            [
                .text(record.id), .blob(try record.notice.serializedBytes()), .text(actor),
                .instant(transaction.now),
            ])
        try transaction.run(deletePractices, [.text(record.id)])
        for practice in Set(record.practices).sorted() {
            try transaction.run(insertPractice, [.text(practice), .text(record.id)])
        }
    }

    /// Saves a change with its entry in the log, tells whoever watches, and writes the audit row.
    static func save(
        _ record: inout CaseRecord, by actor: String, _ words: String, in transaction: any Transaction
    ) throws {
        record.version += 1
        try transaction.run(update, try values(record))
        let (number, state) = (record.version, record.state)
        let entry = Pcs_Changes_V1_CaseLogEntry.with {
            $0.number = number
            $0.at = .init(transaction.now)
            $0.by = actor
            $0.words = words
            $0.state = Pcs_Changes_V1_CaseState(rawValue: Int(state.rawValue)) ?? .unspecified
        }
        try transaction.run(
            insertLog, [.text(record.id), .integer(record.version), .blob(try entry.serializedBytes())])
        let id = record.id
        try transaction.publish(
            Pcs_Changes_V1_ChangeCaseProgressed.with { ($0.caseID, $0.version) = (id, number) }, key: id)
        transaction.audit(
            AuditNote(
                object: "practice-change/\(record.id)", organisation: record.closing.first ?? "",
                detail: "\(words) (\(record.state.name))"))
    }

    static func record(_ id: String, _ reader: any Reader) throws -> CaseRecord? {
        try reader.first(byID, [.text(id)]) { row in
            guard let state = CaseState(rawValue: row.integer(1)) else {
                throw StoredValueError(message: "case \(row.text(0)) is not as it was written")
            }
            return CaseRecord(
                id: row.text(0), state: state, version: row.integer(2), effectiveOn: try row.date(3),
                openedBy: row.text(4), submittedBy: row.text(5), receivedOn: try row.optionalDate(6),
                plan: row.integer(7), notice: try Pcs_Changes_V1_Notice(serializedBytes: row.blob(8)))
        }
    }

    static func cases(of practice: String, _ reader: any Reader) throws -> [CaseRecord] {
        let ids =
            try practice.isEmpty
            ? reader.all(latest) { $0.text(0) } : reader.all(ofPractice, [.text(practice)]) { $0.text(0) }
        return try ids.compactMap { try record($0, reader) }
    }

    /// Cases whose steps run.
    static func active(_ reader: any Reader) throws -> [CaseRecord] {
        try reader.all(active) { $0.text(0) }.compactMap { try record($0, reader) }
    }

    /// Another case of a practice that has left the practice's hands and is not ended.
    static func otherCase(of practice: String, than id: String, _ reader: any Reader) throws -> String? {
        try cases(of: practice, reader).first {
            $0.id != id && !$0.state.isEnded && $0.state != .draft && $0.state != .returned
        }?.id
    }

    static func notices(of id: String, _ reader: any Reader) throws -> [Pcs_Changes_V1_Notice] {
        try reader.all(notices, [.text(id)]) { try Pcs_Changes_V1_Notice(serializedBytes: $0.blob(0)) }
    }

    static func add(
        _ decision: Pcs_Changes_V1_CommissionerDecision, to id: String, in transaction: any Transaction
    ) throws {
        try transaction.run(insertDecision, [.text(id), .blob(try decision.serializedBytes())])
    }

    /// A returned notice is decided anew.
    static func voidDecisions(of id: String, in transaction: any Transaction) throws {
        try transaction.run(voidDecisions, [.text(id)])
    }

    static func decisions(
        of id: String, countingOnly: Bool, _ reader: any Reader
    ) throws -> [Pcs_Changes_V1_CommissionerDecision] {
        try reader.all(decisions, [.text(id)]) { row in
            (try Pcs_Changes_V1_CommissionerDecision(serializedBytes: row.blob(0)), row.bool(1))
        }.filter { $0.1 || !countingOnly }.map(\.0)
    }

    static func setGates(_ gates: [Gate], of id: String, in transaction: any Transaction) throws {
        try transaction.run(deleteGates, [.text(id)])
        for (number, gate) in gates.enumerated() {
            let message = Pcs_Changes_V1_GateResult.with {
                ($0.gate, $0.passed, $0.words) = (gate.name, gate.passed, gate.words)
            }
            try transaction.run(
                insertGate, [.text(id), .integer(number), .blob(try message.serializedBytes())])
        }
    }

    static func gates(of id: String, _ reader: any Reader) throws -> [Pcs_Changes_V1_GateResult] {
        try reader.all(gates, [.text(id)]) { try Pcs_Changes_V1_GateResult(serializedBytes: $0.blob(0)) }
    }

    static func log(of id: String, _ reader: any Reader) throws -> [Pcs_Changes_V1_CaseLogEntry] {
        try reader.all(log, [.text(id)]) { try Pcs_Changes_V1_CaseLogEntry(serializedBytes: $0.blob(0)) }
    }

    static func add(_ go: Pcs_Changes_V1_GoDecision, to record: CaseRecord, in transaction: any Transaction)
        throws
    {
        try transaction.run(
            insertGo, [.text(record.id), .integer(record.plan), .blob(try go.serializedBytes())])
    }

    /// Those since the last postponement.
    static func goes(of record: CaseRecord, _ reader: any Reader) throws -> [Pcs_Changes_V1_GoDecision] {
        try reader.all(goes, [.text(record.id), .integer(record.plan)]) {
            try Pcs_Changes_V1_GoDecision(serializedBytes: $0.blob(0))
        }
    }
}
