import PluginAPI

/// To what the commissioner made a row smaller.
struct RoleAdjustment: Hashable, Sendable {
    var number: Int
    var pence: Int64
    var reason: String
    var by: String
}

/// What the rules come to for one row (payments.md 8.2).
struct AssessedRole: Hashable, Sendable {
    enum Reduction: String, Sendable {
        case none = ""
        case ceiling = "CEILING"
        case adjusted = "ADJUSTED"
        case maximumSum = "MAXIMUM_SUM"

        var rule: String {
            switch self {
            case .none: ""
            case .ceiling: "payments.md 8.2: lower of actual cost and role maximum"
            case .adjusted: "payments.md 8.2: the commissioner approves"
            case .maximumSum: "payments.md 8.2: the total does not exceed the maximum sum"
            }
        }
    }

    var row: ClaimedRole
    var maximum: RoleMaximum
    /// Pounds a year.
    var annual: ExactDecimal
    var days: Int
    var ceilingPence: Int64
    var adjustment: RoleAdjustment?
    /// After the maximum sum.
    var payablePence: Int64
    var reduction: Reduction

    /// Lower of actual cost and role maximum.
    var assessedPence: Int64 { Swift.min(row.actualPence, ceilingPence) }
    /// With what the commissioner made smaller.
    var duePence: Int64 { Swift.min(assessedPence, adjustment?.pence ?? assessedPence) }
}

/// A claim held against its maxima. Pure.
struct AdditionalRolesAssessment: Sendable {
    let month: YearMonth
    let rows: [ClaimedRole]
    let maxima: RoleMaxima
    /// Where the network lies, nearest first.
    let areas: [String]
    let adjustments: [RoleAdjustment]
    /// What is left of the maximum sum; `nil` = not looked at.
    let leftPence: Int64?

    /// Role by role in the order in which the claim first names them, so that a statement's lines follow from one
    /// another; what exceeds the maximum sum is missing from the last ones.
    func assess() throws(PaymentsError) -> [AssessedRole] {
        let last = Dictionary(adjustments.map { ($0.number, $0) }, uniquingKeysWith: { _, later in later })
        var order: [String: Int] = [:]
        for row in rows where order[row.role] == nil { order[row.role] = order.count }
        let sorted = rows.sorted { (order[$0.role] ?? 0, $0.number) < (order[$1.role] ?? 0, $1.number) }
        var left = leftPence.map { Swift.max(0, $0) }
        var assessed: [AssessedRole] = []
        for row in sorted {
            var role = try assess(row, last[row.number])
            if let remaining = left {
                if role.payablePence > remaining {
                    (role.payablePence, role.reduction) = (remaining, .maximumSum)
                }
                left = remaining - role.payablePence
            }
            assessed.append(role)
        }
        return assessed
    }

    private func assess(_ row: ClaimedRole, _ adjustment: RoleAdjustment?) throws(PaymentsError)
        -> AssessedRole
    {
        guard let maximum = maxima.row(row.role, in: areas, at: month.firstDay), let annual = maximum.annual
        else { throw .figureMissing("maximum of additional role \(row.role)", month.firstDay) }
        let days = row.days(in: month).map {
            Int($0.upperBound.daysSince1970 - $0.lowerBound.daysSince1970) + 1
        }
        let ceiling: Int64
        do throws(ArithmeticError) {
            ceiling = try AdditionalRolesAssessment.ceiling(
                annual, row.wholeTimeHundredths, days: days ?? 0, of: month.dayCount)
        } catch {
            throw .amountOutOfRange("the claim")
        }
        var role = AssessedRole(
            row: row, maximum: maximum, annual: annual, days: days ?? 0, ceilingPence: ceiling,
            adjustment: adjustment, payablePence: 0, reduction: .none)
        role.payablePence = role.duePence
        if role.duePence < role.assessedPence {
            role.reduction = .adjusted
        } else if role.assessedPence < row.actualPence {
            role.reduction = .ceiling
        }
        return role
    }

    /// Maximum of a role for the month: a twelfth, for the whole-time equivalent and the days, rounded once (RND-2).
    static func ceiling(
        _ annual: ExactDecimal, _ wholeTimeHundredths: Int64, days: Int, of daysInMonth: Int
    ) throws(ArithmeticError) -> Int64 {
        let share = try Rational(
            Int128(wholeTimeHundredths) * Int128(days), over: 12 * 100 * Int128(daysInMonth))
        return try Rounding.toPence(try annual.rational.multiplied(by: share)).pence
    }
}
