import CommonContract
import HostContract
import PluginAPI

/// Turns fields of requests into values, or refuses them by name.
enum FieldCheck {
    static func code(_ text: String, _ field: String) throws -> ODSCode {
        guard let code = ODSCode(text) else {
            throw Failure.invalid(
                field, "ODS-1",
                text.isEmpty ? "An ODS code is required." : "An ODS code has 3 to 12 of A-Z and 0-9.")
        }
        return code
    }

    static func day(_ message: Pcs_Common_V1_Date, _ field: String) throws -> CalendarDate {
        guard let day = message.calendarDate else {
            throw Failure.invalid(field, "day", "This is not a real day.")
        }
        return day
    }

    /// Characters that show, and spaces between them; counted in characters.
    static func text(_ text: String, _ field: String, _ length: ClosedRange<Int>) throws -> String {
        guard length.contains(text.count), text.utf8.count <= 4 * length.upperBound else {
            throw Failure.invalid(
                field, "text.length", "\(length.lowerBound) to \(length.upperBound) characters.")
        }
        guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }), text.first != " ",
            text.last != " "
        else {
            throw Failure.invalid(field, "text.characters", "No control characters, no space at either end.")
        }
        return text
    }

    /// Acts that somebody will ask about need a reason.
    static func reason(_ text: String) throws {
        _ = try FieldCheck.text(text, "reason", 3...500)
    }
}

extension Failure {
    /// `FIELD_INVALID` with one violation.
    static func invalid(_ field: String, _ rule: String, _ message: String) -> Failure {
        Failure(
            HostReasons.fieldInvalid, "\(field): \(message)",
            violations: [Violation(field: field, rule: rule, message: message)])
    }
}
