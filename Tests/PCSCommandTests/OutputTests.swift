import PluginAPI
import Testing

@testable import PCSCommand

@Suite("Output")
struct OutputTests {
    private var table: Table {
        var table = Table([.left("code"), .left("name", mayShorten: true), .right("net")])
        table.add("A81001", "A practice with a very long name indeed", "£1.00")
        table.add("B1", "Short", "£1,234,567.89")
        return table
    }

    @Test("columns align, numbers to the right, nothing is cut where nobody reads on a terminal")
    func alignment() {
        #expect(
            table.rendered() == """
                CODE    NAME                                               NET
                A81001  A practice with a very long name indeed          £1.00
                B1      Short                                    £1,234,567.89
                """)
    }

    @Test("on a narrow terminal only columns that may be cut are, and no line is wider")
    func narrow() {
        let text = table.rendered(for: Terminal(isTerminal: true, width: 44, usesColour: false))
        #expect(text.contains("…") && text.contains("£1,234,567.89") && text.contains("A81001"))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 44 })
    }

    @Test("colour only where it is wanted")
    func colour() {
        let coloured = Terminal(isTerminal: true, width: nil, usesColour: true)
        #expect(coloured.styled("x", .good) == "\u{1B}[32mx\u{1B}[0m")
        #expect(Terminal.plain.styled("x", .good) == "x")
    }

    @Test("names from elsewhere cannot steer the terminal")
    func hostileNames() {
        var table = Table([.left("name")])
        table.add(Table.Cell("evil\u{1B}[2J\r\nname\u{202E}"))
        #expect(!table.rendered().dropFirst(5).contains { $0 == "\u{1B}" || $0 == "\r" || $0 == "\u{202E}" })
    }

    @Test(
        "money is written in pounds and pence",
        arguments: [
            (Int64(0), "£0.00"), (5, "£0.05"), (-5, "-£0.05"), (123_456_789, "£1,234,567.89"),
            (-100_000, "-£1,000.00"),
            (.min, "-£92,233,720,368,547,758.08"),
        ])
    func pounds(pence: Int64, text: String) {
        #expect(Wording.pounds(pence) == text)
    }

    @Test(
        "money typed is read back",
        arguments: [
            ("1234.56", Int64(123_456)), ("£1,234.56", 123_456), ("-0.05", -5), ("7", 700),
            ("438596072.54", 43_859_607_254),
        ])
    func typedPounds(text: String, pence: Int64) {
        #expect(PoundsArgument(argument: text)?.pence == pence)
    }

    @Test(
        "money that cannot be meant is refused",
        arguments: ["1.5", "1.234", "", "£", "abc", "1.2.3", "99999999999999999999"])
    func wrongPounds(text: String) {
        #expect(PoundsArgument(argument: text) == nil)
    }

    @Test("times, sizes and shares are readable")
    func wording() {
        #expect(Wording.duration(milliseconds: 35) == "35 ms")
        #expect(Wording.duration(milliseconds: 1_234) == "1.23 s")
        #expect(Wording.duration(milliseconds: 200_000) == "3 min 20 s")
        #expect(Wording.bytes(3_218_051) == "3,218 kB")
        #expect(Wording.percent(678, of: 1_000) == "67.8 %")
        #expect(Wording.hundredths(475_579) == "4,755.79")
        #expect(Wording.micropounds(85_550_000) == "£85.55")
        #expect(Wording.plural(1, "row") == "1 row" && Wording.plural(2_000, "row") == "2,000 rows")
        #expect(
            Wording.moment(.init(seconds: 1_774_949_400, nanos: 5), isSet: true) == "2026-03-31 09:30:00Z")
    }

    @Test("statuses follow the code of the failure")
    func exitStatuses() {
        let pairs: [(StatusCode, Int32)] = [
            (.invalidArgument, 65), (.notFound, 3), (.permissionDenied, 77), (.unauthenticated, 77),
            (.unavailable, 75),
            (.deadlineExceeded, 75), (.failedPrecondition, 1), (.dataLoss, 2), (.internal, 1),
        ]
        for (code, status) in pairs { #expect(ExitStatus(code).rawValue == status) }
    }

    @Test("a refused file is shown row by row, with what to do and the correlation id")
    func failureReport() {
        let reason = Reason(
            name: "FILE_INVALID", code: .invalidArgument, summary: "s", nextStep: "Mend the rows.")
        var failure = Failure(
            reason, "2 rows are wrong.",
            violations: [
                Violation(field: "weighted", rule: "RND-7", message: "is no number", row: 3, column: 2)
            ], violationCount: 7)
        failure.correlationID = "c-1"
        let text = FailureReport(failure).text(for: .plain)
        #expect(
            text == """
                FILE_INVALID: 2 rows are wrong.

                  ROW  COLUMN  FIELD     RULE   PROBLEM
                    3       2  weighted  RND-7  is no number
                  ... and 6 more

                next: Mend the rows.
                correlation id: c-1
                """)
        #expect(FailureReport(failure).json.compact.contains(#""exitStatus":65"#))
    }

    @Test("a typing error finds the name that was meant")
    func suggestions() {
        #expect(Suggestions.nearest(to: "pratcice", among: ["practice", "region", "price"]) == ["practice"])
        #expect(Suggestions.nearest(to: "zzz", among: ["practice", "region"]).isEmpty)
    }
}
