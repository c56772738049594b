import HostContract
import PluginAPI

/// Where an account is in its life (identity-and-organisations.md 7).
enum AccountState: String, Sendable {
    case invited, active, locked, dormant, disabled

    var message: Pcs_Host_V1_AccountState {
        switch self {
        case .invited: .invited
        case .active: .active
        case .locked: .locked
        case .dormant: .dormant
        case .disabled: .disabled
        }
    }
}

/// A row of an account's life. People who prove themselves by key alone have none.
struct AccountLife: Sendable {
    let accountID: String
    let state: AccountState
    let since: Instant
    let lockedUntil: Instant?
    let lastLogInAt: Instant?
    let warnedAt: Instant?
    let lapsedAt: Instant?

    init?(row: any Row) {
        guard let state = AccountState(rawValue: row.text(1)) else { return nil }
        accountID = row.text(0)
        self.state = state
        since = row.instant(2)
        lockedUntil = row.optionalInstant(3)
        lastLogInAt = row.optionalInstant(4)
        warnedAt = row.optionalInstant(5)
        lapsedAt = row.optionalInstant(6)
    }

    /// A lock that has passed counts no longer.
    func state(at now: Instant) -> AccountState {
        if state == .locked, let lockedUntil, lockedUntil <= now { return .active }
        return state
    }

    /// From when dormancy counts.
    var lastSeenAt: Instant { max(lastLogInAt ?? since, since) }
}

/// An authenticator that has not ended.
struct StoredAuthenticator: Sendable {
    let id: String
    let kind: String
    let assurance: Int
    let sealedSecret: [UInt8]
    let isConfirmed: Bool

    init(row: any Row) {
        id = row.text(0)
        kind = row.text(1)
        assurance = Int(row.integer(2))
        sealedSecret = row.blob(3)
        isConfirmed = !row.isNull(4)
    }
}

/// What is known of an account when somebody stands at the door.
struct AccountFacts: Sendable {
    let id: String
    let name: String
    let email: String
    let isEnabled: Bool
    let life: AccountLife?
    let password: HashedPassword?
    let authenticators: [StoredAuthenticator]

    static func find(email: String, in reader: any Reader) throws -> AccountFacts? {
        let id = try reader.first(IdentityTables.subjectByEmail, [.text(email)]) { $0.text(0) }
        return try id.flatMap { try find(id: $0, in: reader) }
    }

    static func find(id: String, in reader: any Reader) throws -> AccountFacts? {
        let subject = try reader.first(IdentityTables.subject, [.text(id)]) { row in
            (kind: row.text(1), name: row.text(2), email: row.text(3), isEnabled: row.bool(8))
        }
        guard let subject, subject.kind == Subject.Kind.person.rawValue else { return nil }
        return AccountFacts(
            id: id, name: subject.name, email: subject.email, isEnabled: subject.isEnabled,
            life: try reader.first(AccountTables.life, [.text(id)], AccountLife.init(row:)) ?? nil,
            password: try reader.first(AccountTables.password, [.text(id)], HashedPassword.init(row:)),
            authenticators: try reader.all(
                AccountTables.authenticators, [.text(id)], StoredAuthenticator.init(row:)))
    }

    var address: String { email.lowercased() }

    /// The one-time-code authenticator that proves the person.
    var totp: StoredAuthenticator? { authenticators.last { $0.kind == "totp" && $0.isConfirmed } }
    /// One that is enrolled and waits for its first code.
    var unconfirmed: StoredAuthenticator? { authenticators.last { !$0.isConfirmed } }

    func state(at now: Instant) -> AccountState {
        guard isEnabled else { return .disabled }
        return life?.state(at: now) ?? .active
    }
}

extension Row {
    func optionalInstant(_ column: Int) -> Instant? { isNull(column) ? nil : instant(column) }
}

/// Rows of an account as they change.
enum AccountStore {
    /// Moves the account to another state, and keeps how it came to it.
    static func move(
        _ accountID: String, from old: AccountState?, to new: AccountState, by: String, reason: String,
        lockedUntil: Instant? = nil, in transaction: any Transaction
    ) throws {
        try transaction.run(
            AccountTables.setState,
            [
                .text(accountID), .text(new.rawValue), .instant(transaction.now),
                .optional(lockedUntil?.microsecondsSince1970),
            ])
        try transaction.run(
            AccountTables.insertHistory,
            [
                .text(transaction.newIdentifier()), .text(accountID), .optional(old?.rawValue),
                .text(new.rawValue), .instant(transaction.now), .text(by), .text(reason),
            ])
        transaction.audit(
            AuditNote(
                object: "account/\(accountID)",
                detail: "\(old?.rawValue ?? "new") to \(new.rawValue): \(reason)"))
    }

    static func replacePassword(
        of accountID: String, by hashed: HashedPassword, in transaction: any Transaction
    ) throws {
        try transaction.run(AccountTables.endPasswords, [.text(accountID), .instant(transaction.now)])
        try transaction.run(
            AccountTables.insertPassword,
            [
                .text(transaction.newIdentifier()), .text(accountID), .blob(hashed.salt), .blob(hashed.hash),
                .integer(hashed.cost.rounds), .integer(hashed.cost.blockSize),
                .integer(hashed.cost.parallelism), .instant(transaction.now),
            ])
    }

    /// Enrols a second factor; it proves nothing until its first code is seen.
    static func enrol(
        _ sealedSecret: [UInt8], of accountID: String, in transaction: any Transaction
    ) throws {
        try transaction.run(AccountTables.endUnconfirmed, [.text(accountID), .instant(transaction.now)])
        try transaction.run(
            AccountTables.insertAuthenticator,
            [
                .text(transaction.newIdentifier()), .text(accountID), .blob(sealedSecret),
                .instant(transaction.now),
            ])
    }

    /// Puts an enrolled second factor in the place of those before it.
    static func confirm(
        _ authenticatorID: String, of accountID: String, step: Int64, ending reason: String,
        in transaction: any Transaction
    ) throws {
        try transaction.run(
            AccountTables.endConfirmed, [.text(accountID), .instant(transaction.now), .text(reason)])
        try transaction.run(
            AccountTables.confirmAuthenticator,
            [.text(authenticatorID), .instant(transaction.now), .integer(step)])
    }

    /// The code must serve in the very transaction that uses it up.
    static func requireCode(
        _ text: String, for purpose: AccountCode.Purpose, in transaction: any Transaction
    ) throws -> StoredCode {
        guard let code = try StoredCode.find(text, in: transaction),
            code.obstacle(to: purpose, at: transaction.now) == nil
        else { throw Failure.codeRefused("the code was used or replaced meanwhile") }
        return code
    }

    static func use(_ text: String, in transaction: any Transaction) throws {
        let used = try transaction.run(
            AccountTables.useCode, [.text(AccountCode.hash(of: text)), .instant(transaction.now)])
        guard used == 1 else { throw Failure.codeRefused("the code was used meanwhile") }
    }
}

extension Failure {
    /// The same words whatever the cause, which only the audit learns.
    static func logInRefused(_ clause: AccessClause, _ words: String) -> Failure {
        Failure(
            HostReasons.logInRefused,
            cause: AuditedCause(words: "Refused by the clause \(clause.rawValue): \(words)."))
    }

    /// The same words whatever the cause, which only the audit learns.
    static func codeRefused(_ words: String) -> Failure {
        Failure(HostReasons.codeRefused, cause: AuditedCause(words: "Code refused: \(words)."))
    }
}
