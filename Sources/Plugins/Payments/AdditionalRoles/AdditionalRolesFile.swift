import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import Tabular

/// A claim as a file: a row for each person and role. Rules ARR02 to ARR10.
enum AdditionalRolesFile {
    static let columns = [
        "employee_ref", "role", "role_from", "role_to", "wte", "salary", "employer_ni", "employer_pension",
    ]

    static func read(
        _ bytes: [UInt8], _ check: ClaimedRoleCheck
    ) throws -> (rows: [ClaimedRole], violations: ViolationList) {
        var reader = RowReader(upload: bytes, columns: columns)
        var check = check
        var rows: [ClaimedRole] = []
        var count = 0
        while reader.next() {
            count += 1
            if count > ClaimedRoleCheck.mostRows {
                reader.refuse(
                    "employee_ref", "ARR10", "a claim has at most \(ClaimedRoleCheck.mostRows) rows")
                break
            }
            let from = reader.date("role_from", "ARR05")
            let to = reader.date("role_to", "ARR05", mayBeEmpty: true)
            let wholeTime = reader.decimal("wte", "ARR06", scale: 2, in: ClaimedRoleCheck.wholeTime)
            func pence(_ name: String, least: Int64) -> Int64? {
                reader.decimal(name, "ARR07", scale: 2, in: least...ClaimedRoleCheck.mostPence)
            }
            let salary = pence("salary", least: 1)
            let insurance = pence("employer_ni", least: 0)
            let pension = pence("employer_pension", least: 0)
            let (row, breaches) = try check.check(
                ClaimedRoleFields(
                    employee: reader.cell("employee_ref"), role: reader.cell("role"), from: from, to: to,
                    daysAreRead: from != nil && (to != nil || reader.isEmpty("role_to")),
                    wholeTimeHundredths: wholeTime, salaryPence: salary, insurancePence: insurance,
                    pensionPence: pension))
            for breach in breaches { reader.refuse(breach.column.rawValue, breach.rule, breach.message) }
            if let row { rows.append(row) }
        }
        return (rows, reader.violations)
    }
}

extension RequestFields {
    /// Rows of a message. What is wrong is refused by its place.
    mutating func claimedRoles(
        _ messages: [Pcs_Payments_V1_AdditionalRolesRow], _ check: ClaimedRoleCheck
    ) throws -> [ClaimedRole] {
        if !(1...ClaimedRoleCheck.mostRows).contains(messages.count) {
            refuse("rows", "ARR10", "A claim has 1 to \(ClaimedRoleCheck.mostRows) rows.")
        }
        var check = check
        var rows: [ClaimedRole] = []
        for (index, message) in messages.prefix(ClaimedRoleCheck.mostRows).enumerated() {
            let place = "rows[\(index)]."
            let before = violations.count
            let from = claimDay(message.roleFrom, message.hasRoleFrom, place + "role_from", mayBeEmpty: false)
            let to = claimDay(message.roleTo, message.hasRoleTo, place + "role_to", mayBeEmpty: true)
            let (row, breaches) = try check.check(
                ClaimedRoleFields(
                    employee: message.employeeRef, role: message.role, from: from, to: to,
                    daysAreRead: violations.count == before,
                    wholeTimeHundredths: Int64(message.wteHundredths), salaryPence: message.salaryPence,
                    insurancePence: message.employerNiPence, pensionPence: message.employerPensionPence))
            for breach in breaches {
                refuse(place + breach.column.field, breach.rule, breach.message)
            }
            if let row { rows.append(row) }
        }
        return rows
    }

    private mutating func claimDay(
        _ date: Pcs_Common_V1_Date, _ isSet: Bool, _ field: String, mayBeEmpty: Bool
    ) -> CalendarDate? {
        guard isSet, date != Pcs_Common_V1_Date() else {
            if !mayBeEmpty { refuse(field, "ARR05", "The first day in the role is needed.") }
            return nil
        }
        guard let day = date.calendarDate, SupportedDays.contains(day) else {
            refuse(field, "ARR05", "\(field) is no day from 1990 to 2100.")
            return nil
        }
        return day
    }
}
