import ArgumentParser
import HostContract

struct PluginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin", abstract: "See, enable and disable the plugins of a host.",
        subcommands: [List.self, Describe.self, Enable.self, Disable.self])

    struct List: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "All plugins and their state.")
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            let reply = try await session.plugins.listPlugins(.init())
            try session.show(reply) { PluginView.table(reply.plugins).rendered(for: $0) }
        }
    }

    struct Describe: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "One plugin: owners, services, methods with who may call them, events, storage.")
        @Argument(help: "Name of the plugin.") var name: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_DescribePluginRequest()
            request.name = name
            let reply = try await session.plugins.describePlugin(request)
            try session.show(reply) { PluginView.description(reply, for: $0) }
        }
    }

    struct Enable: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Migrate, start and open a disabled plugin.")
        @Argument(help: "Name of the plugin.") var name: String
        @Flag(help: "Say what would be affected, and change nothing.") var dryRun = false
        @Option(help: "Why; kept for the auditor.") var reason = ""
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_EnablePluginRequest()
            request.name = name
            request.dryRun = dryRun
            request.reason = reason
            let progress = ProgressBar("enabling \(name)")
            let reply = try await progress.waiting { [request] in
                try await session.plugins.enablePlugin(request, options: session.change())
            }
            try session.show(reply) { PluginView.change(reply, verb: "enable", for: $0) }
        }
    }

    struct Disable: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Refuse new calls, let those in flight end, and stop a plugin. It stays so over restarts.")
        @Argument(help: "Name of the plugin.") var name: String
        @Flag(help: "Say what would be affected, and change nothing.") var dryRun = false
        @Option(help: "Why; kept for the auditor. Needed unless --dry-run.") var reason = ""
        @Option(help: "Time for calls in flight, 0.1 to 60 seconds.") var drain = 10.0
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func validate() throws {
            if !(0.1...60).contains(drain) { throw ValidationError("--drain is 0.1 to 60 seconds.") }
            if !dryRun, reason.isEmpty { throw ValidationError("--reason is needed to disable a plugin.") }
        }

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_DisablePluginRequest()
            request.name = name
            request.dryRun = dryRun
            request.reason = reason
            request.drainMilliseconds = UInt32(drain * 1000)
            let progress = ProgressBar("draining \(name)")
            let reply = try await progress.waiting { [request] in
                try await session.plugins.disablePlugin(request, options: session.change())
            }
            try session.show(reply) { PluginView.change(reply, verb: "disable", for: $0) }
        }
    }
}
