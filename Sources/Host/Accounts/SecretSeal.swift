import Crypto
import Foundation
import PluginAPI

/// Seals the secrets that must be read again, those of authenticators, under a key that lies beside the databases in a
/// file of its own. Backups hold the databases only: whoever has one has no second factor.
struct SecretSeal: Sendable {
    private let key: SymmetricKey

    /// Where the key lies below the data folder.
    static let fileName = "account.key"

    /// - Throws: `StorageError.unusable` when the file cannot be read, written, or is no key.
    init(dataFolder: String) throws {
        let path = dataFolder + "/" + SecretSeal.fileName
        if !FileManager.default.fileExists(atPath: path) {
            let fresh = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
            // Whole or not at all: a key that was half written when the power failed opens nothing.
            try DurableFile.write(fresh, to: path + ".new")
            guard rename(path + ".new", path) == 0 else {
                throw StorageError.unusable(message: "cannot write \(path)")
            }
            try DurableFile.sync(dataFolder)
        }
        guard let data = FileManager.default.contents(atPath: path), data.count == 32 else {
            throw StorageError.unusable(message: "\(path) is not the key of the accounts' second factors")
        }
        key = SymmetricKey(data: data)
    }

    /// - Parameter owner: the account; a secret opens for no other.
    func seal(_ secret: [UInt8], of owner: String) throws -> [UInt8] {
        Array(try ChaChaPoly.seal(secret, using: key, authenticating: Array(owner.utf8)).combined)
    }

    /// `nil` when it was sealed under another key or for another account.
    func open(_ sealed: [UInt8], of owner: String) -> [UInt8]? {
        guard let box = try? ChaChaPoly.SealedBox(combined: sealed),
            let data = try? ChaChaPoly.open(box, using: key, authenticating: Array(owner.utf8))
        else { return nil }
        return Array(data)
    }
}
