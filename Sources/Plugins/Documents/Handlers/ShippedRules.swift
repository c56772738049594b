import Digests
import PluginAPI

/// The tables that come with the plugin: in force at the first start; a later release's changed file is only proposed,
/// for people to approve.
enum ShippedRules {
    static let actor = "shipped"

    private static let files: [(RuleStore.Table, name: String, bytes: [UInt8])] = [
        (.kinds, "kinds.csv", PackageResources.kinds_csv),
        (.settings, "settings.csv", PackageResources.settings_csv),
    ]

    /// Safe to call at every start.
    static func load(into store: any Store) async throws {
        for (table, name, bytes) in files {
            let hash = Digest.hex(Digest.sha256(bytes))
            let known = try store.read { try RuleStore.sets($0).filter { $0.table == table } }
            if known.contains(where: { $0.sha256 == hash }) { continue }
            let rows = try RuleHandlers.count(bytes, table)
            try await store.write(actor: actor) { transaction in
                var set = RuleStore.RuleSet(
                    id: transaction.newIdentifier(), table: table, state: .proposed, fileName: name,
                    sha256: hash,
                    rows: rows, reason: "shipped with the plugin", proposedBy: actor)
                try RuleStore.propose(set, bytes, in: transaction)
                transaction.audit(AuditNote(object: "rule-set/\(set.id)", detail: "\(name), \(rows) rows"))
                guard known.isEmpty else { return }
                set.state = .approved
                set.decidedBy = actor
                try RuleStore.decide(set, reason: "shipped with the plugin", in: transaction)
            }
        }
    }
}
