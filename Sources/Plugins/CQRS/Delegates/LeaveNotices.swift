import PluginAPI

/// The delegate of somebody on leave is told, as a person, of everything that waits to be declared.
enum LeaveNotices {
    static func tell(
        _ leave: LeaveStore.Leave, _ record: DeclarationStore.Record, _ detail: String,
        in transaction: any Transaction
    ) throws {
        let name = "cqrs/leave/\(leave.id)/\(record.id)"
        guard try NoticeBook.isNews(name, leave.delegate, in: transaction) else { return }
        try Notices.post(
            name, to: .person(leave.delegate),
            "Declare \(record.service) of \(record.date), standing in until \(leave.to)", detail,
            about: DeclarationNotices.about(record), in: transaction)
    }

    /// What waits already when a leave begins.
    static func tellWaiting(_ leave: LeaveStore.Leave, _ desk: DeclarationDesk) throws {
        let waiting = try DeclarationStore.of(provider: leave.organisation, desk.transaction).filter {
            $0.state == .awaitingProvider
        }
        for record in waiting {
            try tell(
                leave, record, "\(Money(pence: record.pence)) pounds wait to be declared.",
                in: desk.transaction)
        }
    }

    /// Leave that begins today.
    static func night(_ desk: DeclarationDesk) throws {
        for leave in try LeaveStore.beginning(on: desk.today, desk.transaction) {
            try tellWaiting(leave, desk)
        }
    }
}
