import CommonContract
package import HostContract
package import PluginAPI
import SwiftProtobuf

/// Serves `pcs.host.v1.GrantProposalService`: support proposes with the authoriser's signature, a supervisor approves
/// (identity-and-organisations.md 8.2, 12).
package struct GrantProposalHandler: Pcs_Host_V1_GrantProposalService {
    private let registry: IdentityRegistry

    package init(registry: IdentityRegistry) { self.registry = registry }

    // MARK: Proposing

    package func proposeGrant(
        _ request: Pcs_Host_V1_ProposeGrantRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_GrantProposal {
        let proposed = try Self.checked(request)
        let organisation = try FieldCheck.code(request.organisationCode, "organisation_code")
        guard let name = WantedGrant.name(of: request.role) else {
            throw Failure.invalid("role", "grant.role", "There is no such role.")
        }
        let (today, caller) = (call.today, call.caller)
        let catalogue = registry.catalogue.current(on: today)
        guard let entry = catalogue.entry(Role(name), on: today) else {
            throw Failure.notGiven("catalogue", "there is no role \(name) in the catalogue today.")
        }
        try GivingRule(catalogue: catalogue, today: today).requireMayGive(entry, .proposal(""))
        try requireHeldThere(entry, organisation)
        try requireOthers(than: [proposed.accountID, proposed.authoriserAccountID], caller, "propose")
        let rule = AuthoriserRule(registry: registry, today: today)
        let registry = registry
        return try await call.commit { transaction in
            try registry.requirePerson(proposed.accountID, in: transaction)
            try rule.requireMayAuthorise(proposed, entry.role, at: organisation, in: transaction)
            var proposal = GrantProposal(
                id: transaction.newIdentifier(), organisation: organisation, role: entry.role,
                request: proposed, proposedBy: caller.responsible,
                lapsesAfter: today.adding(days: catalogue.parameters.proposalLapseDays), at: transaction.now)
            let holders = try Self.holders(of: proposal, today: today, in: transaction)
            proposal.digest = try Self.digest(of: proposal, holders, in: transaction)
            try proposal.insert(in: transaction)
            transaction.audit(
                AuditNote(
                    object: "proposal/\(proposal.id)", organisation: organisation.value,
                    detail: "proposed \(entry.role) for \(proposed.accountID), authorised by "
                        + "\(proposed.authoriserName), signature \(proposed.signatureReference)"))
            return Self.message(proposal, holders, isLapsed: false)
        }
    }

    private static func checked(_ request: Pcs_Host_V1_ProposeGrantRequest) throws -> ProposedGrant {
        var check = IdentityFields()
        let proposed = ProposedGrant(
            accountID: check.subjectID(request.accountID, "account_id"),
            authoriser: request.authoriser.rawValue,
            authoriserName: check.text(request.authoriserName, "authoriser_name", 3...200),
            authoriserAccountID: request.authoriserAccountID.isEmpty
                ? "" : check.subjectID(request.authoriserAccountID, "authoriser_account_id"),
            authoriserOrganisation: request.authoriserOrganisationCode,
            signatureReference: check.text(request.signatureReference, "signature_reference", 3...200),
            noEarlierAuthoriser: request.authoriser == .gpPartner
                ? "" : check.text(request.noEarlierAuthoriser, "no_earlier_authoriser", 3...500),
            reason: check.text(request.reason, "reason", 3...500),
            sightAcknowledged: request.sightAcknowledged)
        try check.finish()
        return proposed
    }

    private func requireHeldThere(_ entry: RoleCatalogue.Entry, _ organisation: ODSCode) throws {
        guard entry.kinds.contains(try registry.requireOpen(organisation)) else {
            throw Failure.notGiven(
                "organisationKind", "\(entry.label) is not held at this kind of organisation.",
                field: "organisation_code")
        }
    }

    /// The same person test is on the account, across organisations (12; section 16, example 15).
    private func requireOthers(than others: [String], _ caller: Caller, _ act: String) throws {
        guard !others.contains(caller.responsible) else {
            throw Failure(
                HostReasons.secondPersonRequired,
                "Refused by the clause samePerson: who gains by a proposal, or authorised it, does not \(act) it.",
                violations: [
                    Violation(field: "account_id", rule: "samePerson", message: "Ask another person.")
                ])
        }
    }

    // MARK: Deciding

    package func approveProposal(
        _ request: Pcs_Host_V1_ApproveProposalRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_GrantProposal {
        let (today, caller) = (call.today, call.caller)
        let registry = registry
        let open = try registry.store.read { try Self.proposal(request.proposalID, in: $0) }
        try requireOthers(
            than: [open.proposedBy, open.accountID, open.authoriserAccountID], caller, "approve")
        let entry = registry.catalogue.current(on: today).entry(open.role, on: today)
        let reply = try await call.commit { transaction in
            let proposal = try Self.proposal(request.proposalID, in: transaction)
            let holders = try Self.holders(of: proposal, today: today, in: transaction)
            try Self.requireApprovable(
                proposal, seen: request.digest, holders: holders, today: today, in: transaction)
            guard let organisation = ODSCode(proposal.organisation) else { throw Failure.notFound("") }
            // Exactly one: the present holder's grant ends with the beginning of the new one (example 6).
            if entry?.mostHolders == 1 {
                for holder in holders {
                    try registry.revoke(
                        holder, reason: "replaced through proposal \(proposal.id)", by: caller.responsible,
                        in: transaction)
                }
            }
            try registry.addMembership(
                of: proposal.accountID, at: organisation, from: today, reason: proposal.reason,
                givenBy: caller.responsible, in: transaction)
            let given = try registry.giveRole(
                RoleGift(
                    subjectID: proposal.accountID, role: proposal.role, organisation: organisation,
                    from: today, reason: proposal.reason, givenBy: caller.responsible,
                    authority: .proposal(proposal.id), acknowledgesSight: proposal.sightAcknowledged),
                in: transaction)
            try Self.decide(proposal, "approved", caller, "", grantID: given.grantID, in: transaction)
            var message = Self.message(
                try Self.proposal(proposal.id, in: transaction), holders, isLapsed: false)
            message.warnings = given.warnings
            return message
        }
        for id in try Self.affected(reply, registry: registry) {
            try registry.refresh(id)
            if id != reply.accountID { registry.endTokens(of: id) }
        }
        return reply
    }

    /// The checker names what the maker saw; what has changed since must be proposed anew.
    private static func requireApprovable(
        _ proposal: GrantProposal, seen: String, holders: [GrantRow], today: CalendarDate,
        in transaction: any Transaction
    ) throws {
        guard proposal.state == "open" else {
            throw Failure(HostReasons.stateWrong, "The proposal is \(proposal.state) already.")
        }
        guard today <= proposal.lapsesAfter else {
            throw Failure.inTheWay(
                "lapsed", "the proposal lapsed after \(proposal.lapsesAfter); propose anew.",
                field: "proposal_id")
        }
        guard seen == proposal.digest else {
            throw Failure.inTheWay(
                "digest", "this is not what the maker saw; read the proposal again.", field: "digest")
        }
        guard try digest(of: proposal, holders, in: transaction) == proposal.digest else {
            throw Failure.inTheWay(
                "objectChanged", "the person, the organisation or the holders changed since; propose anew.",
                field: "proposal_id")
        }
    }

    package func rejectProposal(
        _ request: Pcs_Host_V1_RejectProposalRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_GrantProposal {
        try FieldCheck.reason(request.reason)
        let (today, caller) = (call.today, call.caller)
        return try await call.commit { transaction in
            let proposal = try Self.proposal(request.proposalID, in: transaction)
            guard proposal.state == "open" else {
                throw Failure(HostReasons.stateWrong, "The proposal is \(proposal.state) already.")
            }
            try Self.decide(proposal, "rejected", caller, request.reason, grantID: "", in: transaction)
            try UserMessages.tell(
                person: proposal.proposedBy,
                UserMessages.Words(
                    title: "A proposal of a role was rejected",
                    body: "\(proposal.role) at \(proposal.organisation): \(request.reason)"),
                about: "proposal/\(proposal.id)", at: proposal.organisation,
                key: transaction.newIdentifier(), in: transaction)
            let holders = try Self.holders(of: proposal, today: today, in: transaction)
            return Self.message(try Self.proposal(proposal.id, in: transaction), holders, isLapsed: false)
        }
    }

    private static func decide(
        _ proposal: GrantProposal, _ state: String, _ caller: Caller, _ reason: String, grantID: String,
        in transaction: any Transaction
    ) throws {
        try transaction.run(
            ProposalTables.decide,
            [
                .text(proposal.id), .text(state), .text(caller.responsible), .instant(transaction.now),
                .text(reason), .text(grantID),
            ])
        transaction.audit(
            AuditNote(
                object: "proposal/\(proposal.id)", organisation: proposal.organisation,
                detail: "\(state) \(proposal.role) for \(proposal.accountID)"
                    + (reason.isEmpty ? "" : ": \(reason)")))
    }

    // MARK: Reading

    package func listProposals(
        _ request: Pcs_Host_V1_ListProposalsRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_ListProposalsResponse {
        let today = call.today
        return try registry.store.read { reader in
            let rows = try reader.all(
                ProposalTables.proposals,
                [.text(request.organisationCode), .integer(request.includeDecided ? 1 : 0)],
                GrantProposal.init(row:))
            return try .with {
                $0.proposals = try rows.map { proposal in
                    let holders = try Self.holders(of: proposal, today: today, in: reader)
                    let isLapsed =
                        try proposal.state == "open"
                        && (today > proposal.lapsesAfter
                            || Self.digest(of: proposal, holders, in: reader) != proposal.digest)
                    return Self.message(proposal, holders, isLapsed: isLapsed)
                }
            }
        }
    }

    private static func proposal(_ id: String, in reader: any Reader) throws -> GrantProposal {
        guard
            let proposal = try reader.first(
                ProposalTables.proposal, [.text(id)], GrantProposal.init(row:))
        else { throw Failure.notFound("There is no such proposal.") }
        return proposal
    }

    private static func holders(
        of proposal: GrantProposal, today: CalendarDate, in reader: any Reader
    ) throws -> [GrantRow] {
        try reader.all(
            UserTables.grantsOfRoleAt, [.text(proposal.organisation), .text(proposal.role.name)],
            GrantRow.init(row:)
        ).filter { $0.to.map { today < $0 } ?? true && $0.subjectID != proposal.accountID }
    }

    private static func digest(
        of proposal: GrantProposal, _ holders: [GrantRow], in reader: any Reader
    ) throws -> String {
        let person =
            try reader.first(IdentityTables.subject, [.text(proposal.accountID)]) {
                [$0.text(2), $0.text(3), $0.text(8)]
            } ?? []
        return Seen.digest(
            [
                proposal.id, proposal.organisation, proposal.accountID, proposal.role.name,
                "\(proposal.authoriser)", proposal.authoriserName, proposal.authoriserAccountID,
                proposal.authoriserOrganisation, proposal.signatureReference, proposal.noEarlierAuthoriser,
                proposal.reason, proposal.proposedBy,
            ] + person + holders.map(\.id))
    }

    private static func affected(
        _ reply: Pcs_Host_V1_GrantProposal, registry: IdentityRegistry
    ) throws -> [String] {
        [reply.accountID] + reply.presentHolders.filter { $0 != reply.accountID }
    }

    private static func message(
        _ proposal: GrantProposal, _ holders: [GrantRow], isLapsed: Bool
    ) -> Pcs_Host_V1_GrantProposal {
        .with {
            $0.proposalID = proposal.id
            $0.organisationCode = proposal.organisation
            $0.accountID = proposal.accountID
            $0.role = WantedGrant.role(named: proposal.role.name)
            $0.authoriser = Pcs_Host_V1_AuthoriserKind(rawValue: proposal.authoriser) ?? .unspecified
            $0.authoriserName = proposal.authoriserName
            $0.authoriserAccountID = proposal.authoriserAccountID
            $0.authoriserOrganisationCode = proposal.authoriserOrganisation
            $0.signatureReference = proposal.signatureReference
            $0.noEarlierAuthoriser = proposal.noEarlierAuthoriser
            $0.reason = proposal.reason
            switch proposal.state {
            case "approved": $0.state = .approved
            case "rejected": $0.state = .rejected
            default: $0.state = isLapsed ? .lapsed : .open
            }
            $0.proposedBy = proposal.proposedBy
            $0.proposedAt = Google_Protobuf_Timestamp(proposal.proposedAt)
            $0.decidedBy = proposal.decidedBy
            $0.decisionReason = proposal.decisionReason
            $0.lapsesAfter = Pcs_Common_V1_Date(proposal.lapsesAfter)
            $0.digest = proposal.digest
            $0.presentHolders = holders.map(\.subjectID)
            $0.grantID = proposal.grantID
        }
    }
}
