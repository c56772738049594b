import PluginAPI
import Tabular

/// One figure of a training area for a span of days.
struct TrainingRate: Hashable, Sendable {
    /// Names are those of the file.
    enum Item: String, CaseIterable, Sendable {
        /// Pounds a year.
        case grantYear = "GRANT_YEAR"
        // Published pounds a day, by length of the month, already rounded to pence (RND-8).
        case grantDay28 = "GRANT_DAY_28"
        case grantDay29 = "GRANT_DAY_29"
        case grantDay30 = "GRANT_DAY_30"
        case grantDay31 = "GRANT_DAY_31"
        /// By how much the grant of an ST4 is divided.
        case seniorDivisor = "ST4_DIVISOR"
        /// Months of an absence for which the grant is still paid.
        case parentalMonths = "PARENTAL_MONTHS"
        case sicknessMonths = "SICKNESS_MONTHS"
        /// 1 = the grants of a placement are paid together after its end.
        case paidAtEnd = "PAID_AT_END"
        /// Pounds for a supervision report.
        case report = "REPORT"
        /// Pounds a year for a trainer's professional development.
        case developmentYear = "CPD_YEAR"

        static func grantDay(in month: YearMonth) -> Item {
            switch month.dayCount {
            case 28: .grantDay28
            case 29: .grantDay29
            case 30: .grantDay30
            default: .grantDay31
            }
        }

        /// Largest value and decimals.
        var bounds: (most: Int64, scale: UInt8) {
            switch self {
            case .grantYear, .developmentYear: (100_000, 2)
            case .grantDay28, .grantDay29, .grantDay30, .grantDay31, .report: (10_000, 2)
            case .seniorDivisor, .parentalMonths, .sicknessMonths: (60, 0)
            case .paidAtEnd: (1, 0)
            }
        }
    }

    /// Area whose figures hold where an area has none of its own.
    static let everywhere = "ALL"

    var area: String
    var item: Item
    var from: CalendarDate
    /// Exclusive; `nil` = open.
    var to: CalendarDate?
    /// `nil` = parameter: not known, and what needs it is not paid.
    var value: ExactDecimal?
    var grade: String
    var source: String
    var note: String
    var version: Int64 = 0

    func contains(_ day: CalendarDate) -> Bool { day >= from && to.map { day < $0 } != false }

    static func isArea(_ text: String) -> Bool {
        (3...30).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x41...0x5A).contains($0) || $0 == 0x5F }
    }
}

/// A figure as used.
struct TrainingFigure: Hashable, Sendable {
    var value: ExactDecimal
    var whole: Int64
    var rate: TrainingRate

    func input(_ name: String, _ unit: Explanation.Unit) -> Explanation.Input {
        let note = [rate.area, rate.source, rate.grade].filter { !$0.isEmpty }.joined(separator: " ")
        return .init(
            name, value, unit, from: .init("training rates", version: rate.version, note: note),
            asOf: rate.from)
    }
}

/// All figures as known at one moment: of an area, else those of every area; of several the one recorded last.
struct TrainingRates: Sendable {
    private let rows: [TrainingRate.Item: [TrainingRate]]

    /// - Parameter rows: in order of recording.
    init(_ rows: [TrainingRate]) { self.rows = Dictionary(grouping: rows, by: \.item) }

    /// `nil` = not set.
    func figure(_ item: TrainingRate.Item, in area: String, at day: CalendarDate) -> TrainingFigure? {
        let held = rows[item]?.filter { $0.contains(day) } ?? []
        let row = held.last { $0.area == area } ?? held.last { $0.area == TrainingRate.everywhere }
        guard let row, let value = row.value else { return nil }
        return TrainingFigure(value: value, whole: value.scaled(to: 0) ?? 0, rate: row)
    }

    /// Throws `figureMissing` with its name when it is not set.
    func required(
        _ item: TrainingRate.Item, in area: String, at day: CalendarDate
    ) throws(PaymentsError) -> TrainingFigure {
        guard let found = figure(item, in: area, at: day) else {
            throw .figureMissing("training rate \(item.rawValue) of \(area)", day)
        }
        return found
    }
}

/// Training figures as a file. Rules TRR01 to TRR05.
enum TrainingRateFile {
    static let columns = [
        "area", "item", "effective_from", "effective_to", "value", "grade", "source", "note",
    ]

    static func read(_ bytes: [UInt8]) -> (rows: [TrainingRate], violations: ViolationList) {
        var reader = RowReader(upload: bytes, columns: columns)
        var rows: [TrainingRate] = []
        while reader.next() {
            let area = reader.cell("area")
            if !TrainingRate.isArea(area) {
                reader.refuse("area", "TRR01", "an area is 3 to 30 of A-Z and _; ALL stands for every area")
            }
            let item = TrainingRate.Item(rawValue: reader.cell("item"))
            if item == nil { reader.refuse("item", "TRR01", "there is no item \(reader.shown("item"))") }
            let from = reader.date("effective_from", "TRR02")
            let to = reader.date("effective_to", "TRR02", mayBeEmpty: true)
            for (name, day) in [("effective_from", from), ("effective_to", to)]
            where day.map({ $0.day != 1 }) == true {
                reader.refuse(name, "TRR02", "figures begin and end with a month: give the first day of one")
            }
            if let from, let to, to <= from {
                reader.refuse(
                    "effective_to", "TRR02",
                    "effective_to is the first day after, so it is after effective_from")
            }
            var value: ExactDecimal?
            if let item, !reader.isEmpty("value") {
                let (most, scale) = item.bounds
                let least: Int64 = item == .seniorDivisor ? 1 : 0
                let factor: Int64 = scale == 2 ? 100 : 1
                value = reader.decimal("value", "TRR03", scale: scale, in: least...most * factor)
                    .map { ExactDecimal(mantissa: $0, scale: scale) }
            }
            if !RateFile.grades.contains(reader.cell("grade")) {
                reader.refuse("grade", "TRR04", "the grade is P, S, D, R or X (payments.md 0)")
            }
            if reader.cell("source").count > 200 || reader.cell("note").count > 500 {
                reader.refuse("source", "TRR05", "a source has at most 200 characters, a note 500")
            }
            guard let item, let from else { continue }
            rows.append(
                TrainingRate(
                    area: area, item: item, from: from, to: to, value: value, grade: reader.cell("grade"),
                    source: reader.cell("source"), note: reader.cell("note")))
        }
        return (rows, reader.violations)
    }
}
