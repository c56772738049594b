import CqrsContract
import Digests
import PluginAPI

/// Moves local claims: the one place where a step is taken, so that table, history, audit, tasks and payment agree.
struct LocalDesk {
    typealias Record = LocalClaimStore.Record

    let context: PluginContext
    let transaction: any Transaction
    let actor: String
    let actingFor: String
    let today: CalendarDate

    init(context: PluginContext, call: CallContext, _ transaction: any Transaction) {
        self.init(
            context: context, transaction: transaction, actor: call.caller.responsible,
            actingFor: call.caller.actingFor,
            today: call.today)
    }

    init(
        context: PluginContext, transaction: any Transaction, actor: String, actingFor: String,
        today: CalendarDate
    ) {
        self.context = context
        self.transaction = transaction
        self.actor = actor
        self.actingFor = actingFor
        self.today = today
    }

    /// Takes one step or refuses it by the table of 10.4.
    @discardableResult
    func move(
        _ record: Record, _ event: LocalClaimEvent, reason: String = "",
        change: (inout Record) -> Void = { _ in }
    )
        throws -> Record
    {
        guard let next = LocalClaimLifecycle.next(record.state, event) else {
            throw Failure(
                CqrsReasons.localClaimStateWrong,
                "The claim is \(record.state.name); \(event) is not possible.")
        }
        var moved = record
        moved.state = next
        moved.version += 1
        change(&moved)
        try LocalClaimStore.save(moved, step(record.state, moved, reason), in: transaction)
        try LocalNotices.moved(moved, from: record.state, by: actor, in: transaction)
        transaction.audit(
            AuditNote(
                object: "local-claim/" + record.id, organisation: record.provider,
                detail: "\(record.state.name) -> \(next.name)\(reason.isEmpty ? "" : ": " + reason), "
                    + "figures \(moved.figures.prefix(16))"))
        return moved
    }

    func step(_ from: LocalClaimState?, _ record: Record, _ reason: String) -> LocalClaimStore.Step {
        .init(
            from: from?.rawValue ?? 0, to: record.state.rawValue, by: actor, actingFor: actingFor,
            at: transaction.now,
            reason: reason, figures: record.figures)
    }

    /// GEN-6: of what is seen of a claim when it is decided.
    static func figures(_ record: Record) -> String {
        let lines = record.lines.map {
            "\($0.service)/\($0.component) \($0.activity) \($0.quantity) x \($0.price) = \($0.pence)"
        }
        return Digest.hex(Digest.sha256(Array((record.provider + "\n" + lines.joined(separator: "\n")).utf8)))
    }

    // MARK: Payment

    /// Approved: an instruction for each service of the claim waits for the run of 15:00 (10.6). Nothing is nothing to pay.
    func instruct(_ record: Record, _ schemes: [String: LocalScheme]) throws {
        guard record.route == .pcse, record.pence != 0 else { return }
        var sums: [String: (pence: Int64, day: CalendarDate)] = [:]
        for line in record.lines {
            var sum = sums[line.service] ?? (0, line.activity)
            sum.pence += line.pence
            sum.day = Swift.max(sum.day, line.activity)
            sums[line.service] = sum
        }
        // After a failed payment only what failed is instructed again.
        let standing = Set(
            try InstructionStore.of(claim: record.id, transaction).filter {
                $0.state != .refused && $0.state != .recalled
            }
            .map(\.service))
        for (index, service) in sums.keys.sorted().enumerated() where !standing.contains(service) {
            guard let sum = sums[service], sum.pence != 0, let scheme = schemes[service] else { continue }
            let (payee, kind) = try payee(of: record.provider)
            let month = YearMonth(containing: sum.day)
            let words = "LOCAL \(record.provider) \(month.year) \(month.month) \(scheme.payCode)".uppercased()
            try InstructionStore.add(
                InstructionStore.Record(
                    id: "\(record.id)-\(record.attempt)-\(index + 1)", declaration: "", payee: payee,
                    payeeKind: kind,
                    provider: record.provider, commissioner: record.commissioner, payCode: scheme.payCode,
                    subjectiveCode: scheme.subjectiveCode, pence: sum.pence, period: month, service: service,
                    narrative: String(
                        words.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == " ") }.prefix(35)),
                    releaseOn: today, claim: record.id),
                in: transaction)
        }
    }

    /// AGG-4 for networks; all others are paid themselves.
    private func payee(of provider: String) throws -> (String, String) {
        guard let code = ODSCode(provider),
            let kind = context.organisations.organisation(code, at: today)?.kind
        else {
            return (provider, "OTHER")
        }
        switch kind {
        case .practice: return (provider, "PRACTICE")
        case .pharmacy: return (provider, "PHARMACY")
        case .pcn:
            let payee =
                try NetworkStore.payee(of: provider, on: today, transaction)
                ?? context.organisations.payee(forPCN: code, at: today)?.value
            return (payee ?? provider, payee == nil ? "PCN" : "PRACTICE")
        default: return (provider, "OTHER")
        }
    }

    /// What PCSE said of an instruction, pushed to the claim (10.6). A claim of several services is paid when all are.
    func answered(_ instruction: InstructionStore.Record, reason: String) throws {
        try LocalNotices.answered(instruction, by: actor, in: transaction)
        switch instruction.state {
        case .refused:
            try payment(of: instruction, .failPayment, reason: reason.isEmpty ? "refused by PCSE" : reason)
        case .paid: try payment(of: instruction, .pay, reason: "instruction \(instruction.id)")
        default:
            transaction.audit(
                AuditNote(
                    object: "instruction/" + instruction.id, organisation: instruction.payee,
                    detail: "\(instruction.state)"))
        }
    }

    func payment(of instruction: InstructionStore.Record, _ event: LocalClaimEvent, reason: String) throws {
        guard let record = try LocalClaimStore.record(instruction.claim, transaction),
            LocalClaimLifecycle.next(record.state, event) != nil
        else { return }
        if event == .pay {
            let present = try InstructionStore.of(claim: record.id, transaction)
                .filter { $0.state != .refused && $0.state != .recalled }
            guard present.allSatisfy({ $0.state == .paid }) else { return }
        }
        try settlePayment(record, event, on: instruction.paidOn ?? today, reason: reason)
    }

    /// Paid or failed, and everybody told.
    func settlePayment(_ record: Record, _ event: LocalClaimEvent, on day: CalendarDate, reason: String)
        throws
    {
        let moved = try move(record, event, reason: reason) { if event == .pay { $0.paidOn = day } }
        let words = event == .pay ? "paid on \(day)" : "not paid: \(reason)"
        try LocalNotices.tell(
            moved, event == .pay ? "A local claim was paid" : "The payment of a local claim failed",
            "\(Money(pence: record.pence)) pounds, \(words).", in: transaction)
        if event == .failPayment { try LocalNotices.paymentFailed(moved, reason, in: transaction) }
    }
}
