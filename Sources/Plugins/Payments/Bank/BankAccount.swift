/// A sterling account at a bank in the United Kingdom: six digits of sort code, eight of account number.
struct BankAccount: Hashable, Sendable {
    /// Six digits.
    let sortCode: String
    /// Eight digits.
    let accountNumber: String

    /// Takes a sort code with or without hyphens, and an account number of 6 to 8 digits: shorter ones are padded with
    /// zeros on the left (payments.md 12.6).
    init?(sortCode: String, accountNumber: String) {
        let sort = sortCode.filter { $0 != "-" && $0 != " " }
        guard sort.utf8.count == 6, (6...8).contains(accountNumber.utf8.count),
            (sort + accountNumber).utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        self.sortCode = sort
        self.accountNumber = String(repeating: "0", count: 8 - accountNumber.utf8.count) + accountNumber
    }

    /// What everybody else than the people with the bank role sees.
    var lastFour: String { String(accountNumber.suffix(4)) }

    /// The fourteen digits u v w x y z a b c d e f g h.
    var digits: [Int] { (sortCode + accountNumber).utf8.map { Int($0) - 0x30 } }
}
