import Crypto
import HostContract
import Logging
import PluginAPI
import SwiftProtobuf
import Synchronization

// Gates 4 to 9: identity, role and organisation scope, size, idempotency, handler, audit.
extension Dispatcher {
    /// Takes a call through the remaining gates and its handler. Never throws: whatever happens becomes an
    /// outcome.
    ///
    /// - Parameter began: monotonic nanoseconds now.
    nonisolated(nonsending) func pass(
        _ session: CallSession, _ work: CallSession.Work, began: UInt64
    ) async -> CallOutcome {
        do {
            let outcome = try await handle(session, work, began)
            let now = MonotonicTime.now
            session.handled(at: now)
            let isLate = now >= session.deadlineAt
            session.entry.counters.handled(nanoseconds: now - began, failed: isLate)
            // The caller has given the call up: an answer now would say less than how far it got.
            return isLate ? .refused(refusal(of: session, for: Failure(HostReasons.deadlinePassed))) : outcome
        } catch let stored as StoredReplyFound {
            session.entry.counters.handled(nanoseconds: MonotonicTime.now - began, failed: false)
            return .reply(stored.reply, replayed: true)
        } catch {
            if session.progress == .notStarted {
                session.entry.counters.refusedAtGate()
            } else {
                session.entry.counters.handled(nanoseconds: MonotonicTime.now - began, failed: true)
            }
            return .refused(refusal(of: session, for: error))
        }
    }

    private nonisolated(nonsending) func handle(
        _ session: CallSession, _ work: CallSession.Work, _ began: UInt64
    ) async throws -> CallOutcome {
        let entry = session.entry
        switch (entry.handler, work) {
        case (.unary(let prepare), .unary(let body)):
            let (caller, named, run) = try passRights(session, body, prepare)
            try passIdempotency(session, caller, body)
            let context = try begin(session, caller, began)
            let reply: [UInt8]
            if entry.isAnonymous {
                // Where a stranger calls from slows guessing down.
                reply = try await CallSource.$current.withValue(source(of: session)) { try await run(context) }
            } else {
                reply = try await run(context)
            }
            if mustRecord(session) { try await recordRead(session, caller, named) }
            return .reply(reply, replayed: entry.changesState && session.wasReplayed)
        case (.serverStreaming(let prepare), .serverStreaming(let body, let sink)):
            let (caller, named, run) = try passRights(session, body, prepare)
            if mustRecord(session) { try await recordRead(session, caller, named) }
            try await run(try begin(session, caller, MonotonicTime.now), sink)
            return .reply([], replayed: false)
        case (.clientStreaming(let prepare), .clientStreaming(let body, let source)):
            let (caller, _, run) = try passRights(session, body, prepare)
            let gated = GatedRequestSource(session: session, caller: caller, first: body, rest: source)
            let reply = try await run(try begin(session, caller, began), gated)
            return .reply(reply, replayed: entry.changesState && session.wasReplayed)
        case (.unary, _), (.serverStreaming, _), (.clientStreaming, _):
            throw Failure(HostReasons.streamProtocol, "The call does not have the shape of its method.")
        }
    }

    // MARK: Gates 4 to 6

    /// Identity, role and organisation scope, size. The request has to be decoded before its organisation can
    /// be judged; one that is too large is never decoded, but its caller learns of missing rights first.
    private func passRights<Run: Sendable>(
        _ session: CallSession, _ body: [UInt8], _ prepare: ([UInt8]) throws -> BoundMethod.Prepared<Run>
    ) throws -> (Caller, [OrganisationTarget], Run) {
        let entry = session.entry
        if let known = knownCaller(session), body.count <= entry.maximumRequestBytes {
            let prepared = try prepare(body)
            if prepared.organisations.isEmpty { return (known, [], prepared.run) }
            let credentials = try identify(session)
            let caller = try caller(of: session, credentials, prepared.organisations)
            return (caller, prepared.organisations, prepared.run)
        }
        let credentials = entry.isAnonymous ? Credentials() : try identify(session)
        guard body.count <= entry.maximumRequestBytes else {
            try requireRights(session, credentials, namedOrganisationMissing: true)
            throw Failure(
                HostReasons.requestTooLarge,
                "The request has \(body.count) bytes; the method takes \(entry.maximumRequestBytes).")
        }
        let prepared: BoundMethod.Prepared<Run>
        do {
            prepared = try prepare(body)
        } catch {
            try requireRights(session, credentials, namedOrganisationMissing: true)
            throw error
        }
        let caller = try caller(of: session, credentials, prepared.organisations)
        return (caller, prepared.organisations, prepared.run)
    }

