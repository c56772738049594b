import PluginAPI

/// Definitions by code and version. A published one never changes.
enum ServiceStore {
    struct Record: Sendable {
        var definition: ServiceDefinition
        var state: ServiceState
        var sha256: String
        var loadedBy: String
        var loadedAt: Instant
        var publishedBy: String
        var publishedAt: Instant?
    }

    private static let columns = """
        state, sha256, service_file, indicator_file, tariff_file, loaded_by, loaded_at, published_by, published_at
        """
    private static let insert = Statement(
        """
        INSERT INTO service
            (code, version, state, financial_year, payment_type, start_on, end_on, sha256, service_file, indicator_file,
             tariff_file, loaded_by, loaded_at, published_by, published_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
        """)
    private static let deleteDraft = Statement(
        "DELETE FROM service WHERE code = ?1 AND version = ?2 AND state = 1")
    private static let byVersion = Statement(
        "SELECT \(columns) FROM service WHERE code = ?1 AND version = ?2")
    private static let byCode = Statement(
        "SELECT \(columns) FROM service WHERE code = ?1 ORDER BY version DESC")
    private static let everything = Statement("SELECT \(columns) FROM service ORDER BY code, version")
    private static let setState = Statement(
        "UPDATE service SET state = ?3, published_by = ?4, published_at = ?5 WHERE code = ?1 AND version = ?2"
    )
    private static let nextStep = Statement(
        "SELECT COALESCE(MAX(number), 0) + 1 FROM service_step WHERE code = ?1 AND version = ?2")
    private static let insertStep = Statement(
        """
        INSERT INTO service_step (code, version, number, state, taken_by, taken_at, reason)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        """)

    /// Keeps a definition; a draft of the same version gives way.
    static func save(_ record: Record, in transaction: any Transaction) throws {
        let definition = record.definition
        try transaction.run(deleteDraft, [.text(definition.code), .integer(definition.version)])
        try transaction.run(
            insert,
            [
                .text(definition.code), .integer(definition.version), .integer(record.state.rawValue),
                .text(definition.financialYear), .integer(definition.paymentType.rawValue),
                .date(definition.startOn),
                .date(definition.endOn), .text(record.sha256), .blob(DefinitionText.services([definition])),
                .blob(DefinitionText.indicators(definition)), .blob(DefinitionText.tariffs(definition)),
                .text(record.loadedBy), .instant(record.loadedAt), .text(record.publishedBy),
                .optional(record.publishedAt?.microsecondsSince1970),
            ])
    }

    static func record(_ code: String, _ version: Int, _ reader: any Reader) throws -> Record? {
        try reader.first(byVersion, [.text(code), .integer(version)], record)
    }

    static func versions(of code: String, _ reader: any Reader) throws -> [Record] {
        try reader.all(byCode, [.text(code)], record)
    }

    static func all(_ reader: any Reader) throws -> [Record] { try reader.all(everything, [], record) }

    /// The newest published version; closed ones count as long as they may still be paid.
    static func published(_ code: String, _ reader: any Reader) throws -> Record? {
        try versions(of: code, reader).first { $0.state != .draft }
    }

    static func move(
        _ record: Record, to state: ServiceState, by actor: String, reason: String,
        in transaction: any Transaction
    )
        throws
    {
        let key: [StoredValue] = [.text(record.definition.code), .integer(record.definition.version)]
        let isPublishing = state == .published
        try transaction.run(
            setState,
            key + [
                .integer(state.rawValue), .text(isPublishing ? actor : record.publishedBy),
                isPublishing
                    ? .instant(transaction.now) : .optional(record.publishedAt?.microsecondsSince1970),
            ])
        let number = try transaction.first(nextStep, key) { $0.integer(0) } ?? 1
        try transaction.run(
            insertStep,
            key + [
                .integer(number), .integer(state.rawValue), .text(actor), .instant(transaction.now),
                .text(reason),
            ])
    }

    private static func record(_ row: any Row) throws -> Record {
        let (definitions, violations) = DefinitionFiles.read(
            services: row.blob(2), indicators: row.blob(3), tariffs: row.blob(4))
        guard let definition = definitions.first, violations.isEmpty,
            let state = ServiceState(rawValue: Int(row.integer(0)))
        else { throw CQRSError.damaged("definition") }
        return Record(
            definition: definition, state: state, sha256: row.text(1), loadedBy: row.text(5),
            loadedAt: row.instant(6),
            publishedBy: row.text(7),
            publishedAt: row.isNull(8) ? nil : row.instant(8))
    }
}
