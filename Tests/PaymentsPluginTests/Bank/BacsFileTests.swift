import Accounting
import Testing

@testable import PaymentsPlugin

@Suite("Bacs Standard 18 file (payments.md 12.7)")
struct BacsFileTests {
    private func file(_ credits: [BacsCredit]) throws -> BacsFile {
        let account = try #require(BankAccount(sortCode: "080000", accountNumber: "12345678"))
        return try BacsFile(
            originator: BacsOriginator(serviceUserNumber: "123456", account: account, name: "NHS Primary Care"),
            serial: "000042", createdOn: try #require(CalendarDate(iso8601: "2026-07-16")),
            processingDay: try #require(CalendarDate(iso8601: "2026-07-17")), narrative: "JUL26 GP RUN",
            credits: credits)
    }

    private func credit(_ pence: Int64, _ reference: String = "A81001 2607-1", name: String = "Dr Jones & Partners") throws
        -> BacsCredit
    {
        BacsCredit(
            account: try #require(BankAccount(sortCode: "089999", accountNumber: "66374958")), payeeName: name,
            reference: reference, pence: pence)
    }

    @Test("every record has its length, and the fields stand where the format says")
    func layout() throws {
        let file = try file([try credit(1_234_567), try credit(100, "U89141 2607-1", name: "Nórth PCN; Ltd")])
        let lines = String(decoding: file.encode(), as: UTF8.self).split(separator: "\r\n").map(Array.init)
        #expect(lines.map(\.count) == [80, 80, 80, 80, 100, 100, 100, 80, 80, 80])
        func field(_ line: Int, _ from: Int, _ to: Int) -> String { String(lines[line][(from - 1)...(to - 1)]) }
        #expect(field(0, 1, 4) == "VOL1" && field(0, 5, 10) == "000042" && field(0, 42, 47) == "123456")
        #expect(field(0, 80, 80) == "1")
        #expect(field(1, 5, 21) == "A123456S  1123456" && field(1, 42, 47) == " 26197")
        #expect(field(2, 5, 15) == "F0200000100" && field(2, 51, 52) == "00")
        #expect(field(3, 5, 10) == " 26198" && field(3, 29, 37) == "1 DAILY  " && field(3, 38, 40) == "001")
        #expect(field(4, 1, 14) == "08999966374958" && field(4, 15, 17) == "099")
        #expect(field(4, 36, 46) == "00001234567" && field(4, 65, 82) == "A81001 2607-1     ")
        #expect(field(4, 83, 100) == "DR JONES & PARTNER")
        #expect(field(5, 83, 100) == "N RTH PCN  LTD    ")
        #expect(field(6, 16, 17) == "17" && field(6, 36, 46) == "00001234667" && field(6, 65, 70) == "CONTRA")
        #expect(field(9, 5, 17) == "0000001234667" && field(9, 18, 30) == "0000001234667")
        #expect(field(9, 31, 37) == "0000001" && field(9, 38, 44) == "0000002")
    }

    @Test("E21: the file of 30 June 2026, byte by byte")
    func workedExample() throws {
        let payer = try #require(BankAccount(sortCode: "089999", accountNumber: "66374958"))
        let file = try BacsFile(
            originator: BacsOriginator(serviceUserNumber: "654321", account: payer, name: "NHS PRIMARY CARE"),
            serial: "000123", createdOn: try #require(CalendarDate(iso8601: "2026-06-26")),
            processingDay: try #require(CalendarDate(iso8601: "2026-06-29")), narrative: "JUN26 GP RUN",
            credits: [
                BacsCredit(
                    account: try #require(BankAccount(sortCode: "118765", accountNumber: "64371389")),
                    payeeName: "Example Surgery & Partners", reference: "A99001 2606-1", pence: 10_329_726),
                BacsCredit(
                    account: try #require(BankAccount(sortCode: "107999", accountNumber: "88837491")),
                    payeeName: "Riverside PCN Ltd", reference: "U99001 2606-1", pence: 5_779_450),
            ])
        let expected = """
            VOL1000123...............................654321................................1
            HDR1A654321S..165432100012300010001.......26177.26180.000000....................
            HDR2F0200000100...................................00............................
            UHL1.26180999999....000000001.DAILY..001........................................
            1187656437138909908999966374958....00010329726NHS.PRIMARY.CARE..A99001.2606-1.....EXAMPLE.SURGERY.&.
            1079998883749109908999966374958....00005779450NHS.PRIMARY.CARE..U99001.2606-1.....RIVERSIDE.PCN.LTD.
            0899996637495801708999966374958....00016109176JUN26.GP.RUN......CONTRA............NHS.PRIMARY.CARE..
            EOF1A654321S..165432100012300010001.......26177.26180.000000....................
            EOF2F0200000100...................................00............................
            UTL10000016109176000001610917600000010000002....................................
            """
        let shown = String(decoding: file.encode(), as: UTF8.self).replacing(" ", with: ".")
            .replacing("\r\n", with: "\n")
        #expect(shown == expected + "\n")
    }

