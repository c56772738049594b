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
