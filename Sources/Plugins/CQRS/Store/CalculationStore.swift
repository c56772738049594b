import PluginAPI

/// Runs and results. A result that comes out the same as the one before is not stored again.
enum CalculationStore {
    struct Run: Sendable {
        enum State: Int, Sendable { case held = 1, released }
        var seq: Int64 = 0
        var id = ""
        var service = ""
        var version = 0
        var date: CalendarDate
        var state = State.released
        var providers: Int64 = 0
        var lines: Int64 = 0
        var incomplete: Int64 = 0
        var changed: Int64 = 0
        var unchanged: Int64 = 0
        var totalPence: Int64 = 0
        var points: Int64 = 0
        var meanBefore: Int64 = 0
        var movement: Int64 = 0
        var by = ""
        var at = Instant(microsecondsSince1970: 0)
        var releasedBy = ""
        var releasedAt: Instant?
        var inputs: [UInt8] = []
    }

    private static let runColumns = """
        seq, run_id, service_code, service_version, achievement_date, state, providers, line_count, incomplete, changed,
        unchanged, total_pence, points_hundredths, mean_before_pence, movement_basis_points, calculated_by,
        calculated_at, released_by, released_at, inputs
        """
    private static let nextRun = Statement("SELECT COALESCE(MAX(seq), 0) + 1 FROM calculation_run")
    private static let insertRun = Statement(
        """
        INSERT INTO calculation_run (\(runColumns))
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)
        """)
    private static let runByID = Statement("SELECT \(runColumns) FROM calculation_run WHERE run_id = ?1")
    private static let runBySeq = Statement("SELECT \(runColumns) FROM calculation_run WHERE seq = ?1")
    private static let allRuns = Statement("SELECT \(runColumns) FROM calculation_run ORDER BY seq DESC")
    private static let release = Statement(
        "UPDATE calculation_run SET state = 2, released_by = ?2, released_at = ?3 WHERE seq = ?1")
    private static let insertResult = BulkInsert(
        into: "calculation",
        [
            "service_code", "achievement_date", "provider_code", "run_seq", "state", "points_hundredths",
            "maximum_hundredths", "total_pence", "population_id", "figures_sha256", "body",
        ], rowsAtOnce: 64)
    private static let resultColumns = """
        provider_code, run_seq, state, points_hundredths, maximum_hundredths, total_pence, figures_sha256, body
        """
    private static let resultsOfProvider = Statement(
        """
        SELECT \(resultColumns) FROM calculation
        WHERE service_code = ?1 AND achievement_date = ?2 AND provider_code = ?3 ORDER BY run_seq DESC
        """)
    private static let resultsOfDate = Statement(
        """
        SELECT \(resultColumns) FROM calculation
        WHERE service_code = ?1 AND achievement_date = ?2 ORDER BY provider_code, run_seq
        """)

    static func nextSequence(_ reader: any Reader) throws -> Int64 {
        try reader.first(nextRun) { $0.integer(0) } ?? 1
    }

    static func add(_ run: Run, in transaction: any Transaction) throws {
        try transaction.run(
            insertRun,
            [
                .integer(run.seq), .text(run.id), .text(run.service), .integer(run.version), .date(run.date),
                .integer(run.state.rawValue), .integer(run.providers), .integer(run.lines),
                .integer(run.incomplete),
                .integer(run.changed), .integer(run.unchanged), .integer(run.totalPence),
                .integer(run.points),
                .integer(run.meanBefore), .integer(run.movement), .text(run.by), .instant(run.at),
                .text(run.releasedBy),
                .optional(run.releasedAt?.microsecondsSince1970), .blob(run.inputs),
            ])
    }

    static func run(_ id: String, _ reader: any Reader) throws -> Run? {
        try reader.first(runByID, [.text(id)], run)
    }
    static func run(seq: Int64, _ reader: any Reader) throws -> Run? {
        try reader.first(runBySeq, [.integer(seq)], run)
    }
    static func runs(_ reader: any Reader) throws -> [Run] { try reader.all(allRuns, [], run) }

    static func release(_ run: Run, by actor: String, in transaction: any Transaction) throws {
        try transaction.run(release, [.integer(run.seq), .text(actor), .instant(transaction.now)])
    }

    private static func run(_ row: any Row) throws -> Run {
        guard let state = Run.State(rawValue: Int(row.integer(5))) else { throw CQRSError.damaged("run") }
        return Run(
            seq: row.integer(0), id: row.text(1), service: row.text(2), version: Int(row.integer(3)),
            date: try row.date(4), state: state, providers: row.integer(6), lines: row.integer(7),
            incomplete: row.integer(8), changed: row.integer(9), unchanged: row.integer(10),
            totalPence: row.integer(11),
            points: row.integer(12), meanBefore: row.integer(13), movement: row.integer(14), by: row.text(15),
            at: row.instant(16), releasedBy: row.text(17), releasedAt: row.isNull(18) ? nil : row.instant(18),
            inputs: row.blob(19))
    }

    // MARK: Results

    /// A result as stored, its lines still in compact form.
    struct Stored: Sendable {
        var provider: String
        var runSeq: Int64
        var isComplete: Bool
        var points: Int64
        var maximum: Int64
        var totalPence: Int64
        var figures: [UInt8]
        var body: [UInt8]
        /// Names the result to callers.
        var id: String { "\(runSeq).\(provider)" }

        func result() throws -> ProviderResult {
            guard let code = ODSCode(provider) else { throw CQRSError.damaged("result") }
            var result = ProviderResult(
                provider: code, lines: [], isComplete: isComplete, bases: ProviderBases(),
                points: Points(hundredths: points), maximum: Points(hundredths: maximum),
                total: Money(pence: totalPence))
            try ResultCoding.read(body, into: &result)
            return result
        }
    }

    static func add(
        _ results: [(stored: Stored, populationID: Int64)], _ key: IndicatorValuesFile.Key,
        in transaction: any Transaction
    ) throws {
        let (service, date) = (StoredValue.text(key.service), StoredValue.date(key.date))
        try insertResult.run(results, in: transaction) { result, values in
            let stored = result.stored
            values += [
                service, date, .text(stored.provider), .integer(stored.runSeq),
                .integer(stored.isComplete ? 1 : 2),
                .integer(stored.points), .integer(stored.maximum), .integer(stored.totalPence),
                .integer(result.populationID), .blob(stored.figures), .blob(stored.body),
            ]
        }
    }

    /// All results of a provider, newest first.
    static func results(of provider: String, _ key: IndicatorValuesFile.Key, _ reader: any Reader) throws
        -> [Stored]
    {
        try reader.all(resultsOfProvider, [.text(key.service), .date(key.date), .text(provider)], stored)
    }

    /// The newest result of each provider.
    static func present(_ key: IndicatorValuesFile.Key, _ reader: any Reader) throws -> [String: Stored] {
        var results: [String: Stored] = [:]
        try reader.forEach(resultsOfDate, [.text(key.service), .date(key.date)]) { row in
            let result = try stored(row)
            results[result.provider] = result
        }
        return results
    }

    private static func stored(_ row: any Row) throws -> Stored {
        Stored(
            provider: row.text(0), runSeq: row.integer(1), isComplete: row.integer(2) == 1,
            points: row.integer(3),
            maximum: row.integer(4), totalPence: row.integer(5), figures: row.blob(6), body: row.blob(7))
    }
}
