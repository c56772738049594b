import Host
import Testing

@Suite("The life of a plugin")
struct LifecycleStateTests {
    typealias Phase = PluginLifecycle.Phase

    /// Every transition, by the phase it leads to.
    private static let transitions: [(Phase, @Sendable (inout PluginLifecycle) throws -> Void)] = [
        (.disabled, { try $0.disable(because: "d") }), (.migrating, { try $0.migrate() }),
        (.starting, { try $0.start() }),
        (.ready, { try $0.becomeReady() }), (.degraded, { try $0.degrade(because: "g") }),
        (.draining, { try $0.drain(because: "a") }), (.stopped, { try $0.stop() }),
        (.failed, { try $0.fail(because: "f") }),
    ]

    /// What each phase may become, as the architecture draws it.
    private static let allowed: [Phase: Set<Phase>] = [
        .registered: [.disabled, .migrating, .failed], .disabled: [.disabled, .migrating],
        .migrating: [.starting, .failed], .starting: [.ready, .failed], .ready: [.degraded, .draining],
        .degraded: [.ready, .degraded, .draining], .draining: [.stopped, .failed],
        .stopped: [.disabled, .migrating],
        .failed: [.disabled, .migrating],
    ]

    /// The shortest way to each phase.
    private static let ways: [Phase: [Phase]] = [
        .registered: [], .disabled: [.disabled], .migrating: [.migrating],
        .starting: [.migrating, .starting],
        .ready: [.migrating, .starting, .ready], .degraded: [.migrating, .starting, .ready, .degraded],
        .draining: [.migrating, .starting, .ready, .draining], .failed: [.migrating, .failed],
        .stopped: [.migrating, .starting, .ready, .draining, .stopped],
    ]

    private static func lifecycle(in phase: Phase) throws -> PluginLifecycle {
        var lifecycle = PluginLifecycle()
        for step in ways[phase] ?? [] {
            for (target, transition) in transitions where target == step { try transition(&lifecycle) }
        }
        return lifecycle
    }

    @Test("becomes only what its phase allows, and a refusal changes nothing", arguments: Phase.allCases)
    func transitions(from phase: Phase) throws {
        for (target, transition) in Self.transitions {
            var lifecycle = try Self.lifecycle(in: phase)
            #expect(lifecycle.phase == phase)
            let before = lifecycle
            if Self.allowed[phase]?.contains(target) == true {
                try transition(&lifecycle)
                #expect(lifecycle.phase == target)
            } else {
                #expect(throws: PluginLifecycle.Refusal.self) { try transition(&lifecycle) }
                #expect(lifecycle == before)
            }
        }
    }

    @Test("serves only when ready or degraded", arguments: Phase.allCases)
    func serves(in phase: Phase) throws {
        #expect(try Self.lifecycle(in: phase).serves == [.ready, .degraded].contains(phase))
    }

    @Test("keeps the reason of a state that has one")
    func reasons() throws {
        #expect(try Self.lifecycle(in: .disabled).because == "d")
        #expect(try Self.lifecycle(in: .degraded).because == "g")
        #expect(try Self.lifecycle(in: .draining).because == "a")
        #expect(try Self.lifecycle(in: .failed).because == "f")
        #expect(try Self.lifecycle(in: .ready).because == "")
    }
}
