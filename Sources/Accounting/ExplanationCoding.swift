// The compact form in which explanations are stored, 20,000 to 35,000 in a month's run.

extension Explanation {
    /// Appends the explanation. Texts that the writer has seen before take one or two bytes.
    public func write(to writer: inout CompactWriter) {
        writer.text(rule)
        writer.count(ruleVersion)
        writer.count(inputs.count)
        for input in inputs {
            writer.text(input.name)
            writer.decimal(input.value)
            writer.byte(input.unit.rawValue)
            writer.text(input.source.record)
            writer.signed(input.source.version)
            writer.text(input.source.note)
            writer.date(input.asOf)
        }
        writer.count(steps.count)
        for step in steps {
            writer.text(step.name)
            writer.byte(step.operation.rawValue)
            Explanation.write(step.left, to: &writer)
            Explanation.write(step.right, to: &writer)
        }
        writer.text(rounding)
        writer.signed(amount.pence)
    }

    public init(from reader: inout CompactReader) throws(CompactCodingError) {
        rule = try reader.text()
        ruleVersion = Int(truncatingIfNeeded: try reader.unsigned())
        let inputCount = try reader.count()
        inputs = []
        inputs.reserveCapacity(inputCount)
        for _ in 0..<inputCount { inputs.append(try Explanation.readInput(&reader)) }
        let stepCount = try reader.count()
        steps = []
        steps.reserveCapacity(stepCount)
        for _ in 0..<stepCount {
            let name = try reader.text()
            guard let operation = Operation(rawValue: try reader.byte()) else { throw .malformed }
            let left = try Explanation.readOperand(&reader)
            steps.append(Step(name, left, operation, try Explanation.readOperand(&reader)))
        }
        rounding = try reader.text()
        amount = Money(pence: try reader.signed())
    }

    private static func readInput(_ reader: inout CompactReader) throws(CompactCodingError) -> Input {
        let name = try reader.text()
        let value = try reader.decimal()
        guard let unit = Unit(rawValue: try reader.byte()) else { throw .malformed }
        let record = try reader.text()
        let version = try reader.signed()
        let note = try reader.text()
        return Input(
            name, value, unit, from: Source(record, version: version, note: note), asOf: try reader.date())
    }

    private static func write(_ operand: Operand, to writer: inout CompactWriter) {
        switch operand {
        case .input(let index):
            writer.byte(1)
            writer.count(index)
        case .step(let index):
            writer.byte(2)
            writer.count(index)
        case .whole(let number):
            writer.byte(3)
            writer.signed(number)
        }
    }

    private static func readOperand(_ reader: inout CompactReader) throws(CompactCodingError) -> Operand {
        switch try reader.byte() {
        case 1: return .input(Int(truncatingIfNeeded: try reader.unsigned()))
        case 2: return .step(Int(truncatingIfNeeded: try reader.unsigned()))
        case 3: return .whole(try reader.signed())
        default: throw .malformed
        }
    }
}
