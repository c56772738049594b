import HostContract
import Logging
import PluginAPI
import Synchronization

/// What the services of accounts stand on: the proof of a person, and the sessions that it opens.
final class AccountKeeper: Sendable {
    let store: HostStore
    let registry: IdentityRegistry
    let rules: AccountRules
    let invitations: InvitationBook
    let feed = NoticeFeed()
    let hasher: PasswordHasher
    let seal: SecretSeal
    let guessing: GuessGuard
    let clock: any HostClock
    let logger: Logger
    private let nobodysSecret = TimeBasedCode.makeSecret()
    private let resetsUnderWay = Atomic<Int>(0)

    init(
        registry: IdentityRegistry, rules: AccountRules, seal: SecretSeal, clock: any HostClock,
        logger: Logger
    ) {
        store = registry.store
        self.registry = registry
        self.rules = rules
        self.seal = seal
        self.clock = clock
        self.logger = logger
        invitations = InvitationBook(feed: feed, rules: rules)
        hasher = PasswordHasher(rules: rules)
        guessing = GuessGuard(rules: rules)
    }

    // MARK: Proof

    /// A person who has shown password and one-time code. The code's step is used up by `use` in the transaction of
    /// whatever the proof is for.
    struct Proof: Sendable {
        let facts: AccountFacts
        let authenticatorID: String
        let assurance: Int
        let step: Int64
        let provedAt: Instant

        /// - Throws: `LOG_IN_REFUSED` when the code has served before.
        func use(in transaction: any Transaction) throws {
            let isFirst = try transaction.run(
                AccountTables.useStep, [.text(authenticatorID), .integer(step)])
            guard isFirst == 1 else {
                throw Failure.logInRefused(.secondFactor, "the one-time code of \(facts.id) was used before")
            }
        }
    }

    /// Checks password and one-time code together. An address without an account takes the same way: it is counted,
    /// waits, and its password is hashed.
    ///
    /// - Throws: `LOG_IN_REFUSED`, always with the same words; `OVERLOADED`.
    func prove(email: String, password: String, code: String, source: String) async throws -> Proof {
        let address = String(email.lowercased().prefix(254))
        if let wait = guessing.wait(address: address, source: source, at: clock.now) {
            throw Failure.logInRefused(.account, wait.rawValue)
        }
        let facts = try store.read { try AccountFacts.find(email: address, in: $0) }
        let isCorrect = try await hasher.isCorrect(password, facts?.password, source: source)
        let now = clock.now
        let totp = facts?.totp
        let secret = totp.flatMap { seal.open($0.sealedSecret, of: facts?.id ?? "") }
        let step = TimeBasedCode.step(of: code, secret: secret ?? nobodysSecret, at: now)
        // Others may have failed while this one was hashed.
        if let wait = guessing.wait(address: address, source: source, at: now) {
            throw Failure.logInRefused(.account, wait.rawValue)
        }
        guard let facts, isCorrect, let totp, secret != nil, let step, facts.state(at: now) == .active else {
            let refusal = refusal(facts, isCorrect: isCorrect, hasCode: step != nil, at: now)
            failed(address: address, facts, source: source, at: now)
            throw refusal
        }
        guessing.forget(address: address)
        return Proof(
            facts: facts, authenticatorID: totp.id, assurance: totp.assurance, step: step, provedAt: now)
    }

    private func refusal(_ facts: AccountFacts?, isCorrect: Bool, hasCode: Bool, at now: Instant) -> Failure {
        guard let facts else { return .logInRefused(.account, "no account has this address") }
        let state = facts.state(at: now)
        guard state == .active else {
            return .logInRefused(.account, "the account \(facts.id) is \(state.rawValue)")
        }
        if facts.password == nil { return .logInRefused(.account, "the account \(facts.id) has no password") }
        guard isCorrect else { return .logInRefused(.account, "the password of \(facts.id) is wrong") }
        guard facts.totp != nil else {
            return .logInRefused(.secondFactor, "\(facts.id) has no second factor")
        }
        return .logInRefused(
            .secondFactor,
            hasCode
                ? "the secret of \(facts.id) cannot be opened" : "the one-time code of \(facts.id) is wrong")
    }

    /// Counts a wrong try. The account's lock is written beside the call: waiting for it would tell that there is one.
    func failed(address: String?, _ facts: AccountFacts?, source: String, at now: Instant) {
        guard case .locked = guessing.failed(address: address, source: source, at: now), let facts,
            facts.life != nil, facts.state(at: now) == .active
        else { return }
        let until = now.adding(milliseconds: rules.milliseconds(.lockMinutes))
        let (feed, logger) = (feed, logger)
        Task {
            do {
                try await store.write(actor: "account/lock") { transaction in
                    guard let fresh = try AccountFacts.find(id: facts.id, in: transaction),
                        fresh.state(at: transaction.now) == .active
                    else { return }
                    try AccountStore.move(
                        facts.id, from: .active, to: .locked, by: "account/lock",
                        reason: "too many wrong passwords or codes", lockedUntil: until, in: transaction)
                }
                feed.add(
                    .information(
                        .securityChange, facts.id, "The account was locked after wrong tries.", at: now))
            } catch {
                logger.error("lock not recorded", metadata: ["account": "\(facts.id)", "error": "\(error)"])
            }
        }
    }

