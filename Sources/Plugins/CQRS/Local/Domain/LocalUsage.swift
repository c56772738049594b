import PluginAPI

/// What providers have claimed of components, by month and financial year: what caps are counted against (LOC-4).
struct LocalUsage: Sendable {
    struct Sum: Hashable, Sendable {
        var thousandths: Int64 = 0
        var pence: Int64 = 0
    }

    private struct Key: Hashable {
        var provider: String
        var service: String
        var component: String
        /// Months since year 0, or the year's start with a minus.
        var period: Int32
    }

    private var sums: [Key: Sum] = [:]

    private static func year(_ day: CalendarDate) -> Int32 {
        -FinancialYear(containing: day).firstMonth.index
    }

    mutating func add(_ provider: String, _ line: LocalLine, sign: Int64 = 1) {
        for period in [YearMonth(containing: line.activity).index, Self.year(line.activity)] {
            let key = Key(
                provider: provider, service: line.service, component: line.component, period: period)
            sums[key, default: Sum()].thousandths += sign * line.quantity.thousandths
            sums[key, default: Sum()].pence += sign * line.pence
        }
    }

    func month(_ provider: String, _ service: String, _ component: String, _ day: CalendarDate) -> Sum {
        sums[
            Key(
                provider: provider, service: service, component: component,
                period: YearMonth(containing: day).index)] ?? Sum()
    }

    func year(_ provider: String, _ service: String, _ component: String, _ day: CalendarDate) -> Sum {
        sums[Key(provider: provider, service: service, component: component, period: Self.year(day))] ?? Sum()
    }
}

/// LOC-4: caps, each in its turn.
struct LocalCapping: Sendable {
    let provider: String
    let service: String
    let component: LocalComponent
    let day: CalendarDate
    /// Of the component in this claim so far.
    var inClaim: LocalQuantity = .zero
    /// Registered patients; `nil` = not loaded.
    var list: ExactDecimal?

    struct Allowance: Sendable {
        var cap: LocalCap
        /// Thousandths, or pence of a value cap.
        var used: Int64
        var limit: Int64
        var left: Int64 { Swift.max(0, limit - used) }
        var isValue: Bool { cap.kind == .valueAYear }

        func text(_ amount: Int64) -> String {
            isValue ? Money(pence: amount).description : LocalQuantity(thousandths: amount).description
        }
    }

    /// What a cap leaves; `nil` when the list that it is counted on is not loaded.
    func allowance(_ cap: LocalCap, _ usage: LocalUsage) -> Allowance? {
        let limit = cap.limit.scaled(to: 3) ?? 0
        switch cap.kind {
        case .quantityAClaim: return Allowance(cap: cap, used: inClaim.thousandths, limit: limit)
        case .quantityAMonth:
            return Allowance(
                cap: cap, used: usage.month(provider, service, component.id, day).thousandths, limit: limit)
        case .quantityAYear:
            return Allowance(
                cap: cap, used: usage.year(provider, service, component.id, day).thousandths, limit: limit)
        case .perMilleOfList:
            guard let list, let patients = list.scaled(to: 6) else { return nil }
            // limit/1000 for each patient; thousandths and millionths cancel down to thousandths.
            let whole = Int128(limit) * Int128(patients) / 1_000_000_000
            return Allowance(
                cap: cap, used: usage.year(provider, service, component.id, day).thousandths,
                limit: Int64(clamping: whole))
        case .valueAYear:
            return Allowance(
                cap: cap, used: usage.year(provider, service, component.id, day).pence,
                limit: cap.limit.scaled(to: 2) ?? 0)
        }
    }

    enum Outcome: Hashable, Sendable {
        case taken(LocalQuantity)
        case refused(String)
    }

    /// - Returns: the quantity that may be paid, cut where a cap truncates, or why it is refused with what is left.
    func apply(_ wanted: LocalQuantity, at tariff: ExactDecimal, _ usage: LocalUsage) -> Outcome {
        var quantity = wanted
        for cap in component.caps {
            guard let allowance = allowance(cap, usage) else {
                return .refused(
                    "the registered patients of \(provider) are not loaded for \(day), and the cap needs them"
                )
            }
            let room =
                allowance.isValue
                ? LocalAmount.most(within: allowance.left, at: tariff, component)
                : floor(LocalQuantity(thousandths: allowance.left))
            let fits =
                allowance.isValue
                ? (LocalAmount.pence(quantity, at: tariff, component.unit) ?? .max) <= allowance.left
                : quantity <= room
            if fits { continue }
            guard cap.truncates else { return .refused(refusal(allowance, room, tariff)) }
            quantity = room
        }
        return .taken(quantity)
    }

    private func floor(_ quantity: LocalQuantity) -> LocalQuantity {
        component.allowsDecimals
            ? quantity : LocalQuantity(thousandths: quantity.thousandths / 1_000 * 1_000)
    }

    private func refusal(_ allowance: Allowance, _ room: LocalQuantity, _ tariff: ExactDecimal) -> String {
        let units = component.allowsDecimals ? "" : "whole "
        let worth =
            LocalAmount.pence(room, at: tariff, component.unit).map { Money(pence: $0).description } ?? ""
        let left = allowance.text(allowance.left) + (allowance.isValue ? " pounds" : "")
        return
            "\(component.id): the cap of \(allowance.text(allowance.limit)) (\(allowance.cap.kind.name)) is passed; "
            + "remaining \(left) = \(room) \(units)\(component.unit.plural) (\(worth) pounds)"
    }
}
