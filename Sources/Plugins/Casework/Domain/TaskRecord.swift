import PluginAPI

/// A task as stored.
struct TaskRecord: Hashable, Sendable {
    var id: String
    /// Area that asked for it; it alone changes and settles it.
    var area: String
    var key: String
    var role: String
    var organisation: String
    var title: String
    var detail: String
    var record: RecordPointer
    var outcomes: [String]
    var dueOn: CalendarDate?
    var isUrgent: Bool
    var escalateRole: String
    var escalateOrganisation: String
    /// Provider whose commissioner has the task; empty = it stays.
    var follows: String
    var byHand: Bool
    var isOpen = true
    var assignedTo = ""
    var outcome = ""
    var settledBy = ""
    var settledAt: Instant?
    var requestedAt: Instant
    var escalatedAt: Instant?

    /// Its last day has passed.
    func isOverdue(on day: CalendarDate) -> Bool { isOpen && dueOn.map { $0 < day } ?? false }

    /// Whether a task of this kind may end so. "withdrawn" is for the area that no longer needs it.
    func allows(outcome: String, byArea: Bool) -> Bool {
        if byArea, outcome == "withdrawn" { return true }
        return outcomes.isEmpty ? outcome == "done" : outcomes.contains(outcome)
    }
}

/// Why somebody sees a task. Raw values are in rows; the lower one counts when there are several.
enum TaskStanding: Int64, Sendable, Comparable {
    case own = 1, escalated, supervisor, moved
    static func < (left: TaskStanding, right: TaskStanding) -> Bool { left.rawValue < right.rawValue }
    /// Sees it only.
    var mayAct: Bool { self == .own || self == .escalated }
}

/// Everybody with a role at an organisation, to whom a task is shown.
struct TaskAudience: Hashable, Sendable {
    var organisation: String
    var role: String
    var standing: TaskStanding
    /// For the old holder of a task that moved: where it went, and how many steps it had until then.
    var movedTo = ""
    var stepsUntil: Int64 = 0
    /// Position in the feed at which it changed last for this audience.
    var position: Int64 = 0

    /// Role and organisation must both match.
    func includes(organisation: String, roles: Set<String>) -> Bool {
        self.organisation == organisation && roles.contains(role)
    }
}

struct TaskStep: Hashable, Sendable {
    var at: Instant
    var by: String
    var step: String
    var detail: String
}
