import CommonContract
import CqrsContract
import Digests
import DocumentsContract
import HostContract
import PatientPrivacy
import PluginAPI
import Tabular

// Documents and backing data (LOC-5, LOC-6, LOC-10).
extension LocalClaimHandlers {
    func attachLocalEvidence(_ request: Pcs_Cqrs_V1_AttachLocalEvidenceRequest, _ call: CallContext)
        async throws
        -> Pcs_Cqrs_V1_LocalClaim
    {
        try await call.commit { transaction in
            let record = try open(request.claimID, request.providerCode, transaction)
            guard try LocalEvidenceStore.isClean(request.documentID, of: record.provider, transaction) else {
                throw Failure(CqrsReasons.localEvidenceUnknown)
            }
            let present = try LocalEvidenceStore.of(claim: record.number, transaction)
            if !present.contains(where: { $0.document == request.documentID }) {
                try LocalEvidenceStore.add(
                    LocalEvidenceStore.Record(
                        document: request.documentID, by: call.caller.responsible, at: transaction.now),
                    to: record.number, in: transaction)
                let years = try refusingCQRS {
                    try LocalGate.figures(transaction).figure("local_evidence_years_kept", "", on: call.today)
                }
                let until = YearMonth(containing: call.today).adding(
                    months: 12 * Int(years.value.scaled(to: 0) ?? 7) + 1)
                try transaction.publish(
                    LocalDocuments.link(request.documentID, record, until: until.firstDay),
                    key: request.documentID)
            }
            transaction.audit(
                AuditNote(
                    object: "local-claim/" + record.id, organisation: record.provider,
                    detail: "document \(request.documentID) attached"))
            return try message(record, call, transaction)
        }
    }

    private func open(_ id: String, _ provider: String, _ reader: any Reader) throws -> Record {
        let record = try own(id, of: provider, reader)
        guard record.state == .draft || record.state == .queried else {
            throw Failure(CqrsReasons.localClaimStateWrong, "The claim is \(record.state.name).")
        }
        return record
    }

    func attachBackingData(_ request: Pcs_Cqrs_V1_AttachBackingDataRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_LocalClaim
    {
        try Upload.checkName(request.fileName)
        var fields = RequestFields()
        fields.reason(request.noIdentifiersReason, field: "no_identifiers_reason", mayBeEmpty: true)
        if request.data.count > 1 << 20 { fields.refuse("data", "LOC-5", "Backing data has at most 1 MiB.") }
        try fields.finish()
        let bytes = Array(request.data)
        return try await call.commit { transaction in
            let record = try open(request.claimID, request.providerCode, transaction)
            guard let scheme = try LocalSchemeStore.present(record.service, transaction)?.scheme,
                !scheme.backing.isEmpty
            else { throw Failure.field("data", "LOC-10", "The service asks for no backing data.") }
            var (file, violations) = LocalBackingFile.read(bytes, scheme.backing)
            if request.noIdentifiersReason.isEmpty, PatientIdentifiers.count(in: bytes) > 0 {
                violations.add(
                    "LOC-6", row: 0, field: "data",
                    "it seems to hold NHS numbers or birth dates beside names: take them out, or say why they are none"
                )
            }
            guard violations.isEmpty else { throw Failure.cqrsFile(violations) }
            let evidence = LocalEvidenceStore.Record(
                fileName: request.fileName, sha256: Digest.hex(Digest.sha256(bytes)), rows: Int64(file.rows),
                body: bytes,
                noIdentifiers: request.noIdentifiersReason, by: call.caller.responsible, at: transaction.now)
            try LocalEvidenceStore.add(evidence, to: record.number, in: transaction)
            let confirmed =
                request.noIdentifiersReason.isEmpty ? "" : "; LOC-6 confirmed: " + request.noIdentifiersReason
            transaction.audit(
                AuditNote(
                    object: "local-claim/" + record.id, organisation: record.provider,
                    detail: "backing data of \(file.rows) rows, sha256 \(evidence.sha256)" + confirmed))
            return try message(record, call, transaction)
        }
    }

    func readBackingData(_ request: Pcs_Cqrs_V1_ReadBackingDataRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_BackingData
    {
        try context.store.read { reader in
            let record = try find(
                request.claimID, provider: request.providerCode, commissioner: request.commissionerCode, call,
                reader)
            guard let body = try LocalEvidenceStore.backing(of: record.number, reader),
                let evidence = try LocalEvidenceStore.of(claim: record.number, reader).last(
                    where: \.isBacking)
            else { throw Failure(CqrsReasons.localEvidenceUnknown, "The claim has no backing data.") }
            return .with {
                $0.fileName = evidence.fileName
                $0.sha256 = evidence.sha256
                $0.data = .init(body)
            }
        }
    }
}

/// What CQRS says to the keeper of documents, and hears from it.
enum LocalDocuments {
    static let publisher = "documents"

    static func receive(_ event: Pcs_Documents_V1_DocumentScanned, _ transaction: any Transaction) throws {
        try LocalEvidenceStore.recordScan(
            event.documentID, organisation: event.uploadedForOrganisationCode, clean: event.clean,
            in: transaction)
    }

    /// LOC-10: Tier 1, Tier 2, Finance and the claimant only.
    static func link(_ document: String, _ record: LocalClaimStore.Record, until day: CalendarDate)
        -> Pcs_Documents_V1_DocumentLinked
    {
        func reader(_ role: Pcs_Access_V1_Role, _ organisation: String) -> Pcs_Documents_V1_Reader {
            .with { ($0.role, $0.organisationCode) = (role, organisation) }
        }
        return .with {
            $0.documentID = document
            $0.record = .with {
                ($0.area, $0.kind, $0.recordID) = ("cqrs", "local-claim", record.id)
                $0.organisationCode = record.provider
            }
            $0.readers = [
                reader(.cqrsLocalApproverTier1, record.commissioner),
                reader(.cqrsLocalApproverTier2, record.commissioner),
                reader(.cqrsLocalFinance, record.commissioner), reader(.cqrsLocalUser, record.provider),
                reader(.cqrsLocalPreparer, record.provider),
                reader(.cqrsLocalProviderApprover, record.provider),
            ]
            $0.retainUntil = Pcs_Common_V1_Date(day)
        }
    }
}
