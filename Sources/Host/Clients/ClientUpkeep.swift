import CaseworkContract
import CommonContract
import HostContract
import PluginAPI

/// What happens to systems by themselves: keys retire, uses are written down, ends that come near raise an alarm, and
/// who has not called for 90 days is disabled (identity-and-organisations.md 11).
package struct ClientUpkeep: Sendable {
    static let unusedDays = 90
    static let alarmDays = 30
    private static let actor = "job/client-upkeep"

    private let identity: IdentityRegistry

    package init(identity: IdentityRegistry) { self.identity = identity }

    /// Reads what every call of a system asks into memory. Call it at start and after a restore.
    package func load() throws {
        let records = try identity.store.read {
            try $0.all(ClientTables.clients, [], ClientRecord.init(row:))
        }
        identity.admission.replace(
            Dictionary(records.map { ($0.id, (terms: $0.terms, lastUsed: $0.lastUsedAt)) }) { first, _ in
                first
            })
    }

    /// Ends keys whose overlap has passed. The host runs it every few seconds.
    package func retireKeys() async throws -> String {
        let now = identity.clock.now
        let due = try identity.store.read { reader in
            try reader.all(ClientTables.retiring, [.instant(now)]) { ($0.text(0), $0.text(1), $0.text(2)) }
        }
        guard !due.isEmpty else { return "no key retired" }
        try await identity.store.write(actor: Self.actor) { transaction in
            for (client, key, reason) in due {
                try transaction.run(
                    IdentityTables.revokeKey,
                    [.text(client), .text(key), .instant(transaction.now), .text(Self.actor), .text(reason)])
                transaction.audit(
                    AuditNote(
                        object: "subject/\(client)", detail: "key \(key) retired: its overlap has passed"))
            }
        }
        for (client, key, _) in due {
            try identity.refresh(client)
            identity.endTokens(of: client, issuedBy: key)
        }
        return "\(due.count) keys retired"
    }

    /// Alarms and the unused. The host runs it daily.
    package func run() async throws -> String {
        try await keepUses()
        let today = identity.clock.today
        let records = try identity.store.read {
            try $0.all(ClientTables.clients, [], ClientRecord.init(row:))
        }
        .filter(\.isActive)
        let unused = records.filter { lastSign(of: $0).adding(days: Self.unusedDays) <= today }
        let unusedIDs = Set(unused.map(\.id))
        let near = records.filter { !unusedIDs.contains($0.id) }.flatMap { ends(of: $0, today) }
        let alarms = try await identity.store.write(actor: Self.actor) { [self] transaction in
            for record in unused { try disable(record, in: transaction) }
            return try near.count { try raise($0.alarm, of: $0.client, on: $0.day, in: transaction) }
        }
        for record in unused {
            try identity.refresh(record.id)
            identity.endTokens(of: record.id)
        }
        return "\(unused.count) unused clients disabled, \(alarms) alarms raised"
    }

    private func lastSign(of record: ClientRecord) -> CalendarDate {
        LondonTime.day(at: record.lastUsedAt ?? record.registeredAt)
    }

    private struct End: Sendable {
        let client: String
        let alarm: Pcs_Host_V1_ClientAlarm
        let day: CalendarDate
    }

    private func ends(of record: ClientRecord, _ today: CalendarDate) -> [End] {
        [
            record.expiresOn.map { End(client: record.id, alarm: .expires, day: $0) },
            record.certificateExpiresOn.map { End(client: record.id, alarm: .certificateExpires, day: $0) },
        ].compactMap { $0 }.filter { $0.day <= today.adding(days: Self.alarmDays) }
    }

    private func disable(_ record: ClientRecord, in transaction: any Transaction) throws {
        var record = record
        let day = lastSign(of: record)
        record.disabledBecause = "not used for \(Self.unusedDays) days"
        try transaction.run(IdentityTables.setActive, [.text(record.id), .integer(0)])
        try record.keep(in: transaction)
        try raise(.unused, of: record.id, on: day, in: transaction)
        transaction.audit(
            AuditNote(
                object: "subject/\(record.id)", organisation: record.organisation,
                detail: "set disabled: not used since \(day)"))
    }

    /// Once for each end.
    @discardableResult
    private func raise(
        _ alarm: Pcs_Host_V1_ClientAlarm, of client: String, on day: CalendarDate,
        in transaction: any Transaction
    ) throws -> Bool {
        let isNew =
            try transaction.run(
                ClientTables.insertAlarm,
                [.text(client), .integer(alarm.rawValue), .date(day), .instant(transaction.now)]) == 1
        guard isNew else { return false }
        try transaction.publish(
            Pcs_Host_V1_ClientAlarmRaised.with {
                $0.clientID = client
                $0.alarm = alarm
                $0.on = Pcs_Common_V1_Date(day)
            }, key: client)
        let key = "host/client/\(client)/\(alarm)/\(day)"
        let words =
            switch alarm {
            case .expires: "Its registration ends on \(day). Extend it, or let it end."
            case .certificateExpires: "Its certificate ends on \(day). Register the next one."
            default:
                "It was last used on \(day) and has been disabled. Enable it only when somebody answers for it."
            }
        try transaction.publish(
            Pcs_Casework_V1_TaskRequested.with {
                $0.taskKey = key
                $0.role = .identityAdministrator
                $0.organisationCode = OrganisationRegister.operatorCode.value
                $0.title = "A system client needs attention"
                $0.detail = "Client \(client): \(words)"
                $0.dueOn = Pcs_Common_V1_Date(day)
                $0.settleByHand = true
                $0.record = .with {
                    $0.area = "host"
                    $0.kind = "client"
                    $0.recordID = client
                }
            }, key: key)
        return true
    }

    private func keepUses() async throws {
        let uses = identity.admission.takeNewUses()
        guard !uses.isEmpty else { return }
        try await identity.store.write(actor: Self.actor) { transaction in
            for (client, moment) in uses.sorted(by: { $0.key < $1.key }) {
                let values: [StoredValue] = [.text(client), .instant(moment)]
                if try transaction.run(ClientTables.use, values) == 0 {
                    try transaction.run(ClientTables.insertUse, values)
                }
            }
        }
    }
}
