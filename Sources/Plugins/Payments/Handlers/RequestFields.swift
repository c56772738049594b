import CommonContract
import HostContract
import PaymentsContract
import PluginAPI

extension RequestFields {
    mutating func practice(_ text: String, field: String = "practice_code") -> ODSCode? {
        guard let code = ODSCode(text), code.looksLikePractice else {
            refuse(field, "payments 1", "A practice code is one letter and five digits.")
            return nil
        }
        return code
    }

    /// Any organisation that a statement can be for.
    mutating func payee(_ text: String, field: String = "practice_code") -> ODSCode? {
        guard let code = ODSCode(text) else {
            refuse(field, "payments 1", "An ODS code has 3 to 12 capital letters and digits.")
            return nil
        }
        return code
    }

    /// `nil` when the message is empty or wrong; wrong only counts as a violation.
    mutating func date(_ date: Pcs_Common_V1_Date, isSet: Bool, field: String, mayBeEmpty: Bool = true)
        -> CalendarDate?
    {
        guard isSet, date != Pcs_Common_V1_Date() else {
            if !mayBeEmpty { refuse(field, "day", "\(field) is needed.") }
            return nil
        }
        guard let day = date.calendarDate, SupportedDays.contains(day) else {
            refuse(field, "day", "\(field) is no day from 1990 to 2100.")
            return nil
        }
        return day
    }

    mutating func month(_ month: Pcs_Common_V1_Month, field: String = "month") -> YearMonth? {
        guard (1990...2100).contains(month.year),
            let month = YearMonth(year: Int(month.year), month: Int(month.month))
        else {
            refuse(field, "month", "\(field) is no month from 1990 to 2100.")
            return nil
        }
        return month
    }

    mutating func financialYear(_ text: String, field: String = "financial_year") -> FinancialYear? {
        guard let year = FinancialYear(text), (1990...2099).contains(year.startYear) else {
            refuse(field, "financial year", "A financial year is written 2026/27.")
            return nil
        }
        return year
    }
}
