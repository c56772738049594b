import CQRSPlugin
import PluginAPI
import PluginTestKit
import Testing

@Suite("CQRS in its host")
struct PluginStart {
    @Test("starts on an empty store and makes its tables")
    func starts() async throws {
        try await TestHost.with([CQRSPlugin.self]) { host in
            let participations = try host.store(of: "cqrs").read { reader in
                try reader.first(Statement("SELECT COUNT(*) FROM participation")) { $0.integer(0) }
            }
            #expect(participations == 0)
        }
    }
}
