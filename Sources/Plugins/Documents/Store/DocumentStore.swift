import PluginAPI

/// A record of an area, by name.
struct RecordKey: Hashable, Sendable {
    var area = ""
    var kind = ""
    var id = ""
    var organisation = ""

    var isEmpty: Bool { area.isEmpty && kind.isEmpty && id.isEmpty }
}

struct DocumentRecord: Hashable, Sendable {
    var id: String
    var uploadID: String
    var state: DocumentState
    var kind: String
    var fileName: String
    var type: FileType
    var size: Int64
    var sha256: String
    var organisation: String
    var uploadedBy: String
    var uploadedAt: Instant
    var retainByKind: CalendarDate
    var identifiers: Int64 = 0
    var confirmation = ""
    var scanFinding = ""
    /// Number of the present list of readers; 0 before it is linked.
    var version: Int64 = 0
}

/// What is known of documents.
enum DocumentStore {
    private static let columns = """
        document_id, upload_id, state, kind, file_name, file_type, size, sha256, organisation, uploaded_by,
        uploaded_at, retain_by_kind, identifiers, confirmation, scan_finding, version
        """
    private static let insert = Statement(
        """
        INSERT INTO document (\(columns))
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
        """)
    private static let byID = Statement("SELECT \(columns) FROM document WHERE document_id = ?1")
    private static let setState = Statement(
        "UPDATE document SET state = ?2, scan_finding = ?3 WHERE document_id = ?1")
    private static let setVersion = Statement("UPDATE document SET version = ?2 WHERE document_id = ?1")
    private static let ofRecord = Statement(
        """
        SELECT document.document_id FROM document
        JOIN reader_list ON reader_list.document_id = document.document_id
        AND reader_list.version = document.version
        WHERE record_area = ?1 AND record_kind = ?2 AND record_id = ?3 ORDER BY document.document_id LIMIT 1000
        """)
    private static let expired = Statement(
        """
        SELECT document.document_id FROM document
        LEFT JOIN reader_list ON reader_list.document_id = document.document_id
        AND reader_list.version = document.version
        WHERE state <> 4 AND COALESCE(retain_until, retain_by_kind) <= ?1
        AND NOT EXISTS (
            SELECT 1 FROM hold WHERE hold.document_id = document.document_id AND hold.lifted_at IS NULL)
        ORDER BY document.document_id LIMIT 500
        """)

    static func add(_ document: DocumentRecord, in transaction: any Transaction) throws {
        try transaction.run(
            insert,
            [
                .text(document.id), .text(document.uploadID), .integer(document.state.rawValue),
                .text(document.kind), .text(document.fileName), .integer(document.type.rawValue),
                .integer(document.size), .text(document.sha256), .text(document.organisation),
                .text(document.uploadedBy), .instant(document.uploadedAt), .date(document.retainByKind),
                .integer(document.identifiers), .text(document.confirmation), .text(document.scanFinding),
                .integer(document.version),
            ])
    }

    static func document(_ id: String, _ reader: any Reader) throws -> DocumentRecord? {
        try reader.first(byID, [.text(id)]) { row in
            guard let state = DocumentState(rawValue: row.integer(2)),
                let type = FileType(rawValue: row.integer(5))
            else { throw StoredValueError(message: "document \(row.text(0)) is not as it was written") }
            return DocumentRecord(
                id: row.text(0), uploadID: row.text(1), state: state, kind: row.text(3),
                fileName: row.text(4),
                type: type, size: row.integer(6), sha256: row.text(7), organisation: row.text(8),
                uploadedBy: row.text(9), uploadedAt: row.instant(10), retainByKind: try row.date(11),
                identifiers: row.integer(12), confirmation: row.text(13), scanFinding: row.text(14),
                version: row.integer(15))
        }
    }

    /// Follows the lifecycle: a change that it does not know is a defect of the caller.
    static func change(
        _ document: DocumentRecord, to state: DocumentState, finding: String? = nil,
        in transaction: any Transaction
    ) throws {
        guard document.state.canBecome(state) else {
            throw StoredValueError(message: "document \(document.id) cannot become \(state)")
        }
        try transaction.run(
            setState, [.text(document.id), .integer(state.rawValue), .text(finding ?? document.scanFinding)])
    }

    static func setVersion(_ version: Int64, of id: String, in transaction: any Transaction) throws {
        try transaction.run(setVersion, [.text(id), .integer(version)])
    }

    static func documents(of record: RecordKey, _ reader: any Reader) throws -> [DocumentRecord] {
        let ids = try reader.all(ofRecord, [.text(record.area), .text(record.kind), .text(record.id)]) {
            $0.text(0)
        }
        return try ids.compactMap { try document($0, reader) }
    }

    /// Documents whose time has passed on a day and that nothing holds.
    static func destroyable(on day: CalendarDate, _ reader: any Reader) throws -> [DocumentRecord] {
        let ids = try reader.all(expired, [.date(day)]) { $0.text(0) }
        return try ids.compactMap { try document($0, reader) }
    }
}
