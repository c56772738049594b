import PluginAPI

/// Bulk uploads: the file as it came, what it gave, and the rows that were rejected.
enum LocalBulkStore {
    enum State: Int, Sendable { case awaitingReview = 1, accepted, declined }

    struct Record: Sendable {
        var number: Int64 = 0
        var id = ""
        var commissioner: String
        var service: String
        var fileName: String
        var sha256: String
        var state = State.awaitingReview
        var rows: Int64 = 0
        var claims: Int64 = 0
        var rejectedRows: Int64 = 0
        var pence: Int64 = 0
        var uploadedBy = ""
        var uploadedAt = Instant(microsecondsSince1970: 0)
        var reviewedBy = ""
        var reviewedAt: Instant?
        var reason = ""
    }

    private static let columns = """
        number, bulk_id, commissioner_code, service_id, file_name, sha256, state, row_count, claims, rejected_rows, pence,
        uploaded_by, uploaded_at, reviewed_by, reviewed_at, reason
        """
    private static let insert = Statement(
        """
        INSERT INTO local_bulk (\(columns), body)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
        """)
    private static let update = Statement(
        "UPDATE local_bulk SET state = ?2, reviewed_by = ?3, reviewed_at = ?4, reason = ?5 WHERE number = ?1")
    private static let insertRejections = BulkInsert(
        into: "local_bulk_rejection", ["bulk_number", "number", "line", "field", "rule", "message"])
    private static let last = Statement("SELECT COALESCE(MAX(number), 0) FROM local_bulk")
    private static let byID = Statement("SELECT \(columns) FROM local_bulk WHERE bulk_id = ?1")
    private static let byNumber = Statement("SELECT bulk_id FROM local_bulk WHERE number = ?1")
    private static let bodyOf = Statement("SELECT body FROM local_bulk WHERE number = ?1")
    private static let byHash = Statement(
        "SELECT \(columns) FROM local_bulk WHERE sha256 = ?1 AND commissioner_code = ?2 AND state <> 3")
    private static let byCommissioner = Statement(
        "SELECT \(columns) FROM local_bulk WHERE commissioner_code = ?1 ORDER BY number DESC")
    private static let rejectionsOf = Statement(
        "SELECT line, field, rule, message FROM local_bulk_rejection WHERE bulk_number = ?1 ORDER BY number")
    private static let firstRejectionsOf = Statement(
        "SELECT line, field, rule, message FROM local_bulk_rejection WHERE bulk_number = ?1 ORDER BY number LIMIT 1000"
    )

    static func nextNumber(_ reader: any Reader) throws -> Int64 {
        (try reader.first(last) { $0.integer(0) } ?? 0) + 1
    }

    static func add(
        _ record: Record, _ file: UploadedFile, rejections: [Violation], in transaction: any Transaction
    ) throws {
        try transaction.run(
            insert,
            [
                .integer(record.number), .text(record.id), .text(record.commissioner), .text(record.service),
                .text(record.fileName), .text(record.sha256), .integer(record.state.rawValue),
                .integer(record.rows),
                .integer(record.claims), .integer(record.rejectedRows), .integer(record.pence),
                .text(record.uploadedBy), .instant(record.uploadedAt), .text(""), .null, .text(""),
                .blob(file.bytes),
            ])
        var number: Int64 = 0
        try insertRejections.run(rejections, in: transaction) { rejection, values in
            number += 1
            values += [
                .integer(record.number), .integer(number), .integer(rejection.row), .text(rejection.field),
                .text(rejection.rule), .text(rejection.message),
            ]
        }
    }

    static func save(_ record: Record, in transaction: any Transaction) throws {
        try transaction.run(
            update,
            [
                .integer(record.number), .integer(record.state.rawValue), .text(record.reviewedBy),
                .optional(record.reviewedAt?.microsecondsSince1970), .text(record.reason),
            ])
    }

    static func record(_ id: String, _ reader: any Reader) throws -> Record? {
        try reader.first(byID, [.text(id)], record)
    }
    static func id(of number: Int64, _ reader: any Reader) throws -> String {
        number == 0 ? "" : try reader.first(byNumber, [.integer(number)]) { $0.text(0) } ?? ""
    }
    static func body(of number: Int64, _ reader: any Reader) throws -> [UInt8] {
        try reader.first(bodyOf, [.integer(number)]) { $0.blob(0) } ?? []
    }
    /// The same file that was not declined.
    static func record(sha256: String, _ commissioner: String, _ reader: any Reader) throws -> Record? {
        try reader.first(byHash, [.text(sha256), .text(commissioner)], record)
    }
    static func of(commissioner: String, _ reader: any Reader) throws -> [Record] {
        try reader.all(byCommissioner, [.text(commissioner)], record)
    }
    static func rejections(of number: Int64, all: Bool, _ reader: any Reader) throws -> [Violation] {
        try reader.all(all ? rejectionsOf : firstRejectionsOf, [.integer(number)]) { row in
            Violation(field: row.text(1), rule: row.text(2), message: row.text(3), row: Int(row.integer(0)))
        }
    }

    private static func record(_ row: any Row) throws -> Record {
        guard let state = State(rawValue: Int(row.integer(6))) else { throw CQRSError.damaged("bulk upload") }
        return Record(
            number: row.integer(0), id: row.text(1), commissioner: row.text(2), service: row.text(3),
            fileName: row.text(4), sha256: row.text(5), state: state, rows: row.integer(7),
            claims: row.integer(8),
            rejectedRows: row.integer(9), pence: row.integer(10), uploadedBy: row.text(11),
            uploadedAt: row.instant(12),
            reviewedBy: row.text(13), reviewedAt: row.isNull(14) ? nil : row.instant(14), reason: row.text(15)
        )
    }
}
