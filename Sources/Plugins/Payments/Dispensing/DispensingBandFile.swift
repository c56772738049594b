import PluginAPI
import Tabular

/// Bands of dispensing as a file. Rules BND01 to BND06.
enum DispensingBandFile {
    static let columns = [
        "scale", "effective_from", "effective_to", "lower", "upper", "value", "grade", "source", "note",
    ]
    private static let mostBound: Int64 = 1_000_000_000

    static func read(_ bytes: [UInt8]) -> (rows: [DispensingBand], violations: ViolationList) {
        var reader = RowReader(upload: bytes, columns: columns)
        var editions: [String: [(line: Int, band: DispensingBand)]] = [:]
        var order: [String] = []
        while reader.next() {
            guard let band = band(&reader) else { continue }
            let key = band.scale.rawValue + band.from.description
            if editions[key] == nil { order.append(key) }
            editions[key, default: []].append((reader.line, band))
        }
        var rows: [DispensingBand] = []
        for key in order {
            let edition = (editions[key] ?? []).sorted { $0.band.lower < $1.band.lower }
            check(edition, &reader)
            rows += edition.map(\.band)
        }
        return (rows, reader.violations)
    }

    private static func band(_ reader: inout RowReader) -> DispensingBand? {
        let scale = DispensingBand.Scale(rawValue: reader.cell("scale"))
        if scale == nil {
            let known = DispensingBand.Scale.allCases.map(\.rawValue).joined(separator: ", ")
            reader.refuse("scale", "BND01", "\(reader.shown("scale")) is no scale: \(known)")
        }
        let from = reader.date("effective_from", "BND02")
        let to = reader.date("effective_to", "BND02", mayBeEmpty: true)
        for (name, day) in [("effective_from", from), ("effective_to", to)]
        where day.map({ $0.day != 1 }) == true {
            reader.refuse(name, "BND02", "bands begin and end with a month: give the first day of one")
        }
        if let from, let to, to <= from {
            reader.refuse(
                "effective_to", "BND02", "effective_to is the first day after, so it is after effective_from")
        }
        let lower = reader.decimal("lower", "BND03", scale: 0, in: 0...mostBound, mayBeEmpty: false)
        let upper = reader.decimal("upper", "BND03", scale: 0, in: 1...mostBound, mayBeEmpty: true)
        var value: ExactDecimal?
        if !reader.isEmpty("value") {
            // Pence to four decimals are pounds to six, as all rates are.
            let most: Int64 = scale == .discount ? 100 : 10_000
            if let units = reader.decimal("value", "BND04", scale: 4, in: 0...most * 10_000) {
                value = ExactDecimal(mantissa: units, scale: 4).trimmed()
            }
        }
        if !RateFile.grades.contains(reader.cell("grade")) {
            reader.refuse("grade", "BND05", "the grade is P, S, D, R or X (payments.md 0)")
        }
        if reader.cell("source").count > 200 || reader.cell("note").count > 500 {
            reader.refuse("source", "BND06", "a source has at most 200 characters, a note 500")
        }
        guard let scale, let from, let lower else { return nil }
        return DispensingBand(
            scale: scale, from: from, to: to, lower: lower, upper: upper, value: value,
            grade: reader.cell("grade"),
            source: reader.cell("source"), note: reader.cell("note"))
    }

    /// An edition covers every number once: it begins at 0 or 1, goes on without gap, and ends open.
    private static func check(_ edition: [(line: Int, band: DispensingBand)], _ reader: inout RowReader) {
        var next: Int64?
        for (index, entry) in edition.enumerated() {
            let band = entry.band
            let isFirst = index == 0
            if isFirst, band.lower > 1 {
                reader.refuse("lower", "BND03", line: entry.line, "the first band begins at 0 or 1")
            } else if !isFirst, band.lower != next {
                let expected = next.map { "begins at \($0)" } ?? "follows one without upper bound"
                reader.refuse("lower", "BND03", line: entry.line, "the band after the last one \(expected)")
            }
            if let upper = band.upper, upper < band.lower {
                reader.refuse("upper", "BND03", line: entry.line, "the upper bound lies below the lower one")
            }
            if index == edition.count - 1, band.upper != nil {
                reader.refuse(
                    "upper", "BND03", line: entry.line, "the last band has no upper bound: leave it empty")
            }
            if band.to != edition[0].band.to {
                reader.refuse(
                    "effective_to", "BND02", line: entry.line, "bands of one scale and first day end together"
                )
            }
            next = band.upper.map { $0 + 1 }
        }
    }
}
