import Logging
import PluginAPI
import Synchronization

/// What a host is made of.
struct HostParts: Sendable {
    let settings: HostSettings
    let engine: any StorageEngine
    let plugins: [any Plugin.Type]
    let descriptorSets: [[UInt8]]
    let clock: any HostClock
    let logger: Logger
}

/// The core, for the restore service that is made before it.
final class RestoreSurroundings: Sendable {
    private struct Held {
        weak var core: HostCore?
    }
    private let held = Mutex(Held())

    func set(_ core: HostCore) { held.withLock { $0.core = core } }
    func quiesce() async throws { try await held.withLock { $0.core }?.quiesce() }
    func reopen() async throws { try await held.withLock { $0.core }?.reopen() }
}

/// Switches a plugin's events with it.
struct EventFollower: PluginFollower {
    let registry: PluginRegistry
    let pump: EventPump

    func resume(plugin: String) async {
        guard let member = try? registry.member(plugin), let store = member.slot.store.opened else { return }
        pump.register(publisher: store)
        // Its earlier handlers, if any, must be gone before the same are registered again.
        await pump.unregister(subscriber: plugin)
        pump.register(subscriber: store, subscriptions: member.subscriptions)
    }

    func pause(plugin: String) async { await pump.pause(subscriber: plugin) }
}

/// Marks plugins that a person should look at as degraded, and takes the mark away again.
final class PluginWatch: Sendable {
    private let registry: PluginRegistry
    private let pump: EventPump
    private let jobTrouble = Mutex<[String: String]>([:])

    init(registry: PluginRegistry, pump: EventPump) {
        self.registry = registry
        self.pump = pump
    }

    func jobsOutcome(plugin: String, because: String?) {
        jobTrouble.withLock { $0[plugin] = because }
        look(at: plugin)
    }

    func look() { for member in registry.members { look(at: member.name) } }

    private func look(at plugin: String) {
        let parked = (try? pump.waiting(for: plugin))?.parked ?? 0
        let events = parked > 0 ? "\(parked) events parked" : nil
        let troubles = [events, jobTrouble.withLock { $0[plugin] }].compactMap { $0 }
        registry.assess(plugin, because: troubles.isEmpty ? nil : troubles.joined(separator: "; "))
    }
}
