import PluginAPI

/// A record of another area, as tasks, messages and cases point to it.
struct RecordPointer: Hashable, Sendable {
    var area = ""
    var kind = ""
    var id = ""
    var organisation = ""
    var isEmpty: Bool { area.isEmpty && kind.isEmpty && id.isEmpty }
}

/// An enquiry or complaint as stored.
struct CaseRecord: Hashable, Sendable {
    var id: String
    var kind: CaseKind
    var state = CaseState.new
    var organisation: String
    var category: String
    var subCategory: String
    var subject: String
    var body: String
    var documents: [String] = []
    var isUrgent = false
    var urgencyReason = ""
    var isPatientSafety = false
    var isRestricted = false
    var raisedBy: String
    var raisedAt: Instant
    /// When its present clocks began: at raising, or when the enquiry became a complaint.
    var clockFrom: Instant
    var team: String
    var handler = ""
    var acknowledgedAt: Instant?
    var firstAnsweredAt: Instant?
    var resolvedAt: Instant?
    var plannedAnswerOn: CalendarDate?
    var stoppedMinutes = 0
    /// Since when the sender is asked, or since when an enquiry that was reopened had been resolved.
    var waitingSince: Instant?
    var isReminded = false
    var escalatedPercent = 0
    var closingReason = ""
    var duplicateOf = ""
    var isComplaintProposed = false
    var draftedBy = ""
    var eventOn: CalendarDate?
    var lateReason = ""
    var timesReopened = 0
    /// When the resolution is due as far as known at the last step; work is shown in this order.
    var resolveBy: Instant

    var course: CaseCourse {
        if kind == .complaint { return .complaint }
        return isUrgent || isPatientSafety ? .urgent : .enquiry
    }

    var facts: CaseClocks.Facts {
        CaseClocks.Facts(
            course: course, startedAt: clockFrom, acknowledgedAt: acknowledgedAt,
            firstAnsweredAt: firstAnsweredAt,
            resolvedAt: resolvedAt, plannedAnswerOn: plannedAnswerOn, stoppedMinutes: stoppedMinutes,
            stoppedSince: state == .waitingCustomer ? waitingSince : nil)
    }

    /// The case after a step that the lifecycle allows. Times of the clocks follow from it.
    mutating func take(_ action: CaseAction, to next: CaseState, at now: Instant, _ hours: WorkingHours)
        throws
    {
        if state == .waitingCustomer, next != .waitingCustomer, let since = waitingSince {
            stoppedMinutes += try hours.minutes(from: since, to: now)
            waitingSince = nil
        }
        switch action {
        case .acknowledge: acknowledgedAt = acknowledgedAt ?? now
        case .askCustomer:
            waitingSince = now
            isReminded = false
        case .resolve, .sendResponse: resolvedAt = now
        case .reopen:
            // The time for which it counted as resolved was not ours.
            if let resolved = resolvedAt { stoppedMinutes += try hours.minutes(from: resolved, to: now) }
            resolvedAt = nil
            closingReason = ""
            timesReopened += 1
        case .makeComplaint: becomeComplaint(at: now)
        case .proposeComplaint: isComplaintProposed = true
        case .declineComplaint: isComplaintProposed = false
        case .goToStage2: resolvedAt = nil
        default: break
        }
        if action.isAnswer { firstAnsweredAt = firstAnsweredAt ?? now }
        state = next
    }

    /// The clocks of a complaint begin when it becomes one; what was done for the enquiry is in its history.
    private mutating func becomeComplaint(at now: Instant) {
        kind = .complaint
        clockFrom = now
        handler = ""
        acknowledgedAt = nil
        firstAnsweredAt = nil
        resolvedAt = nil
        stoppedMinutes = 0
        waitingSince = nil
        escalatedPercent = 0
        closingReason = ""
        isComplaintProposed = false
    }
}

struct CaseEntry: Hashable, Sendable {
    var at: Instant
    var by: String
    var action: CaseAction?
    var state: CaseState
    var text: String
    var isInternal: Bool
    var documents: [String] = []
}

/// Who may see a case (identity-and-organisations.md 14.1), as facts and roles say.
enum CaseVisibility {
    struct Viewer: Hashable {
        var person: String
        var organisation: String
        var roles: Set<String>
    }

    /// Whether the sender's side shows it: the raiser at the organisation for which it was raised; there and where it
    /// was copied to, members with a role for its category. A restricted one only the raiser.
    static func showsSender(
        _ record: CaseRecord, categoryRoles: Set<String>, copiedTo: [String], to viewer: Viewer
    ) -> Bool {
        let isHome = viewer.organisation == record.organisation
        if isHome, viewer.person == record.raisedBy { return true }
        if record.isRestricted { return false }
        guard isHome || copiedTo.contains(viewer.organisation) else { return false }
        return !viewer.roles.isDisjoint(with: categoryRoles)
    }

    enum StaffView: Hashable { case hidden, needsReason, open }

    /// What a member of PCSE's staff sees. Somebody whom a complaint names sees nothing of it.
    static func showsStaff(
        _ record: CaseRecord, named: Set<String>, isInTeam: Bool, person: String, roles: Set<String>
    ) -> StaffView {
        if named.contains(person) { return .hidden }
        if roles.contains("COMPLAINTS_MANAGER") || record.handler == person { return .open }
        if record.isRestricted { return .hidden }
        if isInTeam { return .open }
        return .needsReason
    }

    static func staffActors(_ record: CaseRecord, isInTeam: Bool, person: String, roles: Set<String>) -> Set<
        CaseActor
    > {
        var actors: Set<CaseActor> = []
        if isInTeam { actors.insert(.team) }
        if !person.isEmpty, record.handler == person { actors.insert(.handler) }
        if roles.contains("CASE_MANAGER") { actors.insert(.manager) }
        if roles.contains("COMPLAINTS_MANAGER") { actors.insert(.headOfService) }
        return actors
    }
}
