import ArgumentParser
import CommonContract
import Foundation
import HostContract

/// `pcs client`: the record of a system, its keys and its end.
enum SystemClientCommands {
    struct Create: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register a system with its organisation, networks and last day.",
            discussion: """
                Example: pcs client create gp-ledger --name Ledger --organisation A81001 --owner 'Finance team' \
                --purpose 'reads statements' --scope 'pcs.payments.v1.StatementService/*' --network 10.2.0.0/16 \
                --expires-on 2027-03-31
                """)
        @Argument(help: "Client id: 3 to 64 of a-z 0-9 . _ -; permanent.") var client: String
        @Option(help: "Name of the system.") var name: String
        @Option(help: "ODS code of the organisation whose system it is.") var organisation: String
        @Option(help: "The person who answers for it.") var owner: String
        @Option(help: "What it is for.") var purpose: String
        @Option(help: "Methods it may reach; may be repeated.") var scope: [String]
        @Option(help: "Network from which it calls, in CIDR notation; may be repeated. Default: any.")
        var network: [String] = []
        @Option(help: "Last day on which it is let in, YYYY-MM-DD.") var expiresOn: DayArgument
        @Option(help: "PEM of its certificate for mutual TLS, with one URI name.") var clientCertificate:
            String?
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_RegisterClientRequest()
            request.clientID = client
            request.name = name
            request.organisationCode = organisation.uppercased()
            request.owner = owner
            request.purpose = purpose
            request.scopes = scope
            request.allowedNetworks = network
            request.expiresOn = expiresOn.message
            if let clientCertificate { request.certificatePem = try TextFile.read(clientCertificate) }
            try session.show(try await session.systems.registerClient(request, options: session.change()))
        }
    }

    struct Change: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Replace the facts given; what is left out stays. Narrowed scopes and networks act at once.")
        @Argument(help: "Client id.") var client: String
        @Option(help: "ODS code of the organisation whose system it is.") var organisation = ""
        @Option(help: "The person who answers for it.") var owner = ""
        @Option(help: "What it is for.") var purpose = ""
        @Option(help: "Methods it may reach; may be repeated.") var scope: [String] = []
        @Option(help: "Network from which it calls; may be repeated.") var network: [String] = []
        @Flag(help: "Any network again.") var anyNetwork = false
        @Option(help: "Last day on which it is let in, YYYY-MM-DD.") var expiresOn: DayArgument?
        @Option(help: "PEM of its certificate for mutual TLS.") var clientCertificate: String?
        @Option(help: "Why; kept for the auditor.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_ChangeClientRequest()
            request.clientID = client
            request.organisationCode = organisation.uppercased()
            request.owner = owner
            request.purpose = purpose
            request.scopes = scope
            request.allowedNetworks = network
            request.anyNetwork = anyNetwork
            if let expiresOn { request.expiresOn = expiresOn.message }
            if let clientCertificate { request.certificatePem = try TextFile.read(clientCertificate) }
            request.reason = reason
            try session.show(try await session.systems.changeClient(request, options: session.change()))
        }
    }

    struct List: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Systems, of one organisation or all.")
        @Argument(help: "ODS code.") var organisation: String?
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_ListClientsRequest()
            request.organisationCode = organisation?.uppercased() ?? ""
            try await session.show(
                stream: try await session.systems.listClients(request),
                columns: [
                    "client_id", "name", "organisation_code", "owner", "state", "expires_on", "last_used_on",
                    "scopes",
                ], nothing: "no system is registered")
        }
    }

    struct Show: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "One system with its keys.")
        @Argument(help: "Client id.") var client: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_GetClientRequest()
            request.clientID = client
            try session.show(try await session.systems.getClient(request))
        }
    }

    struct Keys: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register a JSON Web Key Set (public halves). Keys not in it retire after the overlap.",
            discussion: """
                To rotate: put a set with the old and the new key, let the system change over, put a set with the new key \
                alone. Example: pcs client keys gp-ledger ledger.jwks --overlap-hours 24 --reason 'yearly rotation'
                """)
        @Argument(help: "Client id.") var client: String
        @Argument(help: "File with the set.") var file: String
        @Option(help: "Hours for which keys that are not in the set still work, 0 to 336.") var overlapHours:
            Int32 = 24
        @Option(help: "Why; kept for the auditor.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_PutClientKeysRequest()
            request.clientID = client
            request.jwks = try TextFile.read(file)
            request.overlapHours = overlapHours
            request.reason = reason
            try session.show(try await session.systems.putClientKeys(request, options: session.change()))
        }
    }

    struct Revoke: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a system in no more, or one of its keys; its open connections end within seconds.")
        @Argument(help: "Client id.") var client: String
        @Option(help: "Only this key.") var key: String?
        @Option(help: "Why; kept for the auditor.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            if let key {
                var request = Pcs_Host_V1_RevokeKeyRequest()
                request.subjectID = client
                request.keyID = key
                request.reason = reason
                try session.show(try await session.identity.revokeKey(request, options: session.change()))
            } else {
                try await SubjectState.set(client, .disabled, reason, session)
            }
        }
    }

    struct Restore: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Let a system in again.")
        @Argument(help: "Client id.") var client: String
        @Option(help: "Why; kept for the auditor.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            try await SubjectState.set(client, .active, reason, session)
        }
    }
}

enum SubjectState {
    static func set(
        _ subject: String, _ state: Pcs_Host_V1_SubjectState, _ reason: String, _ session: Session
    ) async throws {
        var request = Pcs_Host_V1_SetSubjectStateRequest()
        request.subjectID = subject
        request.state = state
        request.reason = reason
        try session.show(try await session.identity.setSubjectState(request, options: session.change()))
    }
}

enum TextFile {
    static func read(_ path: String) throws -> String {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw CommandError(.noInput, "\(path) cannot be read as UTF-8")
        }
        return text
    }
}
