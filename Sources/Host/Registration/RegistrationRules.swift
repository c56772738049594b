import HostContract
import PluginAPI
import Tabular

/// The figures of registration, from `ReferenceData/registration_rules.csv` (identity-and-organisations.md 6). Each row
/// has its source.
package struct RegistrationRules: Sendable, Hashable {
    package enum Name: String, CaseIterable, Sendable {
        case codeValidDays = "code_valid_days"
        case wrongTries = "wrong_tries"
        case wrongWindowMinutes = "wrong_window_minutes"
        case lockMinutes = "lock_minutes"
        case wrongTriesPerMinute = "wrong_tries_per_minute"
        case administratorsLeast = "administrators_least"
        case administratorsMost = "administrators_most"
    }

    private let values: [Name: Int]

    package subscript(_ name: Name) -> Int { values[name] ?? 0 }

    package static func shipped() throws -> RegistrationRules {
        try RegistrationRules(csv: PackageResources.registration_rules_csv)
    }

    private static let columns = ["name", "value", "unit", "effective_from", "source"]

    /// - Throws: `FILE_INVALID` with every row that is wrong, and each rule that is missing.
    package init(csv: [UInt8]) throws {
        var violations = ViolationList()
        let table = Table.read(
            csv: csv, layout: TableLayout(.exact(Self.columns), origin: .person), into: &violations)
        var reader = RowReader(table, violations: violations)
        var values: [Name: Int] = [:]
        while reader.next() {
            guard let name = Name(rawValue: reader.cell("name")) else {
                reader.refuse("name", "REG01", "there is no rule \(reader.shown("name"))")
                continue
            }
            guard let value = Int(reader.cell("value")), (1...100_000).contains(value) else {
                reader.refuse("value", "REG02", "a whole number from 1 to 100,000 is needed")
                continue
            }
            if values.updateValue(value, forKey: name) != nil {
                reader.refuse("name", "REG03", "\(name.rawValue) stands twice")
            }
        }
        for name in Name.allCases where values[name] == nil && reader.violations.isEmpty {
            reader.refuse("name", "REG04", line: 0, "\(name.rawValue) is missing")
        }
        guard reader.violations.isEmpty else { throw reader.violations.failure(HostReasons.fileInvalid) }
        self.values = values
    }
}
