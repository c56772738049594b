import CqrsContract
public import PluginAPI

/// CQRS: which practices and networks take part in which paid schemes, what they achieved, what that is worth, who
/// declared and approved it; and the hand-over of approved amounts to payment.
public struct CQRSPlugin: Plugin {
    public static let manifest = PluginManifest(
        name: "cqrs", version: "0.1.0",
        summary: "Quality services: participation, achievement, declarations and local schemes",
        owners: ["cqrs-team@primary-care-services.example"],
        publishes: CQRSEvents.published)

    private let context: PluginContext

    public init(_ context: PluginContext) throws { self.context = context }

    public static var migrations: [Migration] { CQRSMigrations.all }

    // One list an area of work, so that each can grow by itself.
    public var methods: [BoundMethod] { achievementMethods }

    private var achievementMethods: [BoundMethod] {
        Pcs_Cqrs_V1_QualityServiceServiceMethods.bind(QualityServiceHandlers(context: context))
            + Pcs_Cqrs_V1_SubmissionServiceMethods.bind(SubmissionHandlers(context: context))
            + Pcs_Cqrs_V1_CalculationServiceMethods.bind(CalculationHandlers(context: context))
    }

    public func start() async throws { try await ShippedDefinitions.load(into: context.store) }
}
