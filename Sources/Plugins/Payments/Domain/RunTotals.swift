/// Sums of a run by commissioner, region, contract type and paycode. Numbers follow `pcs.payments.v1.TotalDimension`.
enum TotalDimension: Int64, CaseIterable, Sendable {
    case commissioner = 1
    case region = 2
    case contractType = 3
    case paycode = 4
}

/// Counts and sums of lines.
struct RunFigures: Hashable, Sendable {
    var statements: Int64 = 0
    var lines: Int64 = 0
    var grossPence: Int64 = 0
    var deductionsPence: Int64 = 0
    var retroPence: Int64 = 0
    var retroLines: Int64 = 0

    var netPence: Int64 { grossPence + deductionsPence }

    mutating func add(_ other: RunFigures) throws(PaymentsError) {
        statements += other.statements
        lines += other.lines
        retroLines += other.retroLines
        grossPence = try RunFigures.sum(grossPence, other.grossPence)
        deductionsPence = try RunFigures.sum(deductionsPence, other.deductionsPence)
        retroPence = try RunFigures.sum(retroPence, other.retroPence)
    }

    mutating func add(_ line: PaymentLine) throws(PaymentsError) {
        lines += 1
        if line.pence > 0 {
            grossPence = try RunFigures.sum(grossPence, line.pence)
        } else {
            deductionsPence = try RunFigures.sum(deductionsPence, line.pence)
        }
        if line.source == .retro {
            retroLines += 1
            retroPence = try RunFigures.sum(retroPence, line.pence)
        }
    }

    /// Half of the range, so that the net of both sums fits too.
    private static func sum(_ left: Int64, _ right: Int64) throws(PaymentsError) -> Int64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        guard !overflow, sum.magnitude < 1 << 62 else { throw .amountOutOfRange("the run's total") }
        return sum
    }
}

struct RunTotals: Sendable {
    struct Key: Hashable, Sendable {
        var dimension: TotalDimension
        var key: String
    }

    private(set) var all = RunFigures()
    private(set) var byKey: [Key: RunFigures] = [:]

    mutating func add(_ document: StatementDocument) throws(PaymentsError) -> RunFigures {
        var figures = RunFigures(statements: 1)
        for line in document.lines { try figures.add(line) }
        try all.add(figures)
        try byKey[Key(dimension: .commissioner, key: document.commissioner), default: RunFigures()].add(
            figures)
        try byKey[Key(dimension: .region, key: document.region), default: RunFigures()].add(figures)
        try byKey[Key(dimension: .contractType, key: document.typeName), default: RunFigures()].add(figures)
        var seen: UInt128 = 0
        for line in document.lines {
            let key = Key(dimension: .paycode, key: line.paycode.code)
            try byKey[key, default: RunFigures()].add(line)
            if seen & (1 << line.paycode.rawValue) == 0 {
                byKey[key]?.statements += 1
                seen |= 1 << line.paycode.rawValue
            }
        }
        return figures
    }

    /// Whether the sums by each dimension come to the sum of all.
    func agree() throws(PaymentsError) -> Bool {
        for dimension in TotalDimension.allCases {
            var sum = RunFigures()
            for (key, figures) in byKey where key.dimension == dimension { try sum.add(figures) }
            let isSame =
                sum.lines == all.lines && sum.netPence == all.netPence && sum.grossPence == all.grossPence
                && (dimension == .paycode || sum.statements == all.statements)
            if !isSame { return false }
        }
        return true
    }
}
