import PluginAPI
import Tabular

/// Between what a line on a paycode may be, for a span of days.
struct AmountBound: Hashable, Sendable {
    var paycode: Paycode
    var from: CalendarDate
    /// Exclusive; `nil` = open.
    var to: CalendarDate?
    var minimumPence: Int64
    var maximumPence: Int64
    /// P, S, D, R or X.
    var grade: String
    var source: String
    var note: String

    func contains(_ day: CalendarDate) -> Bool { day >= from && to.map { day < $0 } != false }
}

/// Bounds as a file. Rules REF02, REF05, REF06 and REF10.
enum AmountBoundFile {
    static let columns = [
        "paycode", "effective_from", "effective_to", "minimum", "maximum", "grade", "source", "note",
    ]

    static func read(_ bytes: [UInt8]) -> (rows: [AmountBound], violations: ViolationList) {
        var reader = RowReader(upload: bytes, columns: columns)
        var rows: [AmountBound] = []
        while reader.next() {
            let paycode = Paycode(code: reader.cell("paycode"))
            if paycode == nil { reader.refuse("paycode", "REF10", "there is no such paycode") }
            let from = reader.date("effective_from", "REF02")
            let to = reader.date("effective_to", "REF02", mayBeEmpty: true)
            if let from, let to, to <= from {
                reader.refuse(
                    "effective_to", "REF02",
                    "effective_to is the first day after, so it is after effective_from")
            }
            let minimum = Money(reader.cell("minimum")), maximum = Money(reader.cell("maximum"))
            if minimum == nil { reader.refuse("minimum", "REF10", "pounds with two decimals are needed") }
            if maximum == nil { reader.refuse("maximum", "REF10", "pounds with two decimals are needed") }
            if let minimum, let maximum, maximum < minimum {
                reader.refuse("maximum", "REF10", "the maximum lies below the minimum")
            }
            let grade = reader.cell("grade")
            if !RateFile.grades.contains(grade) {
                reader.refuse("grade", "REF05", "the grade is P, S, D, R or X (payments.md 0)")
            }
            let (source, note) = (reader.cell("source"), reader.cell("note"))
            if source.count > 200 || note.count > 500 {
                reader.refuse("source", "REF06", "a source has at most 200 characters, a note 500")
            }
            guard let paycode, let from, let minimum, let maximum else { continue }
            let row = AmountBound(
                paycode: paycode, from: from, to: to, minimumPence: minimum.pence,
                maximumPence: maximum.pence,
                grade: grade, source: source, note: note)
            let overlaps = rows.contains { other in
                other.paycode == paycode && (other.to.map { from < $0 } ?? true)
                    && (to.map { other.from < $0 } ?? true)
            }
            if overlaps {
                reader.refuse("effective_from", "REF10", "two rows of the paycode have days in common")
            }
            rows.append(row)
        }
        return (rows, reader.violations)
    }
}
