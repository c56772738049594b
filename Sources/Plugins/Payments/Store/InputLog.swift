import PluginAPI

/// Numbers every change of an input in the order in which it was recorded. A run's snapshot is such a number.
enum InputLog {
    enum Kind: String {
        case contracts, capitation, rates, bankHolidays, paycodes, items, networks, variations
        case ophthalmic, localPayments
        case levies, withholdings
        case dispensing, training, scheme
        case quality, amountBounds
        case additionalRoles
        case register
        case premises, claimPaycodes, guaranteedUse
    }

    private static let next = Statement("SELECT COALESCE(MAX(seq), 0) + 1 FROM input")
    private static let insert = Statement(
        """
        INSERT INTO input (seq, kind, effective_from, effective_to, recorded_at, recorded_by, detail)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        """)
    private static let newest = Statement("SELECT COALESCE(MAX(seq), 0) FROM input")
    private static let newestBefore = Statement(
        "SELECT COALESCE(MAX(seq), 0) FROM input WHERE recorded_at < ?1")
    private static let ranges = Statement(
        """
        SELECT effective_from, effective_to FROM input
        WHERE seq > ?1 AND seq <= ?2 AND effective_from IS NOT NULL ORDER BY seq
        """)

    /// - Parameters:
    ///   - from: first day on which amounts may differ; `nil` when the input changes no amounts.
    ///   - to: first day on which they no longer do; `nil` = open.
    static func record(
        _ kind: Kind, from: CalendarDate?, to: CalendarDate?, by actor: String, detail: String,
        in transaction: any Transaction
    ) throws -> Int64 {
        let number = try transaction.first(next) { $0.integer(0) } ?? 1
        try transaction.run(
            insert,
            [
                .integer(number), .text(kind.rawValue), .date(from), .date(to), .instant(transaction.now),
                .text(actor), .text(detail),
            ])
        return number
    }

    /// Number of the last input recorded; 0 = none.
    static func latest(_ reader: any Reader) throws -> Int64 {
        try reader.first(newest) { $0.integer(0) } ?? 0
    }

    /// Number of the last input recorded by the end of a day in England; everything when the day is `nil`.
    static func known(on day: CalendarDate?, _ reader: any Reader) throws -> Int64 {
        guard let day else { return .max }
        return try reader.first(newestBefore, [.instant(LondonTime.end(of: day))]) { $0.integer(0) } ?? 0
    }

    struct Span: Hashable, Sendable {
        var from: CalendarDate
        var to: CalendarDate?

        func touches(_ month: YearMonth) -> Bool {
            from <= month.lastDay && (to.map { $0 > month.firstDay } ?? true)
        }
    }

    /// Days in which amounts may differ because of what was recorded after `after`, up to `upTo`.
    static func spans(after: Int64, upTo: Int64, _ reader: any Reader) throws -> [Span] {
        try reader.all(ranges, [.integer(after), .integer(upTo)]) {
            Span(from: try $0.date(0), to: try $0.optionalDate(1))
        }
    }
}
