import CommonContract
import HostContract
package import PluginAPI

// Memberships and grants, as they are made within a transaction. Whoever calls brings memory up to date with
// `refresh` when the transaction is durable.
extension IdentityRegistry {
    /// Makes a person a member of an organisation. One who is a member already stays what they are.
    ///
    /// - Throws: `NOT_FOUND` when there is no such person; `FIELD_INVALID` when the organisation is unknown or closed.
    package func addMembership(
        of accountID: String, at organisation: ODSCode, from: CalendarDate, reason: String, givenBy: String,
        in transaction: any Transaction
    ) throws {
        try requirePerson(accountID, in: transaction)
        guard try openMembership(of: accountID, at: organisation, in: transaction) == nil else { return }
        try requireOpen(organisation)
        try transaction.run(
            UserTables.insertMembership,
            [
                .text(transaction.newIdentifier()), .text(accountID), .text(organisation.value), .date(from),
                .text(givenBy), .instant(transaction.now), .text(reason),
            ])
        transaction.audit(
            AuditNote(
                object: "subject/\(accountID)", organisation: organisation.value,
                detail: "membership at \(organisation) from \(from): \(reason)"))
    }

    /// Gives a role, when the catalogue lets its authority give it there: the role exists, the organisation is of one of
    /// its kinds, the person is a member, the limits of holders keep, nothing that the person holds anywhere refuses it,
    /// the address suits, and what the holder will see was acknowledged.
    ///
    /// - Throws: `ACCESS_DENIED` or `STATE_WRONG` with the clause as the violation's rule; nothing has changed then.
    package func giveRole(_ gift: RoleGift, in transaction: any Transaction) throws -> GivenRole {
        let today = clock.today
        let catalogue = catalogue.current(on: today)
        guard let entry = catalogue.entry(gift.role, on: today) ?? gift.unlistedEntry else {
            throw Failure.notGiven("catalogue", "there is no role \(gift.role) in the catalogue today.")
        }
        try GivingRule(catalogue: catalogue, today: today).requireMayGive(entry, gift.authority)
        let kind = try requireOpen(gift.organisation)
        if !gift.isInstallation, !entry.kinds.contains(kind) {
            throw Failure.notGiven(
                "organisationKind", "\(entry.label) is not held at this kind of organisation.",
                field: "organisation_code")
        }
        try requirePeriod(gift, today: today)
        try requireMember(gift, in: transaction)
        try requireNoOverlap(gift, in: transaction)
        try requireRoom(for: gift, entry, in: transaction)
        try requireSuitable(gift, entry, in: transaction)
        let warnings = try separation(gift, catalogue, today: today, in: transaction)
        return GivenRole(grantID: try write(gift, entry, in: transaction), warnings: warnings)
    }

    private func write(
        _ gift: RoleGift, _ entry: RoleCatalogue.Entry, in transaction: any Transaction
    ) throws -> String {
        let id = transaction.newIdentifier()
        try transaction.run(
            UserTables.insertGrant,
            [
                .text(id), .text(gift.subjectID), .text(gift.role.name), .text(gift.organisation.value),
                .date(gift.from), .date(gift.to), .text(gift.givenBy), .instant(transaction.now),
                .text(gift.reason), .text(gift.paymentTypes.joined(separator: "\n")),
                .text(gift.acknowledgesSight ? entry.sight : ""), .text(gift.basis),
            ])
        // Allowed, and shown to whoever reads the audit (identity-and-organisations.md 12, role to self).
        let mark = gift.givenBy == gift.subjectID ? "ROLE TO SELF: " : ""
        let sight =
            gift.acknowledgesSight && entry.isSensitive ? "; sight of sensitive data acknowledged" : ""
        transaction.audit(
            AuditNote(
                object: "subject/\(gift.subjectID)", organisation: gift.organisation.value,
                detail: "\(mark)granted \(gift.role) at \(gift.organisation) from \(gift.from)"
                    + (gift.to.map { " until before \($0)" } ?? "") + ": \(gift.reason)\(sight)"))
        return id
    }

    // MARK: What must hold

    func requirePerson(_ id: String, in reader: any Reader) throws {
        let kind = try reader.first(IdentityTables.subject, [.text(id)]) { $0.text(1) }
        guard kind == Subject.Kind.person.rawValue else {
            throw Failure(
                HostReasons.notFound, "There is no such person.",
                violations: [
                    Violation(field: "account_id", rule: "subject.known", message: "No account has this id.")
                ])
        }
    }

    /// - Returns: its kind in the catalogue's words.
    @discardableResult
    func requireOpen(_ organisation: ODSCode) throws -> RoleCatalogue.Kind {
        guard let entry = directory.organisation(organisation, at: clock.today), entry.status != .inactive
        else {
            throw Failure.invalid(
                "organisation_code", "grant.organisation", "The organisation is unknown or closed.")
        }
        return RoleCatalogue.Kind(entry.kind)
    }

