import CommonContract
import PluginAPI

/// A network that cannot be paid because somebody is missing: the network and its commissioner see who (R9).
enum NetworkNotices {
    static func refresh(
        _ pcn: String, _ key: DeclarationDesk.Key, _ standing: DeclarationDesk.Standing, by actor: String,
        in transaction: any Transaction
    ) throws {
        let blocking = standing.expected.filter { practice in
            let state = standing.live[practice]?.state
            return state != .awaitingNetwork && state != .aggregated
        }
        // Nobody waits for a network of which nobody is approved.
        let isBlocked = standing.sum == nil && !blocking.isEmpty && standing.approved > 0
        let commissioner = standing.live.values.map(\.commissioner).min() ?? ""
        let detail =
            "\(standing.approved) of \(standing.expected.count) approved. Missing: "
            + blocking.map { practice in
                let (who, action) = DeclarationHandlers.blocker(standing.live[practice], practice)
                return "\(practice) (\(who): \(action))"
            }.joined(separator: "; ") + "."
        for (role, organisation) in [
            (Pcs_Access_V1_Role.cqrsPcnManagement, pcn), (.cqrsApprovalManagement, commissioner),
        ] {
            let name =
                "cqrs/network/\(pcn)/\(key.service)/\(key.date)/\(organisation == pcn ? "network" : "commissioner")"
            guard isBlocked else {
                if try NoticeBook.end(name, in: transaction) {
                    try Notices.settle(name, "complete", by: actor, in: transaction)
                }
                continue
            }
            guard !organisation.isEmpty, try NoticeBook.isNews(name, detail, in: transaction) else {
                continue
            }
            try Notices.request(
                name, role, at: organisation, "\(key.service) of \(key.date) waits for members of \(pcn)",
                detail,
                outcomes: ["complete", "withdrawn"], in: transaction)
        }
    }
}
