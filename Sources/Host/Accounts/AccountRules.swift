import HostContract
import PluginAPI
import Tabular

/// The figures of accounts: lengths, waits and lives, from `ReferenceData/account_rules.csv`
/// (identity-and-organisations.md 7 and 10). Each row has its source.
package struct AccountRules: Sendable, Hashable {
    package enum Name: String, CaseIterable, Sendable {
        case passwordMinimum = "password_minimum"
        case passwordMinimumPrivileged = "password_minimum_privileged"
        case passwordMaximum = "password_maximum"
        case scryptRounds = "scrypt_rounds"
        case scryptBlockSize = "scrypt_block_size"
        case scryptParallelism = "scrypt_parallelism"
        case failuresFree = "failures_free"
        case throttleFirst = "throttle_first"
        case failuresLock = "failures_lock"
        case lockMinutes = "lock_minutes"
        case sourceFailures = "source_failures"
        case sourceWindow = "source_window"
        case sessionHours = "session_hours"
        case sessionIdleMinutes = "session_idle_minutes"
        case stepUpMinutes = "step_up_minutes"
        case stepUpIdleMinutes = "step_up_idle_minutes"
        case invitationHours = "invitation_hours"
        case resetMinutes = "reset_minutes"
        case resetsPerHour = "resets_per_hour"
        case secondFactorDelayHours = "second_factor_delay_hours"
        case dormancyWarningDays = "dormancy_warning_days"
        case dormancyDays = "dormancy_days"
        case grantsLapseDays = "grants_lapse_days"
    }

    private var values: [Name: Int]

    package subscript(_ name: Name) -> Int {
        get { values[name] ?? 0 }
        set { values[name] = newValue }
    }

    /// A span in milliseconds.
    func milliseconds(_ name: Name) -> Int64 {
        let unit: Int64 =
            switch name {
            case .lockMinutes, .sourceWindow, .sessionIdleMinutes, .stepUpMinutes, .stepUpIdleMinutes,
                .resetMinutes:
                60_000
            case .sessionHours, .invitationHours, .secondFactorDelayHours: 3_600_000
            case .dormancyWarningDays, .dormancyDays, .grantsLapseDays: 86_400_000
            default: 1_000
            }
        return Int64(self[name]) * unit
    }

    private static let columns = ["name", "value", "unit", "effective_from", "source"]

    /// The rules that came with this program.
    package static let shipped: AccountRules = {
        do {
            return try AccountRules(csv: PackageResources.account_rules_csv)
        } catch {
            // Tests read the shipped file; a program that got past them has it whole.
            preconditionFailure("the shipped rules of accounts do not read: \(error)")
        }
    }()

    /// - Throws: `FILE_INVALID` with every row that is wrong, and each rule that is missing.
    package init(csv: [UInt8]) throws {
        var violations = ViolationList()
        let table = Table.read(
            csv: csv, layout: TableLayout(.exact(Self.columns), origin: .person), into: &violations)
        var reader = RowReader(table, violations: violations)
        var values: [Name: Int] = [:]
        while reader.next() {
            guard let name = Name(rawValue: reader.cell("name")) else {
                reader.refuse("name", "ACC01", "there is no rule \(reader.shown("name"))")
                continue
            }
            guard let value = Int(reader.cell("value")), (1...1_000_000).contains(value) else {
                reader.refuse("value", "ACC02", "a whole number from 1 to 1,000,000 is needed")
                continue
            }
            if values.updateValue(value, forKey: name) != nil {
                reader.refuse("name", "ACC03", "\(name.rawValue) stands twice")
            }
        }
        for name in Name.allCases where values[name] == nil && reader.violations.isEmpty {
            reader.refuse("name", "ACC04", line: 0, "\(name.rawValue) is missing")
        }
        guard reader.violations.isEmpty else { throw reader.violations.failure(HostReasons.fileInvalid) }
        self.values = values
    }
}
