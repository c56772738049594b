/// The life of one plugin as the Host sees it, without any I/O: every transition is a function here, and a
/// transition that the present state does not allow throws and changes nothing.
///
///     registered → disabled | migrating → starting → ready ⇄ degraded → draining → stopped → disabled | migrating
///                                 any of the middle ones → failed → disabled | migrating
package struct PluginLifecycle: Sendable, Hashable {
    private enum State: Sendable, Hashable {
        /// May become: disabled, migrating, failed (its `init` or its file refused).
        case registered
        /// Stays over restarts until an operator enables it. May become: migrating.
        case disabled(because: String)
        /// May become: starting, failed.
        case migrating
        /// May become: ready, failed.
        case starting
        /// The only state, with degraded, in which calls and events are let in. May become: degraded,
        /// draining.
        case ready
        /// Serves, but a person should look. May become: ready, degraded for another reason, draining.
        case degraded(because: String)
        /// New calls are refused, those in flight end. May become: stopped, failed.
        case draining(because: String)
        /// May become: disabled, migrating.
        case stopped
        /// May become: disabled, migrating.
        case failed(because: String)
    }

    /// The state without its reason, as operators see it.
    package enum Phase: String, Sendable, Hashable, CaseIterable {
        case registered, disabled, migrating, starting, ready, degraded, draining, stopped, failed
    }

    /// A transition that the present state does not allow.
    package struct Refusal: Error, Sendable, Hashable, CustomStringConvertible {
        package let from: Phase
        package let to: Phase
        package var description: String { "a plugin that is \(from.rawValue) cannot become \(to.rawValue)" }
    }

    private var state = State.registered

    package init() {}

    package var phase: Phase {
        switch state {
        case .registered: .registered
        case .disabled: .disabled
        case .migrating: .migrating
        case .starting: .starting
        case .ready: .ready
        case .degraded: .degraded
        case .draining: .draining
        case .stopped: .stopped
        case .failed: .failed
        }
    }

    /// Why it is disabled, degraded, draining or failed; empty otherwise.
    package var because: String {
        switch state {
        case .disabled(let because), .degraded(let because), .draining(let because), .failed(let because):
            because
        case .registered, .migrating, .starting, .ready, .stopped: ""
        }
    }

    /// Whether calls and events are let in.
    package var serves: Bool {
        switch state {
        case .ready, .degraded: true
        case .registered, .disabled, .migrating, .starting, .draining, .stopped, .failed: false
        }
    }

    package mutating func disable(because: String) throws {
        switch state {
        case .registered, .stopped, .failed, .disabled: state = .disabled(because: because)
        case .migrating, .starting, .ready, .degraded, .draining: throw refusal(to: .disabled)
        }
    }

    package mutating func migrate() throws {
        switch state {
        case .registered, .disabled, .stopped, .failed: state = .migrating
        case .migrating, .starting, .ready, .degraded, .draining: throw refusal(to: .migrating)
        }
    }

    package mutating func start() throws {
        guard case .migrating = state else { throw refusal(to: .starting) }
        state = .starting
    }

    package mutating func becomeReady() throws {
        switch state {
        case .starting, .degraded: state = .ready
        case .registered, .disabled, .migrating, .ready, .draining, .stopped, .failed:
            throw refusal(to: .ready)
        }
    }

    package mutating func degrade(because: String) throws {
        switch state {
        case .ready, .degraded: state = .degraded(because: because)
        case .registered, .disabled, .migrating, .starting, .draining, .stopped, .failed:
            throw refusal(to: .degraded)
        }
    }

    package mutating func drain(because: String) throws {
        switch state {
        case .ready, .degraded: state = .draining(because: because)
        case .registered, .disabled, .migrating, .starting, .draining, .stopped, .failed:
            throw refusal(to: .draining)
        }
    }

    package mutating func stop() throws {
        guard case .draining = state else { throw refusal(to: .stopped) }
        state = .stopped
    }

    package mutating func fail(because: String) throws {
        switch state {
        case .registered, .migrating, .starting, .draining: state = .failed(because: because)
        case .disabled, .ready, .degraded, .stopped, .failed: throw refusal(to: .failed)
        }
    }

    private func refusal(to phase: Phase) -> Refusal { Refusal(from: self.phase, to: phase) }
}
