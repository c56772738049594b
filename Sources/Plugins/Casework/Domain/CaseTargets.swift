import PluginAPI

/// How long a clock runs.
enum TargetTime: Hashable, Sendable {
    /// To the end of the Nth working day after the day of receipt.
    case workingDays(Int)
    case workingHours(Int)
}

/// The targets of the reference data as they stand on a day.
struct CaseTargets: Sendable {
    struct Row: Sendable {
        enum Unit: String {
            case workingDays = "WORKING_DAYS", workingHours = "WORKING_HOURS", months = "MONTHS"
        }
        var name: String
        var value: Int
        var unit: String
        var from: CalendarDate
        var to: CalendarDate?
    }

    struct Escalation: Hashable, Sendable {
        var kind: CaseKind
        var percent: Int
        var role: String
        /// An organisation's code, or `region`: the region above the sender's organisation.
        var place: String
        var from: CalendarDate
        var to: CalendarDate?
    }

    private let rows: [String: Row]
    let escalations: [Escalation]
    let hours: WorkingHours

    /// `nil` when a target that every clock needs is missing on that day.
    init?(_ all: [Row], _ escalations: [Escalation], _ days: WorkingDays, on day: CalendarDate) {
        var rows: [String: Row] = [:]
        for row in all where row.from <= day && row.to.map({ day < $0 }) ?? true { rows[row.name] = row }
        self.rows = rows
        self.escalations = escalations.filter { $0.from <= day && $0.to.map { day < $0 } ?? true }
            .sorted { $0.percent < $1.percent }
        guard let opens = rows["hours.opens"]?.value, let closes = rows["hours.closes"]?.value,
            opens < closes,
            closes <= 24, Self.needed.allSatisfy({ rows[$0] != nil })
        else { return nil }
        hours = WorkingHours(days: days, opens: opens * 60, closes: closes * 60)
    }

    private static let needed = [
        "enquiry.acknowledge", "enquiry.first_answer", "enquiry.resolve", "urgent.acknowledge",
        "urgent.first_answer",
        "urgent.resolve", "complaint.acknowledge", "complaint.resolve", "complaint.explain",
        "complaint.accept",
        "waiting.remind", "waiting.resolve", "reopen",
    ]

    /// `nil` = no such clock: a complaint's first answer follows the plan agreed with the complainant.
    func time(_ clock: CaseClock, of course: CaseCourse) -> TargetTime? {
        guard let row = rows["\(course.rawValue).\(clock.rawValue)"] else { return nil }
        return row.unit == Row.Unit.workingHours.rawValue ? .workingHours(row.value) : .workingDays(row.value)
    }

    /// A number by itself: days or months.
    func count(_ name: String) -> Int { rows[name]?.value ?? 0 }
}

/// Which line of the table of clocks a case follows.
enum CaseCourse: String, Sendable { case enquiry, urgent, complaint }

enum CaseClock: String, Sendable, CaseIterable {
    case acknowledge, firstAnswer = "first_answer", resolve
}
