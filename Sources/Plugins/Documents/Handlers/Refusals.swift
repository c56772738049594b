import CommonContract
import Crypto
import DocumentsContract
import HostContract
import PluginAPI
import Tabular

extension ContentRefusal {
    /// What the caller is told.
    var failure: Failure {
        switch self {
        case .untrue(let words): Failure(DocumentsReasons.fileTypeUntrue, ContentRefusal.sentence(words))
        case .dangerous(let words): Failure(DocumentsReasons.fileDangerous, ContentRefusal.sentence(words))
        case .encrypted(let words): Failure(DocumentsReasons.fileEncrypted, ContentRefusal.sentence(words))
        case .damaged(let words): Failure(DocumentsReasons.fileDamaged, ContentRefusal.sentence(words))
        case .expandsTooFar(let words):
            Failure(DocumentsReasons.fileExpandsTooFar, ContentRefusal.sentence(words))
        }
    }

    private static func sentence(_ words: String) -> String { "The file was refused: \(words)." }
}

extension Failure {
    static func field(_ field: String, _ rule: String, _ message: String) -> Failure {
        Failure(
            HostReasons.fieldInvalid, message,
            violations: [Violation(field: field, rule: rule, message: message)])
    }

    static var noSuchUpload: Failure { Failure(HostReasons.notFound, "There is no such upload.") }
    static var noSuchDocument: Failure { Failure(HostReasons.notFound, "There is no such document.") }
}

/// Reads the fields of a request, and throws one `FIELD_INVALID` that lists all that are wrong.
struct RequestFields {
    private var violations: [Violation] = []

    mutating func refuse(_ field: String, _ rule: String, _ message: String) {
        violations.append(Violation(field: field, rule: rule, message: message))
    }

    mutating func reason(_ text: String, field: String = "reason") {
        if !(3...500).contains(text.count) {
            refuse(field, "reason", "\(field) needs 3 to 500 characters.")
        }
    }

    mutating func record(_ record: Pcs_Common_V1_RecordReference, field: String) -> RecordKey {
        let parts = [record.area, record.kind, record.recordID]
        if parts.contains(where: \.isEmpty) || parts.contains(where: { $0.count > 100 }) {
            refuse(field, "record", "A record is named by area, kind and identifier, each to 100 characters.")
        }
        if !record.organisationCode.isEmpty, ODSCode(record.organisationCode) == nil {
            refuse(field + ".organisation_code", "ODS", "An ODS code is 3 to 12 of A-Z and 0-9.")
        }
        return RecordKey(
            area: record.area, kind: record.kind, id: record.recordID, organisation: record.organisationCode)
    }

    func finish() throws {
        guard let first = violations.first else { return }
        throw Failure(HostReasons.fieldInvalid, first.message, violations: violations)
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
