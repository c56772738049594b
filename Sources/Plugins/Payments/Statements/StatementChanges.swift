import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

extension StatementHandlers {
    /// "What changed since last month, and why", for one payee.
    func getStatementChanges(
        _ request: Pcs_Payments_V1_GetStatementChangesRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_StatementChanges {
        var fields = RequestFields()
        let practice = fields.payee(request.practiceCode)
        let month = fields.month(request.month)
        try fields.finish()
        guard let practice, let month else { throw Failure(PaymentsReasons.statementUnknown) }
        return try context.store.read { reader in
            let (run, stored) = try find(practice, runID: "", month: month, call, reader)
            let before = try refusing { try StatementStore.last(of: practice, before: run.id, reader) }
            let after = stored.document
            let nets = try refusing { (try before?.net() ?? .zero, try after.net()) }
            return .with { reply in
                reply.statementID = after.statementID
                reply.beforeStatementID = before?.statementID ?? ""
                (reply.beforeNetPence, reply.afterNetPence) = (nets.0.pence, nets.1.pence)
                reply.changes = RunComparison.differences(before, after).map { difference in
                    .with {
                        $0.paycode = difference.paycode.code
                        $0.description_p =
                            after.descriptions[difference.paycode] ?? before?.descriptions[difference.paycode]
                            ?? difference.paycode.code
                        if let month = difference.originalMonth {
                            $0.originalMonth = Pcs_Common_V1_Month(month)
                        }
                        $0.beforePence = difference.beforePence
                        $0.afterPence = difference.afterPence
                        $0.reasons = difference.causes.map { cause in
                            .with {
                                $0.kind = cause.kind.message
                                $0.cause = Pcs_Payments_V1_DifferenceCause(cause)
                            }
                        }
                    }
                }
            }
        }
    }
}

extension StatementDocument {
    /// The sum of the lines as rounded (RND-5).
    func net() throws(ArithmeticError) -> Money {
        try Rounding.net(ofLines: lines.map { Money(pence: $0.pence) })
    }
}

extension Pcs_Payments_V1_DifferenceCause {
    init(_ cause: RunComparison.Cause) {
        self.init()
        (input, before, after, source) = (cause.input, cause.before, cause.after, cause.source)
    }
}

extension RunComparison.Kind {
    fileprivate var message: Pcs_Payments_V1_ChangeReasonKind {
        switch self {
        case .rate: .rate
        case .list: .list
        case .contract: .contract
        case .item: .item
        case .correction: .correction
        case .balance: .balance
        case .line: .line
        case .other: .other
        }
    }
}
