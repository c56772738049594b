import CaseworkContract
import CommonContract
import HostContract
import Logging
import PluginAPI
import Synchronization

/// Counts wrong codes, locks organisations, and bounds what strangers can make the host do
/// (identity-and-organisations.md 6).
///
/// The count is kept in memory and written through, so that a restart opens no way round a lock. An organisation writes
/// at most as many rows an hour as it has tries; tries while it is locked write one.
final class WrongCodeLedger: Sendable {
    struct Count: Sendable {
        var windowFrom = Instant(microsecondsSince1970: 0)
        var wrong = 0
        var lockedUntil = Instant(microsecondsSince1970: 0)
        var toldWhileLocked = false
    }

    private struct State {
        var counts: [ODSCode: Count] = [:]
        /// Tries that are being looked at, so that many at once get no more looks than one after the other.
        var looking: [ODSCode: Int] = [:]
        var minute: Int64 = 0
        var wrongInMinute = 0
    }

    private let store: HostStore
    private let rules: RegistrationRules
    private let logger: Logger
    private let state = Mutex(State())

    init(store: HostStore, rules: RegistrationRules, logger: Logger) {
        self.store = store
        self.rules = rules
        self.logger = logger
    }

    /// Reads the locks. Call it at start and after a restore.
    func load() throws {
        var counts: [ODSCode: Count] = [:]
        try store.read { reader in
            try reader.forEach(RegistrationTables.locks, []) { row in
                guard let code = ODSCode(row.text(0)) else { return }
                counts[code] = Count(
                    windowFrom: row.instant(1), wrong: Int(row.integer(2)), lockedUntil: row.instant(3))
            }
        }
        state.withLock { $0.counts = counts }
    }

    func isLocked(_ organisation: ODSCode, at now: Instant) -> Bool {
        state.withLock { $0.counts[organisation].map { now < $0.lockedUntil } ?? false }
    }

    /// Begins to look at a try, which `end` ends; or says what stands in the way of looking.
    ///
    /// While strangers try everywhere at once, only organisations at which nobody tried wrongly within the hour are
    /// served: whoever has their letter before them still gets through.
    func begin(_ organisation: ODSCode, at now: Instant) -> IssuedCode.Cause? {
        let window = Int64(rules[.wrongWindowMinutes]) * 60_000
        return state.withLock { state in
            let count = state.counts[organisation]
            if let count, now < count.lockedUntil { return .locked }
            let isQuiet = count.map { $0.windowFrom.adding(milliseconds: window) <= now } ?? true
            let used = (isQuiet ? 0 : count?.wrong ?? 0) + state.looking[organisation, default: 0]
            guard used < rules[.wrongTries] else { return .crowded }
            let isCrowded =
                state.minute == WrongCodeLedger.minute(now)
                && state.wrongInMinute >= rules[.wrongTriesPerMinute]
            if isCrowded, !isQuiet { return .crowded }
            state.looking[organisation, default: 0] += 1
            return nil
        }
    }

    func end(_ organisation: ODSCode) {
        state.withLock { state in
            let left = state.looking[organisation, default: 1] - 1
            state.looking[organisation] = left > 0 ? left : nil
        }
    }

    /// Counts a wrong try.
    /// - Parameter isKnown: whether the register has the organisation; others are only counted in the minute.
    func note(
        _ organisation: ODSCode, isKnown: Bool, cause: IssuedCode.Cause, act: AuditedAct, at now: Instant
    ) async {
        guard cause != .locked, cause != .crowded else { return await noteUnread(organisation, act: act) }
        let count = state.withLock { state -> Count? in
            let minute = WrongCodeLedger.minute(now)
            if state.minute != minute { (state.minute, state.wrongInMinute) = (minute, 0) }
            state.wrongInMinute += 1
            guard isKnown else { return nil }
            var count = state.counts[organisation] ?? Count()
            let windowEnds = count.windowFrom.adding(milliseconds: Int64(rules[.wrongWindowMinutes]) * 60_000)
            if windowEnds <= now { count = Count(windowFrom: now) }
            count.wrong += 1
            if count.wrong >= rules[.wrongTries], count.lockedUntil <= now {
                count.lockedUntil = now.adding(milliseconds: Int64(rules[.lockMinutes]) * 60_000)
                // After the lock the tries begin anew.
                count.windowFrom = Instant(microsecondsSince1970: 0)
                count.toldWhileLocked = false
            }
            state.counts[organisation] = count
            return count
        }
        guard let count else { return }
        do {
            try await store.record(
                act, outcome: .refused,
                detail: "registration code for \(organisation) refused: \(cause.rawValue)")
            try await keep(count, of: organisation, at: now)
        } catch {
            logger.error("wrong registration code not recorded", metadata: ["error": "\(error)"])
        }
    }

    /// A good code clears what was mistyped before it.
    func clear(_ organisation: ODSCode) async {
        let had = state.withLock { $0.counts.removeValue(forKey: organisation) }
        guard had != nil else { return }
        try? await keep(Count(), of: organisation, at: Instant(microsecondsSince1970: 0))
    }

    private func noteUnread(_ organisation: ODSCode, act: AuditedAct) async {
        let isFirst = state.withLock { state in
            guard state.counts[organisation]?.toldWhileLocked == false else { return false }
            state.counts[organisation]?.toldWhileLocked = true
            return true
        }
        guard isFirst else { return }
        try? await store.record(
            act, outcome: .refused,
            detail: "registration code for \(organisation) not looked at: \(IssuedCode.Cause.locked.rawValue)"
        )
    }

    private func keep(_ count: Count, of organisation: ODSCode, at now: Instant) async throws {
        let isLocking = now < count.lockedUntil
        let wrong = rules[.wrongTries]
        try await store.write(actor: "registration/wrong-codes") { transaction in
            try transaction.run(
                RegistrationTables.putLock,
                [
                    .text(organisation.value), .instant(count.windowFrom),
                    .integer(isLocking ? 0 : count.wrong),
                    .instant(count.lockedUntil),
                ])
            guard isLocking else { return }
            try WrongCodeLedger.alert(organisation, wrong: wrong, until: count.lockedUntil, in: transaction)
        }
    }

    private static func alert(
        _ organisation: ODSCode, wrong: Int, until: Instant, in transaction: any Transaction
    ) throws {
        try transaction.publish(
            Pcs_Host_V1_RegistrationLocked.with {
                $0.organisationCode = organisation.value
                $0.wrongCodes = Int32(wrong)
                $0.lockedUntilSeconds = until.microsecondsSince1970 / 1_000_000
            }, key: organisation.value)
        let message = transaction.newIdentifier()
        for role: Pcs_Access_V1_Role in [.securityLead, .pcseSupport] {
            let key = "host/registration-lock/\(message)/\(role)"
            try transaction.publish(
                Pcs_Casework_V1_MessagePosted.with {
                    $0.messageKey = key
                    $0.role = role
                    $0.organisationCode = OrganisationRegister.operatorCode.value
                    $0.title = "Wrong registration codes have locked an organisation"
                    $0.body =
                        "\(wrong) wrong codes were entered for \(organisation) within an hour. Its codes are not "
                        + "looked at for an hour. Somebody may be guessing, or may need a new letter."
                    $0.class = .mandatory
                }, key: key)
        }
        transaction.audit(
            AuditNote(
                object: "registration/\(organisation)", organisation: organisation.value,
                detail: "SECURITY: locked for an hour after \(wrong) wrong codes"))
    }

    private static func minute(_ now: Instant) -> Int64 { now.microsecondsSince1970 / 60_000_000 }
}
