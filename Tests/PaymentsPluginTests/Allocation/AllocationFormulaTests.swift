import Accounting
import PluginAPI
import Testing

@testable import PaymentsPlugin

/// Coefficients as recalled (grade R, payments.md 3.3), with exponents for rurality made up: for examples only.
enum ExampleCoefficients {
    static let values: [String: String] = [
        "AGE_SEX M_0_4": "3.97", "AGE_SEX M_5_14": "1.00", "AGE_SEX M_15_44": "1.02",
        "AGE_SEX M_45_64": "2.15",
        "AGE_SEX M_65_74": "4.19", "AGE_SEX M_75_84": "5.18", "AGE_SEX M_85_PLUS": "6.27",
        "AGE_SEX F_0_4": "3.64", "AGE_SEX F_5_14": "1.04", "AGE_SEX F_15_44": "2.19",
        "AGE_SEX F_45_64": "3.36",
        "AGE_SEX F_65_74": "4.90", "AGE_SEX F_75_84": "6.56", "AGE_SEX F_85_PLUS": "6.72",
        "HOMES FACTOR": "1.43", "TURNOVER FACTOR": "1.46", "NEEDS CONSTANT": "48.1198",
        "NEEDS SLLI": "0.26115",
        "NEEDS SMR65": "0.23676", "STAFF SHARE": "0.48", "RURALITY DISTANCE": "0.05",
        "RURALITY DENSITY": "0.06",
    ]

    static var formula: CarrHillFormula {
        get throws { try FormulaVersion.carrHill2004.formula(coefficients) }
    }

    static var coefficients: FormulaCoefficients {
        FormulaCoefficients(
            values: Dictionary(
                uniqueKeysWithValues: FormulaVersion.carrHill2004.cells.map {
                    ($0, ExactDecimal(values[$0.description] ?? "") ?? ExactDecimal(0))
                }))
    }

    /// As a file to propose.
    static var csv: String {
        "component,cell,value,grade,source\n"
            + FormulaVersion.carrHill2004.cells.map { cell in
                "\(cell.component.rawValue),\(cell.name),\(values[cell.description] ?? ""),R,recalled"
            }.joined(separator: "\n") + "\n"
    }
}

@Suite("The allocation formula (payments.md 3.3)")
struct AllocationFormulaTests {
    private func decimal(_ text: String) throws -> PreciseDecimal {
        try PreciseDecimal(try #require(ExactDecimal(text)))
    }

    private func input(
        _ code: String, cells: [Int64], homes: Int64, new: Int64, illness: Int64 = 100_000_000,
        mortality: Int64 = 100_000_000, staff: Int64 = 1_000_000, distance: Int64 = 2_000_000,
        density: Int64 = 1_500_000_000
    ) throws -> AllocationInput {
        AllocationInput(
            practice: try practice(code), cells: cells, homeResidents: homes, newRegistrations: new,
            london: 0,
            illness: illness, mortality: mortality, staffIndex: staff, distance: distance, density: density)
    }

    @Test("E17: 10,100 patients weigh 11,578.75, with national means and normaliser as given")
    func e17() throws {
        let example = try input(
            "A81001",
            cells: [260, 600, 2050, 1300, 480, 270, 80, 240, 570, 2000, 1290, 500, 330, 130], homes: 74,
            new: 905)
        #expect(example.registered == 10_100)
        var perHead = try ExampleCoefficients.formula.perHead(example)
        #expect(try perHead[0].times(10_100 * 100) == 2_609_880)
        #expect(perHead[0].text(decimals: 6) == "2.584040")
        #expect(perHead[1].text(decimals: 7) == "1.0031505")
        #expect(perHead[2].text(decimals: 7) == "1.0412178")
        // Needs, market forces and rurality come as indices.
        perHead.replaceSubrange(
            3..., with: [try decimal("1.0420"), try decimal("0.9870"), try decimal("1.0110")])
        let means = [try decimal("2.3500"), try decimal("1.0031"), try decimal("1.0368"), .one, .one, .one]
        let indices = try Allocation.indices(perHead, means: means)
        #expect(
            indices.prefix(3).map { $0.text(decimals: 7) } == ["1.0995913", "1.0000503", "1.0042610"])
        let product = try Allocation.product(indices)
        #expect(product.text(decimals: 7) == "1.1482483")
        let weighted = try Allocation.weighted(10_100, product: product, normaliser: try decimal("0.9984"))
        #expect(ExactDecimal(mantissa: weighted, scale: 2).description == "11578.75")
    }

