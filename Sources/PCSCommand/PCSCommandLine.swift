package import ArgumentParser
import Foundation

/// `pcs`: the host, and the command line of those who operate and use it.
package struct PCSCommandLine: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "pcs",
        abstract: "The back office of NHS primary care: run the host, operate it, call it.",
        discussion: "docs/cli.md has every command with examples, and the exit statuses.",
        version: CommandVersion.text,
        subcommands: [
            ServeCommand.self, DemoCommand.self, HealthCommand.self, PluginCommand.self,
            OrganisationCommand.self, UserCommand.self, RoleCommand.self, CaseCommand.self, TaskCommand.self,
            MessageCommand.self, DocumentCommand.self, ArticleCommand.self,
            PaymentsCommand.self, PersonCommand.self, ClientSystemCommand.self, KeyCommand.self,
            GrantCommand.self,
            WhoAmICommand.self, CallCommand.self, BackupCommand.self, VerifyCommand.self, RestoreCommand.self,
            EventCommand.self, JobCommand.self, AuditCommand.self, CompletionsCommand.self,
        ])

    package init() {}

    /// Runs the process's command line and ends the process.
    package static func run(_ composition: Composition) async -> Never {
        do {
            try await Composition.$current.withValue(composition) {
                var command = try parseAsRoot()
                if var command = command as? any AsyncParsableCommand {
                    try await command.run()
                } else {
                    try command.run()
                }
            }
        } catch {
            exit(withError: error)
        }
        Foundation.exit(ExitStatus.ok.rawValue)
    }
}
