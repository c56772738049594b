import CommonContract
import HostContract

/// The people of the demonstration: one who runs the payments, two who approve them.
enum DemoPeople {
    struct Person: Sendable {
        let id: String
        let name: String
        let role: Pcs_Access_V1_Role
    }

    static let payer = Person(
        id: "olivia.payments", name: "Olivia Payments (demonstration)", role: .paymentsOperator)
    static let firstApprover = Person(
        id: "arthur.approver", name: "Arthur Approver (demonstration)", role: .paymentsApprover)
    static let secondApprover = Person(
        id: "amina.approver", name: "Amina Approver (demonstration)", role: .paymentsApprover)
    static let all = [payer, firstApprover, secondApprover]

    /// Registers whoever is missing, with a key and a role at the national body. Safe to run again.
    ///
    /// - Parameter session: of the local operator.
    /// - Returns: how many were new.
    static func register(_ session: Session) async throws -> Int {
        let known = try await session.identity.listSubjects(.init())
        var added = 0
        for person in all {
            if !known.people.contains(where: { $0.personID == person.id }) {
                var request = Pcs_Host_V1_CreatePersonRequest()
                request.personID = person.id
                request.name = person.name
                request.email = "\(person.id)@example.org"
                _ = try await session.identity.createPerson(request, options: session.change())
                added += 1
            }
            let keys = session.settings.keys
            let key = keys.has(person.id) ? try keys.key(of: person.id) : try keys.makeKey(for: person.id)
            if !known.keys.contains(where: { $0.subjectID == person.id && $0.keyID == key.keyID }) {
                try await KeyRegistration.register(key, of: person.id, session)
            }
            let holds = known.grants.contains { grant in
                grant.subjectID == person.id && grant.role == person.role && grant.organisationCode == "PCS"
                    && grant.revokedBy.isEmpty
            }
            if !holds {
                var request = Pcs_Host_V1_GrantRoleRequest()
                request.subjectID = person.id
                request.role = person.role
                request.organisationCode = "PCS"
                request.reason = "Demonstration"
                _ = try await session.identity.grantRole(request, options: session.change())
            }
        }
        return added
    }
}
