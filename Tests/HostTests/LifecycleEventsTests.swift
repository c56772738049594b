import CommonContract
import Foundation
import Host
import HostContract
import PluginAPI
import PluginTestKit
import Testing

/// Publishes an event for each call.
final class PublishingPlugin: Plugin {
    static let manifest = PluginManifest(
        name: "publishing", version: "1.0", summary: "Publishes.", owners: ["tests"],
        publishes: ["pcs.host.v1.OrganisationChanged"])
    static let migrations: [Migration] = []
    static let publish = MethodDescriptor(
        path: "pcs.publishing.v1.PublishService/Publish", kind: .unary,
        requestType: "pcs.host.v1.EchoRequest",
        replyType: "pcs.host.v1.EchoReply",
        access: AccessRule(
            allow: [Allow(role: Roles.hostOperator, relation: .national)], changesState: true, audit: .change)
    )

    init(_ context: PluginContext) {}

    var methods: [BoundMethod] {
        [
            BoundMethod(
                descriptor: Self.publish,
                handler: .unary { bytes in
                    let request = try RequestDecodingFailure.decode(bytes, as: Pcs_Host_V1_EchoRequest.self)
                    return BoundMethod.Prepared(organisations: []) { call in
                        try await call.commit { transaction in
                            try transaction.publish(
                                Pcs_Host_V1_OrganisationChanged.with { $0.code = request.text },
                                key: request.text)
                            return Pcs_Host_V1_EchoReply.with { $0.text = request.text }
                        }.serializedBytes()
                    }
                })
        ]
    }
}

/// Keeps each event in a row.
final class ReceivingPlugin: Plugin {
    static let manifest = PluginManifest(
        name: "receiving", version: "1.0", summary: "Receives.", owners: ["tests"])
    static let migrations = [
        Migration(
            version: 1, name: "received",
            statements: ["CREATE TABLE received (sequence INTEGER PRIMARY KEY, code TEXT NOT NULL) STRICT"])
    ]
    init(_ context: PluginContext) {}
    var methods: [BoundMethod] { [] }
    var subscriptions: [Subscription] {
        [
            Subscription(to: Pcs_Host_V1_OrganisationChanged.self, from: "publishing") {
                event, envelope, transaction in
                try transaction.run(
                    Statement("INSERT INTO received (sequence, code) VALUES (?1, ?2)"),
                    [.integer(envelope.sequence), .text(event.code)])
            }
        ]
    }
}

@Suite("Events and backups around a plugin's life")
struct LifecycleEventsTests {
    private func publish(_ codes: ClosedRange<Int>, _ host: TestHost) async throws {
        let transport = try await host.transport(.unixSocket)
        for code in codes { _ = try await transport.trial(PublishingPlugin.publish, text: "A\(code)") }
    }

    private func received(_ host: TestHost) throws -> [String] {
        try host.store(of: "receiving").read {
            try $0.all(Statement("SELECT code FROM received ORDER BY sequence")) { $0.text(0) }
        }
    }

    @Test("events of a disabled plugin wait, over a restart too, and arrive once when it is enabled")
    func eventsWait() async throws {
        try await TestHost.with([PublishingPlugin.self, ReceivingPlugin.self]) { host in
            try await publish(1...5, host)
            try await host.eventsDelivered()
            #expect(try received(host) == ["A1", "A2", "A3", "A4", "A5"])

            let plugins = Pcs_Host_V1_PluginServiceClient(try await host.transport())
            _ = try await plugins.disablePlugin(
                .with {
                    $0.name = "receiving"; $0.reason = "test"
                })
            try await publish(6...9, host)
            let dryRun = try await plugins.enablePlugin(
                .with {
                    $0.name = "receiving"; $0.dryRun = true
                })
            #expect(dryRun.eventsWaiting == 4)

            try await host.restart()
            let after = Pcs_Host_V1_PluginServiceClient(try await host.transport())
            #expect(
                try await after.listPlugins(.init()).plugins.first { $0.name == "receiving" }?.eventsWaiting
                    == 4)
            _ = try await after.enablePlugin(.with { $0.name = "receiving" })
            try await host.eventsDelivered()
            #expect(try received(host) == (1...9).map { "A\($0)" })
        }
    }

    @Test("disabling a publisher names who depends on it")
    func dependants() async throws {
        try await TestHost.with([PublishingPlugin.self, ReceivingPlugin.self]) { host in
            let plugins = Pcs_Host_V1_PluginServiceClient(try await host.transport())
            let change = try await plugins.disablePlugin(
                .with {
                    $0.name = "publishing"; $0.dryRun = true
                })
            #expect(change.dependants == ["receiving"])
            let described = try await plugins.describePlugin(.with { $0.name = "receiving" })
            #expect(described.dependsOn == ["publishing"])
            #expect(described.subscribes == ["pcs.host.v1.OrganisationChanged"])
        }
    }

    @Test("a backup is restored while the host runs: what came later is gone, and everything serves again")
    func restore() async throws {
        try await TestHost.with([TrialPlugin.self]) { host in
            let officer = try await host.client("officer", roles: [Roles.paymentsOperator])
            _ = try await host.transport(.tcp, as: officer).trial(TrialPlugin.note, text: "kept")
            let backups = Pcs_Host_V1_BackupServiceClient(try await host.transport(.unixSocket))
            _ = try await backups.createBackup(.with { $0.name = "before" })
            _ = try await host.transport(.tcp, as: officer).trial(TrialPlugin.note, text: "lost")
            _ = try await host.client("latecomer")

            let restored = try await backups.restoreBackup(
                .with {
                    $0.name = "before"; $0.reason = "test"
                })
            #expect(restored.restored.name == "before")
            #expect(!restored.safetyBackup.isEmpty)
            let texts = try host.store(of: "trial").read {
                try $0.all(Statement("SELECT text FROM note")) { $0.text(0) }
            }
            #expect(texts == ["kept"])
            _ = try await host.transport(.tcp, as: officer).trial(TrialPlugin.note, text: "goes on")
            let subjects = try await Pcs_Host_V1_IdentityServiceClient(try await host.transport())
                .listSubjects(.init())
            #expect(!subjects.clients.contains { $0.clientID == "latecomer" })
            let audit = try await Pcs_Host_V1_AuditServiceClient(try await host.transport()).verifyAudit(
                .init())
            #expect(audit.whole)
        }
    }
}
