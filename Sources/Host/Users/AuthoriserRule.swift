import HostContract
import PluginAPI

/// Who may sign for an administrator where there is none: GP partner, Caldicott Guardian, contact on the Authorised
/// Email List, ICB, in this order; listed and active at the organisation (identity-and-organisations.md 8.2).
struct AuthoriserRule {
    let registry: IdentityRegistry
    let today: CalendarDate

    /// - Throws: `FIELD_INVALID` or `ACCESS_DENIED`, saying why, which support tells the requester.
    func requireMayAuthorise(
        _ proposed: ProposedGrant, _ role: Role, at organisation: ODSCode, in reader: any Reader
    ) throws {
        guard (1...4).contains(proposed.authoriser) else {
            throw Failure.invalid("authoriser", "authoriser.kind", "Say who authorised it.")
        }
        guard let place = ODSCode(proposed.authoriserOrganisation) else {
            throw Failure.invalid(
                "authoriser_organisation_code", "ODS-1", "Say where the authoriser is listed.")
        }
        guard places(proposed.authoriser, organisation).contains(place) else {
            throw Failure.notGiven(
                "authoriserOrganisation", "the authoriser must be listed and active at \(organisation).",
                field: "authoriser_organisation_code")
        }
        var email = ""
        if !proposed.authoriserAccountID.isEmpty {
            guard
                try registry.openMembership(of: proposed.authoriserAccountID, at: place, in: reader) != nil
            else {
                throw Failure.notGiven(
                    "authoriserActive", "the authoriser is no active member of \(place).",
                    field: "authoriser_account_id")
            }
            email =
                try reader.first(IdentityTables.subject, [.text(proposed.authoriserAccountID)]) { $0.text(3) }
                ?? ""
        }
        guard proposed.authoriser == 3 else { return }
        let contacts = try reader.all(ProposalTables.contacts, [.text(place.value)]) { row in
            (name: row.text(5), email: row.text(4), isCurrent: row.isNull(6))
        }.filter(\.isCurrent)
        guard
            contacts.contains(where: {
                $0.name == proposed.authoriserName || $0.email.lowercased() == email.lowercased()
            })
        else {
            throw Failure.notGiven(
                "authoriserListed", "the authoriser is not on the Authorised Email List of \(place).",
                field: "authoriser_name")
        }
    }

    /// Where an authoriser of a kind may stand: the organisation; for the list also its commissioner, who signs for
    /// PCNs (8.1, PCN User Admin); for the last kind the ICB.
    private func places(_ kind: Int, _ organisation: ODSCode) -> [ODSCode] {
        let directory = registry.directory
        switch kind {
        case 3: return [organisation, directory.commissioner(of: organisation, at: today)].compactMap { $0 }
        case 4: return [directory.icb(of: organisation, at: today)].compactMap { $0 }
        default: return [organisation]
        }
    }
}
