import CaseworkContract
import CaseworkPlugin
import CommonContract
import HostContract
import PluginAPI
import PluginTestKit

/// An area that only publishes, to stand for any that asks for tasks.
struct PerformersArea: Plugin {
    static let manifest = PluginManifest(
        name: "performers", version: "0.1.0", summary: "Publishes for tests", owners: ["tests"],
        publishes: [Pcs_Casework_V1_TaskRequested.protoMessageName])
    static let migrations: [Migration] = []
    let methods: [BoundMethod] = []
    init(_ context: PluginContext) throws {}
}

/// A second area, whose keys may be the same.
struct SuppliesArea: Plugin {
    static let manifest = PluginManifest(
        name: "supplies", version: "0.1.0", summary: "Publishes for tests", owners: ["tests"])
    static let migrations: [Migration] = []
    let methods: [BoundMethod] = []
    init(_ context: PluginContext) throws {}
}

extension TestHost {
    static let casework: [any Plugin.Type] = [CaseworkPlugin.self, PerformersArea.self, SuppliesArea.self]

    /// A member of an organisation with these roles.
    func member(_ id: String, _ roles: Set<Role> = [], at organisation: String = "PCS") async throws
        -> TestSubject
    {
        let subject = try await person(id, roles: roles.isEmpty ? [Roles.member] : roles, at: organisation)
        if roles.isEmpty { return subject }
        // A host whose members hold the role by themselves does not let it be given.
        return (try? await grant([Roles.member], at: organisation, to: subject)) ?? subject
    }

    func tasks(_ subject: TestSubject, _ fidelity: Fidelity = .inProcess) async throws
        -> Pcs_Casework_V1_TaskServiceClient
    { .init(try await transport(fidelity, as: subject)) }
    func messages(_ subject: TestSubject, _ fidelity: Fidelity = .inProcess) async throws
        -> Pcs_Casework_V1_MessageServiceClient
    { .init(try await transport(fidelity, as: subject)) }
    func enquiries(_ subject: TestSubject) async throws -> Pcs_Casework_V1_EnquiryServiceClient {
        .init(try await transport(.inProcess, as: subject))
    }
    func cases(_ subject: TestSubject) async throws -> Pcs_Casework_V1_CaseServiceClient {
        .init(try await transport(.inProcess, as: subject))
    }
    func articles(_ subject: TestSubject) async throws -> Pcs_Casework_V1_ArticleServiceClient {
        .init(try await transport(.inProcess, as: subject))
    }

    /// Publishes as an area does, in a transaction of its own store, and waits until casework has it.
    func publish(_ task: Pcs_Casework_V1_TaskRequested, by area: String = "performers") async throws {
        try await store(of: area).write(actor: "test") { try $0.publish(task, key: task.taskKey) }
        try await eventsDelivered()
    }
    func settle(_ key: String, _ outcome: String, by area: String = "performers") async throws {
        let event = Pcs_Casework_V1_TaskSettled.with {
            $0.taskKey = key
            $0.outcome = outcome
            $0.settledBy = "ann"
        }
        try await store(of: area).write(actor: "test") { try $0.publish(event, key: key) }
        try await eventsDelivered()
    }
    func publish(_ message: Pcs_Casework_V1_MessagePosted, by area: String = "performers") async throws {
        try await store(of: area).write(actor: "test") { try $0.publish(message, key: message.messageKey) }
        try await eventsDelivered()
    }
}

func day(_ text: String) -> CalendarDate { CalendarDate(iso8601: text) ?? CalendarDate(daysSince1970: 0) }

func task(
    _ key: String, for role: Pcs_Access_V1_Role = .plPracticeManager, at organisation: String = "PCS",
    due: String? = nil, outcomes: [String] = ["approved", "rejected"], byHand: Bool = false
) -> Pcs_Casework_V1_TaskRequested {
    .with {
        $0.taskKey = key
        $0.role = role
        $0.organisationCode = organisation
        $0.title = "Confirm a change"
        $0.detail = "of \(key)"
        $0.outcomes = outcomes
        if let due { $0.dueOn = Pcs_Common_V1_Date(day(due)) }
        $0.settleByHand = byHand
    }
}

/// The reason with which a call is refused; `nil` when it is not.
func refusal<Value>(_ body: () async throws -> Value) async -> Reason? {
    do {
        _ = try await body()
        return nil
    } catch {
        return (error as? Failure)?.reason
    }
}
