import PluginAPI

/// Claims of scanners, and what they found.
enum ScanStore {
    struct Claim: Hashable, Sendable {
        var id: String
        var documentID: String
        var scanner: String
        var endsAt: Instant
        var isReported: Bool
    }

    private static let insert = Statement(
        """
        INSERT INTO scan_claim
        (claim_id, document_id, scanner, claimed_at, ends_at, reported_at, verdict, engine, finding)
        VALUES (?1, ?2, ?3, ?4, ?5, NULL, 0, '', '')
        """)
    private static let byID = Statement(
        "SELECT claim_id, document_id, scanner, ends_at, reported_at FROM scan_claim WHERE claim_id = ?1")
    private static let report = Statement(
        "UPDATE scan_claim SET reported_at = ?2, verdict = ?3, engine = ?4, finding = ?5 WHERE claim_id = ?1")
    private static let next = Statement(
        """
        SELECT document_id FROM document WHERE state = 1 AND NOT EXISTS (
            SELECT 1 FROM scan_claim WHERE scan_claim.document_id = document.document_id
            AND reported_at IS NULL AND ends_at > ?1)
        ORDER BY document_id LIMIT 1
        """)
    private static let waiting = Statement("SELECT COUNT(*) FROM document WHERE state = 1")
    private static let held = Statement(
        """
        SELECT 1 FROM scan_claim
        WHERE document_id = ?1 AND scanner = ?2 AND reported_at IS NULL AND ends_at > ?3 LIMIT 1
        """)

    /// The document that waits longest and that nobody has claimed.
    static func next(at now: Instant, _ reader: any Reader) throws -> DocumentRecord? {
        guard let id = try reader.first(next, [.instant(now)], { $0.text(0) }) else { return nil }
        return try DocumentStore.document(id, reader)
    }

    static func waiting(_ reader: any Reader) throws -> Int64 {
        try reader.first(waiting, []) { $0.integer(0) } ?? 0
    }

    static func add(_ claim: Claim, in transaction: any Transaction) throws {
        try transaction.run(
            insert,
            [
                .text(claim.id), .text(claim.documentID), .text(claim.scanner), .instant(transaction.now),
                .instant(claim.endsAt),
            ])
    }

    static func claim(_ id: String, _ reader: any Reader) throws -> Claim? {
        try reader.first(byID, [.text(id)]) { row in
            Claim(
                id: row.text(0), documentID: row.text(1), scanner: row.text(2), endsAt: row.instant(3),
                isReported: !row.isNull(4))
        }
    }

    static func report(
        _ claim: Claim, verdict: Int, engine: String, finding: String, in transaction: any Transaction
    ) throws {
        try transaction.run(
            report,
            [.text(claim.id), .instant(transaction.now), .integer(verdict), .text(engine), .text(finding)])
    }

    static func holds(_ scanner: String, claimOn documentID: String, at now: Instant, _ reader: any Reader)
        throws
        -> Bool
    {
        try reader.first(held, [.text(documentID), .text(scanner), .instant(now)]) { _ in true } ?? false
    }
}
