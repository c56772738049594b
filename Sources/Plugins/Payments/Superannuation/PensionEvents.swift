import Accounting
import PaymentsContract
import PensionsContract
import PluginAPI

/// Contributions as pensions says them, once each (payments.md 9.7). Until pensions is in the house its events wait.
///
/// A contribution for a month after the member left is refused with PEN410 and nothing is deducted (C7), whichever of
/// the two comes first. A run whose inputs were frozen before deducts it all the same; the next one gives it back.
enum PensionEvents {
    static let publisher = "pensions"
    static let afterLeaving = "PEN410"
    private static let actor = "pensions"

    static var subscriptions: [Subscription] {
        [
            Subscription(to: Pcs_Pensions_V1_ContributionDue.self, from: publisher) { event, _, transaction in
                try due(event, transaction)
            },
            Subscription(to: Pcs_Pensions_V1_ContributionWithdrawn.self, from: publisher) {
                event, _, transaction in
                try withdraw(event, transaction)
            },
            Subscription(to: Pcs_Pensions_V1_MemberLeft.self, from: publisher) { event, _, transaction in
                try left(event, transaction)
            },
            Subscription(to: Pcs_Pensions_V1_MemberStayed.self, from: publisher) { event, _, transaction in
                try stayed(event, transaction)
            },
        ]
    }

    /// An event that cannot be read deducts nothing: it is parked for an operator with the reason.
    struct Unreadable: Error, CustomStringConvertible {
        let subject: String
        let problem: String
        var description: String { "\(subject): \(problem)" }
    }

    static func key(_ contributionID: String) -> String { "pensions/" + contributionID }
    static func returnKey(_ contributionID: String) -> String { key(contributionID) + "/returned" }

    static func due(_ event: Pcs_Pensions_V1_ContributionDue, _ transaction: any Transaction) throws {
        let contents = try contents(event)
        if let known = try ContributionStore.contribution(contents.id, transaction) {
            guard known.contents == contents else {
                throw Unreadable(
                    subject: "contribution " + contents.id, problem: "is known with other contents")
            }
            return
        }
        guard contents.pence != 0 else { return }
        var contribution = Contribution(contents: contents, state: .accepted, receivedAt: transaction.now)
        let lastDay = try ContributionStore.lastDay(
            of: contents.memberRef, at: contents.practice, transaction)
        if let lastDay, isAfter(lastDay, contents) {
            contribution.state = .refused
            contribution.code = afterLeaving
            try ContributionStore.add(contribution, in: transaction)
            try tellRefused(contribution, lastDay, in: transaction)
            return
        }
        let item = PayableItem(
            naturalKey: key(contents.id), payee: contents.practice, firstRun: contents.period,
            line: line(contents, pence: -contents.pence, origin: key(contents.id), note: contents.reason))
        contribution.itemID =
            try PayableItemStore.add(
                [item], by: actor, detail: "contribution " + contents.id, in: transaction
            )
            .first ?? ""
        try ContributionStore.add(contribution, in: transaction)
        try ContributionStore.addStep("accepted", to: contents.id, in: transaction)
        transaction.audit(
            AuditNote(
                object: "contribution/" + contents.id, organisation: contents.practice.value,
                detail: "\(Money(pence: contents.pence)) \(contents.kind.basis) for \(contents.period)"))
    }

    /// The month lies wholly after the last day; and what gives money back is never refused.
    private static func isAfter(_ lastDay: CalendarDate, _ contents: Contribution.Contents) -> Bool {
        contents.pence > 0 && contents.period.firstDay > lastDay
    }

    private static func tellRefused(
        _ contribution: Contribution, _ lastDay: CalendarDate, in transaction: any Transaction
    ) throws {
        let contents = contribution.contents
        let words = "the member's last day at \(contents.practice) was \(lastDay)"
        try ContributionStore.addStep(
            "refused \(contribution.code): \(words)", to: contents.id, in: transaction)
        try transaction.publish(
            Pcs_Payments_V1_ContributionRefused.with {
                ($0.contributionID, $0.practiceCode) = (contents.id, contents.practice.value)
                ($0.code, $0.message) = (contribution.code, words)
            }, key: contents.id)
        transaction.audit(
            AuditNote(
                object: "contribution/" + contents.id, organisation: contents.practice.value,
                detail: "\(contribution.code): \(Money(pence: contents.pence)) for \(contents.period) refused"
            ))
    }

    static func withdraw(_ event: Pcs_Pensions_V1_ContributionWithdrawn, _ transaction: any Transaction)
        throws
    {
        guard var contribution = try ContributionStore.contribution(event.contributionID, transaction),
            contribution.contents.memberRef == event.memberRef
        else { throw Unreadable(subject: "contribution " + event.contributionID, problem: "is not known") }
        guard contribution.state == .accepted else { return }
        contribution.state = .withdrawn
        try takeBack(&contribution, reason: "withdrawn: " + event.reason, in: transaction)
        try ContributionStore.save(contribution, in: transaction)
        try ContributionStore.addStep("withdrawn: " + event.reason, to: event.contributionID, in: transaction)
        transaction.audit(
            AuditNote(
                object: "contribution/" + event.contributionID,
                organisation: contribution.contents.practice.value,
                detail: "withdrawn: " + event.reason))
    }

