import CommonContract
import DocumentsContract
import HostContract
import PluginAPI

/// Files on their way in.
struct UploadHandlers: Pcs_Documents_V1_UploadService {
    /// Most bytes of data in one message.
    static let chunkLimit = 512 * 1_024
    /// Bytes that are written at once. Smaller messages are gathered, so that a file has few pieces.
    static let pieceBytes = 256 * 1_024
    /// Pieces that one upload may have: each broken call leaves at most one small piece.
    static let pieceLimit: Int64 = 1_024

    let context: PluginContext

    func getUploadLimits(
        _ request: Pcs_Documents_V1_GetUploadLimitsRequest, _ call: CallContext
    ) async throws -> Pcs_Documents_V1_UploadLimits {
        let rules = try context.store.read { try RuleStore.rules($0) }
        return .with {
            $0.kinds = rules.kinds.map { kind in
                .with {
                    $0.kind = kind.kind
                    $0.title = kind.title
                    $0.maximumBytes = kind.maximumBytes
                    $0.maximumPerRecord = Int32(kind.maximumPerRecord)
                    $0.fileTypes = kind.types.map { Pcs_Documents_V1_FileType($0) }
                    $0.retentionYears = Int32(kind.retentionYears)
                    $0.patientIdentifiersChecked = kind.checksIdentifiers
                    $0.source = kind.source
                }
            }
            $0.maximumChunkBytes = Int64(Self.chunkLimit)
            $0.uploadLifetimeHours = Int32(rules.settings.uploadLifetimeHours)
            $0.unscannedReadable = rules.settings.unscannedReadable
        }
    }

