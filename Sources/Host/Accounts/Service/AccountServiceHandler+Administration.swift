import HostContract
import PluginAPI
import Synchronization

// What administrators do about accounts, and the feed of notices.
extension AccountServiceHandler {
    /// The account, when the caller's organisation is a national body or the person belongs to it.
    private func account(_ id: String, for call: CallContext) throws -> AccountFacts {
        let found = try keeper.store.read { try AccountFacts.find(id: id, in: $0) }
        guard let facts = found, isNational(call) || belongs(id, to: call.caller.actingFor) else {
            throw Failure(
                HostReasons.notFound, "There is no such account, or not at this organisation.",
                violations: [
                    Violation(field: "account_id", rule: "account.known", message: "No such account here.")
                ])
        }
        return facts
    }

    private func isNational(_ call: CallContext) -> Bool {
        guard let acting = ODSCode(call.caller.actingFor) else { return false }
        return registry.directory.organisation(acting, at: call.today)?.kind == .national
    }

    private func belongs(_ id: String, to organisation: String) -> Bool {
        guard let code = ODSCode(organisation), let subject = registry.subject(id) else { return false }
        return registry.standing(of: subject).isMember(at: code)
            || subject.memberships.contains { $0.organisation == code }
    }

    func invite(
        _ request: Pcs_Host_V1_InviteRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_InviteResponse {
        let facts = try account(request.accountID, for: call)
        let isTold = isNational(call)
        let invitations = keeper.invitations
        let code = Mutex("")
        var reply = try await call.commit { transaction in
            let invitation = try invitations.issueInvitation(for: facts.id, in: transaction)
            code.withLock { $0 = invitation.code }
            return Pcs_Host_V1_InviteResponse.with { $0.expiresAt = .init(invitation.expiresAt) }
        }
        // Not part of what is kept under the idempotency key.
        if isTold { reply.code = code.withLock { $0 } }
        return reply
    }

    func unlockAccount(
        _ request: Pcs_Host_V1_ChangeAccountRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_Account {
        let facts = try account(request.accountID, for: call)
        let reply = try await move(facts, from: [.locked], to: .active, request.reason, call)
        keeper.guessing.forget(address: facts.address)
        return reply
    }

    func disableAccount(
        _ request: Pcs_Host_V1_ChangeAccountRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_Account {
        let facts = try account(request.accountID, for: call)
        let reply = try await move(
            facts, from: [.invited, .active, .locked, .dormant], to: .disabled, request.reason, call)
        registry.endTokens(of: facts.id)
        return reply
    }

    func reactivateAccount(
        _ request: Pcs_Host_V1_ChangeAccountRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_Account {
        let facts = try account(request.accountID, for: call)
        // A disabled account was disabled nationally: an organisation does not undo that.
        return try await move(
            facts, from: isNational(call) ? [.dormant, .disabled] : [.dormant], to: .active, request.reason,
            call)
    }

    private func move(
        _ facts: AccountFacts, from: Set<AccountState>, to new: AccountState, _ reason: String,
        _ call: CallContext
    ) async throws -> Pcs_Host_V1_Account {
        try FieldCheck.reason(reason)
        let author = call.caller.responsible
        let reply = try await call.commit { transaction in
            guard let fresh = try AccountFacts.find(id: facts.id, in: transaction) else {
                throw Failure(HostReasons.notFound)
            }
            let old = fresh.state(at: transaction.now)
            guard from.contains(old) else {
                throw Failure(HostReasons.stateWrong, "The account is \(old.rawValue).")
            }
            try transaction.run(
                IdentityTables.setActive, [.text(facts.id), .integer(new == .disabled ? 0 : 1)])
            // An invited person who was disabled still has to come in.
            let isNew = new == .active && old == .disabled && fresh.password == nil && fresh.life != nil
            try AccountStore.move(
                facts.id, from: old, to: isNew ? .invited : new, by: author, reason: reason, in: transaction)
            return try Self.message(facts.id, in: transaction)
        }
        try registry.refresh(facts.id)
        return reply
    }

    func vouchForPerson(
        _ request: Pcs_Host_V1_ChangeAccountRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_VouchForPersonResponse {
        try FieldCheck.reason(request.reason)
        let facts = try account(request.accountID, for: call)
        try call.requireOtherPerson(than: facts.id, step: "Vouching for a person")
        let delay = keeper.isPrivileged(facts.id) ? rules.milliseconds(.secondFactorDelayHours) : 0
        let (rules, invitations) = (rules, keeper.invitations)
        return try await call.commit { transaction in
            let state = try AccountFacts.find(id: facts.id, in: transaction)?.state(at: transaction.now)
            guard let state, [.active, .locked].contains(state), facts.password != nil else {
                throw Failure(
                    HostReasons.stateWrong, "Only for accounts in use; others are reactivated or invited.")
            }
            _ = try invitations.issue(
                .secondFactor, for: facts.id, delayMilliseconds: delay,
                lifeMilliseconds: rules.milliseconds(.invitationHours), in: transaction)
            transaction.audit(
                AuditNote(
                    object: "account/\(facts.id)",
                    detail: "vouched for the person, whose second factor is lost: \(request.reason)"))
            return .with { $0.usableFrom = .init(transaction.now.adding(milliseconds: delay)) }
        }
    }

    func getAccount(
        _ request: Pcs_Host_V1_GetAccountRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_Account {
        let facts = try account(request.accountID, for: call)
        return try keeper.store.read { try Self.message(facts.id, in: $0, at: call.now) }
    }

    private static func message(_ id: String, in transaction: any Transaction) throws -> Pcs_Host_V1_Account {
        try message(id, in: transaction, at: transaction.now)
    }

    private static func message(
        _ id: String, in reader: any Reader, at now: Instant
    ) throws -> Pcs_Host_V1_Account {
        guard let facts = try AccountFacts.find(id: id, in: reader) else {
            throw Failure(HostReasons.notFound)
        }
        let history = try reader.all(AccountTables.history, [.text(id)]) { row in
            Pcs_Host_V1_AccountChange.with {
                $0.state = AccountState(rawValue: row.text(1))?.message ?? .unspecified
                $0.changedAt = .init(row.instant(2))
                $0.changedBy = row.text(3)
                $0.reason = row.text(4)
            }
        }
        return .with {
            $0.accountID = id
            $0.name = facts.name
            $0.email = facts.email
            $0.state = facts.state(at: now).message
            if let life = facts.life {
                $0.since = .init(life.since)
                if let at = life.lastLogInAt { $0.lastLogInAt = .init(at) }
            }
            $0.history = history
        }
    }

    // MARK: Notices

    /// A little less than the method's time limit, so that the stream ends in order and the sender asks again.
    private static let streamSeconds: UInt64 = 590

    func streamNotices(
        _ request: Pcs_Host_V1_StreamNoticesRequest, _ replies: ReplyStream<Pcs_Host_V1_Notice>,
        _ call: CallContext
    ) async throws {
        let end = MonotonicTime.now + Self.streamSeconds * 1_000_000_000
        let store = keeper.store
        repeat {
            let ready = try keeper.feed.take(at: call.now) { code in
                try store.read { try StoredCode.find(code, in: $0) } != nil
            }
            for (index, notice) in ready.enumerated() {
                do {
                    try await replies.send(try message(notice))
                } catch {
                    keeper.feed.putBack(Array(ready[index...]))
                    throw error
                }
            }
            if request.onlyWaiting, ready.isEmpty { return }
            if ready.isEmpty { try await Task.sleep(for: .milliseconds(200)) }
        } while MonotonicTime.now < end
    }

    private func message(_ notice: AccountNotice) throws -> Pcs_Host_V1_Notice {
        let facts = try keeper.store.read { try AccountFacts.find(id: notice.accountID, in: $0) }
        return .with {
            $0.kind = notice.kind.message
            $0.accountID = notice.accountID
            $0.name = facts?.name ?? ""
            $0.email = facts?.email ?? ""
            $0.code = notice.code
            $0.usableFrom = .init(notice.usableFrom)
            $0.expiresAt = .init(notice.expiresAt)
            $0.words = notice.words
        }
    }
}

extension AccountNotice.Kind {
    fileprivate var message: Pcs_Host_V1_NoticeKind {
        switch self {
        case .invitation: .invitation
        case .passwordReset: .passwordReset
        case .secondFactorReset: .secondFactorReset
        case .dormancyWarning: .dormancyWarning
        case .securityChange: .securityChange
        }
    }
}
