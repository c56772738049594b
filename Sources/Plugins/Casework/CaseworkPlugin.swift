import CaseworkContract
public import PluginAPI

/// Casework: tasks, messages and notifications of all areas, enquiries and complaints, help articles.
public struct CaseworkPlugin: Plugin {
    public static let manifest = PluginManifest(
        name: "casework", version: "0.1.0",
        summary:
            "Tasks and messages of every area, enquiries and complaints with their clocks, help articles",
        owners: ["casework-team@primary-care-services.example"],
        publishes: [
            Pcs_Casework_V1_TaskSettled.protoMessageName, Pcs_Casework_V1_EnquiryProgressed.protoMessageName,
        ],
        calls: ["pcs.host.v1.IdentityService/ListSubjects"])

    private let context: PluginContext
    private let reference: CaseworkReference
    private let feeds: Feeds
    private let tasks: TaskBook
    private let cases: CaseBook
    private let search: ArticleSearch

    public init(_ context: PluginContext) throws {
        self.context = context
        reference = try CaseworkReference()
        feeds = Feeds(store: context.store)
        tasks = TaskBook(context: context, feeds: feeds)
        cases = CaseBook(context: context, reference: reference, messages: MessageBook(feeds: feeds))
        search = ArticleSearch(store: context.store, words: reference.words)
    }

    public static var migrations: [Migration] { CaseworkMigrations.all }

    public var methods: [BoundMethod] {
        Pcs_Casework_V1_TaskServiceMethods.bind(TaskHandlers(context: context, book: tasks, feeds: feeds))
            + Pcs_Casework_V1_MessageServiceMethods.bind(MessageHandlers(context: context, feeds: feeds))
            + Pcs_Casework_V1_NotificationServiceMethods.bind(NotificationHandlers(context: context))
            + Pcs_Casework_V1_EnquiryServiceMethods.bind(
                EnquiryHandlers(context: context, reference: reference, book: cases))
            + Pcs_Casework_V1_CaseServiceMethods.bind(
                CaseHandlers(context: context, reference: reference, book: cases))
            + Pcs_Casework_V1_ArticleServiceMethods.bind(ArticleHandlers(context: context, search: search))
    }

    public var subscriptions: [Subscription] {
        CaseworkEvents(tasks: tasks, messages: cases.messages, enquiries: EnquiryRequests(book: cases)).subscriptions
    }

    public var jobs: [ScheduledJob] {
        CaseworkJobs(context: context, reference: reference, book: cases, tasks: tasks, feeds: feeds).all
    }

    public func start() async throws {
        feeds.open()
        try await ShippedArticles.load(context)
    }

    public func drain() async { feeds.close() }
    public func stop() async { feeds.close() }
}
