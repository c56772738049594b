import CommonContract
import CqrsContract
import PluginAPI

/// Work and news of declarations, in the transaction that makes them true (cqrs.md 8).
enum DeclarationNotices {
    typealias Record = DeclarationStore.Record

    static func key(_ record: Record, _ act: String) -> String { "cqrs/declaration/\(record.id)/\(act)" }

    static func about(_ record: Record) -> Pcs_Common_V1_RecordReference {
        Notices.about("declaration", record.id, of: record.provider)
    }

    /// Closes what the provider had to do with it: to declare, or to answer a query.
    static func settled(
        _ record: Record, _ outcome: String, by actor: String, in transaction: any Transaction
    ) throws {
        switch record.state {
        case .awaitingProvider:
            try Notices.settle(key(record, "declare"), outcome, by: actor, in: transaction)
        case .queried: try Notices.settle(key(record, "answer"), outcome, by: actor, in: transaction)
        default: break
        }
    }

    /// The commissioner wants an answer.
    static func queried(_ record: Record, _ reason: String, in transaction: any Transaction) throws {
        try tell(record, "\(record.service) was queried", reason, in: transaction)
        try Notices.request(
            key(record, "answer"), .cqrsDeclarationManagement, at: record.provider,
            "Answer the query on \(record.service) of \(record.date)", reason,
            outcomes: ["answered", "withdrawn"],
            about: about(record), in: transaction)
    }

    /// The provider has other figures.
    static func disputed(_ record: Record, _ reason: String, in transaction: any Transaction) throws {
        try tellCommissioner(record, "\(record.provider) disputes \(record.service)", reason, in: transaction)
        try Notices.request(
            key(record, "answer"), .cqrsApprovalManagement, at: record.commissioner,
            "Resolve the dispute of \(record.provider) on \(record.service)", reason,
            outcomes: ["resolved", "withdrawn"],
            about: about(record), in: transaction)
    }

    /// 100 % reached.
    static func complete(_ record: Record, in transaction: any Transaction) throws {
        try Notices.post(
            key(record, "complete"), to: .role(.cqrsFinanceManagement, record.commissioner),
            "\(record.provider) is fully approved",
            "\(record.service) of \(record.date): \(Money(pence: record.pence)) pounds wait for finance.",
            about: about(record), in: transaction)
    }

    /// Finance-approved, sent, refused, paid: with reference and date.
    static func payment(
        _ record: Record, _ what: String, _ instruction: String, on day: CalendarDate, _ detail: String = "",
        in transaction: any Transaction
    ) throws {
        let reference = instruction.isEmpty ? "Nothing is to be paid." : "Reference \(instruction), \(day)."
        let words = ["\(Money(pence: record.pence)) pounds.", reference, detail].filter { !$0.isEmpty }
        try Notices.post(
            key(record, what + (instruction.isEmpty ? "" : "/" + instruction)),
            to: .role(.cqrsDeclarationManagement, record.provider),
            "\(record.service) of \(record.date) is \(what)",
            words.joined(separator: " "), about: about(record), in: transaction)
    }

    /// What the provider should know.
    /// - Parameter act: what is told, where more than one thing is told of the same version.
    static func tell(
        _ record: Record, _ title: String, _ body: String, act: String = "told",
        in transaction: any Transaction
    ) throws {
        try Notices.post(
            key(record, "\(act)/\(record.version)"), to: .role(.cqrsDeclarationManagement, record.provider),
            title, body, about: about(record), in: transaction)
    }

    static func tellCommissioner(
        _ record: Record, _ title: String, _ body: String, act: String = "told",
        in transaction: any Transaction
    ) throws {
        try Notices.post(
            key(record, "commissioner/\(act)/\(record.version)"),
            to: .role(.cqrsApprovalManagement, record.commissioner), title, body, about: about(record),
            in: transaction)
    }
}

/// What is said about the declarations of one service and date, gathered once for all of them.
struct PeriodNotes {
    private let key: DeclarationDesk.Key
    private let today: CalendarDate
    private let declareBy: CalendarDate?
    private let payment: PayDays.Prediction
    private let reminders: ReminderDays
    /// The same service a year before, under its own code.
    private let earlierService: String

    init(_ key: DeclarationDesk.Key, _ definition: ServiceDefinition, _ desk: DeclarationDesk) throws {
        let windows = try ReferenceStore.windows(desk.transaction)
        self.key = key
        today = desk.today
        declareBy = windows[key]?.declareBy
        payment = PayDays(windows: windows).prediction(key, on: desk.today, declaredOn: nil)
        reminders = ReminderDays(
            NationalFigures(try ReferenceStore.constants(desk.transaction)), on: desk.today)
        let yearAgo = definition.startOn.adding(days: -1)
        earlierService =
            try PriorService.of(definition, covering: yearAgo, desk.transaction)?.definition.code ?? ""
    }

    /// To declare: amount, comparison with the period before, deadline, pay day (cqrs.md 8).
    private func text(_ record: DeclarationStore.Record, _ reader: any Reader) throws -> String {
        var words = ["\(Money(pence: record.pence)) pounds."]
        if record.penceBefore != 0 {
            words.append("Before it was calculated again \(Money(pence: record.penceBefore)) pounds.")
        }
        let earlier =
            try DeclarationStore.last(of: record.provider, in: key.service, before: key.date, reader)
            ?? DeclarationStore.last(of: record.provider, in: earlierService, before: key.date, reader)
        words.append(
            earlier.map { "The period before, \($0.date): \(Money(pence: $0.pence)) pounds." }
                ?? "There is no period before to compare with.")
        words.append(declareBy.map { "Declare by \($0)." } ?? "There is no deadline in the calendar.")
        if let missed = payment.missed { words.append("The deadline was \(missed).") }
        words.append(payment.day.map { "It is paid on \($0)." } ?? "The pay day is not in the calendar yet.")
        return words.joined(separator: " ")
    }

    func ready(_ record: DeclarationStore.Record, isUrgent: Bool, in transaction: any Transaction) throws {
        let detail = try text(record, transaction)
        try Notices.request(
            DeclarationNotices.key(record, "declare"), .cqrsDeclarationManagement, at: record.provider,
            "Declare \(record.service) of \(record.date)", detail,
            outcomes: ["declared", "disputed", "withdrawn"],
            due: declareBy, isUrgent: isUrgent, about: DeclarationNotices.about(record), in: transaction)
        for leave in try LeaveStore.current(at: record.provider, on: today, transaction) {
            try LeaveNotices.tell(leave, record, detail, in: transaction)
        }
    }

    /// Reminds those who declare and their supervisor, once for each of the days before the deadline.
    func remind(_ record: DeclarationStore.Record, in transaction: any Transaction) throws -> Bool {
        guard record.state == .awaitingProvider, let declareBy,
            let days = reminders.declaration(daysLeft: Int(declareBy.daysSince1970 - today.daysSince1970))
        else { return false }
        let name = DeclarationNotices.key(record, "remind/\(days)")
        let detail = try text(record, transaction)
        guard try NoticeBook.isNews(name, declareBy.description, in: transaction) else { return false }
        try ready(record, isUrgent: true, in: transaction)
        for role in [Pcs_Access_V1_Role.cqrsDeclarationManagement, .cqrsSupervisor] {
            try Notices.post(
                "\(name)/\(declareBy)/\(role.rawValue)", to: .role(role, record.provider),
                "\(record.service) of \(record.date) is to be declared by \(declareBy)", detail,
                about: DeclarationNotices.about(record), in: transaction)
        }
        return true
    }
}
