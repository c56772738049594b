#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import PluginAPI
import StorageSQLite
import Synchronization
import Testing

/// Each runs its body in a process of its own.
@Suite("Crash and failing disk", .serialized)
struct StorageCrashTests {
    @Test("a killed process loses nothing that it had acknowledged", arguments: 1...3)
    func killed(round: Int) async throws {
        let folder = try TemporaryFolder()
        let path = folder.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let database = try await GroupCommitTests.open(path)
            let journal = open(path + "/acknowledged", O_WRONLY | O_CREAT | O_APPEND, 0o600)
            let done = Counter()
            await withTaskGroup(of: Void.self) { group in
                for worker in 0..<32 {
                    group.addTask {
                        for step in 0... {
                            let number = Int64(worker * 1_000_000 + step)
                            try? await database.write {
                                _ = try $0.run(GroupCommitTests.insert, [.integer(number), .text("n")])
                            }
                            withUnsafeBytes(of: number) { _ = write(journal, $0.baseAddress, 8) }
                            if done.next() == 3_000 { kill(getpid(), SIGKILL) }
                        }
                    }
                }
            }
        }
        let database = try SQLiteEngine(folder: path).open("store")
        let stored = Set(
            try database.read { reader in
                try reader.all(Statement("SELECT number FROM item")) { $0.integer(0) }
            })
        let journal = open(path + "/acknowledged", O_RDONLY)
        var number: Int64 = 0
        var acknowledged = 0
        while read(journal, &number, 8) == 8 {
            acknowledged += 1
            #expect(stored.contains(number))
        }
        close(journal)
        #expect(acknowledged >= 2_900)
        #expect(try database.check() == [])
        await database.close()
    }

    @Test("when the disk refuses the commit, all callers of the group hear of it and nothing is half written")
    func fullDisk() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path
        await #expect(processExitsWith: .success) { [path = path as String] in
            let database = try await GroupCommitTests.open(path)
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 200_000, rlim_max: rlim_t.max)
            #if canImport(Glibc)
            setrlimit(__rlimit_resource_t(1), &limit)
            #else
            setrlimit(RLIMIT_FSIZE, &limit)
            #endif
            let outcomes = await withTaskGroup(of: (Int, Bool).self) { group in
                for number in 1...400 {
                    group.addTask {
                        let note = String(repeating: "z", count: 2_000)
                        let stored: Void? = try? await database.write {
                            _ = try $0.run(GroupCommitTests.insert, [.integer(number), .text(note)])
                        }
                        return (number, stored != nil)
                    }
                }
                return await group.reduce(into: Set<Int>()) { if $1.1 { $0.insert($1.0) } }
            }
            limit.rlim_cur = rlim_t.max
            #if canImport(Glibc)
            setrlimit(__rlimit_resource_t(1), &limit)
            #else
            setrlimit(RLIMIT_FSIZE, &limit)
            #endif
            let stored = Set(
                try database.read { reader in
                    try reader.all(Statement("SELECT number FROM item")) { Int($0.integer(0)) }
                })
            precondition(outcomes.count < 400, "the limit did not bite")
            precondition(stored == outcomes, "acknowledged and stored rows differ")
            try await database.write {
                _ = try $0.run(GroupCommitTests.insert, [.integer(9_999), .text("after")])
            }
            let faults = try database.check()
            precondition(faults.isEmpty, "check found \(faults)")
            await database.close()
        }
    }
}

private final class Counter: Sendable {
    private let value = Atomic<Int>(0)
    func next() -> Int { value.add(1, ordering: .relaxed).newValue }
}
