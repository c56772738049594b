import CaseworkContract
import ChangesContract
import HostContract
public import PluginAPI

/// Mergers and closures of practices: one case from the notice to the evidence pack.
public struct PracticeChangesPlugin: Plugin {
    public static let manifest = PluginManifest(
        name: ChangeEvents.area, version: "0.1.0",
        summary: "Mergers and closures of practices as tracked cases with a step for each effect",
        owners: ["practice-changes-team@primary-care-services.example"],
        publishes: [
            Pcs_Changes_V1_ChangePlanned.protoMessageName, Pcs_Changes_V1_ChangeStepDue.protoMessageName,
            Pcs_Changes_V1_ChangeRolledBack.protoMessageName, Pcs_Changes_V1_ChangeEffective.protoMessageName,
            Pcs_Changes_V1_ChangeCaseProgressed.protoMessageName,
            Pcs_Casework_V1_TaskRequested.protoMessageName,
            Pcs_Casework_V1_TaskSettled.protoMessageName, Pcs_Casework_V1_MessagePosted.protoMessageName,
        ])

    private let context: PluginContext
    private let watchers = CaseWatchers()

    public init(_ context: PluginContext) throws { self.context = context }

    public static var migrations: [Migration] { ChangesMigrations.all }

    public var methods: [BoundMethod] {
        Pcs_Changes_V1_NoticeServiceMethods.bind(NoticeHandlers(context: context))
            + Pcs_Changes_V1_ChangeCaseServiceMethods.bind(CaseHandlers(context: context))
            + Pcs_Changes_V1_ChangeProgressServiceMethods.bind(
                ProgressHandlers(context: context, watchers: watchers))
            + Pcs_Changes_V1_ChecklistServiceMethods.bind(ChecklistHandlers(context: context))
    }

    public var subscriptions: [Subscription] {
        let (context, watchers) = (context, watchers)
        let reports = ChangeEvents.publishers.map { publisher in
            Subscription(to: Pcs_Changes_V1_ChangeStepReported.self, from: publisher) {
                event, envelope, transaction in
                try ChangeEvents.receive(event, envelope, context, transaction)
            }
        }
        return reports + [
            Subscription(to: Pcs_Host_V1_OrganisationChanged.self, from: "host") {
                event, envelope, transaction in
                try ChangeEvents.receive(event, envelope, context, transaction)
            },
            Subscription(to: Pcs_Changes_V1_ChangeCaseProgressed.self, from: ChangeEvents.area) {
                event, _, _ in
                watchers.wake(event.caseID)
            },
        ]
    }

    public var jobs: [ScheduledJob] {
        let context = context
        return [
            ScheduledJob(name: "due-steps", schedule: .every(seconds: 600)) {
                try await DueStepsJob.run(context)
            }
        ]
    }

    public func start() async throws { try await ChecklistHandlers.loadShipped(into: context.store) }
    public func drain() async { watchers.endAll() }
}
