/// How an amount came about, complete enough to come to it again: rule, inputs with their sources, steps, rounding.
///
/// `replay` calculates the amount from this alone, in exact fractions: it shares no arithmetic with the code that made
/// the line. Amounts inside are pounds.
public struct Explanation: Hashable, Sendable {
    /// Rule of the domain reference, for example `3.1 global sum`.
    public var rule: String
    /// Version of our implementation of the rule; changes when its steps do.
    public var ruleVersion: Int
    public var inputs: [Input]
    public var steps: [Step]
    /// Names of the rounding rules used, for example `RND-2, RND-3`.
    public var rounding: String
    public var amount: Money

    public init(
        rule: String, ruleVersion: Int, inputs: [Input], steps: [Step], rounding: String, amount: Money
    ) {
        self.rule = rule
        self.ruleVersion = ruleVersion
        self.inputs = inputs
        self.steps = steps
        self.rounding = rounding
        self.amount = amount
    }

    /// A figure taken from elsewhere.
    public struct Input: Hashable, Sendable {
        public var name: String
        public var value: ExactDecimal
        public var unit: Unit
        public var source: Source
        /// The day for which it holds.
        public var asOf: CalendarDate

        public init(
            _ name: String, _ value: ExactDecimal, _ unit: Unit, from source: Source, asOf: CalendarDate
        ) {
            self.name = name
            self.value = value
            self.unit = unit
            self.source = source
            self.asOf = asOf
        }
    }

    public enum Unit: UInt8, Hashable, Sendable, CaseIterable {
        case patients = 1, pounds, percent, days, count

        public var name: String {
            switch self {
            case .patients: "patients"
            case .pounds: "pounds"
            case .percent: "percent"
            case .days: "days"
            case .count: "count"
            }
        }
    }

    /// The record that a figure was read from.
    public struct Source: Hashable, Sendable, CustomStringConvertible {
        /// Kind of record, for example `capitation`.
        public var record: String
        /// Its recorded version; 0 when it has none.
        public var version: Int64
        /// Source of the figure itself, for example `S11`; may be empty.
        public var note: String

        public init(_ record: String, version: Int64 = 0, note: String = "") {
            self.record = record
            self.version = version
            self.note = note
        }

        public var description: String {
            record + (version > 0 ? " " + String(version) : "") + (note.isEmpty ? "" : " (" + note + ")")
        }
    }

    /// What a step works on.
    public enum Operand: Hashable, Sendable {
        /// Input number, from 0.
        case input(Int)
        /// Result of an earlier step, from 0.
        case step(Int)
        case whole(Int64)
    }

    public enum Operation: UInt8, Hashable, Sendable, CaseIterable {
        case add = 1, subtract, multiply, divide
        /// `left * right / 100`
        case percentage
        /// To whole pence, half away from zero (RND-2); takes `left` only.
        case round

        var sign: String {
            switch self {
            case .add: "+"
            case .subtract: "-"
            case .multiply: "x"
            case .divide: "/"
            case .percentage: "x % of"
            case .round: "to pence"
            }
        }
    }

    public struct Step: Hashable, Sendable {
        public var name: String
        public var operation: Operation
        public var left: Operand
        public var right: Operand

        public init(_ name: String, _ left: Operand, _ operation: Operation, _ right: Operand) {
            self.name = name
            self.operation = operation
            self.left = left
            self.right = right
        }

        /// Rounds a value to pence.
        public init(_ name: String, rounding operand: Operand) {
            self.init(name, operand, .round, .whole(0))
        }
    }
}

extension Explanation {
    /// The values of all steps, in order.
    public func values() throws(ExplanationError) -> [Rational] {
        var values: [Rational] = []
        values.reserveCapacity(steps.count)
        for step in steps {
            let left = try value(of: step.left, values)
            let right = try value(of: step.right, values)
            values.append(try Explanation.apply(step.operation, left, right))
        }
        return values
    }

