import ArgumentParser
import PaymentsContract

struct StatementCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "statement",
        abstract: "The statement of a practice for a month; without a month, all of them.")
    @Argument(help: "Practice code.") var practice: String
    @Argument(help: "Month, YYYY-MM.") var month: MonthArgument?
    @Flag(help: "One line a paycode.") var collapsed = false
    @Option(help: "Without a month: only of a financial year, for example 2019/20.") var year = ""
    @Option(help: "Write the statement to this file, as PDF.") var pdf: String?
    @Option(help: "Write the statement to this file, as CSV.") var csv: String?
    @Flag(help: "CSV: begin with a UTF-8 byte-order mark, as some spreadsheets want it.") var byteOrderMark = false
    @OptionGroup var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        guard let month else { return try await list(session) }
        if pdf != nil || csv != nil {
            if let pdf { try await download(.pdf, to: pdf, month, session) }
            if let csv { try await download(.csv, to: csv, month, session) }
            return
        }
        var request = Pcs_Payments_V1_GetStatementRequest()
        request.practiceCode = practice.uppercased()
        request.month = month.message
        request.collapsed = collapsed
        let reply = try await session.statements.getStatement(request)
        try session.show(reply) { StatementView.text(reply, for: $0) }
    }

    private func download(
        _ format: Pcs_Payments_V1_StatementFormat, to path: String, _ month: MonthArgument, _ session: Session
    ) async throws {
        var request = Pcs_Payments_V1_DownloadStatementRequest()
        request.practiceCode = practice.uppercased()
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

    private func list(_ session: Session) async throws {
        var request = Pcs_Payments_V1_ListStatementsRequest()
        request.practiceCode = practice.uppercased()
        request.financialYear = year
        let reply = try await session.statements.listStatements(request)
        try session.show(reply) { terminal in
            reply.statements.isEmpty
                ? "there is no statement of \(request.practiceCode)"
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
    @Argument(help: "Practice code.") var practice: String
    @Argument(help: "Month, YYYY-MM.") var month: MonthArgument
    @Argument(help: "Number of the line.") var line: Int32 = 1
    @Option(help: "Run. Default: the run of the month.") var run = ""
    @OptionGroup var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Payments_V1_ExplainLineRequest()
        request.practiceCode = practice.uppercased()
        request.month = month.message
        request.lineNumber = line
        request.runID = run
        let reply = try await session.statements.explainLine(request)
        try session.show(reply) { ExplanationView.text(reply, for: $0) }
        if reply.replayedPence != reply.amountPence { throw ExitCode(ExitStatus.unsound.rawValue) }
    }
}
