import HostContract
import PluginAPI
import Synchronization

extension IdentityRegistry {
    struct IssuedToken: Sendable {
        let text: String
        let expiresInSeconds: Int32
    }

    /// Exchanges an assertion for an access token.
    ///
    /// - Throws: `ASSERTION_REFUSED`, always with the same words; why is in the audit.
    func issueToken(for compact: String, correlationID: String) async throws -> IssuedToken {
        let assertion = ClientAssertion(compact)
        do throws(AssertionRefusal) {
            guard let assertion else { throw .malformed }
            let now = clock.now
            let subject = subject(assertion.claims.subject)
            let seconds = Double(now.microsecondsSince1970) / 1_000_000
            if let refusal = AssertionCheck.refusal(
                of: assertion, subject: subject, audience: audience, seconds: seconds)
            {
                throw refusal
            }
            guard let subject else { throw .unknownSubject }
            let text = AccessTokens.makeText()
            try await use(assertion, of: subject)
            try insert(AccessTokens.Digest(text), subject: subject, keyID: assertion.keyID)
            return IssuedToken(text: text, expiresInSeconds: Int32(AccessTokens.lifeMilliseconds / 1_000))
        } catch {
            await record(error, subjectID: assertion?.claims.subject, correlationID: correlationID)
            throw error == .storage
                ? Failure(HostReasons.storageUnavailable) : Failure(HostReasons.assertionRefused)
        }
    }

    /// Makes the assertion's `jti` used, durably, so that a restart does not open the way to a replay.
    private func use(_ assertion: ClientAssertion, of subject: Subject) async throws(AssertionRefusal) {
        let used = UsedAssertion(subjectID: subject.id, jti: assertion.claims.identifier)
        let expiresAt = Instant(
            microsecondsSince1970: Int64((assertion.claims.expiresAt + AssertionCheck.skew) * 1_000_000))
        let isFirst = state.withLock { $0.assertions.updateValue(expiresAt, forKey: used) == nil }
        guard isFirst else { throw .replayed }
        let keyID = assertion.keyID
        let isNew: Bool
        do {
            isNew = try await store.write(actor: "identity/issue-token") { transaction in
                transaction.audit(
                    AuditNote(
                        object: "subject/\(used.subjectID)", detail: "access token issued for key \(keyID)"))
                // A key is used as a log-in is: it keeps the account from falling dormant, and opens none that has.
                let life = try transaction.first(AccountTables.life, [.text(used.subjectID)]) { $0.text(1) }
                guard life != AccountState.dormant.rawValue else { throw AssertionRefusal.disabledSubject }
                if life != nil {
                    try transaction.run(
                        AccountTables.loggedIn, [.text(used.subjectID), .instant(transaction.now)])
                }
                return try transaction.run(
                    IdentityTables.insertAssertion,
                    [.text(used.subjectID), .text(used.jti), .instant(expiresAt)]) == 1
            }
        } catch let refusal as AssertionRefusal {
            throw refusal
        } catch {
            // Nothing is durable: the same assertion may be tried again.
            state.withLock { $0.assertions[used] = nil }
            logger.error("assertion not recorded", metadata: ["error": "\(error)"])
            throw .storage
        }
        guard isNew else { throw .replayed }
    }

    /// The subject may have been disabled, or the key revoked, since the check.
    private func insert(_ digest: AccessTokens.Digest, subject: Subject, keyID: String)
        throws(AssertionRefusal)
    {
        let now = clock.now
        let refusal = state.withLock { state -> AssertionRefusal? in
            guard let current = state.subjects[subject.id], current.isActive else { return .disabledSubject }
            guard current.keys[keyID] != nil else { return .unknownKey }
            return state.tokens.insert(digest, subject: current, keyID: keyID, now: now)
                ? nil : .tooManyTokens
        }
        if let refusal { throw refusal }
    }

    private func record(_ refusal: AssertionRefusal, subjectID: String?, correlationID: String) async {
        guard let passed = refusals.pass(at: clock.now) else { return }
        let named = subjectID.flatMap { SubjectID.isValid($0) ? $0 : nil } ?? "(none)"
        let known = state.withLock { $0.subjects[named]?.kind }
        let act = AuditedAct(
            personID: known == .person ? named : nil, clientID: known == .client ? named : nil, actingFor: "",
            method: Pcs_Host_V1_IdentityServiceMethods.issueToken.path, correlationID: correlationID)
        let more = passed == 0 ? "" : "; \(passed) more refusals in the minute before were only counted"
        do {
            try await store.record(
                act, outcome: .refused, detail: "assertion of \(named) refused: \(refusal.rawValue)\(more)")
        } catch {
            logger.error("refusal not recorded", metadata: ["error": "\(error)"])
        }
    }
}

/// Bounds what strangers can make the host write: so many refusals a minute go to the audit, the rest are counted.
final class AssertionRefusalLimit: Sendable {
    static let perMinute = 120

    private struct Window {
        var minute: Int64 = 0
        var written = 0
        var counted = 0
        var countedBefore = 0
    }
    private let window = Mutex(Window())

    /// `nil` when this one is only counted; else how many were only counted since the last one written.
    func pass(at now: Instant) -> Int? {
        let minute = now.microsecondsSince1970 / 60_000_000
        return window.withLock { window in
            if minute != window.minute {
                window = Window(minute: minute, countedBefore: window.countedBefore + window.counted)
            }
            guard window.written < AssertionRefusalLimit.perMinute else {
                window.counted += 1
                return nil
            }
            window.written += 1
            defer { window.countedBefore = 0 }
            return window.countedBefore
        }
    }
}

/// The form of account and client ids, which share one name space.
enum SubjectID {
    static func isValid(_ text: String) -> Bool {
        (3...64).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || [0x2E, 0x5F, 0x2D].contains($0)
            }
    }
}
