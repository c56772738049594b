import CommonContract
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import Host

extension UsersBench {
    func proposals(_ subject: TestSubject?) async throws -> Pcs_Host_V1_GrantProposalServiceClient {
        Pcs_Host_V1_GrantProposalServiceClient(try await host.transport(.inProcess, as: subject))
    }

    static func proposal(
        _ role: Pcs_Access_V1_Role, for account: String, partner: String = ""
    ) -> Pcs_Host_V1_ProposeGrantRequest {
        .with {
            $0.organisationCode = practice
            $0.accountID = account
            $0.role = role
            $0.authoriser = .gpPartner
            $0.authoriserName = "Dr A Partner"
            $0.authoriserAccountID = partner
            $0.authoriserOrganisationCode = practice
            $0.signatureReference = "form 4711"
            $0.reason = "no administrator exists"
            $0.sightAcknowledged = true
        }
    }

    func approved(
        _ role: Pcs_Access_V1_Role, for account: String, _ support: TestSubject, _ supervisor: TestSubject
    ) async throws -> Pcs_Host_V1_GrantProposal {
        let proposal = try await proposals(support).proposeGrant(Self.proposal(role, for: account))
        return try await proposals(supervisor).approveProposal(
            .with {
                $0.proposalID = proposal.proposalID
                $0.digest = proposal.digest
            })
    }
}

@Suite("Roles that PCSE proposes, contacts, the catalogue")
struct RolesProposalTests {
    @Test(
        "example 15: who authorised it, proposed it or gains by it does not approve it, whatever else they become"
    )
    func example15() async throws {
        try await UsersBench.with { bench in
            let support = try await bench.host.person("support", roles: [Roles.pcseSupport])
            let partner = try await bench.member("partner")
            _ = try await bench.member("candidate")
            let open = try await bench.proposals(support).proposeGrant(
                UsersBench.proposal(.gppUserAdministrator, for: "candidate", partner: "partner"))
            #expect(open.state == .open && !open.digest.isEmpty)
            // The partner is employed by PCSE later: the same account, a supervisor now.
            let employed = try await bench.host.grant([Roles.pcseSupervisor], at: "PCS", to: partner).acting(
                for: "PCS")
            let request = Pcs_Host_V1_ApproveProposalRequest.with {
                $0.proposalID = open.proposalID
                $0.digest = open.digest
            }
            let refused = await failure { try await bench.proposals(employed).approveProposal(request) }
            #expect(refused?.reason == HostReasons.secondPersonRequired && refused?.clause == "samePerson")
            #expect(try await bench.roles(of: "candidate").isEmpty)
            let supervisor = try await bench.host.person("supervisor", roles: [Roles.pcseSupervisor])
            #expect(try await bench.proposals(supervisor).approveProposal(request).state == .approved)
            #expect(try await bench.roles(of: "candidate") == [.gppUserAdministrator])
        }
    }

    @Test("a proposal gives administrator roles only, and lapses after 30 days or when its object changed")
    func lapses() async throws {
        let clock = ManualClock.atStart
        try await UsersBench.with(clock) { bench in
            let support = try await bench.host.person("support", roles: [Roles.pcseSupport])
            let supervisor = try await bench.host.person("supervisor", roles: [Roles.pcseSupervisor])
            _ = try await bench.member("candidate")
            _ = try await bench.member("other")
            let working = await failure {
                try await bench.proposals(support).proposeGrant(
                    UsersBench.proposal(.practiceClaimsViewer, for: "candidate"))
            }
            #expect(working?.clause == "adminRolesOnly")
            let changed = try await bench.proposals(support).proposeGrant(
                UsersBench.proposal(.gppUserAdministrator, for: "candidate"))
            _ = try await bench.approved(.gppUserAdministrator, for: "other", support, supervisor)
            let stale = await failure {
                try await bench.proposals(supervisor).approveProposal(
                    .with {
                        $0.proposalID = changed.proposalID
                        $0.digest = changed.digest
                    })
            }
            #expect(stale?.clause == "objectChanged")
            let late = try await bench.proposals(support).proposeGrant(
                UsersBench.proposal(.gppUserAdministrator, for: "candidate"))
            clock.advance(days: 31)
            let lapsed = await failure {
                try await bench.proposals(supervisor).approveProposal(
                    .with {
                        $0.proposalID = late.proposalID
                        $0.digest = late.digest
                    })
            }
            #expect(lapsed?.clause == "lapsed")
            let listed = try await bench.proposals(supervisor).listProposals(.init()).proposals
            #expect(listed.allSatisfy { $0.state == .lapsed } && listed.count == 2)
        }
    }