    func openMembership(
        of accountID: String, at organisation: ODSCode, in reader: any Reader
    ) throws -> MembershipRow? {
        try reader.first(
            UserTables.openMembership, [.text(accountID), .text(organisation.value)],
            MembershipRow.init(row:))
    }

    private func requirePeriod(_ gift: RoleGift, today: CalendarDate) throws {
        guard gift.from >= today else {
            throw Failure.invalid("valid_from", "grant.not_backdated", "A grant begins today or later.")
        }
        if let to = gift.to, to <= gift.from {
            throw Failure.invalid(
                "valid_to", "grant.period",
                "The end is a day after valid_from; it is the first day without the role.")
        }
    }

    private func requireMember(_ gift: RoleGift, in transaction: any Transaction) throws {
        if gift.isInstallation { return }
        try requirePerson(gift.subjectID, in: transaction)
        let membership = try openMembership(
            of: gift.subjectID, at: gift.organisation, in: transaction)
        guard let membership, membership.from <= gift.from else {
            throw Failure.inTheWay(
                "membership", "the person is no member of \(gift.organisation); add them first.",
                field: "account_id")
        }
    }

    /// The same role at the same organisation twice at a time would outlive its revocation.
    private func requireNoOverlap(_ gift: RoleGift, in transaction: any Transaction) throws {
        let overlaps = try transaction.all(
            UserTables.grantsOf, [.text(gift.subjectID)], GrantRow.init(row:)
        ).contains { other in
            !other.isRevoked && other.role == gift.role && other.organisation == gift.organisation.value
                && (gift.to.map { other.from < $0 } ?? true) && (other.to.map { gift.from < $0 } ?? true)
        }
        if overlaps {
            throw Failure(HostReasons.alreadyExists, "The subject holds this role there in that period.")
        }
    }

    /// On no day of the period may more hold the role than the catalogue lets (examples 6 and 7).
    private func requireRoom(
        for gift: RoleGift, _ entry: RoleCatalogue.Entry, in transaction: any Transaction
    ) throws {
        guard let most = entry.mostHolders else { return }
        let others = try transaction.all(
            UserTables.grantsOfRoleAt, [.text(gift.organisation.value), .text(gift.role.name)],
            GrantRow.init(row:)
        ).filter { $0.subjectID != gift.subjectID }
        let beginnings = others.map(\.from).filter { day in
            day > gift.from && gift.to.map { day < $0 } ?? true
        }
        let days = [gift.from] + beginnings
        for day in days where Set(others.filter { $0.holds(on: day) }.map(\.subjectID)).count >= most {
            throw Failure.inTheWay(
                "limit.\(IdentityRegistry.words[most] ?? String(most))",
                "\(gift.organisation) has \(most) of \(entry.label) on \(day), and may have no more.")
        }
    }

    private static let words = [1: "one", 2: "two", 3: "three", 4: "four"]

    private func requireSuitable(
        _ gift: RoleGift, _ entry: RoleCatalogue.Entry, in transaction: any Transaction
    ) throws {
        if !gift.paymentTypes.isEmpty, !entry.takesPaymentTypes {
            throw Failure.notGiven(
                "paymentTypes", "\(entry.label) is not restricted by payment type.", field: "payment_types")
        }
        if gift.isInstallation { return }
        if entry.isSensitive, !gift.acknowledgesSight {
            throw Failure.notGiven(
                "sight", "acknowledge what the holder will see: \(entry.sight)",
                field: "sight_acknowledged")
        }
        let email =
            try transaction.first(IdentityTables.subject, [.text(gift.subjectID)]) { $0.text(3) } ?? ""
        if let objection = EmailRule.objection(to: email, entry.email) {
            throw Failure.notGiven("email", "\(entry.label): \(objection)", field: "account_id")
        }
    }

    /// - Returns: what is allowed and told.
    private func separation(
        _ gift: RoleGift, _ catalogue: RoleCatalogue, today: CalendarDate, in transaction: any Transaction
    ) throws -> [String] {
        let held = try transaction.all(
            UserTables.grantsOf, [.text(gift.subjectID)], GrantRow.init(row:)
        ).filter { !$0.isRevoked && $0.to.map { today < $0 } ?? true }.map {
            SeparationOfDuties.Held(role: $0.role, organisation: $0.organisation)
        }
        let findings = SeparationOfDuties(catalogue: catalogue, today: today).findings(
            giving: gift.role, at: gift.organisation.value, to: held)
        if !gift.isInstallation, let refusing = findings.first(where: { $0.conflict.effect == .refuse }) {
            throw Failure.inTheWay("separation", refusing.words + ".")
        }
        for finding in findings {
            transaction.audit(
                AuditNote(
                    object: "subject/\(gift.subjectID)", organisation: gift.organisation.value,
                    detail: "SEPARATION OF DUTIES: \(finding.words)"))
        }
        return findings.map(\.words)
    }
}
