import Foundation
import HostContract
import PluginAPI

extension BackupKeeper {
    /// Left in the backup folder from the first to the last file exchanged: a host that finds it at start
    /// finishes the exchange, so that no crash leaves some stores restored and others not.
    private static let markName = ".restoring"

    private struct Mark: Codable {
        var backup: String
    }

    /// Puts the files of a backup in the place of the present ones.
    ///
    /// In this order: the backup is verified; the host is brought to a stand; a safety backup of the present
    /// state is taken; stores are closed, exchanged and opened again; the host goes on. Until the exchange
    /// begins, a failure leaves everything as it was. Stores that the backup does not have stay as they are.
    ///
    /// - Returns: the manifest restored, and the name of the safety backup.
    /// - Throws: `NOT_FOUND`, `BACKUP_INVALID`, `STATE_WRONG` when the backup comes from a newer schema.
    package func restore(
        _ name: String, with surroundings: Surroundings
    ) async throws -> (restored: BackupManifest, safetyBackup: String) {
        try await inTurn { try await self.restoreNow(name, with: surroundings) }
    }

    private func restoreNow(
        _ name: String, with surroundings: Surroundings
    ) async throws -> (restored: BackupManifest, safetyBackup: String) {
        let manifest = try await verifyNow(name)
        let open = stores()
        try requireKnownSchema(manifest, open)
        do {
            try await surroundings.quiesce()
            let safety = try await createNow(named: nil, prefix: "safety-")
            try await exchange(manifest, or: safety, in: open)
            try await surroundings.reopen()
            logger.notice("restored", metadata: ["backup": "\(name)", "safety": "\(safety.name)"])
            return (manifest, safety.name)
        } catch {
            try? await surroundings.reopen()
            throw error
        }
    }

    /// A migration that only the backup has would make the restored store refuse to open.
    private func requireKnownSchema(_ manifest: BackupManifest, _ open: [HostStore]) throws {
        for store in open {
            guard let file = manifest.files.first(where: { $0.store == store.name }) else { continue }
            let known = Set(try store.appliedVersions())
            if let unknown = file.migrations.first(where: { !known.contains($0) }) {
                throw Failure(
                    HostReasons.stateWrong,
                    "Store \(store.name) of the backup has migration \(unknown), which this host does not know."
                )
            }
        }
    }

    /// With the stores closed: the backup's files, or, when that fails half way, those of the moment before.
    private func exchange(
        _ manifest: BackupManifest, or safety: BackupManifest, in open: [HostStore]
    ) async throws {
        for store in open { await store.close() }
        let outcome = Result { try replaceFiles(with: manifest) }
        if case .failure(let error) = outcome {
            logger.error(
                "restore failed, going back", metadata: ["backup": "\(manifest.name)", "error": "\(error)"])
            try replaceFiles(with: safety)
        }
        for store in open { store.exchange(try engine.open(store.name)) }
        try outcome.get()
    }

    private func replaceFiles(with manifest: BackupManifest) throws {
        let mark = folder + "/" + BackupKeeper.markName
        try DurableFile.write(try JSONEncoder().encode(Mark(backup: manifest.name)), to: mark)
        try DurableFile.sync(folder)
        for file in manifest.files { try engine.restore(file.store, from: folder + "/" + manifest.name) }
        try FileManager.default.removeItem(atPath: mark)
        try DurableFile.sync(folder)
    }

    /// Finishes a restore that a crash interrupted. Call it at start, before any store is opened.
    /// - Returns: the name of the backup, when there was one to finish.
    package func finishInterruptedRestore() throws -> String? {
        let mark = folder + "/" + BackupKeeper.markName
        guard let data = FileManager.default.contents(atPath: mark) else { return nil }
        // A mark that was not wholly written was never acted on.
        guard let interrupted = try? JSONDecoder().decode(Mark.self, from: data) else {
            try FileManager.default.removeItem(atPath: mark)
            return nil
        }
        try replaceFiles(with: try BackupManifest.read(from: folder + "/" + interrupted.backup))
        return interrupted.backup
    }

    /// Removes what an interrupted backup or verification left behind. Call it at start.
    package func removeLeftovers() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names where name.hasPrefix(".taking-") || name.hasPrefix(".trial-") {
            try? FileManager.default.removeItem(atPath: folder + "/" + name)
        }
    }
}
