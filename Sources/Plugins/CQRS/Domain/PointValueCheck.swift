import PluginAPI

/// Value per point over the national average list has been 2.2142 pence a patient in every year that is verified, because
/// the value follows the lists (payments.md 7.1). A year outside of it has one of the two figures wrong, or says something
/// new: a warning for whoever loads them.
struct PointValueCheck {
    /// In billionths of a pound, and how far a year may lie from it: verified years differ by less than a tenth of this.
    private static let ratioName = "point_value_ratio"
    private static let toleranceName = "point_value_ratio_tolerance"

    private let figures: NationalFigures

    /// - Parameter rows: in order of recording.
    init(_ rows: [NationalFigures.Row]) {
        // Rows of a file that is only tried out have no version: they count as the last.
        figures = NationalFigures(
            rows.map { row in
                var row = row
                if row.version == 0 { row.version = .max }
                return row
            })
    }

    /// - Parameter rows: those loaded; years that they do not touch are not looked at.
    func warnings(about rows: [NationalFigures.Row]) -> [String] {
        let years = rows.filter { ["value_per_point", "average_list_size"].contains($0.name) && $0.group == "QOF" }
            .compactMap { row -> FinancialYear? in
                // The list of 1 January before the year.
                row.name == "average_list_size"
                    ? FinancialYear(startYear: row.from.year) : FinancialYear(containing: row.from)
            }
        return Set(years).sorted().compactMap(warning)
    }

    private func warning(_ year: FinancialYear) -> String? {
        guard let value = figures.optionalFigure("value_per_point", "QOF", on: year.firstDay),
            let list = try? figures.averageListSize("QOF", for: year),
            let expected = figures.optionalFigure(Self.ratioName, "QOF", on: year.firstDay)?.value,
            let tolerance = figures.optionalFigure(Self.toleranceName, "QOF", on: year.firstDay)?.value,
            list.value.mantissa > 0,
            let ratio = try? value.value.rational.divided(by: list.value.rational),
            let scaled = try? ratio.multiplied(by: Rational(1_000_000)),
            let millionths = try? Rounding.quotient(scaled.numerator, scaled.denominator),
            let middle = expected.scaled(to: 6), let width = tolerance.scaled(to: 6)
        else { return nil }
        guard abs(millionths - middle) > width else { return nil }
        let shown = ExactDecimal(mantissa: millionths, scale: 6)
        return "\(year): \(value.value) pounds a point over an average list of \(list.value) is \(shown), not about "
            + "\(expected): one of the two may be wrong"
    }
}