    @Test("example 12: a contact for Bed Data does not change GP Payments, and is told who can")
    func example12() async throws {
        try await UsersBench.with { bench in
            let supervisor = try await bench.host.person("supervisor", roles: [Roles.pcseSupervisor])
            let contacts = Pcs_Host_V1_AuthorisedContactServiceClient(
                try await bench.host.transport(.inProcess, as: supervisor))
            for (subject, id) in [("Bed Data", "beds"), ("GP Payments - General", "payer")] {
                _ = try await contacts.setFirstContact(
                    .with {
                        $0.organisationCode = UsersBench.commissioner
                        $0.subject = subject
                        $0.email = "\(id)@example.nhs.uk"
                        $0.name = "Contact \(id)"
                        $0.reason = "first list"
                    })
            }
            let beds = try await bench.member("beds", at: UsersBench.commissioner)
            let payer = try await bench.member("payer", at: UsersBench.commissioner)
            let change = Pcs_Host_V1_ChangeContactRequest.with {
                $0.organisationCode = UsersBench.commissioner
                $0.subject = "GP Payments - General"
                $0.email = "colleague@nhs.net"
                $0.name = "A Colleague"
                $0.reason = "joins the team"
            }
            let asBeds = Pcs_Host_V1_AuthorisedContactServiceClient(
                try await bench.host.transport(.inProcess, as: beds))
            let refused = await failure { try await asBeds.changeContact(change) }
            #expect(refused?.clause == "contactForSubject")
            #expect(refused?.message.contains("payer@example.nhs.uk") == true)
            let asPayer = Pcs_Host_V1_AuthorisedContactServiceClient(
                try await bench.host.transport(.inProcess, as: payer))
            #expect(try await asPayer.changeContact(change).current)
        }
    }

    @Test("the shipped catalogue reads, and lists every role of the contract with somebody who gives it")
    func catalogue() throws {
        let catalogue = try RoleCatalogueFile.shipped.catalogue()
        let listed = Set(catalogue.entries.keys)
        #expect(Set(Roles.all).subtracting(listed) == [Roles.member])
        let today = try #require(CalendarDate(year: 2026, month: 3, day: 16))
        for entry in catalogue.entries(on: today) {
            #expect(!entry.givers.isEmpty && !entry.kinds.isEmpty && !entry.source.isEmpty, "\(entry.role)")
            // Who gives a role can hold its own role somewhere.
            #expect(entry.givers.allSatisfy { catalogue.entry($0.role, on: today) != nil })
        }
        #expect(catalogue.entry(Roles.gppUserAdministrator, on: today)?.mostHolders == 4)
        #expect(catalogue.entry(Roles.mainContact, on: today)?.mostHolders == 1)
    }

    @Test(
        "a version of the catalogue takes two editors and the digest of what the first one sent; a wrong file is refused whole"
    )
    func versions() async throws {
        let clock = ManualClock.atStart
        try await UsersBench.with(clock) { bench in
            let one = try await bench.host.person("editor", roles: [Roles.identityAdministrator])
            let two = try await bench.host.person("checker", roles: [Roles.identityAdministrator])
            func roles(_ subject: TestSubject) async throws -> Pcs_Host_V1_RoleServiceClient {
                Pcs_Host_V1_RoleServiceClient(try await bench.host.transport(.inProcess, as: subject))
            }
            let shipped = RoleCatalogueFile.shipped
            let text = String(decoding: shipped.parameters, as: UTF8.self)
            var request = Pcs_Host_V1_ProposeCatalogueRequest()
            request.rolesCsv = .init(shipped.roles)
            request.conflictsCsv = .init(shipped.conflicts)
            request.parametersCsv = .init(
                Array(text.replacing("proposal_lapse_days,30", with: "proposal_lapse_days,x").utf8))
            request.validFrom = Pcs_Common_V1_Date(clock.today.adding(days: 1))
            request.reason = "shorter proposals"
            let wrong = await failure { try await roles(one).proposeCatalogue(request) }
            #expect(wrong?.reason == HostReasons.fileInvalid && wrong?.clause == "ROL10")
            request.parametersCsv = .init(
                Array(text.replacing("proposal_lapse_days,30", with: "proposal_lapse_days,7").utf8))
            let proposed = try await roles(one).proposeCatalogue(request)
            let approve = Pcs_Host_V1_ApproveCatalogueRequest.with {
                $0.catalogueID = proposed.catalogueID
                $0.digest = proposed.digest
            }
            let own = await failure { try await roles(one).approveCatalogue(approve) }
            #expect(own?.reason == HostReasons.secondPersonRequired)
            var forged = approve
            forged.digest = String(repeating: "0", count: 64)
            #expect(await failure { try await roles(two).approveCatalogue(forged) }?.clause == "digest")
            #expect(try await roles(two).approveCatalogue(approve).state == .approved)
            let before = try await roles(one).listRoles(.with { $0.organisationCode = UsersBench.practice })
            #expect(
                before.catalogueID == "shipped" && before.roles.contains { $0.role == .practiceStatements })
            #expect(!before.roles.contains { $0.role == .paymentsOperator })
            clock.advance(days: 1)
            #expect(try await roles(one).listRoles(.init()).catalogueID == proposed.catalogueID)
            try await bench.host.restart()
            #expect(try await roles(one).listRoles(.init()).catalogueID == proposed.catalogueID)
        }
    }
}
