import ArgumentParser
import PaymentsContract

struct StatementCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "statement",
        abstract: "Statements of a payee: read one, list them, and what explains them.",
        discussion: """
            pcs payments statement A81001 2019-04 shows one, pcs payments statement A81001 lists all. A subcommand comes \
            right after "statement", before any option; changes, explain and query also stand without "statement".
            """,
        subcommands: [
            StatementShowCommand.self, StatementListCommand.self, ChangesCommand.self, ExplainCommand.self,
            QueryCommand.self,
        ], defaultSubcommand: StatementShowCommand.self)

    /// Words that are no payee.
    static var words: [String] {
        configuration.subcommands.map { $0.configuration.commandName ?? "" }
    }
}

/// Who is paid, by code; capitals or not.
struct PayeeArgument {
    static let help: ArgumentHelp = "Code of the payee: practice, network, pharmacy, optician or committee."
    let code: String

    static func read(_ text: String) throws -> PayeeArgument {
        if StatementCommand.words.contains(text) {
            throw ValidationError(
                "it is a subcommand, and comes right after \"statement\": pcs payments statement \(text) PAYEE ...")
        }
        guard (3...12).contains(text.utf8.count), text.utf8.allSatisfy(isPlain) else {
            throw ValidationError("a code has 3 to 12 letters and digits, as A81001; the month comes after it")
        }
        return PayeeArgument(code: text.uppercased())
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF)
    }
}

struct StatementShowCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "The statement of a month, or as a file; without a month, all of them in short.")
    @Argument(help: PayeeArgument.help, transform: PayeeArgument.read) var payee: PayeeArgument
    @Argument(help: "Month, YYYY-MM.") var month: MonthArgument?
    @Flag(help: "One line a paycode.") var collapsed = false
    @Option(help: "Without a month: only of a financial year, for example 2019/20.") var year = ""
    @Option(help: ArgumentHelp("Write the statement to this file, as PDF.", valueName: "file")) var pdf: String?
    @Option(help: ArgumentHelp("Write the statement to this file, as CSV.", valueName: "file")) var csv: String?
    @Flag(help: "CSV: begin with a UTF-8 byte-order mark, as some spreadsheets want it.") var byteOrderMark = false
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func validate() throws {
        if month == nil, collapsed || pdf != nil || csv != nil {
            throw ValidationError("--collapsed, --pdf and --csv are of one statement: name the month, YYYY-MM.")
        }
        if month != nil, !year.isEmpty { throw ValidationError("Name a month, or --year for a list.") }
        if byteOrderMark, csv == nil { throw ValidationError("--byte-order-mark goes with --csv.") }
    }

    func run(_ session: Session) async throws {
        guard let month else { return try await StatementList.show(payee, year: year, session) }
        if pdf != nil || csv != nil {
            if let pdf { try await download(.pdf, to: pdf, month, session) }
            if let csv { try await download(.csv, to: csv, month, session) }
            return
        }
        var request = Pcs_Payments_V1_GetStatementRequest()
        request.practiceCode = payee.code
        request.month = month.message
        request.collapsed = collapsed
        let reply = try await session.statements.getStatement(request)
        try session.show(reply) { StatementView.text(reply, for: $0) }
    }

    private func download(
        _ format: Pcs_Payments_V1_StatementFormat, to path: String, _ month: MonthArgument, _ session: Session
    ) async throws {
        var request = Pcs_Payments_V1_DownloadStatementRequest()
        request.practiceCode = payee.code
        request.month = month.message
        request.format = format
        request.collapsed = collapsed
        request.byteOrderMark = byteOrderMark && format == .csv
        let chunks = try await session.statements.downloadStatement(request)
        let file = try ExportFile(path: path)
        var name = ""
        for try await chunk in chunks {
            if name.isEmpty { name = chunk.fileName }
            try file.write(chunk.data)
        }
        try file.finish()
        session.note("wrote \(name) to \(file.path)")
    }
}

struct StatementListCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "All statements of a payee, without their lines.")
    @Argument(help: PayeeArgument.help, transform: PayeeArgument.read) var payee: PayeeArgument
    @Option(help: "Only of a financial year, for example 2019/20.") var year = ""
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws { try await StatementList.show(payee, year: year, session) }
}

enum StatementList {
    static func show(_ payee: PayeeArgument, year: String, _ session: Session) async throws {
        var request = Pcs_Payments_V1_ListStatementsRequest()
        request.practiceCode = payee.code
        request.financialYear = year
        let reply = try await session.statements.listStatements(request)
        try session.show(reply) { terminal in
            reply.statements.isEmpty
                ? "there is no statement of \(payee.code)"
                : StatementView.table(reply.statements).rendered(for: terminal)
        }
    }
}

struct ExplainCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "How a line of a statement came about: rule, inputs with their sources, steps, rounding.",
        discussion: "The amount is calculated anew from the explanation; exit status 2 when it should differ."
    )
    @Argument(help: PayeeArgument.help, transform: PayeeArgument.read) var payee: PayeeArgument
    @Argument(help: "Month, YYYY-MM.") var month: MonthArgument
    @Argument(help: "Number of the line, as the statement shows it.") var line: Int32 = 1
    @Option(help: "Id of the run, 2019-04-1. Default: the run of the month.") var run = ""
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Payments_V1_ExplainLineRequest()
        request.practiceCode = payee.code
        request.month = month.message
        request.lineNumber = line
        request.runID = run
        let reply = try await session.statements.explainLine(request)
        try session.show(reply) { ExplanationView.text(reply, for: $0) }
        if reply.replayedPence != reply.amountPence { throw ExitCode(ExitStatus.unsound.rawValue) }
    }
}
