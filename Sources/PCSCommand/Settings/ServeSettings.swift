package import Host
package import Logging

/// Everything that `pcs serve` is told by its settings file and environment.
package struct ServeSettings: Sendable {
    package enum LogFormat: String, Sendable, CaseIterable { case text, json }

    package var host: HostSettings
    package var logLevel: Logger.Level = .info
    package var logFormat: LogFormat = .text
    /// Time that calls in flight are given when the host is told to stop, 100 to 600,000.
    package var shutdownGraceMilliseconds = 10_000
    /// Where each setting that was given was given, by its name, for messages.
    package var sources: [String: String] = [:]

    package init(host: HostSettings) { self.host = host }

    /// The Unix socket that a host makes in its data folder unless told otherwise, and where clients look first.
    package static func defaultSocket(in dataFolder: String) -> String { dataFolder + "/pcs.sock" }
}
