import Foundation
import FrameClient
import NIOSSL
import PluginAPI
import Testing

@testable import FrameProtocol

@Suite("The Swift client over TLS")
struct FrameClientTLSTests {
    private static let echo = MethodDescriptor(
        path: "test.Service/Echo", kind: .unary, requestType: "", replyType: "",
        access: AccessRule(allow: [], timeLimitMilliseconds: 5_000))

    /// Calls a server that has the certificate `served`; the reply, and what the server saw.
    private func call(
        _ certificates: Certificates, served: String = "host", asking clientCertificate: Bool = false,
        tls: TLSConfiguration, host: String = "127.0.0.1", serverName: String? = nil
    ) async throws -> (reply: Result<[UInt8], any Error>, seen: ScriptedServer.Seen) {
        let server = try await ScriptedServer(
            tls: try certificates.server(served, asking: clientCertificate)
        ) { line, stream, _, body in line.write(OutgoingReply(stream: stream, body: body)) }
        var configuration = FrameClientConfiguration(address: .tcp(host: host, port: server.port), tls: tls)
        configuration.serverName = serverName
        configuration.retry = .never
        configuration.connectTimeoutMilliseconds = 3_000
        let client = FrameClient(configuration)
        let reply: Result<[UInt8], any Error>
        do {
            reply = .success(try await client.unary(Self.echo, [1, 2, 3], CallOptions()))
        } catch {
            reply = .failure(error)
        }
        await client.close()
        await server.stop()
        return (reply, server.seen)
    }

    /// The call must not have reached the server, and the caller must be told that TLS was the trouble.
    private func expectRefused(
        _ outcome: (reply: Result<[UInt8], any Error>, seen: ScriptedServer.Seen),
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(outcome.seen.calls.isEmpty, sourceLocation: sourceLocation)
        guard case .failure(let error) = outcome.reply, let failure = error as? Failure else {
            Issue.record("\(outcome.reply)", sourceLocation: sourceLocation)
            return
        }
        #expect(failure.reason == ClientReasons.connectionFailed, sourceLocation: sourceLocation)
        #expect(failure.progress == .notStarted, sourceLocation: sourceLocation)
        #expect(failure.message.contains("TLS"), "\(failure.message)", sourceLocation: sourceLocation)
    }

    @Test("a certificate of a trusted authority for the host's name carries calls, and pcs/1 is agreed on")
    func valid() async throws {
        let certificates = try Certificates()
        for (host, name) in [("127.0.0.1", "pcs.example" as String?), ("127.0.0.1", nil), ("localhost", nil)]
        {
            let outcome = try await call(
                certificates, tls: try certificates.client(), host: host, serverName: name)
            #expect(try outcome.reply.get() == [1, 2, 3], "\(host) \(name ?? "")")
            #expect(outcome.seen.protocols == ["pcs/1"] && outcome.seen.violations.isEmpty)
        }
    }

    @Test("a certificate of another authority is refused")
    func wrongAuthority() async throws {
        let certificates = try Certificates()
        expectRefused(
            try await call(
                certificates, tls: try certificates.client(trusting: "other-ca"), serverName: "pcs.example"))
    }

    @Test("a certificate for another name or address is refused")
    func wrongName() async throws {
        let certificates = try Certificates()
        let tls = try certificates.client()
        expectRefused(try await call(certificates, served: "elsewhere", tls: tls, serverName: "pcs.example"))
        expectRefused(try await call(certificates, served: "elsewhere", tls: tls))
        expectRefused(try await call(certificates, served: "elsewhere", tls: tls, host: "localhost"))
    }

    @Test("a certificate that has expired is refused")
    func expired() async throws {
        let certificates = try Certificates()
        expectRefused(
            try await call(
                certificates, served: "expired", tls: try certificates.client(), serverName: "pcs.example"))
    }

    @Test("mutual TLS: with a certificate of the host's authority calls go through")
    func mutual() async throws {
        let certificates = try Certificates()
        let outcome = try await call(
            certificates, asking: true, tls: try certificates.client(as: "system"), serverName: "pcs.example")
        #expect(try outcome.reply.get() == [1, 2, 3])
    }

