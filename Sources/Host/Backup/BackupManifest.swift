import Foundation
package import PluginAPI

/// What a backup says of itself: `manifest.json` beside its files. A backup without one is not a backup.
package struct BackupManifest: Codable, Hashable, Sendable {
    package struct File: Codable, Hashable, Sendable {
        package var store: String
        package var file: String
        package var bytes: Int64
        /// Lower-case hexadecimal.
        package var sha256: String
        package var auditEntries: Int64
        package var auditLastHash: String
        /// Versions of the migrations applied.
        package var migrations: [Int]
    }

    package static let fileName = "manifest.json"
    package static let currentFormat = 1

    package var format: Int
    package var name: String
    package var takenAtMicroseconds: Int64
    package var milliseconds: Int64
    package var files: [File]

    package var takenAt: Instant { Instant(microsecondsSince1970: takenAtMicroseconds) }

    static func read(from folder: String) throws -> BackupManifest {
        let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + fileName))
        let manifest = try JSONDecoder().decode(BackupManifest.self, from: data)
        guard manifest.format == currentFormat else {
            throw StorageError.unusable(
                message: "the manifest has format \(manifest.format), known is \(currentFormat)")
        }
        return manifest
    }

    func write(to folder: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try DurableFile.write(try encoder.encode(self), to: folder + "/" + BackupManifest.fileName)
    }
}
