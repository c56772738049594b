import ArgumentParser

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the host until it is told to stop (SIGTERM, Ctrl-C).",
        discussion: """
            Settings come from a JSON file and from variables PCS_...; a variable wins over the file. Anything \
            unknown, out of range or contradictory is told, each in one line, and nothing is started: exit status 78.
            """)
    @Option(help: ArgumentHelp("Settings file. PCS_CONFIG. Default: none, all defaults.", valueName: "file"))
    var config: String?
    @Flag(help: "List every setting with its variable, what is allowed and its default, and end.")
    var settings = false

    func run() async throws {
        if settings {
            Console.out(SettingsView.table.rendered(for: .standardOutput))
            return
        }
        do {
            let settings = try HostAssembly.settings(file: config)
            let logger = HostAssembly.logger(settings)
            let process = try HostAssembly.process(settings, logger: logger)
            try await HostAssembly.run(process, settings, logger: logger) { process in
                Console.out(
                    "serving on \(HostAssembly.addresses(process)), started in \(process.startMilliseconds) ms"
                )
                return .goOnServing
            }
        } catch {
            throw CommandFailures.report(error)
        }
    }
}

/// The catalogue of settings as people see it.
enum SettingsView {
    static var table: Table {
        var table = Table([
            .left("setting"), .left("variable"), .left("allowed"), .left("default"),
            .left("what", mayShorten: true),
        ])
        for setting in SettingCatalogue.all {
            table.add(
                Table.Cell(setting.name, style: .bold), Table.Cell(setting.variable),
                Table.Cell(setting.allowed),
                Table.Cell(setting.fallback), Table.Cell(setting.summary))
        }
        return table
    }
}
