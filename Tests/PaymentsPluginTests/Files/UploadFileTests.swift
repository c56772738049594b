import Accounting
import Testing

@testable import PaymentsPlugin

@Suite("Uploaded files")
struct UploadFileTests {
    private let header = CapitationFile.columns.joined(separator: ",") + "\n"

    private func capitation(_ text: String) -> (rows: [CapitationFile.Row], found: [String]) {
        capitation(Array(text.utf8))
    }

    private func capitation(_ bytes: [UInt8]) -> (rows: [CapitationFile.Row], found: [String]) {
        let (rows, violations) = CapitationFile.read(bytes)
        return (rows, violations.listed.map { "\($0.rule) \($0.row):\($0.column)" })
    }

    @Test("CRLF or LF, a byte-order mark, quoted cells and empty surplus columns are all read")
    func tolerated() {
        let text =
            "\u{FEFF}practice_code,registered_patients,weighted_patients,london_patients,,\r\n"
            + "\"A81001\",100,101.5,,,,,\r\nA81002,\"200\",\"199.99\",\"50\"\n\nA81003,1,1,1"
        let (rows, found) = capitation(text)
        #expect(found.isEmpty)
        #expect(rows.map(\.weightedHundredths) == [10_150, 19_999, 100])
        #expect(rows.map(\.london) == [0, 50, 1])
    }

    @Test("each broken cell is named by row, column and rule; all of them, not only the first")
    func brokenCells() {
        let (_, found) = capitation(
            header + """
                A8100,100,100.00,0
                A81001,-1,100.00,0
                A81002,100,100.001,0
                A81003,100,abc,200
                A81004,10.5,1e3,0
                A81005,100,100.00,101
                A81006,100
                A81007,100,100.00,0,surplus
                A81001x,2000000,1,0

                """)
        #expect(
            found
                == [
                    "CAP01 2:1", "CAP02 3:2", "CAP03 4:3", "CAP03 5:3", "CAP02 6:2", "CAP03 6:3", "CAP04 7:4",
                    "UP03 8:0",
                    "UP03 9:5", "CAP01 10:1", "CAP02 10:2",
                ].sorted { order($0) < order($1) })
    }

    /// Whole rows that do not fit are found while the file is read, before their cells.
    private func order(_ violation: String) -> Int { violation.hasPrefix("UP") ? 0 : 1 }

    @Test("the wrong header, encoding or quoting refuses the file as a whole")
    func wholeFile() {
        #expect(
            capitation("practice,registered_patients,weighted_patients,london_patients\nA81001,1,1,1\n").found
                == ["UP02 1:1"])
        #expect(
            capitation("practice_code,registered_patients\nA81001,1\n").found == ["UP02 1:3", "UP02 1:4"])
        #expect(capitation(header.dropLast() + ",extra\nA81001,1,1,1,1\n").found == ["UP02 1:5"])
        #expect(capitation(Array(header.utf8) + [0x41, 0xE9, 0x2C, 0x31, 0x0A]).found == ["UP01 2:1"])
        #expect(
            capitation(Array("practice".utf16).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }).found == [
                "UP04 1:1", "UP02 1:1", "UP02 1:2", "UP02 1:3", "UP02 1:4",
            ])
        #expect(capitation("").found == ["UP05 1:0"])
        #expect(capitation(header).found == ["UP05 2:0"])
        #expect(capitation(header + "\"A81001,1,1,1\n").found == ["UP04 2:1"])
        #expect(capitation(header + "A81001,\"1\"2,1,1\n").found == ["UP04 2:2"])
        #expect(capitation(header + "A8\"1001,1,1,1\n").found == ["UP04 2:1"])
        #expect(capitation(header + "A81001,1,1,\u{0}\n").found == ["UP04 2:4"])
    }

    @Test("a practice given twice is refused, with the line of the first")
    func duplicates() {
        let (_, violations) = CapitationFile.read(
            Array((header + "A81001,1,1,0\nA81002,1,1,0\nA81001,2,2,0\n").utf8))
        #expect(violations.listed.map(\.message) == ["A81001 is also in line 2"])
        #expect(violations.listed.map(\.row) == [4])
    }

    @Test("a thousand violations are listed, all are counted")
    func manyViolations() {
        let text = header + (0..<2500).map { _ in "bad,1,1,0\n" }.joined()
        let (_, violations) = CapitationFile.read(Array(text.utf8))
        #expect(violations.listed.count == 1000)
        #expect(violations.count == 2500)
    }

    @Test("random bytes are read or refused, never trapped on")
    func noise() {
        var random = SeededGenerator(seed: 31)
        let alphabet = Array("A81001,\",\n\r\u{0}é12.x".utf8)
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0...80, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            _ = CapitationFile.read(Array(header.utf8) + bytes)
            _ = ContractFile.read(Array((ContractFile.columns.joined(separator: ",") + "\n").utf8) + bytes)
            _ = RateFile.read(bytes)
            _ = PublishedYearFile.read(bytes)
        }
    }
}

