import Host

/// One setting: its name in the file, its variable, and what is allowed.
package struct Setting: Sendable {
    package enum Kind: Sendable {
        case text
        case flag
        /// `nil` = the host checks the range itself.
        case number(ClosedRange<Int>?)
        case choice([String])
        /// A list in the file, separated by commas in the variable.
        case numbers
    }

    /// `limits.frame-bytes`.
    package let name: String
    package let kind: Kind
    /// What it does, for `pcs serve --settings` and the documentation.
    package let summary: String
    /// In words or figures.
    package let fallback: String

    init(_ name: String, _ kind: Kind, default fallback: String, _ summary: String) {
        self.name = name
        self.kind = kind
        self.fallback = fallback
        self.summary = summary
    }

    /// `PCS_LIMITS_FRAME_BYTES`.
    package var variable: String {
        "PCS_" + String(name.map { $0 == "." || $0 == "-" ? "_" : $0 }).uppercased()
    }

    /// What may stand there, in words.
    package var allowed: String {
        switch kind {
        case .text: "a text"
        case .flag: "true or false"
        case .number(let range?): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .number(nil): "a whole number"
        case .choice(let names): "one of " + names.joined(separator: ", ")
        case .numbers: "a list of whole numbers"
        }
    }
}

/// All settings of `pcs serve`, in the order of the documentation.
package enum SettingCatalogue {
    package static let all: [Setting] =
        [
            Setting(
                "data-folder", .text, default: "data",
                "Folder of databases, backups and socket; made when missing."),
            Setting(
                "audience", .text, default: "pcs", "Name of this host in the assertions that callers sign."),
            Setting(
                "listen.unix.path", .text, default: "<data-folder>/pcs.sock",
                "Unix socket; \"none\" = listen on none."),
            Setting(
                "listen.unix.group-may-connect", .flag, default: "false",
                "Socket with mode 0660 instead of 0600."),
            Setting(
                "listen.tcp.host", .text, default: "127.0.0.1", "Address to listen on, with listen.tcp.port."),
            Setting(
                "listen.tcp.port", .number(0...65_535), default: "no TCP",
                "Port to listen on; 0 = any free one."),
            Setting(
                "listen.tcp.tls.certificate-file", .text, default: "no TLS",
                "PEM: certificate and what leads to its root."),
            Setting("listen.tcp.tls.private-key-file", .text, default: "", "PEM: key of the certificate."),
            Setting(
                "listen.tcp.tls.client-authority-file", .text, default: "",
                "PEM: authorities of client certificates."),
            Setting(
                "listen.tcp.tls.requires-client-certificate", .flag, default: "false",
                "Turn away clients without one."),
            Setting(
                "operator-user-ids", .numbers, default: "[]",
                "Users of this machine, beside the one that runs the host, who are operators on the Unix socket."
            ),
            Setting(
                "event-loops", .number(0...256), default: "0",
                "Threads that serve connections; 0 = one a processor."),
            Setting(
                "shutdown-grace-milliseconds", .number(100...600_000), default: "10000",
                "Time for calls in flight at stop."),
            Setting(
                "log.level", .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"]),
                default: "info",
                "Least grave lines that are written."),
            Setting(
                "log.format", .choice(["text", "json"]), default: "text",
                "Form of a log line on standard error."),
        ]
        + limits.map { name, path in
            Setting(
                "limits." + name, .number(nil), default: String(HostLimits()[keyPath: path]),
                "See docs/operations.md.")
        }

    /// Names and places of the host's limits; their ranges are the host's own.
    static var limits: [(name: String, path: WritableKeyPath<HostLimits, Int>)] {
        [
            ("connections", \.connections),
            ("streams-per-connection", \.streamsPerConnection),
            ("calls-in-flight", \.callsInFlight),
            ("anonymous-calls-in-flight", \.anonymousCallsInFlight),
            ("frame-bytes", \.frameBytes),
            ("initial-credit", \.initialCredit),
            ("outbound-bytes", \.outboundBytes),
            ("handshake-seconds", \.handshakeSeconds),
            ("frame-milliseconds", \.frameMilliseconds),
            ("stalled-peer-milliseconds", \.stalledPeerMilliseconds),
            ("keepalive-seconds", \.keepaliveSeconds),
            ("migrate-milliseconds", \.migrateMilliseconds),
            ("lifecycle-milliseconds", \.lifecycleMilliseconds),
        ]
    }

    package static func setting(named name: String) -> Setting? { byName[name] }
    package static func setting(variable: String) -> Setting? { byVariable[variable] }

    private static let byName = Dictionary(all.map { ($0.name, $0) }) { first, _ in first }
    private static let byVariable = Dictionary(all.map { ($0.variable, $0) }) { first, _ in first }

    /// Variables that begin with PCS_ and are no settings of the host: the client's, and those of builds and tests.
    static func isOtherVariable(_ name: String) -> Bool {
        [
            "PCS_HOST", "PCS_KEYS", "PCS_AS", "PCS_ACTING_FOR", "PCS_OUTPUT", "PCS_CONFIG", "PCS_ONLY",
            "PCS_AUTHORITY", "PCS_SESSION", "PCS_TOKEN", "PCS_SETTINGS_FOLDER",
        ].contains(name)
            || ["PCS_TEST_", "PCS_BENCH_", "PCS_CLIENT_"].contains { name.hasPrefix($0) }
    }
}
