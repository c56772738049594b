import CommonContract
import PluginAPI

/// Work by the clock: escalation, breaches, waiting for senders, the weekly report of searches.
struct CaseworkJobs: Sendable {
    let context: PluginContext
    let reference: CaseworkReference
    let book: CaseBook
    let tasks: TaskBook
    let feeds: Feeds

    /// Code of the national body that runs this system, at which its own staff hold their roles.
    private static let house = "PCS"

    var all: [ScheduledJob] {
        [
            ScheduledJob(name: "task-escalation", schedule: .daily(hour: 0, minute: 15)) {
                try await escalateTasks()
            },
            ScheduledJob(name: "case-clocks", schedule: .every(seconds: 300)) { try await runClocks() },
            ScheduledJob(name: "unanswered-searches", schedule: .daily(hour: 6, minute: 30)) {
                try await reportSearches()
            },
            // A feed looks again by itself now and then, whatever became of an announcement.
            ScheduledJob(name: "feeds", schedule: .every(seconds: 30)) {
                feeds.wake()
                return "woken"
            },
        ]
    }

    // MARK: Tasks

    private func escalateTasks() async throws -> String {
        let (tasks, today) = (tasks, context.clock.today)
        let result = try await context.store.write(actor: "job/task-escalation") { transaction in
            var moved = 0
            for code in try TaskStore.followedProviders(transaction) {
                guard let provider = ODSCode(code) else { continue }
                moved += try tasks.follow(provider, on: today, in: transaction)
            }
            return (try tasks.escalate(on: today, in: transaction), moved)
        }
        return "\(result.0) escalated, \(result.1) moved to another commissioner"
    }

    // MARK: Enquiries

    private static let batch = 200

    /// In batches, each its own transaction; one damaged case does not keep the others.
    private func runClocks() async throws -> String {
        var after = ""
        var (escalated, waiting, faults) = (0, 0, 0)
        while true {
            let page = try context.store.read {
                try EnquiryStore.notEnded(after: after, limit: Self.batch, $0)
            }
            for record in page {
                after = record.id
                do {
                    guard let work = try due(record) else { continue }
                    try await context.store.write(actor: "job/case-clocks") { transaction in
                        // What happened since the reading decides.
                        guard var present = try EnquiryStore.find(record.id, transaction), present == record
                        else { return }
                        try carryOut(work, &present, in: transaction)
                    }
                    if case .escalate = work { escalated += 1 } else { waiting += 1 }
                } catch {
                    faults += 1
                    context.logger.warning(
                        "a case's clock cannot be read",
                        metadata: ["enquiry": "\(record.id)", "error": "\(error)"])
                }
            }
            if page.count < Self.batch { break }
        }
        return "\(escalated) escalated, \(waiting) reminded or ended, \(faults) could not be read"
    }

    private enum Work: Sendable {
        case escalate(percent: Int)
        case remind
        case resolveUnanswered
        case close
    }

    private func due(_ record: CaseRecord) throws -> Work? {
        let (now, targets) = (context.clock.now, try book.targets(of: record))
        let hours = targets.hours
        if record.state == .waitingCustomer, let since = record.waitingSince {
            if record.kind == .enquiry,
                now >= (try hours.end(ofWorkingDay: targets.count("waiting.resolve"), after: since))
            {
                return .resolveUnanswered
            }
            if !record.isReminded,
                now >= (try hours.end(ofWorkingDay: targets.count("waiting.remind"), after: since))
            {
                return .remind
            }
        }
        if record.state == .resolved, let resolved = record.resolvedAt,
            now > (try hours.end(ofWorkingDay: targets.count("reopen"), after: resolved))
        {
            return .close
        }
        if record.state.isAnswered { return nil }
        let used = try CaseClocks(record.facts, targets, at: now).runningPercent
        let reached = targets.escalations
            .filter { $0.kind == record.kind && $0.percent <= used && $0.percent > record.escalatedPercent }
            .map(\.percent).max()
        return reached.map { .escalate(percent: $0) }
    }

