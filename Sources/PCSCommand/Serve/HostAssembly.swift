import Foundation
package import Host
package import Logging
import PluginAPI
import ServiceLifecycle
import UnixSignals

/// Makes a host of settings and runs it until it is told to stop.
package enum HostAssembly {
    /// Settings of the process: the file named (or by PCS_CONFIG), then the environment.
    ///
    /// - Throws: `SettingsError`, `CommandError` when the file cannot be read.
    package static func settings(
        file: String?, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> ServeSettings {
        let path = file ?? environment["PCS_CONFIG"]
        var content: [UInt8]?
        if let path {
            guard let data = FileManager.default.contents(atPath: path) else {
                let complaint = SettingsComplaint(setting: "", source: path, problem: "cannot be read")
                throw SettingsError(complaints: [complaint])
            }
            content = [UInt8](data)
        }
        return try SettingsReader.settings(
            file: path.flatMap { path in content.map { (path, $0) } }, environment: environment)
    }

    /// Checks the settings against the machine and puts the host together. The data folder is made when it is missing.
    ///
    /// - Throws: `SettingsError` with everything that is wrong.
    package static func process(_ settings: ServeSettings, logger: Logger) throws -> HostProcess {
        guard let composition = Composition.current else {
            throw CommandError(.failed, "this build has no host to run")
        }
        let folder = settings.host.dataFolder
        if !FileManager.default.fileExists(atPath: folder) {
            do {
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            } catch {
                throw SettingsError(complaints: [
                    SettingsComplaint(
                        setting: "data-folder", source: settings.sources["data-folder"] ?? "default",
                        problem: "\"\(folder)\" is missing and cannot be made: \(error.localizedDescription)")
                ])
            }
        }
        let complaints = SettingsReader.complaints(settings.host.problems(), settings: settings)
        guard complaints.isEmpty else { throw SettingsError(complaints: complaints) }
        return try HostProcess(
            settings: settings.host, engine: composition.engine(folder), plugins: composition.plugins,
            descriptorSets: ContractJSON.descriptorSets, clock: SystemClock(), logger: logger)
    }

    /// Runs the host until SIGTERM or SIGINT, or until `whenServing` says so.
    package static func run(
        _ process: HostProcess, _ settings: ServeSettings, logger: Logger,
        whenServing: @escaping @Sendable (HostProcess) async throws -> HostService.Afterwards
    ) async throws {
        let service = HostService(
            process, graceMilliseconds: settings.shutdownGraceMilliseconds, whenServing: whenServing)
        var quiet = logger
        quiet.logLevel = max(.warning, settings.logLevel)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet))
        do {
            try await group.run()
        } catch let problem as SettingsProblem {
            throw SettingsError(complaints: SettingsReader.complaints([problem], settings: settings))
        }
    }

    package static func logger(_ settings: ServeSettings) -> Logger {
        let (level, format) = (settings.logLevel, settings.logFormat)
        return Logger(label: "pcs") {
            LineLogHandler(label: $0, level: level, format: format, clock: SystemClock())
        }
    }

    /// `unix:data/pcs.sock and tcp:127.0.0.1:7100`.
    package static func addresses(_ process: HostProcess) -> String {
        process.addresses.map { address in
            switch address {
            case .unix(let path): HostAddress.unix(path: path).description
            case .tcp(let host, let port, true): HostAddress.tls(host: host, port: port).description
            case .tcp(let host, let port, false): HostAddress.tcp(host: host, port: port).description
            }
        }.joined(separator: " and ")
    }
}
