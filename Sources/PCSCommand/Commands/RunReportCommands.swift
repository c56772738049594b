import ArgumentParser
import Foundation
import PaymentsContract

struct RunShowCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "One run with its figures, approvals and history.")
    @Argument(help: "Run or month.") var run: String
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        let reply = try await RunReference.run(run, session)
        try session.show(reply) { terminal in
            RunView.sheet(reply).rendered(for: terminal) + "\n\n"
                + RunView.history(reply).rendered(for: terminal)
        }
    }
}

struct RunListCommand: ClientCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "All runs, oldest first.")
    @Option(help: "Only of a financial year, for example 2019/20.") var year = ""
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Payments_V1_ListRunsRequest()
        request.financialYear = year
        let reply = try await session.runs.listRuns(request)
        try session.show(reply) { terminal in
            reply.runs.isEmpty ? "there is no run yet" : RunView.table(reply.runs).rendered(for: terminal)
        }
    }
}

struct RunTotalsCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "totals", abstract: "Totals of a calculated run.")
    @Argument(help: "Run or month.") var run: String
    @Option(help: "By what.") var by = Choice(Pcs_Payments_V1_TotalDimension.region)
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Payments_V1_GetRunTotalsRequest()
        request.runID = try await RunReference.id(run, session)
        request.dimension = by.value
        let reply = try await session.runs.getRunTotals(request)
        try session.show(reply) { RunView.totals(reply).rendered(for: $0) }
    }
}

struct RunExportCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "All lines of a run as CSV, to a file or standard output.")
    @Argument(help: "Run or month.") var run: String
    @Option(help: "File to write. Default: standard output.") var to: String?
    @Flag(help: "Begin with a UTF-8 byte-order mark, as some spreadsheets want it.") var byteOrderMark = false
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        let current = try await RunReference.run(run, session)
        var request = Pcs_Payments_V1_ExportRunRequest()
        request.runID = current.runID
        request.byteOrderMark = byteOrderMark
        let chunks = try await session.runs.exportRun(request)
        let file = try to.map { try ExportFile(path: $0) }
        let progress = ProgressBar("exporting \(current.runID)")
        defer { progress.finish() }
        var rows: Int64 = 0
        for try await chunk in chunks {
            rows += chunk.rows
            if let file {
                try file.write(chunk.data)
                progress.show(
                    current.lines > 0 ? Double(rows) / Double(current.lines) : nil,
                    note: Wording.plural(rows, "line"))
            } else {
                Console.out(bytes: chunk.data)
            }
        }
        progress.finish()
        if let file {
            try file.finish()
            session.note("wrote \(Wording.plural(rows, "line")) to \(file.path)")
        }
    }
}

struct RunCompareCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "What changed between two runs, and why: the inputs that differ.", aliases: ["compare-runs"])
    @Argument(help: "Run or month before.") var before: String
    @Argument(help: "Run or month after.") var after: String
    @Option(help: "Only this practice.") var practice = ""
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        var request = Pcs_Payments_V1_CompareRunsRequest()
        request.beforeRunID = try await RunReference.id(before, session)
        request.afterRunID = try await RunReference.id(after, session)
        request.practiceCode = practice.uppercased()
        let rows = try await session.statements.compareRuns(request)
        let table = Table([
            .left("practice"), .left("name", mayShorten: true), .left("paycode"), .left("corrects"),
            .right("before"),
            .right("after"), .right("difference"), .left("because", mayShorten: true),
        ])
        try await session.showEach(rows, table, nothing: "the runs do not differ") { row in
            let causes = row.causes.map { cause in
                cause.input == "line" ? "in one run only" : "\(cause.input) \(cause.before) -> \(cause.after)"
            }
            return [
                Table.Cell(row.practiceCode, style: .bold), Table.Cell(row.practiceName),
                Table.Cell(row.paycode),
                Table.Cell(Wording.month(row.originalMonth)), Table.Cell(Wording.pounds(row.beforePence)),
                Table.Cell(Wording.pounds(row.afterPence)),
                Table.Cell(Wording.pounds(row.afterPence - row.beforePence)),
                Table.Cell(causes.joined(separator: "; ")),
            ]
        }
    }
}

/// A file that appears under its name only when all of it is written.
struct ExportFile {
    let path: String
    private let unfinished: String
    private let handle: FileHandle

    init(path: String) throws {
        self.path = path
        unfinished = path + ".part"
        guard FileManager.default.createFile(atPath: unfinished, contents: nil),
            let handle = FileHandle(forWritingAtPath: unfinished)
        else { throw CommandError(.noInput, "\(path) cannot be written") }
        self.handle = handle
    }

    func write(_ data: Data) throws {
        do {
            try handle.write(contentsOf: data)
        } catch {
            throw CommandError(.failed, "writing \(unfinished) failed: \(error.localizedDescription)")
        }
    }

    func finish() throws {
        do {
            try handle.close()
            if FileManager.default.fileExists(atPath: path) {
                try FileManager.default.removeItem(atPath: path)
            }
            try FileManager.default.moveItem(atPath: unfinished, toPath: path)
        } catch {
            throw CommandError(.failed, "\(path) cannot be written: \(error.localizedDescription)")
        }
    }
}
