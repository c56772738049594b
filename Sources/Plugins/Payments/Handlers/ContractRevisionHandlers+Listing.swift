import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

// Revisions as those see them who decide them.
extension ContractHandlers {
    static let mostRevisions = 200

    func listContractRevisions(
        _ request: Pcs_Payments_V1_ListContractRevisionsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ListContractRevisionsResponse {
        var fields = RequestFields()
        if !request.commissionerCode.isEmpty, ODSCode(request.commissionerCode) == nil {
            fields.refuse("commissioner_code", "CON09", "A commissioner is an ODS code.")
        }
        let state =
            request.state == .unspecified
            ? .proposed : RevisionStore.State(rawValue: Int64(request.state.rawValue))
        if state == nil { fields.refuse("state", "2.2", "There is no such state of a revision.") }
        if !(0...Self.mostRevisions).contains(Int(request.pageSize)) {
            fields.refuse("page_size", "2.2", "A page has 1 to \(Self.mostRevisions) revisions.")
        }
        try fields.finish()
        guard let state else { throw Failure(HostReasons.fieldInvalid) }
        let size = request.pageSize == 0 ? 50 : Int(request.pageSize)
        return try context.store.read { reader in
            var response = Pcs_Payments_V1_ListContractRevisionsResponse()
            var after = request.pageToken
            while true {
                let page = try RevisionStore.page(in: state, after: after, limit: Self.mostRevisions, reader)
                for revision in page {
                    if response.revisions.count == size {
                        response.nextPageToken = after
                        return response
                    }
                    after = revision.id
                    let message = try message(revision, reader)
                    if request.commissionerCode.isEmpty || message.commissionerCode == request.commissionerCode {
                        response.revisions.append(message)
                    }
                }
                if page.count < Self.mostRevisions { return response }
            }
        }
    }

    func message(
        _ revision: RevisionStore.Revision, _ reader: any Reader
    ) throws -> Pcs_Payments_V1_ContractRevision {
        let terms = try Pcs_Payments_V1_ContractTerms(serializedBytes: revision.terms)
        let timeline = try ContractStore.timeline(of: revision.practice, knownAt: .max, reader)
        let span = timeline.span(at: revision.from) ?? timeline.spans.last { $0.from < revision.from }
        return .with {
            $0.revisionID = revision.id
            $0.practiceCode = revision.practice.value
            $0.state = Pcs_Payments_V1_RevisionState(rawValue: Int(revision.state.rawValue)) ?? .unspecified
            $0.effectiveFrom = Pcs_Common_V1_Date(revision.from)
            if let to = revision.to { $0.effectiveTo = Pcs_Common_V1_Date(to) }
            $0.endContract = revision.endsContract
            if revision.endsContract { $0.trailingPayeeCode = terms.payeeCode } else { $0.terms = terms }
            $0.reason = revision.reason
            $0.proposedBy = revision.proposedBy
            $0.proposedAt = Google_Protobuf_Timestamp(revision.proposedAt)
            $0.decidedBy = revision.decidedBy
            $0.decisionReason = revision.decisionReason
            $0.version = revision.version
            $0.commissionerCode = span?.terms.commissioner ?? terms.commissionerCode
        }
    }
}

/// Work for whoever decides a revision, and news of an end.
enum ContractRevisionNotices {
    private static func task(_ revision: RevisionStore.Revision) -> DecisionTasks {
        DecisionTasks(kind: "contract-revision", id: revision.id)
    }

    static func proposed(
        _ revision: RevisionStore.Revision, _ commissioner: ODSCode?, in transaction: any Transaction
    ) throws {
        let what = revision.endsContract ? "the end of the contract" : "a revision of the contract"
        try task(revision).request(
            "Decide \(what) of \(revision.practice)", detail: "from \(revision.from): \(revision.reason)",
            of: commissioner, about: revision.practice, in: transaction)
    }

    static func settled(_ revision: RevisionStore.Revision, in transaction: any Transaction) throws {
        try task(revision).settle(
            approved: revision.state == .approved, by: revision.decidedBy, reason: revision.decisionReason,
            in: transaction)
    }

    /// - Parameter before: the contract as it was known before the end.
    static func ended(
        _ revision: RevisionStore.Revision, _ before: ContractTimeline, in transaction: any Transaction
    ) throws {
        let lastDay = revision.from.adding(days: -1)
        guard let span = before.span(at: lastDay) ?? before.span(at: revision.from) else { return }
        let trailing = try Pcs_Payments_V1_ContractTerms(serializedBytes: revision.terms).payeeCode
        try transaction.publish(
            Pcs_Payments_V1_ContractEnded.with {
                ($0.practiceCode, $0.revisionID) = (revision.practice.value, revision.id)
                $0.contractType = Pcs_Payments_V1_ContractType(span.terms.payment.kind)
                $0.lastDay = Pcs_Common_V1_Date(lastDay)
                $0.trailingPayeeCode = trailing.isEmpty ? span.terms.payee.value : trailing
            }, key: revision.practice.value)
    }
}
