import CommonContract
import PluginAPI

/// A shift of the collection calendar moves the day on which people are paid, so they are told (R17).
enum CalendarNotices {
    static func moved(from before: CollectionWindow, to now: CollectionWindow, _ desk: DeclarationDesk) throws
    {
        guard before.payOn != now.payOn || before.declareBy != now.declareBy else { return }
        let key = DeclarationDesk.Key(service: now.service, date: now.date)
        func words(_ day: CalendarDate?) -> String { day?.description ?? "not known" }
        let title = "\(now.service) of \(now.date): the pay day is now \(words(now.payOn))"
        let body =
            "Pay day \(words(before.payOn)) -> \(words(now.payOn)); declare by \(words(before.declareBy)) -> "
            + "\(words(now.declareBy))."
        let name = "cqrs/calendar/\(key.service)/\(key.date)/\(words(now.payOn))/\(words(now.declareBy))"
        let transaction = desk.transaction
        let participants = try ParticipantList.participants(in: key.service, on: key.date, transaction)
        for provider in Set(participants.map(\.provider)).sorted() {
            try Notices.post(
                "\(name)/\(provider)", to: .role(.cqrsDeclarationManagement, provider), title, body,
                in: transaction)
        }
        for commissioner in Set(participants.map(\.commissioner)).sorted() {
            try Notices.post(
                "\(name)/\(commissioner)", to: .role(.cqrsApprovalManagement, commissioner), title, body,
                in: transaction)
        }
        // Those who have it to declare see the new deadline in their task.
        let waiting = try DeclarationStore.live(key, transaction).filter { $0.state == .awaitingProvider }
        guard !waiting.isEmpty,
            let definition = try ServiceStore.published(key.service, transaction)?.definition
        else { return }
        let notes = try PeriodNotes(key, definition, desk)
        for record in waiting { try notes.ready(record, isUrgent: false, in: transaction) }
    }
}
