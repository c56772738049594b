import CaseworkContract
import CommonContract
import CqrsContract
import PluginAPI

/// Work and news of local contracts and claims, in the transaction that makes them true (cqrs.md 8, 10.6).
enum LocalNotices {
    typealias Record = LocalClaimStore.Record

    // MARK: Contracts

    /// Either kind of provider has somebody who answers: single-level users, or the approver.
    private static let answering: [Pcs_Access_V1_Role] = [.cqrsLocalUser, .cqrsLocalProviderApprover]

    private static func key(
        _ contract: LocalContractStore.Contract, _ provider: String, _ role: Pcs_Access_V1_Role
    ) -> String {
        "cqrs/local-contract/\(contract.id)/\(provider)/\(role.rawValue)/answer"
    }

    static func offered(
        _ contract: LocalContractStore.Contract, _ provider: String, in transaction: any Transaction
    ) throws {
        for role in answering {
            try request(
                key(contract, provider, role), role, at: provider,
                "Answer the contract offered by \(contract.commissioner)",
                "\(contract.name), \(contract.start) to \(contract.end). Without an answer nothing can be claimed.",
                reference("local-contract", contract.id, provider), ["accepted", "rejected", "withdrawn"],
                transaction)
        }
    }

    static func answered(
        _ contract: LocalContractStore.Contract, _ part: LocalContractStore.Part,
        in transaction: any Transaction
    ) throws {
        let outcome = part.state == .active ? "accepted" : "rejected"
        let body = part.reason.isEmpty ? "\(contract.start) to \(contract.end)." : part.reason
        for role in answering {
            try settle(key(contract, part.provider, role), outcome, part.answeredBy, transaction)
        }
        try post(
            "cqrs/local-contract/\(contract.id)/\(part.provider)/answered", .cqrsLocalAdministrator,
            at: contract.commissioner, "\(part.provider) has \(outcome) \(contract.name.prefix(60))", body,
            reference("local-contract", contract.id, part.provider), transaction)
    }

    static func contractEnded(
        _ contract: LocalContractStore.Contract, _ part: LocalContractStore.Part, by actor: String,
        in transaction: any Transaction
    ) throws {
        for role in answering where part.state == .withdrawn {
            try settle(key(contract, part.provider, role), "withdrawn", actor, transaction)
        }
        for role in answering {
            try post(
                "cqrs/local-contract/\(contract.id)/\(part.provider)/\(part.state)/\(role.rawValue)", role,
                at: part.provider,
                "\(contract.name.prefix(80)) was \(part.state)",
                part.endedOn.map { "Last day \($0). " + part.reason } ?? part.reason,
                reference("local-contract", contract.id, part.provider), transaction)
        }
    }

    static func extended(
        _ window: LocalWindow, _ provider: String, _ until: CalendarDate, _ service: String,
        in transaction: any Transaction
    ) throws {
        for role in answering {
            try post(
                "cqrs/local-window/\(window.id)/\(provider)/\(until)/\(role.rawValue)", role, at: provider,
                "\(service.prefix(60)): window open until \(until)",
                "For activity \(window.activityFrom) to \(window.activityTo).",
                reference("local-window", window.id, provider), transaction)
        }
    }

    // MARK: Claims

    /// Who has to act on a claim in this state, and at which organisation. Claims of a bulk upload are worked on as one.
    private static func worker(_ record: Record) -> (role: Pcs_Access_V1_Role, at: String, title: String)? {
        switch record.state {
        case .internal: (.cqrsLocalProviderApprover, record.provider, "Check and submit a local claim")
        case .queried:
            (
                record.isMultiLevel ? .cqrsLocalPreparer : .cqrsLocalUser, record.provider,
                "Answer the query of a local claim"
            )
        case .submitted:
            (.cqrsLocalApproverTier1, record.commissioner, "Check a local claim of \(record.provider)")
        case .tier1Approved:
            (.cqrsLocalApproverTier2, record.commissioner, "Approve a local claim of \(record.provider)")
        case .awaitingFinance:
            (
                .cqrsLocalFinance, record.commissioner,
                "Approve a local claim of \(record.provider) for Finance"
            )
        default: nil
        }
    }

    private static func key(_ record: Record, _ state: LocalClaimState) -> String {
        "cqrs/local-claim/\(record.id)/\(state.rawValue)"
    }

    /// Closes the work of the state before and opens that of the present one.
    static func moved(
        _ record: Record, from state: LocalClaimState, by actor: String, in transaction: any Transaction
    ) throws {
        var before = record
        before.state = state
        let isPart = record.isPartOfUpload && state == .tier1Approved
        if state != record.state, !isPart, worker(before) != nil {
            try settle(key(record, state), "done", actor, transaction)
        }
        guard state != record.state, let next = worker(record) else { return }
        try request(
            key(record, record.state), next.role, at: next.at, next.title,
            "\(Money(pence: record.pence)) pounds.",
            reference("local-claim", record.id, record.provider), ["done"], transaction)
    }