    /// Comes to the amount again, from inputs and steps alone. Throws `notWholePence` when the last step leaves a
    /// fraction of a penny: then a rounding is missing and the explanation explains nothing.
    public func replay() throws(ExplanationError) -> Money {
        guard let last = try values().last else { throw .empty }
        let (hundredfold, overflow) = last.numerator.multipliedReportingOverflow(by: 100)
        if overflow { throw .arithmetic(.overflow) }
        let (whole, rest) = hundredfold.quotientAndRemainder(dividingBy: last.denominator)
        guard rest == 0 else { throw .notWholePence }
        guard let pence = Int64(exactly: whole) else { throw .arithmetic(.overflow) }
        return Money(pence: pence)
    }

    private func value(of operand: Operand, _ values: [Rational]) throws(ExplanationError) -> Rational {
        switch operand {
        case .whole(let number): return Rational(number)
        case .input(let index):
            guard inputs.indices.contains(index) else { throw .danglingOperand }
            return inputs[index].value.rational
        case .step(let index):
            guard values.indices.contains(index) else { throw .danglingOperand }
            return values[index]
        }
    }

    private static func apply(
        _ operation: Operation, _ left: Rational, _ right: Rational
    ) throws(ExplanationError) -> Rational {
        do throws(ArithmeticError) {
            return switch operation {
            case .add: try left.adding(right)
            case .subtract: try left.subtracting(right)
            case .multiply: try left.multiplied(by: right)
            case .divide: try left.divided(by: right)
            case .percentage: try left.multiplied(by: right).divided(by: Rational(100))
            case .round: try Rounding.toPence(left).pounds.rational
            }
        } catch {
            throw .arithmetic(error)
        }
    }

    /// A step in words: `annual = weighted_patients x price`.
    public func expression(of step: Step) -> String {
        func name(_ operand: Operand) -> String {
            switch operand {
            case .whole(let number): String(number)
            case .input(let index): inputs.indices.contains(index) ? inputs[index].name : "?"
            case .step(let index): steps.indices.contains(index) ? steps[index].name : "?"
            }
        }
        switch step.operation {
        case .round: return "\(step.name) = \(name(step.left)) to pence"
        case .percentage: return "\(step.name) = \(name(step.left)) x \(name(step.right)) / 100"
        default: return "\(step.name) = \(name(step.left)) \(step.operation.sign) \(name(step.right))"
        }
    }

    /// The difference of what is due now, the sum of several explained amounts, and what was paid before.
    ///
    /// - Parameter paid: pounds paid so far, as an input with its source.
    public static func difference(
        rule: String, ruleVersion: Int, due: [Explanation], paid: Input, rounding: String
    ) throws(ArithmeticError) -> Explanation {
        var result = Explanation(
            rule: rule, ruleVersion: ruleVersion, inputs: [], steps: [], rounding: rounding, amount: .zero)
        var total: Operand = .whole(0)
        var sum = Money.zero
        for part in due {
            let (inputs, steps) = (result.inputs.count, result.steps.count)
            result.inputs += part.inputs
            result.steps += part.steps.map { $0.moved(inputs: inputs, steps: steps) }
            sum = try sum.adding(part.amount)
            let last = Operand.step(result.steps.count - 1)
            if case .whole = total {
                total = last
            } else {
                result.steps.append(Step("due", total, .add, last))
                total = .step(result.steps.count - 1)
            }
        }
        result.inputs.append(paid)
        result.steps.append(Step("difference", total, .subtract, .input(result.inputs.count - 1)))
        guard let pence = paid.value.scaled(to: 2) else { throw .overflow }
        result.amount = try sum.subtracting(Money(pence: pence))
        return result
    }
}

extension Explanation.Step {
    fileprivate func moved(inputs: Int, steps: Int) -> Explanation.Step {
        func moved(_ operand: Explanation.Operand) -> Explanation.Operand {
            switch operand {
            case .whole: operand
            case .input(let index): .input(index + inputs)
            case .step(let index): .step(index + steps)
            }
        }
        return Explanation.Step(name, moved(left), operation, moved(right))
    }
}

/// An explanation that does not lead to an amount.
public enum ExplanationError: Error, Hashable, Sendable {
    case empty
    /// A step names an input or step that is not there (yet).
    case danglingOperand
    case notWholePence
    case arithmetic(ArithmeticError)
}
