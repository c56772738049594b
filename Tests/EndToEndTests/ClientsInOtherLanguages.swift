import Foundation
import EndToEndSupport
import Testing

/// The protocol's behaviours as independent peers see them: a client written from the document alone, in Python, and
/// the C library.
@Suite("Clients in other languages", .serialized)
struct ClientsInOtherLanguages {
    @Test("the Python client finds every protocol behaviour as documented", arguments: ["tcp", "unix"])
    func python(transport: String) throws {
        let host = try LiveHost()
        try host.start()
        let address = transport == "tcp" ? "tcp:127.0.0.1:\(host.tcpPort)" : "unix:\(host.socketPath)"
        let finished = try Command.run(
            Command.python,
            [Command.root + "/clients/python/behaviours.py", address, "--operator", host.address])
        #expect(finished.status == 0, "\(finished.output)\n\(finished.errors)")
        #expect(finished.output.contains(" passed, 0 failed"))
        #expect(host.stop() == 0)
    }

    @Test("the C client finds every protocol behaviour as documented", arguments: ["tcp", "unix"])
    func c(transport: String) throws {
        let host = try LiveHost()
        try host.start()
        let address = transport == "tcp" ? "tcp:127.0.0.1:\(host.tcpPort)" : "unix:\(host.socketPath)"
        let finished = try Command.run(Command.cExample, [address, "behaviours"])
        #expect(finished.status == 0, "\(finished.output)\n\(finished.errors)")
        #expect(finished.output.contains(" passed, 0 failed"))
        #expect(host.stop() == 0)
    }

    @Test("the Python client stays within a hundred lines")
    func short() throws {
        let text = try String(contentsOfFile: Command.root + "/clients/python/pcs_client.py", encoding: .utf8)
        #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count <= 101)
    }
}
