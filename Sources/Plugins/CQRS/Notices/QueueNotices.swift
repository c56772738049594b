import PluginAPI

/// The work of commissioners: one task for a service and date, with count and value of what waits, that closes itself
/// when nothing waits any more.
enum QueueNotices {
    /// A commissioner's declarations of a service and date.
    struct Queue: Hashable {
        var commissioner: String
        var key: IndicatorValuesFile.Key

        init(_ record: DeclarationStore.Record) {
            commissioner = record.commissioner
            key = .init(service: record.service, date: record.date)
        }
    }

    static func refresh(_ queues: Set<Queue>, by actor: String, in transaction: any Transaction) throws {
        for queue in queues.sorted(by: {
            ($0.commissioner, $0.key.service, $0.key.date) < ($1.commissioner, $1.key.service, $1.key.date)
        }) {
            try refresh(queue, .awaitingCommissioner, by: actor, in: transaction)
            try refresh(queue, .awaitingFinance, by: actor, in: transaction)
        }
    }

    private static func refresh(
        _ queue: Queue, _ state: DeclarationState, by actor: String, in transaction: any Transaction
    ) throws {
        guard !queue.commissioner.isEmpty else { return }
        let isFinance = state == .awaitingFinance
        let name =
            "cqrs/queue/\(queue.commissioner)/\(queue.key.service)/\(queue.key.date)/"
            + (isFinance ? "finance" : "approve")
        let (count, pence) = try DeclarationStore.sum(with: queue.commissioner, state, queue.key, transaction)
        guard count > 0 else {
            if try NoticeBook.end(name, in: transaction) {
                try Notices.settle(name, "decided", by: actor, in: transaction)
            }
            return
        }
        let detail = "\(count) declaration\(count == 1 ? "" : "s"), \(Money(pence: pence)) pounds"
        guard try NoticeBook.isNews(name, detail, in: transaction) else { return }
        try Notices.request(
            name, isFinance ? .cqrsFinanceManagement : .cqrsApprovalManagement, at: queue.commissioner,
            "\(isFinance ? "Approve for finance" : "Approve") \(queue.key.service) of \(queue.key.date)",
            detail,
            outcomes: ["decided", "withdrawn"], in: transaction)
    }
}
