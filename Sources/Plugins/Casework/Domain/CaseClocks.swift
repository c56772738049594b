import PluginAPI

/// The clocks of a case at a moment, worked out from what happened and the targets (identity-and-organisations.md 14.2).
struct CaseClocks: Hashable {
    struct Reading: Hashable {
        var due: Instant
        /// When the act was done that stops it.
        var doneAt: Instant?
        /// Of the time allowed, waiting for the sender not counted; may pass 100.
        var usedPercent: Int

        var isLate: Bool { doneAt.map { $0 > due } ?? false }
    }

    var readings: [CaseClock: Reading] = [:]
    /// Working minutes until the resolution is due; negative when it is overdue.
    var remainingMinutes = 0
    /// The sender is asked, and the clock of an enquiry stands still.
    var isStopped = false
    /// Complaints: after this day a delay is explained in writing.
    var explainAfter: CalendarDate?

    /// What the clocks need to know of a case.
    struct Facts: Hashable {
        var course: CaseCourse
        var startedAt: Instant
        var acknowledgedAt: Instant?
        var firstAnsweredAt: Instant?
        var resolvedAt: Instant?
        /// Complaints: day of the first answer by the plan agreed.
        var plannedAnswerOn: CalendarDate?
        /// Working minutes for which the clock stood still so far.
        var stoppedMinutes: Int
        /// Since when it stands still.
        var stoppedSince: Instant?
    }

    init(_ facts: Facts, _ targets: CaseTargets, at now: Instant) throws {
        let hours = targets.hours
        // Nothing stops a complaint's clock (example 17).
        let mayStop = facts.course != .complaint
        isStopped = mayStop && facts.stoppedSince != nil
        var stopped = mayStop ? facts.stoppedMinutes : 0
        if mayStop, let since = facts.stoppedSince { stopped += try hours.minutes(from: since, to: now) }
        for clock in CaseClock.allCases {
            guard let base = try Self.base(clock, facts, targets) else { continue }
            // Acknowledging never waits for the sender.
            let pause = clock == .acknowledge ? 0 : stopped
            let done: Instant? =
                switch clock {
                case .acknowledge: facts.acknowledgedAt
                case .firstAnswer: facts.firstAnsweredAt
                case .resolve: facts.resolvedAt
                }
            let allowed = max(1, try hours.minutes(from: facts.startedAt, to: base))
            let used = try hours.minutes(from: facts.startedAt, to: done ?? now) - pause
            let due = try hours.adding(minutes: pause, to: base)
            readings[clock] = Reading(due: due, doneAt: done, usedPercent: max(0, used) * 100 / allowed)
            if clock == .resolve, done == nil {
                remainingMinutes =
                    now <= due
                    ? try hours.minutes(from: now, to: due) : -(try hours.minutes(from: due, to: now))
            }
        }
        if facts.course == .complaint {
            explainAfter = LondonTime.day(at: facts.startedAt)
                .adding(calendarMonths: targets.count("complaint.explain"))
        }
    }

    /// When a clock runs out if nothing stops it.
    private static func base(_ clock: CaseClock, _ facts: Facts, _ targets: CaseTargets) throws -> Instant? {
        if clock == .firstAnswer, facts.course == .complaint {
            return facts.plannedAnswerOn.map { LondonTime.instant(on: $0, minute: targets.hours.closes) }
        }
        switch targets.time(clock, of: facts.course) {
        case .workingDays(let count):
            return try targets.hours.end(ofWorkingDay: count, after: facts.startedAt)
        case .workingHours(let count):
            return try targets.hours.adding(minutes: count * 60, to: facts.startedAt)
        case nil: return nil
        }
    }

    /// The clock that is furthest used among those still running.
    var runningPercent: Int { readings.values.filter { $0.doneAt == nil }.map(\.usedPercent).max() ?? 0 }
    /// Whether any clock ran out before its act was done.
    func hasBreached(at now: Instant) -> Bool {
        readings.values.contains { $0.isLate || ($0.doneAt == nil && $0.due < now) }
    }
}
