import CommonContract
import CqrsContract
import PluginAPI

/// What is known of a provider's local services at one moment: definitions, contracts, what was claimed already.
struct LocalBook {
    let provider: String
    let context: PluginContext
    let today: CalendarDate
    let terms: [LocalTerm]
    private let schemes: [String: LocalScheme]

    init(provider: String, _ context: PluginContext, today: CalendarDate, _ reader: any Reader) throws {
        self.provider = provider
        self.context = context
        self.today = today
        terms = try LocalContractStore.terms(of: provider, reader)
        var schemes: [String: LocalScheme] = [:]
        for service in Set(terms.flatMap(\.items.keys)) {
            schemes[service] = try LocalSchemeStore.present(service, reader)?.scheme
        }
        self.schemes = schemes
    }

    var services: [String] { schemes.keys.sorted() }
    func scheme(_ id: String) -> LocalScheme? { schemes[id] }

    /// The contract under which activity of a window is claimed.
    func term(for window: LocalWindow) -> LocalTerm? {
        terms.first {
            $0.items[window.service] != nil && $0.start <= window.activityTo && window.activityFrom <= $0.end
        }
    }

    // MARK: R14

    struct Availability {
        var window: LocalWindow
        var name: String
        var reason: LocalAvailability
        var openUntil: CalendarDate
        var next: CalendarDate?
        var allowances: [LocalCapping.Allowance] = []
        var components: [String] = []
    }

    /// Whether a claim can be made now, and if not why and when next.
    func availability(of window: LocalWindow, _ reader: any Reader) throws -> Availability? {
        guard let scheme = schemes[window.service] else { return nil }
        let term = term(for: window)
        let extended = try LocalWindowStore.extendedUntil(window.id, provider, reader)
        let own = try LocalClaimStore.of(provider: provider, window: window.id, reader)
            .contains { $0.state.isLive && $0.bulk == 0 }
        let commissioner = term?.commissioner ?? ""
        let counted = try LocalUsageStore.of(
            provider: provider, commissioner: commissioner, except: 0, reader)
        var answer = Availability(
            window: window, name: scheme.name, reason: .canClaim,
            openUntil: window.lastDay(extended: extended))
        var lists = LocalLists()
        var isExhausted = term != nil
        for component in scheme.components where term?.holds(scheme.id, component.id) ?? false {
            let claimed = LocalUsageStore.Claimed(
                provider: provider, service: scheme.id, component: component.id, from: window.activityFrom)
            let day = Swift.min(window.activityTo, term?.end ?? window.activityTo)
            var capping = LocalCapping(provider: provider, service: scheme.id, component: component, day: day)
            if component.caps.contains(where: { $0.kind == .perMilleOfList }) {
                capping.list = try lists.patients(of: provider, on: day, reader)
            }
            let allowances = component.caps.compactMap { capping.allowance($0, counted.usage) }
            if !counted.claimed.contains(claimed), allowances.allSatisfy({ $0.left > 0 }) {
                isExhausted = false
            }
            answer.allowances += allowances
            answer.components += allowances.map { _ in component.id }
        }
        answer.reason = LocalAvailability.of(
            window, scheme, hasTerm: term != nil, hasClaim: own, isExhausted: isExhausted,
            extendedUntil: extended,
            on: today)
        answer.next = try LocalWindowStore.windows(of: window.service, reader).map(\.opens).filter {
            $0 > today
        }.min()
        return answer
    }
}

extension LocalBook.Availability {
    /// Why not, and when next, in one sentence.
    var sentence: String {
        let next = next.map { " The next window opens on \($0)." } ?? " No later window is set."
        return switch reason {
        case .canClaim: "The window is open until \(openUntil)."
        case .windowNotOpen: "The window opens on \(window.opens)."
        case .windowClosed: "The window closed on \(openUntil)." + next
        case .noContract:
            "There is no active contract for \(name) from \(window.activityFrom) to \(window.activityTo)."
        case .alreadyClaimed: "This window has been claimed." + next
        case .nothingLeft: "Every component is claimed, or its caps leave nothing." + next
        case .participationOnly: "\(name) is for participation only: nothing is claimed."
        case .serviceClosed: "\(name) is closed."
        }
    }

    var message: Pcs_Cqrs_V1_WindowAvailability {
        .with {
            $0.window = Pcs_Cqrs_V1_ClaimWindow(window)
            $0.serviceName = name
            $0.canClaim = reason == .canClaim
            $0.reason = .init(rawValue: reason.rawValue) ?? .unspecified
            if let next { $0.nextOpensOn = Pcs_Common_V1_Date(next) }
            $0.openUntil = Pcs_Common_V1_Date(openUntil)
            $0.allowances = zip(components, allowances).map { component, allowance in
                .with {
                    $0.componentID = component
                    $0.kind = .init(rawValue: allowance.cap.kind.rawValue) ?? .unspecified
                    $0.limit = allowance.text(allowance.limit)
                    $0.used = allowance.text(allowance.used)
                    $0.left = allowance.text(allowance.left)
                }
            }
        }
    }
}

/// Registered patients by day, each day looked up once: what caps by list size stand on.
struct LocalLists {
    private var byDay: [CalendarDate: [String: ProviderBases.Figure]] = [:]

    mutating func patients(of provider: String, on day: CalendarDate, _ reader: any Reader) throws
        -> ExactDecimal?
    {
        if let known = byDay[day] { return known[provider]?.value }
        // Figures older than a year and a quarter are not this year's.
        let figures = try ReferenceStore.populations(
            .crp, upTo: day, notBefore: day.adding(days: -456), reader)
        byDay[day] = figures
        return figures[provider]?.value
    }
}
