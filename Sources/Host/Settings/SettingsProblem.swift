import Foundation

/// One setting that cannot hold, named as in the settings file.
package struct SettingsProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// For example `limits.frame-bytes` or `listeners[1].tls.certificate-file`.
    package let setting: String
    package let message: String

    package init(setting: String, message: String) {
        self.setting = setting
        self.message = message
    }

    package var description: String { "\(setting): \(message)" }
}

extension HostSettings {
    /// Everything that is wrong with these settings; empty when they can be used. Looks at the files that
    /// they name.
    package func problems() -> [SettingsProblem] {
        var found: [SettingsProblem] = []
        func require(_ condition: Bool, _ setting: String, _ message: @autoclosure () -> String) {
            if !condition { found.append(SettingsProblem(setting: setting, message: message())) }
        }
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: dataFolder, isDirectory: &isFolder)
        require(!dataFolder.isEmpty, "data-folder", "is missing; name the folder that holds the host's data")
        require(
            dataFolder.isEmpty || (exists && isFolder.boolValue), "data-folder",
            "'\(dataFolder)' is not a folder")
        require(
            !exists || FileManager.default.isWritableFile(atPath: dataFolder), "data-folder",
            "'\(dataFolder)' cannot be written by this user")
        require(
            !audience.isEmpty && audience.utf8.count <= 255, "audience", "must have 1 to 255 characters")
        require((0...256).contains(eventLoops), "event-loops", "must be 0 (one a processor) to 256")
        for (index, listener) in listeners.enumerated() {
            found += listener.problems(named: "listeners[\(index)]")
        }
        return found + limits.problems()
    }
}

extension ListenerSettings {
    func problems(named name: String) -> [SettingsProblem] {
        var found: [SettingsProblem] = []
        switch self {
        case .tcp(let host, let port, let tls):
            if !(0...65_535).contains(port) {
                found.append(
                    SettingsProblem(setting: name + ".port", message: "must be 0 to 65535, not \(port)"))
            }
            if tls == nil, !["127.0.0.1", "::1", "localhost"].contains(host) {
                found.append(
                    SettingsProblem(
                        setting: name + ".tls",
                        message:
                            "is needed: '\(host)' is not a loopback address, and tokens must not travel in clear"
                    ))
            }
            if let tls { found += tls.problems(named: name + ".tls") }
        case .unix(let path, _):
            // sun_path holds 108 bytes with its closing zero.
            if path.isEmpty || path.utf8.count > 107 {
                found.append(
                    SettingsProblem(
                        setting: name + ".path", message: "must have 1 to 107 bytes, has \(path.utf8.count)"))
            }
        }
        return found
    }
}

extension TLSSettings {
    func problems(named name: String) -> [SettingsProblem] {
        var found: [SettingsProblem] = []
        func readable(_ path: String, _ setting: String) {
            if !FileManager.default.isReadableFile(atPath: path) {
                found.append(
                    SettingsProblem(setting: "\(name).\(setting)", message: "'\(path)' cannot be read"))
            }
        }
        readable(certificateFile, "certificate-file")
        readable(privateKeyFile, "private-key-file")
        if let clientAuthorityFile { readable(clientAuthorityFile, "client-authority-file") }
        if requiresClientCertificate, clientAuthorityFile == nil {
            found.append(
                SettingsProblem(
                    setting: name + ".requires-client-certificate",
                    message: "needs client-authority-file to check against"))
        }
        return found
    }
}

extension HostLimits {
    /// Name in the settings file, value and range of every limit.
    private var ranges: [(String, Int, ClosedRange<Int>)] {
        [
            ("connections", connections, 1...100_000),
            ("streams-per-connection", streamsPerConnection, 1...1_024),
            ("calls-in-flight", callsInFlight, 1...1_000_000),
            ("anonymous-calls-in-flight", anonymousCallsInFlight, 1...10_000),
            ("frame-bytes", frameBytes, 65_536...(16 << 20)),
            ("initial-credit", initialCredit, 1...1_024),
            ("outbound-bytes", outboundBytes, 65_536...(64 << 20)),
            ("handshake-seconds", handshakeSeconds, 1...60),
            ("frame-milliseconds", frameMilliseconds, 100...600_000),
            ("stalled-peer-milliseconds", stalledPeerMilliseconds, 100...600_000),
            ("keepalive-seconds", keepaliveSeconds, 1...3_600),
            ("migrate-milliseconds", migrateMilliseconds, 1_000...3_600_000),
            ("lifecycle-milliseconds", lifecycleMilliseconds, 100...600_000),
        ]
    }

    func problems() -> [SettingsProblem] {
        ranges.compactMap { name, value, range in
            range.contains(value)
                ? nil
                : SettingsProblem(
                    setting: "limits." + name,
                    message: "must be \(range.lowerBound) to \(range.upperBound), not \(value)")
        }
    }
}
