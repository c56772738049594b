import PluginAPI

struct UploadRecord: Hashable, Sendable {
    var id: String
    var state: UploadState
    var kind: String
    var fileName: String
    var type: FileType
    var size: Int64
    var confirmed: Int64
    var organisation: String
    var record: RecordKey
    var startedBy: String
    var startedAt: Instant
    var expiresAt: Instant
    var documentID = ""
    var refused = ""
}

/// Uploads and the pieces of their bytes.
enum UploadStore {
    private static let columns = """
        upload_id, state, kind, file_name, file_type, size, confirmed, organisation, record_area, record_kind,
        record_id, started_by, started_at, expires_at, document_id, refused
        """
    private static let insert = Statement(
        """
        INSERT INTO upload (\(columns))
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
        """)
    private static let byID = Statement("SELECT \(columns) FROM upload WHERE upload_id = ?1")
    private static let setConfirmed = Statement("UPDATE upload SET confirmed = ?2 WHERE upload_id = ?1")
    private static let setState = Statement(
        "UPDATE upload SET state = ?2, document_id = ?3, refused = ?4 WHERE upload_id = ?1")
    private static let overdue = Statement(
        "SELECT \(columns) FROM upload WHERE state = 1 AND expires_at <= ?1 ORDER BY expires_at LIMIT 500")
    private static let openOf = Statement("SELECT COUNT(*) FROM upload WHERE state = 1 AND organisation = ?1")
    private static let ofRecord = Statement(
        """
        SELECT COUNT(*) FROM upload
        WHERE record_area = ?1 AND record_kind = ?2 AND record_id = ?3 AND state IN (1, 2) AND organisation = ?4
        """)
    private static let insertPiece = Statement(
        "INSERT INTO piece (upload_id, position, body) VALUES (?1, ?2, ?3)")
    private static let pieceAt = Statement(
        """
        SELECT position, body FROM piece WHERE upload_id = ?1 AND position <= ?2 ORDER BY position DESC LIMIT 1
        """)
    private static let pieceCount = Statement("SELECT COUNT(*) FROM piece WHERE upload_id = ?1")
    private static let deletePieces = Statement("DELETE FROM piece WHERE upload_id = ?1")

    static func add(_ upload: UploadRecord, in transaction: any Transaction) throws {
        try transaction.run(
            insert,
            [
                .text(upload.id), .integer(upload.state.rawValue), .text(upload.kind), .text(upload.fileName),
                .integer(upload.type.rawValue), .integer(upload.size), .integer(upload.confirmed),
                .text(upload.organisation), .text(upload.record.area), .text(upload.record.kind),
                .text(upload.record.id), .text(upload.startedBy), .instant(upload.startedAt),
                .instant(upload.expiresAt), .text(upload.documentID), .text(upload.refused),
            ])
    }

    private static func record(_ row: any Row) throws -> UploadRecord {
        guard let state = UploadState(rawValue: row.integer(1)), let type = FileType(rawValue: row.integer(4))
        else {
            throw StoredValueError(message: "upload \(row.text(0)) is not as it was written")
        }
        return UploadRecord(
            id: row.text(0), state: state, kind: row.text(2), fileName: row.text(3), type: type,
            size: row.integer(5), confirmed: row.integer(6), organisation: row.text(7),
            record: RecordKey(area: row.text(8), kind: row.text(9), id: row.text(10)),
            startedBy: row.text(11),
            startedAt: row.instant(12), expiresAt: row.instant(13), documentID: row.text(14),
            refused: row.text(15))
    }

    static func upload(_ id: String, _ reader: any Reader) throws -> UploadRecord? {
        try reader.first(byID, [.text(id)], record)
    }

    /// Ends an upload that is not to become a document: its bytes go.
    static func end(
        _ upload: UploadRecord, as state: UploadState, because reason: String = "",
        in transaction: any Transaction
    ) throws {
        try transaction.run(
            setState, [.text(upload.id), .integer(state.rawValue), .text(""), .text(reason)])
        try transaction.run(deletePieces, [.text(upload.id)])
    }

    static func complete(_ upload: UploadRecord, documentID: String, in transaction: any Transaction) throws {
        try transaction.run(
            setState,
            [.text(upload.id), .integer(UploadState.completed.rawValue), .text(documentID), .text("")])
    }

    static func overdue(at now: Instant, _ reader: any Reader) throws -> [UploadRecord] {
        try reader.all(overdue, [.instant(now)], record)
    }

    static func openUploads(of organisation: String, _ reader: any Reader) throws -> Int64 {
        try reader.first(openOf, [.text(organisation)]) { $0.integer(0) } ?? 0
    }

    /// Uploads of an organisation, open or completed, that are meant for a record.
    static func count(for record: RecordKey, of organisation: String, _ reader: any Reader) throws -> Int64 {
        try reader.first(
            ofRecord, [.text(record.area), .text(record.kind), .text(record.id), .text(organisation)]
        ) { $0.integer(0) } ?? 0
    }

    static func append(
        _ bytes: [UInt8], at position: Int64, to id: String, in transaction: any Transaction
    ) throws {
        try transaction.run(insertPiece, [.text(id), .integer(position), .blob(bytes)])
        try transaction.run(setConfirmed, [.text(id), .integer(position + Int64(bytes.count))])
    }

    static func pieces(of id: String, _ reader: any Reader) throws -> Int64 {
        try reader.first(pieceCount, [.text(id)]) { $0.integer(0) } ?? 0
    }

    /// The stored bytes from an offset to the end of their piece; empty behind the last.
    static func bytes(of id: String, from offset: Int64, _ reader: any Reader) throws -> ArraySlice<UInt8> {
        let piece = try reader.first(pieceAt, [.text(id), .integer(offset)]) { ($0.integer(0), $0.blob(1)) }
        guard let (position, body) = piece, offset - position < Int64(body.count) else { return [] }
        return body[Int(offset - position)...]
    }

    static func allBytes(of upload: UploadRecord, _ reader: any Reader) throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(upload.size))
        while true {
            let piece = try self.bytes(of: upload.id, from: Int64(bytes.count), reader)
            if piece.isEmpty { return bytes }
            bytes += piece
        }
    }

    static func discard(_ uploadID: String, in transaction: any Transaction) throws {
        try transaction.run(deletePieces, [.text(uploadID)])
    }
}
