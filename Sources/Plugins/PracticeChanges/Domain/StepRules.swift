import PluginAPI

/// The state of a step. Numbers follow `pcs.changes.v1.StepState` and are stored.
enum StepState: Int64, CaseIterable, Sendable {
    case waiting = 1
    case blocked = 2
    case due = 3
    case done = 4
    case notApplicable = 5
    case failed = 6
    case compensationDue = 7
    case compensated = 8
    case cancelled = 9

    /// Steps after it may run.
    var isSettled: Bool { self == .done || self == .notApplicable }
    /// It waits for its day or for a step before it.
    var isAhead: Bool { self == .waiting || self == .blocked }
    /// Somebody may report it.
    var isOpen: Bool { self == .due || self == .failed }
}

/// Numbers follow `pcs.changes.v1.StepOutcome` and are stored.
enum StepOutcome: Int64, CaseIterable, Sendable {
    case done = 1
    case failed = 2
    case notApplicable = 3
    case compensated = 4
    case byHand = 5
}

/// A step of a case, as the rules see it.
struct StepView: Hashable, Sendable {
    var number: Int
    var state: StepState
    var dueOn: CalendarDate
    var after: [Int]
    var irreversibleAfter: Int?
}

enum StepRules {
    /// Failures after which somebody is given a task.
    static let failuresUntilTask: Int64 = 3

    /// What becomes of the steps that wait, on a day: those whose day has come are due when every step before them is
    /// settled, and blocked otherwise; a postponed one waits again.
    static func turn(_ steps: [StepView], on day: CalendarDate) -> [Int: StepState] {
        let settled = Set(steps.filter(\.state.isSettled).map(\.number))
        var changes: [Int: StepState] = [:]
        for step in steps where step.state.isAhead {
            let next: StepState =
                step.dueOn > day ? .waiting : settled.isSuperset(of: step.after) ? .due : .blocked
            if next != step.state { changes[step.number] = next }
        }
        return changes
    }

    /// Whether something that cannot be taken back was done.
    static func isIrreversible(_ steps: [StepView]) -> Bool {
        let done = Set(steps.filter { $0.state == .done }.map(\.number))
        return steps.contains { step in
            step.irreversibleAfter.map { done.contains(step.number) && done.contains($0) } ?? false
        }
    }

    /// What a roll-back makes of a step.
    static func rolledBack(_ state: StepState) -> StepState {
        switch state {
        case .done: .compensationDue
        case .compensationDue, .compensated: state
        default: .cancelled
        }
    }
}
