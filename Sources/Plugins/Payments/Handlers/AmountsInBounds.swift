import PluginAPI

/// Amounts that no line on the paycode should have (payments.md 12.1): the bounds are reference data. Balances say
/// nothing of themselves; a correction may be as large as its amount in either direction.
struct AmountsInBounds: RunCheck {
    private let bounds: [Paycode: AmountBound]

    init(_ read: RunInputs, _ reader: any Reader) throws {
        let day = read.run.month.firstDay
        bounds = try AmountBoundStore.bounds(knownAt: read.snapshot, reader).compactMapValues { rows in
            rows.last { $0.contains(day) }
        }
    }

    init(_ bounds: [Paycode: AmountBound]) { self.bounds = bounds }

    func exceptions(_ built: BuiltRun, _ accounts: [RunLedger.Account]) -> [RunException] {
        guard !bounds.isEmpty else { return [] }
        var found: [RunException] = []
        for account in accounts {
            for entry in account.entries where entry.source != .balance {
                guard let bound = bounds[entry.paycode] else { continue }
                let largest = Int64(clamping: max(bound.minimumPence.magnitude, bound.maximumPence.magnitude))
                let range =
                    entry.source == .retro ? -largest...largest : bound.minimumPence...bound.maximumPence
                guard !range.contains(entry.pence) else { continue }
                found.append(
                    RunException(
                        severity: .blocking, kind: .amountOutOfBounds, practice: account.practice,
                        practiceName: built.name(of: account.practice) ?? "", paycode: entry.paycode.code,
                        message: "\(Money(pence: entry.pence)) for \(entry.month) lies outside "
                            + "\(Money(pence: range.lowerBound)) to \(Money(pence: range.upperBound)) "
                            + "(\(bound.source) \(bound.grade))",
                        nowPence: entry.pence))
            }
        }
        return found
    }
}
