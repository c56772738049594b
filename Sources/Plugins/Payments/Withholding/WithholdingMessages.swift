import CommonContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

extension WithholdingHandlers {
    /// With what people decided and what published runs did.
    func message(
        _ withholding: WithholdingStore.Withholding, _ reader: any Reader
    ) throws -> Pcs_Payments_V1_Withholding {
        let published = Dictionary(
            uniqueKeysWithValues: try RunStore.runs(reader).filter(\.state.isPublished).map { ($0.id, $0) })
        let movements = try refusing {
            try WithholdingStore.movements(of: withholding.payee, published, reader)[
                Withholdings.origin(withholding.id)] ?? []
        }
        let steps = try WithholdingStore.steps(of: withholding.id, reader)
        var history = steps.map { step in
            (
                at: step.at,
                message: Pcs_Payments_V1_WithholdingStep.with {
                    ($0.step, $0.takenBy, $0.reason) = (step.step, step.by, step.reason)
                    $0.takenAt = Google_Protobuf_Timestamp(step.at)
                }
            )
        }
        history += movements.compactMap { movement in
            guard let at = movement.run.publishedAt else { return nil }
            return (
                at: at,
                message: .with {
                    $0.step = movement.pence < 0 ? "held" : "given back"
                    $0.takenAt = Google_Protobuf_Timestamp(at)
                    ($0.runID, $0.pence) = (movement.run.id, movement.pence)
                }
            )
        }
        return .with {
            $0.withholdingID = withholding.id
            $0.state =
                Pcs_Payments_V1_WithholdingState(rawValue: Int(withholding.state.rawValue)) ?? .unspecified
            $0.contents = contents(withholding)
            $0.proposedBy = steps.first?.by ?? ""
            $0.approvedBy = steps.first { $0.step == "approved" }?.by ?? ""
            $0.heldPence = -movements.reduce(Int64(0)) { $0 + $1.pence }
            // The order of steps at one moment is that of recording.
            $0.history = history.enumerated().sorted {
                ($0.element.at, $0.offset) < ($1.element.at, $1.offset)
            }
            .map(\.element.message)
        }
    }

    private func contents(_ withholding: WithholdingStore.Withholding)
        -> Pcs_Payments_V1_ProposeWithholdingRequest
    {
        .with {
            $0.payeeCode = withholding.payee.value
            switch withholding.target {
            case .amount(let pence): $0.amountPence = pence
            case .lines(let paycode, let source): ($0.paycode, $0.sourceReference) = (paycode.code, source)
            }
            $0.firstMonth = Pcs_Common_V1_Month(withholding.first)
            $0.reason = withholding.reason
        }
    }
}
