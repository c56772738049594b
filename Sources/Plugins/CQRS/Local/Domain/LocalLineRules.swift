import PluginAPI

/// A line as it was asked for.
struct LocalDraftLine: Sendable {
    var service: String
    var component: String
    var quantity: String
    var activity: CalendarDate?
    var note: String
}

/// LOC-1 to LOC-4 for one line: the same for a claim typed in, a row of a bulk file and the check before payment.
struct LocalLineRules: Sendable {
    let window: LocalWindow
    let term: LocalTerm
    let scheme: LocalScheme
    /// Registered patients of the provider, where a cap needs them.
    var list: ExactDecimal?

    struct Breach: Hashable, Sendable {
        var field: String
        var rule: String
        var message: String
    }

    /// - Parameters:
    ///   - usage: what counts already; a line that is taken is added.
    ///   - inClaim: of each component in this claim so far.
    ///   - capped: drafts are priced, but nothing is capped before it is submitted.
    func check(
        _ draft: LocalDraftLine, _ usage: inout LocalUsage, _ inClaim: inout [String: LocalQuantity],
        capped: Bool,
        _ breaches: inout [Breach]
    ) -> LocalLine? {
        let before = breaches.count
        guard let component = scheme.component(draft.component), term.holds(scheme.id, draft.component) else {
            breaches.append(
                .init(
                    field: "component_id", rule: "LOC-2",
                    message: "\(draft.component.prefix(20)) is no component of the contract"))
            return nil
        }
        let day = draft.activity ?? window.activityTo
        checkDay(day, &breaches)
        guard let quantity = quantity(draft, component, &breaches) else { return nil }
        guard let tariff = component.tariff(group: term.group, kind: term.kind, on: day) else {
            breaches.append(
                .init(
                    field: "component_id", rule: "LOC-3",
                    message:
                        "\(component.id) has no tariff for \(term.group.isEmpty ? term.kind.group : term.group) on \(day)"
                ))
            return nil
        }
        guard breaches.count == before else { return nil }
        var paid = quantity
        if capped {
            let capping = LocalCapping(
                provider: term.provider, service: scheme.id, component: component, day: day,
                inClaim: inClaim[scheme.id + "/" + component.id] ?? .zero, list: list)
            switch capping.apply(quantity, at: tariff.amount, usage) {
            case .taken(let taken): paid = taken
            case .refused(let why):
                breaches.append(.init(field: "quantity", rule: "LOC-4", message: why))
                return nil
            }
        }
        guard let pence = LocalAmount.pence(paid, at: tariff.amount, component.unit) else {
            breaches.append(.init(field: "quantity", rule: "LOC-3", message: "the amount is out of range"))
            return nil
        }
        let line = LocalLine(
            service: scheme.id, serviceVersion: scheme.version, component: component.id, quantity: paid,
            claimed: quantity, price: tariff.amount, pence: pence, activity: day, note: draft.note)
        if capped {
            usage.add(term.provider, line)
            let key = scheme.id + "/" + component.id
            inClaim[key] = LocalQuantity(thousandths: (inClaim[key] ?? .zero).thousandths + paid.thousandths)
        }
        return line
    }

    /// LOC-2.
    private func checkDay(_ day: CalendarDate, _ breaches: inout [Breach]) {
        if !window.covers(day) {
            breaches.append(
                .init(
                    field: "activity_on", rule: "LOC-2",
                    message:
                        "\(day) is outside the window's activity, \(window.activityFrom) to \(window.activityTo)"
                ))
        }
        if !term.covers(day) || !scheme.covers(day) {
            breaches.append(
                .init(
                    field: "activity_on", rule: "LOC-2",
                    message:
                        "\(day) is outside the contract, \(term.start) to \(Swift.min(term.end, scheme.end))")
            )
        }
    }

    /// LOC-1.
    private func quantity(_ draft: LocalDraftLine, _ component: LocalComponent, _ breaches: inout [Breach])
        -> LocalQuantity?
    {
        func refuse(_ message: String) -> LocalQuantity? {
            breaches.append(.init(field: "quantity", rule: "LOC-1", message: message))
            return nil
        }
        guard let quantity = LocalQuantity(draft.quantity, allowsDecimals: component.allowsDecimals) else {
            return refuse(
                "\(component.id): \"\(draft.quantity.prefix(20))\" is no quantity: 0 or more, "
                    + (component.allowsDecimals ? "at most 3 decimals" : "whole"))
        }
        switch component.unit {
        case .fixed where quantity != .zero && quantity != .one:
            return refuse("\(component.id) is a fixed sum: 0 or 1")
        case .percent where quantity.thousandths > 100_000:
            return refuse("\(component.id) is a percentage: 0 to 100")
        default: break
        }
        // LOC-9: nothing is below no minimum.
        if quantity.isZero { return quantity }
        if let minimum = component.minimum, quantity < minimum {
            return refuse("\(component.id): at least \(minimum) in one claim")
        }
        if let maximum = component.maximum, quantity > maximum {
            return refuse("\(component.id): at most \(maximum) in one claim")
        }
        return quantity
    }
}

/// R14: whether a provider can claim in a window, and if not why. The numbers are those of the contract.
enum LocalAvailability: Int, CaseIterable, Sendable {
    case canClaim = 1, windowNotOpen, windowClosed, noContract, alreadyClaimed, nothingLeft,
        participationOnly, serviceClosed

    static func of(
        _ window: LocalWindow, _ scheme: LocalScheme, hasTerm: Bool, hasClaim: Bool, isExhausted: Bool,
        extendedUntil: CalendarDate?, on today: CalendarDate
    ) -> LocalAvailability {
        if scheme.isParticipationOnly { return .participationOnly }
        if scheme.isClosed { return .serviceClosed }
        if !hasTerm { return .noContract }
        if hasClaim { return .alreadyClaimed }
        if today < window.opens { return .windowNotOpen }
        if today > window.lastDay(extended: extendedUntil) { return .windowClosed }
        return isExhausted ? .nothingLeft : .canClaim
    }
}