@Suite("The contract file")
struct ContractFileTests {
    private func read(_ rows: String...) -> (rows: [ContractFile.Row], found: [String]) {
        let text = ContractFile.columns.joined(separator: ",") + "\n" + rows.joined(separator: "\n") + "\n"
        let (rows, violations) = ContractFile.read(Array(text.utf8))
        return (rows, violations.listed.map { "\($0.rule) \($0.row):\($0.field)" })
    }

    @Test("one row of each kind")
    func kinds() throws {
        let (rows, found) = read(
            "A81001,One,GMS,2026-04-01,,16C,Y63,,Y,N,3600.00,1400.00,COUNTED,,,,",
            "B81001,Two,PMS,2026-04-01,,16C,Y63,,,,,,,WEIGHTED,,101.2345,",
            "B81002,Three,APMS,2026-04-01,2027-04-01,16C,,B81001,,,,,,FIXED,1000.50,,Y")
        #expect(found.isEmpty)
        #expect(rows.map(\.terms.payment.kind) == [.gms, .pms, .apms])
        #expect(rows[0].terms.payment.temporaryPatientsPence == 360_000)
        #expect(rows[0].terms.payment.london == .counted)
        #expect(rows[1].terms.payment.baseline == .weighted(priceMicropounds: 101_234_500))
        #expect(rows[2].terms.payment.baseline == .fixed(annualPence: 100_050))
        #expect(rows[2].terms.payment.isStopped)
        #expect(rows[2].terms.payee.value == "B81001")
    }

    @Test(
        "each rule of a row, by its code",
        arguments: [
            ("81001,One,GMS,2026-04-01,,16C,Y63,,,,,,,,,,", "CON01 2:practice_code"),
            ("A81001,,GMS,2026-04-01,,16C,Y63,,,,,,,,,,", "CON02 2:practice_name"),
            ("A81001,One,gms,2026-04-01,,16C,Y63,,,,,,,,,,", "CON03 2:contract_type"),
            ("A81001,One,GMS,01/04/2026,,16C,Y63,,,,,,,,,,", "CON04 2:valid_from"),
            ("A81001,One,GMS,2026-04-31,,16C,Y63,,,,,,,,,,", "CON04 2:valid_from"),
            ("A81001,One,GMS,2026-04-01,2026-04-01,16C,Y63,,,,,,,,,,", "CON04 2:valid_to"),
            ("A81001,One,APMS,2026-04-01,,16C,Y63,,,,,,,FIXED,1.00,,", "CON04 2:valid_to"),
            ("A81001,One,GMS,2026-04-01,,16C,Y63,,yes,,,,,,,,", "CON06 2:out_of_hours_opt_out"),
            ("A81001,One,PMS,2026-04-01,,16C,Y63,,Y,,,,,FIXED,1.00,,", "CON06 2:out_of_hours_opt_out"),
            ("A81001,One,GMS,2026-04-01,,16C,Y63,,,,1.005,,,,,,", "CON07 2:temporary_patients_adjustment"),
            (
                "A81001,One,PMS,2026-04-01,,16C,Y63,,,,5,,,FIXED,1.00,,",
                "CON07 2:temporary_patients_adjustment"
            ),
            ("A81001,One,GMS,2026-04-01,,16C,Y63,,,,,,SOME,,,,", "CON07 2:london_basis"),
            ("A81001,One,GMS,2026-04-01,,16C,Y63,,,,,,,FIXED,1.00,,", "CON08 2:baseline_basis"),
            ("A81001,One,PMS,2026-04-01,,16C,Y63,,,,,,,,,,", "CON08 2:baseline_basis"),
            ("A81001,One,PMS,2026-04-01,,16C,Y63,,,,,,,FIXED,1.00,2.00,", "CON08 2:baseline_annual"),
            ("A81001,One,PMS,2026-04-01,,16C,Y63,,,,,,,RAW,,2.00001,", "CON08 2:baseline_price"),
            ("A81001,One,GMS,2026-04-01,,,Y63,,,,,,,,,,", "CON09 2:commissioner_code"),
            ("A81001,One,GMS,2026-04-01,,16C,y63,,,,,,,,,,", "CON09 2:region_code"),
            ("A81001,One,GMS,2026-04-01,,16C,Y63,,,,,,,,,,stop", "CON10 2:payments_stopped"),
        ])
    func rules(row: String, expected: String) { #expect(read(row).found.first == expected) }

    @Test("rows of one practice must follow each other, and change when the rules allow")
    func sequence() {
        let one = "A81001,One,GMS,2026-04-01,,16C,Y63,,Y,,,,,,,,"
        #expect(read(one, one).found == ["CON01 3:practice_code"])
        #expect(
            read(
                "A81001,One,GMS,2026-04-01,2026-07-01,16C,Y63,,,,,,,,,,",
                "A81001,One,GMS,2026-06-01,,16C,Y63,,,,,,,,,,"
            ).found
                == ["CON04 2:valid_to"])
        #expect(read(one, "A81001,One,GMS,2026-06-15,,16C,Y63,,,,,,,,,,").found == ["CON05 3:valid_from"])
        #expect(
            read(one, "A81001,One,PMS,2026-08-01,,16C,Y63,,,,,,,FIXED,1.00,,").found == ["CON05 3:valid_from"]
        )
        #expect(read(one, "A81001,One,PMS,2026-07-01,,16C,Y63,,,,,,,FIXED,1.00,,").found.isEmpty)
    }
}

