import Accounting
import PluginAPI

@testable import CQRSPlugin

/// Values as the worked examples write them.
func decimal(_ text: String) -> ExactDecimal { ExactDecimal(text) ?? ExactDecimal(-1) }

func day(_ text: String) -> CalendarDate { CalendarDate(iso8601: text) ?? CalendarDate(daysSince1970: 0) }

func pounds(_ text: String) -> Money { Money(text) ?? Money(pence: -1) }

func fraction(
    _ points: String, _ lower: String, _ upper: String, kind: IndicatorKind = .fraction, step: String = "0"
)
    -> ScoringRoute
{
    ScoringRoute(
        name: "", kind: kind, lower: decimal(lower).scaled(to: 2), upper: decimal(upper).scaled(to: 2),
        points: Points(hundredths: decimal(points).scaled(to: 2) ?? -1),
        step: Points(hundredths: decimal(step).scaled(to: 2) ?? -1))
}

func points(_ route: ScoringRoute, _ numerator: Int64, _ denominator: Int64) -> String {
    IndicatorScore.score(route, numerator: numerator, denominator: denominator).points.description
}

/// The definitions shipped with the plugin.
enum Shipped {
    static let definitions: [String: ServiceDefinition] = {
        let read = DefinitionFiles.read(
            services: Array(ShippedFiles.services), indicators: Array(ShippedFiles.indicators),
            tariffs: Array(ShippedFiles.tariffs))
        return Dictionary(uniqueKeysWithValues: read.definitions.map { ($0.code, $0) })
    }()

    static func definition(_ code: String) throws -> ServiceDefinition {
        guard let definition = definitions[code] else { throw Missing(code: code) }
        return definition
    }

    struct Missing: Error { var code: String }
}

/// A definition with one provider's counts, calculated.
struct OneProvider {
    var definition: ServiceDefinition
    var counts: [String: Int64] = [:]
    var bases = ProviderBases()
    var prior: [String: Points] = [:]
    var figures: [NationalFigures.Row] = []
    var on: CalendarDate

    /// Counts by "AF006 Numerator".
    func result() throws -> (ProviderResult, ResultExplanation) {
        var catalogue = CellCatalogue()
        var cells: [CountCell] = []
        for (name, value) in counts.sorted(by: { $0.key < $1.key }) {
            let parts = name.split(separator: " ", maxSplits: 1).map(String.init)
            cells.append(
                CountCell(
                    cell: catalogue.number(of: .init(indicator: parts[0], field: parts[1])), value: value,
                    flags: []))
        }
        let layout = CountLayout(definition, catalogue, adjustments: [])
        var book = CountBook(layout)
        try book.take(CountCoding.bytes(cells), isAutomated: true, layout)
        let inputs = try RunInputs(definition, on: on, NationalFigures(figures))
        let calculator = ProviderCalculator(definition, layout, inputs)
        guard let code = ODSCode("A81001") else { throw Shipped.Missing(code: "A81001") }
        let result = try calculator.calculate(
            .init(code: code, counts: book, bases: bases, priorPoints: prior))
        return (result, ResultExplanation(definition: definition, inputs: inputs, bases: bases))
    }

    static func figure(_ value: String, asOf: String = "2024-01-01") -> ProviderBases.Figure {
        ProviderBases.Figure(rowID: 7, value: decimal(value), asOf: day(asOf), source: "test")
    }

    static func national(_ name: String, _ group: String, _ from: String, _ value: String, to: String? = nil)
        -> NationalFigures.Row
    {
        NationalFigures.Row(
            version: 1, name: name, group: group, from: day(from), to: to.map { day($0) },
            value: decimal(value),
            confidence: .A, source: "test", note: "")
    }
}
