import PluginAPI

/// Loads of reference data, national figures, populations and collection windows: only ever added to.
enum ReferenceStore {
    enum Kind: String { case services, constants, populations, calendar, aspiration }

    private static let nextLoad = Statement("SELECT COALESCE(MAX(seq), 0) + 1 FROM reference_load")
    private static let insertLoad = Statement(
        """
        INSERT INTO reference_load (seq, kind, file_name, sha256, row_count, recorded_by, recorded_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        """)
    private static let loadByHash = Statement(
        "SELECT seq FROM reference_load WHERE kind = ?1 AND sha256 = ?2 ORDER BY seq")
    private static let allConstants = Statement(
        """
        SELECT version, name, group_code, valid_from, valid_to, value, confidence, source, note FROM national_constant
        ORDER BY version
        """)
    private static let nextConstant = Statement("SELECT COALESCE(MAX(version), 0) FROM national_constant")
    private static let insertConstant = BulkInsert(
        into: "national_constant",
        [
            "version", "load_seq", "name", "group_code", "valid_from", "valid_to", "value", "confidence",
            "source", "note",
        ])
    private static let nextPopulation = Statement("SELECT COALESCE(MAX(population_id), 0) FROM population")
    private static let insertPopulation = BulkInsert(
        into: "population",
        [
            "population_id", "load_seq", "base", "group_code", "as_of", "organisation_code", "value",
            "decimals", "source",
        ])
    private static let populationsUpTo = Statement(
        """
        SELECT organisation_code, population_id, value, decimals, as_of, source FROM population
        WHERE base = ?1 AND as_of <= ?2 AND as_of >= ?3 ORDER BY as_of, population_id
        """)
    private static let populationsOf = Statement(
        """
        SELECT population_id, base, group_code, as_of, value, decimals, source, recorded_at
        FROM population JOIN reference_load ON reference_load.seq = population.load_seq
        WHERE organisation_code = ?1 ORDER BY base, as_of DESC, population_id DESC
        """)
    private static let insertWindow = BulkInsert(
        into: "collection_window",
        [
            "service_code", "achievement_date", "load_seq", "extract_from", "extract_to", "manual_from",
            "manual_to",
            "declare_by", "approve_by", "pay_on",
        ], rowsAtOnce: 8)
    private static let allWindows = Statement(
        """
        SELECT service_code, achievement_date, extract_from, extract_to, manual_from, manual_to, declare_by, approve_by,
            pay_on
        FROM collection_window ORDER BY service_code, achievement_date, load_seq
        """)

    static func record(
        _ kind: Kind, _ file: UploadedFile, rows: Int, by actor: String, in transaction: any Transaction
    )
        throws -> Int64
    {
        let number = try transaction.first(nextLoad) { $0.integer(0) } ?? 1
        try transaction.run(
            insertLoad,
            [
                .integer(number), .text(kind.rawValue), .text(file.name), .text(file.sha256), .integer(rows),
                .text(actor),
                .instant(transaction.now),
            ])
        return number
    }

    static func isLoaded(_ kind: Kind, _ sha256: String, _ reader: any Reader) throws -> Bool {
        try reader.first(loadByHash, [.text(kind.rawValue), .text(sha256)]) { $0.integer(0) } != nil
    }

    static func constants(_ reader: any Reader) throws -> [NationalFigures.Row] {
        try reader.all(allConstants) { row in
            guard let value = ExactDecimal(row.text(5)),
                let confidence = Confidence(rawValue: Int(row.integer(6)))
            else {
                throw CQRSError.damaged("national figure")
            }
            return NationalFigures.Row(
                version: row.integer(0), name: row.text(1), group: row.text(2), from: try row.date(3),
                to: try row.optionalDate(4), value: value, confidence: confidence, source: row.text(7),
                note: row.text(8))
        }
    }

    static func add(_ rows: [NationalFigures.Row], load: Int64, in transaction: any Transaction) throws {
        var version = try transaction.first(nextConstant) { $0.integer(0) } ?? 0
        try insertConstant.run(rows, in: transaction) { row, values in
            version += 1
            values += [
                .integer(version), .integer(load), .text(row.name), .text(row.group), .date(row.from),
                .date(row.to),
                .text("\(row.value)"), .integer(row.confidence.rawValue), .text(row.source), .text(row.note),
            ]
        }
    }

    static func add(_ rows: [PopulationFile.Row], load: Int64, in transaction: any Transaction) throws {
        var number = try transaction.first(nextPopulation) { $0.integer(0) } ?? 0
        try insertPopulation.run(rows, in: transaction) { row, values in
            number += 1
            values += [
                .integer(number), .integer(load), .integer(row.base.rawValue), .text(""), .date(row.asOf),
                .text(row.organisation.value), .integer(row.value.mantissa), .integer(Int(row.value.scale)),
                .text(row.source),
            ]
        }
    }

    /// For each organisation the figure of the latest day up to `day` and not before `earliest`; of one day the one
    /// loaded last.
    static func populations(
        _ base: PopulationBase, upTo day: CalendarDate, notBefore earliest: CalendarDate, _ reader: any Reader
    ) throws -> [String: ProviderBases.Figure] {
        var figures: [String: ProviderBases.Figure] = [:]
        try reader.forEach(populationsUpTo, [.integer(base.rawValue), .date(day), .date(earliest)]) { row in
            figures[row.text(0)] = ProviderBases.Figure(
                rowID: row.integer(1),
                value: ExactDecimal(mantissa: row.integer(2), scale: UInt8(row.integer(3))),
                asOf: try row.date(4), source: row.text(5))
        }
        return figures
    }

    struct PopulationRow: Sendable {
        var id: Int64
        var base: Int64
        var group: String
        var asOf: CalendarDate
        var value: ExactDecimal
        var source: String
        var recordedAt: Instant
    }

    static func populations(of organisation: String, _ reader: any Reader) throws -> [PopulationRow] {
        try reader.all(populationsOf, [.text(organisation)]) { row in
            PopulationRow(
                id: row.integer(0), base: row.integer(1), group: row.text(2), asOf: try row.date(3),
                value: ExactDecimal(mantissa: row.integer(4), scale: UInt8(row.integer(5))),
                source: row.text(6),
                recordedAt: row.instant(7))
        }
    }

    static func add(_ rows: [CollectionWindow], load: Int64, in transaction: any Transaction) throws {
        try insertWindow.run(rows, in: transaction) { row, values in
            values += [
                .text(row.service), .date(row.date), .integer(load), .date(row.extractFrom),
                .date(row.extractTo),
                .date(row.manualFrom), .date(row.manualTo), .date(row.declareBy), .date(row.approveBy),
                .date(row.payOn),
            ]
        }
    }

    /// The windows that hold, by service and date.
    static func windows(_ reader: any Reader) throws -> [IndicatorValuesFile.Key: CollectionWindow] {
        var windows: [IndicatorValuesFile.Key: CollectionWindow] = [:]
        try reader.forEach(allWindows, []) { row in
            var window = CollectionWindow(service: row.text(0), date: try row.date(1))
            window.extractFrom = try row.optionalDate(2)
            window.extractTo = try row.optionalDate(3)
            window.manualFrom = try row.optionalDate(4)
            window.manualTo = try row.optionalDate(5)
            window.declareBy = try row.optionalDate(6)
            window.approveBy = try row.optionalDate(7)
            window.payOn = try row.optionalDate(8)
            windows[.init(service: window.service, date: window.date)] = window
        }
        return windows
    }
}

/// A file as received.
struct UploadedFile: Sendable {
    var name: String
    var bytes: [UInt8]
    var sha256: String
}
