import Foundation
import PluginAPI

/// What the last verification of a backup found: `verified.json` beside its manifest, which never changes. Present only
/// when the backup was whole.
struct BackupVerification: Codable {
    private static let fileName = "verified.json"

    var verifiedAtMicroseconds: Int64

    /// `nil` when the backup was never verified, or found damaged since.
    static func moment(of folder: String) -> Instant? {
        guard let data = FileManager.default.contents(atPath: folder + "/" + fileName),
            let found = try? JSONDecoder().decode(BackupVerification.self, from: data)
        else { return nil }
        return Instant(microsecondsSince1970: found.verifiedAtMicroseconds)
    }

    static func record(_ moment: Instant, in folder: String) throws {
        let found = BackupVerification(verifiedAtMicroseconds: moment.microsecondsSince1970)
        // A new name and an exchange: a crash leaves the old statement or the new one.
        let partial = folder + "/." + fileName
        try DurableFile.write(try JSONEncoder().encode(found), to: partial)
        guard rename(partial, folder + "/" + fileName) == 0 else {
            throw StorageError.unusable(message: "cannot write \(fileName)")
        }
        try DurableFile.sync(folder)
    }

    static func withdraw(in folder: String) {
        try? FileManager.default.removeItem(atPath: folder + "/" + fileName)
    }
}
