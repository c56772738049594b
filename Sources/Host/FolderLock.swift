import Glibc
import Synchronization

/// Keeps a second host off the same data. The kernel lets go of it when the process ends, however it ends.
final class FolderLock: Sendable {
    private let descriptor: Mutex<Int32>

    /// - Throws: `SettingsProblem` when another process holds the folder, or it cannot be written.
    init(folder: String) throws {
        let path = folder + "/host.lock"
        let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard opened >= 0 else {
            throw SettingsProblem(
                setting: "data-folder",
                message: "'\(path)' cannot be opened: \(String(cString: strerror(errno)))")
        }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            close(opened)
            throw SettingsProblem(setting: "data-folder", message: "another host is running on '\(folder)'")
        }
        descriptor = Mutex(opened)
    }

    func release() {
        descriptor.withLock { descriptor in
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
    }

    deinit { release() }
}
