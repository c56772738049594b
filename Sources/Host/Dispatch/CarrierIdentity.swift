import PluginAPI
import Synchronization

/// Who stands behind a carrier of calls: the peer of a connection, or the plugin that calls in process.
///
/// The answer of the identity registry is kept for a second, or until a right changes, so that a busy
/// connection does not hash its token and walk its grants for every call. Only successes are kept: a new
/// grant holds at once, and a revocation raises the generation, which empties this at once.
package final class CarrierIdentity: Sendable {
    /// What the carrier showed.
    package enum Proof: Sendable {
        case none
        /// Established by the host itself: a peer of the Unix socket, a plugin.
        case principal(Principal)
        /// URI name of a client certificate.
        case certificate(String)
        /// Token of Hello.
        case token(String)
    }

    fileprivate struct Known {
        var proof: Proof
        var generation = -1
        var checkedAt = Instant(microsecondsSince1970: 0)
        var principal: Principal?
        /// Callers by index of the method, for calls that rest on the carrier and name no organisation.
        var callers: [Int: Caller] = [:]
        /// The method asked for last, and its caller: most connections ask for one over and over.
        var lastMethod = -1
        var lastCaller: Caller?
    }

    private let known: Mutex<Known>
    /// Where its calls come from: the peer's address without its port. Slows guessing down; proves nothing.
    let address: String

    package init(_ proof: Proof, address: String = "") {
        known = Mutex(Known(proof: proof))
        self.address = address
    }

    /// A token of Hello takes the place of nothing only: a certificate or a peer user says more about the
    /// system.
    package func offer(token: String) {
        known.withLock { known in
            if case .none = known.proof { known.proof = .token(token) }
        }
    }

    /// The carrier has proved itself by something stronger than a token.
    package func prove(_ proof: Proof) {
        known.withLock { known in
            known.proof = proof
            known.generation = -1
        }
    }

    /// - Parameter isUse: whether a call asks, rather than the host itself.
    /// - Throws: what the registry throws: the proof no longer holds.
    func principal(
        _ registry: IdentityRegistry, generation: Int, now: Instant, isUse: Bool = true
    ) throws -> Principal? {
        try known.withLock { known in
            if known.isFresh(generation: generation, now: now), let principal = known.principal {
                return principal
            }
            let principal: Principal?
            switch known.proof {
            case .none: return nil
            case .principal(let established): principal = established
            case .certificate(let uri): principal = try registry.authenticate(certificateURI: uri)
            case .token(let token): principal = try registry.authenticate(accessToken: token, isUse: isUse)
            }
            // Network, expiry and use of a system are asked as often as its proof: once a second, and when rights change.
            guard isUse else { return principal }
            if let principal, principal.kind == .client {
                try registry.admission.admit(principal.subjectID, from: address, at: now)
            }
            known.principal = principal
            known.generation = generation
            known.checkedAt = now
            known.callers.removeAll(keepingCapacity: true)
            (known.lastMethod, known.lastCaller) = (-1, nil)
            return principal
        }
    }

    func caller(ofMethod index: Int, generation: Int, now: Instant) -> Caller? {
        known.withLock { known in
            guard known.isFresh(generation: generation, now: now) else { return nil }
            if known.lastMethod == index { return known.lastCaller }
            guard let caller = known.callers[index] else { return nil }
            (known.lastMethod, known.lastCaller) = (index, caller)
            return caller
        }
    }

    func keep(_ caller: Caller, ofMethod index: Int, generation: Int) {
        known.withLock { if $0.generation == generation { $0.callers[index] = caller } }
    }
}

extension CarrierIdentity.Known {
    /// Within a second of host time in either direction: clocks of tests, and of machines, are also set back.
    fileprivate func isFresh(generation: Int, now: Instant) -> Bool {
        generation == self.generation
            && abs(now.microsecondsSince1970 - checkedAt.microsecondsSince1970) < 1_000_000
    }
}
