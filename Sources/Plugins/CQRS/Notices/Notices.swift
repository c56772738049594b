import CaseworkContract
import CommonContract
import PluginAPI

/// Tasks and messages in the transaction that makes them true (cqrs.md 8).
enum Notices {
    /// To everybody with a role at an organisation, or to one person there.
    enum Receiver {
        case role(Pcs_Access_V1_Role, String)
        case person(String)
    }

    static func post(
        _ key: String, to receiver: Receiver, _ title: String, _ body: String,
        about record: Pcs_Common_V1_RecordReference? = nil, in transaction: any Transaction
    ) throws {
        if case .role(_, let organisation) = receiver, organisation.isEmpty { return }
        try transaction.publish(
            Pcs_Casework_V1_MessagePosted.with {
                $0.messageKey = key
                switch receiver {
                case .role(let role, let organisation): ($0.role, $0.organisationCode) = (role, organisation)
                case .person(let person): $0.personID = person
                }
                $0.title = String(title.prefix(120))
                $0.body = String(body.prefix(4_000))
                if let record { $0.record = record }
            }, key: key)
    }

    /// A task, or a change of the open one with this key.
    static func request(
        _ key: String, _ role: Pcs_Access_V1_Role, at organisation: String, _ title: String, _ detail: String,
        outcomes: [String], due: CalendarDate? = nil, isUrgent: Bool = false,
        about record: Pcs_Common_V1_RecordReference? = nil, in transaction: any Transaction
    ) throws {
        guard !organisation.isEmpty else { return }
        try transaction.publish(
            Pcs_Casework_V1_TaskRequested.with {
                $0.taskKey = key
                $0.role = role
                $0.organisationCode = organisation
                $0.title = String(title.prefix(120))
                $0.detail = String(detail.prefix(4_000))
                $0.outcomes = outcomes
                if let due { $0.dueOn = Pcs_Common_V1_Date(due) }
                $0.priority = isUrgent ? .urgent : .normal
                $0.escalateToRole = .cqrsSupervisor
                if let record { $0.record = record }
            }, key: key)
    }

    static func settle(_ key: String, _ outcome: String, by actor: String, in transaction: any Transaction)
        throws
    {
        try transaction.publish(
            Pcs_Casework_V1_TaskSettled.with {
                ($0.taskKey, $0.outcome, $0.settledBy) = (key, outcome, actor)
            }, key: key)
    }

    static func about(_ kind: String, _ id: String, of organisation: String) -> Pcs_Common_V1_RecordReference
    {
        .with {
            ($0.area, $0.kind, $0.recordID) = ("cqrs", kind, id)
            $0.organisationCode = organisation
        }
    }
}

/// Days before a deadline on which those concerned are reminded: reference data.
struct ReminderDays {
    private let offer: [Int]
    private let declaration: [Int]

    init(_ figures: NationalFigures, on day: CalendarDate) {
        func days(_ name: String) -> [Int] {
            Set(figures.rows(named: name).map(\.group)).compactMap {
                figures.optionalFigure(name, $0, on: day)?.value.scaled(to: 0).map { Int($0) }
            }.sorted()
        }
        offer = days("offer_reminder_days")
        declaration = days("declaration_reminder_days")
    }

    /// The reminder that is due so many days before the last one; `nil` = none yet, or it is over.
    func offer(daysLeft: Int) -> Int? { Self.due(offer, daysLeft) }
    func declaration(daysLeft: Int) -> Int? { Self.due(declaration, daysLeft) }

    /// Also found when a night was missed: the smallest that has been reached.
    private static func due(_ days: [Int], _ left: Int) -> Int? { left < 0 ? nil : days.first { left <= $0 } }
}
