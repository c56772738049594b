// Refusing what a request says, with every field that is wrong: the same in every handler.

public import PluginAPI

/// Reads the fields of a request into typed values, and throws one refusal that lists all that are wrong. An area adds
/// readers for its own kinds of field.
public struct RequestFields: Sendable {
    public private(set) var violations: [Violation] = []

    public init() {}

    public mutating func refuse(_ field: String, _ rule: String, _ message: String) {
        violations.append(Violation(field: field, rule: rule, message: message))
    }

    /// Why something is done: 3 to 500 characters.
    public mutating func reason(_ text: String, field: String = "reason", mayBeEmpty: Bool = false) {
        if text.isEmpty, mayBeEmpty { return }
        if !(3...500).contains(text.count) {
            refuse(field, "reason", "A reason of 3 to 500 characters is needed.")
        }
    }

    /// Throws when anything was refused.
    public func finish(_ reason: Reason = HostReasons.fieldInvalid) throws {
        guard let first = violations.first else { return }
        throw Failure(reason, first.message, violations: violations)
    }
}

extension Failure {
    /// The refusal of one field.
    public static func field(_ field: String, _ rule: String, _ message: String) -> Failure {
        Failure(
            HostReasons.fieldInvalid, message,
            violations: [Violation(field: field, rule: rule, message: message)])
    }
}