    @Test("amounts of nothing are left out, weak references and amounts out of range refused")
    func refusals() throws {
        #expect(try file([try credit(5), try credit(0)]).credits.count == 1)
        #expect(throws: BacsFile.Fault.empty) { try file([try credit(0)]) }
        #expect(throws: BacsFile.Fault.amountOutOfRange(reference: "A81001 2607-1")) {
            try file([try credit(BacsFile.largestPence + 1)])
        }
        #expect(throws: BacsFile.Fault.referenceTooWeak("AAAAAAAA")) { try file([try credit(1, "AAAAAAAA")]) }
        #expect(throws: BacsFile.Fault.referenceTooWeak("A8100")) { try file([try credit(1, "A8100")]) }
    }

    @Test("any credits are grouped so that each contra fits its field and pays what is above it; totals are of all")
    func groups() throws {
        var random = SeededGenerator(seed: 127)
        for round in 0..<200 {
            let largest = round % 2 == 0 ? BacsFile.largestPence : BacsFile.largestPence / 7
            let count = Int.random(in: 1...60, using: &random)
            let amounts = (0..<count).map { _ in Int64.random(in: 0...largest, using: &random) } + [largest]
            let file = try file(try amounts.map { try credit($0) })
            var (open, sums, written): (Int64, [Int64], [Int64]) = (0, [], [])
            let lines = String(decoding: file.encode(), as: UTF8.self).split(separator: "\r\n").map(Array.init)
            for line in lines where line.count == 100 {
                let pence = try #require(Int64(String(line[35...45])))
                if String(line[15...16]) == "99" {
                    open += pence
                    written.append(pence)
                } else {
                    #expect(String(line[15...16]) == "17" && pence == open && pence <= BacsFile.largestPence)
                    sums.append(pence)
                    open = 0
                }
            }
            #expect(open == 0 && written == amounts.filter { $0 > 0 })
            let total = amounts.reduce(0, +)
            #expect(sums.reduce(0, +) == total && file.totalPence == total)
            let trailer = try #require(lines.last).map { String($0) }.joined()
            #expect(trailer.hasPrefix("UTL1" + BacsText.number(total, 13) + BacsText.number(total, 13)))
            #expect(
                trailer.dropFirst(30).hasPrefix(
                    BacsText.number(Int64(sums.count), 7) + BacsText.number(Int64(written.count), 7)))
            // No group is begun while the next credit still fits the one before.
            for (first, second) in zip(sums, sums.dropFirst()) { #expect(first + second > BacsFile.largestPence) }
        }
    }

    @Test("England's month, about 1.16 billion pounds, is one file with two contras")
    func england() throws {
        let credits = try (0..<10_000).map { try credit(11_600_000 + Int64($0)) }
        let lines = String(decoding: try file(credits).encode(), as: UTF8.self).split(separator: "\r\n")
        #expect(lines.count == 4 + 10_000 + 2 + 3)
    }

    @Test("the same input gives the same bytes")
    func sameBytes() throws {
        #expect(try file([try credit(77)]).encode() == (try file([try credit(77)])).encode())
    }
}
