import CommonContract
import CqrsContract
import HostContract
import PluginAPI

/// Moves participations, and with them the declarations that stand on them.
struct ParticipationDesk {
    typealias Record = ParticipationStore.Record

    let desk: DeclarationDesk
    private var transaction: any Transaction { desk.transaction }

    init(_ desk: DeclarationDesk) { self.desk = desk }

    /// Takes one step or refuses it by the table of 4.2.
    @discardableResult
    func move(
        _ record: Record, _ event: ParticipationEvent, reason: String = "",
        change: (inout Record) -> Void = { _ in }
    )
        throws -> Record
    {
        guard let next = ParticipationLifecycle.next(record.state, event) else {
            throw Failure(
                CqrsReasons.participationStateWrong,
                "The participation is \(record.state); \(event) is not possible.")
        }
        var moved = record
        moved.state = next
        moved.version += 1
        if !reason.isEmpty { moved.reason = reason }
        change(&moved)
        try ParticipationStore.save(
            moved,
            .init(
                from: record.state.rawValue, to: next.rawValue, by: desk.actor, at: transaction.now,
                reason: reason),
            in: transaction)
        transaction.audit(
            AuditNote(
                object: "participation/" + record.id, organisation: record.provider,
                detail: "\(record.service): \(record.state) -> \(next)\(reason.isEmpty ? "" : ": " + reason)")
        )
        try announce(moved)
        return moved
    }

    func announce(_ record: Record) throws {
        try transaction.publish(
            Pcs_Cqrs_V1_ParticipationChanged.with {
                $0.participationID = record.id
                $0.providerCode = record.provider
                $0.serviceCode = record.service
                $0.state = Int32(record.state.rawValue)
                $0.startOn = Pcs_Common_V1_Date(record.start)
                if let end = record.end { $0.endOn = Pcs_Common_V1_Date(end) }
            }, key: record.provider)
    }

    // MARK: By the clock

    /// Scheduled offers go out, unanswered ones lapse, accepted ones begin; members whose membership has ended by the
    /// register leave. Returns how many lapsed and how many were reminded.
    func night() throws -> (lapsed: Int64, reminders: Int64) {
        let today = desk.today
        let reminderDays = ReminderDays(NationalFigures(try ReferenceStore.constants(transaction)), on: today)
        var reminders: Int64 = 0
        for record in try ParticipationStore.all(in: .scheduled, transaction) {
            guard let offer = try ParticipationStore.offer(record.offer, transaction), offer.offerOn <= today
            else { continue }
            let offered = try move(record, .offer)
            if record.isAutomatic {
                try move(offered, .accept, reason: "accepted automatically")
            } else {
                try ParticipationNotices.offered(offered, in: transaction)
            }
        }
        var lapsed: Int64 = 0
        for record in try ParticipationStore.all(in: .offered, transaction) {
            guard let by = record.answerBy, by < today else {
                if try ParticipationNotices.remind(record, reminderDays, today: today, in: transaction) {
                    reminders += 1
                }
                continue
            }
            let gone = try move(record, .lapse, reason: "no answer by \(by)")
            try ParticipationNotices.settled(gone, "lapsed", by: desk.actor, in: transaction)
            lapsed += 1
        }
        for record in try ParticipationStore.all(in: .accepted, transaction) where record.start <= today {
            try move(record, .start)
        }
        return (lapsed, reminders)
    }

    // MARK: Members of networks (ORG-3, ORG-10)

    /// The register says that a practice left a network: what it does through the network ends on its last day there.
    func left(_ practice: String, _ pcn: String, lastDay: CalendarDate) throws {
        for record in try ParticipationStore.of(provider: practice, transaction)
        where record.pcn == pcn && (record.state == .accepted || record.state == .active)
            && (record.end.map { $0 > lastDay } ?? true)
        {
            try move(record, .end, reason: "left \(pcn) on \(lastDay) by the register") {
                // One that leaves before it began takes part on no day.
                $0.end = lastDay
            }
        }
        try membersChanged(pcn, after: lastDay, leaver: practice)
    }

    /// A practice joins a network that has services: it takes part from its first day there.
    func joined(_ practice: String, _ pcn: String, from day: CalendarDate) throws {
        var seen: Set<String> = []
        for sibling in try ParticipationStore.of(pcn: pcn, transaction)
        where (sibling.state == .accepted || sibling.state == .active) && sibling.provider != practice {
            guard sibling.end.map({ $0 >= day }) ?? true, seen.insert(sibling.service).inserted else {
                continue
            }
            let own = try ParticipationStore.of(provider: practice, transaction)
            guard !own.contains(where: { $0.service == sibling.service && $0.state.isLive }) else { continue }
            var record = sibling
            record.id = transaction.newIdentifier()
            record.provider = practice
            record.state = .accepted
            record.start = max(day, sibling.start)
            record.isAutomatic = true
            record.version = 1
            record.reason = ""
            try ParticipationStore.add(
                [record], by: desk.actor, reason: "joined \(pcn) on \(day) by the register", in: transaction)
            try announce(record)
        }
        try membersChanged(pcn, after: day.adding(days: -1), leaver: "")
    }

    /// Declarations of later dates: a leaver's are void, the network's own wait to be calculated again, and what the
    /// others were waiting for may now be complete (AGG-6).
    private func membersChanged(_ pcn: String, after day: CalendarDate, leaver: String) throws {
        if !leaver.isEmpty {
            for record in try DeclarationStore.of(provider: leaver, transaction)
            where record.pcn == pcn && record.date > day && record.kind == .achievement && record.state.isLive
                && !record.state.isLocked
            {
                try desk.retire(record, .withdraw, reason: "left \(pcn) on \(day)")
            }
        }
        for record in try DeclarationStore.of(provider: pcn, transaction)
        where record.kind == .achievement && record.date > day
            && DeclarationLifecycle.next(record.state, .awaitRecalculation) != nil
        {
            _ = try desk.move(record, .awaitRecalculation, reason: "members of \(pcn) changed")
        }
        let keys = Set(
            try ParticipationStore.of(pcn: pcn, transaction).flatMap { participation in
                try DeclarationStore.of(provider: participation.provider, transaction)
                    .filter { $0.pcn == pcn && $0.date > day && $0.state == .awaitingNetwork }
                    .map { DeclarationDesk.Key(service: $0.service, date: $0.date) }
            })
        for key in keys.sorted(by: { ($0.service, $0.date) < ($1.service, $1.date) }) {
            _ = try desk.aggregate(pcn, key, DeclarationDesk.standing(of: pcn, key, transaction))
            try NetworkNotices.refresh(
                pcn, key, try DeclarationDesk.standing(of: pcn, key, transaction), by: desk.actor,
                in: transaction)
        }
    }

    static func receive(
        _ event: Pcs_Host_V1_OrganisationChanged, _ context: PluginContext, _ transaction: any Transaction
    ) throws {
        guard event.kind == .pcnLeft || event.kind == .pcnJoined, let day = event.effectiveOn.calendarDate
        else { return }
        let desk = DeclarationDesk(
            context: context, transaction: transaction, actor: "system", actingFor: "",
            today: context.clock.today)
        let participation = ParticipationDesk(desk)
        // `effective_on` is the last day of the one that ends, the first of the one that begins.
        if event.kind == .pcnLeft {
            try participation.left(event.code, event.before, lastDay: day)
        } else {
            try participation.joined(event.code, event.after, from: day)
        }
    }
}
