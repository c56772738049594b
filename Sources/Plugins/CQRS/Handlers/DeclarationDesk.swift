import Digests
import CaseworkContract
import CommonContract
import CqrsContract
import PluginAPI

/// Moves declarations: the one place where a step is taken, so that table, history, audit and networks agree.
struct DeclarationDesk {
    typealias Record = DeclarationStore.Record
    typealias Key = IndicatorValuesFile.Key

    let context: PluginContext
    let transaction: any Transaction
    /// Person, client or "system"; and for whom.
    let actor: String
    let actingFor: String
    let today: CalendarDate

    // MARK: Steps

    /// Takes one step or refuses it by the table of 7.2.
    func move(
        _ record: Record, _ event: DeclarationEvent, reason: String = "", summedByNetwork: Bool = false,
        change: (inout Record) -> Void = { _ in }
    ) throws -> Record {
        guard let next = DeclarationLifecycle.next(record.state, event, summedByNetwork: summedByNetwork)
        else {
            throw Failure(
                CqrsReasons.declarationStateWrong,
                "The declaration is \(record.state.name); \(event) is not possible.")
        }
        var moved = record
        moved.state = next
        moved.version += 1
        change(&moved)
        try DeclarationStore.save(moved, step(record.state.rawValue, moved, reason), in: transaction)
        transaction.audit(
            AuditNote(
                object: "declaration/" + record.id, organisation: record.provider,
                detail:
                    "\(record.state.name) -> \(next.name)\(reason.isEmpty ? "" : ": " + reason), figures \(record.figures.prefix(16))"
            ))
        return moved
    }

    private func step(_ from: Int, _ record: Record, _ reason: String) -> DeclarationStore.Step {
        .init(
            from: from, to: record.state.rawValue, by: actor, actingFor: actingFor, at: transaction.now,
            reason: reason,
            figures: record.figures)
    }

    func add(_ record: Record, reason: String) throws {
        try DeclarationStore.add(record, step(0, record, reason), in: transaction)
    }

    // MARK: Drafts

    /// A new declaration of a complete result; declared and approved by itself where the service says so (7.3).
    func draft(
        _ record: Record, _ definition: ServiceDefinition, reason: String, notes: PeriodNotes? = nil
    ) throws -> Record {
        var draft = record
        draft.id = transaction.newIdentifier()
        draft.state = .provisional
        draft.version = 1
        try add(draft, reason: reason)
        draft = try move(draft, .complete)
        if definition.flags.contains(.autoDeclare) || definition.flags.contains(.noDeclarationRequired) {
            draft = try move(draft, .declare, reason: "declared by the system") { $0.declaredBy = "system" }
        } else {
            let notes =
                try notes ?? PeriodNotes(.init(service: draft.service, date: draft.date), definition, self)
            try notes.ready(draft, isUrgent: false, in: transaction)
        }
        guard draft.state == .awaitingCommissioner, definition.flags.contains(.noApprovalRequired) else {
            return draft
        }
        return try approve(draft, definition, reason: "approved by the system", by: "system")
    }

    /// Approval leads on to the network, to finance, or where no finance approval is asked for to payment.
    func approve(_ record: Record, _ definition: ServiceDefinition?, reason: String = "", by approver: String)
        throws
        -> Record
    {
        let sums = record.kind == .achievement && (definition?.flags.contains(.pcnAggregated) ?? false)
        let approved = try move(record, .approve, reason: reason, summedByNetwork: sums) {
            $0.approvedBy = approver
        }
        guard let definition, approved.state == .awaitingFinance,
            !definition.flags.contains(.financeApprovalRequired)
        else { return approved }
        return try release(approved, definition, payOn: nil)
    }

    // MARK: Networks (AGG-1 to AGG-7)

    /// Everybody who must be approved before the network is paid, with the declarations that stand.
    struct Standing {
        var expected: [String]
        var live: [String: Record]
        var sum: Record?

