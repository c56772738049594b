import PaymentsContract
import PluginAPI

/// An area that publishes as payments does.
struct PaymentsArea: Plugin {
    static let manifest = PluginManifest(
        name: "payments", version: "0.1.0", summary: "Publishes for tests", owners: ["tests"],
        publishes: [
            Pcs_Payments_V1_PaymentInstructionRefused.protoMessageName,
            Pcs_Payments_V1_NominatedPayeeSet.protoMessageName,
        ])
    static let migrations: [Migration] = []
    let methods: [BoundMethod] = []
    init(_ context: PluginContext) throws {}
}
