import ArgumentParser
import CommonContract
import HostContract

struct RoleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "role",
        abstract: "Roles: the catalogue, giving and taking back, proposals, reviews, who could see what.",
        subcommands: [
            List.self, Give.self, Revoke.self, Conflicts.self, WhoCouldSee.self, SelfGiven.self, Reads.self,
            RoleProposalCommand.self, RoleReviewCommand.self, RoleMigrationCommand.self,
        ])

    struct List: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Roles that can be held, who gives each, and what its holder sees.")
        @Argument(help: "Only those that can be held at this organisation (ODS code).") var organisation:
            String?
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_ListRolesRequest()
            request.organisationCode = organisation?.uppercased() ?? ""
            let reply = try await session.roles.listRoles(request)
            try session.show(
                reply, rows: reply.roles,
                columns: [
                    "role", "label", "service", "given_by", "holders_at_most", "administrator", "sight",
                ],
                nothing: "no role can be held there")
        }
    }

    struct Give: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a person a role at an organisation.",
            discussion: """
                A role that shows sensitive data is given only with --acknowledge: that you have read what its holder will \
                see (pcs role list). Example: pcs role give A81001 p-ben practice-statements --acknowledge
                """)
        @Argument(help: "ODS code of the organisation.") var organisation: String
        @Argument(help: "Account id, or e-mail address of a member there.") var person: String
        @Argument(help: "Role, for example practice-statements.") var role: Choice<Pcs_Access_V1_Role>
        @Option(help: "First day, YYYY-MM-DD. Default: today.") var from: DayArgument?
        @Option(help: "First day on which it no longer holds, YYYY-MM-DD. Default: open.") var to:
            DayArgument?
        @Option(help: "Only this payment type; may be repeated. Default: all.") var paymentType: [String] = []
        @Flag(help: "You have read what the holder will see.") var acknowledge = false
        @Option(help: "Why; kept for the auditor.") var reason = "Needed for the work"
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_GiveRoleRequest()
            request.organisationCode = organisation.uppercased()
            request.accountID = try await MemberReference.account(
                person, at: request.organisationCode, session)
            request.role = role.value
            if let from { request.validFrom = from.message }
            if let to { request.validTo = to.message }
            request.paymentTypes = paymentType
            request.sightAcknowledged = acknowledge
            request.reason = reason
            let reply = try await session.users.giveRole(request, options: session.change())
            try session.show(reply)
        }
    }

    struct Revoke: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Take a role back; it ends at once.")
        @Argument(help: "ODS code of the organisation.") var organisation: String
        @Argument(help: "Id of the grant.") var grant: String
        @Option(help: "Why; kept for the auditor.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_RevokeRoleRequest()
            request.organisationCode = organisation.uppercased()
            request.grantID = grant
            request.reason = reason
            try session.show(try await session.users.revokeRole(request, options: session.change()))
        }
    }

    struct Conflicts: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Roles that one person must not, or should not, hold together.")
        @Argument(help: "Only of this role.") var role: Choice<Pcs_Access_V1_Role>?
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var reply = try await session.roles.listRoles(.init())
            reply.roles = reply.roles.filter {
                !$0.conflicts.isEmpty && (role == nil || role?.value == $0.role)
            }
            try session.show(reply) { terminal in
                var table = Table([
                    .left("role"), .left("other"), .left("scope"), .left("refused"),
                    .left("why", mayShorten: true),
                ])
                for role in reply.roles {
                    for conflict in role.conflicts {
                        table.add(
                            Table.Cell(EnumWords.upper(role.role), style: .bold),
                            Table.Cell(EnumWords.upper(conflict.other)),
                            Table.Cell(conflict.scope.replacing("_", with: " ")),
                            Table.Cell(conflict.refused ? "yes" : "told"), Table.Cell(conflict.why))
                    }
                }
                return table.isEmpty ? "no conflicts" : table.rendered(for: terminal)
            }
        }
    }

    struct WhoCouldSee: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Everybody whose roles let them read an organisation's records on a day, and by which methods."
        )
        @Argument(help: "ODS code of the organisation.") var organisation: String
        @Option(help: "Day, YYYY-MM-DD. Default: today.") var on: DayArgument?
        @Flag(help: "Only reads that are recorded as sensitive.") var sensitive = false
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_WhoCouldSeeRequest()
            request.organisationCode = organisation.uppercased()
            if let on { request.on = on.message }
            request.sensitiveOnly = sensitive
            try await session.show(
                stream: try await session.accessLog.whoCouldSee(request), nothing: "nobody")
        }
    }

    struct SelfGiven: ClientCommand {
        static let configuration = CommandConfiguration(
            commandName: "self-given", abstract: "Roles that people gave to themselves in a month.")
        @Argument(help: "Month, YYYY-MM.") var month: MonthArgument
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_ListSelfGrantsRequest()
            request.month = month.message
            let reply = try await session.users.listSelfGrants(request)
            try session.show(reply, rows: reply.grants, nothing: "nobody gave themselves a role")
        }
    }

    struct Reads: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "The log of sensitive reads, oldest first.")
        @Option(help: "Only of this organisation (ODS code).") var organisation = ""
        @Option(help: "Only by this person or system.") var by = ""
        @Option(help: "First day, YYYY-MM-DD.") var from: DayArgument
        @Option(help: "Last day, YYYY-MM-DD. Default: today.") var to: DayArgument?
        @Option(help: "Most rows.") var limit: Int32 = 1_000
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_ListSensitiveReadsRequest()
            request.organisationCode = organisation.uppercased()
            request.subjectID = by
            request.from = from.message
            if let to { request.to = to.message }
            request.limit = limit
            try await session.show(
                stream: try await session.accessLog.listSensitiveReads(request), nothing: "nothing was read")
        }
    }
}

/// A member of an organisation as named on the command line.
enum MemberReference {
    /// - Parameter text: account id, or e-mail address of a member there.
    static func account(_ text: String, at organisation: String, _ session: Session) async throws -> String {
        guard text.contains("@") else { return text }
        var request = Pcs_Host_V1_ListUsersRequest()
        request.organisationCode = organisation
        let users = try await session.users.listUsers(request).users
        guard let user = users.first(where: { $0.email.lowercased() == text.lowercased() }) else {
            throw CommandError(
                .notFound, "\(text) is no member of \(organisation)",
                nextStep: "Create them with: pcs user create \(organisation) --name ... --email \(text)")
        }
        return user.accountID
    }
}
