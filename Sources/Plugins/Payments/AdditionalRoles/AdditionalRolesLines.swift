import PluginAPI

/// The items that an approved claim pays: one for each role, so that a statement says what each role costs and what is
/// paid of it. A claim for a month that was approved before pays the difference by role.
struct AdditionalRolesLines {
    let claim: AdditionalRolesClaim
    let maximum: MaximumSum
    /// In the order of the assessment: role by role.
    let assessed: [AssessedRole]
    /// What an earlier claim was approved for by role; `nil` = there is none in force.
    let before: [String: Int64]?
    /// Name of that claim.
    var beforeName = ""

    struct Item: Hashable, Sendable {
        var role: String
        var item: PayableItem
    }

    func items() throws(ArithmeticError) -> [Item] {
        var items: [Item] = []
        var earlierRoles: Int64 = 0
        var roles: [String] = []
        for entry in assessed where !roles.contains(entry.row.role) { roles.append(entry.row.role) }
        let gone = (before ?? [:]).keys.filter { !roles.contains($0) }.sorted()
        for role in roles + gone {
            let entries = assessed.filter { $0.row.role == role }
            let payable = entries.reduce(Int64(0)) { $0 + $1.payablePence }
            let pence = payable - (before?[role] ?? 0)
            if pence != 0 {
                items.append(
                    Item(
                        role: role,
                        item: PayableItem(
                            naturalKey: "arrs/\(claim.name)/\(role)", payee: claim.network,
                            firstRun: claim.month,
                            line: try line(role, entries, paying: pence, earlierRoles: earlierRoles))))
            }
            earlierRoles += payable
        }
        return items
    }

    private func line(
        _ role: String, _ entries: [AssessedRole], paying pence: Int64, earlierRoles: Int64
    ) throws(ArithmeticError) -> PaymentLine {
        var made = RoleExplanation(claim, maximum)
        made.add(entries)
        made.limit(entries, earlierRoles: earlierRoles)
        if let paid = before?[role] { made.subtract(paid, of: beforeName) }
        let shown = try shown(role, entries, paying: pence)
        return PaymentLine(
            paycode: .networkAdditionalRoles, contractID: claim.network.value,
            contractVersion: maximum.populationVersion, periodFrom: claim.month.firstDay,
            periodTo: claim.month.lastDay, quantity: shown.quantity, rate: shown.rate, basis: shown.basis,
            pence: pence, source: .item, month: claim.month,
            explanation: made.explanation(paying: pence), origin: claim.origin + "/" + role)
    }

    /// Where the maximum of the role decides for everybody, the whole-time equivalent at that maximum (C1); the amount
    /// otherwise.
    private func shown(
        _ role: String, _ entries: [AssessedRole], paying pence: Int64
    ) throws(ArithmeticError) -> (quantity: ExactDecimal, rate: ExactDecimal, basis: String) {
        let amount = (ExactDecimal(1), Money(pence: pence).pounds, role)
        guard before == nil, let first = entries.first,
            entries.allSatisfy({
                $0.payablePence == $0.ceilingPence && $0.days == first.days && $0.annual == first.annual
            })
        else { return amount }
        let hundredths = entries.reduce(Int64(0)) { $0 + $1.row.wholeTimeHundredths }
        let days = claim.month.dayCount
        guard
            try AdditionalRolesAssessment.ceiling(first.annual, hundredths, days: first.days, of: days)
                == pence
        else { return amount }
        let share = first.days == days ? "" : " x \(first.days)/\(days)"
        return (ExactDecimal(mantissa: hundredths, scale: 2).trimmed(), first.annual, "\(role)/12\(share)")
    }
}

/// Puts the explanation of one role's line together.
private struct RoleExplanation {
    private let claim: AdditionalRolesClaim
    private let maximum: MaximumSum
    private var inputs: [Explanation.Input]
    private var steps: [Explanation.Step]
    /// What is due so far.
    private var due = Explanation.Operand.whole(0)
    private static let left = Explanation.Operand.step(2)

    init(_ claim: AdditionalRolesClaim, _ maximum: MaximumSum) {
        self.claim = claim
        self.maximum = maximum
        let first = maximum.year.firstDay
        inputs = [
            .init(
                "network_additional_roles", maximum.rate, .pounds,
                from: .init("rates", version: maximum.rateVersion, note: maximum.rateSource), asOf: first),
            .init(
                "weighted_patients", ExactDecimal(mantissa: maximum.weightedHundredths, scale: 2), .patients,
                from: .init(
                    "network population", version: maximum.populationVersion, note: "\(maximum.year)"),
                asOf: first),
            .init(
                "already_approved", Money(pence: maximum.approvedPence).pounds, .pounds,
                from: .init("additional roles", note: "other months of \(maximum.year)"),
                asOf: claim.month.firstDay),
        ]
        steps = [
            .init("year", .input(0), .multiply, .input(1)), .init("maximum_sum", rounding: .step(0)),
            .init("left", .step(1), .subtract, .input(2)),
        ]
    }

