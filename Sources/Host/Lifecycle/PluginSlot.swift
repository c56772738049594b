package import Logging
package import PluginAPI
import Synchronization

/// One plugin's place in the Host: its gate for calls, its counters, its calls in flight and its store.
///
/// `enter` and `leave` are on the path of every call and take a few nanoseconds; everything else is for
/// operators. The Host's own services have a slot too, named `host`, that is always open.
package final class PluginSlot: Sendable {
    /// What the gate says to a call.
    package enum Admission: UInt8, Sendable {
        case open, disabled, notReady
    }

    package struct Condition: Sendable {
        package var lifecycle = PluginLifecycle()
        package var since: Instant
        package var schemaVersion = 0
    }

    package let manifest: PluginManifest
    package let store: DeferredStore
    package let logger: Logger
    package var name: String { manifest.name }

    private let gate = Atomic<UInt8>(Admission.notReady.rawValue)
    private let running = Atomic<Int>(0)
    private let total = Atomic<Int>(0)
    private let condition: Mutex<Condition>
    /// Calls that did not end at once: those that a drain may have to cancel.
    private let lasting = Mutex<[ObjectIdentifier: any DrainableCall]>([:])

    package init(manifest: PluginManifest, store: DeferredStore, logger: Logger, now: Instant) {
        self.manifest = manifest
        self.store = store
        self.logger = logger
        condition = Mutex(Condition(since: now))
    }

    // MARK: Calls

    /// Lets a call in and counts it, or says why not. Every `open` must be paired with one `leave`.
    package func enter() -> Admission {
        // Counted before looking: a drain that closes the gate in between sees this call and waits for it.
        running.add(1, ordering: .sequentiallyConsistent)
        let admission = Admission(rawValue: gate.load(ordering: .sequentiallyConsistent)) ?? .notReady
        if admission == .open {
            total.add(1, ordering: .relaxed)
        } else {
            running.subtract(1, ordering: .relaxed)
        }
        return admission
    }

    package func leave() { running.subtract(1, ordering: .releasing) }

    package var callsInFlight: Int { max(0, running.load(ordering: .acquiring)) }
    package var callsTotal: Int { total.load(ordering: .relaxed) }

    package func keep(_ call: any DrainableCall) { lasting.withLock { $0[ObjectIdentifier(call)] = call } }
    package func forget(_ call: any DrainableCall) {
        lasting.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(call)) }
    }

    /// Ends every call that still runs, with `PLUGIN_NOT_READY`; returns how many.
    package func cancelCalls() -> Int {
        let calls = lasting.withLock { Array($0.values) }
        for call in calls { call.cancelForDrain() }
        return calls.count
    }

    // MARK: State

    package var current: Condition { condition.withLock { $0 } }

    /// Applies one transition and moves the gate with it.
    package func change(at now: Instant, _ transition: (inout PluginLifecycle) throws -> Void) throws {
        try condition.withLock { condition in
            try transition(&condition.lifecycle)
            condition.since = now
            let admission: Admission =
                condition.lifecycle.serves
                ? .open : condition.lifecycle.phase == .disabled ? .disabled : .notReady
            gate.store(admission.rawValue, ordering: .sequentiallyConsistent)
        }
    }

    package func set(schemaVersion: Int) { condition.withLock { $0.schemaVersion = schemaVersion } }
}

/// A call that a drain can end.
package protocol DrainableCall: AnyObject, Sendable {
    func cancelForDrain()
}
