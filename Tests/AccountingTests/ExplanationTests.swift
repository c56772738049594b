import Accounting
import Testing

@Suite("Explanations")
struct ExplanationTests {
    private let quarterDay = CalendarDate(daysSince1970: 20_544)

    /// E1: the out-of-hours deduction.
    private func example() -> Explanation {
        Explanation(
            rule: "3.1 out-of-hours deduction", ruleVersion: 1,
            inputs: [
                .init(
                    "weighted_patients", ExactDecimal(mantissa: 1_000_000, scale: 2), .patients,
                    from: .init("capitation", version: 7), asOf: quarterDay),
                .init(
                    "price", ExactDecimal(mantissa: 13_007, scale: 2), .pounds,
                    from: .init("rates", version: 1, note: "S6"), asOf: quarterDay),
                .init(
                    "percent", ExactDecimal(mantissa: 470, scale: 2), .percent,
                    from: .init("rates", version: 1, note: "S6"), asOf: quarterDay),
            ],
            steps: [
                .init("annual", .input(0), .multiply, .input(1)),
                .init("initial", .step(0), .divide, .whole(12)),
                .init("share", .step(1), .percentage, .input(2)),
                .init("deduction", .whole(0), .subtract, .step(2)),
                .init("amount", rounding: .step(3)),
            ],
            rounding: "RND-2, RND-4", amount: Money(pence: -509_441))
    }

    @Test("an explanation replays to its amount and reads as sentences")
    func replay() throws {
        let explanation = example()
        #expect(try explanation.replay() == explanation.amount)
        #expect(
            explanation.steps.map(explanation.expression) == [
                "annual = weighted_patients x price", "initial = annual / 12",
                "share = initial x percent / 100",
                "deduction = 0 - share", "amount = deduction to pence",
            ])
        #expect(try explanation.values()[1].text(decimals: 4) == "108391.6666…")
        #expect(explanation.inputs[1].source.description == "rates 1 (S6)")
    }

    @Test("stored and read back it is the same, and repeated texts cost little")
    func stored() throws {
        var writer = CompactWriter()
        example().write(to: &writer)
        let one = writer.bytes.count
        example().write(to: &writer)
        #expect(writer.bytes.count - one < one / 2)
        var reader = CompactReader(writer.bytes)
        #expect(try Explanation(from: &reader) == example())
        #expect(try Explanation(from: &reader) == example())
        #expect(reader.isAtEnd)
    }

    @Test("bytes cut short or changed are refused or read as something else, never a trap")
    func damaged() throws {
        var writer = CompactWriter()
        example().write(to: &writer)
        for length in 0..<writer.bytes.count {
            var reader = CompactReader(Array(writer.bytes.prefix(length)))
            #expect(throws: CompactCodingError.self) { try Explanation(from: &reader) }
        }
        var random = SeededGenerator(seed: 9)
        for _ in 0..<5000 {
            var bytes = writer.bytes
            for _ in 0..<3 {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            var reader = CompactReader(bytes)
            if let read = try? Explanation(from: &reader) { _ = try? read.replay() }
        }
    }

    @Test("an explanation that rounds nothing, or names what is not there, does not replay")
    func broken() throws {
        var unrounded = example()
        unrounded.steps.removeLast()
        #expect(throws: ExplanationError.notWholePence) { try unrounded.replay() }
        var dangling = example()
        dangling.steps[0].right = .input(9)
        #expect(throws: ExplanationError.danglingOperand) { try dangling.replay() }
        var empty = example()
        empty.steps = []
        #expect(throws: ExplanationError.empty) { try empty.replay() }
        var divided = example()
        divided.steps[1].right = .whole(0)
        #expect(throws: ExplanationError.arithmetic(.divisionByZero)) { try divided.replay() }
    }

    @Test("a difference is what is due less what was paid, and replays")
    func difference() throws {
        let paid = Explanation.Input(
            "paid", Money(pence: -1_000_000).pounds, .pounds, from: .init("run 2026-04-1"), asOf: quarterDay)
        let difference = try Explanation.difference(
            rule: "12.2 difference", ruleVersion: 1, due: [example(), example()], paid: paid,
            rounding: "RND-2")
        #expect(difference.amount.pence == -1_018_882 + 1_000_000)
        #expect(try difference.replay() == difference.amount)
        let recovery = try Explanation.difference(
            rule: "12.2 difference", ruleVersion: 1, due: [], paid: paid, rounding: "RND-2")
        #expect(try recovery.replay().pence == 1_000_000)
    }

    @Test("every value survives the compact form")
    func codingProperty() throws {
        var random = SeededGenerator(seed: 4)
        for _ in 0..<500 {
            let number =
                Int64.random(in: .min ... .max, using: &random) >> Int64.random(in: 0...63, using: &random)
            let unsigned =
                UInt64.random(in: 0 ... .max, using: &random) >> UInt64.random(in: 0...63, using: &random)
            let text = String(
                (0..<Int.random(in: 0...40, using: &random)).map { _ in
                    "aé€😀"["aé€😀".indices.randomElement(using: &random)!]
                })
            var writer = CompactWriter()
            writer.signed(number)
            writer.unsigned(unsigned)
            writer.text(text)
            writer.text(text)
            writer.date(CalendarDate(daysSince1970: Int32(truncatingIfNeeded: number)))
            var reader = CompactReader(writer.bytes)
            #expect(try reader.signed() == number)
            #expect(try reader.unsigned() == unsigned)
            #expect(try reader.text() == text)
            #expect(try reader.text() == text)
            #expect(try reader.date().daysSince1970 == Int32(truncatingIfNeeded: number))
            #expect(reader.isAtEnd)
        }
    }
}