    /// Gates 4 and 5 for a call that rests on its carrier alone and whose like was let in less than a second ago: the
    /// answer is kept beside the identity it stands on, and goes with it.
    private func knownCaller(_ session: CallSession) -> Caller? {
        let entry = session.entry
        guard session.arrival.restsOnCarrier, !entry.isAnonymous, !entry.needsStepUp else { return nil }
        return session.arrival.carrier.caller(
            ofMethod: entry.index, generation: rightsGeneration, now: now(session))
    }

    /// Inline calls are judged by the time at which they came; pooled ones may have waited for a thread.
    private func now(_ session: CallSession) -> Instant { session.entry.isInline ? session.receivedAt : clock.now }

    private func identify(_ session: CallSession) throws -> Credentials {
        try identify(session.arrival, now: now(session))
    }

    /// Gate 4: who calls.
    private func identify(_ arrival: CallArrival, now: Instant) throws -> Credentials {
        var credentials = Credentials()
        var principal: Principal?
        if arrival.accessToken.isEmpty {
            principal = try arrival.carrier.principal(identity, generation: rightsGeneration, now: now)
        } else {
            principal = try identity.authenticate(accessToken: arrival.accessToken)
            if let principal, principal.kind == .client {
                try identity.admission.admit(principal.subjectID, from: arrival.carrier.address, at: now)
            }
        }
        if principal?.kind == .person {
            credentials.person = principal
        } else {
            credentials.system = principal
        }
        if !arrival.personToken.isEmpty {
            guard credentials.person == nil else {
                throw Failure(
                    HostReasons.unauthenticated,
                    "access_token is a person's: it cannot carry a person_token too.")
            }
            let person = try identity.authenticate(accessToken: arrival.personToken)
            guard person.kind == .person else {
                throw Failure(HostReasons.unauthenticated, "person_token is not a person's.")
            }
            credentials.person = person
        }
        guard credentials.system != nil || credentials.person != nil else {
            throw Failure(HostReasons.unauthenticated)
        }
        if !arrival.actingFor.isEmpty { credentials.actingFor = arrival.actingFor }
        return credentials
    }

    /// Where a call comes from, as far as anybody knows who it is not asked.
    private func source(of session: CallSession) -> CallSource {
        let system = (try? identify(session))?.system
        return CallSource(
            address: session.arrival.carrier.address, correlationID: session.correlationID,
            system: system?.subjectID)
    }

    /// Gate 5: what they may do.
    private func caller(
        of session: CallSession, _ credentials: Credentials, _ organisations: [OrganisationTarget]
    ) throws -> Caller {
        let entry = session.entry
        if entry.isAnonymous { return Caller(personID: nil, clientID: nil, actingFor: "", roles: []) }
        // How fresh a proof is cannot be kept from one call to the next.
        guard session.arrival.restsOnCarrier, organisations.isEmpty, !entry.needsStepUp else {
            return try identity.authorise(
                entry.descriptor, credentials: credentials, organisations: organisations)
        }
        let generation = rightsGeneration
        let carrier = session.arrival.carrier
        if let known = carrier.caller(ofMethod: entry.index, generation: generation, now: now(session)) {
            return known
        }
        let caller = try identity.authorise(
            entry.descriptor, credentials: credentials, organisations: organisations)
        carrier.keep(caller, ofMethod: entry.index, generation: generation)
        return caller
    }

    /// Throws what gate 5 has against the caller, as far as it can be known without the request's
    /// organisation.
    private func requireRights(
        _ session: CallSession, _ credentials: Credentials, namedOrganisationMissing: Bool
    ) throws {
        guard !session.entry.isAnonymous else { return }
        do {
            _ = try identity.authorise(session.entry.descriptor, credentials: credentials, organisations: [])
        } catch let failure as Failure where failure.reason == HostReasons.organisationOutOfScope {
            // Without the request there is no organisation to be in scope of.
        }
    }

    // MARK: Gate 7

    private func passIdempotency(_ session: CallSession, _ caller: Caller, _ body: [UInt8]) throws {
        guard let key = try session.checkedIdempotencyKey() else { return }
        var hash = SHA256()
        hash.update(data: Array((caller.actingFor + "\n").utf8))
        hash.update(data: body)
        let claim = session.claim(key: key, caller: caller, requestHash: Array(hash.finalize()))
        if let stored = try session.entry.slot.store.current().storedReply(for: claim) {
            throw StoredReplyFound(reply: stored.reply)
        }
        session.set(claim: claim)
    }

    // MARK: Gates 8 and 9

