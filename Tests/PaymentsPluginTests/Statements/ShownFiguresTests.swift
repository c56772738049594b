import Accounting
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

/// Comes to a line's amount from what the line shows, and nothing else (C1).
///
/// A basis is read like this: `NAME` = quantity x rate; `PERCENT_OF_NAME` = quantity x rate / 100; `/12`, `/7` =
/// divided by that; ` x 17/30` = for so many of the days, ` x 52/12` = the weeks of a month; both may follow each other.
struct ShownFigures {
    struct Unreadable: Error {
        var basis: String
    }

    static func amount(_ line: Pcs_Payments_V1_StatementLine) throws -> Rational {
        let quantity = try #require(ExactDecimal(line.quantity)).rational
        let rate = try #require(ExactDecimal(line.rate)).rational
        var amount = try quantity.multiplied(by: rate)
        let parts = line.basis.components(separatedBy: " x ")
        for factor in parts.dropFirst() { amount = try amount.multiplied(by: fraction(factor)) }
        let basis = parts[0]
        if let slash = basis.lastIndex(of: "/"), let divisor = Int64(basis[basis.index(after: slash)...]) {
            amount = try amount.divided(by: Rational(divisor))
        }
        if basis.hasPrefix("PERCENT_OF_") { amount = try amount.divided(by: Rational(100)) }
        return amount
    }

    private static func fraction(_ text: String) throws -> Rational {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { Int64($0) }
        guard parts.count == 2, numbers.count == 2 else { throw Unreadable(basis: text) }
        return try Rational(numbers[0]).divided(by: Rational(numbers[1]))
    }

    /// Whether that is the amount to within a penny.
    static func agrees(_ line: Pcs_Payments_V1_StatementLine) throws -> Bool {
        let difference = try amount(line).subtracting(Money(pence: line.amountPence).pounds.rational)
        let penny = try Rational(1).divided(by: Rational(100))
        let opposite = try difference.negated()
        return difference < penny && opposite < penny
    }
}

@Suite("Every line shows what it is made of (C1)")
struct ShownFiguresTests {
    /// Contracts of all kinds, part months, opt-outs, a correction factor, networks, aspiration, achievement,
    /// variations of an amount, retro and balances.
    private func wholeRun(_ office: PaymentsOffice) async throws -> Pcs_Payments_V1_Run {
        try await office.host.loadOrganisations()
        try await office.setRate(
            "minor_surgery_percent", "0.75", from: "2019-04-01", to: "2020-04-01", unit: .percent)
        var generator = SeededGenerator(seed: 20_260_401)
        var lists: [String] = []
        for index in 0..<40 {
            let code = "A8\(1000 + index)"
            let weighted = Int64.random(in: 150_000...2_500_000, using: &generator)
            lists.append(
                "\(code),\(weighted / 100),\(ExactDecimal(mantissa: weighted, scale: 2)),\(index % 3 * 700)")
            let yes = { (every: Int) in index % every == 0 ? "Y" : "" }
            switch index % 4 {
            case 0, 1:
                let from = index == 20 ? "2019-04-12" : "2019-04-01"
                try await office.loadContracts(
                    "\(code),P\(index),GMS,\(from),,16C,Y63,,\(yes(2)),\(yes(5)),\(index * 100).37,\(index * 7).11,"
                        + "COUNTED,,,,")
            case 2:
                try await office.loadContracts(
                    "\(code),P\(index),PMS,2019-04-0\(1 + index % 9),,16C,Y63,,,,,,,WEIGHTED,,9\(index).1234,"
                )
            default:
                try await office.loadContracts(
                    "\(code),P\(index),APMS,2019-04-01,2029-04-01,16C,Y63,,,,,,,RAW,,8\(index).55,")
            }
        }
        try await office.loadLists("2019-04-01", lists[0], lists.dropFirst().joined(separator: "\n"))
        let post = QualityPost(host: office.host)
        for index in 0..<10 {
            try await post.aspiration(
                "A8\(1000 + index)", "2019/20", prior: 5_000_000,
                monthly: Int64.random(in: 1...900_000, using: &generator))
        }
        try await office.pay("2019-04")
        try await office.setRate("global_sum_price", "91.33", from: "2019-04-01", to: "2020-04-01")
        try await post.instruct(
            QualityPost.instruction(
                "I1", "D1", "A81003", pence: -90_000_000, release: "2019-05-01", payCode: "LDHC"))
        return try await office.pay("2019-05")
    }

    @Test(
        "C1: a hundred lines of a run at random: quantity, rate and basis as shown give the amount within a penny"
    )
    func hundredLines() async throws {
        try await PaymentsOffice.with { office in
            let run = try await wholeRun(office)
            var lines: [Pcs_Payments_V1_StatementLine] = []
            for month in ["2019-04", "2019-05"] {
                for index in 0..<40 { lines += try await office.statement("A8\(1000 + index)", month).lines }
            }
            #expect(lines.count > 200 && run.retroLines > 20)
            var generator = SeededGenerator(seed: 1)
            for line in lines.shuffled(using: &generator).prefix(100) {
                #expect(try ShownFigures.agrees(line), "\(line.lineID) \(line.paycode) \(line.basis)")
            }
            // And each kind of basis at least once.
            for basis in Set(lines.map(\.basis)).sorted() {
                let line = try #require(lines.first { $0.basis == basis })
                #expect(try ShownFigures.agrees(line), "\(line.lineID) \(line.paycode) \(line.basis)")
            }
            #expect(
                Set(lines.map(\.paycode)).isSuperset(of: ["GSUM", "GSLON", "GSTPA", "GSOOH", "GSMIN", "MPIG"])
            )
            #expect(Set(lines.map(\.paycode)).isSuperset(of: ["PMSB", "APMSB", "QASP", "ESLD", "BCFD"]))
        }
    }

    @Test("a line that shows another rate does not agree: the comparison can fail")
    func canFail() throws {
        var line = Pcs_Payments_V1_StatementLine.with {
            ($0.quantity, $0.rate, $0.basis, $0.amountPence) = (
                "10000.00", "130.07", "WEIGHTED_PATIENTS/12", 10_839_167
            )
        }
        #expect(try ShownFigures.agrees(line))
        line.rate = "130.08"
        #expect(try !ShownFigures.agrees(line))
    }

    @Test("every factor of a basis counts: a wrong second one does not agree, and what is no fraction is refused")
    func everyFactor() throws {
        // Four sessions of 76.92 for 52 weeks: a month, and 17 of its 31 days.
        var line = Pcs_Payments_V1_StatementLine.with {
            ($0.quantity, $0.rate, $0.basis) = ("4", "76.92", "SESSIONS x 52/12 x 17/31")
            $0.amountPence = 73_115
        }
        #expect(try ShownFigures.agrees(line))
        for wrong in ["SESSIONS x 52/12 x 18/31", "SESSIONS x 52/12", "SESSIONS x 53/12 x 17/31", "SESSIONS x 17/31"] {
            line.basis = wrong
            #expect(try !ShownFigures.agrees(line), "\(wrong)")
        }
        for wrong in ["SESSIONS x 52", "SESSIONS x 52/12/31", "SESSIONS x 52/12 17/31"] {
            line.basis = wrong
            #expect(throws: ShownFigures.Unreadable.self, "\(wrong)") { try ShownFigures.agrees(line) }
        }
    }
}
