import PluginAPI

/// What those concerned were last told, so that what happens by the clock says nothing twice, and a task that stands is
/// closed once.
enum NoticeBook {
    private static let newest = Statement(
        "SELECT body FROM notice WHERE notice_key = ?1 ORDER BY number DESC LIMIT 1")
    private static let insert = Statement(
        """
        INSERT INTO notice (notice_key, number, body, sent_at)
        SELECT ?1, COALESCE(MAX(number), 0) + 1, ?2, ?3 FROM notice WHERE notice_key = ?1
        """)

    /// Whether this is something else than what was said last under the key; then it is taken as said.
    static func isNews(_ key: String, _ body: String, in transaction: any Transaction) throws -> Bool {
        if try transaction.first(newest, [.text(key)], { $0.text(0) }) == body { return false }
        try transaction.run(insert, [.text(key), .text(body), .instant(transaction.now)])
        return true
    }

    /// Whether something stood under the key; from now on nothing does.
    static func end(_ key: String, in transaction: any Transaction) throws -> Bool {
        guard let body = try transaction.first(newest, [.text(key)], { $0.text(0) }), !body.isEmpty else {
            return false
        }
        try transaction.run(insert, [.text(key), .text(""), .instant(transaction.now)])
        return true
    }
}