    private mutating func input(
        _ name: String, _ value: ExactDecimal, _ unit: Explanation.Unit, _ note: String
    ) -> Explanation.Operand {
        inputs.append(
            .init(
                name, value, unit, from: .init("claim " + claim.name, version: claim.version, note: note),
                asOf: claim.month.firstDay))
        return .input(inputs.count - 1)
    }

    @discardableResult
    private mutating func step(
        _ name: String, _ left: Explanation.Operand, _ operation: Explanation.Operation,
        _ right: Explanation.Operand
    ) -> Explanation.Operand {
        steps.append(.init(name, left, operation, right))
        return .step(steps.count - 1)
    }

    mutating func add(_ entries: [AssessedRole]) {
        var twelfth: Explanation.Operand?
        for entry in entries {
            let amount: Explanation.Operand
            if entry.duePence < entry.assessedPence {
                amount = adjusted(entry)
            } else if entry.assessedPence < entry.row.actualPence {
                if twelfth == nil { twelfth = annualTwelfth(entry) }
                amount = ceiling(entry, twelfth ?? .whole(0))
            } else {
                amount = actual(entry)
            }
            due = step("due", due, .add, amount)
        }
    }

    private mutating func annualTwelfth(_ entry: AssessedRole) -> Explanation.Operand {
        let row = entry.maximum
        inputs.append(
            .init(
                "role_maximum", entry.annual, .pounds,
                from: .init(
                    "additional roles", version: row.version,
                    note: [row.area, row.source, row.grade].filter { !$0.isEmpty }.joined(separator: " ")),
                asOf: row.from))
        return step("month_maximum", .input(inputs.count - 1), .divide, .whole(12))
    }

    private mutating func ceiling(
        _ entry: AssessedRole, _ month: Explanation.Operand
    ) -> Explanation.Operand {
        let row = entry.row
        let note = place(row) + ", actual cost \(Money(pence: row.actualPence)) lies above"
        let wholeTime = input(
            "whole_time", ExactDecimal(mantissa: row.wholeTimeHundredths, scale: 2), .count, note)
        var share = step("share", month, .multiply, wholeTime)
        if entry.days != claim.month.dayCount {
            let days = input("days_in_role", ExactDecimal(Int64(entry.days)), .days, place(row))
            share = step("share", share, .multiply, days)
            share = step("share", share, .divide, .whole(Int64(claim.month.dayCount)))
        }
        steps.append(.init("ceiling", rounding: share))
        return .step(steps.count - 1)
    }

    private mutating func actual(_ entry: AssessedRole) -> Explanation.Operand {
        let row = entry.row
        let note = place(row) + ", role maximum \(Money(pence: entry.ceilingPence))"
        let salary = input("salary", Money(pence: row.salaryPence).pounds, .pounds, note)
        let insurance = input("employer_ni", Money(pence: row.insurancePence).pounds, .pounds, place(row))
        let pension = input("employer_pension", Money(pence: row.pensionPence).pounds, .pounds, place(row))
        return step("actual", step("actual", salary, .add, insurance), .add, pension)
    }

    private mutating func adjusted(_ entry: AssessedRole) -> Explanation.Operand {
        let reason = entry.adjustment?.reason ?? ""
        let note =
            place(entry.row) + ", \(Money(pence: entry.assessedPence)) by the rules, made smaller: \(reason)"
        return input("adjusted", Money(pence: entry.duePence).pounds, .pounds, note)
    }

    private func place(_ row: ClaimedRole) -> String { "row \(row.number) \(row.employee)" }

    /// What exceeds the maximum sum is not paid.
    ///
    /// - Parameter earlierRoles: paid on the lines of the claim before.
    mutating func limit(_ entries: [AssessedRole], earlierRoles: Int64) {
        let wanted = entries.reduce(Int64(0)) { $0 + $1.duePence }
        let payable = entries.reduce(Int64(0)) { $0 + $1.payablePence }
        guard payable < wanted else { return }
        var left = Explanation.Operand.whole(0)
        if maximum.pence > maximum.approvedPence {
            left = Self.left
            if earlierRoles > 0 {
                let earlier = input(
                    "earlier_lines", Money(pence: earlierRoles).pounds, .pounds, "lines of the claim before")
                left = step("left", left, .subtract, earlier)
            }
        }
        let beyond = step("beyond_maximum_sum", due, .subtract, left)
        due = step("payable", due, .subtract, beyond)
    }

    mutating func subtract(_ paid: Int64, of name: String) {
        inputs.append(
            .init(
                "approved_before", Money(pence: paid).pounds, .pounds, from: .init("claim " + name),
                asOf: claim.month.firstDay))
        due = step("difference", due, .subtract, .input(inputs.count - 1))
    }

    func explanation(paying pence: Int64) -> Explanation {
        Explanation(
            rule: "8.2 additional roles", ruleVersion: 1, inputs: inputs, steps: steps,
            rounding: "RND-2, RND-9",
            amount: Money(pence: pence))
    }
}