        /// AGG-2.
        var isReady: Bool { !expected.isEmpty && expected.allSatisfy { live[$0]?.state == .awaitingNetwork } }
        var approved: Int {
            expected.count { live[$0]?.state == .awaitingNetwork || live[$0]?.state == .aggregated }
        }
    }

    static func standing(of pcn: String, _ key: Key, _ reader: any Reader) throws -> Standing {
        let expected = try ParticipantList.participants(in: key.service, on: key.date, reader)
            .filter { $0.pcn == pcn }.map(\.provider)
        return standing(expected, try DeclarationStore.of(network: pcn, key, reader))
    }

    static func standing(_ expected: [String], _ records: [Record]) -> Standing {
        var live: [String: Record] = [:]
        var sum: Record?
        for record in records where record.state.isLive {
            if record.kind == .achievement { live[record.provider] = record }
            if record.kind == .aggregated { sum = record }
        }
        return Standing(expected: expected.sorted(), live: live, sum: sum)
    }

    /// Makes the network's declaration when everybody is approved; `nil` while somebody is missing.
    func aggregate(_ pcn: String, _ key: Key, _ standing: Standing) throws -> Record? {
        guard standing.isReady, standing.sum == nil else { return nil }
        let parts = standing.expected.compactMap { standing.live[$0] }
        guard let first = parts.first else { return nil }
        var sum = Record(service: key.service, date: key.date, provider: pcn)
        sum.id = transaction.newIdentifier()
        sum.kind = .aggregated
        sum.state = .awaitingFinance
        sum.serviceVersion = first.serviceVersion
        sum.pcn = pcn
        sum.commissioner = first.commissioner
        for part in parts {
            let (total, overflow) = sum.pence.addingReportingOverflow(part.pence)
            guard !overflow else { throw CQRSError.amountOutOfRange(pcn).failure }
            sum.pence = total
        }
        sum.declaredBy = "system"
        sum.figures = Digest.hex(
            Digest.sha256(Array(parts.map { $0.id + $0.figures }.joined(separator: "\n").utf8)))
        try add(sum, reason: "\(parts.count) of \(parts.count) approved")
        for part in parts {
            _ = try move(part, .networkComplete) { $0.aggregatedInto = sum.id }
        }
        try DeclarationNotices.complete(sum, in: transaction)
        return sum
    }

    /// Takes a network's sum apart, because a part of it changes or leaves: the others wait again.
    func reopen(_ sumID: String, reason: String) throws {
        guard let sum = try DeclarationStore.record(sumID, transaction), !sum.state.isLocked, sum.state.isLive
        else { return }
        _ = try move(sum, .supersede, reason: reason)
        for part in try DeclarationStore.parts(of: sumID, transaction) where part.state == .aggregated {
            _ = try move(part, .networkReopened, reason: reason) { $0.aggregatedInto = "" }
        }
    }

    /// Whether finance has approved it, by itself or in the sum of its network: then only an adjustment corrects it (7.5).
    func isSettled(_ record: Record) throws -> Bool {
        if record.state.isLocked { return true }
        guard !record.aggregatedInto.isEmpty else { return false }
        return try DeclarationStore.record(record.aggregatedInto, transaction)?.state.isLocked ?? false
    }

    /// Supersedes or voids one that is not settled. A sum that it was part of is taken apart first.
    func retire(_ record: Record, _ event: DeclarationEvent, reason: String) throws {
        guard try !isSettled(record) else { return }
        if !record.aggregatedInto.isEmpty { try reopen(record.aggregatedInto, reason: reason) }
        guard let present = try DeclarationStore.record(record.id, transaction) else { return }
        _ = try move(present, event, reason: reason)
        try DeclarationNotices.settled(present, "withdrawn", by: actor, in: transaction)
    }

    // MARK: Release

