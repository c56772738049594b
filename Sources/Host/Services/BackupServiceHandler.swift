package import HostContract
package import PluginAPI

/// Backups as operators see them.
package struct BackupServiceHandler: Pcs_Host_V1_BackupService {
    private let keeper: BackupKeeper
    private let surroundings: BackupKeeper.Surroundings

    /// - Parameter surroundings: how the host is brought to a stand for a restore, and started again. The
    ///   call itself is in flight meanwhile, so a stand must not wait for it.
    package init(keeper: BackupKeeper, surroundings: BackupKeeper.Surroundings) {
        self.keeper = keeper
        self.surroundings = surroundings
    }

    package func createBackup(
        _ request: Pcs_Host_V1_CreateBackupRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_Backup {
        let manifest = try await keeper.create(named: request.name)
        return try await call.commit { transaction in
            transaction.audit(
                AuditNote(object: "backup/\(manifest.name)", detail: "taken: \(manifest.summary)"))
            return Pcs_Host_V1_Backup(manifest, verifiedAt: keeper.verifiedAt(manifest.name))
        }
    }

    package func listBackups(
        _ request: Pcs_Host_V1_ListBackupsRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_ListBackupsResponse {
        let backups = try keeper.list()
        return .with {
            $0.backups = backups.map { Pcs_Host_V1_Backup($0, verifiedAt: keeper.verifiedAt($0.name)) }
        }
    }

    package func verifyBackup(
        _ request: Pcs_Host_V1_VerifyBackupRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_Backup {
        let manifest = try await keeper.verify(request.name)
        return Pcs_Host_V1_Backup(manifest, verifiedAt: keeper.verifiedAt(manifest.name))
    }

    /// Its audit row and key go into the restored store: there they tell where its state comes from.
    package func restoreBackup(
        _ request: Pcs_Host_V1_RestoreBackupRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_RestoreBackupResponse {
        let (restored, safety) = try await keeper.restore(request.name, with: surroundings)
        return try await call.commit { transaction in
            transaction.audit(
                AuditNote(
                    object: "backup/\(restored.name)",
                    detail: "restored: \(request.reason); state before is in \(safety)"))
            return .with {
                $0.restored = Pcs_Host_V1_Backup(restored, verifiedAt: keeper.verifiedAt(restored.name))
                $0.safetyBackup = safety
            }
        }
    }
}

extension BackupManifest {
    fileprivate var summary: String {
        files.map { "\($0.store) \($0.bytes) bytes sha256 \($0.sha256.prefix(16))" }.joined(separator: ", ")
    }
}

extension Pcs_Host_V1_Backup {
    init(_ manifest: BackupManifest, verifiedAt: Instant?) {
        self.init()
        name = manifest.name
        takenAt = .init(manifest.takenAt)
        milliseconds = manifest.milliseconds
        folder = manifest.name
        verified = verifiedAt != nil
        if let verifiedAt { self.verifiedAt = .init(verifiedAt) }
        files = manifest.files.map { file in
            .with {
                $0.store = file.store
                $0.bytes = file.bytes
                $0.sha256 = file.sha256
                $0.auditEntries = file.auditEntries
                $0.auditLastHash = file.auditLastHash
            }
        }
    }
}
