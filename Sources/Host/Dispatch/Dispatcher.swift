import HostContract
package import Logging
package import PluginAPI
import Synchronization

/// Every call goes through here, whichever way it came: over a socket, from another plugin, from the host's
/// own tests.
///
/// The gates, always in this order: known method → plugin ready → deadline → identity → role and organisation
/// scope → size → idempotency → handler → audit. `open` holds the first three and the bounds on calls in
/// flight, which cost nothing; `Dispatcher+Gates.swift` the rest, which run in the call's own task.
package final class Dispatcher: Sendable {
    package let table: MethodTable
    package let meters: DispatchMeters
    package let limits: HostLimits
    let identity: IdentityRegistry
    package let clock: any HostClock
    let hostStore: DeferredStore
    package let refusals: RefusalRecorder
    let logger: Logger
    private let rights = Atomic<Int>(0)

    package init(
        table: MethodTable, identity: IdentityRegistry, hostStore: DeferredStore, meters: DispatchMeters,
        limits: HostLimits, clock: any HostClock, logger: Logger
    ) {
        self.table = table
        self.identity = identity
        self.hostStore = hostStore
        self.meters = meters
        self.limits = limits
        self.clock = clock
        self.logger = logger
        refusals = RefusalRecorder(store: hostStore, clock: clock, logger: logger)
    }

    /// Rises whenever any right may have been taken away; answers kept from before are then asked for again.
    package var rightsGeneration: Int { rights.load(ordering: .acquiring) }
    package func rightsChanged() { rights.add(1, ordering: .releasing) }

    // MARK: The first gates

    /// Lets a call in that has come for a method of the table.
    ///
    /// - Parameters:
    ///   - tag: number by which the carrier knows the call.
    ///   - arrivedAt: monotonic nanoseconds at which the call was received; the deadline counts from there.
    ///   - receivedAt: the same moment by the host's clock.
    /// - Throws: the refusal to send; nothing was started and nothing has to be given back.
    package func open(
        _ entry: MethodEntry, _ arrival: consuming CallArrival, tag: UInt32, arrivedAt: UInt64, receivedAt: Instant,
        responder: any CallResponder
    ) throws(Refusal) -> CallSession {
        guard meters.enter(limit: limits.callsInFlight) else { throw refuse(entry, HostReasons.overloaded) }
        let admission = entry.slot.enter()
        guard admission == .open else {
            meters.leave()
            throw refuse(
                entry, admission == .disabled ? HostReasons.pluginDisabled : HostReasons.pluginNotReady)
        }
        if entry.isAnonymous, !meters.enterAnonymous(limit: limits.anonymousCallsInFlight) {
            entry.slot.leave()
            meters.leave()
            throw refuse(entry, HostReasons.overloaded)
        }
        let limit = entry.timeLimitMilliseconds
        let asked = arrival.timeoutMilliseconds
        let milliseconds = asked == 0 ? limit : min(asked, limit)
        let deadlineAt = arrivedAt + UInt64(milliseconds) * 1_000_000
        return CallSession(
            entry: entry, arrival: arrival, correlationID: CorrelationID.next(), tag: tag,
            deadlineAt: deadlineAt, receivedAt: receivedAt,
            deadline: receivedAt.adding(milliseconds: Int64(milliseconds)), dispatcher: self,
            responder: responder)
    }

    /// The handler has returned, or a gate refused.
    func leave(_ entry: MethodEntry) {
        if entry.isAnonymous { meters.leaveAnonymous() }
        entry.slot.leave()
        meters.leave()
    }

    private func refuse(_ entry: MethodEntry, _ reason: Reason) -> Refusal {
        meters.refused()
        entry.counters.refusedAtGate()
        let message = reason == HostReasons.overloaded ? nil : "\(reason.summary) (\(entry.slot.name))"
        return Refusal(
            failure: Failure(reason, message), progress: .notStarted, correlationID: CorrelationID.next())
    }

    /// Gate 1, for a path that the table does not hold.
    package func unknownMethod(_ path: UnsafeRawBufferPointer) -> Refusal {
        meters.refused()
        let shown = String(decoding: path.prefix(200), as: UTF8.self).filter { $0.isASCII && !$0.isNewline }
        return Refusal(
            failure: Failure(HostReasons.unknownMethod, "No method '\(shown)' is served here."),
            progress: .notStarted, correlationID: CorrelationID.next())
    }

    /// A call whose frames do not fit its method: a second message for one that takes one, or the reverse.
    package func wrongShape(_ explanation: String, progress: Progress = .notStarted) -> Refusal {
        meters.refused()
        return Refusal(
            failure: Failure(HostReasons.streamProtocol, explanation), progress: progress,
            correlationID: CorrelationID.next())
    }

    /// The connection takes no new calls.
    package func draining() -> Refusal {
        meters.refused()
        return Refusal(
            failure: Failure(HostReasons.pluginNotReady, "The host is being stopped."), progress: .notStarted,
            correlationID: CorrelationID.next())
    }

    // MARK: Audit

    func act(of session: CallSession, caller: Caller?) -> AuditedAct {
        AuditedAct(
            personID: caller?.personID, clientID: caller?.clientID,
            actingFor: caller?.actingFor ?? session.arrival.actingFor,
            method: session.entry.descriptor.path, correlationID: session.correlationID)
    }
}

/// The dispatcher, for those that must be made before it: plugins hold a transport to it, and it holds their
/// methods.
package final class DispatcherReference: Sendable {
    private let dispatcher = Mutex<Dispatcher?>(nil)
    package init() {}
    package func set(_ value: Dispatcher) { dispatcher.withLock { $0 = value } }
    /// - Throws: `PLUGIN_NOT_READY` while the host is still being put together.
    package func current() throws -> Dispatcher {
        guard let dispatcher = dispatcher.withLock({ $0 }) else {
            throw Failure(HostReasons.pluginNotReady, "The host is starting.", progress: .notStarted)
        }
        return dispatcher
    }
}