    // MARK: Codes

    /// The account that a code opens.
    /// - Throws: `CODE_REFUSED`, always with the same words.
    func account(by text: String, _ purposes: [AccountCode.Purpose], source: String) throws -> (
        code: StoredCode, facts: AccountFacts
    ) {
        let now = clock.now
        if let wait = guessing.wait(address: nil, source: source, at: now) {
            throw Failure.codeRefused(wait.rawValue)
        }
        let found = try store.read { reader in
            guard let code = try StoredCode.find(text, in: reader) else {
                return (StoredCode, AccountFacts)?.none
            }
            return try AccountFacts.find(id: code.accountID, in: reader).map { (code, $0) }
        }
        guard let (code, facts) = found else {
            failed(address: nil, nil, source: source, at: now)
            throw Failure.codeRefused("there is no such code")
        }
        let wanted = purposes.contains(code.purpose) ? code.purpose : purposes[0]
        var obstacle = code.obstacle(to: wanted, at: now)
        if !facts.isEnabled || facts.state(at: now) == .dormant { obstacle = "the account is out of use" }
        if let obstacle {
            failed(address: nil, nil, source: source, at: now)
            throw Failure.codeRefused("\(obstacle); account \(facts.id)")
        }
        return (code, facts)
    }

    // MARK: Passwords

    /// - Throws: `FIELD_INVALID` naming the rule that the password breaks; `OVERLOADED`.
    func newPassword(
        _ password: String, field: String, for facts: AccountFacts, source: String
    ) async throws -> HashedPassword {
        let rule = PasswordRule(
            minimum: minimumLength(for: facts.id), maximum: rules[.passwordMaximum], words: .shipped,
            personal: [facts.name, facts.email])
        if let objection = rule.objection(to: password) {
            throw Failure.invalid(field, objection.rule, objection.message)
        }
        return try await hasher.hash(password, source: source)
    }

    func minimumLength(for accountID: String) -> Int {
        rules[isPrivileged(accountID) ? .passwordMinimumPrivileged : .passwordMinimum]
    }

    /// Whether the person holds, or will hold, a role that the catalogue calls privileged.
    func isPrivileged(_ accountID: String) -> Bool {
        let today = clock.today
        let catalogue = registry.catalogue.current(on: today)
        return registry.subject(accountID)?.grants.contains { grant in
            (grant.to.map { today < $0 } ?? true)
                && catalogue.entry(grant.role, on: today)?.isPrivileged ?? true
        } ?? false
    }

    // MARK: Changes

    /// Changes rows in the name of a person who has proved themselves, with the call's row in the audit. For methods
    /// whose reply is a secret, which must not be kept under an idempotency key.
    func change(
        _ call: CallContext, by personID: String, actingFor: String = "",
        _ body: @escaping @Sendable (any Transaction) throws -> Void
    ) async throws {
        let act = AuditedAct(
            personID: personID, clientID: call.caller.clientID, actingFor: actingFor,
            method: call.method.path, correlationID: call.correlationID)
        _ = try await store.commit(act, key: nil) { transaction in
            try body(transaction)
            return Pcs_Host_V1_LogOutResponse()
        }
    }

    // MARK: Resets

    /// Sees to a reset beside the call, so that its answer says nothing, by words or by time.
    func beginReset(email: String, source: String) {
        let now = clock.now
        guard guessing.wait(address: nil, source: source, at: now) == nil else { return }
        // Asking for resets is counted like guessing: one source cannot fill mailboxes.
        _ = guessing.failed(address: nil, source: source, at: now)
        guard resetsUnderWay.add(1, ordering: .relaxed).newValue <= 64 else {
            resetsUnderWay.subtract(1, ordering: .relaxed)
            return
        }
        Task {
            defer { resetsUnderWay.subtract(1, ordering: .relaxed) }
            do {
                try await reset(email: email.lowercased())
            } catch {
                logger.error("reset not recorded", metadata: ["error": "\(error)"])
            }
        }
    }

    private func reset(email: String) async throws {
        let (rules, invitations) = (rules, invitations)
        let isWanted = try store.read { try AccountFacts.find(email: email, in: $0) } != nil
        guard isWanted else { return }
        try await store.write(actor: "account/reset") { transaction in
            let now = transaction.now
            guard let facts = try AccountFacts.find(email: email, in: transaction), facts.password != nil,
                [.active, .locked].contains(facts.state(at: now))
            else { return }
            let purpose = AccountCode.Purpose.reset
            let sent = try transaction.first(
                AccountTables.codesSince,
                [.text(facts.id), .text(purpose.rawValue), .instant(now.adding(milliseconds: -3_600_000))]
            ) { Int($0.integer(0)) }
            guard (sent ?? 0) < rules[.resetsPerHour] else { return }
            _ = try invitations.issue(
                purpose, for: facts.id, lifeMilliseconds: rules.milliseconds(.resetMinutes), in: transaction)
        }
    }
}

extension AccountNotice {
    /// A notice that carries no code.
    static func information(_ kind: Kind, _ accountID: String, _ words: String, at now: Instant)
        -> AccountNotice
    {
        AccountNotice(
            kind: kind, accountID: accountID, code: "", usableFrom: now,
            expiresAt: now.adding(milliseconds: 7 * 86_400_000), words: words, madeAt: now)
    }
}
