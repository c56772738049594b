import PaymentsContract
import PensionsContract
import PluginAPI

/// An area that publishes as pensions does, and keeps what payments answers.
struct PensionsArea: Plugin {
    static let manifest = PluginManifest(
        name: "pensions", version: "0.1.0", summary: "Publishes for tests", owners: ["tests"],
        publishes: [
            Pcs_Pensions_V1_ContributionDue.protoMessageName,
            Pcs_Pensions_V1_ContributionWithdrawn.protoMessageName,
            Pcs_Pensions_V1_MemberLeft.protoMessageName, Pcs_Pensions_V1_MemberStayed.protoMessageName,
        ])
    static let migrations: [Migration] = [
        Migration(
            version: 1, name: "answers",
            statements: [
                "CREATE TABLE answer (number INTEGER PRIMARY KEY, answer TEXT NOT NULL) STRICT"
            ])
    ]
    let methods: [BoundMethod] = []
    init(_ context: PluginContext) throws {}

    private static let insert = Statement(
        "INSERT INTO answer (number, answer) SELECT COALESCE(MAX(number), 0) + 1, ?1 FROM answer")
    static let answers = Statement("SELECT answer FROM answer ORDER BY number")

    var subscriptions: [Subscription] {
        [
            Subscription(to: Pcs_Payments_V1_ContributionsDeducted.self, from: "payments") {
                event, _, transaction in
                for deducted in event.contributions {
                    let words =
                        "\(event.statementID)/\(deducted.lineNumber) \(deducted.contributionID) "
                        + "\(deducted.deductedPence)"
                    try transaction.run(Self.insert, [.text(words)])
                }
            },
            Subscription(to: Pcs_Payments_V1_ContributionRefused.self, from: "payments") {
                event, _, transaction in
                try transaction.run(Self.insert, [.text("\(event.code) \(event.contributionID)")])
            },
        ]
    }
}
