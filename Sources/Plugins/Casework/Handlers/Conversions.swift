import CaseworkContract
import CommonContract
import PluginAPI
import SwiftProtobuf

// Between the domain's values and the contract's messages.

/// Runs `body` and turns what the calendar throws into what the caller is told.
func refusing<Result>(_ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch let CalendarError.yearUnknown(year) {
        throw Failure(CaseworkReasons.calendarMissing, "The bank holidays of \(year) are not known.")
    }
}

extension Pcs_Casework_V1_Task {
    init(_ task: TaskRecord, seenAs audience: TaskAudience, on today: CalendarDate) {
        self.init()
        taskID = task.id
        area = task.area
        taskKey = task.key
        role = RoleNames.role(task.role)
        title = task.title
        record = task.record.message
        requestedAt = Google_Protobuf_Timestamp(task.requestedAt)
        priority = task.isUrgent ? .urgent : .normal
        if let due = task.dueOn { dueOn = Pcs_Common_V1_Date(due) }
        if audience.standing == .moved {
            // The old holder learns where it went, not what becomes of it.
            state = .moved
            organisationCode = audience.organisation
            movedTo = audience.movedTo
            return
        }
        state = task.isOpen ? .open : .settled
        organisationCode = task.organisation
        detail = task.detail
        outcomes = task.outcomes
        overdue = task.isOverdue(on: today)
        escalated = audience.standing == .escalated
        assignedTo = task.assignedTo
        outcome = task.outcome
        settledBy = task.settledBy
        settleByHand = task.byHand
        if let at = task.settledAt { settledAt = Google_Protobuf_Timestamp(at) }
    }
}

extension Pcs_Casework_V1_TaskStep {
    init(_ step: TaskStep) {
        self.init()
        at = Google_Protobuf_Timestamp(step.at)
        by = step.by
        self.step = step.step
        detail = step.detail
    }
}

extension Pcs_Casework_V1_PortalMessage {
    init(_ message: MessageRecord, isRead: Bool) {
        self.init()
        messageID = message.id
        area = message.area
        role = RoleNames.role(message.role)
        organisationCode = message.organisation
        personID = message.person
        title = message.title
        body = message.body
        if !message.record.isEmpty { record = message.record.message }
        self.class = message.isMandatory ? .mandatory : .ordinary
        postedAt = Google_Protobuf_Timestamp(message.postedAt)
        read = isRead
        documentIds = message.documents
    }
}

extension Pcs_Casework_V1_NotificationPreference {
    init(_ choice: NotificationChoice) {
        self.init()
        personID = choice.person
        tasks = Pcs_Casework_V1_NotificationMode(rawValue: Int(choice.tasks.rawValue)) ?? .atOnce
        messages = Pcs_Casework_V1_NotificationMode(rawValue: Int(choice.messages.rawValue)) ?? .atOnce
        mandatory = .atOnce
    }
}

extension Pcs_Casework_V1_Article {
    init(_ article: ArticleRecord, on today: CalendarDate) {
        self.init()
        articleID = article.id
        version = Int32(clamping: article.version)
        title = article.title
        body = article.body
        keywords = article.keywords
        organisationKinds = article.kinds
        roles = article.roles.map(RoleNames.role)
        owner = article.owner
        reviewOn = Pcs_Common_V1_Date(article.reviewOn)
        publishedAt = Google_Protobuf_Timestamp(article.publishedAt)
        publishedBy = article.publishedBy
        withdrawn = article.isWithdrawn
        expired = article.isExpired(on: today)
    }
}
