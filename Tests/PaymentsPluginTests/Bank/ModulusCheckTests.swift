import Testing

@testable import PaymentsPlugin

@Suite("Modulus checking (payments.md 12.6)")
struct ModulusCheckTests {
    /// Rows in the layout of the weight table, as many as the public test cases below need.
    static let table = """
        074456 074456 MOD11 0 0 0 0 0 0 7 6 5 4 3 2 1 0 12
        074456 074456 MOD10 0 0 0 0 0 0 0 0 0 0 0 0 0 0 13
        089000 089999 MOD10 0 0 0 0 0 0 7 1 3 7 1 3 7 1
        107999 107999 MOD11 0 0 0 0 0 0 8 7 6 5 4 3 2 1
        118765 118765 DBLAL 0 0 2 1 2 1 2 1 2 1 2 1 2 1 1
        134012 134020 MOD11 0 0 0 7 5 9 8 4 6 3 5 2 0 0 4
        180002 180002 MOD11 0 0 0 0 0 0 8 7 6 5 4 3 2 1 14
        202959 202959 MOD11 0 0 0 0 0 0 0 7 6 5 4 3 2 1
        202959 202959 DBLAL 2 1 2 1 2 1 2 1 2 1 2 1 2 1
        200000 209999 DBLAL 2 1 2 1 2 1 2 1 2 1 2 1 2 1 6
        """

    static let tables: ModulusTables = {
        let (rows, faults) = ModulusFile.weights(table)
        precondition(faults.isEmpty)
        return ModulusTables(rows: rows)
    }()

    @Test(
        "public test cases",
        arguments: [
            ("089999", "66374958", ModulusOutcome.valid), ("107999", "88837491", .valid),
            ("202959", "63748472", .valid), ("118765", "64371389", .valid), ("180002", "00000190", .valid),
            ("134020", "63849203", .valid), ("089999", "66374959", .invalid), ("107999", "88837493", .invalid),
            ("118765", "64371388", .invalid), ("999999", "12345678", .unverified),
        ])
    func publicCases(sortCode: String, number: String, expected: ModulusOutcome) throws {
        let account = try #require(BankAccount(sortCode: sortCode, accountNumber: number))
        let check = ModulusCheck(account, Self.tables)
        #expect(check.outcome == expected, "\(check.explanation)")
        #expect(!check.explanation.isEmpty)
    }

    @Test("exception 4 reads g and h as one number of two digits")
    func exceptionFour() throws {
        // Remainder 3: gh must be 03; g + h = 3 alone (12, 21, 30) must not do.
        for tail in ["12", "21", "30"] {
            let account = try #require(BankAccount(sortCode: "134020", accountNumber: "638492" + tail))
            #expect(ModulusCheck(account, Self.tables).outcome == .invalid)
        }
    }

    @Test("exception 6: foreign currency accounts pass unchecked")
    func exceptionSix() throws {
        let account = try #require(BankAccount(sortCode: "200915", accountNumber: "41011166"))
        #expect(ModulusCheck(account, Self.tables).outcome == .valid)
    }

    @Test("short account numbers are padded on the left, anything else is no account")
    func padding() throws {
        #expect(BankAccount(sortCode: "08-99-99", accountNumber: "374958")?.accountNumber == "00374958")
        #expect(BankAccount(sortCode: "08999", accountNumber: "66374958") == nil)
        #expect(BankAccount(sortCode: "089999", accountNumber: "6637495X") == nil)
        #expect(BankAccount(sortCode: "089999", accountNumber: "66374") == nil)
    }

    @Test("a table with a broken row is refused row by row")
    func brokenTable() {
        let (rows, faults) = ModulusFile.weights(
            "089000 089999 MOD10 0 0 0\n089999 089000 MOD10 0 0 0 0 0 0 7 1 3 7 1 3 7 1\n"
                + "089000 089999 MOD12 0 0 0 0 0 0 7 1 3 7 1 3 7 1\n089000 089999 MOD10 0 0 0 0 0 0 7 1 3 7 1 3 7 1 15")
        #expect(rows.isEmpty)
        #expect(faults.map(\.row) == [1, 2, 3, 4])
    }
}
