import Foundation

/// What a client command was told by its options and its environment; the options win.
package struct ClientSettings: Sendable {
    package var address: HostAddress
    package var subject: String?
    package var keys: KeyFolder
    package var audience: String
    package var actingFor: String?
    /// A session's token, given by a variable.
    package var token: String?
    /// Name of the session to use; `nil` = the usual one, when there is one.
    package var sessionName: String?
    /// Where sessions are kept; `nil` = none is looked for.
    package var sessions: SessionFolder?
    package var timeoutMilliseconds: UInt32?
    package var output: OutputFormat
    package var authorityFile: String?
    package var certificateFile: String?
    package var certificateKeyFile: String?

    /// For a host on this machine, as its operator.
    package init(address: HostAddress, keys: KeyFolder, audience: String = "pcs") {
        self.address = address
        self.keys = keys
        self.audience = audience
        output = .table
    }

    /// - Throws: `CommandError` for an address or format that cannot be read.
    package init(
        _ options: ConnectionOptions, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws {
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let dataFolder = options.data ?? variable("PCS_DATA_FOLDER") ?? "data"
        let addressText = options.host ?? variable("PCS_HOST")
        if let addressText {
            guard let address = HostAddress(addressText) else {
                throw CommandError(
                    .usage, "\"\(addressText)\" is no address of a host",
                    nextStep: "Write unix:/path, tcp:host:port or tls:host:port.")
            }
            self.address = address
        } else {
            let socket = variable("PCS_LISTEN_UNIX_PATH") ?? ServeSettings.defaultSocket(in: dataFolder)
            address = .unix(path: socket)
        }
        subject = options.subject ?? variable("PCS_AS")
        keys = KeyFolder.standard(named: options.keys ?? variable("PCS_KEYS"), dataFolder: dataFolder)
        audience = options.audience ?? variable("PCS_AUDIENCE") ?? "pcs"
        actingFor = options.actingFor ?? variable("PCS_ACTING_FOR")
        token = variable("PCS_TOKEN")
        sessionName = options.session ?? variable("PCS_SESSION")
        sessions = SessionFolder(settingsFolder: variable("PCS_SETTINGS_FOLDER"))
        timeoutMilliseconds = options.timeout.map { UInt32($0 * 1000) }
        if let output = options.output {
            self.output = output
        } else if let name = variable("PCS_OUTPUT") {
            guard let output = OutputFormat(rawValue: name) else {
                throw CommandError(.usage, "PCS_OUTPUT is table or json, not \"\(name)\"")
            }
            self.output = output
        } else {
            output = .table
        }
        authorityFile = options.authority ?? variable("PCS_AUTHORITY")
        certificateFile = options.certificate
        certificateKeyFile = options.certificateKey
    }

    /// For calls that need no identity: nobody is named.
    package var anonymous: ClientSettings {
        var settings = self
        (settings.subject, settings.token, settings.sessions) = (nil, nil, nil)
        return settings
    }
}
