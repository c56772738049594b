import HostContract
package import PluginAPI
import Synchronization

/// What a system must keep to beside its scopes: the day it ends, and the networks it calls from. Asked on every call of
/// a system, in memory; notes when it was last used.
package final class ClientAdmission: Sendable {
    /// What is known of a client beyond its subject.
    struct Terms: Sendable, Hashable {
        var networks: [Network] = []
        /// First moment at which it is no longer let in.
        var endsAt: Instant?
    }

    private struct Entry {
        var terms = Terms()
        var lastUsed: Instant?
        /// Whether `lastUsed` is newer than what the table has.
        var isNew = false
    }

    /// Uses closer together than this are one, for the record.
    private static let grainMilliseconds: Int64 = 60_000

    private let entries = Mutex<[String: Entry]>([:])

    package init() {}

    func replace(_ all: [String: (terms: Terms, lastUsed: Instant?)]) {
        entries.withLock { entries in
            entries = all.mapValues { Entry(terms: $0.terms, lastUsed: $0.lastUsed) }
        }
    }

    func set(_ terms: Terms, of client: String) {
        entries.withLock { $0[client, default: Entry()].terms = terms }
    }

    /// - Parameter address: of the peer; no IP address when the call comes over no network.
    /// - Throws: `ACCESS_DENIED` with the clause `client`.
    package func admit(_ client: String, from address: String, at now: Instant) throws {
        let obstacle = entries.withLock { entries -> String? in
            let terms = entries[client]?.terms ?? Terms()
            if let endsAt = terms.endsAt, endsAt <= now { return "the client \(client) has expired" }
            if !terms.networks.isEmpty {
                guard let source = IPAddress(address), terms.networks.contains(where: { $0.contains(source) })
                else {
                    return "the client \(client) may not call from this network"
                }
            }
            let last = entries[client]?.lastUsed
            if last.map({ $0.adding(milliseconds: ClientAdmission.grainMilliseconds) <= now }) ?? true {
                entries[client, default: Entry()].lastUsed = now
                entries[client]?.isNew = true
            }
            return nil
        }
        if let obstacle {
            throw Failure(HostReasons.accessDenied, "Refused by the clause client: \(obstacle).")
        }
    }

    /// Uses that the table does not have yet.
    func takeNewUses() -> [String: Instant] {
        entries.withLock { entries in
            var uses: [String: Instant] = [:]
            for (client, entry) in entries where entry.isNew {
                uses[client] = entry.lastUsed
                entries[client]?.isNew = false
            }
            return uses
        }
    }

    func lastUsed(_ client: String) -> Instant? { entries.withLock { $0[client]?.lastUsed } }
}
