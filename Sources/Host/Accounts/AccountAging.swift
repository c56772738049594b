import HostContract
import PluginAPI

// Accounts that nobody uses (identity-and-organisations.md 7): warned of, set dormant, and at last without grants.
extension AccountKeeper {
    /// Looks at every account once. Safe to run again.
    /// - Returns: one line for the operator.
    func age() async throws -> String {
        let now = clock.now
        let lives = try store.read { try $0.all(AccountTables.lives, [], AccountLife.init(row:)) }.compactMap
        { $0 }
        var (warned, dormant, lapsed) = (0, 0, 0)
        for life in lives {
            switch stage(of: life, at: now) {
            case .none: break
            case .warn:
                _ = try await store.write(actor: "job/account-aging") { transaction in
                    try transaction.run(
                        AccountTables.warned, [.text(life.accountID), .instant(transaction.now)])
                }
                feed.add(
                    .information(
                        .dormancyWarning, life.accountID, "The account becomes dormant unless it is used.",
                        at: now))
                warned += 1
            case .sleep:
                try await store.write(actor: "job/account-aging") { transaction in
                    try AccountStore.move(
                        life.accountID, from: life.state, to: .dormant, by: "job/account-aging",
                        reason: "no log-in for long", in: transaction)
                }
                registry.endTokens(of: life.accountID)
                dormant += 1
            case .lapse:
                try await lapse(life.accountID)
                lapsed += 1
            }
        }
        return "\(warned) warned, \(dormant) dormant, \(lapsed) without grants"
    }

    private enum Stage { case none, warn, sleep, lapse }

    private func stage(of life: AccountLife, at now: Instant) -> Stage {
        func isPast(_ rule: AccountRules.Name) -> Bool {
            life.lastSeenAt.adding(milliseconds: rules.milliseconds(rule)) <= now
        }
        switch life.state {
        case .active, .locked:
            if isPast(.dormancyDays) { return .sleep }
            return life.warnedAt == nil && isPast(.dormancyWarningDays) ? .warn : .none
        case .dormant:
            guard life.lapsedAt == nil else { return .none }
            // Counted from the same log-in; an account that never saw one counts from when it fell dormant.
            let seen = life.lastLogInAt ?? life.since
            return seen.adding(milliseconds: rules.milliseconds(.grantsLapseDays)) <= now ? .lapse : .none
        case .invited, .disabled: return .none
        }
    }

    private func lapse(_ accountID: String) async throws {
        try await store.write(actor: "job/account-aging") { transaction in
            let grants = try transaction.all(IdentityTables.grantsOf, [.text(accountID)]) { row in
                (id: row.text(0), role: row.text(2), organisation: row.text(3), isRevoked: !row.isNull(8))
            }
            for grant in grants where !grant.isRevoked {
                try transaction.run(
                    IdentityTables.revokeGrant,
                    [
                        .text(grant.id), .instant(transaction.now), .text("job/account-aging"),
                        .text("the account was dormant for long"),
                    ])
                transaction.audit(
                    AuditNote(
                        object: "subject/\(accountID)", organisation: grant.organisation,
                        detail: "\(grant.role) lapsed: the account was dormant for long"))
            }
            try transaction.run(AccountTables.lapsed, [.text(accountID), .instant(transaction.now)])
        }
        try registry.refresh(accountID)
        registry.endTokens(of: accountID)
    }
}
