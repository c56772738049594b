import CommonContract
import DocumentsContract
import HostContract
import PluginAPI

/// How long documents are kept, and their end.
struct RetentionHandlers: Pcs_Documents_V1_RetentionService {
    let context: PluginContext

    func placeHold(
        _ request: Pcs_Documents_V1_PlaceHoldRequest, _ call: CallContext
    ) async throws -> Pcs_Documents_V1_Document {
        try checkReason(request.reason)
        return try await call.commit { transaction in
            let document = try living(request.documentID, transaction)
            try RetentionStore.place(
                on: document.id, by: call.caller.responsible, reason: request.reason, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "document/\(document.id)", organisation: document.organisation,
                    detail: "hold placed: \(request.reason)"))
            return try Pcs_Documents_V1_Document(document, transaction)
        }
    }

    func liftHold(
        _ request: Pcs_Documents_V1_LiftHoldRequest, _ call: CallContext
    ) async throws -> Pcs_Documents_V1_Document {
        try checkReason(request.reason)
        return try await call.commit { transaction in
            let document = try living(request.documentID, transaction)
            let open = try RetentionStore.holds(on: document.id, transaction).filter { !$0.isLifted }
            guard let hold = open.first else {
                throw Failure(HostReasons.stateWrong, "The document is not on hold.")
            }
            try call.requireOtherPerson(than: hold.placedBy, step: "lifting a hold")
            try RetentionStore.lift(
                hold, on: document.id, by: call.caller.responsible, reason: request.reason, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "document/\(document.id)", organisation: document.organisation,
                    detail: "hold lifted: \(request.reason)"))
            return try Pcs_Documents_V1_Document(document, transaction)
        }
    }

    func listDestroyable(
        _ request: Pcs_Documents_V1_ListDestroyableRequest, _ call: CallContext
    ) async throws -> Pcs_Documents_V1_ListDocumentsResponse {
        try context.store.read { reader in
            let documents = try DocumentStore.destroyable(on: call.today, reader).map {
                try Pcs_Documents_V1_Document($0, reader)
            }
            return .with { $0.documents = documents }
        }
    }

    func proposeDestruction(
        _ request: Pcs_Documents_V1_ProposeDestructionRequest, _ call: CallContext
    ) async throws -> Pcs_Documents_V1_Destruction {
        var fields = RequestFields()
        fields.reason(request.reason)
        let ids = request.documentIds
        if !(1...100).contains(ids.count) || Set(ids).count != ids.count {
            fields.refuse("document_ids", "DOC13", "1 to 100 documents, each once.")
        }
        try fields.finish()
        let today = call.today
        return try await call.commit { transaction in
            try requirePassed(ids, on: today, transaction)
            let destruction = RetentionStore.Destruction(
                id: transaction.newIdentifier(), state: .proposed, reason: request.reason,
                proposedBy: call.caller.responsible, decidedBy: "", documents: ids.sorted())
            try RetentionStore.propose(destruction, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "destruction/\(destruction.id)",
                    detail: "proposed, \(ids.count) documents: \(request.reason)"))
            return message(destruction)
        }
    }

    func decideDestruction(
        _ request: Pcs_Documents_V1_DecideDestructionRequest, _ call: CallContext
    ) async throws -> Pcs_Documents_V1_Destruction {
        try checkReason(request.reason)
        let today = call.today
        return try await call.commit { transaction in
            guard var destruction = try RetentionStore.destruction(request.destructionID, transaction) else {
                throw Failure(HostReasons.notFound, "There is no such proposal.")
            }
            guard destruction.state == .proposed else { throw Failure(DocumentsReasons.alreadyDecided) }
            try call.requireOtherPerson(than: destruction.proposedBy, step: "deciding a destruction")
            destruction.state = request.approve ? .done : .refused
            destruction.decidedBy = call.caller.responsible
            if request.approve {
                // A hold may have been placed since.
                try requirePassed(destruction.documents, on: today, transaction)
                for id in destruction.documents { try destroy(id, because: destruction, in: transaction) }
            }
            try RetentionStore.decide(destruction, reason: request.reason, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "destruction/\(destruction.id)",
                    detail: "\(request.approve ? "done" : "refused"): \(request.reason)"))
            return message(destruction)
        }
    }

    private func destroy(
        _ id: String, because destruction: RetentionStore.Destruction, in transaction: any Transaction
    ) throws {
        let document = try living(id, transaction)
        try UploadStore.discard(document.uploadID, in: transaction)
        try DocumentStore.change(document, to: .destroyed, in: transaction)
        transaction.audit(
            AuditNote(
                object: "document/\(id)", organisation: document.organisation,
                detail: "destroyed by \(destruction.proposedBy) and \(destruction.decidedBy)"))
        let record = try ReaderStore.lists(of: id, transaction).first?.record
        let destroyed = Pcs_Documents_V1_DocumentDestroyed.with {
            $0.documentID = id
            if let record { $0.record = Pcs_Common_V1_RecordReference(record) }
        }
        try transaction.publish(destroyed, key: id)
    }

    private func requirePassed(_ ids: [String], on day: CalendarDate, _ reader: any Reader) throws {
        var violations: [Violation] = []
        for (index, id) in ids.enumerated() {
            let document = try living(id, reader)
            let end = try ReaderStore.lists(of: id, reader).first?.retainUntil ?? document.retainByKind
            let field = "document_ids[\(index)]"
            if end > day {
                violations.append(
                    Violation(field: field, rule: "retention", message: "It is kept until \(end)."))
            }
            if try RetentionStore.isHeld(id, reader) {
                violations.append(Violation(field: field, rule: "hold", message: "It is on hold."))
            }
        }
        guard violations.isEmpty else {
            throw Failure(DocumentsReasons.retentionRuns, violations: violations)
        }
    }

    private func living(_ id: String, _ reader: any Reader) throws -> DocumentRecord {
        guard let document = try DocumentStore.document(id, reader) else { throw Failure.noSuchDocument }
        guard document.state != .destroyed else { throw Failure(DocumentsReasons.documentGone) }
        return document
    }

    private func checkReason(_ reason: String) throws {
        var fields = RequestFields()
        fields.reason(reason)
        try fields.finish()
    }

    private func message(_ destruction: RetentionStore.Destruction) -> Pcs_Documents_V1_Destruction {
        .with {
            $0.destructionID = destruction.id
            $0.state =
                Pcs_Documents_V1_DestructionState(rawValue: Int(destruction.state.rawValue)) ?? .unspecified
            $0.documentIds = destruction.documents
            $0.reason = destruction.reason
            $0.proposedBy = destruction.proposedBy
            $0.decidedBy = destruction.decidedBy
        }
    }
}