    static func left(_ event: Pcs_Pensions_V1_MemberLeft, _ transaction: any Transaction) throws {
        guard !event.memberRef.isEmpty, let practice = ODSCode(event.practiceCode),
            let lastDay = event.hasLastDay ? event.lastDay.calendarDate : nil
        else {
            throw Unreadable(subject: "leaving of a member", problem: "names no member, practice or day")
        }
        try ContributionStore.addEnd(
            of: event.memberRef, at: practice, lastDay: lastDay, reason: event.reason, in: transaction)
        for known in try ContributionStore.contributions(of: event.memberRef, at: practice, transaction)
        where known.state == .accepted && isAfter(lastDay, known.contents) {
            // What a published run has deducted, pensions gives back by contributions of its own.
            guard try PayableItemStore.paidRun(of: known.itemID, transaction) == nil else { continue }
            var contribution = known
            contribution.state = .refused
            contribution.code = afterLeaving
            try takeBack(&contribution, reason: afterLeaving, in: transaction)
            try ContributionStore.save(contribution, in: transaction)
            try tellRefused(contribution, lastDay, in: transaction)
        }
        transaction.audit(
            AuditNote(
                object: "member-end", organisation: practice.value,
                detail: "a member's last day is \(lastDay): \(event.reason)"))
    }

    static func stayed(_ event: Pcs_Pensions_V1_MemberStayed, _ transaction: any Transaction) throws {
        guard !event.memberRef.isEmpty, let practice = ODSCode(event.practiceCode) else {
            throw Unreadable(subject: "staying of a member", problem: "names no member or practice")
        }
        try ContributionStore.addEnd(
            of: event.memberRef, at: practice, lastDay: nil, reason: event.reason, in: transaction)
        transaction.audit(
            AuditNote(
                object: "member-end", organisation: practice.value,
                detail: "a member is there still: \(event.reason)"))
    }

    /// Nothing is deducted: the item is withdrawn, or, when a run was frozen with it, countered by one of its own.
    private static func takeBack(
        _ contribution: inout Contribution, reason: String, in transaction: any Transaction
    ) throws {
        let contents = contribution.contents
        guard let run = try PayableItemStore.runFrozenWith(contribution.itemID, transaction) else {
            _ = try PayableItemStore.withdraw(contribution.itemID, reason: reason, by: actor, in: transaction)
            return
        }
        let item = PayableItem(
            naturalKey: returnKey(contents.id), payee: contents.practice, firstRun: contents.period,
            line: line(
                contents, pence: contents.pence, origin: returnKey(contents.id),
                note: "\(reason); run \(run) was frozen with it"))
        contribution.returnItemID =
            try PayableItemStore.add([item], by: actor, detail: "return of " + contents.id, in: transaction)
            .first ?? ""
        try ContributionStore.addStep("given back: run \(run) deducts it", to: contents.id, in: transaction)
    }

    private static func contents(_ event: Pcs_Pensions_V1_ContributionDue) throws -> Contribution.Contents {
        func unreadable(_ problem: String) -> Unreadable {
            Unreadable(subject: "contribution " + event.contributionID, problem: problem)
        }
        guard (1...60).contains(event.contributionID.utf8.count) else { throw unreadable("has no id") }
        guard let practice = ODSCode(event.practiceCode) else { throw unreadable("names no practice") }
        guard (1...100).contains(event.memberRef.utf8.count) else { throw unreadable("names no member") }
        guard let kind = ContributionKind(rawValue: Int64(event.kind.rawValue)) else {
            throw unreadable("is of a kind that is unknown here")
        }
        guard event.hasPeriod,
            let period = YearMonth(year: Int(event.period.year), month: Int(event.period.month))
        else {
            throw unreadable("names no month")
        }
        return Contribution.Contents(
            id: event.contributionID, practice: practice, memberRef: event.memberRef, kind: kind,
            period: period,
            pence: event.amountPence, reason: event.reason)
    }

    private static func line(
        _ contents: Contribution.Contents, pence: Int64, origin: String, note: String
    ) -> PaymentLine {
        let (month, due) = (contents.period, Money(pence: -pence))
        return PaymentLine(
            paycode: contents.kind.paycode, contractID: contents.practice.value, contractVersion: 0,
            periodFrom: month.firstDay, periodTo: month.lastDay, quantity: ExactDecimal(1),
            rate: Money(pence: pence).pounds, basis: contents.kind.basis, pence: pence, source: .item,
            month: month,
            explanation: Explanation(
                rule: "9.7 superannuation", ruleVersion: 1,
                inputs: [
                    .init(
                        "due", due.pounds, .pounds, from: .init("contribution " + contents.id, note: note),
                        asOf: month.lastDay)
                ],
                steps: [.init("amount", .whole(0), .subtract, .input(0))], rounding: "none",
                amount: Money(pence: pence)),
            origin: origin)
    }
}
