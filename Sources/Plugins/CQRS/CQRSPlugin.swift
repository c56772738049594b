import CqrsContract
import DocumentsContract
import HostContract
import PaymentsContract
public import PluginAPI

/// CQRS: which practices and networks take part in which paid schemes, what they achieved, what that is worth, who
/// declared and approved it; and the hand-over of approved amounts to payment.
public struct CQRSPlugin: Plugin {
    public static let manifest = PluginManifest(
        name: "cqrs", version: "0.1.0",
        summary: "Quality services: participation, achievement, declarations and payment instructions",
        owners: ["cqrs-team@primary-care-services.example"],
        publishes: CQRSEvents.published,
        // Who can declare, and who has access, is the Host's to say (USR-7).
        calls: ["pcs.host.v1.UserService/ListUsers", "pcs.host.v1.OrganisationService/ListOrganisations"])

    private let context: PluginContext

    public init(_ context: PluginContext) throws { self.context = context }

    public static var migrations: [Migration] { CQRSMigrations.all }

    // One list an area of work, so that each can grow by itself.
    public var methods: [BoundMethod] { achievementMethods + declarationMethods + reportMethods + localMethods }

    private var achievementMethods: [BoundMethod] {
        Pcs_Cqrs_V1_QualityServiceServiceMethods.bind(QualityServiceHandlers(context: context))
            + Pcs_Cqrs_V1_SubmissionServiceMethods.bind(SubmissionHandlers(context: context))
            + Pcs_Cqrs_V1_CalculationServiceMethods.bind(CalculationHandlers(context: context))
    }

    private var declarationMethods: [BoundMethod] {
        Pcs_Cqrs_V1_ParticipationServiceMethods.bind(ParticipationHandlers(context: context))
            + Pcs_Cqrs_V1_NetworkServiceMethods.bind(NetworkHandlers(context: context))
            + Pcs_Cqrs_V1_DeclarationServiceMethods.bind(DeclarationHandlers(context: context))
            + Pcs_Cqrs_V1_InstructionServiceMethods.bind(InstructionHandlers(context: context))
    }

    private var reportMethods: [BoundMethod] {
        Pcs_Cqrs_V1_ReportServiceMethods.bind(ReportHandlers(context: context))
            + Pcs_Cqrs_V1_DelegateServiceMethods.bind(DelegateHandlers(context: context))
    }

    private var localMethods: [BoundMethod] {
        Pcs_Cqrs_V1_LocalSchemeServiceMethods.bind(LocalSchemeHandlers(context: context))
            + Pcs_Cqrs_V1_LocalClaimServiceMethods.bind(LocalClaimHandlers(context: context))
    }

    public var subscriptions: [Subscription] {
        let context = context
        return [
            Subscription(to: Pcs_Host_V1_OrganisationChanged.self, from: "host") { event, _, transaction in
                try ParticipationDesk.receive(event, context, transaction)
            },
            Subscription(to: Pcs_Payments_V1_PaymentInstructionRefused.self, from: AgencyAnswers.publisher) {
                event, _, transaction in
                try AgencyAnswers.receive(event, context, transaction)
            },
            Subscription(to: Pcs_Payments_V1_NominatedPayeeSet.self, from: AgencyAnswers.publisher) {
                event, _, transaction in
                try NominatedPayees.receive(event, transaction)
            },
            Subscription(to: Pcs_Documents_V1_DocumentScanned.self, from: LocalDocuments.publisher) {
                event, _, transaction in
                try LocalDocuments.receive(event, transaction)
            },
        ]
    }

    public var jobs: [ScheduledJob] {
        let context = context
        return [
            ScheduledJob(name: "nightly", schedule: .daily(hour: 2, minute: 30)) {
                let report = try await context.store.write(actor: "system") { transaction in
                    let desk = DeclarationDesk(
                        context: context, transaction: transaction, actor: "system", actingFor: "",
                        today: context.clock.today)
                    return try DeclarationNightly(desk: desk, service: "").run()
                }
                return
                    "\(report.drafts) declarations, \(report.aggregated) networks, \(report.releasedInstructions) sent"
            },
            // 10.6: to PCSE at 15:00 of working days; what stays unanswered is looked for every hour.
            ScheduledJob(name: "local-send", schedule: .daily(hour: 15, minute: 0)) {
                try await LocalHandOver.sendJob(context)
            },
            ScheduledJob(name: "local-resend", schedule: .every(seconds: 3_600)) {
                try await LocalHandOver.resendJob(context)
            },
        ]
    }

    public func start() async throws { try await ShippedDefinitions.load(into: context.store) }
}