@Suite("Reference data files")
struct ReferenceFileTests {
    @Test("the shipped files are sound")
    func shipped() throws {
        #expect(RateFile.read(PackageResources.rates_csv).violations.listed == [])
        #expect(PaycodeFile.read(PackageResources.paycodes_csv).violations.listed == [])
        let holidays = BankHolidayFile.read(PackageResources.bank_holidays_csv)
        #expect(holidays.violations.listed == [])
        #expect(holidays.rows.count == 140)
        let days = WorkingDays(bankHolidays: holidays.rows.map(\.day))
        for text in ["2020-05-08", "2022-06-03", "2022-09-19", "2023-05-08", "2026-12-28"] {
            #expect(try !days.isWorkingDay(day(text)))
        }
        #expect(try days.isWorkingDay(day("2020-05-04")))
        let book = PaycodeBook(PaycodeFile.read(PackageResources.paycodes_csv).rows)
        for paycode in Paycode.allCases { #expect(book.description(of: paycode) != paycode.code) }
    }

    @Test(
        "each rule of a rate, by its code",
        arguments: [
            ("no_such_rate,2026-04-01,,1,POUNDS,P,S1,", "REF01"),
            ("global_sum_price,2026-04-02,,1,POUNDS,P,S1,", "REF02"),
            ("global_sum_price,2026-04-01,2026-04-01,1,POUNDS,P,S1,", "REF02"),
            ("global_sum_price,2026-04-01,,1.1234567,POUNDS,P,S1,", "REF03"),
            ("global_sum_price,2026-04-01,,-1,POUNDS,P,S1,", "REF03"),
            ("out_of_hours_percent,2026-04-01,,101,PERCENT,P,S1,", "REF03"),
            ("global_sum_price,2026-04-01,,1,PERCENT,P,S1,", "REF04"),
            ("global_sum_price,2026-04-01,,1,POUNDS,Z,S1,", "REF05"),
        ])
    func rules(row: String, rule: String) {
        let text = RateFile.columns.joined(separator: ",") + "\n" + row + "\n"
        #expect(RateFile.read(Array(text.utf8)).violations.listed.map(\.rule).contains(rule))
    }

    @Test("a bank holiday is a weekday, given once")
    func holidays() {
        let read = BankHolidayFile.read(Array("date,title\n2026-05-02,A\n2026-05-04,B\n2026-05-04,C\n".utf8))
        #expect(read.violations.listed.map { "\($0.rule) \($0.row)" } == ["REF07 2", "REF07 4"])
    }
}
