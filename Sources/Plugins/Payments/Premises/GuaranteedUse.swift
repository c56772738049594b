import PluginAPI
import Tabular

/// For how long premises stay in use after an improvement grant up to a sum, and what share of the cost it may be.
struct GuaranteedUseBand: Hashable, Sendable {
    /// Directions that say so, by their first day.
    var from: CalendarDate
    /// Exclusive; `nil` = open.
    var to: CalendarDate?
    /// Inclusive; `nil` = without end.
    var upToPence: Int64?
    var years: Int64
    var leastPercent: Int64
    var mostPercent: Int64
    /// P, S, D, R or X.
    var grade: String
    var source: String
    var note: String
    /// Recorded version of the set; 0 while it is not approved.
    var version: Int64 = 0

    static let mostPence: Int64 = 100_000_000_000

    func contains(_ day: CalendarDate) -> Bool { day >= from && to.map { day < $0 } != false }
}

/// All bands as known at one moment. Those of the set recorded last that speaks about a day hold.
struct GuaranteedUseTable: Sendable {
    private let bands: [GuaranteedUseBand]

    /// - Parameter bands: in order of recording.
    init(_ bands: [GuaranteedUseBand]) { self.bands = bands }

    func band(for pence: Int64, on day: CalendarDate) -> (band: GuaranteedUseBand, abovePence: Int64)? {
        guard let last = bands.last(where: { $0.contains(day) }) else { return nil }
        let held = bands.filter { $0.version == last.version && $0.from == last.from }
            .sorted { ($0.upToPence ?? .max) < ($1.upToPence ?? .max) }
        guard let index = held.firstIndex(where: { $0.upToPence.map { pence <= $0 } ?? true }) else {
            return nil
        }
        return (held[index], index == 0 ? 0 : held[index - 1].upToPence ?? 0)
    }
}

/// Bands as a file. Rules REF02, REF05, REF06 and REF12.
enum GuaranteedUseFile {
    static let columns = [
        "effective_from", "effective_to", "up_to", "years", "least_percent", "most_percent", "grade", "source", "note",
    ]

    static func read(_ bytes: [UInt8]) -> (rows: [GuaranteedUseBand], violations: ViolationList) {
        var reader = RowReader(upload: bytes, columns: columns)
        var rows: [GuaranteedUseBand] = []
        var editions: [CalendarDate: (line: Int, bands: [GuaranteedUseBand])] = [:]
        while reader.next() {
            let (from, to, texts) = reader.referenceFields()
            let upTo = reader.decimal(
                "up_to", "REF12", scale: 2, in: 1...GuaranteedUseBand.mostPence, mayBeEmpty: true)
            let years = reader.decimal("years", "REF12", scale: 0, in: 1...100)
            let least = reader.decimal("least_percent", "REF12", scale: 0, in: 0...100)
            let most = reader.decimal("most_percent", "REF12", scale: 0, in: 0...100)
            if let least, let most, most < least {
                reader.refuse("most_percent", "REF12", "the highest share lies below the lowest")
            }
            guard let from, let years, let least, let most, upTo != nil || reader.isEmpty("up_to") else { continue }
            let band = GuaranteedUseBand(
                from: from, to: to, upToPence: upTo, years: years, leastPercent: least, mostPercent: most,
                grade: texts.grade, source: texts.source, note: texts.note)
            let known = editions[from]?.bands ?? []
            if known.contains(where: { $0.to != to }) {
                reader.refuse("effective_to", "REF02", "bands of one first day end together")
            }
            if known.contains(where: { $0.upToPence == upTo }) {
                reader.refuse("up_to", "REF12", "the band is given twice")
            }
            editions[from] = (editions[from]?.line ?? reader.line, known + [band])
            rows.append(band)
        }
        for edition in editions.values.sorted(by: { $0.line < $1.line })
        where !edition.bands.contains(where: { $0.upToPence == nil }) {
            reader.refuse("up_to", "REF12", line: edition.line, "the last band has no end: leave up_to empty")
        }
        return (rows, reader.violations)
    }
}

/// Bands of guaranteed use in sets of reference data.
enum GuaranteedUseStore {
    static let schema = [
        """
        CREATE TABLE guaranteed_use (
            set_id TEXT NOT NULL REFERENCES rate_set (set_id), number INTEGER NOT NULL, effective_from TEXT NOT NULL,
            effective_to TEXT, up_to_pence INTEGER, years INTEGER NOT NULL, least_percent INTEGER NOT NULL,
            most_percent INTEGER NOT NULL, grade TEXT NOT NULL, source TEXT NOT NULL, note TEXT NOT NULL,
            PRIMARY KEY (set_id, number)
        ) STRICT
        """
    ]

    private static let insert = BulkInsert(
        into: "guaranteed_use",
        [
            "set_id", "number", "effective_from", "effective_to", "up_to_pence", "years", "least_percent",
            "most_percent", "grade", "source", "note",
        ])
    private static let known = Statement(
        """
        SELECT effective_from, effective_to, up_to_pence, years, least_percent, most_percent, grade, source, note, version
        FROM guaranteed_use JOIN rate_set ON rate_set.set_id = guaranteed_use.set_id
        WHERE version IS NOT NULL AND version <= ?1 ORDER BY version, number
        """)

    static func add(_ rows: [GuaranteedUseBand], to setID: String, in transaction: any Transaction) throws {
        try insert.run(Array(rows.enumerated()), in: transaction) { row, values in
            let band = row.element
            values += [
                .text(setID), .integer(row.offset + 1), .date(band.from), .date(band.to),
                .optional(band.upToPence), .integer(band.years), .integer(band.leastPercent),
                .integer(band.mostPercent), .text(band.grade), .text(band.source), .text(band.note),
            ]
        }
    }

    /// Approved bands in order of recording.
    static func rows(knownAt seq: Int64, _ reader: any Reader) throws -> [GuaranteedUseBand] {
        try reader.all(known, [.integer(seq)]) { row in
            GuaranteedUseBand(
                from: try row.date(0), to: try row.optionalDate(1), upToPence: row.optionalInteger(2),
                years: row.integer(3), leastPercent: row.integer(4), mostPercent: row.integer(5),
                grade: row.text(6), source: row.text(7), note: row.text(8), version: row.integer(9))
        }
    }
}
