import Foundation
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import Host

@Suite("The register is quick")
struct OrganisationSpeedTests {
    @Test("the whole of England loads within seconds, comes back at start, and answers in microseconds")
    func wholeLoad() async throws {
        try await TestHost.with { host in
            let clock = ContinuousClock()
            let load = try await clock.measure { try await host.loadOrganisations(pharmacies: true) }
            let register = try host.process.organisations()
            let start = try clock.measure { try register.load() }
            let codes = register.snapshot.codes
            let today = host.clock.today
            let rounds = 20_000
            let ask = clock.measure {
                for index in 0..<rounds { _ = register.region(of: codes[index % codes.count], at: today) }
            }
            let line =
                "load \(load), into memory \(start), region of an organisation "
                + "\(ask / rounds) (\(codes.count) codes)"
            if ProcessInfo.processInfo.environment["PCS_TEST_FIGURES"] != nil { print(line) }
            // Wide bounds, for debug builds on busy machines; they catch a wrong order of growth.
            #expect(load < .seconds(60) && start < .seconds(10) && ask / rounds < .microseconds(300), "\(line)")
        }
    }
}