    @Test("RND-1: products, quotients and powers keep 28 significant digits")
    func precision() throws {
        let two = try decimal("2")
        let half = PreciseDecimal(
            units: try PreciseDecimal.scaled(try two.naturalLogarithm().units, 1, over: 2))
        // The root of two to thirty decimals is 1.414213562373095048801688724210.
        let root = try half.exponential()
        let known = try #require(PreciseDecimal("1.414213562373095048801688724210"))
        #expect(abs(root.units - known.units) < 100)
        #expect(
            try decimal("1").divided(by: try decimal("7")).description == "0.142857142857142857142857142857")
        #expect(
            try decimal("0.000001").divided(by: try decimal("3")).description
                == "0.000000333333333333333333333333")
        // exp(ln x) is x, from a metre to the density of a city.
        for text in ["0.001", "0.75", "1", "1.5", "2.5", "37.25", "8500", "100000"] {
            let value = try decimal(text)
            let again = try value.naturalLogarithm().exponential()
            #expect(
                abs(again.units - value.units) <= 60 * max(1, value.units / PreciseDecimal.unitsOfOne),
                "\(text)")
        }
        #expect(throws: ArithmeticError.overflow) {
            try decimal("100000").multiplied(by: try decimal("100000"))
        }
        #expect(throws: ArithmeticError.divisionByZero) { try decimal("1").divided(by: .zero) }
    }

    @Test("England: 7,000 practices, and the weighted lists add up to the registered ones")
    func england() throws {
        var random = SeededGenerator(seed: 17)
        let codes = try (0..<7000).map { number in
            try practice("\(["A", "B", "C", "D", "E", "F", "G"][number / 1000])\(81_000 + number % 1000)")
        }
        let inputs = try codes.map { code in
            let cells = [420, 900, 3100, 1900, 700, 400, 130, 400, 860, 3000, 1900, 730, 480, 200].map {
                Int64.random(in: $0 / 3...$0 * 2 / 2, using: &random)
            }
            let list = cells.reduce(0, +)
            return try input(
                code.value, cells: cells, homes: Int64.random(in: 0...list / 60, using: &random),
                new: Int64.random(in: list / 30...list / 8, using: &random),
                illness: Int64.random(in: 60_000_000...140_000_000, using: &random),
                mortality: Int64.random(in: 60_000_000...160_000_000, using: &random),
                staff: Int64.random(in: 930_000...1_180_000, using: &random),
                distance: Int64.random(in: 400_000...9_000_000, using: &random),
                density: Int64.random(in: 40_000_000...9_000_000_000, using: &random))
        }
        let clock = ContinuousClock()
        let start = clock.now
        let allocation = try Allocation(inputs, try ExampleCoefficients.formula)
        let elapsed = start.duration(to: clock.now)
        let difference = allocation.weightedHundredths - allocation.registered * 100
        #expect(allocation.isBalanced)
        #expect(
            allocation.registered > 40_000_000 && abs(difference) <= 3_500, "off by \(difference) hundredths")
        // Far under two seconds when optimised; this is the unoptimised build.
        #expect(elapsed < .seconds(20), "took \(elapsed)")
        // Indices have the national mean 1: weighted by list they add up to the list.
        for component in FormulaComponent.allCases.indices {
            var sum = WideSum()
            for result in allocation.practices {
                sum.add(result.indices[component], times: result.registered)
            }
            let mean = try sum.mean(over: allocation.registered)
            #expect(abs(mean.units - PreciseDecimal.unitsOfOne) < 1_000)
        }
        // Twice the country gives each practice the same: only shares count.
        let few = try Allocation(Array(inputs.prefix(50)), try ExampleCoefficients.formula)
        let doubled = try Allocation(
            inputs.prefix(50).flatMap { first in
                var second = first
                second.practice = codes[6999]
                return [first, second]
            }, try ExampleCoefficients.formula)
        #expect(doubled.practices.first?.weightedHundredths == few.practices.first?.weightedHundredths)
    }

    @Test("a coefficient that is only a parameter is refused by name, all of them at once")
    func parameters() throws {
        var coefficients = ExampleCoefficients.coefficients
        let homes = FormulaCell(component: .homes, name: "FACTOR")
        let density = FormulaCell(component: .rurality, name: "DENSITY")
        coefficients.values[homes] = nil
        coefficients.values[density] = nil
        #expect(throws: AllocationError.coefficientsMissing([homes, density])) {
            try FormulaVersion.carrHill2004.formula(coefficients)
        }
        let shipped = FormulaFile.read(PackageResources.formula_carr_hill_2004_csv, .carrHill2004)
        #expect(shipped.violations.isEmpty && shipped.rows.count == 22)
        #expect(shipped.rows.filter { $0.value != nil }.map(\.cell.description) == ["TURNOVER FACTOR"])
        #expect(shipped.rows.allSatisfy { ($0.value == nil) == ($0.grade == "R") })
    }
}
