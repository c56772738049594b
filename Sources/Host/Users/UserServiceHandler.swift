import CommonContract
package import HostContract
package import PluginAPI
import Synchronization

/// Serves `pcs.host.v1.UserService`: people at an organisation and the roles they are given there
/// (identity-and-organisations.md 7 to 9).
package final class UserServiceHandler: Pcs_Host_V1_UserService {
    /// Invites the person of a new account; the code is told once.
    package typealias Invite =
        @Sendable (_ accountID: String, _ transaction: any Transaction) throws -> (
            code: String, expiresAt: Instant
        )

    let registry: IdentityRegistry
    private let invite: Invite

    package init(registry: IdentityRegistry, invite: @escaping Invite) {
        self.registry = registry
        self.invite = invite
    }

    // MARK: Accounts and memberships

    package func createUser(
        _ request: Pcs_Host_V1_CreateUserRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_CreateUserResponse {
        var check = IdentityFields()
        let name = check.text(request.name, "name", 1...200)
        let email = check.email(request.email, "email")
        let reason = check.text(request.reason, "reason", 3...500)
        try check.finish()
        let organisation = try FieldCheck.code(request.organisationCode, "organisation_code")
        let (caller, today) = (call.caller, call.today)
        // The stored reply never holds the code: it leaves the transaction beside it.
        let invited = Mutex<(code: String, expiresAt: Instant)?>(nil)
        let (registry, invite) = (registry, invite)
        var reply = try await call.commit { transaction in
            try Self.requireUnknown(email, in: transaction)
            let id = transaction.newIdentifier().lowercased()
            try transaction.run(
                IdentityTables.insertSubject,
                [
                    .text(id), .text(Subject.Kind.person.rawValue), .text(name), .text(email),
                    .text(email.lowercased()), .text(""), .text(""), .text(""), .null,
                    .instant(transaction.now), .text(caller.responsible),
                ])
            transaction.audit(
                AuditNote(
                    object: "subject/\(id)", organisation: organisation.value,
                    detail: "user created: \(name): \(reason)"))
            try registry.addMembership(
                of: id, at: organisation, from: today, reason: reason, givenBy: caller.responsible,
                in: transaction)
            let invitation = try invite(id, transaction)
            invited.withLock { $0 = invitation }
            return try Pcs_Host_V1_CreateUserResponse.with {
                $0.user = try UserList(registry: registry, today: today).user(
                    id, at: organisation.value, in: transaction)
                $0.activationExpiresAt = .init(invitation.expiresAt)
            }
        }
        try registry.refresh(reply.user.accountID)
        if let invitation = invited.withLock({ $0 }) { reply.activationCode = invitation.code }
        return reply
    }

    /// Example 10: the administrator is told what to do instead.
    private static func requireUnknown(_ email: String, in transaction: any Transaction) throws {
        guard
            try transaction.first(
                IdentityTables.subjectByEmail, [.text(email.lowercased())], { $0.text(0) }) == nil
        else {
            throw Failure(
                HostReasons.alreadyExists,
                "An account has this e-mail address. Add the existing user instead: UserService/AddExistingUser.",
                violations: [
                    Violation(
                        field: "email", rule: "email.addExistingUser",
                        message: "Another account has this address; add the existing user.")
                ])
        }
    }

    package func addExistingUser(
        _ request: Pcs_Host_V1_AddExistingUserRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_User {
        try FieldCheck.reason(request.reason)
        let organisation = try FieldCheck.code(request.organisationCode, "organisation_code")
        let (caller, today) = (call.caller, call.today)
        let registry = registry
        let user = try await call.commit { transaction in
            let id = try Self.account(request, in: transaction)
            try registry.requirePerson(id, in: transaction)
            guard try registry.openMembership(of: id, at: organisation, in: transaction) == nil else {
                throw Failure(HostReasons.alreadyExists, "The person is a member of \(organisation) already.")
            }
            try registry.addMembership(
                of: id, at: organisation, from: today, reason: request.reason, givenBy: caller.responsible,
                in: transaction)
            try UserMessages.tell(
                person: id,
                UserMessages.Words(
                    title: "You were added to an organisation",
                    body: "You are now a user of \(organisation), without roles. Its administrators give you "
                        + "those that you need."),
                about: "membership/\(id)", at: organisation.value, key: transaction.newIdentifier(),
                in: transaction)
            return try UserList(registry: registry, today: today).user(
                id, at: organisation.value, in: transaction)
        }
        try registry.refresh(user.accountID)
        return user
    }

    private static func account(
        _ request: Pcs_Host_V1_AddExistingUserRequest, in transaction: any Transaction
    ) throws -> String {
        guard request.email.isEmpty != request.accountID.isEmpty else {
            throw Failure.invalid("email", "user.named", "Name the e-mail address or the account.")
        }
        if !request.accountID.isEmpty { return request.accountID }
        let found = try transaction.first(
            IdentityTables.subjectByEmail, [.text(request.email.lowercased())], { $0.text(0) })
        guard let found else { throw Failure.notFound("No account has this e-mail address.") }
        return found
    }

    package func deactivateMembership(
        _ request: Pcs_Host_V1_DeactivateMembershipRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_User {
        try FieldCheck.reason(request.reason)
        let organisation = try FieldCheck.code(request.organisationCode, "organisation_code")
        let (caller, today) = (call.caller, call.today)
        let registry = registry
        let isNational = GiverStanding(registry: registry, caller: caller, today: today)
            .isNationalAdministrator
        let user = try await call.commit { transaction in
            try registry.endMembership(
                of: request.accountID, at: organisation, reason: request.reason, by: caller.responsible,
                mayEndMainContact: isNational, in: transaction)
            return try UserList(registry: registry, today: today).user(
                request.accountID, at: organisation.value, in: transaction)
        }
        try registry.refresh(user.accountID)
        registry.endTokens(of: user.accountID)
        return user
    }

    package func reactivateMembership(
        _ request: Pcs_Host_V1_ReactivateMembershipRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_User {
        try FieldCheck.reason(request.reason)
        let organisation = try FieldCheck.code(request.organisationCode, "organisation_code")
        let (caller, today) = (call.caller, call.today)
        let registry = registry
        let user = try await call.commit { transaction in
            let past = try transaction.all(
                UserTables.membershipsOf, [.text(request.accountID)], MembershipRow.init(row:)
            ).filter { $0.organisation == organisation.value }
            guard !past.isEmpty else {
                throw Failure.notFound("The person was never a member of \(organisation); add them.")
            }
            guard !past.contains(where: \.isOpen) else {
                throw Failure(HostReasons.stateWrong, "The membership is active.")
            }
            try registry.addMembership(
                of: request.accountID, at: organisation, from: today, reason: request.reason,
                givenBy: caller.responsible, in: transaction)
            return try UserList(registry: registry, today: today).user(
                request.accountID, at: organisation.value, in: transaction)
        }
        try registry.refresh(user.accountID)
        return user
    }
}
