import PluginAPI
import Tabular

/// Most that a network is paid back a year for one whole-time person in an additional role, for a span of days.
struct RoleMaximum: Hashable, Sendable {
    var role: String
    /// `ALL`, or the code of a network, Sub ICB Location, ICB or region whose own figure it is (London weighting).
    var area: String
    var from: CalendarDate
    /// Exclusive; `nil` = open.
    var to: CalendarDate?
    /// Pounds a year; `nil` = parameter: not known, and what needs it is refused.
    var annual: ExactDecimal?
    /// P, S, D, R or X.
    var grade: String
    var source: String
    var note: String
    /// Recorded version of its set; 0 while it is not approved.
    var version: Int64 = 0

    /// Area whose figures hold where an area has none of its own.
    static let everywhere = "ALL"

    func contains(_ day: CalendarDate) -> Bool { day >= from && to.map { day < $0 } != false }

    static func isRole(_ text: String) -> Bool {
        (2...40).contains(text.utf8.count) && text.utf8.first.map { (0x41...0x5A).contains($0) } == true
            && text.utf8.allSatisfy {
                (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
            } && !text.hasPrefix("PERCENT_OF_")
    }
}

/// All maxima as known at one moment; of several for a role, area and day the one recorded last.
struct RoleMaxima: Sendable {
    private let rows: [String: [RoleMaximum]]

    /// - Parameter rows: in order of recording.
    init(_ rows: [RoleMaximum]) { self.rows = Dictionary(grouping: rows, by: \.role) }

    /// - Parameter areas: where the network lies, nearest first. A figure of a nearer area goes before those of wider
    ///   ones and of `ALL`, also while its value is not set.
    /// - Returns: `nil` = there is no such role on that day.
    func row(_ role: String, in areas: [String], at day: CalendarDate) -> RoleMaximum? {
        let held = rows[role]?.filter { $0.contains(day) } ?? []
        for area in areas + [RoleMaximum.everywhere] {
            if let row = held.last(where: { $0.area == area }) { return row }
        }
        return nil
    }
}

/// Maxima of roles as a file. Rules ARM01 to ARM05.
enum RoleMaximumFile {
    static let columns = [
        "role", "area", "effective_from", "effective_to", "annual_maximum", "grade", "source", "note",
    ]

    static func read(_ bytes: [UInt8]) -> (rows: [RoleMaximum], violations: ViolationList) {
        var reader = RowReader(upload: bytes, columns: columns)
        var rows: [RoleMaximum] = []
        while reader.next() {
            let (role, area) = (reader.cell("role"), reader.cell("area"))
            if !RoleMaximum.isRole(role) {
                reader.refuse(
                    "role", "ARM01", "a role is 2 to 40 of A-Z, 0-9 and _, and begins with a letter")
            }
            if ODSCode(area) == nil {
                reader.refuse("area", "ARM01", "an area is ALL or a code of the register of organisations")
            }
            let from = reader.date("effective_from", "ARM02")
            let to = reader.date("effective_to", "ARM02", mayBeEmpty: true)
            for (name, day) in [("effective_from", from), ("effective_to", to)]
            where day.map({ $0.day != 1 }) == true {
                reader.refuse(name, "ARM02", "maxima begin and end with a month: give the first day of one")
            }
            if let from, let to, to <= from {
                reader.refuse(
                    "effective_to", "ARM02",
                    "effective_to is the first day after, so it is after effective_from")
            }
            let annual = reader.decimal(
                "annual_maximum", "ARM03", scale: 2, in: 1...100_000_000, mayBeEmpty: true)
            if !RateFile.grades.contains(reader.cell("grade")) {
                reader.refuse("grade", "ARM04", "the grade is P, S, D, R or X (payments.md 0)")
            }
            if reader.cell("source").count > 200 || reader.cell("note").count > 500 {
                reader.refuse("source", "ARM05", "a source has at most 200 characters, a note 500")
            }
            guard let from else { continue }
            rows.append(
                RoleMaximum(
                    role: role, area: area, from: from, to: to,
                    annual: annual.map { ExactDecimal(mantissa: $0, scale: 2) }, grade: reader.cell("grade"),
                    source: reader.cell("source"), note: reader.cell("note")))
        }
        return (rows, reader.violations)
    }
}
