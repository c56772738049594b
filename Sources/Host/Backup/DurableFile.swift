import Crypto
import Foundation
import PluginAPI

/// Files whose content must be on the disk before the next step.
enum DurableFile {
    static func write(_ data: Data, to path: String) throws {
        guard
            FileManager.default.createFile(
                atPath: path, contents: data, attributes: [.posixPermissions: 0o600])
        else {
            throw StorageError.unusable(message: "cannot write \(path)")
        }
        try sync(path)
    }

    /// Flushes a file, or a folder's list of names.
    static func sync(_ path: String) throws {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { throw StorageError.unusable(message: "cannot open \(path)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw StorageError.unusable(message: "cannot flush \(path)") }
    }

    static func sha256(of path: String) throws -> (bytes: Int64, digest: String) {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw StorageError.unusable(message: "cannot read \(path)")
        }
        defer { try? handle.close() }
        var hash = SHA256()
        var bytes: Int64 = 0
        while let part = try handle.read(upToCount: 1 << 20), !part.isEmpty {
            hash.update(data: part)
            bytes += Int64(part.count)
        }
        return (bytes, hexadecimal(hash.finalize()))
    }

    static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
