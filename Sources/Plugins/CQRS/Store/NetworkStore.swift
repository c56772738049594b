import PluginAPI

/// What CQRS is told about networks: payees (by payments), lead commissioners, reported differences. Members are the
/// register's.
enum NetworkStore {
    struct Payee: Sendable {
        var pcn: String
        var payee: String
        var from: CalendarDate
        var isRequest: Bool
        var by: String
        var at: Instant
    }
    struct Report: Sendable {
        var id: String
        var pcn: String
        var practice: String
        var from: CalendarDate?
        var to: CalendarDate?
        var detail: String
        var by: String
        var at: Instant
    }

    private static let payees = Statement(
        """
        SELECT pcn_code, payee_code, valid_from, requested_only, set_by, set_at FROM nominated_payee
        WHERE pcn_code = ?1 ORDER BY number DESC
        """)
    private static let insertPayee = Statement(
        """
        INSERT INTO nominated_payee (number, pcn_code, payee_code, valid_from, requested_only, reason, set_by, set_at)
        SELECT COALESCE(MAX(number), 0) + 1, ?1, ?2, ?3, ?4, ?5, ?6, ?7 FROM nominated_payee
        """)
    private static let leads = Statement(
        """
        SELECT commissioner_code FROM lead_commissioner WHERE pcn_code = ?1 AND valid_from <= ?2
        ORDER BY number DESC LIMIT 1
        """)
    private static let ledBy = Statement("SELECT DISTINCT pcn_code FROM lead_commissioner ORDER BY pcn_code")
    private static let insertLead = Statement(
        """
        INSERT INTO lead_commissioner (number, pcn_code, commissioner_code, valid_from, reason, set_by, set_at)
        SELECT COALESCE(MAX(number), 0) + 1, ?1, ?2, ?3, ?4, ?5, ?6 FROM lead_commissioner
        """)
    private static let reportsOf = Statement(
        """
        SELECT report_id, pcn_code, practice_code, claimed_from, claimed_to, detail, reported_by, reported_at
        FROM membership_report WHERE pcn_code = ?1 ORDER BY report_id
        """)
    private static let insertReport = Statement(
        """
        INSERT INTO membership_report
            (report_id, pcn_code, practice_code, claimed_from, claimed_to, detail, reported_by, reported_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        """)

    /// Newest first.
    static func payees(of pcn: String, _ reader: any Reader) throws -> [Payee] {
        try reader.all(payees, [.text(pcn)]) { row in
            Payee(
                pcn: row.text(0), payee: row.text(1), from: try row.date(2), isRequest: row.bool(3), by: row.text(4),
                at: row.instant(5))
        }
    }

    /// The payee that holds on a day, as set in payments; `nil` = the register's.
    static func payee(of pcn: String, on day: CalendarDate, _ reader: any Reader) throws -> String? {
        try payees(of: pcn, reader).first { !$0.isRequest && $0.from <= day }?.payee
    }

    static func add(_ payee: Payee, reason: String, in transaction: any Transaction) throws {
        try transaction.run(
            insertPayee,
            [
                .text(payee.pcn), .text(payee.payee), .date(payee.from), .integer(payee.isRequest ? 1 : 0), .text(reason),
                .text(payee.by), .instant(payee.at),
            ])
    }

    static func lead(of pcn: String, on day: CalendarDate, _ reader: any Reader) throws -> String? {
        try reader.first(leads, [.text(pcn), .date(day)]) { $0.text(0) }
    }

    /// Networks whose lead was ever set here.
    static func withLead(_ reader: any Reader) throws -> [String] { try reader.all(ledBy) { $0.text(0) } }

    static func setLead(
        _ commissioner: String, of pcn: String, from day: CalendarDate, reason: String, by actor: String,
        in transaction: any Transaction
    ) throws {
        try transaction.run(
            insertLead,
            [.text(pcn), .text(commissioner), .date(day), .text(reason), .text(actor), .instant(transaction.now)])
    }

    static func reports(of pcn: String, _ reader: any Reader) throws -> [Report] {
        try reader.all(reportsOf, [.text(pcn)]) { row in
            Report(
                id: row.text(0), pcn: row.text(1), practice: row.text(2), from: try row.optionalDate(3),
                to: try row.optionalDate(4), detail: row.text(5), by: row.text(6), at: row.instant(7))
        }
    }

    static func add(_ report: Report, in transaction: any Transaction) throws {
        try transaction.run(
            insertReport,
            [
                .text(report.id), .text(report.pcn), .text(report.practice), .date(report.from), .date(report.to),
                .text(report.detail), .text(report.by), .instant(report.at),
            ])
    }
}
