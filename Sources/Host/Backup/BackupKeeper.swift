import Foundation
import HostContract
package import Logging
package import PluginAPI
import Synchronization

/// Takes, lists, verifies and restores backups: folders below one folder, each with a copy of every store and
/// a manifest. One of these works at a time.
package final class BackupKeeper: Sendable {
    /// What the keeper asks of the host around a restore.
    package struct Surroundings: Sendable {
        /// Brings everything that uses the stores to a stand. Called after the backup has been verified.
        package var quiesce: @Sendable () async throws -> Void
        /// Starts everything again, on the restored stores or, when the restore failed, on those there were.
        package var reopen: @Sendable () async throws -> Void

        package init(
            quiesce: @escaping @Sendable () async throws -> Void,
            reopen: @escaping @Sendable () async throws -> Void
        ) {
            self.quiesce = quiesce
            self.reopen = reopen
        }
    }

    let folder: String
    let engine: any StorageEngine
    let clock: any HostClock
    let logger: Logger
    let stores: @Sendable () -> [HostStore]
    private let turn = Turn()

    /// - Parameter folder: made when the first backup is taken.
    /// - Parameter stores: the open stores of the moment.
    package init(
        folder: String, engine: any StorageEngine, clock: any HostClock, logger: Logger,
        stores: @escaping @Sendable () -> [HostStore]
    ) {
        self.folder = folder
        self.engine = engine
        self.clock = clock
        self.logger = logger
        self.stores = stores
    }

    // MARK: Taking

    /// Copies all open stores as of one moment, verifies the copy and names it. Until then it lies under a
    /// hidden name.
    /// - Parameter name: letters, digits and `-`, at most 64; `nil` or empty = by the time.
    /// - Throws: `FIELD_INVALID`, `ALREADY_EXISTS`, `BACKUP_INVALID`.
    package func create(named name: String? = nil) async throws -> BackupManifest {
        try await turn.take { try await self.createNow(named: name) }
    }

    /// - Parameter prefix: of the name, when none is given.
    func createNow(named wanted: String?, prefix: String = "") async throws -> BackupManifest {
        let takenAt = clock.now
        let began = ContinuousClock.now
        let name: String
        if let wanted, !wanted.isEmpty { name = wanted } else { name = freeName(prefix: prefix, at: takenAt) }
        try BackupKeeper.checkName(name)
        guard !exists(name) else { throw Failure(HostReasons.alreadyExists, "There is a backup \(name).") }
        try makeFolder(folder)
        let partial = folder + "/.taking-" + name
        try? FileManager.default.removeItem(atPath: partial)
        do {
            let databases = stores().map(\.database)
            let files = try await engine.backup(databases, to: partial)
            var manifest = BackupManifest(
                format: BackupManifest.currentFormat, name: name,
                takenAtMicroseconds: takenAt.microsecondsSince1970,
                milliseconds: 0, files: [])
            manifest.files = try await describe(files, in: partial)
            manifest.milliseconds = BackupKeeper.milliseconds(since: began)
            try manifest.write(to: partial)
            // Describing the copies has opened and checked them.
            try BackupVerification.record(clock.now, in: partial)
            try DurableFile.sync(partial)
            try FileManager.default.moveItem(atPath: partial, toPath: folder + "/" + name)
            try DurableFile.sync(folder)
            return manifest
        } catch {
            try? FileManager.default.removeItem(atPath: partial)
            throw error
        }
    }

    // MARK: Listing and verifying

    /// Backups by name; folders without a readable manifest are left out.
    package func list() throws -> [BackupManifest] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.sorted().filter { !$0.hasPrefix(".") }.compactMap {
            try? BackupManifest.read(from: folder + "/" + $0)
        }
    }

    /// Reads every byte, opens copies of the files in a folder of their own, checks pages, keys and audit
    /// chains against the manifest, and removes the copies again.
    /// - Throws: `NOT_FOUND`, `BACKUP_INVALID` naming the file and the check.
    package func verify(_ name: String) async throws -> BackupManifest {
        try await turn.take { try await self.verifyNow(name) }
    }

    /// When a backup was last found whole; `nil` when it was never verified, or found damaged since.
    package func verifiedAt(_ name: String) -> Instant? { BackupVerification.moment(of: folder + "/" + name) }

    func verifyNow(_ name: String) async throws -> BackupManifest {
        try BackupKeeper.checkName(name)
        guard exists(name) else {
            throw Failure(HostReasons.notFound, "There is no backup \(name).")
        }
        do {
            let manifest = try await inspect(name)
            try BackupVerification.record(clock.now, in: folder + "/" + name)
            return manifest
        } catch let failure as Failure where failure.reason == HostReasons.backupInvalid {
            BackupVerification.withdraw(in: folder + "/" + name)
            throw failure
        }
    }

    private func inspect(_ name: String) async throws -> BackupManifest {
        let source = folder + "/" + name
        let manifest: BackupManifest
        do {
            manifest = try BackupManifest.read(from: source)
        } catch {
            throw Failure(HostReasons.backupInvalid, "The manifest of \(name) cannot be read.", cause: error)
        }
        for file in manifest.files {
            guard file.file == (file.file as NSString).lastPathComponent,
                let found = try? await offThePool({ try DurableFile.sha256(of: source + "/" + file.file) })
            else {
                throw Failure(
                    HostReasons.backupInvalid, "File \(file.store) of \(name) is missing or cannot be read.")
            }
            guard found.bytes == file.bytes, found.digest == file.sha256 else {
                throw Failure(
                    HostReasons.backupInvalid, "File \(file.store) of \(name) does not have its SHA-256.")
            }
        }
        let files = Dictionary(manifest.files.map { ($0.store, $0.file) }) { first, _ in first }
        guard try await describe(files, in: source) == manifest.files else {
            throw Failure(
                HostReasons.backupInvalid, "An audit chain of \(name) is not the one of its manifest.")
        }
        return manifest
    }

    /// Opens copies of a backup's files, checks them, and says what the manifest says of them. By name of
    /// store.
    private func describe(_ files: [String: String], in source: String) async throws -> [BackupManifest.File]
    {
        let trial = folder + "/.trial-" + UUID().uuidString
        try makeFolder(trial)
        defer { try? FileManager.default.removeItem(atPath: trial) }
        let copies = try engine.engine(in: trial)
        var result: [BackupManifest.File] = []
        for (store, file) in files.sorted(by: { $0.key < $1.key }) {
            do {
                let (bytes, digest) = try await offThePool {
                    try FileManager.default.copyItem(atPath: source + "/" + file, toPath: trial + "/" + file)
                    return try DurableFile.sha256(of: source + "/" + file)
                }
                let opened = HostStore(database: try copies.open(store), clock: clock, logger: logger)
                let found = await Result.of {
                    try await offThePool { try BackupKeeper.examine(opened, named: store) }
                }
                await opened.close()
                let (audit, migrations) = try found.get()
                result.append(
                    BackupManifest.File(
                        store: store, file: file, bytes: bytes, sha256: digest, auditEntries: audit.entries,
                        auditLastHash: DurableFile.hexadecimal(audit.lastHash), migrations: migrations))
            } catch let error as StorageError {
                throw Failure(HostReasons.backupInvalid, "File \(store) cannot be opened.", cause: error)
            }
        }
        return result
    }

    private static func examine(_ opened: HostStore, named store: String) throws -> (AuditVerification, [Int])
    {
        if let fault = try opened.database.check().first {
            throw Failure(HostReasons.backupInvalid, "File \(store) is damaged: \(fault)")
        }
        let audit = try opened.verifyAudit()
        guard audit.isWhole else {
            throw Failure(
                HostReasons.backupInvalid, "The audit chain of \(store) breaks at row \(audit.brokenAt).")
        }
        return (audit, try opened.appliedVersions())
    }

    /// Gives `body` the keeper's one turn.
    func inTurn<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> T {
        try await turn.take(body)
    }

    // MARK: Names

    private func exists(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: folder + "/" + name)
    }

    private func freeName(prefix: String, at instant: Instant) -> String {
        let name = prefix + BackupKeeper.name(at: instant)
        var candidate = name
        var number = 1
        while exists(candidate) {
            number += 1
            candidate = "\(name)-\(number)"
        }
        return candidate
    }

    private static func name(at instant: Instant) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "UTC")
        formatter.dateFormat = "yyyyMMdd-HHmmss-SSS"
        return formatter.string(
            from: Date(timeIntervalSince1970: Double(instant.microsecondsSince1970) / 1_000_000))
    }

    private static func checkName(_ name: String) throws {
        let isGood =
            (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0)
                    || $0 == 0x2D
            }
        if !isGood {
            throw Failure(
                HostReasons.fieldInvalid, "A backup's name has 1 to 64 letters, digits and -.",
                violations: [Violation(field: "name", rule: "NAME", message: "1 to 64 letters, digits and -")]
            )
        }
    }

    func makeFolder(_ path: String) throws {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    static func milliseconds(since began: ContinuousClock.Instant) -> Int64 {
        let parts = (ContinuousClock.now - began).components
        return parts.seconds * 1_000 + parts.attoseconds / 1_000_000_000_000_000
    }
}

/// Lets one at a time, in the order of coming.
private actor Turn {
    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func take<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> T {
        if isTaken { await withCheckedContinuation { waiting.append($0) } }
        isTaken = true
        defer { if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() } }
        return try await body()
    }
}