    @Test("mutual TLS: without a certificate, or with one of another authority, the host ends the connection")
    func mutualRefused() async throws {
        let certificates = try Certificates()
        expectRefused(
            try await call(
                certificates, asking: true, tls: try certificates.client(), serverName: "pcs.example"))
        expectRefused(
            try await call(
                certificates, asking: true, tls: try certificates.client(as: "stranger"),
                serverName: "pcs.example"))
    }

    @Test("a client with TLS and a server without find out, within the time for connecting")
    func plainServer() async throws {
        let certificates = try Certificates()
        let server = try await ScriptedServer { _, _, _, _ in }
        var configuration = FrameClientConfiguration(
            address: .unixSocket(path: server.path), tls: try certificates.client())
        configuration.serverName = "pcs.example"
        configuration.retry = .never
        configuration.connectTimeoutMilliseconds = 2_000
        let client = FrameClient(configuration)
        let error = await #expect(throws: Failure.self) {
            _ = try await client.unary(Self.echo, [1], CallOptions())
        }
        #expect(error?.progress == .notStarted)
        await client.close()
        await server.stop()
    }
}

/// Two authorities and certificates of theirs, made with the openssl command in a folder that goes with the test.
private final class Certificates: Sendable {
    private struct Trouble: Error { let what: String }

    private let folder: String

    init() throws {
        folder = NSTemporaryDirectory() + "pcs-tls-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for authority in ["ca", "other-ca"] {
            try run(
                ["req", "-x509"] + Self.newKey + [
                    "-days", "2", "-keyout", "\(authority).key", "-out", "\(authority).pem", "-subj",
                    "/CN=\(authority)",
                ])
        }
        let names = "DNS:pcs.example,DNS:localhost,IP:127.0.0.1"
        try issue("host", names: names, usage: "serverAuth")
        try issue("elsewhere", names: "DNS:elsewhere.example,IP:192.0.2.1", usage: "serverAuth")
        try issue("expired", names: names, usage: "serverAuth", days: "-1")
        try issue("system", names: "URI:spiffe://nhs.example/finance", usage: "clientAuth")
        try issue("stranger", names: "URI:spiffe://nhs.example/finance", usage: "clientAuth", by: "other-ca")
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private static let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]

    private func issue(
        _ name: String, names: String, usage: String, by authority: String = "ca", days: String = "2"
    ) throws {
        try Data("subjectAltName=\(names)\nextendedKeyUsage=\(usage)\n".utf8).write(
            to: URL(fileURLWithPath: folder + "/\(name).ext"))
        try run(
            ["req"] + Self.newKey + ["-keyout", "\(name).key", "-out", "\(name).csr", "-subj", "/CN=\(name)"])
        try run([
            "x509", "-req", "-in", "\(name).csr", "-CA", "\(authority).pem", "-CAkey", "\(authority).key",
            "-CAcreateserial", "-days", days, "-out", "\(name).pem", "-extfile", "\(name).ext",
        ])
    }

    private func run(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Trouble(what: "openssl \(arguments)") }
    }

    private func chain(_ name: String) throws -> [NIOSSLCertificateSource] {
        try NIOSSLCertificate.fromPEMFile(folder + "/\(name).pem").map { .certificate($0) }
    }

    private func key(_ name: String) throws -> NIOSSLPrivateKeySource {
        .privateKey(try NIOSSLPrivateKey(file: folder + "/\(name).key", format: .pem))
    }

    private func authority(_ name: String) throws -> NIOSSLTrustRoots {
        .certificates(try NIOSSLCertificate.fromPEMFile(folder + "/\(name).pem"))
    }

    func client(trusting authority: String = "ca", as name: String? = nil) throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = try self.authority(authority)
        if let name {
            configuration.certificateChain = try chain(name)
            configuration.privateKey = try key(name)
        }
        return configuration
    }

    func server(_ name: String, asking clientCertificate: Bool) throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try chain(name), privateKey: try key(name))
        configuration.applicationProtocols = ["pcs/1"]
        if clientCertificate {
            configuration.trustRoots = try authority("ca")
            configuration.certificateVerification = .noHostnameVerification
        }
        return configuration
    }
}