    private func carryOut(_ work: Work, _ record: inout CaseRecord, in transaction: any Transaction) throws {
        let step: CaseBook.Step
        switch work {
        case .escalate(let percent):
            try escalate(&record, to: percent, in: transaction)
            return
        case .remind:
            record.isReminded = true
            try book.save(&record, in: transaction)
            try book.tellSender(record, nil, in: transaction)
            return
        case .resolveUnanswered:
            record.closingReason = "noReply"
            step = CaseBook.Step(action: .resolve, text: "No reply within the time for it.", by: "clock")
        case .close:
            step = CaseBook.Step(action: .close, by: "clock")
        }
        let next = try book.require(
            step.action, CaseBook.View(record: record, actors: [.clock], isStaff: true))
        try book.take(step, to: next, &record, in: transaction)
    }

    /// Tells everybody on the way up whom it reached, and flags the case.
    private func escalate(_ record: inout CaseRecord, to percent: Int, in transaction: any Transaction) throws
    {
        let steps = try book.targets(of: record).escalations.filter {
            $0.kind == record.kind && $0.percent > record.escalatedPercent && $0.percent <= percent
        }
        for step in steps {
            guard let place = place(step.place, of: record) else { continue }
            let noun = record.kind == .complaint ? "A complaint" : "An enquiry"
            var message = MessageRecord(
                id: transaction.newIdentifier(), area: "casework",
                key:
                    "enquiry/\(record.id)/\(record.clockFrom.microsecondsSince1970)/\(record.timesReopened)/\(step.percent)/\(step.role)",
                title: "\(noun) has used \(step.percent) % of its time",
                body: "Category \(record.category), team \(record.team).", record: book.pointer(record),
                postedAt: transaction.now)
            message.role = step.role
            message.organisation = place
            try book.messages.post(message, in: transaction)
        }
        record.escalatedPercent = percent
        try book.save(&record, in: transaction)
        let entry = CaseEntry(
            at: transaction.now, by: "clock", action: nil, state: record.state,
            text: "Escalated at \(percent) %",
            isInternal: true)
        try EnquiryStore.add(entry, to: record.id, in: transaction)
        transaction.audit(
            AuditNote(
                object: "enquiry/\(record.id)", organisation: record.organisation,
                detail: "escalated at \(percent) %"))
    }

    private func place(_ place: String, of record: CaseRecord) -> String? {
        guard place == "region" else { return place }
        return ODSCode(record.organisation).flatMap {
            context.organisations.region(of: $0, at: context.clock.today)?.value
        }
    }

    // MARK: Searches

    /// On Mondays, of the week before.
    private func reportSearches() async throws -> String {
        let today = context.clock.today
        guard today.isoWeekday == 1 else { return "not Monday" }
        let from = today.adding(days: -7)
        let messages = book.messages
        return try await context.store.write(actor: "job/unanswered-searches") { transaction in
            let rows = try ArticleStore.unanswered(
                from: LondonTime.instant(on: from, minute: 0), to: LondonTime.instant(on: today, minute: 0),
                limit: 50,
                transaction)
            let expired = try ArticleStore.latest(transaction).filter {
                !$0.isWithdrawn && $0.isExpired(on: today)
            }
            let lines =
                rows.map {
                    "\($0.times) x \($0.text.prefix(60))\($0.hadAnswers ? " (answers did not help)" : "")"
                }
                + expired.map { "To be reviewed: \($0.id), \($0.owner)" }
            guard !lines.isEmpty else { return "nothing to report" }
            var message = MessageRecord(
                id: transaction.newIdentifier(), area: "casework", key: "unanswered-searches/\(from)",
                title: "Searches without an answer, week of \(from)",
                body: String(lines.joined(separator: "\n").prefix(4_000)), postedAt: transaction.now)
            message.role = Roles.articleEditor.name
            message.organisation = Self.house
            try messages.post(message, in: transaction)
            return "\(rows.count) searches without an answer, \(expired.count) articles to be reviewed"
        }
    }
}
