#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import PluginAPI

/// The file operations that durability hangs on, with their errors.
enum Files {
    static func failure(_ what: String, _ path: String, _ number: Int32 = errno) -> StorageError {
        .unusable(message: "\(what) \(path): \(String(cString: strerror(number)))")
    }

    /// Creates the folder and those above it, readable by the owner only.
    static func createFolder(_ path: String) throws {
        if mkdir(path, 0o700) == 0 { return }
        switch errno {
        case EEXIST: return
        case ENOENT:
            guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
                throw failure("mkdir", path, ENOENT)
            }
            try createFolder(String(path[..<slash]))
            if mkdir(path, 0o700) != 0, errno != EEXIST { throw failure("mkdir", path) }
        default: throw failure("mkdir", path)
        }
    }

    /// Names in a folder, sorted; none when there is no such folder.
    static func names(in folder: String) throws -> [String] {
        guard let directory = opendir(folder) else {
            if errno == ENOENT { return [] }
            throw failure("opendir", folder)
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// 0 when there is no such file.
    static func size(_ path: String) -> Int64 {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// Flushes a file, or a folder's list of names, to the disk.
    static func sync(_ path: String) throws {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { throw failure("open", path) }
        defer { close(descriptor) }
        if fsync(descriptor) != 0 { throw failure("fsync", path) }
    }

    static func remove(_ path: String) throws {
        if unlink(path) != 0, errno != ENOENT { throw failure("unlink", path) }
    }

    static func move(_ from: String, over to: String) throws {
        if rename(from, to) != 0 { throw failure("rename", from) }
    }

    /// Copies a file's bytes and flushes the copy.
    static func copy(_ from: String, to: String) throws {
        let source = open(from, O_RDONLY)
        guard source >= 0 else { throw failure("open", from) }
        defer { close(source) }
        let target = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard target >= 0 else { throw failure("create", to) }
        defer { close(target) }
        try withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 16) { buffer in
            while true {
                let count = read(source, buffer.baseAddress, buffer.count)
                if count == 0 { break }
                if count < 0 {
                    if errno == EINTR { continue }
                    throw failure("read", from)
                }
                try write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), to: target, path: to)
            }
        }
        if fsync(target) != 0 { throw failure("fsync", to) }
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, to target: Int32, path: String) throws {
        var rest = bytes
        while !rest.isEmpty {
            #if canImport(Glibc)
            let written = Glibc.write(target, rest.baseAddress, rest.count)
            #else
            let written = Darwin.write(target, rest.baseAddress, rest.count)
            #endif
            if written < 0 {
                if errno == EINTR { continue }
                throw failure("write", path)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
    }
}

/// Keeps a second process out of a data folder: two writers of one file would each believe to be the only
/// one. The system lets go of the lock when the process ends, however it ends.
final class FolderLock: Sendable {
    private let descriptor: Int32

    init(folder: String) throws {
        let path = folder + "/.lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Files.failure("create", path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            close(descriptor)
            throw number == EWOULDBLOCK
                ? StorageError.unusable(message: "the data folder \(folder) is in use by another process")
                : Files.failure("lock", path, number)
        }
    }

    deinit { close(descriptor) }
}
