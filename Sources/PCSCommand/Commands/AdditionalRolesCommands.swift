import ArgumentParser
import Foundation
import PaymentsContract

struct AdditionalRolesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "additional-roles",
        abstract: "Claims of networks for additional roles, and what is left of the year.",
        subcommands: [
            AdditionalRolesUploadCommand.self, AdditionalRolesListCommand.self,
            AdditionalRolesShowCommand.self, AdditionalRolesYearCommand.self,
        ])
}

struct AdditionalRolesUploadCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "upload",
        abstract: "Drafts the claim of a month from a CSV file; .gz is taken as it is.",
        discussion:
            "A file is taken whole, or refused with every broken row. The same file again changes nothing.")
    @Argument(help: "CSV file, one row a person.") var file: String
    @Option(help: "Network that claims.") var network: String
    @Option(help: "Month, YYYY-MM.") var month: MonthArgument
    @Option(help: "Draft or returned claim whose rows the file replaces. Default: a new claim.") var claim =
        ""
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        let upload = try UploadFile(path: file)
        let progress = ProgressBar(upload.name)
        defer { progress.finish() }
        let messages = upload.messages(progress: progress) {
            [network, month = month.message, claim, name = upload.name] piece in
            var first = Pcs_Payments_V1_UploadAdditionalRolesClaimRequest()
            first.pcnCode = network.uppercased()
            first.month = month
            first.claimID = claim
            first.fileName = name
            first.data = Data(piece)
            return first
        } rest: { piece in
            var next = Pcs_Payments_V1_UploadAdditionalRolesClaimRequest()
            next.data = Data(piece)
            return next
        }
        let reply = try await session.additionalRoles.uploadClaim(messages, options: session.change())
        progress.finish()
        try session.show(reply) { AdditionalRolesView.text(reply, for: $0) }
    }
}

struct AdditionalRolesListCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Claims of a network, or of all networks of a commissioner.")
    @Argument(help: "Network, or a commissioner for all of its networks.") var organisation: String
    @Argument(help: "Month, YYYY-MM. Default: all.") var month: MonthArgument?
    @Option(help: "Only in this state.") var state: Choice<Pcs_Payments_V1_AdditionalRolesClaimState>?
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Payments_V1_ListAdditionalRolesClaimsRequest()
        request.organisationCode = organisation.uppercased()
        if let month { request.month = month.message }
        if let state { request.state = state.value }
        let rows = try await session.additionalRoles.listClaims(request)
        try await session.showEach(
            rows, AdditionalRolesView.emptyClaimTable, nothing: "no claims", AdditionalRolesView.cells)
    }
}

struct AdditionalRolesShowCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "A claim with its rows, what each comes to and why.")
    @Argument(help: "Network.") var network: String
    @Argument(help: "Id of the claim.") var claim: String
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Payments_V1_GetAdditionalRolesClaimRequest()
        request.pcnCode = network.uppercased()
        request.claimID = claim
        let reply = try await session.additionalRoles.getClaim(request)
        try session.show(reply) { AdditionalRolesView.text(reply, for: $0) }
    }
}

struct AdditionalRolesYearCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "year", abstract: "Maximum sum, claimed, approved, paid and left of a year.")
    @Argument(help: "Network, or a commissioner for all of its networks.") var organisation: String
    @Argument(help: "Financial year, for example 2025/26.") var year: String
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Payments_V1_GetAdditionalRolesYearRequest()
        request.organisationCode = organisation.uppercased()
        request.financialYear = year
        let reply = try await session.additionalRoles.getYear(request)
        try session.show(reply) { terminal in
            reply.networks.isEmpty ? "no networks" : AdditionalRolesView.text(reply, for: terminal)
        }
    }
}