    /// What the provider should know: the status is pushed, nobody has to run a report for it (10.6).
    static func tell(_ record: Record, _ title: String, _ body: String, in transaction: any Transaction)
        throws
    {
        try post(
            "cqrs/local-claim/\(record.id)/version/\(record.version)",
            record.isMultiLevel ? .cqrsLocalProviderApprover : .cqrsLocalUser, at: record.provider, title,
            body,
            reference("local-claim", record.id, record.provider), transaction)
    }

    static func paymentFailed(_ record: Record, _ reason: String, in transaction: any Transaction) throws {
        try post(
            "cqrs/local-claim/\(record.id)/failed/\(record.version)", .cqrsLocalApproverTier2,
            at: record.commissioner,
            "The payment of a local claim of \(record.provider) failed", reason,
            reference("local-claim", record.id, record.provider), transaction)
    }

    // MARK: Bulk uploads and PCSE

    static func bulkUploaded(_ bulk: LocalBulkStore.Record, in transaction: any Transaction) throws {
        try request(
            "cqrs/local-bulk/\(bulk.id)/review", .cqrsLocalApproverTier1, at: bulk.commissioner,
            "Review a bulk upload of \(bulk.claims) local claims",
            "\(bulk.fileName): \(Money(pence: bulk.pence)) pounds, \(bulk.rejectedRows) rows rejected. Not by who uploaded it.",
            reference("local-bulk", bulk.id, bulk.commissioner), ["accepted", "declined"], transaction)
    }

    static func bulkReviewed(_ bulk: LocalBulkStore.Record, in transaction: any Transaction) throws {
        let accepted = bulk.state == .accepted
        try settle(
            "cqrs/local-bulk/\(bulk.id)/review", accepted ? "accepted" : "declined", bulk.reviewedBy,
            transaction)
        guard accepted else { return }
        try request(
            "cqrs/local-bulk/\(bulk.id)/approve", .cqrsLocalApproverTier2, at: bulk.commissioner,
            "Approve a bulk upload of \(bulk.claims) local claims", "\(Money(pence: bulk.pence)) pounds.",
            reference("local-bulk", bulk.id, bulk.commissioner), ["done"], transaction)
    }

    static func bulkApproved(_ bulk: String, by actor: String, in transaction: any Transaction) throws {
        try settle("cqrs/local-bulk/\(bulk)/approve", "done", actor, transaction)
    }

    /// R15: after the last try somebody asks PCSE, because the silence may be a lost reply.
    static func silent(_ instruction: InstructionStore.Record, sends: Int, in transaction: any Transaction)
        throws
    {
        try request(
            "cqrs/instruction/\(instruction.id)/silent", .cqrsOperator, at: "PCS",
            "PCSE does not answer for an instruction",
            "Instruction \(instruction.id) of \(Money(pence: instruction.pence)) pounds to \(instruction.payee) was sent "
                + "\(sends) times under one key. It may have been paid: ask before anything is sent under another.",
            reference("instruction", instruction.id, instruction.payee), ["answered"], transaction)
    }

    static func answered(
        _ instruction: InstructionStore.Record, by actor: String, in transaction: any Transaction
    ) throws {
        try settle("cqrs/instruction/\(instruction.id)/silent", "answered", actor, transaction)
    }

    // MARK: Plumbing

    private static func reference(_ kind: String, _ id: String, _ organisation: String)
        -> Pcs_Common_V1_RecordReference
    {
        .with { ($0.area, $0.kind, $0.recordID, $0.organisationCode) = ("cqrs", kind, id, organisation) }
    }

    private static func request(
        _ key: String, _ role: Pcs_Access_V1_Role, at organisation: String, _ title: String, _ detail: String,
        _ record: Pcs_Common_V1_RecordReference, _ outcomes: [String], _ transaction: any Transaction
    ) throws {
        try transaction.publish(
            Pcs_Casework_V1_TaskRequested.with {
                $0.taskKey = key
                $0.role = role
                $0.organisationCode = organisation
                $0.title = String(title.prefix(120))
                $0.detail = detail
                $0.record = record
                $0.outcomes = outcomes
            }, key: key)
    }

    private static func settle(
        _ key: String, _ outcome: String, _ actor: String, _ transaction: any Transaction
    ) throws {
        try transaction.publish(
            Pcs_Casework_V1_TaskSettled.with {
                ($0.taskKey, $0.outcome, $0.settledBy) = (key, outcome, actor)
            }, key: key)
    }

    private static func post(
        _ key: String, _ role: Pcs_Access_V1_Role, at organisation: String, _ title: String, _ body: String,
        _ record: Pcs_Common_V1_RecordReference, _ transaction: any Transaction
    ) throws {
        try transaction.publish(
            Pcs_Casework_V1_MessagePosted.with {
                $0.messageKey = key
                $0.role = role
                $0.organisationCode = organisation
                $0.title = String(title.prefix(120))
                $0.body = body
                $0.record = record
            }, key: key)
    }
}
