import PluginAPI

/// Documents and backing data of claims, and what the keeper of documents says of documents.
enum LocalEvidenceStore {
    struct Record: Sendable {
        /// Empty = backing data.
        var document = ""
        var fileName = ""
        var sha256 = ""
        var rows: Int64 = 0
        var body: [UInt8] = []
        var noIdentifiers = ""
        var by: String
        var at: Instant

        var isBacking: Bool { document.isEmpty }
    }

    private static let recordScan = Statement(
        """
        INSERT INTO local_scanned_document (document_id, organisation_code, clean, told_at) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (document_id) DO UPDATE SET clean = excluded.clean, told_at = excluded.told_at
        """)
    private static let scan = Statement(
        "SELECT organisation_code, clean FROM local_scanned_document WHERE document_id = ?1")
    private static let insert = Statement(
        """
        INSERT INTO local_evidence (claim_number, number, document_id, file_name, sha256, row_count, body,
            no_identifiers_reason, attached_by, attached_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        """)
    private static let last = Statement(
        "SELECT COALESCE(MAX(number), 0) FROM local_evidence WHERE claim_number = ?1")
    private static let ofClaim = Statement(
        """
        SELECT document_id, file_name, sha256, row_count, no_identifiers_reason, attached_by, attached_at
        FROM local_evidence WHERE claim_number = ?1 ORDER BY number
        """)
    private static let bodyOf = Statement(
        """
        SELECT body FROM local_evidence WHERE claim_number = ?1 AND document_id = '' ORDER BY number DESC LIMIT 1
        """)

    static func recordScan(
        _ document: String, organisation: String, clean: Bool, in transaction: any Transaction
    ) throws {
        try transaction.run(
            recordScan,
            [.text(document), .text(organisation), .integer(clean ? 1 : 0), .instant(transaction.now)])
    }

    /// Whether it was found clean and was uploaded for this organisation.
    static func isClean(_ document: String, of organisation: String, _ reader: any Reader) throws -> Bool {
        try reader.first(scan, [.text(document)]) { $0.text(0) == organisation && $0.bool(1) } ?? false
    }

    static func add(_ record: Record, to claim: Int64, in transaction: any Transaction) throws {
        let number = (try transaction.first(last, [.integer(claim)]) { $0.integer(0) } ?? 0) + 1
        try transaction.run(
            insert,
            [
                .integer(claim), .integer(number), .text(record.document), .text(record.fileName),
                .text(record.sha256),
                .integer(record.rows), record.isBacking ? .blob(record.body) : .null,
                .text(record.noIdentifiers),
                .text(record.by), .instant(record.at),
            ])
    }

    /// Without content.
    static func of(claim: Int64, _ reader: any Reader) throws -> [Record] {
        try reader.all(ofClaim, [.integer(claim)]) { row in
            Record(
                document: row.text(0), fileName: row.text(1), sha256: row.text(2), rows: row.integer(3),
                noIdentifiers: row.text(4), by: row.text(5), at: row.instant(6))
        }
    }

    /// The table that holds.
    static func backing(of claim: Int64, _ reader: any Reader) throws -> [UInt8]? {
        try reader.first(bodyOf, [.integer(claim)]) { $0.blob(0) }
    }
}
