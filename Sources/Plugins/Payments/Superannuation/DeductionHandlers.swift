import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

/// The operators' view of superannuation contributions (payments.md 9.7).
struct DeductionHandlers: Pcs_Payments_V1_DeductionService {
    let context: PluginContext

    func listContributions(
        _ request: Pcs_Payments_V1_ListContributionsRequest,
        _ reply: ReplyStream<Pcs_Payments_V1_Contribution>,
        _ call: CallContext
    ) async throws {
        var fields = RequestFields()
        let practice = fields.payee(request.practiceCode)
        try fields.finish()
        guard let practice else { throw Failure(HostReasons.fieldInvalid) }
        let messages = try context.store.read { reader in
            if !request.runID.isEmpty { _ = try RunHandlers.run(request.runID, reader) }
            return try ContributionStore.contributions(of: practice, reader).map { try message($0, reader) }
        }
        for message in messages
        where (request.runID.isEmpty || message.runID == request.runID)
            && (request.state == .unspecified || message.state == request.state)
        {
            try await reply.send(message)
        }
    }

    private func message(
        _ contribution: Contribution, _ reader: any Reader
    ) throws -> Pcs_Payments_V1_Contribution {
        let contents = contribution.contents
        let run =
            contribution.itemID.isEmpty ? nil : try PayableItemStore.paidRun(of: contribution.itemID, reader)
        let lastDay = try ContributionStore.lastDay(of: contents.memberRef, at: contents.practice, reader)
        let history = try ContributionStore.steps(of: contents.id, reader).map { step, at in
            "\(LondonTime.day(at: at)) \(step)"
        }
        return .with {
            ($0.contributionID, $0.practiceCode) = (contents.id, contents.practice.value)
            $0.memberRef = contents.memberRef
            $0.kind =
                Pcs_Payments_V1_SuperannuationKind(rawValue: Int(contents.kind.rawValue)) ?? .unspecified
            $0.period = Pcs_Common_V1_Month(contents.period)
            ($0.amountPence, $0.reason, $0.code) = (contents.pence, contents.reason, contribution.code)
            $0.state = state(contribution, isDeducted: run != nil)
            $0.runID = run ?? ""
            if let lastDay { $0.memberLeftOn = Pcs_Common_V1_Date(lastDay) }
            $0.receivedAt = Google_Protobuf_Timestamp(contribution.receivedAt)
            $0.history = history
        }
    }

    private func state(_ contribution: Contribution, isDeducted: Bool) -> Pcs_Payments_V1_ContributionState {
        if isDeducted { return contribution.returnItemID.isEmpty ? .deducted : .givenBack }
        return switch contribution.state {
        case .accepted: .waiting
        case .refused: .refused
        case .withdrawn: .withdrawn
        }
    }
}
