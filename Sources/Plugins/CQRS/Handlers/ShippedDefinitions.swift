import Digests
import PluginAPI

/// The reference data that comes with the plugin: loaded at the first start, published where its figures are confirmed
/// enough to be used, and never touched again: later releases add versions.
enum ShippedDefinitions {
    static let actor = "shipped"

    /// Codes of personalised care adjustments and exclusions that any fraction may have (5.2).
    static let adjustments: [(code: String, isAdjustment: Bool)] = {
        String(decoding: ShippedFiles.adjustments, as: UTF8.self).split(whereSeparator: \.isNewline)
            .dropFirst()
            .compactMap { line in
                let parts = line.split(separator: ",")
                return parts.count == 2 ? (String(parts[0]), parts[1] == "A") : nil
            }
    }()

    /// Safe to call at every start.
    static func load(into store: any Store) async throws {
        try await store.write(actor: actor) { transaction in
            try loadDefinitions(in: transaction)
            try loadConstants(in: transaction)
        }
    }

    private static func loadDefinitions(in transaction: any Transaction) throws {
        let bytes = ShippedFiles.services + ShippedFiles.indicators + ShippedFiles.tariffs
        let file = UploadedFile(name: "services.csv", bytes: [], sha256: Digest.hex(Digest.sha256(bytes)))
        if try ReferenceStore.isLoaded(.services, file.sha256, transaction) { return }
        let (definitions, violations) = DefinitionFiles.read(
            services: ShippedFiles.services, indicators: ShippedFiles.indicators,
            tariffs: ShippedFiles.tariffs)
        guard violations.isEmpty else { throw Failure.cqrsFile(violations) }
        _ = try ReferenceStore.record(.services, file, rows: definitions.count, by: actor, in: transaction)
        for definition in definitions
        where try ServiceStore.record(definition.code, definition.version, transaction) == nil {
            try ServiceStore.save(
                ServiceStore.Record(
                    definition: definition, state: .published, sha256: DefinitionText.hash(definition),
                    loadedBy: actor,
                    loadedAt: transaction.now, publishedBy: actor, publishedAt: transaction.now),
                in: transaction)
        }
        transaction.audit(
            AuditNote(object: "services", detail: "\(definitions.count) shipped, sha256 \(file.sha256)"))
    }

    private static func loadConstants(in transaction: any Transaction) throws {
        let bytes = ShippedFiles.constants
        let file = UploadedFile(name: "constants.csv", bytes: [], sha256: Digest.hex(Digest.sha256(bytes)))
        if try ReferenceStore.isLoaded(.constants, file.sha256, transaction) { return }
        let (rows, violations) = ConstantsFile.read(bytes)
        guard violations.isEmpty else { throw Failure.cqrsFile(violations) }
        let load = try ReferenceStore.record(.constants, file, rows: rows.count, by: actor, in: transaction)
        try ReferenceStore.add(rows, load: load, in: transaction)
        transaction.audit(
            AuditNote(object: "constants", detail: "\(rows.count) shipped, sha256 \(file.sha256)"))
    }
}
