import ArgumentParser

struct PaymentsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "payments", abstract: "Contractual payments to primary care, most of all to GP practices.",
        discussion: """
            A month: load the inputs, then pcs payments run open, calculate, review, approve. A payee reads its \
            statement with pcs payments statement PAYEE MONTH. What has no command is called with pcs call.
            """,
        groupedSubcommands: [
            CommandGroup(name: "Input", subcommands: [PaymentsLoadCommand.self, RatesCommand.self, AdditionalRolesCommand.self]),
            CommandGroup(name: "Run", subcommands: [RunCommand.self, CompareCommand.self]),
            CommandGroup(
                name: "Statement",
                subcommands: [
                    StatementCommand.self, ChangesCommand.self, ExplainCommand.self, QueryCommand.self,
                    QualityFiguresCommand.self,
                ]),
        ])
}
