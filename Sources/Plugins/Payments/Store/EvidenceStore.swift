import PluginAPI

/// Uploaded files as they came, with their SHA-256, by whom and when. Never deleted.
enum EvidenceStore {
    enum Kind: String {
        case contracts, capitation, reference, published, networkPopulations, variations
        case localPayments
        case dispensing, schemePopulations
        case additionalRoles
    }

    struct Evidence: Hashable, Sendable {
        var id: String
        var sha256: String
        var fileName: String
        var uploadedBy: String
        var uploadedAt: Instant
    }

    private static let insert = Statement(
        """
        INSERT INTO evidence (evidence_id, kind, sha256, file_name, size, uploaded_by, uploaded_at, body)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        """)
    private static let byID = Statement(
        "SELECT evidence_id, sha256, file_name, uploaded_by, uploaded_at FROM evidence WHERE evidence_id = ?1"
    )
    private static let bodyByID = Statement("SELECT body FROM evidence WHERE evidence_id = ?1")

    static func keep(_ file: UploadedFile, kind: Kind, by actor: String, in transaction: any Transaction)
        throws -> String
    {
        let id = transaction.newIdentifier()
        try transaction.run(
            insert,
            [
                .text(id), .text(kind.rawValue), .text(file.sha256), .text(file.name),
                .integer(file.bytes.count),
                .text(actor), .instant(transaction.now), .blob(file.bytes),
            ])
        return id
    }

    static func evidence(_ id: String, _ reader: any Reader) throws -> Evidence? {
        try reader.first(byID, [.text(id)]) {
            Evidence(
                id: $0.text(0), sha256: $0.text(1), fileName: $0.text(2), uploadedBy: $0.text(3),
                uploadedAt: $0.instant(4))
        }
    }

    static func body(_ id: String, _ reader: any Reader) throws -> [UInt8]? {
        try reader.first(bodyByID, [.text(id)]) { $0.blob(0) }
    }
}

/// A file as received.
struct UploadedFile: Sendable {
    var name: String
    var bytes: [UInt8]
    var sha256: String
}
