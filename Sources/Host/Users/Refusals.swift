import HostContract
import PluginAPI

extension Failure {
    /// A role that may not be given; `clause` is the word by which the refusal is known: `wrongService`, `limit.four`.
    static func notGiven(_ clause: String, _ words: String, field: String = "role") -> Failure {
        Failure(
            HostReasons.accessDenied, "Refused by the clause \(clause): \(words)",
            violations: [Violation(field: field, rule: clause, message: words)])
    }

    /// The state of things does not allow it.
    static func inTheWay(_ clause: String, _ words: String, field: String = "role") -> Failure {
        Failure(
            HostReasons.stateWrong, "Refused by the clause \(clause): \(words)",
            violations: [Violation(field: field, rule: clause, message: words)])
    }
}
