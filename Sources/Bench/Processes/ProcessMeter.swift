import Foundation

/// What a process has used, from the kernel's accounting of its threads.
enum ProcessMeter {
    /// CPU time of all living threads, nanoseconds. The scheduler's own clock (`schedstat`): the times in `stat` count
    /// in steps of 10 ms, far too coarse for calls of microseconds.
    static func cpuNanoseconds(of pid: pid_t) -> UInt64 {
        let folder = "/proc/\(pid)/task"
        var total: UInt64 = 0
        for thread in SystemFiles.names(in: folder) {
            guard let text = SystemFiles.text(at: "\(folder)/\(thread)/schedstat"),
                let first = text.split(separator: " ").first
            else { continue }
            total += UInt64(first) ?? 0
        }
        return total
    }

    /// Resident memory, KiB.
    static func residentKiB(of pid: pid_t) throws -> Double { try memoryKiB("VmRSS:", of: pid) }

    /// The most resident memory that it ever held, KiB.
    static func mostResidentKiB(of pid: pid_t) throws -> Double { try memoryKiB("VmHWM:", of: pid) }

    private static func memoryKiB(_ name: String, of pid: pid_t) throws -> Double {
        guard let status = SystemFiles.text(at: "/proc/\(pid)/status"),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
            let value = Double(line.split(whereSeparator: { $0 == " " || $0 == "\t" })[1])
        else { throw BenchError("no memory figure for process \(pid)") }
        return value
    }
}

/// Reading files of `/proc`, which tell no size beforehand, and small files.
enum SystemFiles {
    static func text(at path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            if count == 0 { break }
            bytes.append(contentsOf: chunk[..<count])
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }
}

/// Seconds since it was made.
struct Stopwatch {
    private let started = ContinuousClock.now
    var seconds: Double {
        let passed = ContinuousClock.now - started
        return Double(passed.components.seconds) + Double(passed.components.attoseconds) * 1e-18
    }
}
