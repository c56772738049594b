import Foundation

/// Files that only their owner may read: sessions, secrets, letters with codes.
package enum PrivateFile {
    /// - Throws: `CommandError` when it cannot be read, or when others may read it.
    package static func read(_ path: String) throws -> String {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else {
            throw CommandError(.noInput, "\(path) does not exist or cannot be read")
        }
        if let mode = attributes[.posixPermissions] as? NSNumber, mode.intValue & 0o077 != 0 {
            throw CommandError(
                .data, "\(path) can be read by other users", nextStep: "Close it with: chmod 600 \(path)")
        }
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw CommandError(.noInput, "\(path) cannot be read as UTF-8")
        }
        return text
    }

    /// Writes it whole, with its mode from the first byte on, then moves it into place.
    package static func write(_ text: String, to path: String) throws {
        let folder = (path as NSString).deletingLastPathComponent
        let fresh = path + ".new"
        do {
            if !folder.isEmpty {
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            }
            try? FileManager.default.removeItem(atPath: fresh)
            guard
                FileManager.default.createFile(
                    atPath: fresh, contents: nil, attributes: [.posixPermissions: 0o600]),
                let handle = FileHandle(forWritingAtPath: fresh)
            else { throw CommandError(.noInput, "\(fresh) cannot be written") }
            try handle.write(contentsOf: Data(text.utf8))
            try handle.synchronize()
            try handle.close()
            guard rename(fresh, path) == 0 else {
                throw CommandError(.noInput, "\(path) cannot be written")
            }
        } catch let error as CommandError {
            throw error
        } catch {
            throw CommandError(.noInput, "\(path) cannot be written: \(error.localizedDescription)")
        }
    }
}
