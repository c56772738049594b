/// How a row of the weight table checks (payments.md 12.6).
enum ModulusMethod: String, Sendable, CaseIterable {
    case mod10 = "MOD10"
    case mod11 = "MOD11"
    case doubleAlternate = "DBLAL"
}

/// A row of the operator-loaded weight table: a range of sort codes, a method, fourteen weights, an exception.
struct ModulusRow: Hashable, Sendable {
    let from: String
    let to: String
    let method: ModulusMethod
    /// For u v w x y z a b c d e f g h.
    let weights: [Int]
    /// 0 = none; otherwise 1 to 14.
    let exception: Int
}

/// The loaded tables. Licensed reference data: never shipped.
struct ModulusTables: Sendable {
    /// In the order of the file.
    var rows: [ModulusRow] = []
    /// Sort codes to put in the place of others, for exception 5.
    var substitutions: [String: String] = [:]

    /// At most two rows cover a sort code.
    func rows(for sortCode: String) -> [ModulusRow] {
        rows.lazy.filter { $0.from <= sortCode && sortCode <= $0.to }.prefix(2).map { $0 }
    }
}

/// What the check says of an account.
enum ModulusOutcome: String, Hashable, Sendable {
    case valid = "VALID"
    case invalid = "INVALID"
    /// No row covers the sort code: the account counts as valid and is marked.
    case unverified = "UNVERIFIED"
}

/// The check of one account, with the total that decided (payments.md 12.6).
struct ModulusCheck: Hashable, Sendable {
    let outcome: ModulusOutcome
    /// In words, row by row: method, total, remainder, exception.
    let explanation: [String]

    init(_ account: BankAccount, _ tables: ModulusTables) {
        let rows = tables.rows(for: account.sortCode)
        guard let first = rows.first else {
            outcome = .unverified
            explanation = ["no row of the weight table covers \(account.sortCode)"]
            return
        }
        var notes: [String] = []
        let second = rows.count > 1 ? rows[1] : nil
        let check = ModulusArithmetic(digits: account.digits, tables: tables)
        let passesFirst = check.passes(first, isSecond: false, &notes)
        guard let second else {
            outcome = passesFirst ? .valid : .invalid
            explanation = notes
            return
        }
        let either = [Set([2, 9]), Set([10, 11]), Set([12, 13])].contains([first.exception, second.exception])
        if either {
            outcome = passesFirst || check.passes(second, isSecond: true, &notes) ? .valid : .invalid
        } else {
            outcome = passesFirst && check.passes(second, isSecond: true, &notes) ? .valid : .invalid
        }
        explanation = notes
    }
}

/// The sums, with the fourteen exceptions.
private struct ModulusArithmetic {
    let digits: [Int]
    let tables: ModulusTables

    private var a: Int { digits[6] }
    private var b: Int { digits[7] }
    private var c: Int { digits[8] }
    private var g: Int { digits[12] }
    private var h: Int { digits[13] }

    func passes(_ row: ModulusRow, isSecond: Bool, _ notes: inout [String]) -> Bool {
        if row.exception == 6, (4...8).contains(a), g == h {
            notes.append("exception 6: a foreign currency account cannot be checked")
            return true
        }
        if row.exception == 3, c == 6 || c == 9 {
            notes.append("exception 3: c is \(c), this check is left out")
            return true
        }
        let used = substituted(row)
        let weights = weights(row)
        let total = total(row, used, weights)
        let modulus = row.method == .mod11 ? 11 : 10
        let remainder = total % modulus
        var result = remainder == 0
        switch row.exception {
        case 4: result = remainder == 10 * g + h
        case 5: result = passesFive(row, remainder)
        case 14 where !result: result = passesFourteen(row, &notes)
        default: break
        }
        let exception = row.exception == 0 ? "" : ", exception \(row.exception)"
        notes.append(
            "\(row.method.rawValue) total \(total), remainder \(remainder)\(exception): "
                + (result ? "passes" : "fails"))
        return result
    }

    private func total(_ row: ModulusRow, _ digits: [Int], _ weights: [Int]) -> Int {
        let products = zip(digits, weights).map { $0 * $1 }
        guard row.method == .doubleAlternate else { return products.reduce(0, +) }
        let sum = products.reduce(0) { sum, product in
            sum + String(abs(product)).utf8.reduce(0) { $0 + Int($1) - 0x30 }
        }
        return row.exception == 1 ? sum + 27 : sum
    }

    /// Exceptions 5, 8 and 9 check with another sort code.
    private func substituted(_ row: ModulusRow) -> [Int] {
        let sortCode = String(digits.prefix(6).map { Character(String($0)) })
        let other: String? =
            switch row.exception {
            case 5: tables.substitutions[sortCode]
            case 8: "090126"
            case 9: "309634"
            default: nil
            }
        guard let other, other.utf8.count == 6 else { return digits }
        return other.utf8.map { Int($0) - 0x30 } + digits.dropFirst(6)
    }

    private func weights(_ row: ModulusRow) -> [Int] {
        switch row.exception {
        case 2 where a != 0 && g != 9: return [0, 0, 1, 2, 5, 3, 6, 4, 8, 7, 10, 9, 3, 1]
        case 2 where a != 0: return [0, 0, 0, 0, 0, 0, 0, 0, 8, 7, 10, 9, 3, 1]
        case 7 where g == 9: return zeroed(row.weights)
        case 10 where ((a == 0 && b == 9) || (a == 9 && b == 9)) && g == 9: return zeroed(row.weights)
        default: return row.weights
        }
    }

    /// Weights of u to b set to nothing.
    private func zeroed(_ weights: [Int]) -> [Int] { [Int](repeating: 0, count: 8) + weights.dropFirst(8) }

    /// Exception 5: g and h are check digits of their own.
    private func passesFive(_ row: ModulusRow, _ remainder: Int) -> Bool {
        if row.method == .doubleAlternate { return remainder == 0 ? h == 0 : h == 10 - remainder }
        if remainder == 0 { return g == 0 }
        return remainder != 1 && g == 11 - remainder
    }

    /// Exception 14: an account number of seven digits with a branch digit at its end.
    private func passesFourteen(_ row: ModulusRow, _ notes: inout [String]) -> Bool {
        guard [0, 1, 9].contains(h) else { return false }
        let shifted = Array(digits.prefix(6)) + [0] + digits[6...12]
        let total = total(row, shifted, row.weights)
        let modulus = row.method == .mod11 ? 11 : 10
        notes.append("exception 14: last digit dropped, total \(total), remainder \(total % modulus)")
        return total % modulus == 0
    }
}
