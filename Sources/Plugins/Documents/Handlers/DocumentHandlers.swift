import CommonContract
import DocumentsContract
import HostContract
import PluginAPI

/// Documents as those see them who may.
struct DocumentHandlers: Pcs_Documents_V1_DocumentService {
    /// Bytes in one message of a download.
    private static let chunkBytes = 256 * 1_024

    let context: PluginContext

    /// Whether the caller acts for a national body: only there the roles that see more than their own count.
    private func holdsNationally(_ roles: Set<Role>, _ call: CallContext) -> Bool {
        guard let acting = ODSCode(call.caller.actingFor), !call.caller.roles.isDisjoint(with: roles) else {
            return false
        }
        return context.organisations.organisation(acting, at: call.today)?.kind == .national
    }

    private func mayRead(_ document: DocumentRecord, _ call: CallContext, _ reader: any Reader) throws -> Bool
    {
        let readers = try ReaderStore.lists(of: document.id, reader).first?.readers.compactMap(\.reader)
        return DocumentAccess(uploadedFor: document.organisation, readers: readers)
            .allows(call.caller.actingFor, roles: call.caller.roles, member: Roles.member)
    }

    /// Auditors and information governance see what is known of every document, never its bytes.
    private func maySee(_ document: DocumentRecord, _ call: CallContext, _ reader: any Reader) throws -> Bool
    {
        if holdsNationally([Roles.auditor, Roles.informationGovernance], call) { return true }
        if try holdsClaim(document, call, reader) { return true }
        return try mayRead(document, call, reader)
    }

    private func holdsClaim(_ document: DocumentRecord, _ call: CallContext, _ reader: any Reader) throws
        -> Bool
    {
        guard holdsNationally([Roles.documentScanner], call) else { return false }
        return try ScanStore.holds(call.caller.responsible, claimOn: document.id, at: call.now, reader)
    }

    func getDocument(
        _ request: Pcs_Documents_V1_GetDocumentRequest, _ call: CallContext
    ) async throws -> Pcs_Documents_V1_Document {
        try context.store.read { reader in
            guard let document = try DocumentStore.document(request.documentID, reader),
                try maySee(document, call, reader)
            else { throw Failure.noSuchDocument }
            return try Pcs_Documents_V1_Document(document, reader)
        }
    }

    func readDocument(
        _ request: Pcs_Documents_V1_ReadDocumentRequest, _ reply: ReplyStream<Pcs_Documents_V1_DocumentChunk>,
        _ call: CallContext
    ) async throws {
        let document = try context.store.read { reader in
            guard let document = try DocumentStore.document(request.documentID, reader) else {
                throw Failure.noSuchDocument
            }
            let isScanner = try holdsClaim(document, call, reader)
            guard try isScanner || mayRead(document, call, reader) else { throw Failure.noSuchDocument }
            try requireReadable(document, isScanner: isScanner, reader)
            return document
        }
        guard (0...document.size).contains(request.offset) else {
            throw Failure.field("offset", "DOC12", "The document has \(document.size) bytes.")
        }
        var offset = request.offset
        while offset < document.size {
            let bytes = try context.store.read {
                try UploadStore.bytes(of: document.uploadID, from: offset, $0)
            }
            guard !bytes.isEmpty else { throw Failure(DocumentsReasons.documentGone) }
            let part = bytes.prefix(Self.chunkBytes)
            try await reply.send(
                .with {
                    $0.offset = offset
                    $0.data = .init(part)
                })
            offset += Int64(part.count)
        }
    }

    private func requireReadable(_ document: DocumentRecord, isScanner: Bool, _ reader: any Reader) throws {
        switch document.state {
        case .clean: return
        case .infected: throw Failure(DocumentsReasons.documentInfected)
        case .destroyed: throw Failure(DocumentsReasons.documentGone)
        case .scanning:
            if isScanner { return }
            guard try RuleStore.rules(reader).settings.unscannedReadable else {
                throw Failure(DocumentsReasons.notScanned)
            }
        }
    }

    func listDocuments(
        _ request: Pcs_Documents_V1_ListDocumentsRequest, _ call: CallContext
    ) async throws -> Pcs_Documents_V1_ListDocumentsResponse {
        var fields = RequestFields()
        let record = fields.record(request.record, field: "record")
        try fields.finish()
        return try context.store.read { reader in
            let documents = try DocumentStore.documents(of: record, reader).filter {
                try maySee($0, call, reader)
            }
            let messages = try documents.map { try Pcs_Documents_V1_Document($0, reader) }
            return .with { $0.documents = messages }
        }
    }
}
