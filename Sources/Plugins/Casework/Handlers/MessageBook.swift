import CaseworkContract
import CommonContract
import PluginAPI

/// Posts messages: for the events of all areas, and casework's own.
struct MessageBook: Sendable {
    let feeds: Feeds

    func post(_ event: Pcs_Casework_V1_MessagePosted, from area: String, in transaction: any Transaction)
        throws
    {
        func require(_ isSound: Bool, _ message: String) throws {
            if !isSound {
                throw TaskBook.UnsoundRequest(
                    description: "message \(event.messageKey.prefix(100)): \(message)")
            }
        }
        let role = RoleNames.name(event.role)
        try require((1...200).contains(event.messageKey.utf8.count), "the key has 1 to 200 bytes")
        try require((5...120).contains(event.title.count), "the title has 5 to 120 characters")
        try require(event.body.count <= 4_000, "the body has at most 4,000 characters")
        try require(event.documentIds.count <= 10, "at most 10 documents")
        try require(
            (role == nil) != event.personID.isEmpty, "it is to a role at an organisation, or to a person")
        try require(role == nil || ODSCode(event.organisationCode) != nil, "it names no organisation")
        var message = MessageRecord(
            id: transaction.newIdentifier(), area: area, key: event.messageKey, title: event.title,
            body: event.body,
            record: RecordPointer(event.record), isMandatory: event.class == .mandatory,
            documents: event.documentIds, postedAt: transaction.now)
        message.role = role ?? ""
        message.organisation = role == nil ? "" : event.organisationCode
        message.person = event.personID
        try post(message, in: transaction)
    }

    /// A message with the key of an earlier one posts nothing.
    func post(_ message: MessageRecord, in transaction: any Transaction) throws {
        var audiences = [
            MessageAudience(organisation: message.organisation, role: message.role, person: message.person)
        ]
        // CQRS: a supervisor sees every message of the organisation (cqrs.md 2.1).
        let supervisor = Roles.cqrsSupervisor.name
        if message.area == "cqrs", message.person.isEmpty, message.role != supervisor {
            audiences.append(MessageAudience(organisation: message.organisation, role: supervisor))
        }
        guard try MessageStore.add(message, to: audiences, in: transaction) else { return }
        try NotificationStore.add(
            NotificationRecord(
                kind: .message, role: message.role, organisation: message.organisation,
                person: message.person,
                title: message.title, isMandatory: message.isMandatory, raisedAt: message.postedAt),
            in: transaction)
        feeds.announce()
    }
}
