import ArgumentParser
import Foundation
import Host
import Logging

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Start a host, load England's open data, pay one month of all practices, and keep serving.",
        discussion: """
            All work goes through the host's Unix socket, as three people with keys of their own. With data of an \
            earlier start nothing is loaded again. `make run` is this command.
            """)
    @Option(help: ArgumentHelp("Data folder of the host; made when missing.", valueName: "folder")) var data =
        "data"
    @Option(
        help: ArgumentHelp("Folder of the open data. Default: opendata of the project.", valueName: "folder"))
    var openData: String?
    @Flag(help: "End with status 0 when the month is paid and shown.") var once = false

    func run() async throws {
        do {
            let settings = try hostSettings()
            let logger = HostAssembly.logger(settings)
            let process = try HostAssembly.process(settings, logger: logger)
            let script = try self.script(settings)
            let (once, folder) = (once, data)
            script.journal.title(
                "pcs \(CommandVersion.text): the open back office of NHS primary care",
                [
                    "Contains information from NHS England, licensed under the Open Government Licence v3.0.",
                    "The people are made up, and nobody is paid.",
                ])
            try await HostAssembly.run(process, settings, logger: logger) { process in
                script.journal.fact(
                    "host started in \(Wording.duration(milliseconds: process.startMilliseconds))",
                    "serving on \(HostAssembly.addresses(process))")
                try await script.run()
                if once { return .stop }
                DemoFarewell.print(script.journal, dataFolder: folder, address: script.settings.address)
                return .goOnServing
            }
        } catch {
            throw CommandFailures.report(error)
        }
    }

    /// Variables hold here too; only the log is quieter, so that it does not cut through what is shown.
    private func hostSettings() throws -> ServeSettings {
        var environment = ProcessInfo.processInfo.environment
        environment["PCS_DATA_FOLDER"] = data
        if environment["PCS_LOG_LEVEL"] == nil { environment["PCS_LOG_LEVEL"] = "error" }
        return try HostAssembly.settings(file: nil, environment: environment)
    }

    private func script(_ settings: ServeSettings) throws -> DemoScript {
        let paths = settings.host.listeners.compactMap { listener in
            if case .unix(let path, _) = listener { path } else { nil }
        }
        guard let socket = paths.first else {
            throw CommandError(
                .configuration, "the demonstration needs the Unix socket, but listen.unix.path is \"none\"")
        }
        let client = ClientSettings(
            address: .unix(path: socket), keys: KeyFolder(path: data + "/keys"),
            audience: settings.host.audience)
        return DemoScript(
            data: try DemoData(folder: openData), settings: client,
            journal: DemoJournal(terminal: .standardOutput))
    }
}

/// What to type next.
enum DemoFarewell {
    static func print(_ journal: DemoJournal, dataFolder: String, address: HostAddress) {
        let program = CommandLine.arguments.first ?? "pcs"
        let payer = DemoPeople.payer.id
        journal.heading("The host keeps serving; Ctrl-C stops it. In another terminal, type for example:")
        let commands: [(String, String)] = [
            ("export PCS_DATA_FOLDER=\(dataFolder) PCS_AS=\(payer)", "who you are from now on"),
            ("\(program) whoami", "as the host sees it"),
            ("\(program) payments run show \(DemoData.monthText)", "the run and its history"),
            (
                "\(program) payments run totals \(DemoData.monthText) --by paycode",
                "or region, commissioner, contract-type"
            ),
            ("\(program) payments statement P81062 \(DemoData.monthText)", "any practice"),
            ("\(program) payments explain \(DemoData.practice) \(DemoData.monthText) 2", "any line of it"),
            ("\(program) payments compare \(DemoData.year)", "against what was published"),
            ("\(program) org show \(DemoData.practice)", "the register"),
            (
                "\(program) call RunService/GetRun '{\"runId\": \"\(DemoData.monthText)-1\"}'",
                "any method, JSON in and out"
            ),
            ("PCS_AS= \(program) plugin disable payments --dry-run", "as the operator of this machine"),
            ("PCS_AS= \(program) audit verify", "recomputes every hash"),
        ]
        let width = commands.map(\.0.count).max() ?? 0
        for (command, remark) in commands {
            let padding = String(repeating: " ", count: width - command.count)
            let note = remark.isEmpty ? "" : padding + "   " + journal.terminal.styled("# " + remark, .faint)
            journal.text("  " + command + note)
        }
        guard FileManager.default.fileExists(atPath: "clients/python/pcs_client.py") else {
            return journal.text()
        }
        let python = ".build/python"
        let call = """
            from pcs_client import Client; print(Client("\(address)").unary("pcs.host.v1.HealthService/GetStatus", {}))
            """
        journal.heading("The same from Python, with nothing but a protobuf library:")
        if !FileManager.default.fileExists(atPath: python + "/bin/python") {
            let install = "\(python)/bin/pip install -q -r clients/python/requirements.txt"
            journal.text("  python3 -m venv \(python) && \(install)")
        }
        journal.text("  PYTHONPATH=clients/python \(python)/bin/python -c '\(call)'")
        journal.text()
    }
}
