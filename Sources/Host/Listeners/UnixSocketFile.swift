import Glibc

/// The file of a Unix-domain listener: taken over from a host that has died, never from one that lives, and
/// never when it is something else than a socket.
struct UnixSocketFile: Sendable {
    let path: String
    let groupMayConnect: Bool

    /// Makes way for binding.
    /// - Throws: `SettingsProblem` when another process listens there, or the path holds another kind of
    ///   file.
    func makeWay(setting: String) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw SettingsProblem(setting: setting, message: "'\(path)' exists and is not a socket")
        }
        guard !somebodyListens() else {
            throw SettingsProblem(setting: setting, message: "another process listens on '\(path)'")
        }
        unlink(path)
    }

    private func somebodyListens() -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { Glibc.close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { target in
            target.copyBytes(from: bytes.prefix(target.count - 1))
        }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }

    /// After binding.
    func open() { chmod(path, groupMayConnect ? 0o660 : 0o600) }

    /// Removes the file, if it is still the one that was bound.
    func remove() { unlink(path) }
}
