import PluginAPI

/// One person in one role in the month of a claim.
struct ClaimedRole: Hashable, Sendable {
    /// Within the claim, from 1.
    var number: Int
    /// The same at every network; never a name.
    var employee: String
    var role: String
    /// First day in the role.
    var from: CalendarDate
    /// Last day in the role, inclusive; `nil` = still in it.
    var to: CalendarDate?
    /// Hundredths, 1 to 100.
    var wholeTimeHundredths: Int64
    var salaryPence: Int64
    var insurancePence: Int64
    var pensionPence: Int64

    var actualPence: Int64 { salaryPence + insurancePence + pensionPence }

    /// Days in role within the month; `nil` = none.
    func days(in month: YearMonth) -> ClosedRange<CalendarDate>? {
        let first = Swift.max(from, month.firstDay)
        let last = Swift.min(to ?? month.lastDay, month.lastDay)
        return first <= last ? first...last : nil
    }
}

/// A row as given, in a file or in a message. Values that could not be read are `nil`, and are refused where they stand.
struct ClaimedRoleFields: Sendable {
    var employee: String
    var role: String
    var from: CalendarDate?
    var to: CalendarDate?
    /// Whether days were given and could be read.
    var daysAreRead = true
    var wholeTimeHundredths: Int64?
    var salaryPence: Int64?
    var insurancePence: Int64?
    var pensionPence: Int64?
}

/// Holds rows against the rules of a claim, ARR02 to ARR09 (payments.md 8.2). The month itself is ARR01, the number of
/// rows ARR10.
struct ClaimedRoleCheck {
    struct Breach: Hashable, Sendable {
        /// Column of the file, and field of the message but for units.
        var column: Column
        var rule: String
        var message: String
    }

    enum Column: String, Sendable {
        case employee = "employee_ref"
        case role
        case from = "role_from"
        case to = "role_to"
        case wholeTime = "wte"
        case salary
        case insurance = "employer_ni"
        case pension = "employer_pension"

        /// Field of `AdditionalRolesRow`.
        var field: String {
            switch self {
            case .wholeTime: "wte_hundredths"
            case .salary: "salary_pence"
            case .insurance: "employer_ni_pence"
            case .pension: "employer_pension_pence"
            default: rawValue
            }
        }
    }

    static let mostRows = 500
    /// Pence a month of one amount, against slips of the comma.
    static let mostPence: Int64 = 5_000_000
    static let wholeTime: ClosedRange<Int64> = 1...100

    let month: YearMonth
    let maxima: RoleMaxima
    /// Where the network lies, nearest first.
    let areas: [String]
    /// What other networks claim of a person for the month.
    let elsewhere: (String) throws -> [ClaimedRole]
    private var rows: [ClaimedRole] = []
    private var count = 0

    init(
        month: YearMonth, maxima: RoleMaxima, areas: [String],
        elsewhere: @escaping (String) throws -> [ClaimedRole]
    ) {
        self.month = month
        self.maxima = maxima
        self.areas = areas
        self.elsewhere = elsewhere
    }

