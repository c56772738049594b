import HostContract
package import PluginAPI

/// An invitation to an account, as it is told once.
package struct Invitation: Sendable {
    /// Secret; on disk is only its hash.
    package let code: String
    package let expiresAt: Instant
}

/// Gives out the codes by which people come into their accounts.
package final class InvitationBook: Sendable {
    let feed: NoticeFeed
    let rules: AccountRules

    package init(feed: NoticeFeed, rules: AccountRules) {
        self.feed = feed
        self.rules = rules
    }

    /// Invites the person of an account: its state becomes `INVITED`, an earlier invitation ends, and the new code goes
    /// into the feed of notices as soon as the transaction is durable. The subject's row must exist in it.
    ///
    /// The returned code is for a caller who has no system that sends mail. Keep it out of the reply that `commit`
    /// stores under the idempotency key: set it on the reply afterwards.
    ///
    /// - Throws: `STATE_WRONG` when the account has been activated before.
    package func issueInvitation(for accountID: String, in transaction: any Transaction) throws -> Invitation
    {
        let life = try transaction.first(AccountTables.life, [.text(accountID)]) { row in row.text(1) }
        switch life {
        case nil:
            try transaction.run(
                AccountTables.insertLife,
                [.text(accountID), .text("invited"), .instant(transaction.now)])
            try transaction.run(
                AccountTables.insertHistory,
                [
                    .text(transaction.newIdentifier()), .text(accountID), .null, .text("invited"),
                    .instant(transaction.now), .text("invitation"), .text("invited"),
                ])
        case "invited": break
        case .some:
            throw Failure(HostReasons.stateWrong, "The account has been activated; it needs no invitation.")
        }
        let code = try issue(
            .invitation, for: accountID, lifeMilliseconds: rules.milliseconds(.invitationHours),
            in: transaction)
        return Invitation(code: code.text, expiresAt: code.expiresAt)
    }

    /// A new code of one purpose; earlier ones of the same purpose end.
    func issue(
        _ purpose: AccountCode.Purpose, for accountID: String, delayMilliseconds: Int64 = 0,
        lifeMilliseconds: Int64, in transaction: any Transaction
    ) throws -> (text: String, expiresAt: Instant) {
        let now = transaction.now
        let usableFrom = now.adding(milliseconds: delayMilliseconds)
        let expiresAt = usableFrom.adding(milliseconds: lifeMilliseconds)
        let code = AccountCode.random()
        try transaction.run(
            AccountTables.revokeCodes, [.text(accountID), .text(purpose.rawValue), .instant(now)])
        try transaction.run(
            AccountTables.insertCode,
            [
                .text(code.hash), .text(accountID), .text(purpose.rawValue), .instant(now),
                .instant(usableFrom), .instant(expiresAt),
            ])
        transaction.audit(
            AuditNote(
                object: "account/\(accountID)", detail: "\(purpose.rawValue) code issued"))
        feed.add(
            AccountNotice(
                kind: purpose.notice, accountID: accountID, code: code.text, usableFrom: usableFrom,
                expiresAt: expiresAt, words: "", madeAt: now))
        return (code.text, expiresAt)
    }
}

extension AccountCode.Purpose {
    fileprivate var notice: AccountNotice.Kind {
        switch self {
        case .invitation: .invitation
        case .reset: .passwordReset
        case .secondFactor: .secondFactorReset
        }
    }
}
