import Foundation

/// The folder where this user keeps private keys: `<subject>.pem`, one each, readable by nobody else.
package struct KeyFolder: Sendable {
    package let path: String

    package init(path: String) { self.path = path }

    /// The folder named, or `keys` in the data folder when there is one, or `~/.config/pcs/keys`.
    package static func standard(named: String?, dataFolder: String) -> KeyFolder {
        if let named { return KeyFolder(path: named) }
        let local = dataFolder + "/keys"
        if FileManager.default.fileExists(atPath: dataFolder) { return KeyFolder(path: local) }
        return KeyFolder(path: NSHomeDirectory() + "/.config/pcs/keys")
    }

    package func file(of subject: String) -> String { "\(path)/\(subject).pem" }

    package func has(_ subject: String) -> Bool { FileManager.default.fileExists(atPath: file(of: subject)) }

    /// - Throws: `CommandError` when there is none, when it is no key, or when others may read it.
    package func key(of subject: String) throws -> PrivateKey {
        let file = file(of: subject)
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: file) else {
            throw CommandError(
                .noInput, "there is no private key of \(subject) in \(path)",
                nextStep: "Name the folder with --keys, or make a key with: pcs key new \(subject)")
        }
        if let mode = attributes[.posixPermissions] as? NSNumber, mode.intValue & 0o077 != 0 {
            throw CommandError(
                .data, "\(file) can be read by other users", nextStep: "Close it with: chmod 600 \(file)")
        }
        do {
            return try PrivateKey(pem: String(contentsOfFile: file, encoding: .utf8))
        } catch {
            throw CommandError(.data, "\(file) does not hold a P-256 private key in PEM")
        }
    }

    /// Writes a new key, mode 0600, in a folder of mode 0700.
    package func makeKey(for subject: String, replacing: Bool = false) throws -> PrivateKey {
        let file = file(of: subject)
        guard replacing || !has(subject) else {
            throw CommandError(
                .failed, "\(file) exists",
                nextStep:
                    "Add --replace to put a new key in its place; register the new one before you revoke the old."
            )
        }
        let key = PrivateKey()
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            let content = Data(key.pem.utf8 + [0x0A])
            // Made with its mode, never open for a moment; then moved into place.
            let fresh = file + ".new"
            try? FileManager.default.removeItem(atPath: fresh)
            guard
                FileManager.default.createFile(
                    atPath: fresh, contents: nil, attributes: [.posixPermissions: 0o600]),
                let handle = FileHandle(forWritingAtPath: fresh)
            else { throw CommandError(.noInput, "\(fresh) cannot be written") }
            try handle.write(contentsOf: content)
            try handle.synchronize()
            try handle.close()
            if has(subject) { try FileManager.default.removeItem(atPath: file) }
            try FileManager.default.moveItem(atPath: fresh, toPath: file)
        } catch let error as CommandError {
            throw error
        } catch {
            throw CommandError(.noInput, "\(file) cannot be written: \(error.localizedDescription)")
        }
        return key
    }

    /// Person and client ids, as the contract has them: 3 to 64 of a-z 0-9 . _ -.
    package static func isSubject(_ text: String) -> Bool {
        (3...64).contains(text.utf8.count) && !text.hasPrefix(".")
            && text.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || "._-".utf8.contains(byte)
            }
    }
}
