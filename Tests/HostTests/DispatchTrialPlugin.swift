import CommonContract
import Foundation
import HostContract
import PluginAPI
import PluginTestKit
import SwiftProtobuf
import Synchronization

/// A plugin whose methods each show one thing that a handler may do.
final class TrialPlugin: Plugin {
    static let manifest = PluginManifest(
        name: "trial", version: "1.0", summary: "Shows what handlers may do.", owners: ["tests"])
    static let migrations = [
        Migration(
            version: 1, name: "notes",
            statements: ["CREATE TABLE note (number INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT"])
    ]

    /// How often each plugin method began, over all hosts of the process; tests use texts of their own.
    static let runs = Mutex<[String: Int]>([:])
    static func runs(_ text: String) -> Int { runs.withLock { $0[text] ?? 0 } }

    private static let openGates = Mutex<Set<String>>([])
    static func open(gate: String) { openGates.withLock { _ = $0.insert(gate) } }

    private let context: PluginContext
    init(_ context: PluginContext) { self.context = context }

    static func descriptor(
        _ name: String, _ access: AccessRule, kind: MethodDescriptor.Kind = .unary
    ) -> MethodDescriptor {
        MethodDescriptor(
            path: "pcs.trial.v1.TrialService/\(name)", kind: kind, requestType: "pcs.host.v1.EchoRequest",
            replyType: "pcs.host.v1.EchoReply", access: access)
    }

    static let operators = [Allow(role: Roles.paymentsOperator, relation: .national)]
    static let note = descriptor("Note", AccessRule(allow: operators, changesState: true, audit: .change))
    /// Commits, and then takes as many milliseconds as the request's number says.
    static let noteSlowly = descriptor(
        "NoteSlowly", AccessRule(allow: operators, changesState: true, audit: .change, execution: .pooled))
    static let own = descriptor(
        "Own",
        AccessRule(allow: [Allow(role: Roles.practiceStatements, relation: .own, organisationField: "text")]))
    static let fault = descriptor("Fault", AccessRule(allow: [], anyCaller: true))
    static let stubborn = descriptor(
        "Stubborn", AccessRule(allow: [], anyCaller: true, timeLimitMilliseconds: 20_000, execution: .pooled))
    static let waitInline = descriptor(
        "WaitInline", AccessRule(allow: [], anyCaller: true, timeLimitMilliseconds: 20_000))
    /// Waits until the test opens the gate named by the request's text.
    static let gate = descriptor(
        "Gate", AccessRule(allow: [], anyCaller: true, timeLimitMilliseconds: 60_000))
    static let hold = descriptor("Hold", AccessRule(allow: [], anyCaller: true))
    static let secret = descriptor("Secret", AccessRule(allow: operators, audit: .sensitiveRead))
    static let small = descriptor("Small", AccessRule(allow: operators, maximumRequestBytes: 64))
    static let commitsWrongly = descriptor("CommitsWrongly", AccessRule(allow: [], anyCaller: true))
    static let collect = descriptor(
        "Collect", AccessRule(allow: operators, changesState: true, audit: .change, execution: .pooled),
        kind: .clientStreaming)

