import ArgumentParser
import HostContract

struct PersonCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "person", abstract: "Register people.", subcommands: [Add.self, List.self])

    struct Add: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Register a person.")
        @Argument(help: "Account id: 3 to 64 of a-z 0-9 . _ -; permanent.") var person: String
        @Option(help: "Full name.") var name: String
        @Option(help: "E-mail address; unique among people.") var email: String
        @Flag(help: "Also make a key pair and register its public key.") var newKey = false
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_CreatePersonRequest()
            request.personID = person
            request.name = name
            request.email = email
            let reply = try await session.identity.createPerson(request, options: session.change())
            try session.show(reply) { IdentityView.sheet(reply).rendered(for: $0) }
            if newKey { try await KeyRegistration.makeAndRegister(for: person, session) }
        }
    }

    struct List: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "People, systems, keys and grants.")
        @Argument(help: "Only this person or system.") var subject: String?
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_ListSubjectsRequest()
            request.subjectID = subject ?? ""
            let reply = try await session.identity.listSubjects(request)
            try session.show(reply) { IdentityView.subjects(reply, for: $0) }
        }
    }
}

struct ClientSystemCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "client", abstract: "Systems that call: their record, keys, rotation and end.",
        subcommands: [
            SystemClientCommands.Create.self, SystemClientCommands.Change.self,
            SystemClientCommands.List.self,
            SystemClientCommands.Show.self, SystemClientCommands.Keys.self, SystemClientCommands.Revoke.self,
            SystemClientCommands.Restore.self, Add.self,
        ])

    struct Add: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register a system of this machine, without organisation and last day.")
        @Argument(help: "Client id: 3 to 64 of a-z 0-9 . _ -; permanent.") var client: String
        @Option(help: "Name of the system.") var name: String
        @Option(help: "What it is for.") var purpose: String
        @Option(help: "Who answers for it.") var owner: String
        @Option(
            help:
                "Methods it may reach: pcs.payments.v1.*, pcs.payments.v1.RunService/* or one method. May be repeated."
        )
        var scope: [String]
        @Option(help: "The one URI name of its certificate, for mutual TLS.") var certificateURI = ""
        @Flag(help: "Also make a key pair and register its public key.") var newKey = false
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_CreateClientRequest()
            request.clientID = client
            request.name = name
            request.purpose = purpose
            request.owner = owner
            request.scopes = scope
            request.certificateUri = certificateURI
            let reply = try await session.identity.createClient(request, options: session.change())
            try session.show(reply) { IdentityView.sheet(reply).rendered(for: $0) }
            if newKey { try await KeyRegistration.makeAndRegister(for: client, session) }
        }
    }
}

struct WhoAmICommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "whoami", abstract: "Who you are to the host, and what you may do.")
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        let reply = try await session.identity.whoAmI(.init())
        try session.show(reply) { terminal in
            var sheet = Sheet()
            sheet.addUnlessEmpty(
                "person", reply.personID + (reply.personName.isEmpty ? "" : " (\(reply.personName))"),
                style: .bold)
            sheet.addUnlessEmpty("system", reply.clientID, style: .bold)
            sheet.addUnlessEmpty("acting for", reply.actingFor)
            sheet.add("proved by", reply.authentication)
            let grants = IdentityView.table(reply.grants)
            return sheet.rendered(for: terminal)
                + (grants.isEmpty ? "" : "\n\n" + grants.rendered(for: terminal))
        }
    }
}
