/// How one host runs: where its data lies, where it listens, what it allows. A plain value; reading it from a
/// file or the environment is the command line's work. Check it with `problems()` before use.
package struct HostSettings: Sendable, Hashable {
    /// Folder of the databases, backups and the lock of this host. Must exist and be writable by this user
    /// only.
    package var dataFolder: String
    /// Name by which callers address this host in the `aud` of their assertions.
    package var audience: String
    package var listeners: [ListenerSettings]
    /// Users of this machine, beside the one that runs the host, who are operators when they connect over a
    /// Unix socket.
    package var operatorUserIDs: [UInt32]
    package var limits: HostLimits
    /// Threads that serve connections. 0 = one for each processor.
    package var eventLoops: Int
    /// The figures of accounts in the place of the shipped ones; tests hash passwords at less cost.
    package var accountRules: AccountRules?
    /// Folder from which register files are loaded each night; `nil` = none.
    package var registerFolder: String?

    package init(
        dataFolder: String, audience: String = "pcs", listeners: [ListenerSettings] = [],
        operatorUserIDs: [UInt32] = [], limits: HostLimits = HostLimits(), eventLoops: Int = 0,
        registerFolder: String? = nil
    ) {
        self.dataFolder = dataFolder
        self.audience = audience
        self.listeners = listeners
        self.operatorUserIDs = operatorUserIDs
        self.limits = limits
        self.eventLoops = eventLoops
        self.registerFolder = registerFolder
    }
}

/// One place where the host listens.
package enum ListenerSettings: Sendable, Hashable {
    /// TCP; without `tls` only on a loopback address. Port 0 = any free one.
    case tcp(host: String, port: Int, tls: TLSSettings?)
    /// A Unix-domain socket. The file is made with mode 0600, or 0660 when `groupMayConnect`.
    case unix(path: String, groupMayConnect: Bool)
}

/// Files of a TLS listener, all PEM.
package struct TLSSettings: Sendable, Hashable {
    /// The host's certificate, followed by those between it and the root.
    package var certificateFile: String
    package var privateKeyFile: String
    /// Authorities whose client certificates are accepted. `nil` = clients show none and prove themselves by
    /// token.
    package var clientAuthorityFile: String?
    /// Whether a client without a certificate is turned away. Only with `clientAuthorityFile`.
    package var requiresClientCertificate: Bool

    package init(
        certificateFile: String, privateKeyFile: String, clientAuthorityFile: String? = nil,
        requiresClientCertificate: Bool = false
    ) {
        self.certificateFile = certificateFile
        self.privateKeyFile = privateKeyFile
        self.clientAuthorityFile = clientAuthorityFile
        self.requiresClientCertificate = requiresClientCertificate
    }
}

/// A bound on everything that a caller can make grow.
package struct HostLimits: Sendable, Hashable {
    /// Connections open at once on all listeners; more are closed at once. 1 to 100,000.
    package var connections = 4_096
    /// Calls open at once on one connection. 1 to 1,024.
    package var streamsPerConnection = 128
    /// Calls whose handlers run at once, all connections together. More answer `OVERLOADED`. 1 to 1,000,000.
    package var callsInFlight = 8_192
    /// Calls without any identity (token issue, liveness) that run at once. 1 to 10,000.
    package var anonymousCallsInFlight = 64
    /// Largest frame in bytes, without its prefix. 64 KiB to 16 MiB.
    package var frameBytes = 4 << 20
    /// Messages that a peer may send on a stream before it is given more. 1 to 1,024.
    package var initialCredit = 16
    /// Reply bytes that may wait for one connection before streams pause and no more is read. 64 KiB to 64
    /// MiB.
    package var outboundBytes = 1 << 20
    /// Time to finish TLS and send Hello. 1 to 60.
    package var handshakeSeconds = 10
    /// A frame that has begun must be complete within this time, milliseconds. 100 to 600,000.
    package var frameMilliseconds = 20_000
    /// A peer that takes no reply bytes for this time is closed, milliseconds. 100 to 600,000.
    package var stalledPeerMilliseconds = 30_000
    /// Silence after which the host pings; twice as long without a sign of life closes the connection. 1 to
    /// 3,600.
    package var keepaliveSeconds = 30
    /// Bound of a plugin's migration, milliseconds. 1,000 to 3,600,000.
    package var migrateMilliseconds = 600_000
    /// Bound of a plugin's `start`, `drain` and `stop`, each, milliseconds. 100 to 600,000.
    package var lifecycleMilliseconds = 30_000

    package init() {}
}
