import ArgumentParser
import CommonContract
import HostContract

struct GrantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant", abstract: "Give and take back roles.",
        subcommands: [Add.self, Revoke.self, List.self])

    struct Add: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give one role to a person or system at one organisation.")
        @Argument(help: "Person or system.") var subject: String
        @Argument(help: "Role, for example payments-operator.") var role: Choice<Pcs_Access_V1_Role>
        @Option(help: "ODS code of the organisation where it holds; PCS = nationally.") var organisation:
            String
        @Option(help: "First day, YYYY-MM-DD. Default: today.") var from: DayArgument?
        @Option(help: "First day on which it no longer holds, YYYY-MM-DD. Default: open.") var to:
            DayArgument?
        @Option(help: "Why; kept for the auditor.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_GrantRoleRequest()
            request.subjectID = subject
            request.role = role.value
            request.organisationCode = organisation.uppercased()
            if let from { request.validFrom = from.message }
            if let to { request.validTo = to.message }
            request.reason = reason
            let reply = try await session.identity.grantRole(request, options: session.change())
            try session.show(reply) { IdentityView.table([reply]).rendered(for: $0) }
        }
    }

    struct Revoke: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "End a grant now.")
        @Argument(help: "Id of the grant.") var grant: String
        @Option(help: "Why; kept for the auditor.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_RevokeGrantRequest()
            request.grantID = grant
            request.reason = reason
            let reply = try await session.identity.revokeGrant(request, options: session.change())
            try session.show(reply) { IdentityView.table([reply]).rendered(for: $0) }
        }
    }

    struct List: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Grants of one person or system, or of all.")
        @Argument(help: "Person or system.") var subject: String?
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_ListSubjectsRequest()
            request.subjectID = subject ?? ""
            var reply = try await session.identity.listSubjects(request)
            reply.people = []
            reply.clients = []
            reply.keys = []
            try session.show(reply) { terminal in
                let table = IdentityView.table(reply.grants)
                return table.isEmpty ? "no grants" : table.rendered(for: terminal)
            }
        }
    }
}
