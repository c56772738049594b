import CaseworkContract
import DocumentsContract
public import PluginAPI

/// Documents: evidence files of all areas, from the first byte sent to the destruction by two people.
public struct DocumentsPlugin: Plugin {
    public static let manifest = PluginManifest(
        name: "documents", version: "0.1.0",
        summary: "Evidence files: resumable uploads, content that is what it says, scans, readers, retention",
        owners: ["documents-team@primary-care-services.example"],
        publishes: [
            Pcs_Documents_V1_DocumentScanned.protoMessageName,
            Pcs_Documents_V1_DocumentDestroyed.protoMessageName,
            Pcs_Casework_V1_MessagePosted.protoMessageName,
        ])

    private let context: PluginContext

    public init(_ context: PluginContext) throws { self.context = context }

    public static var migrations: [Migration] { DocumentsMigrations.all }

    public var methods: [BoundMethod] {
        Pcs_Documents_V1_UploadServiceMethods.bind(UploadHandlers(context: context))
            + Pcs_Documents_V1_DocumentServiceMethods.bind(DocumentHandlers(context: context))
            + Pcs_Documents_V1_ScanServiceMethods.bind(ScanHandlers(context: context))
            + Pcs_Documents_V1_RetentionServiceMethods.bind(RetentionHandlers(context: context))
            + Pcs_Documents_V1_DocumentRulesServiceMethods.bind(RuleHandlers(context: context))
    }

    public var subscriptions: [Subscription] {
        LinkEvents.publishers.map { publisher in
            Subscription(to: Pcs_Documents_V1_DocumentLinked.self, from: publisher) {
                event, envelope, transaction in
                try LinkEvents.receive(event, envelope, transaction)
            }
        }
    }

    public var jobs: [ScheduledJob] {
        let context = context
        return [
            ScheduledJob(name: "abandoned-uploads", schedule: .every(seconds: 900)) {
                try await AbandonedUploadsJob.run(context)
            }
        ]
    }

    public func start() async throws { try await ShippedRules.load(into: context.store) }
}
