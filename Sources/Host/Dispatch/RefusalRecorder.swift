package import Logging
package import PluginAPI
import Synchronization

/// Writes refusals to the host's audit chain, so that a flood of them cannot fill the disk: the first of a
/// kind is written at once, its repeats within the minute are counted and written as one row, and beyond a
/// number of kinds the rest share one row.
///
/// Writing happens beside the calls; a refusal never waits for the disk.
package final class RefusalRecorder: Sendable {
    /// Kinds of refusal told apart in one minute.
    static let kindsPerMinute = 200

    fileprivate struct Kind: Hashable {
        let subject: String
        let method: String
        let reason: String
        let actingFor: String
    }

    fileprivate struct Row {
        var act: AuditedAct
        var detail: String
        var repeats = 0
    }

    fileprivate struct State {
        var minute: Int64 = 0
        var kinds: [Kind: Row] = [:]
        var beyond = 0
        var waiting: [Row] = []
        /// Writes what waits; `nil` when nobody does.
        var writer: Task<Void, Never>?
    }

    private let store: DeferredStore
    private let clock: any HostClock
    private let logger: Logger
    private let state = Mutex(State())

    package init(store: DeferredStore, clock: any HostClock, logger: Logger) {
        self.store = store
        self.clock = clock
        self.logger = logger
    }

    /// - Parameter further: tells refusals of one reason apart whose causes only the audit learns.
    func record(_ act: AuditedAct, reason: Reason, detail: String, kind further: String = "") {
        let subject = (act.clientID ?? "") + "/" + (act.personID ?? "")
        let kind = Kind(
            subject: subject, method: act.method, reason: reason.name + further, actingFor: act.actingFor)
        let minute = clock.now.microsecondsSince1970 / 60_000_000
        state.withLock { state in
            state.turn(to: minute)
            if state.kinds[kind] != nil {
                state.kinds[kind]?.repeats += 1
            } else if state.kinds.count < Self.kindsPerMinute {
                let row = Row(act: act, detail: "\(reason.name): \(detail)")
                state.kinds[kind] = row
                state.waiting.append(row)
            } else {
                state.beyond += 1
            }
            beginWriting(&state)
        }
    }

    /// Writes what the past minutes counted; returns when it is in the chain. The host calls it every few
    /// seconds and before it stops.
    /// - Parameter all: also what the present minute has counted so far.
    package func flush(all: Bool) async {
        let minute = clock.now.microsecondsSince1970 / 60_000_000
        let writer = state.withLock { state in
            state.turn(to: all ? minute + 1 : minute)
            beginWriting(&state)
            return state.writer
        }
        await writer?.value
    }

    private func beginWriting(_ state: inout State) {
        guard !state.waiting.isEmpty, state.writer == nil else { return }
        state.writer = Task { await write() }
    }

    private func write() async {
        while true {
            let rows = state.withLock { state in
                defer { state.waiting = [] }
                if state.waiting.isEmpty { state.writer = nil }
                return state.waiting
            }
            if rows.isEmpty { return }
            for row in rows {
                do {
                    try await store.current().record(row.act, outcome: .refused, detail: row.detail)
                } catch {
                    logger.error(
                        "refusal not recorded", metadata: ["error": "\(error)", "detail": "\(row.detail)"])
                }
            }
        }
    }
}

extension RefusalRecorder.State {
    /// Closes the minute that has passed.
    fileprivate mutating func turn(to now: Int64) {
        guard now != minute else { return }
        minute = now
        for row in kinds.values.sorted(by: { $0.act.method < $1.act.method }) where row.repeats > 0 {
            var summary = row
            summary.detail = "\(row.repeats) more times within the minute: \(row.detail)"
            waiting.append(summary)
        }
        if beyond > 0, let any = kinds.values.first {
            let act = AuditedAct(
                personID: nil, clientID: nil, actingFor: "", method: "*", correlationID: any.act.correlationID
            )
            waiting.append(
                RefusalRecorder.Row(
                    act: act, detail: "\(beyond) further refusals of other kinds within the minute"))
        }
        kinds.removeAll(keepingCapacity: false)
        beyond = 0
    }
}
