import PluginAPI

/// Submissions and the cells they brought. Nothing is overwritten: the later submission of a cell counts (DAT-2).
enum CountStore {
    struct Submission: Sendable {
        enum Source: Int, Sendable {
            case automated = 1, manual, onBehalf, agreed
            var name: String { ["", "AUTOMATED", "MANUAL", "ON_BEHALF", "AGREED"][rawValue] }
        }
        var id = ""
        /// Number of ExtractFormat; 0 = entered by hand.
        var format = 0
        var source = Source.automated
        var fileName = ""
        var sha256 = ""
        var services = ""
        var rows: Int64 = 0
        var providers: Int64 = 0
        var added: Int64 = 0
        var changed: Int64 = 0
        var unchanged: Int64 = 0
        var keptManual: Int64 = 0
        var reason = ""
        var by = ""
        var at = Instant(microsecondsSince1970: 0)
    }

    private static let next = Statement("SELECT COALESCE(MAX(seq), 0) + 1 FROM submission")
    private static let insert = Statement(
        """
        INSERT INTO submission
            (seq, submission_id, format, source, file_name, sha256, services, row_count, providers, added, changed,
             unchanged, kept_manual, reason, submitted_by, submitted_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
        """)
    private static let columns = """
        submission_id, format, source, file_name, sha256, services, row_count, providers, added, changed, unchanged,
        kept_manual, reason, submitted_by, submitted_at
        """
    private static let byHash = Statement(
        "SELECT \(columns) FROM submission WHERE format = ?1 AND sha256 = ?2 ORDER BY seq DESC")
    private static let loads = Statement(
        "SELECT \(columns) FROM submission WHERE format > 0 ORDER BY seq DESC")
    private static let names = Statement(
        "SELECT cell_id, indicator_code, field FROM cell_name ORDER BY cell_id")
    private static let insertName = BulkInsert(into: "cell_name", ["cell_id", "indicator_code", "field"])
    private static let insertSet = BulkInsert(
        into: "count_set", ["service_code", "achievement_date", "provider_code", "seq", "body"],
        rowsAtOnce: 64)
    private static let setsOfDate = Statement(
        """
        SELECT provider_code, count_set.seq, source, body FROM count_set
        JOIN submission ON submission.seq = count_set.seq
        WHERE service_code = ?1 AND achievement_date = ?2 ORDER BY provider_code, count_set.seq
        """)
    private static let setsOfProvider = Statement(
        """
        SELECT count_set.seq, source, submitted_by, submitted_at, body FROM count_set
        JOIN submission ON submission.seq = count_set.seq
        WHERE service_code = ?1 AND achievement_date = ?2 AND provider_code = ?3 ORDER BY count_set.seq
        """)
    private static let datesOf = Statement(
        """
        SELECT DISTINCT achievement_date FROM count_set
        WHERE service_code = ?1 AND achievement_date >= ?2 AND achievement_date <= ?3 ORDER BY achievement_date
        """)
    private static let changedSince = Statement(
        """
        SELECT DISTINCT provider_code, source = 1 FROM count_set JOIN submission ON submission.seq = count_set.seq
        WHERE service_code = ?1 AND achievement_date = ?2 AND submitted_at > ?3
        """)
    private static let insertStated = BulkInsert(
        into: "stated_points", ["service_code", "achievement_date", "provider_code", "seq", "body"],
        rowsAtOnce: 64)
    private static let statedOfYear = Statement(
        """
        SELECT provider_code, body FROM stated_points
        WHERE service_code = ?1 AND achievement_date = ?2 ORDER BY provider_code, seq
        """)

    static func record(_ submission: Submission, in transaction: any Transaction) throws -> Int64 {
        let number = try transaction.first(next) { $0.integer(0) } ?? 1
        try transaction.run(
            insert,
            [
                .integer(number), .text(submission.id), .integer(submission.format),
                .integer(submission.source.rawValue),
                .text(submission.fileName), .text(submission.sha256), .text(submission.services),
                .integer(submission.rows), .integer(submission.providers), .integer(submission.added),
                .integer(submission.changed), .integer(submission.unchanged), .integer(submission.keptManual),
                .text(submission.reason), .text(submission.by), .instant(transaction.now),
            ])
        return number
    }

    static func load(format: Int, _ sha256: String, _ reader: any Reader) throws -> Submission? {
        try reader.first(byHash, [.integer(format), .text(sha256)], submission)
    }

    static func loads(_ reader: any Reader) throws -> [Submission] { try reader.all(loads, [], submission) }

    private static func submission(_ row: any Row) throws -> Submission {
        guard let source = Submission.Source(rawValue: Int(row.integer(2))) else {
            throw CQRSError.damaged("submission")
        }
        return Submission(
            id: row.text(0), format: Int(row.integer(1)), source: source, fileName: row.text(3),
            sha256: row.text(4),
            services: row.text(5), rows: row.integer(6), providers: row.integer(7), added: row.integer(8),
            changed: row.integer(9), unchanged: row.integer(10), keptManual: row.integer(11),
            reason: row.text(12),
            by: row.text(13), at: row.instant(14))
    }

