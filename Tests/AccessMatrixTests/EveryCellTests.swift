import CommonContract
import HostContract
import Logging
import PluginAPI
import PluginTestKit
import Testing

@testable import Host

/// The exhaustive matrix. What is expected comes from the printed table and from a map of England written by
/// hand; what is asked is the decision of each call.
@Suite("Every cell of the access matrix")
struct EveryCellTests {
    @Test("the printed table has every method of every contract, and no other")
    func complete() throws {
        let printed = try PrintedMatrix.read()
        let paths = Contracts.all.map(\.path)
        #expect(Set(paths).count == paths.count)
        #expect(Set(paths).subtracting(printed.rules.keys).sorted() == [])
        #expect(Set(printed.rules.keys).subtracting(paths).sorted() == [])
        for rule in printed.rules.values {
            let kinds = [rule.isForAnybody, rule.isForAnyCaller, !rule.ways.isEmpty]
            #expect(kinds.count { $0 } == 1, "\(rule.path)")
        }
        let named = Set(printed.rules.values.flatMap { $0.ways.map(\.role) })
        #expect(named.subtracting(Roles.all.map(\.name)).sorted() == [])
    }

    @Test("what is expected of a proof that is void is a refusal, but of what is open to anybody")
    func voidProofs() throws {
        let rules = try PrintedMatrix.read().rules.values
        for proof in Proof.allCases where proof.isVoid {
            let open = rules.filter { rule in
                Roles.all.contains { role in
                    Oracle.pairsOfSmallEngland.contains {
                        Oracle.smallEngland.admits(rule, role: role.name, $0, proof)
                    }
                }
            }
            let others = open.filter { !$0.isForAnybody }.map(\.path)
            #expect(others == [])
        }
    }

    /// What a share of the methods gave.
    private struct Tally: Sendable {
        var cells = 0
        var admitted = 0
        /// Methods that nobody reached.
        var closed: [String] = []
        var wrong: [String] = []
    }

    /// For a role that a method takes: every pair of organisations with every proof. For all others: every
    /// pair with a valid session, and every proof at a pair that changes from role to role.
    @Test("each is decided as the table says", .timeLimit(.minutes(10)))
    func cells() async throws {
        let printed = try PrintedMatrix.read()
        try await TestHost.with(clock: ManualClock(SmallRegister.today)) { host in
            let registry = IdentityRegistry(
                store: try host.process.store(), directory: SmallRegister(), clock: host.clock,
                audience: "pcs", logger: Logger(label: "matrix"))
            let callers = try Callers(
                registry: registry, roles: Roles.all,
                organisations: Set(Oracle.pairsOfSmallEngland.map(\.acting)))
            let start = ContinuousClock.now
            let tally = try await withThrowingTaskGroup(of: Tally.self) { group in
                let shares = 2
                for share in 0..<shares {
                    group.addTask {
                        var tally = Tally()
                        for (index, method) in Contracts.all.enumerated() where index % shares == share {
                            let rule = try #require(printed.rules[method.path])
                            try Self.ask(registry, method, rule, callers, into: &tally)
                        }
                        return tally
                    }
                }
                return try await group.reduce(into: Tally()) { sum, part in
                    sum.cells += part.cells
                    sum.admitted += part.admitted
                    sum.closed += part.closed
                    sum.wrong += part.wrong
                }
            }
            let time = ContinuousClock.now - start
            print(
                "access matrix: \(tally.cells) cells (\(Contracts.all.count) methods, "
                    + "\(Roles.all.count) roles, \(Oracle.pairsOfSmallEngland.count) pairs of "
                    + "organisations, \(Proof.allCases.count) proofs), "
                    + "\(tally.admitted) admitted, in \(time)")
            #expect(tally.wrong.prefix(40) == [])
            #expect(tally.wrong.count == 0)
            #expect(tally.closed == [], "a rule that lets nobody in is a mistake")
            #expect(tally.cells > 1_000_000)
        }
    }

    private static func ask(
        _ registry: IdentityRegistry, _ method: MethodDescriptor, _ rule: PrintedMatrix.Rule,
        _ callers: Callers, into tally: inout Tally
    ) throws {
        let pairs = Oracle.pairsOfSmallEngland
        let before = tally.admitted
        let fields = rule.fields.sorted()
        let targets = pairs.map { pair in
            fields.compactMap { field in
                pair.named.map { OrganisationTarget(field: field, code: $0) }
            }
        }
        let taken = Set(rule.ways.map(\.role))
        for (number, role) in Roles.all.enumerated() {
            let isTaken = taken.contains(role.name)
            let turn = (number + tally.cells) % pairs.count
            for (index, pair) in pairs.enumerated() {
                let here = callers.all(role, at: pair.acting)
                for (proof, caller) in zip(Proof.allCases, here)
                where isTaken || proof == .session || index == turn {
                    let isAdmitted =
                        (try? registry.authorise(
                            method, credentials: caller.credentials, organisations: targets[index])) != nil
                    tally.cells += 1
                    if isAdmitted { tally.admitted += 1 }
                    if isAdmitted != Oracle.smallEngland.admits(rule, role: role.name, pair, proof) {
                        tally.wrong.append(
                            "\(method.path) \(role) \(pair) \(proof): "
                                + (isAdmitted ? "admitted" : "refused"))
                    }
                }
            }
        }
        if tally.admitted == before { tally.closed.append(method.path) }
    }
}
