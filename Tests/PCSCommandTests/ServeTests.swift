import ArgumentParser
import PluginAPI
import Testing

@testable import PCSCommand

@Suite("Log lines")
struct LogLineTests {
    private let now = Instant(microsecondsSince1970: 1_774_949_400_123_456)

    @Test("a line for people")
    func text() {
        let line = LineLogHandler.line(
            at: now, level: .info, label: "pcs", message: "host started", ["b": "two words", "a": "1"],
            format: .text)
        #expect(line == #"2026-03-31T09:30:00.123Z info     pcs: host started a=1 b="two words""#)
    }

    @Test("a line for collectors")
    func json() {
        let line = LineLogHandler.line(
            at: now, level: .error, label: "pcs", message: "two\nlines", ["a": "1"], format: .json)
        #expect(
            line
                == #"{"at":"2026-03-31T09:30:00.123Z","level":"error","label":"pcs","message":"two\nlines","#
                + #""metadata":{"a":"1"}}"#
        )
    }

    @Test("an event stays one line")
    func oneLine() {
        let line = LineLogHandler.line(
            at: now, level: .info, label: "pcs", message: "a\nb", [:], format: .text)
        #expect(!line.contains("\n"))
    }
}

@Suite("Command line")
struct CommandLineTests {
    @Test(
        "commands are read",
        arguments: [
            ["serve", "--config", "x"], ["demo", "--once", "--data", "d"],
            ["plugin", "disable", "payments", "--dry-run"],
            ["org", "load", "opendata/ods", "--published-on", "2026-03-02"],
            ["payments", "run", "open", "2019-04"],
            ["payments", "run", "accept", "2019-04", "1", "2", "--reason", "looked at"],
            ["payments", "run", "totals", "2019-04", "--by", "paycode"],
            ["payments", "statement", "A81001", "2019-04", "-o", "json"],
            ["payments", "load", "rates", "f", "--kind", "bank-holidays", "--reason", "r"],
            ["payments", "run", "compare", "2019-04", "2019-05"], ["payments", "run", "compare-runs", "a", "b"],
            ["call", "GetRun", "{}", "--text"],
            ["grant", "add", "ann.one", "payments-operator", "--organisation", "PCS", "--reason", "r"],
            ["backup", "--name", "x"], ["backup", "list"],
            ["payments", "run", "approve", "2019-04", "--control-total", "£1,000.00"],
            ["completions", "bash"], ["audit", "verify"], ["health", "--quick"],
            ["restore", "x", "--reason", "r"],
        ])
    func commands(arguments: [String]) {
        #expect(throws: Never.self) { try PCSCommandLine.parseAsRoot(arguments) }
    }

    @Test(
        "words after statement are subcommands, whatever the order of options; codes are payees",
        arguments: [
            (["statement", "A81001", "2019-04"], "StatementShowCommand"),
            (["statement", "a81001"], "StatementShowCommand"),
            (["statement", "--collapsed", "A81001", "2019-04"], "StatementShowCommand"),
            (["statement", "show", "LOCALLMC1", "2019-04", "--pdf", "x.pdf"], "StatementShowCommand"),
            (["statement", "list", "A81001", "--year", "2019/20"], "StatementListCommand"),
            (["statement", "changes", "A81001", "2019-04"], "ChangesCommand"),
            (["statement", "changes", "--as", "ann.one", "A81001", "2019-04"], "ChangesCommand"),
            (["changes", "A81001", "2019-04"], "ChangesCommand"),
            (["statement", "explain", "A81001", "2019-04", "2"], "ExplainCommand"),
            (["explain", "A81001", "2019-04"], "ExplainCommand"),
            (["statement", "query", "list", "A81001", "--open"], "QueryListCommand"),
            (["query", "raise", "A81001", "2019-04", "2", "--question", "why?"], "QueryRaiseCommand"),
        ])
    func statementWords(arguments: [String], command: String) throws {
        let parsed = try PCSCommandLine.parseAsRoot(["payments"] + arguments)
        #expect("\(type(of: parsed))" == command)
    }

    @Test(
        "what is in the wrong place is said to be, not read as something else",
        arguments: [
            (["statement", "--collapsed", "changes", "A81001", "2019-04"], "right after \"statement\""),
            (["statement", "--as", "ann.one", "query", "list", "A81001"], "right after \"statement\""),
            (["statement", "2019-04", "A81001"], "the month comes after it"),
            (["changes", "2019-04", "A81001"], "the month comes after it"),
            (["explain", "2019-04", "A81001", "1"], "the month comes after it"),
            (["statement", "A81001", "--pdf", "x.pdf"], "name the month"),
            (["statement", "A81001", "2019-04", "--year", "2019/20"], "a month, or --year"),
            (["statement", "A81001", "2019-04", "--byte-order-mark"], "goes with --csv"),
            (["qof", "A81001", "--byte-order-mark"], "goes with --csv"),
        ])
    func wrongPlace(arguments: [String], says: String) {
        let error = #expect(throws: (any Error).self) { try PCSCommandLine.parseAsRoot(["payments"] + arguments) }
        let text = error.map { PCSCommandLine.fullMessage(for: $0) } ?? ""
        #expect(text.contains(says), "\(text)")
        #expect(error.map { PCSCommandLine.exitCode(for: $0).rawValue } == 64)
    }

    @Test("every command of payments has help for each argument and option of its own; how to connect stands apart")
    func helpOfPayments() throws {
        func walk(_ command: any ParsableCommand.Type, _ path: [String]) throws -> Int {
            let below = command.configuration.subcommands
            let help = PCSCommandLine.helpMessage(for: command, columns: 100)
            #expect(help.hasPrefix("OVERVIEW: "), "\(path)")
            guard below.isEmpty else {
                return try below.reduce(0) { try $0 + walk($1, path + [$1.configuration.commandName ?? "\($1)"]) }
            }
            let connection = try #require(help.range(of: "\nCONNECTION:"), "\(path)")
            let options = try #require(help.range(of: "\nOPTIONS:"), "\(path)")
            let own = help[..<connection.lowerBound] + help[options.lowerBound...]
            #expect(!help[options.lowerBound...].contains("--authority"), "\(path)")
            #expect(help[connection.lowerBound..<options.lowerBound].contains("  --authority"), "\(path)")
            // A name alone on a line, with nothing said of it on the next one.
            let lines = own.split(separator: "\n", omittingEmptySubsequences: false)
            for (line, next) in zip(lines, lines.dropFirst()) where line.hasPrefix("  <") || line.hasPrefix("  --") {
                let isExplained = line.dropFirst(2).contains("  ") || next.hasPrefix("          ")
                #expect(isExplained, "\(path): \(line)")
            }
            return 1
        }
        #expect(try walk(PaymentsCommand.self, ["payments"]) > 25)
    }

    @Test(
        "commands that contradict themselves are refused as usage",
        arguments: [
            ["plugin", "disable", "payments"], ["org", "decide", "x", "--reason", "r"],
            ["payments", "run", "accept", "2019-04", "--reason", "r"],
            ["payments", "run", "open", "April"], ["health", "--certificate", "x"],
            ["health", "--timeout", "0"],
            ["payments", "rates", "decide", "x", "--return"], ["org", "load", "x"],
        ])
    func refused(arguments: [String]) {
        let error = #expect(throws: (any Error).self) { try PCSCommandLine.parseAsRoot(arguments) }
        #expect(error.map { PCSCommandLine.exitCode(for: $0).rawValue } == 64)
    }
}
