import CommonContract
import FrameClient
import HostContract
import PluginAPI
import PluginTestKit
import SwiftProtobuf
import Testing

@testable import Host

/// Methods of every plugin's contract, with handlers that say that they were reached.
private final class ReachedPlugin: Plugin {
    static let manifest = PluginManifest(
        name: "reached", version: "1.0", summary: "Says that a call passed the gates.", owners: ["tests"])
    static let migrations: [Migration] = []

    static let served = Contracts.ofPlugins.filter { $0.kind == .unary }

    init(_ context: PluginContext) {}

    /// The text of the request is the organisation that it names, in each of its fields.
    var methods: [BoundMethod] {
        Self.served.map { descriptor in
            BoundMethod(
                descriptor: descriptor,
                handler: .unary { bytes in
                    let named = try Pcs_Host_V1_EchoRequest(serializedBytes: bytes).text
                    let fields = Set(descriptor.access.allow.map(\.organisationField)).subtracting([""])
                    let targets = fields.sorted().map { OrganisationTarget(field: $0, code: named) }
                    return BoundMethod.Prepared(organisations: named == "nothing" ? [] : targets) { _ in
                        throw Failure(HostReasons.stateWrong, "reached")
                    }
                })
        }
    }
}

@Suite("Cells of the access matrix through the socket")
struct SocketCellTests {
    /// The real register in March 2026, as its files read.
    private static let england = Oracle(
        holds: [
            .own: [
                "PCS>PCS", "QT1>QT1", "02Q>02Q", "C84001>C84001", "U82499>U82499",
            ],
            .commissioner: ["02Q>02Q", "02Q>C84001", "02Q>C84008", "02Q>U82499"],
            .icb: ["QT1>QT1", "QT1>02Q", "QT1>C84001"],
            .region: ["Y60>C84001"],
            .pcnMember: ["C84008>U82499"],
            .pcnOf: ["U82499>C84008"],
            .pcnPeer: [
                "PCS>PCS", "QT1>QT1", "02Q>02Q", "C84001>C84001", "U82499>U82499", "C84008>C84013",
            ],
        ],
        holdsForReading: [:], national: ["PCS"], closedLately: [], closedLongAgo: [])

    private static let pairs = [
        "PCS>PCS", "PCS>C84001", "PCS>nothing", "Y60>C84001", "QT1>QT1", "QT1>02Q", "QT1>C84001", "02Q>02Q",
        "02Q>C84001", "02Q>C84008", "02Q>U82499", "02Q>nothing", "15N>C84001", "U82499>C84008",
        "U82499>U82499", "U82499>C84001", "C84001>C84001", "C84001>C84008", "C84001>U82499", "C84008>U82499",
        "C84008>C84013", "C84001>Z99999", "C84001>",
    ].map { Pair($0) }

    private static let gates: Set<Reason> = [
        HostReasons.unauthenticated, HostReasons.tokenExpired, HostReasons.accessDenied,
        HostReasons.actingForRequired, HostReasons.organisationOutOfScope, HostReasons.stepUpRequired,
        HostReasons.notFound,
    ]

    private struct Dice: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state ^ (state >> 29)) &* 0xBF58_476D_1CE4_E5B9
        }

        mutating func pick<Item>(_ items: [Item]) -> Item {
            items[Int.random(in: items.indices, using: &self)]
        }
        mutating func isHeads() -> Bool { Bool.random(using: &self) }
    }

    @Test("a seeded sample is decided as the table says", .timeLimit(.minutes(3)))
    func sample() async throws {
        let printed = try PrintedMatrix.read()
        try await TestHost.with([ReachedPlugin.self]) { host in
            try await host.loadOrganisations()
            let callers = try Callers(
                registry: try host.process.identity(), roles: Roles.all,
                organisations: Set(Self.pairs.map(\.acting)))
            let client = FrameClient(FrameClientConfiguration(address: host.address(.tcp)))
            var dice = Dice(state: 20_260_316)
            let start = ContinuousClock.now
            var (asked, reached) = (0, 0)
            while asked < 1_200 {
                let method = dice.pick(ReachedPlugin.served)
                let rule = try #require(printed.rules[method.path])
                // A cell drawn blindly is nearly always closed: half of them have a role that the method
                // takes, half a proof that is good.
                let isTaken = dice.isHeads() && !rule.ways.isEmpty
                let role = isTaken ? Role(dice.pick(rule.ways).role) : dice.pick(Roles.all)
                let pair = dice.pick(Self.pairs)
                let proof = dice.isHeads() ? dice.pick(Proof.allCases) : .session
                let index = try #require(Proof.allCases.firstIndex(of: proof))
                let isExpected = Self.england.admits(rule, role: role.name, pair, proof)
                let caller = callers.all(role, at: pair.acting)[index]
                let body: [UInt8] = try Pcs_Host_V1_EchoRequest.with { $0.text = pair.named ?? "nothing" }
                    .serializedBytes()
                do {
                    _ = try await client.unary(method, body, caller.options)
                    Issue.record("\(method.path) answered")
                } catch let failure as Failure {
                    let wasReached = failure.reason == HostReasons.stateWrong
                    #expect(
                        wasReached == isExpected && wasReached != Self.gates.contains(failure.reason),
                        "\(method.path) \(role) \(pair) \(proof): \(failure)")
                    if wasReached { reached += 1 }
                }
                asked += 1
            }
            await client.close()
            print(
                "access matrix, socket: \(asked) cells, \(reached) reached, in \(ContinuousClock.now - start)"
            )
            #expect(reached > 150)
        }
    }
}
