import CommonContract
import EndToEndSupport
import Foundation
import FrameClient
import PluginAPI
import Testing

/// The protocol's behaviours as independent peers see them: a client written from the document alone, in Python, and
/// the C library.
@Suite("Clients in other languages", .serialized)
struct ClientsInOtherLanguages {
    @Test("the Python client finds every protocol behaviour as documented", arguments: ["tcp", "unix"])
    func python(transport: String) throws {
        let host = try LiveHost()
        try host.start()
        let process = try #require(host.processIdentifier)
        let finished = try Command.run(
            Command.python,
            [
                Command.root + "/clients/python/behaviours.py", address(of: host, transport),
                "--operator", host.address, "--stop", String(process),
            ])
        #expect(finished.status == 0, "\(finished.output)\n\(finished.errors)")
        // Who calls through the Unix socket always has an identity, so one behaviour is seen over TCP alone.
        expect(finished.output, passed: transport == "tcp" ? 43 : 42, of: 43)
        #expect(host.stop() == 0)
    }

    @Test("the C client finds every protocol behaviour as documented", arguments: ["tcp", "unix"])
    func c(transport: String) async throws {
        let host = try LiveHost()
        try host.start()
        let process = try #require(host.processIdentifier)
        var arguments = [address(of: host, transport), "behaviours", "--stop", String(process)]
        if transport == "tcp" { arguments += ["--token", try await operatorToken(host)] }
        let finished = try Command.run(Command.cExample, arguments)
        #expect(finished.status == 0, "\(finished.output)\n\(finished.errors)")
        expect(finished.output, passed: transport == "tcp" ? 30 : 29, of: 30)
        #expect(host.stop() == 0)
    }

    private func address(of host: LiveHost, _ transport: String) -> String {
        transport == "tcp" ? "tcp:127.0.0.1:\(host.tcpPort)" : "unix:\(host.socketPath)"
    }

    /// The last line counts what was tried; what is left out is said above it.
    private func expect(_ output: String, passed: Int, of all: Int) {
        #expect(output.hasSuffix("\(passed) passed, 0 failed\n"), "\(output)")
        #expect(output.contains(" left out") == (passed < all), "\(output)")
    }

    /// The C client signs nothing itself: an operator gives it a token.
    private func operatorToken(_ host: LiveHost) async throws -> String {
        let person = SignedPerson("otto.operator")
        let local = FrameClient(FrameClientConfiguration(address: .unixSocket(path: host.socketPath)))
        do {
            try await person.register(roles: [Roles.hostOperator], through: local)
            let token = try await person.token(through: local)
            await local.close()
            return token
        } catch {
            await local.close()
            throw error
        }
    }

    @Test("the Python client stays within a hundred lines")
    func short() throws {
        let text = try String(contentsOfFile: Command.root + "/clients/python/pcs_client.py", encoding: .utf8)
        #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count <= 101)
    }
}
