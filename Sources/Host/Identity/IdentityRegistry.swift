import HostContract
package import Logging
package import PluginAPI
import Synchronization

/// Who people and systems are, what proves them, and what they may do. Everything that a call asks is in memory; the
/// tables in the host's database are written first, and memory follows what is durable.
package final class IdentityRegistry: Sendable {
    package static let migrations =
        IdentityTables.migrations + UserTables.migrations + ProposalTables.migrations + ReviewTables.migrations
        + GlassTables.migrations + CatalogueTables.migrations

    struct State {
        var subjects: [String: Subject] = [:]
        /// Client by the URI name of its certificate.
        var certificates: [String: String] = [:]
        var tokens = AccessTokens()
        /// Assertions used, until they expire: subject and jti.
        var assertions: [UsedAssertion: Instant] = [:]
        var listeners: [@Sendable (String) -> Void] = []
    }

    struct UsedAssertion: Hashable {
        let subjectID: String
        let jti: String
    }

    let store: HostStore
    let directory: any OrganisationDirectory
    let closures: (any OrganisationClosures)?
    let clock: any HostClock
    let audience: String
    let logger: Logger
    let refusals = AssertionRefusalLimit()
    /// The roles as data: who gives what, and how many hold it.
    package let catalogue = CatalogueBook()
    let glass = GlassBook()
    /// Ends and networks of systems.
    package let admission = ClientAdmission()
    let state = Mutex(State())
    /// Held while rows are read and put into memory, so that of two changes the later one stays.
    private let refreshing = Mutex(())

    /// - Parameters:
    ///   - directory: asked for relations on every call; answers in microseconds.
    ///   - audience: the host's name, which assertions must state.
    package init(
        store: HostStore, directory: any OrganisationDirectory, clock: any HostClock, audience: String,
        logger: Logger
    ) {
        self.store = store
        self.directory = directory
        closures = directory as? any OrganisationClosures
        self.clock = clock
        self.audience = audience
        self.logger = logger
    }

    /// Reads everything into memory. Call it at start, and after a restore: tokens whose key is no longer valid end.
    package func load() throws {
        try loadCatalogue()
        try loadGlass()
        try refreshing.withLock { _ in
            let now = clock.now
            var subjects: [String: Subject] = [:]
            var assertions: [UsedAssertion: Instant] = [:]
            try store.read { reader in
                try reader.forEach(IdentityTables.subjects, []) { row in
                    if let subject = Subject(row: row) { subjects[subject.id] = subject }
                }
                try reader.forEach(IdentityTables.keys, []) { subjects[$0.text(0)]?.addKey($0) }
                try reader.forEach(IdentityTables.grants, []) { try subjects[$0.text(1)]?.addGrant($0) }
                try reader.forEach(UserTables.memberships, []) {
                    try subjects[$0.text(1)]?.addMembership($0)
                }
                try reader.forEach(IdentityTables.assertions, [.instant(now)]) { row in
                    assertions[UsedAssertion(subjectID: row.text(0), jti: row.text(1))] = row.instant(2)
                }
            }
            let certificates = subjects.values.compactMap { subject in
                subject.certificateURI.map { ($0, subject.id) }
            }
            state.withLock { state in
                state.subjects = subjects
                state.certificates = Dictionary(certificates) { first, _ in first }
                state.assertions.merge(assertions) { max($0, $1) }
                _ = state.tokens.revokeAll { record in
                    guard let subject = subjects[record.subjectID] else { return true }
                    return !subject.isActive || !record.isVouched(by: subject)
                }
            }
            logger.info("identities in memory", metadata: ["subjects": "\(subjects.count)"])
        }
    }

    /// Puts one subject's rows into memory, after a change of them is durable.
    package func refresh(_ subjectID: String) throws {
        try refreshing.withLock { _ in
            let subject = try store.read { reader in
                guard
                    var subject = try reader.first(
                        IdentityTables.subject, [.text(subjectID)], Subject.init(row:)) ?? nil
                else { return Subject?.none }
                try reader.forEach(IdentityTables.keysOf, [.text(subjectID)]) { subject.addKey($0) }
                try reader.forEach(IdentityTables.grantsOf, [.text(subjectID)]) { try subject.addGrant($0) }
                try reader.forEach(UserTables.membershipsOf, [.text(subjectID)]) {
                    try subject.addMembership($0)
                }
                return subject
            }
            guard let subject else { return }
            state.withLock { state in
                state.subjects[subjectID] = subject
                if let uri = subject.certificateURI { state.certificates[uri] = subjectID }
            }
        }
    }

    func subject(_ id: String) -> Subject? { state.withLock { $0.subjects[id] } }

    // MARK: Proof

    /// In memory, no waiting.
    /// - Throws: `UNAUTHENTICATED` for a token that was never issued by this process, `TOKEN_EXPIRED`.
    /// - Parameter isUse: whether a call came by it, which keeps a session from ending for want of use.
    package func authenticate(accessToken: String, isUse: Bool = true) throws -> Principal {
        let digest = AccessTokens.Digest(accessToken)
        let now = clock.now
        let record = try state.withLock { state in
            guard let record = state.tokens.record(digest.id), record.rest == digest.rest else {
                throw Failure(HostReasons.unauthenticated, "The access token is unknown here.")
            }
            try IdentityRegistry.requireAlive(record, in: state, at: now)
            if isUse, record.session != nil { state.tokens.touch(digest.id, at: now) }
            return record
        }
        return Principal(
            subjectID: record.subjectID, kind: record.kind == .person ? .person : .client,
            authentication: record.session == nil ? "token" : "session",
            tokenID: digest.id, provedAt: record.provedAt, session: record.session)
    }

    /// - Parameter certificateURI: the one URI name of a certificate that TLS has verified.
    /// - Throws: `UNAUTHENTICATED` when no active client has it.
    package func authenticate(certificateURI: String) throws -> Principal {
        let subject = state.withLock { state in
            state.certificates[certificateURI].flatMap { state.subjects[$0] }
        }
        guard let subject, subject.isActive else {
            throw Failure(HostReasons.unauthenticated, "The certificate belongs to no active client.")
        }
        return Principal(subjectID: subject.id, kind: .client, authentication: "mutual-tls")
    }

    /// The user at the other end of the Unix socket, by the kernel's word. Holds `HOST_OPERATOR` at the national body.
    package func localOperator(userID: UInt32, userName: String) -> Principal {
        Principal(
            subjectID: "local:" + (userName.isEmpty ? String(userID) : userName), kind: .localOperator,
            authentication: "unix-socket")
    }

    /// A plugin calling through the host. It reaches what its manifest declares and nothing else; scopes that are none
    /// are left out.
    package func pluginPrincipal(name: String, scopes: [String]) -> Principal {
        Principal(
            subjectID: "plugin:" + name, kind: .plugin, authentication: "in-process",
            scopes: scopes.compactMap { MethodScope($0) })
    }

    /// - Throws: `TOKEN_EXPIRED`, `UNAUTHENTICATED`.
    static func requireAlive(_ record: AccessTokens.Record, in state: State, at now: Instant) throws {
        guard record.isAlive(at: now) else { throw Failure(HostReasons.tokenExpired) }
        guard let subject = state.subjects[record.subjectID], subject.isActive, record.isVouched(by: subject)
        else {
            throw Failure(HostReasons.tokenExpired)
        }
    }

    // MARK: Ends

    /// Calls `listener` with the subject's id when a right of it ended: streams and caches that rest on it must go.
    /// The listener must return fast.
    package func onRevocation(_ listener: @escaping @Sendable (String) -> Void) {
        state.withLock { $0.listeners.append(listener) }
    }

    /// Ends the subject's tokens, or those that one key issued, and tells the listeners.
    func endTokens(of subjectID: String, issuedBy keyID: String? = nil) {
        let listeners = state.withLock { state in
            _ = state.tokens.revokeAll { $0.subjectID == subjectID && (keyID == nil || $0.keyID == keyID) }
            return state.listeners
        }
        for listener in listeners { listener(subjectID) }
    }

    /// Ends one token. Unknown and ended ones are as good as ended.
    func endToken(_ id: TokenID) {
        let (record, listeners) = state.withLock { ($0.tokens.revoke(id), $0.listeners) }
        guard let record else { return }
        for listener in listeners { listener(record.subjectID) }
    }

    /// Forgets expired tokens and used assertions. The host runs it as a job.
    /// - Returns: how many were forgotten.
    package func purgeExpired() async throws -> Int {
        let now = clock.now
        let forgotten = state.withLock { state in
            let before = state.assertions.count
            state.assertions = state.assertions.filter { $0.value > now }
            return before - state.assertions.count + state.tokens.purge(now: now)
        }
        let expired = try store.read { reader in
            try reader.first(IdentityTables.expiredAssertion, [.instant(now)]) { _ in true } ?? false
        }
        // Nothing to forget leaves no row in the audit.
        guard expired else { return forgotten }
        _ = try await store.write(actor: "job/purge-assertions") { transaction in
            try transaction.run(IdentityTables.deleteAssertions, [.instant(now)])
        }
        return forgotten
    }
}
