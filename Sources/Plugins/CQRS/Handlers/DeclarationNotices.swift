import CaseworkContract
import CommonContract
import CqrsContract
import PluginAPI

/// Work and news of declarations, in the transaction that makes them true (cqrs.md 8).
enum DeclarationNotices {
    typealias Record = DeclarationStore.Record

    private static func key(_ record: Record, _ act: String) -> String { "cqrs/declaration/\(record.id)/\(act)" }

    private static func reference(_ record: Record) -> Pcs_Common_V1_RecordReference {
        .with {
            ($0.area, $0.kind, $0.recordID) = ("cqrs", "declaration", record.id)
            $0.organisationCode = record.provider
        }
    }

    /// To declare.
    static func ready(_ record: Record, in transaction: any Transaction) throws {
        let taskKey = key(record, "declare")
        try transaction.publish(
            Pcs_Casework_V1_TaskRequested.with {
                $0.taskKey = taskKey
                $0.role = .cqrsDeclarationManagement
                $0.organisationCode = record.provider
                $0.title = "Declare \(record.service) of \(record.date)"
                $0.detail = "\(Money(pence: record.pence)) pounds, before \(Money(pence: record.penceBefore)) pounds"
                $0.record = reference(record)
                $0.outcomes = ["declared", "disputed", "withdrawn"]
                $0.escalateToRole = .cqrsSupervisor
            }, key: taskKey)
    }

    static func settled(_ record: Record, _ outcome: String, by actor: String, in transaction: any Transaction) throws {
        guard record.state == .awaitingProvider else { return }
        let taskKey = key(record, "declare")
        try transaction.publish(
            Pcs_Casework_V1_TaskSettled.with { ($0.taskKey, $0.outcome, $0.settledBy) = (taskKey, outcome, actor) },
            key: taskKey)
    }

    /// 100 % reached.
    static func complete(_ record: Record, in transaction: any Transaction) throws {
        try post(
            record, "complete", .cqrsFinanceManagement, at: record.commissioner, "\(record.provider) is fully approved",
            "\(record.service) of \(record.date): \(Money(pence: record.pence)) pounds wait for finance.", transaction)
    }

    /// Queried, returned, reverted, paid: what the provider should know.
    static func tell(
        _ record: Record, _ title: String, _ body: String, in transaction: any Transaction
    ) throws {
        try post(
            record, "version/\(record.version)", .cqrsDeclarationManagement, at: record.provider, title, body, transaction)
    }

    static func tellCommissioner(
        _ record: Record, _ title: String, _ body: String, in transaction: any Transaction
    ) throws {
        try post(
            record, "commissioner/\(record.version)", .cqrsApprovalManagement, at: record.commissioner, title, body,
            transaction)
    }

    private static func post(
        _ record: Record, _ act: String, _ role: Pcs_Access_V1_Role, at organisation: String, _ title: String,
        _ body: String, _ transaction: any Transaction
    ) throws {
        guard !organisation.isEmpty else { return }
        let messageKey = key(record, act)
        try transaction.publish(
            Pcs_Casework_V1_MessagePosted.with {
                $0.messageKey = messageKey
                $0.role = role
                $0.organisationCode = organisation
                $0.title = String(title.prefix(120))
                $0.body = body
                $0.record = reference(record)
            }, key: messageKey)
    }
}
