import Configuration
package import Host
import Logging

/// Makes `ServeSettings` out of a settings file and the environment; the environment wins.
package enum SettingsReader {
    /// - Parameters:
    ///   - file: path and content of the settings file, when there is one.
    ///   - environment: all variables; those that begin with `PCS_` are read.
    /// - Throws: `SettingsError` with everything that is wrong.
    package static func settings(
        file: (path: String, content: [UInt8])?, environment: [String: String]
    ) throws -> ServeSettings {
        let fromFile = file.map { SettingsSource(file: $0.path, content: $0.content) }
        let fromEnvironment = SettingsSource(environment: environment)
        var complaints = (fromFile?.complaints ?? []) + fromEnvironment.complaints
        let places = (fromFile?.places ?? [:]).merging(fromEnvironment.places) { _, environment in environment
        }
        var providers: [any ConfigProvider] = [
            InMemoryProvider(name: "environment", values: fromEnvironment.values)
        ]
        if let fromFile { providers.append(InMemoryProvider(name: "file", values: fromFile.values)) }
        let reader = Reader(config: ConfigReader(providers: providers), places: places)
        let (settings, contradictions) = reader.assembled()
        complaints += contradictions
        guard complaints.isEmpty else { throw SettingsError(complaints: complaints) }
        return settings
    }

    /// The host's own findings, under the names of the settings file.
    package static func complaints(_ problems: [SettingsProblem], settings: ServeSettings)
        -> [SettingsComplaint]
    {
        problems.map { problem in
            var name = problem.setting
            for (index, listener) in settings.host.listeners.enumerated() {
                let kind = if case .unix = listener { "unix" } else { "tcp" }
                name = name.replacing("listeners[\(index)]", with: "listen.\(kind)")
            }
            return SettingsComplaint(
                setting: name, source: settings.sources[name] ?? "default", problem: problem.message)
        }
    }
}

/// Reads the typed values; knows where each came from.
private struct Reader {
    let config: ConfigReader
    let places: [String: String]

    private func text(_ name: String) -> String? { config.string(forKey: ConfigKey(name)) }
    private func number(_ name: String) -> Int? { config.int(forKey: ConfigKey(name)) }
    private func flag(_ name: String) -> Bool? { config.bool(forKey: ConfigKey(name)) }

    func assembled() -> (ServeSettings, [SettingsComplaint]) {
        var complaints: [SettingsComplaint] = []
        let dataFolder = text("data-folder") ?? "data"
        var host = HostSettings(dataFolder: dataFolder)
        host.audience = text("audience") ?? host.audience
        host.eventLoops = number("event-loops") ?? host.eventLoops
        for id in config.intArray(forKey: "operator-user-ids") ?? [] {
            if let id = UInt32(exactly: id) {
                host.operatorUserIDs.append(id)
            } else {
                complaints.append(complaint("operator-user-ids", "must hold user numbers from 0, not \(id)"))
            }
        }
        for (name, path) in SettingCatalogue.limits {
            if let value = number("limits." + name) { host.limits[keyPath: path] = value }
        }
        if let unix = unixListener(dataFolder, &complaints) { host.listeners.append(unix) }
        if let tcp = tcpListener(&complaints) { host.listeners.append(tcp) }
        if host.listeners.isEmpty {
            complaints.append(
                complaint(
                    "listen.unix.path",
                    "is \"none\" and listen.tcp.port is not set: the host would listen nowhere"))
        }
        var settings = ServeSettings(host: host)
        settings.sources = places
        settings.logLevel = text("log.level").flatMap(Logger.Level.init(rawValue:)) ?? settings.logLevel
        settings.logFormat =
            text("log.format").flatMap(ServeSettings.LogFormat.init(rawValue:)) ?? settings.logFormat
        settings.shutdownGraceMilliseconds =
            number("shutdown-grace-milliseconds") ?? settings.shutdownGraceMilliseconds
        return (settings, complaints)
    }

    private func complaint(_ name: String, _ problem: String) -> SettingsComplaint {
        SettingsComplaint(setting: name, source: places[name] ?? "", problem: problem)
    }

    private func unixListener(_ dataFolder: String, _ complaints: inout [SettingsComplaint])
        -> ListenerSettings?
    {
        let path = text("listen.unix.path") ?? ServeSettings.defaultSocket(in: dataFolder)
        let group = "listen.unix.group-may-connect"
        guard path != "none" else {
            if flag(group) == true {
                complaints.append(complaint(group, "needs a Unix socket, but listen.unix.path is \"none\""))
            }
            return nil
        }
        return .unix(path: path, groupMayConnect: flag(group) ?? false)
    }

    private func tcpListener(_ complaints: inout [SettingsComplaint]) -> ListenerSettings? {
        guard let port = number("listen.tcp.port") else {
            for name in places.keys.sorted() where name.hasPrefix("listen.tcp.") {
                complaints.append(
                    complaint(name, "needs listen.tcp.port: without it the host does not listen on TCP"))
            }
            return nil
        }
        return .tcp(host: text("listen.tcp.host") ?? "127.0.0.1", port: port, tls: tls(&complaints))
    }

    private func tls(_ complaints: inout [SettingsComplaint]) -> TLSSettings? {
        let prefix = "listen.tcp.tls."
        let given = places.keys.filter { $0.hasPrefix(prefix) }.sorted()
        guard !given.isEmpty else { return nil }
        guard let certificate = text(prefix + "certificate-file") else {
            for name in given { complaints.append(complaint(name, "needs \(prefix)certificate-file")) }
            return nil
        }
        guard let key = text(prefix + "private-key-file") else {
            complaints.append(complaint(prefix + "certificate-file", "needs \(prefix)private-key-file"))
            return nil
        }
        let authority = text(prefix + "client-authority-file")
        let requires = flag(prefix + "requires-client-certificate") ?? false
        if requires, authority == nil {
            complaints.append(
                complaint(
                    prefix + "requires-client-certificate",
                    "needs \(prefix)client-authority-file to check against"))
        }
        return TLSSettings(
            certificateFile: certificate, privateKeyFile: key, clientAuthorityFile: authority,
            requiresClientCertificate: requires)
    }
}
