import Accounting
import Testing

@Suite("Money and exact decimals")
struct MoneyTests {
    @Test("money prints and parses as plain pounds")
    func text() {
        #expect(Money(pence: 10_329_726).description == "103297.26")
        #expect(Money(pence: -5).description == "-0.05")
        #expect(Money(pence: 0).description == "0.00")
        #expect(Money("103297.26") == Money(pence: 10_329_726))
        #expect(Money("-0.05") == Money(pence: -5))
        #expect(Money("12") == Money(pence: 1200))
        for bad in [
            "", "-", "1.2", "1.234", "1,234.00", "+1.00", " 1.00", "1.", ".50", "1e3", "£1.00", "--1.00",
        ] {
            #expect(Money(bad) == nil, "\(bad)")
        }
    }

    @Test("too much money is an error, never a trap")
    func overflow() {
        let most = Money(pence: .max)
        #expect(throws: ArithmeticError.overflow) { try most.adding(Money(pence: 1)) }
        #expect(throws: ArithmeticError.overflow) { try Money(pence: .min).negated() }
        #expect(throws: ArithmeticError.overflow) { try Money.sum([most, most]) }
        #expect(throws: ArithmeticError.overflow) { try Money(pence: .min).subtracting(Money(pence: 1)) }
        #expect(Money("92233720368547758.08") == nil)
    }

    @Test("a decimal keeps its digits and finds no room for lost ones")
    func decimals() throws {
        let price = try #require(ExactDecimal("130.0700"))
        #expect(price.description == "130.0700")
        #expect(price.trimmed(keeping: 2).description == "130.07")
        #expect(price.scaled(to: 6) == 130_070_000)
        #expect(ExactDecimal("0.005")?.scaled(to: 2) == nil)
        #expect(ExactDecimal("-0.05")?.description == "-0.05")
        #expect(ExactDecimal("1.0000000000") == nil)
        #expect(ExactDecimal("99999999999999999999") == nil)
        #expect(ExactDecimal("9223372036854775807")?.mantissa == .max)
    }

    @Test("a decimal printed is read back the same")
    func roundTrip() throws {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<2000 {
            let value = ExactDecimal(
                mantissa: Int64.random(in: -1_000_000_000_000...1_000_000_000_000, using: &random),
                scale: UInt8.random(in: 0...9, using: &random))
            #expect(ExactDecimal(value.description) == value)
        }
    }
}

@Suite("Exact fractions")
struct RationalTests {
    @Test("fractions follow the laws of arithmetic")
    func laws() throws {
        var random = SeededGenerator(seed: 2)
        func any() throws -> Rational {
            try Rational(
                Int128(Int64.random(in: -1_000_000...1_000_000, using: &random)),
                over: Int128(Int64.random(in: 1...10_000, using: &random)))
        }
        for _ in 0..<500 {
            let (a, b, c) = (try any(), try any(), try any())
            #expect(try a.adding(b) == b.adding(a))
            #expect(try a.multiplied(by: b.adding(c)) == a.multiplied(by: b).adding(a.multiplied(by: c)))
            #expect(try a.subtracting(a) == .zero)
            if b != .zero { #expect(try a.divided(by: b).multiplied(by: b) == a) }
            #expect((a < b) == (try a.subtracting(b).numerator < 0))
        }
    }

    @Test("what does not fit and what cannot be divided is refused")
    func refusals() throws {
        #expect(throws: ArithmeticError.divisionByZero) { try Rational(1).divided(by: .zero) }
        let huge = try Rational(.max, over: 1)
        #expect(throws: ArithmeticError.overflow) { try huge.adding(huge) }
        #expect(throws: ArithmeticError.overflow) { try huge.multiplied(by: Rational(2)) }
        #expect(throws: ArithmeticError.overflow) { try Rational(.min, over: 1) }
        #expect(try Rational(Int128.max, over: 3) < huge)
    }

    @Test("a fraction shows its decimals, and that there are more")
    func text() throws {
        #expect(try Rational(1, over: 8).text() == "0.125")
        #expect(try Rational(-1, over: 3).text(decimals: 4) == "-0.3333…")
        #expect(Rational(12).text() == "12")
    }
}