    func startUpload(
        _ request: Pcs_Documents_V1_StartUploadRequest, _ call: CallContext
    ) async throws -> Pcs_Documents_V1_Upload {
        let rules = try context.store.read { try RuleStore.rules($0) }
        let (kind, type, record) = try check(request, rules)
        return try await call.commit { transaction in
            let organisation = call.caller.actingFor
            if !record.isEmpty {
                let count = try UploadStore.count(for: record, of: organisation, transaction)
                guard count < kind.maximumPerRecord else {
                    throw Failure(
                        DocumentsReasons.tooManyDocuments,
                        "The record has \(count) documents; the most is \(kind.maximumPerRecord).")
                }
            }
            let open = try UploadStore.openUploads(of: organisation, transaction)
            guard open < rules.settings.openUploadsPerOrganisation else {
                throw Failure(
                    DocumentsReasons.tooManyDocuments,
                    "Your organisation has \(open) uploads open; complete some first.")
            }
            let hours = rules.settings.uploadLifetimeHours
            let upload = UploadRecord(
                id: transaction.newIdentifier(), state: .open, kind: kind.kind, fileName: request.fileName,
                type: type,
                size: request.sizeBytes, confirmed: 0, organisation: organisation, record: record,
                startedBy: call.caller.responsible, startedAt: transaction.now,
                expiresAt: transaction.now.adding(milliseconds: hours * 3_600_000))
            try UploadStore.add(upload, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "upload/\(upload.id)", organisation: organisation,
                    detail: "started: \(kind.kind), \(type.name), \(upload.size) bytes"))
            return Pcs_Documents_V1_Upload(upload)
        }
    }

    private func check(
        _ request: Pcs_Documents_V1_StartUploadRequest, _ rules: DocumentRules
    ) throws -> (KindRule, FileType, RecordKey) {
        var fields = RequestFields()
        let kind = rules.kind(request.kind)
        if kind == nil { fields.refuse("kind", "DOC01", "There is no kind of document of that name.") }
        let type = FileType(rawValue: Int64(request.fileType.rawValue))
        if type == nil { fields.refuse("file_type", "DOC05", "The file type is needed.") }
        let name = request.fileName
        let isPlain = name.unicodeScalars.allSatisfy {
            $0.value >= 0x20 && $0 != "/" && $0 != "\\" && !$0.properties.isBidiControl && $0.value != 0x7F
        }
        if !(1...200).contains(name.count) || !isPlain {
            fields.refuse(
                "file_name", "DOC09",
                "A file name has 1 to 200 characters, no slashes and no control characters.")
        } else if let type, !type.isEnding(of: name) {
            let endings = type.endings.map { "." + $0 }.joined(separator: " or ")
            fields.refuse("file_name", "DOC10", "The name of a \(type.name) file ends in \(endings).")
        }
        if request.sizeBytes < 1 { fields.refuse("size_bytes", "DOC03", "The size is needed.") }
        let record =
            request.hasIntendedRecord
            ? fields.record(request.intendedRecord, field: "intended_record") : RecordKey()
        try fields.finish()
        guard let kind, let type else { throw Failure(HostReasons.fieldInvalid) }
        guard kind.types.contains(type) else {
            throw Failure(
                DocumentsReasons.fileTypeNotAllowed, "\(kind.title) is not taken as \(type.name).",
                violations: [
                    Violation(
                        field: "file_type", rule: "DOC05",
                        message: "One of \(kind.types.map(\.name).joined(separator: ", ")).")
                ])
        }
        guard request.sizeBytes <= kind.maximumBytes else {
            throw Failure(
                DocumentsReasons.uploadTooLarge,
                "The file has \(request.sizeBytes) bytes; the most for \(kind.title) is \(kind.maximumBytes)."
            )
        }
        return (kind, type, record)
    }

    /// An upload of the caller's organisation. One of another is not found.
    static func own(_ id: String, _ call: CallContext, _ reader: any Reader) throws -> UploadRecord {
        guard let upload = try UploadStore.upload(id, reader), upload.organisation == call.caller.actingFor
        else {
            throw Failure.noSuchUpload
        }
        return upload
    }

    static func requireOpen(_ upload: UploadRecord, at now: Instant) throws {
        guard upload.state == .open, upload.expiresAt > now else {
            let state = upload.state == .open ? UploadState.expired : upload.state
            throw Failure(DocumentsReasons.uploadEnded, "The upload \(state.words).")
        }
    }

    func appendChunks(
        _ requests: RequestStream<Pcs_Documents_V1_AppendChunksRequest>, _ call: CallContext
    ) async throws -> Pcs_Documents_V1_Upload {
        let id = requests.first.uploadID
        var offset = requests.first.offset
        let upload = try context.store.read { try Self.own(id, call, $0) }
        try Self.requireOpen(upload, at: call.now)
        guard offset == upload.confirmed else { throw Self.wrongOffset(upload) }
        var waiting: [UInt8] = []
        for try await request in requests {
            guard request.uploadID.isEmpty || request.uploadID == id else {
                throw Failure.field("upload_id", "DOC11", "One call sends the bytes of one upload.")
            }
            guard request.data.count <= Self.chunkLimit else {
                throw Failure(
                    DocumentsReasons.uploadTooLarge,
                    "A message holds at most \(Self.chunkLimit) bytes of data.")
            }
            waiting += Array(request.data)
            guard offset + Int64(waiting.count) <= upload.size else {
                throw Failure(
                    DocumentsReasons.uploadTooLarge,
                    "More bytes came than the \(upload.size) that were announced.")
            }
            if waiting.count >= Self.pieceBytes {
                try await keep(waiting, at: offset, of: id, call)
                offset += Int64(waiting.count)
                waiting.removeAll(keepingCapacity: true)
            }
        }
        let (last, position) = (waiting, offset)
        return try await call.commit { transaction in
            if !last.isEmpty { try Self.append(last, at: position, of: id, call, in: transaction) }
            let upload = try Self.own(id, call, transaction)
            transaction.audit(
                AuditNote(
                    object: "upload/\(id)", organisation: upload.organisation,
                    detail: "\(upload.confirmed) of \(upload.size) bytes"))
            return Pcs_Documents_V1_Upload(upload)
        }
    }

    /// Durable before more is taken: what a broken call leaves here counts. The end of the call writes its audit row.
    private func keep(_ bytes: [UInt8], at offset: Int64, of id: String, _ call: CallContext) async throws {
        try await context.store.write(actor: call.caller.responsible) { transaction in
            try Self.append(bytes, at: offset, of: id, call, in: transaction)
        }
    }

    private static func append(
        _ bytes: [UInt8], at offset: Int64, of id: String, _ call: CallContext,
        in transaction: any Transaction
    ) throws {
        let upload = try own(id, call, transaction)
        try requireOpen(upload, at: transaction.now)
        guard upload.confirmed == offset else { throw wrongOffset(upload) }
        guard try UploadStore.pieces(of: id, transaction) < pieceLimit else {
            throw Failure(
                DocumentsReasons.uploadEnded, "The upload came in too many small pieces; start another.")
        }
        try UploadStore.append(bytes, at: offset, to: id, in: transaction)
    }

    private static func wrongOffset(_ upload: UploadRecord) -> Failure {
        Failure(
            DocumentsReasons.uploadOffsetWrong, "\(upload.confirmed) bytes are confirmed; continue there.",
            violations: [
                Violation(field: "offset", rule: "confirmed_offset", message: "\(upload.confirmed)")
            ])
    }

    func getUpload(
        _ request: Pcs_Documents_V1_GetUploadRequest, _ call: CallContext
    ) async throws -> Pcs_Documents_V1_Upload {
        try context.store.read { Pcs_Documents_V1_Upload(try Self.own(request.uploadID, call, $0)) }
    }

    func abandonUpload(
        _ request: Pcs_Documents_V1_AbandonUploadRequest, _ call: CallContext
    ) async throws -> Pcs_Documents_V1_Upload {
        try await call.commit { transaction in
            var upload = try Self.own(request.uploadID, call, transaction)
            try Self.requireOpen(upload, at: transaction.now)
            try UploadStore.end(upload, as: .abandoned, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "upload/\(upload.id)", organisation: upload.organisation, detail: "abandoned"))
            upload.state = .abandoned
            return Pcs_Documents_V1_Upload(upload)
        }
    }
}
