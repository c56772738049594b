import CaseworkContract
import CommonContract
import PluginAPI

/// Begins the reviews of a quarter, and ends what nobody answered for in time. Run by the clock, each morning; safe to
/// run twice.
package struct ReviewJob: Sendable {
    private let registry: IdentityRegistry

    package init(registry: IdentityRegistry) { self.registry = registry }

    static func taskKey(of reviewID: String) -> String { "host/grant-review/\(reviewID)/" }

    /// First day of the period in which a day lies; periods begin with January.
    static func quarter(of day: CalendarDate, everyMonths: Int) -> CalendarDate {
        let (year, month, _) = day.components
        let first = (month - 1) / everyMonths * everyMonths + 1
        return CalendarDate(year: year, month: first, day: 1) ?? day
    }

    package func run() async throws -> String {
        let today = registry.clock.today
        let parameters = registry.catalogue.current(on: today).parameters
        let quarter = Self.quarter(of: today, everyMonths: parameters.reviewEveryMonths)
        let dueOn = today.adding(days: parameters.reviewAnswerDays)
        let registry = registry
        let mustBegin = try registry.store.read { reader in
            try reader.first(ReviewTables.reviewOfQuarter, [.date(quarter)], { $0.text(0) }) == nil
        }
        var begun = 0
        if mustBegin {
            begun = try await registry.store.write(actor: "job/grant-reviews") { transaction in
                try Self.begin(quarter: quarter, dueOn: dueOn, today: today, registry, in: transaction)
            }
        }
        let lapsed = try await lapse(today: today)
        return "\(begun) reviews begun, \(lapsed) grants lapsed"
    }

    // MARK: Beginning

    private static func begin(
        quarter: CalendarDate, dueOn: CalendarDate, today: CalendarDate, _ registry: IdentityRegistry,
        in transaction: any Transaction
    ) throws -> Int {
        let catalogue = registry.catalogue.current(on: today)
        var grantsAt: [String: [GrantRow]] = [:]
        try transaction.forEach(UserTables.allGrants, []) { row in
            let grant = try GrantRow(row: row)
            guard grant.holds(on: today) else { return }
            grantsAt[grant.organisation, default: []].append(grant)
        }
        var count = 0
        for (organisation, grants) in grantsAt.sorted(by: { $0.key < $1.key }) {
            let administrators = Set(
                grants.map(\.role).filter { catalogue.entry($0, on: today)?.isAdministrator == true })
            // What was given since the quarter began was thought about; what the operator set up is the operator's; and
            // where nobody could answer, nothing may lapse.
            let due = grants.filter { $0.from < quarter && $0.basis != "installation" }
            guard !due.isEmpty, !administrators.isEmpty else { continue }
            let id = transaction.newIdentifier()
            try transaction.run(
                ReviewTables.insertReview,
                [.text(id), .text(organisation), .date(quarter), .date(dueOn)])
            for grant in due { try transaction.run(ReviewTables.insertItem, [.text(id), .text(grant.id)]) }
            for role in administrators.sorted(by: { $0.name < $1.name }) {
                try request(role, at: organisation, review: id, dueOn: dueOn, in: transaction)
            }
            transaction.audit(
                AuditNote(
                    object: "review/\(id)", organisation: organisation,
                    detail: "review of \(due.count) grants, answers by \(dueOn)"))
            count += 1
        }
        return count
    }

    private static func request(
        _ role: Role, at organisation: String, review: String, dueOn: CalendarDate,
        in transaction: any Transaction
    ) throws {
        let key = taskKey(of: review) + role.name
        try transaction.publish(
            Pcs_Casework_V1_TaskRequested.with {
                $0.taskKey = key
                $0.role = WantedGrant.role(named: role.name)
                $0.organisationCode = organisation
                $0.title = "Review who has access"
                $0.detail =
                    "Say for each role that was given here whether it is still needed. What nobody answers for "
                    + "by \(dueOn) ends on the day after."
                $0.record = .with {
                    $0.area = "host"
                    $0.kind = "review"
                    $0.recordID = review
                    $0.organisationCode = organisation
                }
                $0.dueOn = Pcs_Common_V1_Date(dueOn)
            }, key: key)
    }

    // MARK: Lapsing

    private func lapse(today: CalendarDate) async throws -> Int {
        let overdue = try registry.store.read { reader in
            try reader.all(ReviewTables.openReviews, [], GrantReview.init(row:)).filter { $0.dueOn < today }
        }
        var subjects: Set<String> = []
        var count = 0
        for review in overdue {
            let registry = registry
            let lapsed = try await registry.store.write(actor: "job/grant-reviews") { transaction in
                try Self.lapse(review, registry, in: transaction)
            }
            count += lapsed.count
            subjects.formUnion(lapsed)
        }
        for id in subjects {
            try registry.refresh(id)
            registry.endTokens(of: id)
        }
        return count
    }

    /// - Returns: the holders of what lapsed, one for each grant.
    private static func lapse(
        _ review: GrantReview, _ registry: IdentityRegistry, in transaction: any Transaction
    ) throws -> [String] {
        var holders: [String] = []
        for item in try transaction.all(ReviewTables.items, [.text(review.id)], GrantReviewItem.init(row:))
        where item.answer.isEmpty {
            let grant = try UserServiceHandler.row(item.grantID, in: transaction)
            if !grant.isRevoked {
                try registry.revoke(
                    grant, reason: "nobody answered in the review of \(review.quarter)",
                    by: "job/grant-reviews", in: transaction)
                holders.append(grant.subjectID)
            }
            try transaction.run(
                ReviewTables.answerItem,
                [
                    .text(review.id), .text(grant.id), .text(grant.isRevoked ? "gone" : "lapsed"),
                    .text("job/grant-reviews"), .instant(transaction.now),
                ])
        }
        try registry.closeIfAnswered(review, by: "job/grant-reviews", in: transaction)
        return holders
    }
}
