import HostContract
import PluginAPI

/// Who may give which role: a pure question to the catalogue (identity-and-organisations.md 8, 9, cqrs.md USR-5).
struct GivingRule {
    let catalogue: RoleCatalogue
    let today: CalendarDate

    /// - Throws: `ACCESS_DENIED` with the clause: `wrongService`, `wrongLevel`, `notGiven`, `adminRolesOnly`,
    ///   `proposalNeeded`.
    func requireMayGive(_ entry: RoleCatalogue.Entry, _ authority: RoleGift.Authority) throws {
        switch authority {
        case .installation, .migration: return
        case .registration:
            guard entry.atRegistration else {
                throw Failure.notGiven("notGiven", "\(entry.label) is not given at registration.")
            }
        case .proposal:
            guard entry.isAdministrator, entry.givers.contains(where: { $0.level == .pcse }) else {
                throw Failure.notGiven(
                    "adminRolesOnly",
                    "PCSE gives administrator roles only; \(entry.label) is given by "
                        + givers(of: entry) + ".")
            }
        case .holder(let roles, let levels):
            try requireHolderMayGive(entry, roles: roles, levels: levels)
        }
    }

    private func requireHolderMayGive(
        _ entry: RoleCatalogue.Entry, roles: Set<Role>, levels: Set<RoleCatalogue.Level>
    ) throws {
        if entry.givers.contains(where: {
            $0.level != .pcse && roles.contains($0.role) && levels.contains($0.level)
        }) {
            return
        }
        if levels.contains(.national), roles.contains(Role("PCSE_SUPPORT")) {
            return try requireSupportMayGive(entry)
        }
        if entry.givers.contains(where: { $0.level != .pcse && roles.contains($0.role) }) {
            throw Failure.notGiven(
                "wrongLevel", "\(entry.label) is given by \(givers(of: entry)); the giver stands elsewhere.")
        }
        let services = Set(
            roles.compactMap { catalogue.entry($0, on: today) }.filter(\.isAdministrator).map(\.service))
        guard services.contains(entry.service) else {
            throw Failure.notGiven(
                "wrongService",
                "an administrator gives roles of its own service only; \(entry.label) is given by "
                    + givers(of: entry) + ".")
        }
        throw Failure.notGiven("notGiven", "\(entry.label) is given by \(givers(of: entry)).")
    }

    /// Until 10 December 2025 PCSE gave working roles too; from then only administrator roles, which a supervisor
    /// approves (S3, S16; section 16, example 8).
    private func requireSupportMayGive(_ entry: RoleCatalogue.Entry) throws {
        guard entry.givers.contains(where: { $0.level == .pcse }) else {
            throw Failure.notGiven("notGiven", "\(entry.label) is given by \(givers(of: entry)).")
        }
        if entry.isAdministrator {
            throw Failure.notGiven(
                "proposalNeeded", "PCSE support proposes \(entry.label), and a supervisor approves.")
        }
        let turn = catalogue.parameters.supportGivesAdministratorsOnlyFrom
        guard today < turn else {
            throw Failure.notGiven(
                "adminRolesOnly",
                "since \(turn) PCSE gives administrator roles only; \(entry.label) is given by "
                    + givers(of: entry) + ".")
        }
    }

    /// In words, for the refusal that says who can.
    func givers(of entry: RoleCatalogue.Entry) -> String {
        let words = entry.givers.map { giver in
            let label = catalogue.entry(giver.role, on: today)?.label ?? giver.role.name
            switch giver.level {
            case .own: return "\(label) of the organisation"
            case .commissioner: return "\(label) of its commissioner"
            case .icb: return "\(label) of its ICB"
            case .region: return "\(label) of its region"
            case .national: return label
            case .pcse: return "PCSE"
            }
        }
        return words.joined(separator: ", ")
    }
}

/// Which roles of one natural person do not go together (identity-and-organisations.md 12): a pure question.
struct SeparationOfDuties {
    let catalogue: RoleCatalogue
    let today: CalendarDate

    /// A role that a person holds somewhere.
    struct Held: Hashable, Sendable {
        let role: Role
        let organisation: String
    }

    struct Finding: Hashable, Sendable {
        let conflict: RoleCatalogue.Conflict
        let held: Held

        var words: String {
            "\(conflict.first) and \(conflict.second) on one person: \(conflict.why)"
                + " (\(held.role) is held at \(held.organisation))"
        }
    }

    func findings(giving role: Role, at organisation: String, to holder: [Held]) -> [Finding] {
        catalogue.conflicts.filter { $0.holds(on: today) }.flatMap { conflict -> [Finding] in
            let other: Role
            if conflict.first == role {
                other = conflict.second
            } else if conflict.second == role {
                other = conflict.first
            } else {
                return []
            }
            return holder.filter { held in
                held.role == other && (conflict.scope == .anywhere || held.organisation == organisation)
            }.map { Finding(conflict: conflict, held: $0) }
        }
    }
}

/// Whose e-mail addresses a role takes (USR-2).
enum EmailRule {
    private static let domains = ["nhs.net", "nhs.uk"]
    /// First parts of addresses that name an office instead of a person.
    private static let generic: Set<String> = [
        "accounts", "admin", "administration", "billing", "claims", "contact", "enquiries", "finance", "gp",
        "help", "helpdesk", "info", "invoices", "mail", "manager", "office", "payments", "pcn", "pharmacy",
        "post", "practice", "prescriptions", "reception", "referrals", "secretary", "support", "surgery",
        "team",
    ]

    /// `nil` when the address is fine.
    static func objection(to email: String, _ rule: RoleCatalogue.EmailRule) -> String? {
        switch rule {
        case .any: return nil
        case .nhs:
            return isNHS(email) ? nil : "its holders have an address of nhs.net or nhs.uk."
        case .named: return namesPerson(email) ? nil : "the address must name a person, not an office."
        case .nhsOrNamed:
            return isNHS(email) || namesPerson(email)
                ? nil : "the address is of nhs.net or nhs.uk, or names a person."
        }
    }

    static func isNHS(_ email: String) -> Bool {
        guard let domain = email.lowercased().split(separator: "@").last else { return false }
        return domains.contains { domain == $0 || domain.hasSuffix("." + $0) }
    }

    private static func namesPerson(_ email: String) -> Bool {
        guard let local = email.lowercased().split(separator: "@").first else { return false }
        let words = local.split { !$0.isLetter }
        return !words.isEmpty && !words.contains { generic.contains(String($0)) }
    }
}
