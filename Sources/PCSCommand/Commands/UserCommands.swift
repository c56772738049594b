import ArgumentParser
import CommonContract
import HostContract

struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "People: accounts, memberships of organisations, logging in and out.",
        discussion: """
            Passwords and one-time codes are typed on the terminal, or come as lines of standard input, or from files of \
            mode 0600; never from the command line. Roles are given with `pcs role`.
            """,
        subcommands: [
            Create.self, Add.self, List.self, Deactivate.self, Reactivate.self, History.self,
            UserAcceptCommand.self, UserLogInCommand.self, UserLogOutCommand.self, UserSwitchCommand.self,
            UserStepUpCommand.self, UserPasswordCommand.self, UserForgottenCommand.self,
            UserOneTimeCodeCommand.self,
            UserProfileCommand.self, UserSessionsCommand.self, UserShowCommand.self, UserInviteCommand.self,
            UserUnlockCommand.self, UserDisableCommand.self, UserEnableCommand.self, UserVouchCommand.self,
        ])

    struct Create: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create a colleague at an organisation and print the activation code, once.",
            discussion: "Example: pcs user create A81001 --name 'Ben Carter' --email ben@example.nhs.uk")
        @Argument(help: "ODS code of the organisation.") var organisation: String
        @Option(help: "Full name.") var name: String
        @Option(help: "E-mail address; the user name, unique among people.") var email: String
        @Option(help: "Why; kept for the auditor.") var reason = "New colleague"
        @Option(help: "Keep the activation code in this file, mode 0600, instead of printing it.")
        var codeFile: String?
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_CreateUserRequest()
            request.organisationCode = organisation.uppercased()
            request.name = name
            request.email = email
            request.reason = reason
            var reply = try await session.users.createUser(request, options: session.change())
            if let codeFile {
                try PrivateFile.write(reply.activationCode + "\n", to: codeFile)
                reply.activationCode = ""
                session.note("activation code in \(codeFile)")
            }
            try session.show(reply)
        }
    }

    struct Add: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a person who has an account a member of another organisation.")
        @Argument(help: "ODS code of the organisation.") var organisation: String
        @Argument(help: "E-mail address or account id.") var person: String
        @Option(help: "Why; kept for the auditor.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_AddExistingUserRequest()
            request.organisationCode = organisation.uppercased()
            if person.contains("@") { request.email = person } else { request.accountID = person }
            request.reason = reason
            try session.show(try await session.users.addExistingUser(request, options: session.change()))
        }
    }

    struct List: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "People of an organisation with their roles, and what is wrong with them.")
        @Argument(help: "ODS code of the organisation.") var organisation: String
        @Flag(help: "Also those whose membership has ended.") var all = false
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_ListUsersRequest()
            request.organisationCode = organisation.uppercased()
            request.includeDeactivated = all
            let reply = try await session.users.listUsers(request)
            try session.show(reply) { terminal in UserView.table(reply.users).rendered(for: terminal) }
            for warning in reply.warnings { session.note("warning: \(TextSafety.clean(warning))") }
        }
    }

    struct Deactivate: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a membership at once. Nobody is deleted.")
        @Argument(help: "ODS code of the organisation.") var organisation: String
        @Argument(help: "Account id.") var account: String
        @Option(help: "Why; kept for the auditor.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_DeactivateMembershipRequest()
            request.organisationCode = organisation.uppercased()
            request.accountID = account
            request.reason = reason
            try session.show(try await session.users.deactivateMembership(request, options: session.change()))
        }
    }

    struct Reactivate: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Bring a membership back. Roles are given anew.")
        @Argument(help: "ODS code of the organisation.") var organisation: String
        @Argument(help: "Account id.") var account: String
        @Option(help: "Why; kept for the auditor.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_ReactivateMembershipRequest()
            request.organisationCode = organisation.uppercased()
            request.accountID = account
            request.reason = reason
            try session.show(try await session.users.reactivateMembership(request, options: session.change()))
        }
    }

    struct History: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "What was done about the people of an organisation, oldest first.")
        @Argument(help: "ODS code of the organisation.") var organisation: String
        @Argument(help: "Only about this account.") var account: String?
        @Option(help: "Most entries.") var limit: Int32 = 1_000
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_ListUserHistoryRequest()
            request.organisationCode = organisation.uppercased()
            request.accountID = account ?? ""
            request.limit = limit
            try await session.show(
                stream: try await session.users.listUserHistory(request), nothing: "nothing was done")
        }
    }
}

enum UserView {
    static func table(_ users: [Pcs_Host_V1_User]) -> Table {
        var table = Table([
            .left("account"), .left("name", mayShorten: true), .left("e-mail"), .left("state"),
            .left("since"),
            .left("roles", mayShorten: true), .left("remarks", mayShorten: true),
        ])
        for user in users {
            let state = user.accountDisabled ? "disabled" : user.active ? "active" : "ended"
            let roles = user.roles.filter { !$0.hasRevokedAt }.map { EnumWords.upper($0.role) }
            table.add(
                Table.Cell(user.accountID, style: .bold), Table.Cell(user.name), Table.Cell(user.email),
                Table.Cell(state, style: user.active && !user.accountDisabled ? .good : .warning),
                Table.Cell(Wording.day(user.memberSince)), Table.Cell(roles.joined(separator: ", ")),
                Table.Cell(user.remarks.joined(separator: ", "), style: .warning))
        }
        return table
    }
}
