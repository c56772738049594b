import PluginAPI
import Testing

@testable import Tabular

@Suite("Rows become values or violations")
struct RowReaderTests {
    private static let days = CalendarDate(daysSince1970: 0)...CalendarDate(daysSince1970: 40_000)

    private func reader(_ text: String) -> RowReader {
        var violations = ViolationList()
        let table = Table.read(
            csv: Array(text.utf8), layout: TableLayout(.asGiven, origin: .person), into: &violations)
        return RowReader(table, violations: violations)
    }

    @Test("each value of a row, and each that is wrong by row, column and rule")
    func values() {
        var reader = reader(
            "code,day,amount,paid\nA81001,2026-04-01,-1.5,Y\n,,,\na,2026-4-1,1.555,yes\nB81001,2099-01-01,100,N\n"
        )
        let hasFirst = reader.next()
        let code = reader.code("code", "R1")
        let day = reader.date("day", "R2", in: Self.days)
        let pence = reader.decimal("amount", "R3", scale: 2, in: -200...200)
        let isPaid = reader.flag("paid", "R4")
        #expect(hasFirst && isPaid)
        #expect(code == ODSCode("A81001") && pence == -150)
        #expect(day == CalendarDate(year: 2026, month: 4, day: 1))

        let hasSecond = reader.next()
        let noCode = reader.code("code", "R1", mayBeEmpty: true)
        let noDay = reader.date("day", "R2", in: Self.days, mayBeEmpty: true)
        let noPence = reader.decimal("amount", "R3", scale: 2, in: 0...200, mayBeEmpty: true)
        let isUnpaid = !reader.flag("paid", "R4")
        #expect(hasSecond && isUnpaid && noCode == nil && noDay == nil && noPence == nil)
        #expect(reader.violations.isEmpty)

        while reader.next() {
            let wrongDay = reader.date("day", "R2", in: Self.days)
            let wrongPence = reader.decimal("amount", "R3", scale: 2, in: 0...200)
            _ = reader.flag("paid", "R4")
            _ = reader.code("code", "R1")
            #expect(wrongDay == nil && wrongPence == nil)
        }
        let failure = reader.violations.failure(
            Reason(name: "FILE_INVALID", code: .invalidArgument, summary: "", nextStep: ""))
        #expect(
            failure.violations.map { "\($0.row):\($0.column) \($0.rule) \($0.field)" } == [
                "4:1 R1 code", "4:2 R2 day", "4:3 R3 amount", "4:4 R4 paid", "5:2 R2 day", "5:3 R3 amount",
            ])
        #expect(failure.message == "Rules are broken in 6 places. Nothing was applied.")
        #expect(failure.violations[2].message == "\"1.555\" is no number from 0 to 2 with at most 2 decimals")
    }

    @Test("the second row with a key is refused with the line of the first")
    func unique() {
        var reader = reader("code\nA\n\nB\nA\n")
        var firsts: [Bool] = []
        while reader.next() { firsts.append(reader.requireUnique(reader.cell("code"), "code", "R1")) }
        #expect(firsts == [true, true, false])
        #expect(reader.violations.listed.map { "\($0.row) \($0.message)" } == ["5 A is also in line 2"])
    }

    @Test("columns may be named by the reader; a column that is not there is empty")
    func named() {
        var violations = ViolationList()
        let table = Table.read(
            csv: Array("a,b,c\n1,2,3\n".utf8), layout: TableLayout(.asGiven, origin: .person),
            into: &violations)
        var reader = RowReader(table, columns: ["x", "", "x"], violations: violations)
        let hasRow = reader.next()
        #expect(hasRow)
        #expect(reader.cell("x") == "1" && reader.cell("") == "" && reader.cell("a") == "")
        #expect(reader.isEmpty("a"))
    }

    @Test("the first violations are listed, all are counted, and the refusal says how many more there are")
    func capped() {
        var violations = ViolationList(limit: 2)
        for row in (1...5).reversed() { violations.add("R", row: row, "wrong") }
        #expect(violations.count == 5 && violations.more == 3)
        let failure = violations.failure(
            Reason(name: "FILE_INVALID", code: .invalidArgument, summary: "", nextStep: ""))
        #expect(failure.violations.map(\.row) == [4, 5] && failure.violationCount == 5)
        #expect(
            failure.message
                == "Rules are broken in 5 places; the first 2 are listed, and there are 3 more. Nothing was applied."
        )
    }

    @Test(
        "days of a workbook's calendar, on both sides of the day that never was",
        arguments: [
            (SerialDays.from1900, 1, "1900-01-01"), (.from1900, 59, "1900-02-28"), (.from1900, 60, ""),
            (.from1900, 61, "1900-03-01"), (.from1900, 25_569, "1970-01-01"),
            (.from1900, 46_113, "2026-04-01"),
            (.from1900, 2_958_465, "9999-12-31"), (.from1900, 2_958_466, ""), (.from1900, 0, ""),
            (.from1904, 0, "1904-01-01"), (.from1904, 44_651, "2026-04-01"),
            (.from1904, 2_957_003, "9999-12-31"),
            (.from1904, -1, ""),
        ])
    func serialDays(system: SerialDays, serial: Int, day: String) {
        #expect(system.day(serial)?.description ?? "" == day)
    }
}
