/// One thing that is wrong with the settings: which, where it was set, and what is allowed.
package struct SettingsComplaint: Sendable, Hashable, CustomStringConvertible {
    package let setting: String
    /// `config/pcs.json line 4`, `variable PCS_EVENT_LOOPS`, `default`; empty when it concerns the file as a whole.
    package let source: String
    package let problem: String

    package var description: String {
        if setting.isEmpty { return source.isEmpty ? problem : "\(source): \(problem)" }
        return "setting \(setting)\(source.isEmpty ? "" : " (\(source))"): \(problem)"
    }
}

/// All that is wrong with the settings, one line each. Nothing has been started.
package struct SettingsError: Error, CustomStringConvertible {
    package let complaints: [SettingsComplaint]

    package var description: String { complaints.map(\.description).joined(separator: "\n") }
}
