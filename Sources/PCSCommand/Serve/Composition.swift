package import PluginAPI

/// What only the executable knows: which storage engine, which plugins.
package struct Composition: Sendable {
    /// - Parameter folder: the host's data folder.
    package let engine: @Sendable (_ folder: String) -> any StorageEngine
    /// In the order in which they start.
    package let plugins: [any Plugin.Type]

    package init(
        engine: @escaping @Sendable (_ folder: String) -> any StorageEngine, plugins: [any Plugin.Type]
    ) {
        self.engine = engine
        self.plugins = plugins
    }

    /// Of this process; set around the command by the executable.
    @TaskLocal package static var current: Composition?
}
