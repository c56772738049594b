import ArgumentParser
import CommonContract
import HostContract

struct RoleProposalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "proposal",
        abstract: "Administrators set by PCSE: support proposes, a supervisor approves.",
        subcommands: [Propose.self, List.self, Approve.self, Reject.self])

    struct Propose: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Record who is to hold an administrator role, and who authorised it.")
        @Argument(help: "ODS code of the organisation.") var organisation: String
        @Argument(help: "Account id.") var account: String
        @Argument(help: "Administrator role.") var role: Choice<Pcs_Access_V1_Role>
        @Option(help: "Who signed.") var authoriser: Choice<Pcs_Host_V1_AuthoriserKind>
        @Option(help: "Name of who signed.") var authoriserName: String
        @Option(help: "Their account, when they have one.") var authoriserAccount = ""
        @Option(help: "ODS code at which they are listed. Default: the organisation.")
        var authoriserOrganisation: String?
        @Option(help: "Where the signed form is kept.") var signature: String
        @Option(help: "Why nobody earlier in the order signed.") var noEarlierAuthoriser = ""
        @Option(help: "Why; kept for the auditor.") var reason: String
        @Flag(help: "You have read what the holder will see.") var acknowledge = false
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_ProposeGrantRequest()
            request.organisationCode = organisation.uppercased()
            request.accountID = account
            request.role = role.value
            request.authoriser = authoriser.value
            request.authoriserName = authoriserName
            request.authoriserAccountID = authoriserAccount
            request.authoriserOrganisationCode =
                authoriserOrganisation?.uppercased() ?? request.organisationCode
            request.signatureReference = signature
            request.noEarlierAuthoriser = noEarlierAuthoriser
            request.reason = reason
            request.sightAcknowledged = acknowledge
            try session.show(try await session.proposals.proposeGrant(request, options: session.change()))
        }
    }

    struct List: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Proposals that wait; --all: the decided too.")
        @Argument(help: "Only of this organisation (ODS code).") var organisation: String?
        @Flag(help: "Also the decided ones.") var all = false
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_ListProposalsRequest()
            request.organisationCode = organisation?.uppercased() ?? ""
            request.includeDecided = all
            let reply = try await session.proposals.listProposals(request)
            try session.show(reply, rows: reply.proposals, nothing: "no proposal waits")
        }
    }

    struct Approve: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Approve a proposal as it was seen. Needs a fresh proof (pcs user step-up).")
        @Argument(help: "Id of the proposal.") var proposal: String
        @Option(help: "Digest of what was looked at (pcs role proposal list -o json).") var digest: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_ApproveProposalRequest()
            request.proposalID = proposal
            request.digest = digest
            try session.show(try await session.proposals.approveProposal(request, options: session.change()))
        }
    }

    struct Reject: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Reject a proposal; the proposer is told why.")
        @Argument(help: "Id of the proposal.") var proposal: String
        @Option(help: "Why.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_RejectProposalRequest()
            request.proposalID = proposal
            request.reason = reason
            try session.show(try await session.proposals.rejectProposal(request, options: session.change()))
        }
    }
}

struct RoleReviewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "review", abstract: "The quarter's review: is each role still needed?",
        subcommands: [List.self, Answer.self])

    struct List: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Reviews of an organisation, grant by grant.")
        @Argument(help: "ODS code of the organisation.") var organisation: String
        @Flag(help: "Also the closed ones.") var all = false
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_ListReviewsRequest()
            request.organisationCode = organisation.uppercased()
            request.includeClosed = all
            try session.show(try await session.reviews.listReviews(request))
        }
    }

    struct Answer: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keep or end grants of a review. What nobody answers lapses after its last day.")
        @Argument(help: "ODS code of the organisation.") var organisation: String
        @Argument(help: "Id of the review.") var review: String
        @Option(help: "Grant to keep; may be repeated.") var keep: [String] = []
        @Option(help: "Grant to end; may be repeated.") var end: [String] = []
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_AnswerReviewRequest()
            request.organisationCode = organisation.uppercased()
            request.reviewID = review
            let answers =
                keep.map { ($0, Pcs_Host_V1_ReviewAnswer.keep) }
                + end.map { ($0, Pcs_Host_V1_ReviewAnswer.end) }
            request.answers = answers.map { grant, answer in
                .with {
                    $0.grantID = grant
                    $0.answer = answer
                }
            }
            try session.show(try await session.reviews.answerReview(request, options: session.change()))
        }
    }
}

struct RoleMigrationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migration",
        abstract: "Roles that move with people after a merger: proposed by one, approved by another.",
        subcommands: [Propose.self, List.self, Approve.self, Reject.self])

    struct Propose: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Propose which roles move from a closing organisation to its survivor.",
            discussion:
                "Example: pcs role migration propose A81001 A81002 --role p-ben=practice-statements --case C1 --reason ..."
        )
        @Argument(help: "ODS code of the closing organisation.") var from: String
        @Argument(help: "ODS code of the survivor.") var to: String
        @Option(help: "ACCOUNT=ROLE; may be repeated.") var role: [String]
        @Option(help: "First day at the survivor, YYYY-MM-DD. Default: that of the approval.")
        var effectiveOn: DayArgument?
        @Option(name: .customLong("case"), help: "The case, for example of the merger.") var caseReference:
            String
        @Option(help: "Why; kept for the auditor.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_ProposeMigrationRequest()
            request.fromOrganisationCode = from.uppercased()
            request.toOrganisationCode = to.uppercased()
            if let effectiveOn { request.effectiveOn = effectiveOn.message }
            request.caseReference = caseReference
            request.reason = reason
            request.roles = try role.map { text in
                let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
                guard parts.count == 2, let role = Choice<Pcs_Access_V1_Role>(argument: parts[1]) else {
                    throw CommandError(.usage, "\"\(text)\" is not ACCOUNT=ROLE")
                }
                return .with {
                    $0.accountID = parts[0]
                    $0.role = role.value
                }
            }
            try session.show(
                try await session.migrations.proposeMigration(request, options: session.change()))
        }
    }

    struct List: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Migrations of an organisation, or all.")
        @Argument(help: "ODS code, of either side.") var organisation: String?
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_ListMigrationsRequest()
            request.organisationCode = organisation?.uppercased() ?? ""
            let reply = try await session.migrations.listMigrations(request)
            try session.show(reply, rows: reply.migrations, nothing: "no migration")
        }
    }

    struct Approve: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Approve a migration as it was seen. Needs a fresh proof (pcs user step-up).")
        @Argument(help: "Id of the migration.") var migration: String
        @Option(help: "Digest of what was looked at.") var digest: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_ApproveMigrationRequest()
            request.migrationID = migration
            request.digest = digest
            try session.show(
                try await session.migrations.approveMigration(request, options: session.change()))
        }
    }

    struct Reject: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Reject a migration.")
        @Argument(help: "Id of the migration.") var migration: String
        @Option(help: "Why.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_RejectMigrationRequest()
            request.migrationID = migration
            request.reason = reason
            try session.show(try await session.migrations.rejectMigration(request, options: session.change()))
        }
    }
}
