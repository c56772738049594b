import ArgumentParser
import CommonContract
import HostContract

struct LocalOrganisationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "local",
        abstract: "Bodies for which the national register has no code: LMCs, accountants, ...",
        subcommands: [Add.self, Close.self])

    struct Add: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Register a local body.")
        @Argument(help: "LOCAL and 1 to 7 of A-Z and 0-9.") var code: String
        @Option(help: "What it is.") var kind: Choice<Pcs_Host_V1_OrganisationKind>
        @Option(help: "Its name.") var name: String
        @Option(help: "First day, YYYY-MM-DD. Default: today.") var openedOn: DayArgument?
        @Option(help: "Line of its address; may be repeated.") var address: [String] = []
        @Option(help: "Town.") var town = ""
        @Option(help: "Postcode.") var postcode = ""
        @Option(help: "Sub ICB Location that commissions it.") var commissioner = ""
        @Option(help: "Why; kept for the auditor.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_RegisterLocalOrganisationRequest()
            request.code = code.uppercased()
            request.kind = kind.value
            request.name = name
            if let openedOn { request.openedOn = openedOn.message }
            request.addressLines = address
            request.town = town
            request.postcode = postcode
            request.commissionerCode = commissioner.uppercased()
            request.reason = reason
            try session.show(
                try await session.organisations.registerLocalOrganisation(request, options: session.change()))
        }
    }

    struct Close: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Close a local body.")
        @Argument(help: "Its code.") var code: String
        @Option(help: "Last day of business, YYYY-MM-DD. Default: today.") var on: DayArgument?
        @Option(help: "Why; kept for the auditor.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_CloseLocalOrganisationRequest()
            request.code = code.uppercased()
            if let on { request.closedOn = on.message }
            request.reason = reason
            try session.show(
                try await session.organisations.closeLocalOrganisation(request, options: session.change()))
        }
    }
}

struct PayeeCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "payee", abstract: "The nominated payee of a PCN on a day.",
        discussion:
            "Payees are loaded with: pcs org load payees.csv --kind nominated-payees --published-on DAY")
    @Argument(help: "ODS code of the PCN.") var pcn: String
    @Option(help: "Day, YYYY-MM-DD. Default: today.") var at: DayArgument?
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Host_V1_GetPayeeRequest()
        request.pcnCode = pcn.uppercased()
        if let at { request.at = at.message }
        let reply = try await session.organisations.getPayee(request)
        try session.show(reply) { _ in
            reply.payeeCode.isEmpty ? "no payee is nominated on that day" : reply.payeeCode
        }
    }
}
