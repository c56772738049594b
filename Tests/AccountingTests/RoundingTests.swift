import Accounting
import Testing

@Suite("Rounding rules RND-1 to RND-9")
struct RoundingTests {
    private func pounds(_ text: String) throws -> Rational { try #require(ExactDecimal(text)).rational }

    @Test(
        "RND-2 rounds half a penny away from zero",
        arguments: [
            ("0.005", 1), ("-0.005", -1), ("0.0049", 0), ("-0.0049", 0), ("25.4079", 2541), ("23.7687", 2377),
            ("5.785025", 579), ("4.8583", 486), ("1.015", 102), ("-1.015", -102),
        ] as [(String, Int64)])
    func halfAwayFromZero(text: String, pence: Int64) throws {
        #expect(try Rounding.toPence(try pounds(text)).pence == pence)
    }

    @Test("RND-3 takes a twelfth of the unrounded year, without a true-up")
    func twelfth() throws {
        #expect(try Rounding.monthlyTwelfth(ofAnnual: Rational(1_300_700)).description == "108391.67")
    }

    @Test("RND-4 takes the percentage of the unrounded base (E1)")
    func percentage() throws {
        let initial = try Rational(1_300_700).divided(by: Rational(12))
        let percent = try #require(ExactDecimal("4.70"))
        #expect(try Rounding.deduction(percent: percent, of: initial).description == "-5094.41")
    }

    @Test("RND-6 distributes a sum exactly (E11: the levy of 4,146.66)")
    func apportionment() throws {
        let levy = Money(pence: 414_666)
        let months = try (1...12).map { try Rounding.apportioned(levy, part: $0, of: 12) }
        #expect(months.prefix(3).map(\.description) == ["345.56", "345.55", "345.56"])
        #expect(try Money.sum(months) == levy)
        #expect(try Rounding.apportioned(levy, part: 1, of: 4).description == "1036.67")
        #expect(throws: ArithmeticError.divisionByZero) { try Rounding.apportioned(levy, part: 1, of: 0) }
        #expect(throws: ArithmeticError.overflow) { try Rounding.apportioned(levy, part: 13, of: 12) }
    }

    @Test("RND-6: the parts of any sum add up to it, and differ by a penny at most")
    func apportionmentAlwaysFoots() throws {
        var random = SeededGenerator(seed: 6)
        for _ in 0..<500 {
            let sum = Money(pence: Int64.random(in: -10_000_000...10_000_000, using: &random))
            let count = Int.random(in: 1...31, using: &random)
            let parts = try (1...count).map { try Rounding.apportioned(sum, part: $0, of: count) }
            #expect(try Money.sum(parts) == sum)
            let (least, most) = (parts.min() ?? .zero, parts.max() ?? .zero)
            #expect(most.pence - least.pence <= 1)
        }
    }

    @Test("RND-8 multiplies the published rate as it is (E12)")
    func publishedRate() throws {
        #expect(try Rounding.atPublishedRate(26, Money(pence: 2377)).description == "618.02")
        #expect(try Rounding.atPublishedRate(30, Money(pence: 2456)).description == "736.80")
        #expect(try Rounding.atPublishedRate(29, Money(pence: 2541)).description == "736.89")
        #expect(throws: ArithmeticError.overflow) { try Rounding.atPublishedRate(.max, Money(pence: 2)) }
    }

    @Test("RND-7 holds weighted populations to two decimals (E17, formula with illustrative coefficients)")
    func weightedPopulation() throws {
        let male = [260, 600, 2050, 1300, 480, 270, 80], female = [240, 570, 2000, 1290, 500, 330, 130]
        let weights = [
            "3.97", "1.00", "1.02", "2.15", "4.19", "5.18", "6.27", "3.64", "1.04", "2.19", "3.36", "4.90",
            "6.56", "6.72",
        ]
        var raw = Rational.zero
        for (count, weight) in zip(male + female, weights) {
            raw = try raw.adding(try Rational(Int64(count)).multiplied(by: try pounds(weight)))
        }
        #expect(raw.text() == "26098.8")
        let list = Rational(10_100)
        var product = try raw.divided(by: list).divided(by: try pounds("2.35"))
        let turnover = try pounds("0.46").multiplied(by: Rational(905)).adding(list).divided(by: list)
        product = try product.multiplied(by: try turnover.divided(by: try pounds("1.0368")))
        let homes = try pounds("0.43").multiplied(by: Rational(74)).adding(list).divided(by: list)
        product = try product.multiplied(by: try homes.divided(by: try pounds("1.0031")))
        for index in ["1.0420", "0.9870", "1.0110"] {
            product = try product.multiplied(by: try pounds(index))
        }
        #expect(try Rounding.toPence(product.multiplied(by: Rational(100_000))).description == "114824.83")
        let weighted = try list.multiplied(by: product).multiplied(by: try pounds("0.9984"))
        #expect(try Rounding.weightedPopulation(weighted) == 1_157_875)
    }
}