    /// Rows come in their order; each is held against those before it.
    ///
    /// - Returns: the row when it can be one at all, and all that is wrong with it.
    mutating func check(_ fields: ClaimedRoleFields) throws -> (row: ClaimedRole?, breaches: [Breach]) {
        count += 1
        var breaches: [Breach] = []
        func breach(_ column: Column, _ rule: String, _ message: String) {
            breaches.append(Breach(column: column, rule: rule, message: message))
        }
        if !ClaimedRoleCheck.isReference(fields.employee) {
            breach(
                .employee, "ARR02",
                "a reference is 3 to 40 letters, digits, - and / with a digit in it; never a name")
        }
        switch maxima.row(fields.role, in: areas, at: month.firstDay) {
        case nil: breach(.role, "ARR03", "there is no role \"\(fields.role.prefix(40))\" in \(month)")
        case .some(let maximum) where maximum.annual == nil:
            breach(
                .role, "ARR04", "the maximum of \(maximum.role) in \(maximum.area) is not set for \(month)")
        default: break
        }
        if let from = fields.from, fields.daysAreRead { checkDays(from, fields.to, breach) }
        if let wholeTime = fields.wholeTimeHundredths, !ClaimedRoleCheck.wholeTime.contains(wholeTime) {
            breach(.wholeTime, "ARR06", "a whole-time equivalent is 0.01 to 1.00")
        }
        checkAmounts(fields, breach)
        guard let from = fields.from, let wholeTime = fields.wholeTimeHundredths,
            let salary = fields.salaryPence, let insurance = fields.insurancePence,
            let pension = fields.pensionPence
        else { return (nil, breaches) }
        let row = ClaimedRole(
            number: count, employee: fields.employee, role: fields.role, from: from, to: fields.to,
            wholeTimeHundredths: wholeTime, salaryPence: salary, insurancePence: insurance,
            pensionPence: pension)
        if breaches.isEmpty { try checkPerson(row, breach) }
        rows.append(row)
        return (row, breaches)
    }

    private func checkDays(
        _ from: CalendarDate, _ to: CalendarDate?, _ breach: (Column, String, String) -> Void
    ) {
        if let to, to < from {
            breach(.to, "ARR05", "the last day in role lies before the first")
        } else if from > month.lastDay {
            breach(.from, "ARR05", "the role begins after \(month)")
        } else if let to, to < month.firstDay {
            breach(.to, "ARR05", "the role ends before \(month)")
        }
    }

    private func checkAmounts(_ fields: ClaimedRoleFields, _ breach: (Column, String, String) -> Void) {
        let amounts: [(Column, Int64?, Int64)] = [
            (.salary, fields.salaryPence, 1), (.insurance, fields.insurancePence, 0),
            (.pension, fields.pensionPence, 0),
        ]
        for (column, pence, least) in amounts {
            guard let pence, !(least...ClaimedRoleCheck.mostPence).contains(pence) else { continue }
            breach(
                column, "ARR07",
                "an amount of the month is \(Money(pence: least)) to "
                    + "\(Money(pence: ClaimedRoleCheck.mostPence))")
        }
    }

    private func checkPerson(_ row: ClaimedRole, _ breach: (Column, String, String) -> Void) throws {
        guard let days = row.days(in: month) else { return }
        let own = rows.filter { $0.employee == row.employee }
        let twice = own.first { $0.role == row.role && $0.days(in: month)?.overlaps(days) == true }
        if let twice {
            breach(
                .employee, "ARR08",
                "\(row.employee) is in the role \(row.role) on the same days in row \(twice.number) of the claim"
            )
            return
        }
        let others = try elsewhere(row.employee)
        let most = ClaimedRoleCheck.mostWholeTime(own + others + [row], on: days, of: month)
        if most > ClaimedRoleCheck.wholeTime.upperBound {
            let besides = others.isEmpty ? "" : ", with what another network claims"
            breach(
                .wholeTime, "ARR09",
                "\(row.employee) comes to \(ExactDecimal(mantissa: most, scale: 2)) whole-time on a day\(besides)"
            )
        }
    }

    /// Largest sum of whole-time equivalents on any of the days.
    static func mostWholeTime(
        _ rows: [ClaimedRole], on days: ClosedRange<CalendarDate>, of month: YearMonth
    ) -> Int64 {
        // The sum can only rise on a first day of somebody.
        let spans = rows.compactMap { row in row.days(in: month).map { ($0, row.wholeTimeHundredths) } }
        let starts = spans.map(\.0.lowerBound).filter { days.contains($0) } + [days.lowerBound]
        return starts.map { day in
            spans.reduce(0) { $0 + ($1.0.contains(day) ? $1.1 : 0) }
        }.max() ?? 0
    }

    private static func isReference(_ text: String) -> Bool {
        let isPlain = text.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0 & 0xDF) || $0 == 0x2D || $0 == 0x2F
        }
        return (3...40).contains(text.utf8.count) && isPlain
            && text.utf8.contains { (0x30...0x39).contains($0) }
    }
}
