import Digests
import CommonContract
import DocumentsContract
import HostContract
import PatientPrivacy
import PluginAPI

// An upload becomes a document, when its content is what it says it is.
extension UploadHandlers {
    func completeUpload(
        _ request: Pcs_Documents_V1_CompleteUploadRequest, _ call: CallContext
    ) async throws -> Pcs_Documents_V1_Document {
        try check(request)
        let (upload, rules) = try context.store.read {
            (try Self.own(request.uploadID, call, $0), try RuleStore.rules($0))
        }
        if upload.state == .completed { return try await completedBefore(upload, call) }
        try Self.requireOpen(upload, at: call.now)
        guard upload.confirmed == upload.size else {
            throw Failure(
                DocumentsReasons.uploadIncomplete, "\(upload.confirmed) of \(upload.size) bytes have come.")
        }
        guard let kind = rules.kind(upload.kind) else {
            throw Failure(DocumentsReasons.uploadEnded, "Documents of this kind are no longer taken.")
        }
        // All bytes are here, so none can be added behind this reading.
        let bytes = try context.store.read { try UploadStore.allBytes(of: upload, $0) }
        guard Digest.hex(Digest.sha256(bytes)) == request.sha256 else { throw Failure(DocumentsReasons.digestWrong) }
        do {
            try ContentInspector.inspect(bytes, declared: upload.type, limits: rules.settings.unpacking)
        } catch let refusal as ContentRefusal {
            try await refuse(upload, refusal, call)
        }
        let found = kind.checksIdentifiers && upload.type.isText ? PatientIdentifiers.count(in: bytes) : 0
        if found > 0, !request.patientIdentifiersConfirmed {
            throw Failure(
                DocumentsReasons.patientIdentifiers,
                "The text holds \(found) things that look like identifiers of patients.",
                violations: [Violation(field: "data", rule: "LOC-6", message: "\(found) found")])
        }
        return try await commit(request, upload, kind, identifiers: found, call)
    }

    private func check(_ request: Pcs_Documents_V1_CompleteUploadRequest) throws {
        var fields = RequestFields()
        let isDigest =
            request.sha256.utf8.count == 64
            && request.sha256.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        if !isDigest {
            fields.refuse("sha256", "SHA-256", "A SHA-256 is written with 64 lower-case hexadecimal digits.")
        }
        if request.patientIdentifiersConfirmed {
            fields.reason(request.confirmationReason, field: "confirmation_reason")
        }
        try fields.finish()
    }

    /// The reply to the first completion may have been lost.
    private func completedBefore(
        _ upload: UploadRecord, _ call: CallContext
    ) async throws -> Pcs_Documents_V1_Document {
        try await call.commit { transaction in
            guard let document = try DocumentStore.document(upload.documentID, transaction) else {
                throw Failure.noSuchDocument
            }
            return try Pcs_Documents_V1_Document(document, transaction)
        }
    }

    /// What is dangerous or untrue is not kept a moment longer; that it came is recorded.
    private func refuse(_ upload: UploadRecord, _ refusal: ContentRefusal, _ call: CallContext) async throws
        -> Never
    {
        let failure = refusal.failure
        try await context.store.write(actor: call.caller.responsible) { transaction in
            guard let present = try UploadStore.upload(upload.id, transaction), present.state == .open else {
                return
            }
            try UploadStore.end(present, as: .refused, because: failure.message, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "upload/\(upload.id)", organisation: upload.organisation,
                    detail: "\(failure.reason.name): \(failure.message) Bytes discarded."))
        }
        throw failure
    }

    private func commit(
        _ request: Pcs_Documents_V1_CompleteUploadRequest, _ upload: UploadRecord, _ kind: KindRule,
        identifiers: Int, _ call: CallContext
    ) async throws -> Pcs_Documents_V1_Document {
        let today = call.today
        return try await call.commit { transaction in
            let present = try Self.own(upload.id, call, transaction)
            if present.state == .completed,
                let document = try DocumentStore.document(present.documentID, transaction)
            {
                return try Pcs_Documents_V1_Document(document, transaction)
            }
            try Self.requireOpen(present, at: transaction.now)
            var document = DocumentRecord(
                id: transaction.newIdentifier(), uploadID: upload.id, state: .scanning, kind: upload.kind,
                fileName: upload.fileName, type: upload.type, size: upload.size, sha256: request.sha256,
                organisation: upload.organisation, uploadedBy: call.caller.responsible,
                uploadedAt: transaction.now,
                retainByKind: Retention.end(uploadedOn: today, years: kind.retentionYears))
            var confirmed = ""
            if identifiers > 0 {
                document.identifiers = Int64(identifiers)
                document.confirmation = request.confirmationReason
                confirmed = "; \(identifiers) identifiers confirmed: \(request.confirmationReason)"
            }
            try DocumentStore.add(document, in: transaction)
            try UploadStore.complete(upload, documentID: document.id, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "document/\(document.id)", organisation: upload.organisation,
                    detail:
                        "\(kind.kind), \(upload.type.name), \(upload.size) bytes, sha256 \(request.sha256)"
                        + confirmed))
            return try Pcs_Documents_V1_Document(document, transaction)
        }
    }
}
