import ArgumentParser
import PaymentsContract

struct RatesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rates",
        abstract: "Rates and other reference data: what holds, what was proposed, and deciding on it.",
        subcommands: [List.self, Sets.self, Decide.self], defaultSubcommand: List.self)

    struct List: ClientCommand {
        static let configuration = CommandConfiguration(abstract: "Rates with their sources.")
        @Option(help: "Only this rate, for example global_sum_price.") var name = ""
        @Option(help: "Only what holds on that day, YYYY-MM-DD.") var at: DayArgument?
        @Flag(help: "Also versions that a later one has superseded.") var superseded = false
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Payments_V1_ListRatesRequest()
            request.name = name
            if let at { request.at = at.message }
            request.includeSuperseded = superseded
            let reply = try await session.rates.listRates(request)
            try session.show(reply) { terminal in
                reply.rates.isEmpty ? "no rates" : RatesView.rates(reply.rates).rendered(for: terminal)
            }
        }
    }

    struct Sets: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sets that were proposed, approved or returned.")
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            let reply = try await session.rates.listRateSets(.init())
            try session.show(reply) { RatesView.sets(reply.sets).rendered(for: $0) }
        }
    }

    struct Decide: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Approve or return a proposed set. Not by the person who proposed it.")
        @Argument(help: "Id of the set.") var set: String
        @Flag(name: .customLong("approve"), help: "Approve it.") var approves = false
        @Flag(name: .customLong("return"), help: "Return it; needs --reason.") var returns = false
        @Option(help: "Why.") var reason = ""
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func validate() throws {
            if approves == returns { throw ValidationError("Say one of --approve and --return.") }
            if returns, reason.isEmpty { throw ValidationError("--return needs --reason.") }
        }

        func run(_ session: Session) async throws {
            var request = Pcs_Payments_V1_ApproveRatesRequest()
            request.setID = set
            request.approve = approves
            request.reason = reason
            let reply = try await session.rates.approveRates(request, options: session.change())
            try session.show(reply) { RatesView.sets([reply]).rendered(for: $0) }
        }
    }
}
