import CaseworkContract
import CommonContract
import HostContract
import PluginAPI

/// Messages as their readers see them.
struct MessageHandlers: Pcs_Casework_V1_MessageService {
    let context: PluginContext
    let feeds: Feeds

    /// To the roles held at the organisation acted for, and to the person.
    private static func audiences(of caller: Caller) -> [MessageAudience] {
        var audiences = caller.roleNames.sorted().map {
            MessageAudience(organisation: caller.actingFor, role: $0)
        }
        if let person = caller.personID { audiences.append(MessageAudience(person: person)) }
        return audiences
    }

    func listMessages(
        _ request: Pcs_Casework_V1_ListMessagesRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_ListMessagesResponse {
        var fields = RequestFields()
        let size = fields.pageSize(request.pageSize)
        let before = request.pageToken.isEmpty ? Int64.max : Int64(request.pageToken) ?? -1
        if before < 0 { fields.refuse("page_token", "page", "page_token comes from the answer before.") }
        try fields.finish()
        let person = call.caller.personID ?? ""
        let rows = try context.store.read { reader in
            try Self.audiences(of: call.caller).flatMap {
                try MessageStore.newest(
                    $0, reader: person, before: before, unreadOnly: request.unreadOnly, limit: size, reader)
            }
        }
        var response = Pcs_Casework_V1_ListMessagesResponse()
        var shown: Set<String> = []
        let page = rows.sorted { $0.position > $1.position }.prefix(size)
        for row in page where shown.insert(row.message.id).inserted {
            response.messages.append(Pcs_Casework_V1_PortalMessage(row.message, isRead: row.isRead))
        }
        if page.count == size, let last = page.last { response.nextPageToken = String(last.position) }
        return response
    }

    func getMessage(
        _ request: Pcs_Casework_V1_GetMessageRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_PortalMessage {
        try context.store.read { try Self.message(request.messageID, call.caller, $0) }
    }

    func markRead(
        _ request: Pcs_Casework_V1_MarkReadRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_PortalMessage {
        let person = try call.caller.requirePerson()
        return try await call.commit { transaction in
            _ = try Self.message(request.messageID, call.caller, transaction)
            try MessageStore.markRead(request.messageID, by: person, in: transaction)
            transaction.audit(AuditNote(object: "message/\(request.messageID)", detail: "read"))
            return try Self.message(request.messageID, call.caller, transaction)
        }
    }

    /// The message with its receipts; refused alike when there is none and when it is to others.
    private static func message(
        _ id: String, _ caller: Caller, _ reader: any Reader
    ) throws -> Pcs_Casework_V1_PortalMessage {
        let own = Set(audiences(of: caller))
        guard let message = try MessageStore.message(id, reader),
            try MessageStore.audience(of: id, reader).contains(where: own.contains)
        else { throw Failure(CaseworkReasons.messageNotFound) }
        let receipts = try MessageStore.receipts(of: id, reader)
        var answer = Pcs_Casework_V1_PortalMessage(
            message, isRead: receipts.contains { $0.person == caller.personID })
        answer.receipts = receipts.map { receipt in
            .with {
                $0.personID = receipt.person
                $0.readAt = .init(receipt.at)
            }
        }
        return answer
    }

    func countUnread(
        _ request: Pcs_Casework_V1_CountUnreadRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_CountUnreadResponse {
        var mandatory: [String: Bool] = [:]
        try context.store.read { reader in
            for audience in Self.audiences(of: call.caller) {
                for row in try MessageStore.unread(audience, reader: call.caller.personID ?? "", reader) {
                    mandatory[row.id] = row.isMandatory
                }
            }
        }
        return .with {
            $0.unread = Int64(mandatory.count)
            $0.unreadMandatory = Int64(mandatory.values.filter { $0 }.count)
        }
    }

    func watchMessages(
        _ request: Pcs_Casework_V1_WatchMessagesRequest, _ reply: ReplyStream<Pcs_Casework_V1_MessageArrival>,
        _ call: CallContext
    ) async throws {
        let changes = feeds.changes()
        var position = request.afterPosition
        if position == 0 { position = try context.store.read { try CounterStore.current($0) } }
        let person = call.caller.personID ?? ""
        for await _ in changes {
            while true {
                let from = position
                let news = try context.store.read { try Self.news(call.caller, person, after: from, $0) }
                for row in news {
                    position = max(position, row.position)
                    try await reply.send(
                        .with {
                            $0.position = row.position
                            $0.message = Pcs_Casework_V1_PortalMessage(row.message, isRead: row.isRead)
                        })
                }
                if news.isEmpty { break }
            }
            if call.isExpired { return }
        }
    }

    private static func news(
        _ caller: Caller, _ person: String, after: Int64, _ reader: any Reader
    ) throws -> [MessageStore.Seen] {
        var all: [MessageStore.Seen] = []
        var horizon = Int64.max
        for audience in audiences(of: caller) {
            let rows = try MessageStore.arrivals(audience, reader: person, after: after, limit: 100, reader)
            if rows.count == 100, let last = rows.last { horizon = min(horizon, last.position) }
            all += rows
        }
        return all.filter { $0.position <= horizon }.sorted { $0.position < $1.position }
    }
}
