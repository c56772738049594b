import CaseworkContract
import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

// Queries on a line: an enquiry with clocks and a history that the payee, its commissioner and the team see (C11).
extension StatementHandlers {
    func raiseQuery(
        _ request: Pcs_Payments_V1_RaiseQueryRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_StatementQuery {
        var fields = RequestFields()
        let practice = fields.payee(request.practiceCode)
        let month = request.runID.isEmpty ? fields.month(request.month) : nil
        if !(3...2_000).contains(request.question.count) {
            fields.refuse("question", "payments.md 13 C11", "A question has 3 to 2,000 characters.")
        }
        try fields.finish()
        guard let person = call.caller.personID else {
            throw Failure(HostReasons.accessDenied, "A query is asked by a person, who gets the answer.")
        }
        guard let practice else { throw Failure(PaymentsReasons.statementUnknown) }
        return try await call.commit { transaction in
            let (run, stored) = try find(practice, runID: request.runID, month: month, call, transaction)
            let document = stored.document
            let number = Int(request.lineNumber)
            guard document.lines.indices.contains(number - 1) else {
                throw Failure(
                    PaymentsReasons.statementUnknown,
                    "Statement \(document.statementID) has lines 1 to \(document.lines.count).")
            }
            let open = try StatementQueryStore.queries(of: practice, transaction).first {
                $0.runID == run.id && $0.line == Int64(number) && !$0.isClosed
            }
            if let open { throw Failure(PaymentsReasons.queryOpen, "Query \(open.id) on this line is open.") }
            let line = document.lines[number - 1]
            let commissioner =
                context.organisations.commissioner(of: practice, at: call.today)?.value
                ?? document.commissioner
            let query = StatementQueryStore.Query(
                id: transaction.newIdentifier(), practice: practice, runID: run.id, line: Int64(number),
                paycode: line.paycode.code, pence: line.pence, question: request.question, raisedBy: person,
                raisedAt: transaction.now, commissioner: commissioner)
            try StatementQueryStore.add(query, in: transaction)
            try transaction.publish(enquiry(query, document), key: query.id)
            transaction.audit(
                AuditNote(
                    object: "statement-line/\(query.lineID)", organisation: practice.value,
                    detail: "query \(query.id) raised"))
            return Pcs_Payments_V1_StatementQuery(query)
        }
    }

    private func enquiry(
        _ query: StatementQueryStore.Query, _ document: StatementDocument
    ) -> Pcs_Casework_V1_EnquiryRequested {
        let amount = Money(pence: query.pence)
        return .with {
            $0.enquiryID = query.id
            $0.personID = query.raisedBy
            $0.organisationCode = query.practice.value
            $0.category = document.payeeKind == .ophthalmicContractor ? "ophthalmic" : "payments"
            $0.subCategory = "Statement"
            $0.subject = "Line \(query.line), \(query.paycode), of statement \(document.statementID)"
            $0.body = "\(query.question)\n\nLine \(query.lineID): \(query.paycode) \(amount) pounds."
            $0.records = [
                .with {
                    ($0.area, $0.kind, $0.recordID) = ("payments", "statement-line", query.lineID)
                    $0.organisationCode = query.practice.value
                }
            ]
            if !query.commissioner.isEmpty { $0.copyTo = [query.commissioner] }
            $0.raisedAt = Google_Protobuf_Timestamp(query.raisedAt)
        }
    }

    func listQueries(
        _ request: Pcs_Payments_V1_ListQueriesRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ListQueriesResponse {
        var fields = RequestFields()
        let practice = fields.payee(request.practiceCode)
        try fields.finish()
        guard let practice else { throw Failure(PaymentsReasons.statementUnknown) }
        let queries = try context.store.read { try StatementQueryStore.queries(of: practice, $0) }
        return .with {
            $0.queries = queries.filter { !request.openOnly || !$0.isClosed }
                .map { Pcs_Payments_V1_StatementQuery($0) }
        }
    }
}

/// What casework tells of the enquiries that it holds; those of others are none of ours.
enum StatementQueryEvents {
    static let publisher = "casework"

    static func receive(
        _ event: Pcs_Casework_V1_EnquiryProgressed, _ transaction: any Transaction
    ) throws {
        guard try StatementQueryStore.exists(event.enquiryID, transaction) else { return }
        try StatementQueryStore.add(
            StatementQueryStore.Step(
                at: event.hasAt ? Instant(event.at) : transaction.now, state: event.state,
                resolveBy: event.hasResolveBy ? Instant(event.resolveBy) : nil, isClosed: event.ended),
            to: event.enquiryID, in: transaction)
    }
}

extension Pcs_Payments_V1_StatementQuery {
    init(_ query: StatementQueryStore.Query) {
        self.init()
        (queryID, lineID, practiceCode) = (query.id, query.lineID, query.practice.value)
        (paycode, amountPence, question) = (query.paycode, query.pence, query.question)
        raisedBy = query.raisedBy
        raisedAt = Google_Protobuf_Timestamp(query.raisedAt)
        commissionerCode = query.commissioner
        state = query.steps.last?.state ?? "raised"
        if let due = query.steps.last?.resolveBy { resolveBy = Google_Protobuf_Timestamp(due) }
        closed = query.isClosed
        steps = query.steps.map { step in
            .with {
                $0.at = Google_Protobuf_Timestamp(step.at)
                $0.state = step.state
            }
        }
    }
}
