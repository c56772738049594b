package import HostContract
package import PluginAPI

/// Serves `pcs.host.v1.AuthorisedContactService`: the list changes only at the word of a current contact for the same
/// subject (identity-and-organisations.md 8.2, S12; section 16, example 12).
package struct AuthorisedContactHandler: Pcs_Host_V1_AuthorisedContactService {
    private let registry: IdentityRegistry

    package init(registry: IdentityRegistry) { self.registry = registry }

    struct Contact: Hashable, Sendable {
        var id: String
        var organisation: String
        var subject: String
        var email: String
        var key: String
        var name: String
        var isCurrent: Bool

        init(row: any Row) {
            id = row.text(0)
            organisation = row.text(1)
            subject = row.text(2)
            email = row.text(3)
            key = row.text(4)
            name = row.text(5)
            isCurrent = row.isNull(6)
        }

        var message: Pcs_Host_V1_AuthorisedContact {
            .with {
                $0.contactID = id
                $0.organisationCode = organisation
                $0.subject = subject
                $0.email = email
                $0.name = name
                $0.current = isCurrent
            }
        }
    }

    package func changeContact(
        _ request: Pcs_Host_V1_ChangeContactRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_AuthorisedContact {
        let organisation = try FieldCheck.code(request.organisationCode, "organisation_code")
        let words = try Self.checked(
            subject: request.subject, email: request.email, name: request.end ? "ended" : request.name,
            reason: request.reason)
        let caller = call.caller
        return try await call.commit { transaction in
            let current = try transaction.all(
                ProposalTables.currentContacts, [.text(organisation.value), .text(words.subject)],
                Contact.init(row:))
            try Self.requireContact(caller, among: current, words.subject, in: transaction)
            let known = current.first { $0.key == words.email.lowercased() }
            guard request.end else {
                guard known == nil else {
                    throw Failure(HostReasons.alreadyExists, "This address is a contact for it already.")
                }
                return try Self.add(
                    words, request.name, at: organisation, by: caller, in: transaction
                ).message
            }
            guard var known else { throw Failure.notFound("There is no such contact.") }
            // Without any contact nobody could ask again.
            guard current.count > 1 else {
                throw Failure.inTheWay(
                    "lastContact", "name another contact for \(words.subject) first.", field: "email")
            }
            try transaction.run(
                ProposalTables.endContact,
                [
                    .text(known.id), .text(caller.responsible), .instant(transaction.now),
                    .text(words.reason),
                ])
            transaction.audit(
                AuditNote(
                    object: "contact/\(known.id)", organisation: organisation.value,
                    detail: "ended as contact for \(words.subject): \(words.reason)"))
            known.isCurrent = false
            return known.message
        }
    }

    /// An unauthorised request is refused, and the requester is told who can ask.
    private static func requireContact(
        _ caller: Caller, among current: [Contact], _ subject: String, in transaction: any Transaction
    ) throws {
        let email =
            try caller.personID.flatMap { id in
                try transaction.first(IdentityTables.subject, [.text(id)]) { $0.text(3).lowercased() }
            } ?? ""
        if !email.isEmpty, current.contains(where: { $0.key == email }) { return }
        let names = current.map { "\($0.name) <\($0.email)>" }
        let words =
            names.isEmpty
            ? "nobody is listed for it; a PCSE supervisor sets the first contact."
            : "ask one of: \(names.joined(separator: ", "))."
        throw Failure(
            HostReasons.accessDenied,
            "Refused by the clause contactForSubject: a change for \(subject) is asked by a current contact for "
                + "it; \(words)",
            violations: [Violation(field: "subject", rule: "contactForSubject", message: words)])
    }

    package func setFirstContact(
        _ request: Pcs_Host_V1_SetFirstContactRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_AuthorisedContact {
        let organisation = try FieldCheck.code(request.organisationCode, "organisation_code")
        try registry.requireOpen(organisation)
        let words = try Self.checked(
            subject: request.subject, email: request.email, name: request.name, reason: request.reason)
        let caller = call.caller
        return try await call.commit { transaction in
            let current = try transaction.all(
                ProposalTables.currentContacts, [.text(organisation.value), .text(words.subject)],
                Contact.init(row:))
            guard current.isEmpty else {
                throw Failure.inTheWay(
                    "contactForSubject", "there are contacts for \(words.subject); they name others.",
                    field: "subject")
            }
            return try Self.add(words, request.name, at: organisation, by: caller, in: transaction).message
        }
    }

    private struct Words: Sendable {
        var subject: String
        var email: String
        var reason: String
    }

    private static func checked(subject: String, email: String, name: String, reason: String) throws -> Words
    {
        var check = IdentityFields()
        let words = Words(
            subject: check.text(subject, "subject", 3...100), email: check.email(email, "email"),
            reason: check.text(reason, "reason", 3...500))
        _ = check.text(name, "name", 3...200)
        try check.finish()
        return words
    }

    private static func add(
        _ words: Words, _ name: String, at organisation: ODSCode, by caller: Caller,
        in transaction: any Transaction
    ) throws -> Contact {
        let id = transaction.newIdentifier()
        try transaction.run(
            ProposalTables.insertContact,
            [
                .text(id), .text(organisation.value), .text(words.subject), .text(words.email),
                .text(words.email.lowercased()), .text(name), .text(caller.responsible),
                .instant(transaction.now), .text(words.reason),
            ])
        transaction.audit(
            AuditNote(
                object: "contact/\(id)", organisation: organisation.value,
                detail: "added as contact for \(words.subject): \(words.reason)"))
        let added = try transaction.all(
            ProposalTables.currentContacts, [.text(organisation.value), .text(words.subject)],
            Contact.init(row:)
        ).first { $0.id == id }
        guard let added else { throw Failure.notFound("There is no such contact.") }
        return added
    }

    package func listContacts(
        _ request: Pcs_Host_V1_ListContactsRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_ListContactsResponse {
        let organisation = try FieldCheck.code(request.organisationCode, "organisation_code")
        return try registry.store.read { reader in
            try .with {
                $0.contacts = try reader.all(
                    ProposalTables.contacts, [.text(organisation.value)], Contact.init(row:)
                ).filter(\.isCurrent).map(\.message)
            }
        }
    }
}
