import CaseworkContract
import CommonContract
import DocumentsContract
import HostContract
import PluginAPI
import SwiftProtobuf

/// The virus scanner's side.
struct ScanHandlers: Pcs_Documents_V1_ScanService {
    let context: PluginContext

    func claimScan(
        _ request: Pcs_Documents_V1_ClaimScanRequest, _ call: CallContext
    ) async throws -> Pcs_Documents_V1_ScanClaim {
        try await call.commit { transaction in
            let waiting = try ScanStore.waiting(transaction)
            guard let document = try ScanStore.next(at: transaction.now, transaction) else {
                return .with { $0.waiting = waiting }
            }
            let minutes = try RuleStore.rules(transaction).settings.scanClaimMinutes
            let claim = ScanStore.Claim(
                id: transaction.newIdentifier(), documentID: document.id, scanner: call.caller.responsible,
                endsAt: transaction.now.adding(milliseconds: minutes * 60_000), isReported: false)
            try ScanStore.add(claim, in: transaction)
            transaction.audit(AuditNote(object: "document/\(document.id)", detail: "claimed for scanning"))
            return .with {
                $0.claimID = claim.id
                $0.documentID = document.id
                $0.fileName = document.fileName
                $0.fileType = Pcs_Documents_V1_FileType(document.type)
                $0.sizeBytes = document.size
                $0.sha256 = document.sha256
                $0.endsAt = Google_Protobuf_Timestamp(claim.endsAt)
                $0.waiting = waiting
            }
        }
    }

    func reportScan(
        _ request: Pcs_Documents_V1_ReportScanRequest, _ call: CallContext
    ) async throws -> Pcs_Documents_V1_Document {
        var fields = RequestFields()
        let isKnown = request.verdict == .clean || request.verdict == .infected
        if !isKnown { fields.refuse("verdict", "verdict", "The verdict is clean or infected.") }
        if !(1...200).contains(request.engine.count) {
            fields.refuse("engine", "engine", "The engine is named with 1 to 200 characters.")
        }
        if request.verdict == .infected, !(1...200).contains(request.finding.count) {
            fields.refuse("finding", "finding", "What was found is named with 1 to 200 characters.")
        }
        try fields.finish()
        return try await call.commit { transaction in
            guard let claim = try ScanStore.claim(request.claimID, transaction), !claim.isReported,
                claim.scanner == call.caller.responsible, claim.endsAt > transaction.now,
                let document = try DocumentStore.document(claim.documentID, transaction),
                document.state == .scanning
            else { throw Failure(DocumentsReasons.scanClaimEnded) }
            guard document.sha256 == request.sha256 else { throw Failure(DocumentsReasons.digestWrong) }
            let isClean = request.verdict == .clean
            try ScanStore.report(
                claim, verdict: request.verdict.rawValue, engine: request.engine, finding: request.finding,
                in: transaction)
            let finding = isClean ? request.engine : "\(request.engine): \(request.finding)"
            try DocumentStore.change(
                document, to: isClean ? .clean : .infected, finding: finding, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "document/\(document.id)", organisation: document.organisation,
                    detail: "\(isClean ? "clean" : "infected") by \(finding)"))
            try tell(document, isClean: isClean, in: transaction)
            guard let changed = try DocumentStore.document(document.id, transaction) else {
                throw Failure.noSuchDocument
            }
            return try Pcs_Documents_V1_Document(changed, transaction)
        }
    }

    private func tell(_ document: DocumentRecord, isClean: Bool, in transaction: any Transaction) throws {
        let record = try ReaderStore.lists(of: document.id, transaction).first?.record
        let scanned = Pcs_Documents_V1_DocumentScanned.with {
            $0.documentID = document.id
            $0.clean = isClean
            if let record { $0.record = Pcs_Common_V1_RecordReference(record) }
            $0.uploadedForOrganisationCode = document.organisation
        }
        try transaction.publish(scanned, key: document.id)
        guard !isClean else { return }
        let key = "documents/document/\(document.id)/infected"
        let message = Pcs_Casework_V1_MessagePosted.with {
            $0.messageKey = key
            $0.personID = document.uploadedBy
            $0.title = "A file that you uploaded was found to be infected"
            $0.body =
                "Nobody can read \(document.fileName). Upload a clean file in its place, and tell those who look "
                + "after your computers."
            $0.record = .with {
                $0.area = "documents"
                $0.kind = "document"
                $0.recordID = document.id
                $0.organisationCode = document.organisation
            }
            $0.class = .mandatory
        }
        try transaction.publish(message, key: key)
    }
}
