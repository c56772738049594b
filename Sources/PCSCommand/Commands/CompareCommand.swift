import ArgumentParser
import PaymentsContract

struct CompareCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "A published year against what is recomputed of it, heading by heading.")
    @Argument(help: "Financial year, for example 2019/20.") var year: String
    @Flag(help: "Also every practice.") var practices = false
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Payments_V1_ComparePublishedYearRequest()
        request.financialYear = year
        request.includePractices = practices
        let parts = try await session.published.comparePublishedYear(request)
        var table = ComparisonView.emptyPracticeTable
        for try await part in parts {
            switch (part.part, session.settings.output) {
            case (_, .json): Console.out(try ContractJSON.json(part).compact)
            case (.practice(let practice), .table): table.add(ComparisonView.cells(practice))
            case (.summary(let summary), .table):
                if !table.isEmpty { Console.out(table.rendered(for: session.terminal) + "\n") }
                Console.out(ComparisonView.text(summary, for: session.terminal))
            case (nil, .table): break
            }
        }
    }
}
