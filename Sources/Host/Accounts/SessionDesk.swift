import HostContract
import PluginAPI

/// A session as it is opened.
struct OpenSession: Sendable {
    let token: String
    let id: TokenID
    let organisation: ODSCode?
    let provedAt: Instant
    let expiresAt: Instant
}

extension IdentityRegistry {
    /// Opens a session. The token's text is nowhere else.
    func openSession(
        of accountID: String, _ session: PersonSession, provedAt: Instant, expiresAt: Instant
    ) throws -> OpenSession {
        let text = AccessTokens.makeText()
        let digest = AccessTokens.Digest(text)
        let now = clock.now
        let (ended, listeners) = try state.withLock { state in
            guard let subject = state.subjects[accountID], subject.isActive else {
                throw Failure.logInRefused(.account, "the account \(accountID) is disabled")
            }
            let ended = state.tokens.insert(
                digest, session: session, subjectID: accountID, provedAt: provedAt, expiresAt: expiresAt,
                now: now)
            return (ended, state.listeners)
        }
        if ended != nil { for listener in listeners { listener(accountID) } }
        return OpenSession(
            token: text, id: digest.id, organisation: session.organisation, provedAt: provedAt,
            expiresAt: expiresAt)
    }

    /// The session that a call came by.
    /// - Throws: `STATE_WRONG` for callers who prove themselves otherwise.
    func session(of caller: Caller) throws -> (
        id: TokenID, record: AccessTokens.Record, session: PersonSession
    ) {
        guard let id = TokenID(caller.session), let record = state.withLock({ $0.tokens.record(id) }),
            let session = record.session
        else {
            throw Failure(
                HostReasons.stateWrong,
                "This call came by no session: who signs with a key gets a new token with another assertion.")
        }
        return (id, record, session)
    }

    func sessions(of accountID: String) -> [TokenID: AccessTokens.Record] {
        let now = clock.now
        return state.withLock { $0.tokens.sessions(of: accountID, at: now) }
    }

    /// Ends a token for new calls at once, and for what runs by it after the present reply has left.
    func endTokenAfterReply(_ id: TokenID) {
        let (record, listeners) = state.withLock { ($0.tokens.revoke(id), $0.listeners) }
        guard let record else { return }
        Task {
            try? await Task.sleep(for: .milliseconds(100))
            for listener in listeners { listener(record.subjectID) }
        }
    }

    /// Ends all sessions of a person but one.
    func endSessions(of accountID: String, but kept: TokenID?) {
        let listeners = state.withLock { state in
            for id in state.tokens.sessions(of: accountID, at: clock.now).keys where id != kept {
                _ = state.tokens.revoke(id)
            }
            return state.listeners
        }
        for listener in listeners { listener(accountID) }
    }

    /// Ends sessions whose time is over, on open connections too. The host looks every few seconds.
    func endOverdueSessions() {
        let now = clock.now
        let (subjects, listeners) = state.withLock { ($0.tokens.endOverdue(at: now), $0.listeners) }
        guard !subjects.isEmpty else { return }
        for subject in subjects { for listener in listeners { listener(subject) } }
    }
}

extension AccountKeeper {
    /// A new session after a full proof.
    func open(_ proof: Proof, at organisation: ODSCode?) throws -> OpenSession {
        try registry.openSession(
            of: proof.facts.id,
            PersonSession(
                organisation: organisation, assurance: proof.assurance,
                idleMilliseconds: rules.milliseconds(.sessionIdleMinutes)),
            provedAt: proof.provedAt,
            expiresAt: proof.provedAt.adding(milliseconds: rules.milliseconds(.sessionHours)))
    }

    func message(_ session: OpenSession, of accountID: String) -> Pcs_Host_V1_OpenedSession {
        .with {
            $0.accessToken = session.token
            $0.sessionID = session.id.description
            $0.accountID = accountID
            $0.organisationCode = session.organisation?.value ?? ""
            $0.organisationCodes = organisations(of: accountID)
            $0.expiresAt = .init(session.expiresAt)
            $0.idleMinutes = Int32(rules[.sessionIdleMinutes])
            $0.provedAt = .init(session.provedAt)
        }
    }

    /// Where the person is a member today.
    func organisations(of accountID: String) -> [String] {
        guard let subject = registry.subject(accountID) else { return [] }
        return registry.standing(of: subject).organisations.map(\.value).sorted()
    }
}
