import ArgumentParser

struct PaymentsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "payments", abstract: "Contractual payments to GP practices.",
        subcommands: [
            PaymentsLoadCommand.self, RunCommand.self, StatementCommand.self, ExplainCommand.self,
            ChangesCommand.self, QueryCommand.self, QualityFiguresCommand.self, CompareCommand.self,
            RatesCommand.self, AdditionalRolesCommand.self,
        ])
}
