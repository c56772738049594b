import ChangesContract
import CommonContract
import HostContract
import PluginAPI
import SwiftProtobuf

extension CaseAction {
    /// The state to which the action leads, or the refusal that names the states in which it may be taken.
    func requireNext(from record: CaseRecord) throws -> CaseState {
        if let state = next(from: record.state) { return state }
        let allowed = allowedIn.map(\.name).joined(separator: ", ")
        throw Failure(
            ChangesReasons.caseStateWrong,
            "The case is \(record.state.name); this needs one that is \(allowed).")
    }
}

extension Failure {
    static var noSuchCase: Failure { Failure(HostReasons.notFound, "There is no such case.") }

    static func stepNotDue(_ words: String) -> Failure { Failure(ChangesReasons.stepNotDue, words) }
}

extension RequestFields {
    mutating func text(_ text: String, _ field: String, _ rule: String, _ range: ClosedRange<Int> = 2...200) {
        if !range.contains(text.count) {
            refuse(field, rule, "\(field) needs \(range.lowerBound) to \(range.upperBound) characters.")
        }
    }

    mutating func practice(_ text: String, _ field: String, _ rule: String) {
        if ODSCode(text)?.looksLikePractice != true {
            refuse(field, rule, "A practice code is one letter and five digits.")
        }
    }
}
