import CaseworkContract
import HostContract
import PluginAPI

/// What people are told outside the portal, and how they want it.
struct NotificationHandlers: Pcs_Casework_V1_NotificationService {
    let context: PluginContext

    func getNotificationPreference(
        _ request: Pcs_Casework_V1_GetNotificationPreferenceRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_NotificationPreference {
        let person = try call.caller.requirePerson()
        return .init(try context.store.read { try NotificationStore.choice(of: person, $0) })
    }

    func setNotificationPreference(
        _ request: Pcs_Casework_V1_SetNotificationPreferenceRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_NotificationPreference {
        let person = try call.caller.requirePerson()
        var fields = RequestFields()
        let tasks = NotificationMode(rawValue: Int64(request.tasks.rawValue))
        let messages = NotificationMode(rawValue: Int64(request.messages.rawValue))
        if tasks == nil { fields.refuse("tasks", "14.3", "Say at once, daily digest, or off.") }
        if messages == nil { fields.refuse("messages", "14.3", "Say at once, daily digest, or off.") }
        if ![.unspecified, .atOnce].contains(request.mandatory) {
            fields.refuse("mandatory", "14.3", "Security, bank details and closure are always told at once.")
        }
        try fields.finish()
        guard let tasks, let messages else { throw Failure(HostReasons.fieldInvalid) }
        let choice = NotificationChoice(person: person, tasks: tasks, messages: messages)
        return try await call.commit { transaction in
            try NotificationStore.save(choice, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "notification-preference/\(person)",
                    detail: "tasks \(tasks), messages \(messages)"))
            return Pcs_Casework_V1_NotificationPreference(choice)
        }
    }

    func listNotifications(
        _ request: Pcs_Casework_V1_ListNotificationsRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_ListNotificationsResponse {
        var fields = RequestFields()
        let size = fields.pageSize(request.pageSize, most: 1_000, usual: 200)
        try fields.finish()
        let rows = try context.store.read {
            try NotificationStore.list(after: request.afterPosition, limit: size, $0)
        }
        return .with { response in
            response.notifications = rows.map { row in
                .with {
                    $0.position = row.position
                    $0.kind = row.kind == .task ? .task : .message
                    $0.role = RoleNames.role(row.role)
                    $0.organisationCode = row.organisation
                    $0.personID = row.person
                    $0.title = row.title
                    $0.mandatory = row.isMandatory
                    $0.raisedAt = .init(row.raisedAt)
                }
            }
        }
    }

    func listNotificationPreferences(
        _ request: Pcs_Casework_V1_ListNotificationPreferencesRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_ListNotificationPreferencesResponse {
        let rows = try context.store.read {
            try NotificationStore.choices(after: request.afterPersonID, limit: 1_000, $0)
        }
        return .with { $0.preferences = rows.map { Pcs_Casework_V1_NotificationPreference($0) } }
    }
}
