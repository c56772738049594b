import HostContract
import PluginAPI

/// The services and jobs of users, roles and access, as the host takes them in.
enum UserParts {
    static func methods(
        identity: IdentityRegistry, invitations: InvitationBook, reference: DispatcherReference
    ) -> [BoundMethod] {
        let users = UserServiceHandler(registry: identity) { account, transaction in
            let invitation = try invitations.issueInvitation(for: account, in: transaction)
            return (invitation.code, invitation.expiresAt)
        }
        let log = AccessLogHandler(registry: identity) {
            (try? reference.current())?.table.entries.map(\.descriptor) ?? []
        }
        return Pcs_Host_V1_UserServiceMethods.bind(users)
            + Pcs_Host_V1_RoleServiceMethods.bind(RoleServiceHandler(registry: identity))
            + Pcs_Host_V1_GrantProposalServiceMethods.bind(GrantProposalHandler(registry: identity))
            + Pcs_Host_V1_AuthorisedContactServiceMethods.bind(AuthorisedContactHandler(registry: identity))
            + Pcs_Host_V1_GrantReviewServiceMethods.bind(GrantReviewHandler(registry: identity))
            + Pcs_Host_V1_GrantMigrationServiceMethods.bind(GrantMigrationHandler(registry: identity))
            + Pcs_Host_V1_BreakGlassServiceMethods.bind(BreakGlassHandler(registry: identity))
            + Pcs_Host_V1_AccessLogServiceMethods.bind(log)
    }

    static func jobs(identity: IdentityRegistry) -> [ScheduledJob] {
        let reviews = ReviewJob(registry: identity)
        let glass = GlassJob(registry: identity)
        return [
            ScheduledJob(name: "grant-reviews", schedule: .daily(hour: 5, minute: 30)) {
                try await reviews.run()
            },
            ScheduledJob(name: "break-glass", schedule: .every(seconds: 3_600)) { try await glass.run() },
        ]
    }
}