    /// Finance has approved: the amount becomes instructions with stable names, to whoever is payee today (AGG-4).
    /// - Parameter payOn: day of the run that pays it; `nil` = the next one.
    func release(_ record: Record, _ definition: ServiceDefinition?, payOn: CalendarDate?) throws
        -> Record
    {
        let payee = try payee(of: record)
        let ids =
            record.pence == 0 ? [] : (1...Swift.max(1, record.recoveryMonths)).map { "\(record.id)-\($0)" }
        let approved = try move(record, .financeApprove) {
            $0.payee = payee
            $0.instruction = ids.first ?? ""
        }
        let corrects = try DeclarationStore.record(record.adjusts, transaction)?.instruction ?? ""
        let release = Swift.max(today, payOn ?? today)
        for (index, id) in ids.enumerated() {
            let count = Int64(ids.count)
            // Equal parts that add up to the penny.
            let part =
                record.pence / count
                + (Int64(index) < abs(record.pence % count) ? (record.pence < 0 ? -1 : 1) : 0)
            guard part != 0 else { continue }
            let month = YearMonth(containing: release).adding(months: index)
            try InstructionStore.add(
                InstructionStore.Record(
                    id: id, declaration: record.id, payee: payee, payeeKind: kind(of: payee),
                    provider: record.provider,
                    commissioner: record.commissioner, payCode: definition?.payCode ?? "",
                    subjectiveCode: definition?.subjectiveCode ?? "", pence: part,
                    period: YearMonth(containing: record.date), service: record.service,
                    narrative: narrative(record), releaseOn: index == 0 ? release : month.firstDay,
                    corrects: corrects),
                in: transaction)
        }
        if record.kind == .achievement || record.kind == .aggregated {
            try announce(approved, definition, release)
        }
        return approved
    }

    private func announce(
        _ record: Record, _ definition: ServiceDefinition?, _ release: CalendarDate
    ) throws {
        let points =
            try CalculationStore.results(
                of: record.provider, .init(service: record.service, date: record.date), transaction
            ).first { $0.id == record.calculation }?.points ?? 0
        let isFramework = definition?.method == .qof && !record.calculation.isEmpty
        let quality =
            isFramework
            ? Pcs_Cqrs_V1_QualityResult(
                try ResultView.find(record.calculation, provider: record.provider, transaction)) : nil
        try transaction.publish(
            Pcs_Cqrs_V1_AchievementApproved.with {
                $0.declarationID = record.id
                $0.providerCode = record.provider
                $0.serviceCode = record.service
                $0.financialYear = definition?.financialYear ?? ""
                $0.achievementDate = Pcs_Common_V1_Date(record.date)
                $0.pointsHundredths = points
                $0.amountPence = record.pence
                $0.releaseDate = Pcs_Common_V1_Date(release)
                if let quality { $0.qualityResult = quality }
            }, key: record.provider)
    }

    /// AGG-4: nominated as payments says, else in the register, else the network itself. Others are paid themselves.
    func payee(of record: Record) throws -> String {
        guard let code = ODSCode(record.provider),
            record.kind == .aggregated || !record.adjusts.isEmpty || isNetwork(code)
        else { return record.provider }
        guard isNetwork(code) else { return record.provider }
        return try NetworkStore.payee(of: code.value, on: today, transaction)
            ?? context.organisations.payee(forPCN: code, at: today)?.value ?? code.value
    }

    private func isNetwork(_ code: ODSCode) -> Bool {
        context.organisations.organisation(code, at: today)?.kind == .pcn
    }

    private func kind(of payee: String) -> String {
        switch ODSCode(payee).flatMap({ context.organisations.organisation($0, at: today)?.kind }) {
        case .practice?: "PRACTICE"
        case .pcn?: "PCN"
        case .pharmacy?: "PHARMACY"
        default: "OTHER"
        }
    }

    /// A-Z, 0-9 and spaces, at most 35.
    private func narrative(_ record: Record) -> String {
        let month = YearMonth(containing: record.date)
        let mark = record.adjusts.isEmpty ? "" : " ADJ"
        return String(
            "\(record.service) \(record.provider) \(month.year) \(month.month)\(mark)".uppercased().prefix(35)
        )
    }
}
