import CaseworkContract
import CommonContract
import PluginAPI

/// Tells the head of service of break-glass sessions that nobody reviewed in time. Their holders open none meanwhile.
package struct GlassJob: Sendable {
    private let registry: IdentityRegistry

    package init(registry: IdentityRegistry) { self.registry = registry }

    package func run() async throws -> String {
        let today = registry.clock.today
        let late = try registry.store.read { reader in
            try reader.all(GlassTables.sessions, [], GlassSession.init(row:)).filter {
                !$0.isReviewed && !$0.isEscalated && $0.reviewDueOn < today
            }
        }
        for session in late {
            _ = try await registry.store.write(actor: "job/break-glass") { transaction in
                try transaction.run(
                    GlassTables.escalate, [.text(session.id), .instant(transaction.now)])
                try Self.escalate(session, in: transaction)
                transaction.audit(
                    AuditNote(
                        object: "glass/\(session.id)",
                        detail: "BREAK-GLASS not reviewed by \(session.reviewDueOn): escalated, "
                            + "\(session.holder) suspended from break-glass"))
            }
        }
        return "\(late.count) sessions escalated"
    }

    private static func escalate(_ session: GlassSession, in transaction: any Transaction) throws {
        let key = "host/glass/\(session.id)/escalation"
        try transaction.publish(
            Pcs_Casework_V1_TaskRequested.with {
                $0.taskKey = key
                $0.role = WantedGrant.role(named: "PCSE_SUPERVISOR")
                $0.organisationCode = OrganisationRegister.operatorCode.value
                $0.title = "A break-glass session was not reviewed"
                $0.detail =
                    "The session of \(session.holder), incident \(session.incidentNumber), was to be reviewed by "
                    + "\(session.reviewDueOn). See that somebody else reviews it."
                $0.record = .with {
                    $0.area = "host"
                    $0.kind = "glass"
                    $0.recordID = session.id
                }
                $0.priority = .urgent
            }, key: key)
    }
}
