import PluginAPI

/// A factor of the formula. Names are those of the reference data files and of `AllocationService`.
enum FormulaComponent: String, CaseIterable, Sendable {
    case ageSex = "AGE_SEX"
    case homes = "HOMES"
    case turnover = "TURNOVER"
    case needs = "NEEDS"
    case staff = "STAFF"
    case rurality = "RURALITY"
}

/// A coefficient's place in a set.
struct FormulaCell: Hashable, Sendable, CustomStringConvertible {
    var component: FormulaComponent
    var name: String

    var description: String { component.rawValue + " " + name }
}

/// A version of the allocation formula: which coefficients it needs and how they weigh a practice's inputs. The formula
/// is under review (payments.md 3.3), so another version is another case here, and old quarters keep theirs.
enum FormulaVersion: String, CaseIterable, Sendable {
    /// Carr-Hill, in force since 2004.
    case carrHill2004 = "carr-hill-2004"

    /// Every cell that a set must hold.
    var cells: [FormulaCell] {
        switch self {
        case .carrHill2004: CarrHillFormula.cells
        }
    }

    /// The formula with its coefficients; refuses all that are only parameters by name.
    func formula(_ coefficients: FormulaCoefficients) throws(AllocationError) -> CarrHillFormula {
        switch self {
        case .carrHill2004: try CarrHillFormula(coefficients)
        }
    }
}

/// Coefficients of one set.
struct FormulaCoefficients: Hashable, Sendable {
    var values: [FormulaCell: ExactDecimal]

    /// In millionths, in the order of `cells`; throws when any is missing.
    func millionths(_ cells: [FormulaCell]) throws(AllocationError) -> [Int64] {
        let missing = cells.filter { values[$0]?.scaled(to: 6) == nil }
        guard missing.isEmpty else { throw .coefficientsMissing(missing) }
        return cells.compactMap { values[$0]?.scaled(to: 6) }
    }
}

/// Why weighted lists cannot be calculated.
enum AllocationError: Error, Hashable, Sendable {
    case coefficientsMissing([FormulaCell])
    case arithmetic(ArithmeticError, practice: ODSCode?)
}

/// What a practice brings to the formula on a quarter day (payments.md 3.3, "Input per practice").
struct AllocationInput: Hashable, Sendable {
    var practice: ODSCode
    /// Registered patients, in the order of `cellNames`.
    var cells: [Int64]
    /// Registered patients who live in a nursing or residential home.
    var homeResidents: Int64
    /// Registered patients who joined the list in the last twelve months.
    var newRegistrations: Int64
    /// Registered patients who live in Greater London; they play no part in the formula.
    var london: Int64
    /// Standardised limiting long-term illness and mortality under 65, weighted by patients; millionths.
    var illness: Int64
    var mortality: Int64
    /// Staff-cost index of the practice's area; millionths.
    var staffIndex: Int64
    /// Mean distance of patients to the practice, and mean density where they live; millionths.
    var distance: Int64
    var density: Int64

    /// Sex and age band, men first.
    static let cellNames: [String] = ["M", "F"].flatMap { sex in
        ["0_4", "5_14", "15_44", "45_64", "65_74", "75_84", "85_PLUS"].map { sex + "_" + $0 }
    }

    var registered: Int64 { cells.reduce(0, +) }
}

/// The Carr-Hill formula: six factors a head, each scaled so that its national mean is 1.
struct CarrHillFormula: Sendable {
    static let cells: [FormulaCell] =
        AllocationInput.cellNames.map { FormulaCell(component: .ageSex, name: $0) }
        + [
            FormulaCell(component: .homes, name: "FACTOR"), FormulaCell(component: .turnover, name: "FACTOR"),
            FormulaCell(component: .needs, name: "CONSTANT"), FormulaCell(component: .needs, name: "SLLI"),
            FormulaCell(component: .needs, name: "SMR65"), FormulaCell(component: .staff, name: "SHARE"),
            FormulaCell(component: .rurality, name: "DISTANCE"),
            FormulaCell(component: .rurality, name: "DENSITY"),
        ]

    private static let million = Int128(1_000_000)

    /// Millionths, in the order of `cells`.
    private let coefficients: [Int64]

    init(_ coefficients: FormulaCoefficients) throws(AllocationError) {
        self.coefficients = try coefficients.millionths(CarrHillFormula.cells)
    }

    /// Weighted patients a head of each component, in the order of `FormulaComponent`.
    func perHead(_ input: AllocationInput) throws(ArithmeticError) -> [PreciseDecimal] {
        let million = CarrHillFormula.million
        let registered = Int128(input.registered)
        let weights = coefficients.prefix(input.cells.count)
        let workload = zip(input.cells, weights).reduce(Int128(0)) { $0 + Int128($1.0) * Int128($1.1) }
        let rest = Array(coefficients.dropFirst(input.cells.count))
        func premium(_ factor: Int64, on patients: Int64) throws(ArithmeticError) -> PreciseDecimal {
            try PreciseDecimal(
                ratio: registered * million + (Int128(factor) - million) * Int128(patients),
                registered * million)
        }
        let needs =
            Int128(rest[2]) * million + Int128(rest[3]) * Int128(input.illness)
            + Int128(rest[4]) * Int128(input.mortality)
        let staff = (million - Int128(rest[5])) * million + Int128(rest[5]) * Int128(input.staffIndex)
        return [
            try PreciseDecimal(ratio: workload, registered * million),
            try premium(rest[0], on: input.homeResidents),
            try premium(rest[1], on: input.newRegistrations),
            try PreciseDecimal(ratio: needs, million * million),
            try PreciseDecimal(ratio: staff, million * million),
            try rurality(input, distance: rest[6], density: rest[7]),
        ]
    }

    private func rurality(
        _ input: AllocationInput, distance: Int64, density: Int64
    ) throws(ArithmeticError) -> PreciseDecimal {
        func part(_ value: Int64, _ exponent: Int64) throws(ArithmeticError) -> Int128 {
            let logarithm = try PreciseDecimal(ratio: Int128(value), CarrHillFormula.million)
                .naturalLogarithm()
            return try PreciseDecimal.scaled(logarithm.units, Int128(exponent), over: CarrHillFormula.million)
        }
        return try PreciseDecimal(units: try part(input.distance, distance) - part(input.density, density))
            .exponential()
    }
}
