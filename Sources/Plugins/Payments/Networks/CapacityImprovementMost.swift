import PluginAPI

/// Capacity and access improvement comes by instruction, as it is earned: of a year no more than the rate of the year for
/// each adjusted patient (payments.md 8.1).
struct CapacityImprovementMost: RunCheck {
    private struct Key: Hashable {
        var network: ODSCode
        var year: FinancialYear
    }

    private let rates: RateTable
    private let sizes: [ODSCode: [FinancialYear: NetworkSizes]]
    /// What published runs have paid, of the networks to which this run may pay more.
    private var paid: [Key: Int64] = [:]

    init(_ read: RunInputs, _ reader: any Reader) throws {
        rates = read.inputs.rates
        let due = read.inputs.items.filter { _, items in
            items.contains { $0.line.paycode == .networkCapacityImprovement }
        }
        guard !due.isEmpty else {
            sizes = [:]
            return
        }
        sizes = try NetworkStore.sizes(knownAt: read.snapshot, reader)
        let years = due.values.joined().filter { $0.line.paycode == .networkCapacityImprovement }
            .map { FinancialYear(containing: $0.line.month) }
        guard let first = years.map(\.firstMonth).min() else { return }
        for run in try RunStore.runs(reader)
        where run.state.isPublished && run.month >= first && run.month < read.run.month {
            let accounts = try StatementStore.ledger(of: run.id, reader).filter { due[$0.practice] != nil }
            CapacityImprovementMost.add(accounts, to: &paid)
        }
    }

    private static func add(_ accounts: [RunLedger.Account], to sums: inout [Key: Int64]) {
        for account in accounts {
            for entry in account.entries where entry.paycode == .networkCapacityImprovement {
                let key = Key(network: account.practice, year: FinancialYear(containing: entry.month))
                sums[key, default: 0] &+= entry.pence
            }
        }
    }

    func exceptions(_ built: BuiltRun, _ accounts: [RunLedger.Account]) throws(PaymentsError) -> [RunException] {
        var now: [Key: Int64] = [:]
        CapacityImprovementMost.add(accounts, to: &now)
        var found: [RunException] = []
        let sorted = now.sorted { ($0.key.network, $0.key.year) < ($1.key.network, $1.key.year) }
        for (key, pence) in sorted where pence > 0 {
            let sum = pence &+ (paid[key] ?? 0)
            let most = try most(key)
            if let most, sum <= most { continue }
            found.append(
                RunException(
                    severity: .blocking, kind: .amountOutOfBounds, practice: key.network,
                    paycode: Paycode.networkCapacityImprovement.code,
                    message: "\(Money(pence: sum)) for \(key.year), "
                        + (most.map { "at most \(Money(pence: $0))" } ?? "and no most is known of the year"),
                    nowPence: pence))
        }
        return found
    }

    /// `nil` = no rate, or no population.
    private func most(_ key: Key) throws(PaymentsError) -> Int64? {
        guard let rate = try? rates.rate(.networkCapacityImprovement, at: key.year.firstDay),
            let size = sizes[key.network]?[key.year]
        else { return nil }
        let annual = CapitationMath.annual(
            weightedHundredths: size.adjustedHundredths, priceMicropounds: rate.millionths)
        do throws(ArithmeticError) {
            return try Rounding.toPence(try Rational(annual, over: 100_000_000)).pence
        } catch {
            throw .amountOutOfRange(key.network.value)
        }
    }
}
