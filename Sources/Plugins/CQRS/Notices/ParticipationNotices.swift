import CommonContract
import PluginAPI

/// Work of offers: to answer, and before it is too late; to confirm what begins in the past.
enum ParticipationNotices {
    typealias Record = ParticipationStore.Record

    private static func key(_ record: Record, _ act: String) -> String {
        "cqrs/participation/\(record.id)/\(act)"
    }

    private static func about(_ record: Record) -> Pcs_Common_V1_RecordReference {
        Notices.about("participation", record.id, of: record.provider)
    }

    /// Service, deadline, consequence.
    private static func text(_ record: Record) -> String {
        let deadline =
            record.answerBy.map { "Answer by \($0); after that the offer lapses." } ?? "There is no deadline."
        return "\(record.service) from \(record.start). \(deadline) "
            + "Without acceptance nothing is extracted, calculated or paid (PAR-1)."
    }

    static func offered(_ record: Record, isUrgent: Bool = false, in transaction: any Transaction) throws {
        try Notices.request(
            key(record, "answer"), .cqrsServiceManagement, at: record.provider,
            "Answer the offer of \(record.service)",
            text(record), outcomes: ["accepted", "declined", "withdrawn", "lapsed"], due: record.answerBy,
            isUrgent: isUrgent, about: about(record), in: transaction)
    }

    /// Once for each of the days before the deadline.
    static func remind(
        _ record: Record, _ reminders: ReminderDays, today: CalendarDate, in transaction: any Transaction
    ) throws -> Bool {
        guard let by = record.answerBy,
            let days = reminders.offer(daysLeft: Int(by.daysSince1970 - today.daysSince1970))
        else { return false }
        let name = key(record, "remind/\(days)")
        guard try NoticeBook.isNews(name, by.description, in: transaction) else { return false }
        try offered(record, isUrgent: true, in: transaction)
        try Notices.post(
            name, to: .role(.cqrsServiceManagement, record.provider),
            "The offer of \(record.service) lapses after \(by)",
            text(record), about: about(record), in: transaction)
        return true
    }

    static func settled(
        _ record: Record, _ outcome: String, by actor: String, in transaction: any Transaction
    ) throws {
        try Notices.settle(key(record, "answer"), outcome, by: actor, in: transaction)
    }

    /// PAR-3: the commissioner has to say whether the months that have passed count.
    static func backdated(_ record: Record, in transaction: any Transaction) throws {
        try Notices.request(
            key(record, "backdating"), .cqrsServiceManagement, at: record.commissioner,
            "Confirm that \(record.provider) takes part in \(record.service) from \(record.start)",
            record.reason,
            outcomes: ["confirmed", "refused", "withdrawn"], about: about(record), in: transaction)
    }

    static func backdatingDecided(
        _ record: Record, _ outcome: String, by actor: String, in transaction: any Transaction
    )
        throws
    {
        try Notices.settle(key(record, "backdating"), outcome, by: actor, in: transaction)
    }
}
