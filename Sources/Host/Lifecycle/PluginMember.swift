package import Logging
package import PluginAPI

/// A plugin that is linked into this host: its slot, and the plugin itself unless its `init` refused.
package final class PluginMember: Sendable {
    package let slot: PluginSlot
    package let plugin: (any Plugin)?
    package let migrations: [Migration]
    package let methods: [BoundMethod]
    package let subscriptions: [Subscription]
    package let jobs: [ScheduledJob]

    package var name: String { slot.name }
    package var manifest: PluginManifest { slot.manifest }

    /// Makes the plugin; nothing is opened or started. A plugin whose `init` throws is `failed`, and the
    /// others serve.
    package init(
        _ type: any Plugin.Type, clock: any HostClock, organisations: any OrganisationDirectory,
        calls: any CallTransport, logger: Logger
    ) {
        var logger = logger
        logger[metadataKey: "plugin"] = .string(type.manifest.name)
        let store = DeferredStore()
        slot = PluginSlot(manifest: type.manifest, store: store, logger: logger, now: clock.now)
        migrations = type.migrations
        do {
            let plugin = try type.init(
                PluginContext(
                    store: store, clock: clock, organisations: organisations, calls: calls, logger: logger))
            self.plugin = plugin
            methods = plugin.methods
            subscriptions = plugin.subscriptions
            jobs = plugin.jobs
        } catch {
            logger.error("plugin could not be made", metadata: ["error": "\(error)"])
            plugin = nil
            methods = []
            subscriptions = []
            jobs = []
            try? slot.change(at: clock.now) { try $0.fail(because: "it could not be made; the log says why") }
        }
    }

    /// Names of the services that it serves.
    package var services: [String] {
        var seen = Set<String>()
        return methods.map { String($0.descriptor.path.prefix { $0 != "/" }) }.filter {
            seen.insert($0).inserted
        }
    }

    /// Plugins whose contracts it calls or whose events it takes.
    package var needs: [String] {
        var seen = Set<String>()
        return (manifest.dependsOn + subscriptions.map(\.publisher)).filter {
            $0 != name && seen.insert($0).inserted
        }
    }
}