    var methods: [BoundMethod] {
        [
            unary(Self.note) { [self] request, call in try await keep(request.text, call) },
            unary(Self.noteSlowly) { [self] request, call in
                let reply = try await keep(request.text, call)
                try await Task.sleep(for: .milliseconds(request.number))
                return reply
            },
            unary(Self.own) { request, call in .with { $0.text = call.caller.actingFor } },
            unary(Self.fault) { request, _ in throw Fault(secret: "SELECT * FROM person \(request.text)") },
            unary(Self.stubborn) { request, _ in
                // Heeds no cancellation.
                await withCheckedContinuation { continuation in
                    DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(Int(request.number))) {
                        continuation.resume()
                    }
                }
                return Pcs_Host_V1_EchoReply()
            },
            unary(Self.waitInline) { request, _ in
                try await Task.sleep(for: .milliseconds(request.number))
                return .with { $0.number = request.number }
            },
            unary(Self.gate) { request, _ in
                while !Self.openGates.withLock({ $0.contains(request.text) }) {
                    try await Task.sleep(for: .milliseconds(5))
                }
                return .with { $0.text = request.text }
            },
            unary(Self.hold) { request, _ in
                usleep(UInt32(request.number) * 1000)
                return Pcs_Host_V1_EchoReply()
            },
            unary(Self.secret) { _, _ in .with { $0.text = "secret" } },
            unary(Self.small) { request, _ in .with { $0.payload = request.payload } },
            unary(Self.commitsWrongly) { [self] request, call in try await keep(request.text, call) },
            collecting,
        ]
    }

    private var collecting: BoundMethod {
        BoundMethod(
            descriptor: Self.collect,
            handler: .clientStreaming { bytes in
                let first = try RequestDecodingFailure.decode(bytes, as: Pcs_Host_V1_EchoRequest.self)
                return BoundMethod.Prepared(organisations: []) { [self] call, source in
                    var text = first.text
                    while let next = try await source.next() {
                        text += try RequestDecodingFailure.decode(next, as: Pcs_Host_V1_EchoRequest.self).text
                    }
                    return try await keep(text, call).serializedBytes()
                }
            })
    }

    private func unary(
        _ descriptor: MethodDescriptor,
        _ body:
            @escaping @Sendable (Pcs_Host_V1_EchoRequest, CallContext) async throws -> Pcs_Host_V1_EchoReply
    ) -> BoundMethod {
        BoundMethod(
            descriptor: descriptor,
            handler: .unary { bytes in
                let request = try RequestDecodingFailure.decode(bytes, as: Pcs_Host_V1_EchoRequest.self)
                let fields = descriptor.access.allow.filter { !$0.organisationField.isEmpty }
                let targets = fields.map {
                    OrganisationTarget(field: $0.organisationField, code: request.text)
                }
                return BoundMethod.Prepared(organisations: targets) { call in
                    Self.runs.withLock { $0[request.text, default: 0] += 1 }
                    return try await body(request, call).serializedBytes()
                }
            })
    }

    private func keep(_ text: String, _ call: CallContext) async throws -> Pcs_Host_V1_EchoReply {
        try await call.commit { transaction in
            try transaction.run(Statement("INSERT INTO note (text) VALUES (?1)"), [.text(text)])
            transaction.audit(AuditNote(object: "note", detail: "kept"))
            return .with { $0.text = text }
        }
    }

    struct Fault: Error {
        let secret: String
    }

    static let jobRuns = Mutex<[ObjectIdentifier: Int]>([:])
    var jobs: [ScheduledJob] {
        [
            ScheduledJob(name: "count", schedule: .every(seconds: 60)) { [self] in
                let count = TrialPlugin.jobRuns.withLock { runs in
                    runs[ObjectIdentifier(self), default: 0] += 1
                    return runs[ObjectIdentifier(self)] ?? 0
                }
                return "run \(count)"
            },
            ScheduledJob(name: "nightly", schedule: .daily(hour: 2, minute: 30)) { "slept" },
            ScheduledJob(name: "failing", schedule: .daily(hour: 23, minute: 59)) {
                throw Fault(secret: "x")
            },
        ]
    }
}

/// A plugin that cannot start.
final class BrokenPlugin: Plugin {
    static let manifest = PluginManifest(
        name: "broken", version: "1.0", summary: "Cannot start.", owners: ["tests"])
    static let migrations: [Migration] = []
    static let method = MethodDescriptor(
        path: "pcs.broken.v1.BrokenService/Any", kind: .unary, requestType: "", replyType: "",
        access: AccessRule(allow: [], anyCaller: true))
    init(_ context: PluginContext) {}
    var methods: [BoundMethod] {
        [
            BoundMethod(
                descriptor: Self.method,
                handler: .unary { _ in BoundMethod.Prepared(organisations: []) { _ in [] } })
        ]
    }
    func start() async throws { throw TrialPlugin.Fault(secret: "no") }
}

extension CallTransport {
    /// Calls a method of the trial plugin.
    func trial(
        _ method: MethodDescriptor, text: String = "", number: Int64 = 0, payload: Data = Data(),
        options: CallOptions = CallOptions()
    ) async throws -> Pcs_Host_V1_EchoReply {
        let request = Pcs_Host_V1_EchoRequest.with {
            $0.text = text
            $0.number = number
            $0.payload = payload
        }
        return try Pcs_Host_V1_EchoReply(
            serializedBytes: try await unary(method, try request.serializedBytes(), options))
    }
}

/// The `Failure` that `body` throws; `nil` when it throws none.
func failure(_ body: () async throws -> Void) async -> Failure? {
    do {
        try await body()
        return nil
    } catch {
        return error as? Failure
    }
}
