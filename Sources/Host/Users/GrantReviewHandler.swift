import CaseworkContract
import CommonContract
package import HostContract
package import PluginAPI

/// Serves `pcs.host.v1.GrantReviewService`: of each grant its administrators say each quarter whether it is still needed
/// (identity-and-organisations.md 7).
package struct GrantReviewHandler: Pcs_Host_V1_GrantReviewService {
    private let registry: IdentityRegistry

    package init(registry: IdentityRegistry) { self.registry = registry }

    package func listReviews(
        _ request: Pcs_Host_V1_ListReviewsRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_ListReviewsResponse {
        let organisation = try FieldCheck.code(request.organisationCode, "organisation_code")
        return try registry.store.read { reader in
            try .with {
                $0.reviews = try reader.all(
                    ReviewTables.reviewsAt,
                    [.text(organisation.value), .integer(request.includeClosed ? 1 : 0)],
                    GrantReview.init(row:)
                ).map { try Self.message($0, in: reader) }
            }
        }
    }

    package func answerReview(
        _ request: Pcs_Host_V1_AnswerReviewRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_GrantReview {
        let organisation = try FieldCheck.code(request.organisationCode, "organisation_code")
        guard (1...500).contains(request.answers.count) else {
            throw Failure.invalid("answers", "review.answers", "1 to 500 answers.")
        }
        let (today, caller) = (call.today, call.caller)
        let registry = registry
        let standing = GiverStanding(registry: registry, caller: caller, today: today)
        let reply = try await call.commit { transaction in
            guard
                let review = try transaction.first(
                    ReviewTables.review, [.text(request.reviewID)], GrantReview.init(row:)),
                review.organisation == organisation.value
            else { throw Failure.notFound("There is no such review.") }
            guard !review.isClosed, today <= review.dueOn else {
                throw Failure(HostReasons.stateWrong, "The review is closed.")
            }
            for (index, answer) in request.answers.enumerated() {
                try Self.answer(answer, index, of: review, standing, in: transaction)
            }
            try registry.closeIfAnswered(review, by: caller.responsible, in: transaction)
            return try Self.message(
                transaction.first(ReviewTables.review, [.text(review.id)], GrantReview.init(row:)) ?? review,
                in: transaction)
        }
        let ended = reply.grants.filter { $0.answer == .end }.map(\.accountID)
        for id in Set(ended) {
            try registry.refresh(id)
            registry.endTokens(of: id)
        }
        return reply
    }

    private static func answer(
        _ answer: Pcs_Host_V1_GrantAnswer, _ index: Int, of review: GrantReview, _ standing: GiverStanding,
        in transaction: any Transaction
    ) throws {
        let field = "answers[\(index)]"
        guard answer.answer == .keep || answer.answer == .end else {
            throw Failure.invalid("\(field).answer", "review.answer", "Keep or end.")
        }
        let items = try transaction.all(ReviewTables.items, [.text(review.id)], GrantReviewItem.init(row:))
        guard let item = items.first(where: { $0.grantID == answer.grantID }), item.answer.isEmpty else {
            throw Failure.invalid(
                "\(field).grant_id", "review.grant", "The review has no such grant that waits for an answer.")
        }
        let grant = try UserServiceHandler.row(item.grantID, in: transaction)
        let registry = standing.registry
        let catalogue = registry.catalogue.current(on: standing.today)
        if !standing.isNationalAdministrator, let entry = catalogue.entry(grant.role, on: standing.today) {
            // An administrator answers for grants of its own service; Main Contacts answer for themselves, whom PCSE
            // alone sets.
            let isPCSEOnly = entry.givers.allSatisfy { $0.level == .pcse }
            if !isPCSEOnly {
                try GivingRule(catalogue: catalogue, today: standing.today).requireMayGive(
                    entry, .holder(roles: standing.caller.roles, level: [.own]))
            }
        }
        if answer.answer == .end, !grant.isRevoked {
            try registry.revoke(
                grant, reason: "ended in the review of \(review.quarter)", by: standing.caller.responsible,
                in: transaction)
        }
        try transaction.run(
            ReviewTables.answerItem,
            [
                .text(review.id), .text(grant.id), .text(answer.answer == .keep ? "keep" : "end"),
                .text(standing.caller.responsible), .instant(transaction.now),
            ])
        transaction.audit(
            AuditNote(
                object: "subject/\(grant.subjectID)", organisation: grant.organisation,
                detail:
                    "review of \(review.quarter): \(grant.role) \(answer.answer == .keep ? "kept" : "ended")")
        )
    }

    private static func message(_ review: GrantReview, in reader: any Reader) throws
        -> Pcs_Host_V1_GrantReview
    {
        let items = try reader.all(ReviewTables.items, [.text(review.id)], GrantReviewItem.init(row:))
        return try .with {
            $0.reviewID = review.id
            $0.organisationCode = review.organisation
            $0.quarter = Pcs_Common_V1_Date(review.quarter)
            $0.dueOn = Pcs_Common_V1_Date(review.dueOn)
            $0.closed = review.isClosed
            $0.grants = try items.map { item in
                let grant = try UserServiceHandler.row(item.grantID, in: reader)
                return .with {
                    $0.grantID = item.grantID
                    $0.accountID = grant.subjectID
                    $0.role = WantedGrant.role(named: grant.role.name)
                    $0.answeredBy = item.answeredBy
                    switch item.answer {
                    case "keep": $0.answer = .keep
                    case "end": $0.answer = .end
                    case "lapsed": $0.answer = .lapsed
                    case "gone": $0.answer = .gone
                    default: $0.answer = .unspecified
                    }
                }
            }
        }
    }
}

extension IdentityRegistry {
    /// Closes a review, and its tasks, when nothing of it waits any more.
    func closeIfAnswered(_ review: GrantReview, by author: String, in transaction: any Transaction) throws {
        let items = try transaction.all(ReviewTables.items, [.text(review.id)], GrantReviewItem.init(row:))
        guard items.allSatisfy({ !$0.answer.isEmpty }) else { return }
        try transaction.run(ReviewTables.closeReview, [.text(review.id), .instant(transaction.now)])
        let key = ReviewJob.taskKey(of: review.id)
        for entry in catalogue.current(on: clock.today).entries(on: clock.today) where entry.isAdministrator {
            try transaction.publish(
                Pcs_Casework_V1_TaskSettled.with {
                    $0.taskKey = key + entry.role.name
                    $0.outcome = "done"
                    $0.settledBy = author
                    $0.reason = "every grant was answered"
                }, key: key + entry.role.name)
        }
    }
}
