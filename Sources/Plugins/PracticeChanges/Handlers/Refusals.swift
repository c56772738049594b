import ChangesContract
import CommonContract
import Crypto
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

/// Gathers what is wrong with a request.
struct Violations {
    private(set) var list: [Violation] = []

    mutating func refuse(_ field: String, _ rule: String, _ message: String) {
        list.append(Violation(field: field, rule: rule, message: message))
    }

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

    func finish(_ reason: Reason = HostReasons.fieldInvalid) throws {
        guard let first = list.first else { return }
        throw Failure(reason, first.message, violations: list)
    }
}

enum Digest {
    /// SHA-256 in lower-case hexadecimal.
    static func sha256(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: SHA256.hash(data: bytes).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
            as: UTF8.self)
    }
}

extension Google_Protobuf_Timestamp {
    init(_ instant: Instant) {
        let micros = instant.microsecondsSince1970
        let seconds = micros >= 0 ? micros / 1_000_000 : (micros - 999_999) / 1_000_000
        self.init(seconds: seconds, nanos: Int32(micros - seconds * 1_000_000) * 1_000)
    }
}
