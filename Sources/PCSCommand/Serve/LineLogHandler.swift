package import Logging
package import PluginAPI

/// Log lines on standard error, one an event: for people, or JSON for collectors.
package struct LineLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    private let label: String
    private let format: ServeSettings.LogFormat
    private let clock: any HostClock

    package init(label: String, level: Logger.Level, format: ServeSettings.LogFormat, clock: any HostClock) {
        self.label = label
        logLevel = level
        self.format = format
        self.clock = clock
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata.merging(event.metadata ?? [:]) { _, event in event }
        if let error = event.error { all["error"] = "\(error)" }
        Console.error(
            Self.line(
                at: clock.now, level: event.level, label: label, message: "\(event.message)", all,
                format: format))
    }

    /// The line for one event. Control characters are replaced, so that an event stays one line.
    static func line(
        at now: Instant, level: Logger.Level, label: String, message: String, _ metadata: Logger.Metadata,
        format: ServeSettings.LogFormat
    ) -> String {
        let seconds = now.microsecondsSince1970 / 1_000_000
        let milliseconds = now.microsecondsSince1970 / 1_000 % 1_000
        let moment = WellKnownTypes.timestampText(seconds: seconds, nanoseconds: milliseconds * 1_000_000)
        let sorted = metadata.sorted { $0.key < $1.key }
        switch format {
        case .text:
            let name = level.rawValue + String(repeating: " ", count: max(0, 8 - level.rawValue.count))
            // What is empty says nothing to a person; a collector may want the name all the same.
            let told = sorted.map { ($0.key, $0.value.description) }.filter { !$0.1.isEmpty }
            let details = told.map { " \($0.0)=\(quoted($0.1))" }.joined()
            return TextSafety.clean("\(moment) \(name) \(label): \(message)\(details)")
        case .json:
            let members = [
                JSONValue.Member("at", .string(moment)), JSONValue.Member("level", .string(level.rawValue)),
                JSONValue.Member("label", .string(label)), JSONValue.Member("message", .string(message)),
            ]
            let details = sorted.map { JSONValue.Member($0.key, .string($0.value.description)) }
            return JSONValue.object(members + [JSONValue.Member("metadata", .object(details))]).compact
        }
    }

    private static func quoted(_ value: String) -> String {
        value.contains(where: { $0.isWhitespace || $0 == "\"" })
            ? JSONValue.string(value).compact : value
    }
}
