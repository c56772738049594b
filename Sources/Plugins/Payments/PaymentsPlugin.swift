import CaseworkContract
import ChangesContract
import HostContract
import PaymentsContract
public import PluginAPI

/// Payments: contracts, capitation, reference data, the monthly run, statements and their explanations.
public struct PaymentsPlugin: Plugin {
    public static let manifest = PluginManifest(
        name: "payments", version: "0.1.0",
        summary: "The monthly contractual payment of every GP practice in England",
        owners: ["payments-team@primary-care-services.example"],
        publishes: [
            Pcs_Payments_V1_RunApproved.protoMessageName,
            Pcs_Payments_V1_StatementsPublished.protoMessageName,
            Pcs_Payments_V1_RunPaid.protoMessageName,
            Pcs_Payments_V1_ContractChangeAuthorised.protoMessageName,
            Pcs_Payments_V1_ContractEnded.protoMessageName, Pcs_Payments_V1_ContractClosed.protoMessageName,
            Pcs_Changes_V1_ChangeStepReported.protoMessageName,
            Pcs_Payments_V1_PaymentReturned.protoMessageName,
            Pcs_Payments_V1_ContributionsDeducted.protoMessageName,
            Pcs_Payments_V1_ContributionRefused.protoMessageName,
            Pcs_Payments_V1_PaymentInstructionRefused.protoMessageName,
            Pcs_Payments_V1_NominatedPayeeSet.protoMessageName,
            Pcs_Casework_V1_TaskRequested.protoMessageName,
            Pcs_Casework_V1_TaskSettled.protoMessageName,
            Pcs_Casework_V1_MessagePosted.protoMessageName,
            Pcs_Casework_V1_EnquiryRequested.protoMessageName,
        ])

    private let context: PluginContext

    public init(_ context: PluginContext) throws { self.context = context }

    public static var migrations: [Migration] { PaymentsMigrations.all }

    public var methods: [BoundMethod] {
        Pcs_Payments_V1_ContractServiceMethods.bind(ContractHandlers(context: context))
            + Pcs_Payments_V1_CapitationServiceMethods.bind(CapitationHandlers(context: context))
            + Pcs_Payments_V1_ReferenceDataServiceMethods.bind(ReferenceDataHandlers(context: context))
            + Pcs_Payments_V1_RunServiceMethods.bind(RunHandlers(context: context))
            + Pcs_Payments_V1_StatementServiceMethods.bind(StatementHandlers(context: context))
            + Pcs_Payments_V1_VariationServiceMethods.bind(VariationHandlers(context: context))
            + Pcs_Payments_V1_ClaimServiceMethods.bind(ClaimHandlers(context: context))
            + Pcs_Payments_V1_NetworkServiceMethods.bind(NetworkHandlers(context: context))
            + Pcs_Payments_V1_BankDetailsServiceMethods.bind(BankDetailsHandlers(context: context))
            + Pcs_Payments_V1_PaymentFileServiceMethods.bind(PaymentFileHandlers(context: context))
            + Pcs_Payments_V1_OphthalmicServiceMethods.bind(OphthalmicHandlers(context: context))
            + Pcs_Payments_V1_PharmacyPaymentServiceMethods.bind(PharmacyHandlers(context: context))
            + Pcs_Payments_V1_LevyServiceMethods.bind(LevyHandlers(context: context))
            + Pcs_Payments_V1_DeductionServiceMethods.bind(DeductionHandlers(context: context))
            + Pcs_Payments_V1_WithholdingServiceMethods.bind(WithholdingHandlers(context: context))
            + Pcs_Payments_V1_AllocationServiceMethods.bind(AllocationHandlers(context: context))
            + Pcs_Payments_V1_BaselineServiceMethods.bind(BaselineHandlers(context: context))
            + Pcs_Payments_V1_ContractChangeServiceMethods.bind(ContractChangeHandlers(context: context))
            + Pcs_Payments_V1_ContractClosingServiceMethods.bind(ContractClosingHandlers(context: context))
            + Pcs_Payments_V1_DispensingServiceMethods.bind(DispensingHandlers(context: context))
            + Pcs_Payments_V1_TrainingServiceMethods.bind(TrainingHandlers(context: context))
            + Pcs_Payments_V1_ReimbursementSchemeServiceMethods.bind(SchemeHandlers(context: context))
            + Pcs_Payments_V1_AdditionalRolesServiceMethods.bind(AdditionalRolesHandlers(context: context))
            + Pcs_Payments_V1_PublishedYearServiceMethods.bind(PublishedYearHandlers(context: context))
            + Pcs_Payments_V1_QualityFiguresServiceMethods.bind(QualityFigureHandlers(context: context))
            + Pcs_Payments_V1_PremisesServiceMethods.bind(PremisesHandlers(context: context))
    }

    public var subscriptions: [Subscription] {
        [
            Subscription(to: Pcs_Host_V1_OrganisationChanged.self, from: "host") {
                event, envelope, transaction in
                try OrganisationEvents.receive(event, envelope, transaction)
            },
            Subscription(to: Pcs_Changes_V1_ChangeStepDue.self, from: PracticeChangeEvents.publisher) {
                event, envelope, transaction in
                try PracticeChangeEvents.receive(event, envelope, transaction)
            },
            Subscription(to: Pcs_Changes_V1_ChangeRolledBack.self, from: PracticeChangeEvents.publisher) {
                event, _, transaction in
                try PracticeChangeRollBack.receive(event, transaction)
            },
            Subscription(to: Pcs_Casework_V1_EnquiryProgressed.self, from: StatementQueryEvents.publisher) {
                event, _, transaction in
                try StatementQueryEvents.receive(event, transaction)
            },
        ] + QualityEvents.subscriptions + PensionEvents.subscriptions
    }

    public var jobs: [ScheduledJob] {
        let context = context
        return [
            ScheduledJob(name: "cut-off", schedule: .daily(hour: 0, minute: 5)) {
                try await CutOffJob.run(context)
            }
        ]
    }

    public func start() async throws { try await ShippedReferenceData.load(into: context.store) }
}
