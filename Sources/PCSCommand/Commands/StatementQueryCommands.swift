import ArgumentParser
import PaymentsContract

struct ChangesCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "changes", abstract: "What differs from the statement before, and why.")
    @Argument(help: PayeeArgument.help, transform: PayeeArgument.read) var payee: PayeeArgument
    @Argument(help: "Month, YYYY-MM.") var month: MonthArgument
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Payments_V1_GetStatementChangesRequest()
        request.practiceCode = payee.code
        request.month = month.message
        let reply = try await session.statements.getStatementChanges(request)
        try session.show(reply) { terminal in
            var sheet = Sheet()
            sheet.add("statement", reply.statementID, style: .bold)
            sheet.add("before", reply.beforeStatementID.isEmpty ? "none" : reply.beforeStatementID)
            sheet.add(
                "net", "\(Wording.pounds(reply.beforeNetPence)) -> \(Wording.pounds(reply.afterNetPence))")
            let head = sheet.rendered(for: terminal)
            return reply.changes.isEmpty
                ? head + "\n\nnothing differs"
                : head + "\n\n" + StatementView.changes(reply.changes).rendered(for: terminal)
        }
    }
}

struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query", abstract: "Questions about lines of statements: ask, and see what was asked.",
        subcommands: [QueryRaiseCommand.self, QueryListCommand.self])
}

struct QueryRaiseCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "raise",
        abstract: "Asks about a line. Follow the answer with: pcs case enquiry show QUERY.")
    @Argument(help: PayeeArgument.help, transform: PayeeArgument.read) var payee: PayeeArgument
    @Argument(help: "Month, YYYY-MM.") var month: MonthArgument
    @Argument(help: "Number of the line, as the statement shows it.") var line: Int32
    @Option(help: "What is asked. Name no patients.") var question: String
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Payments_V1_RaiseQueryRequest()
        request.practiceCode = payee.code
        request.month = month.message
        request.lineNumber = line
        request.question = question
        let reply = try await session.statements.raiseQuery(request)
        try session.show(reply) { StatementView.queries([reply]).rendered(for: $0) }
    }
}

struct QueryListCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Queries on a payee's statements, newest first.")
    @Argument(help: PayeeArgument.help, transform: PayeeArgument.read) var payee: PayeeArgument
    @Flag(help: "Only those that are not answered.") var open = false
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Payments_V1_ListQueriesRequest()
        request.practiceCode = payee.code
        request.openOnly = open
        let reply = try await session.statements.listQueries(request)
        try session.show(reply) { terminal in
            reply.queries.isEmpty
                ? "there is no query" : StatementView.queries(reply.queries).rendered(for: terminal)
        }
    }
}

struct QualityFiguresCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "qof",
        abstract: "Aspiration, achievement and balance of the quality framework, year by year.")
    @Argument(help: "Practice, or a commissioner for all of its practices.") var organisation: String
    @Argument(help: "Financial year, for example 2025/26. With a practice: with its areas.") var year = ""
    @Option(help: "Only practices whose code or name has this in it.") var search = ""
    @Option(help: ArgumentHelp("Write all figures with their areas to this file, as CSV.", valueName: "file"))
    var csv: String?
    @Flag(help: "CSV: begin with a UTF-8 byte-order mark.") var byteOrderMark = false
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func validate() throws {
        if byteOrderMark, csv == nil { throw ValidationError("--byte-order-mark goes with --csv.") }
    }

    func run(_ session: Session) async throws {
        if let csv { return try await export(to: csv, session) }
        var request = Pcs_Payments_V1_ListQualityFiguresRequest()
        request.organisationCode = organisation.uppercased()
        request.financialYear = year
        request.search = search
        var reply = try await session.qualityFigures.listQualityFigures(request)
        if !year.isEmpty, let only = reply.figures.first, reply.figures.count == 1 {
            var one = Pcs_Payments_V1_GetQualityFiguresRequest()
            one.practiceCode = only.practiceCode
            one.financialYear = year
            reply.figures = [try await session.qualityFigures.getQualityFigures(one)]
        }
        let shown = reply
        try session.show(shown) { terminal in
            shown.figures.isEmpty
                ? "there are no figures" : QualityFiguresView.text(shown.figures, for: terminal)
        }
    }

    private func export(to path: String, _ session: Session) async throws {
        var request = Pcs_Payments_V1_ExportQualityFiguresRequest()
        request.organisationCode = organisation.uppercased()
        request.financialYear = year
        request.byteOrderMark = byteOrderMark
        let chunks = try await session.qualityFigures.exportQualityFigures(request)
        let file = try ExportFile(path: path)
        var rows: Int64 = 0
        for try await chunk in chunks {
            try file.write(chunk.data)
            rows += chunk.rows
        }
        try file.finish()
        session.note("wrote \(Wording.plural(rows, "row")) to \(file.path)")
    }
}