    // MARK: Cells

    static func catalogue(_ reader: any Reader) throws -> CellCatalogue {
        var catalogue = CellCatalogue()
        try reader.forEach(names, []) { row in
            let number = catalogue.number(of: .init(indicator: row.text(1), field: row.text(2)))
            guard number == Int(row.integer(0)) else { throw CQRSError.damaged("catalogue of cells") }
        }
        return catalogue
    }

    /// Numbers of these names, new ones added.
    static func numbers(of wanted: [CellCatalogue.Name], in transaction: any Transaction) throws -> [Int] {
        var catalogue = try catalogue(transaction)
        let before = catalogue.names.count
        let numbers = wanted.map { catalogue.number(of: $0) }
        try insertName.run(Array(catalogue.names.enumerated().dropFirst(before)), in: transaction) {
            name, values in
            values += [.integer(name.offset), .text(name.element.indicator), .text(name.element.field)]
        }
        return numbers
    }

    static func add(
        _ sets: [(provider: String, body: [UInt8])], to key: IndicatorValuesFile.Key, seq: Int64,
        in transaction: any Transaction
    ) throws {
        let (service, date) = (StoredValue.text(key.service), StoredValue.date(key.date))
        try insertSet.run(sets, in: transaction) { set, values in
            values += [service, date, .text(set.provider), .integer(seq), .blob(set.body)]
        }
    }

    /// All submissions of a service and date in order, provider by provider.
    static func forEachSet(
        of key: IndicatorValuesFile.Key, _ reader: any Reader,
        _ body: (_ provider: String, _ isAutomated: Bool, _ cells: [UInt8]) throws -> Void
    ) throws {
        try reader.forEach(setsOfDate, [.text(key.service), .date(key.date)]) { row in
            try body(row.text(0), row.integer(2) == 1, row.blob(3))
        }
    }

    struct SetRow: Sendable {
        var seq: Int64
        var source: Submission.Source
        var by: String
        var at: Instant
        var body: [UInt8]
    }

    static func sets(of key: IndicatorValuesFile.Key, provider: String, _ reader: any Reader) throws
        -> [SetRow]
    {
        try reader.all(setsOfProvider, [.text(key.service), .date(key.date), .text(provider)]) { row in
            SetRow(
                seq: row.integer(0), source: Submission.Source(rawValue: Int(row.integer(1))) ?? .automated,
                by: row.text(2), at: row.instant(3), body: row.blob(4))
        }
    }

    /// Dates of a service for which figures came in.
    static func keys(of service: String, from: CalendarDate, to: CalendarDate, _ reader: any Reader) throws
        -> [IndicatorValuesFile.Key]
    {
        try reader.all(datesOf, [.text(service), .date(from), .date(to)]) {
            IndicatorValuesFile.Key(service: service, date: try $0.date(0))
        }
    }

    /// Whose figures came in since a moment, and whether any came with a file.
    static func changed(_ key: IndicatorValuesFile.Key, since moment: Instant, _ reader: any Reader) throws
        -> (providers: Set<String>, byFile: Bool)
    {
        var (providers, byFile) = (Set<String>(), false)
        try reader.forEach(changedSince, [.text(key.service), .date(key.date), .instant(moment)]) { row in
            providers.insert(row.text(0))
            if row.bool(1) { byFile = true }
        }
        return (providers, byFile)
    }

    // MARK: Stated points

    static func addStated(
        _ rows: [(service: String, date: CalendarDate, provider: String, points: [(String, Points)])],
        seq: Int64,
        in transaction: any Transaction
    ) throws {
        try insertStated.run(rows, in: transaction) { row, values in
            var writer = CompactWriter()
            writer.count(row.points.count)
            for (indicator, points) in row.points {
                writer.text(indicator)
                writer.signed(points.hundredths)
            }
            values += [
                .text(row.service), .date(row.date), .text(row.provider), .integer(seq), .blob(writer.bytes),
            ]
        }
    }

    /// Points stated for a service and date, by provider and indicator; the last file counts.
    static func stated(_ key: IndicatorValuesFile.Key, _ reader: any Reader) throws -> [String: [String:
        Points]]
    {
        var stated: [String: [String: Points]] = [:]
        try reader.forEach(statedOfYear, [.text(key.service), .date(key.date)]) { row in
            var body = CompactReader(row.blob(1))
            var points: [String: Points] = [:]
            for _ in 0..<(try body.count()) {
                let indicator = try body.text()
                points[indicator] = Points(hundredths: try body.signed())
            }
            stated[row.text(0)] = points
        }
        return stated
    }
}
