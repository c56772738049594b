import CommonContract
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
    static var noSuchUpload: Failure { Failure(HostReasons.notFound, "There is no such upload.") }
    static var noSuchDocument: Failure { Failure(HostReasons.notFound, "There is no such document.") }
}

extension RequestFields {
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
}
