import ArgumentParser
import HostContract

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy all data, live, to one consistent point; the copy is verified.",
        subcommands: [Create.self, List.self], defaultSubcommand: Create.self)

    struct Create: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Take a backup now.")
        @Option(help: "Letters, digits and -. Default: the time.") var name = ""
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_CreateBackupRequest()
            request.name = name
            let reply = try await ProgressBar("taking a backup").waiting { [request] in
                try await session.backups.createBackup(request, options: session.change())
            }
            try session.show(reply) { BackupView.one(reply, for: $0) }
            if !reply.verified { throw ExitCode(ExitStatus.unsound.rawValue) }
        }
    }

    struct List: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Backups that there are.")
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            let reply = try await session.backups.listBackups(.init())
            try session.show(reply) { BackupView.table(reply.backups, for: $0) }
        }
    }
}

struct VerifyCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Open a backup beside the running data and check every file, hash and audit chain in it.")
    @Argument(help: "Name of the backup.") var name: String
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Host_V1_VerifyBackupRequest()
        request.name = name
        let reply = try await ProgressBar("verifying \(name)").waiting { [request] in
            try await session.backups.verifyBackup(request)
        }
        try session.show(reply) { BackupView.one(reply, for: $0) }
        if !reply.verified { throw ExitCode(ExitStatus.unsound.rawValue) }
    }
}

struct RestoreCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract:
            "Put a verified backup in the place of the running data; the state before is backed up first.")
    @Argument(help: "Name of the backup.") var name: String
    @Option(help: "Why; kept for the auditor.") var reason: String
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Host_V1_RestoreBackupRequest()
        request.name = name
        request.reason = reason
        let reply = try await ProgressBar("restoring \(name)").waiting { [request] in
            try await session.backups.restoreBackup(request, options: session.change())
        }
        try session.show(reply) { terminal in
            BackupView.one(reply.restored, for: terminal)
                + "\n\nrestored; the state before is in backup \(TextSafety.clean(reply.safetyBackup))"
        }
    }
}
