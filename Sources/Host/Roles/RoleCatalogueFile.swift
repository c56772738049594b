import CommonContract
import HostContract
import PluginAPI
import Tabular

/// The three files of a catalogue version. Rules ROL01 to ROL09; all-or-nothing, with every error of every file.
package struct RoleCatalogueFile: Sendable, Hashable {
    package var roles: [UInt8]
    package var conflicts: [UInt8]
    package var parameters: [UInt8]

    package init(roles: [UInt8], conflicts: [UInt8], parameters: [UInt8]) {
        self.roles = roles
        self.conflicts = conflicts
        self.parameters = parameters
    }

    /// The catalogue that came with this program.
    package static let shipped = RoleCatalogueFile(
        roles: PackageResources.roles_csv, conflicts: PackageResources.conflicts_csv,
        parameters: PackageResources.parameters_csv)

    static let roleColumns = [
        "role", "label", "service", "kinds", "given_by", "holders_at_most", "holders_at_least",
        "administrator", "privileged", "sensitive", "sight", "payment_types", "email", "source",
        "valid_from", "valid_to",
    ]
    static let conflictColumns = [
        "first_role", "second_role", "scope", "effect", "why", "source", "valid_from", "valid_to",
    ]
    static let parameterColumns = ["name", "value", "unit", "what", "source"]
    private static let giverAtRegistration = "REGISTRATION@own"

    private static let days: ClosedRange<CalendarDate> =
        CalendarDate.unboundedStart...CalendarDate.unboundedEnd

    /// - Throws: `FILE_INVALID` with all that is wrong in all three.
    package func catalogue() throws -> RoleCatalogue {
        let (entries, roleViolations) = readRoles()
        let (conflicts, conflictViolations) = readConflicts()
        let (parameters, parameterViolations) = readParameters()
        for (name, violations) in [
            ("roles", roleViolations), ("conflicts", conflictViolations), ("parameters", parameterViolations),
        ] where !violations.isEmpty {
            var failure = violations.failure(HostReasons.fileInvalid)
            failure.message = "The file of \(name) breaks rules; nothing of the version was taken."
            throw failure
        }
        guard let parameters else { throw Failure(HostReasons.fileInvalid) }
        return RoleCatalogue(
            entries: Dictionary(grouping: entries, by: \.role), conflicts: conflicts, parameters: parameters)
    }

    private static func reader(_ bytes: [UInt8], _ columns: [String]) -> RowReader {
        var limits = TableLimits()
        limits.rows = 2_000
        limits.cellBytes = 4_000
        let layout = TableLayout(
            .exact(columns), origin: .person, limits: limits,
            rules: TableRules(
                encoding: "ROL01", quoting: "ROL01", columnCount: "ROL01", header: "ROL01", limit: "ROL01",
                control: "ROL01", notEmpty: "ROL01"))
        var violations = ViolationList()
        let table = Table.read(csv: bytes, layout: layout, into: &violations)
        return RowReader(table, columns: columns, violations: violations)
    }

    // MARK: Roles

    private func readRoles() -> ([RoleCatalogue.Entry], ViolationList) {
        var reader = Self.reader(roles, Self.roleColumns)
        var entries: [RoleCatalogue.Entry] = []
        while reader.next() {
            if let entry = Self.entry(&reader) { entries.append(entry) }
        }
        return (entries, reader.violations)
    }

    private static func entry(_ reader: inout RowReader) -> RoleCatalogue.Entry? {
        let before = reader.violations.count
        let role = Self.role(&reader, "role")
        reader.requireUnique(reader.cell("role") + "/" + reader.cell("valid_from"), "role", "ROL02")
        let kinds = reader.cell("kinds").split(separator: "|").map(String.init)
        if kinds.isEmpty || !kinds.allSatisfy(RoleCatalogue.Kind.words.contains) {
            reader.refuse(
                "kinds", "ROL03",
                "one or more of " + RoleCatalogue.Kind.words.sorted().joined(separator: ", ")
                    + " with | between")
        }
        var givers: [RoleCatalogue.Giver] = []
        let words = reader.cell("given_by").split(separator: "|").map(String.init)
        if words.isEmpty { reader.refuse("given_by", "ROL04", "somebody gives each role") }
        for word in words where word != giverAtRegistration {
            guard let giver = RoleCatalogue.Giver(word) else {
                reader.refuse("given_by", "ROL04", "\(word.prefix(60)) is no ROLE@level")
                continue
            }
            givers.append(giver)
        }
        let most = count(&reader, "holders_at_most")
        let least = count(&reader, "holders_at_least")
        let sensitive = reader.flag("sensitive", "ROL06")
        let sight = reader.cell("sight")
        if sensitive == sight.isEmpty {
            reader.refuse(
                "sight", "ROL06", "a sensitive role has the sentence that its giver is shown, others none")
        }
        guard let email = RoleCatalogue.EmailRule(rawValue: reader.cell("email")) else {
            reader.refuse("email", "ROL07", "any, nhs, named or nhs_or_named")
            return nil
        }
        let from = reader.date("valid_from", "ROL08", in: days)
        let to = reader.date("valid_to", "ROL08", in: days, mayBeEmpty: true)
        let isAdministrator = reader.flag("administrator", "ROL06")
        let isPrivileged = reader.flag("privileged", "ROL06")
        let takesPaymentTypes = reader.flag("payment_types", "ROL06")
        guard let role, let from, reader.violations.count == before else { return nil }
        return RoleCatalogue.Entry(
            role: role, label: reader.cell("label"), service: reader.cell("service"),
            kinds: Set(kinds.map { RoleCatalogue.Kind(word: $0) }), givers: givers,
            atRegistration: words.contains(giverAtRegistration), mostHolders: most, leastHolders: least,
            isAdministrator: isAdministrator, isPrivileged: isPrivileged, sight: sight,
            takesPaymentTypes: takesPaymentTypes, email: email, source: reader.cell("source"), from: from,
            to: to)
    }

    private static func role(_ reader: inout RowReader, _ column: String) -> Role? {
        let role = Role(reader.cell(column))
        guard Roles.all.contains(role), role != Roles.member else {
            reader.refuse(column, "ROL02", "\(reader.shown(column)) is no role of the contract that is given")
            return nil
        }
        return role
    }

    private static func count(_ reader: inout RowReader, _ column: String) -> Int? {
        guard !reader.isEmpty(column) else { return nil }
        guard let count = Int(reader.cell(column)), (1...1_000).contains(count) else {
            reader.refuse(column, "ROL05", "empty, or a number from 1 to 1000")
            return nil
        }
        return count
    }

    // MARK: Conflicts and parameters

    private func readConflicts() -> ([RoleCatalogue.Conflict], ViolationList) {
        var reader = Self.reader(conflicts, Self.conflictColumns)
        var found: [RoleCatalogue.Conflict] = []
        while reader.next() {
            let first = Self.role(&reader, "first_role")
            let second = Self.role(&reader, "second_role")
            let scope = RoleCatalogue.Conflict.Scope(rawValue: reader.cell("scope"))
            if scope == nil { reader.refuse("scope", "ROL09", "same_organisation or anywhere") }
            let effect = RoleCatalogue.Conflict.Effect(rawValue: reader.cell("effect"))
            if effect == nil { reader.refuse("effect", "ROL09", "refuse or warn") }
            let from = reader.date("valid_from", "ROL08", in: Self.days)
            let to = reader.date("valid_to", "ROL08", in: Self.days, mayBeEmpty: true)
            guard let first, let second, let scope, let effect, let from else { continue }
            found.append(
                RoleCatalogue.Conflict(
                    first: first, second: second, scope: scope, effect: effect, why: reader.cell("why"),
                    source: reader.cell("source"), from: from, to: to))
        }
        return (found, reader.violations)
    }

    private func readParameters() -> (RoleCatalogue.Parameters?, ViolationList) {
        var reader = Self.reader(parameters, Self.parameterColumns)
        var figures: [String: Int] = [:]
        var turn: CalendarDate?
        while reader.next() {
            let name = reader.cell("name")
            guard RoleCatalogue.Parameters.names.contains(name) else {
                reader.refuse("name", "ROL10", "there is no parameter \(reader.shown("name"))")
                continue
            }
            reader.requireUnique(name, "name", "ROL10")
            if name == RoleCatalogue.Parameters.names[0] {
                turn = reader.date("value", "ROL10", in: Self.days)
                continue
            }
            if let value = Int(reader.cell("value")), (1...3_650).contains(value) {
                figures[name] = value
            } else {
                reader.refuse("value", "ROL10", "a whole number from 1 to 3650")
            }
        }
        let missing = RoleCatalogue.Parameters.names.dropFirst().filter { figures[$0] == nil }
        if reader.violations.isEmpty, !missing.isEmpty || turn == nil {
            reader.refuse("name", "ROL10", line: 0, "missing: \(missing.joined(separator: ", "))")
        }
        guard reader.violations.isEmpty, let turn else { return (nil, reader.violations) }
        func figure(_ name: String) -> Int { figures[name] ?? 1 }
        return (
            RoleCatalogue.Parameters(
                supportGivesAdministratorsOnlyFrom: turn, proposalLapseDays: figure("proposal_lapse_days"),
                reviewEveryMonths: figure("review_every_months"),
                reviewAnswerDays: figure("review_answer_days"),
                breakGlassMinutes: figure("break_glass_minutes"),
                breakGlassExtensions: figure("break_glass_extensions"),
                breakGlassReviewWorkingDays: figure("break_glass_review_working_days"),
                closedOrganisationReadDays: figure("closed_organisation_read_days"),
                unusedAccountWarnDays: figure("unused_account_warn_days")), reader.violations
        )
    }
}

extension RoleCatalogue.Giver {
    /// From `ROLE@level`.
    init?(_ text: String) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let level = RoleCatalogue.Level(rawValue: parts[1]),
            Roles.all.contains(Role(parts[0]))
        else { return nil }
        self.init(role: Role(parts[0]), level: level)
    }
}