    /// The last look at the time before the handler: a pooled call may have waited for a thread.
    private func begin(_ session: CallSession, _ caller: Caller, _ now: UInt64) throws -> CallContext {
        if session.hasEnded { throw CancellationError() }
        if now >= session.deadlineAt { throw Failure(HostReasons.deadlinePassed) }
        session.reached(.started)
        return CallContext(caller: caller, host: session)
    }

    /// Most calls are neither sensitive reads nor made while a break-glass session is open: they pay nothing here.
    private func mustRecord(_ session: CallSession) -> Bool {
        session.entry.isSensitiveRead || identity.glass.isAnyOpen
    }

    /// A sensitive read has its row before the reply; in a break-glass session every read has
    /// (identity-and-organisations.md 12 and 13).
    private func recordRead(
        _ session: CallSession, _ caller: Caller, _ organisations: [OrganisationTarget]
    ) async throws {
        let access = session.entry.access
        let glass = access.changesState ? nil : identity.glass.session(of: caller.personID, at: clock.now)
        guard access.audit == .sensitiveRead || glass != nil else { return }
        try await hostStore.current().recordRead(
            act(of: session, caller: caller), organisations: organisations, glass: glass?.sessionID)
    }

    /// A call ended badly: counts it and, from the identity gate on, writes it to the host's audit chain.
    func refused(_ session: CallSession, _ refusal: Refusal) {
        meters.refused()
        guard refusal.isForAudit(changesState: session.entry.changesState) else { return }
        let (person, client) =
            (try? identify(session)).map { ($0.person?.subjectID, $0.system?.subjectID) } ?? (
                nil, nil
            )
        let act = AuditedAct(
            personID: person, clientID: client, actingFor: session.arrival.actingFor,
            method: session.entry.descriptor.path, correlationID: session.correlationID)
        let hidden = (refusal.failure.cause as? AuditedCause)?.words
        refusals.record(
            act, reason: refusal.failure.reason, detail: hidden ?? refusal.failure.message, kind: hidden ?? "")
    }
}

/// The key has been used before for the same request: this is what it was answered. Thrown, so that it also
/// ends a handler that has just read the last message of a stream.
struct StoredReplyFound: Error {
    let reply: [UInt8]
}

extension CallSession {
    /// The key of a call that changes state, `nil` when it has none.
    func checkedIdempotencyKey() throws -> String? {
        let key = arrival.idempotencyKey
        guard !key.isEmpty else { return nil }
        guard key.utf8.count <= 128, key.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw Failure(HostReasons.idempotencyKeyInvalid)
        }
        return entry.changesState ? key : nil
    }

    /// The space of keys is that of the caller: the system, and the person on whose behalf it calls.
    func claim(key: String, caller: Caller, requestHash: [UInt8]) -> IdempotencyClaim {
        IdempotencyClaim(
            subject: (caller.clientID ?? "") + "/" + (caller.personID ?? ""), method: entry.descriptor.path,
            key: key,
            requestHash: requestHash)
    }
}

/// The further messages of a client-streaming call, each held to the method's size, and all of them to the
/// idempotency key: what was sent is known only at the end, so the gate stands there.
private final class GatedRequestSource: RequestSource, Sendable {
    private let session: CallSession
    private let caller: Caller
    private let rest: any RequestSource
    private let hash: Mutex<SHA256>

    init(session: CallSession, caller: Caller, first: [UInt8], rest: any RequestSource) {
        self.session = session
        self.caller = caller
        self.rest = rest
        var hash = SHA256()
        hash.update(data: Array((caller.actingFor + "\n").utf8))
        GatedRequestSource.add(first, to: &hash)
        self.hash = Mutex(hash)
    }

    func next() async throws -> [UInt8]? {
        guard let message = try await rest.next() else {
            try end()
            return nil
        }
        let limit = session.entry.maximumRequestBytes
        guard message.count <= limit else {
            throw Failure(
                HostReasons.requestTooLarge,
                "A message has \(message.count) bytes; the method takes \(limit).")
        }
        if !session.arrival.idempotencyKey.isEmpty {
            hash.withLock { GatedRequestSource.add(message, to: &$0) }
        }
        return message
    }

    private func end() throws {
        guard let key = try session.checkedIdempotencyKey() else { return }
        let digest = hash.withLock { $0.finalize() }
        let claim = session.claim(key: key, caller: caller, requestHash: Array(digest))
        if let stored = try session.entry.slot.store.current().storedReply(for: claim) {
            throw StoredReplyFound(reply: stored.reply)
        }
        session.set(claim: claim)
    }

    /// With its length, so that the same bytes cut otherwise are another request.
    private static func add(_ message: [UInt8], to hash: inout SHA256) {
        withUnsafeBytes(of: UInt64(message.count).bigEndian) { hash.update(bufferPointer: $0) }
        hash.update(data: message)
    }
}
