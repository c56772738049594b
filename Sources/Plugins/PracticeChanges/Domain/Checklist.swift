import PluginAPI

/// From which day a step's days are counted.
enum StepAnchor: String, CaseIterable, Sendable {
    /// T, the effective date.
    case effective = "T"
    /// The quarter day on or after T.
    case quarter = "QUARTER"
    /// 31 March on or after T.
    case yearEnd = "YEAR_END"

    func day(effectiveOn: CalendarDate) -> CalendarDate {
        switch self {
        case .effective: effectiveOn
        case .quarter: QuarterAlignment.globalSumMoves(effectiveOn)
        case .yearEnd:
            CalendarDate(
                year: effectiveOn.month <= 3 ? effectiveOn.year : effectiveOn.year + 1, month: 3, day: 31)
                ?? effectiveOn
        }
    }
}

/// What a step's proof must show beside a reference.
enum ProofKind: String, CaseIterable, Sendable {
    case reference = "REFERENCE"
    /// Payments of both codes before and after.
    case money = "MONEY"
    /// Counts of patients.
    case patients = "PATIENTS"
    /// The approved migration of grants, or "none".
    case grants = "GRANTS"
    /// The register of organisations shows the closing.
    case register = "REGISTER"
    /// Two people said go.
    case go = "GO"
}

/// A row of the checklist (identity-and-organisations.md 15.3).
struct ChecklistRow: Hashable, Sendable {
    var number: Int
    var anchor: StepAnchor
    var offsetDays: Int
    var ownerArea: String
    var title: String
    var precondition: String
    var after: [Int]
    var act: String
    var proofKind: ProofKind
    var proofWanted: String
    var compensation: String
    /// Once this step and that one are done, nothing can be rolled back; `nil` = never by this step.
    var irreversibleAfter: Int?
    var source: String

    func dueOn(effectiveOn: CalendarDate) -> CalendarDate {
        anchor.day(effectiveOn: effectiveOn).adding(days: offsetDays)
    }
}

/// Where T lies in its quarter: the global sum moves on the quarter day on or after it (payments.md 12.3).
enum QuarterAlignment {
    static func isAligned(_ day: CalendarDate) -> Bool { Quarter(quarterDay: day) != nil }

    static func globalSumMoves(_ day: CalendarDate) -> CalendarDate {
        isAligned(day) ? day : Quarter(containing: day).next.quarterDay
    }
}
