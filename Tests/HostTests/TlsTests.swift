import CommonContract
import Foundation
import FrameClient
import Host
import HostContract
import NIOSSL
import PluginAPI
import PluginTestKit
import Testing

@Suite("TLS and mutual TLS")
struct TlsTests {
    /// An authority, a host's and a client's certificate, made with the openssl command for one test.
    struct Certificates {
        let folder: String

        init() throws {
            folder = NSTemporaryDirectory() + "pcs-tls-" + UUID().uuidString.prefix(8)
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try run([
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                "2",
                "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test authority",
            ])
            try issue("host", san: "DNS:localhost,IP:127.0.0.1", usage: "serverAuth")
            try issue("client", san: "URI:spiffe://nhs.example/finance", usage: "clientAuth")
            try issue("stranger", san: "URI:spiffe://nhs.example/unknown", usage: "clientAuth")
        }

        private func issue(_ name: String, san: String, usage: String) throws {
            try Data("subjectAltName=\(san)\nextendedKeyUsage=\(usage)\n".utf8).write(
                to: URL(fileURLWithPath: folder + "/\(name).ext"))
            try run([
                "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                "\(name).key",
                "-out", "\(name).csr", "-subj", "/CN=\(name)",
            ])
            try run([
                "x509", "-req", "-in", "\(name).csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", "2",
                "-out", "\(name).pem", "-extfile", "\(name).ext",
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
            guard process.terminationStatus == 0 else { throw RawPeer.Trouble(what: "openssl \(arguments)") }
        }

        func remove() { try? FileManager.default.removeItem(atPath: folder) }

        func settings(mutual: Bool, required: Bool = false) -> TLSSettings {
            TLSSettings(
                certificateFile: folder + "/host.pem", privateKeyFile: folder + "/host.key",
                clientAuthorityFile: mutual ? folder + "/ca.pem" : nil, requiresClientCertificate: required)
        }

        func client(as name: String? = nil) throws -> TLSConfiguration {
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(folder + "/ca.pem"))
            if let name {
                configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(folder + "/\(name).pem")
                    .map { .certificate($0) }
                configuration.privateKey = .privateKey(
                    try NIOSSLPrivateKey(file: folder + "/\(name).key", format: .pem))
            }
            return configuration
        }
    }

    private func host(_ tls: TLSSettings, _ body: (TestHost) async throws -> Void) async throws {
        try await TestHost.with(configure: { $0.listeners = [.tcp(host: "127.0.0.1", port: 0, tls: tls)] }) {
            try await body($0)
        }
    }

    private func client(_ host: TestHost, _ tls: TLSConfiguration) -> FrameClient {
        var configuration = FrameClientConfiguration(address: host.address(.tcp), tls: tls)
        configuration.serverName = "localhost"
        configuration.retry = .never
        configuration.connectTimeoutMilliseconds = 3_000
        return FrameClient(configuration)
    }

    @Test("over TLS a token proves the caller")
    func token() async throws {
        let certificates = try Certificates()
        defer { certificates.remove() }
        try await host(certificates.settings(mutual: false)) { host in
            let anyone = try await host.client("anyone", roles: [Roles.auditor])
            let client = client(host, try certificates.client())
            let identity = Pcs_Host_V1_IdentityServiceClient(client)
            let me = try await identity.whoAmI(
                .init(), options: CallOptions(accessToken: try await host.accessToken(of: anyone)))
            #expect(me.authentication == "token")
            #expect(me.clientID == "anyone")
            let echo = try await Pcs_Host_V1_HealthServiceClient(client).check(.init())
            #expect(echo.serving)
            await client.close()
        }
    }

    @Test("a client certificate proves the system by its URI name")
    func mutual() async throws {
        let certificates = try Certificates()
        defer { certificates.remove() }
        try await host(certificates.settings(mutual: true, required: true)) { host in
            _ = try await host.client(
                "finance", roles: [Roles.auditor], certificateURI: "spiffe://nhs.example/finance")
            let known = client(host, try certificates.client(as: "client"))
            let me = try await Pcs_Host_V1_IdentityServiceClient(known).whoAmI(.init())
            #expect(me.authentication == "mutual-tls")
            #expect(me.clientID == "finance")
            await known.close()

            let stranger = client(host, try certificates.client(as: "stranger"))
            let refused = await failure {
                _ = try await Pcs_Host_V1_IdentityServiceClient(stranger).whoAmI(.init())
            }
            #expect(refused?.reason == HostReasons.unauthenticated)
            await stranger.close()

            let bare = client(host, try certificates.client())
            await #expect(throws: (any Error).self) {
                try await Pcs_Host_V1_HealthServiceClient(bare).check(.init())
            }
            await bare.close()
        }
    }

    @Test("a certificate may be left out where it is not required")
    func optional() async throws {
        let certificates = try Certificates()
        defer { certificates.remove() }
        try await host(certificates.settings(mutual: true)) { host in
            let bare = client(host, try certificates.client())
            #expect(try await Pcs_Host_V1_HealthServiceClient(bare).check(.init()).serving)
            await bare.close()
        }
    }

    @Test("plain bytes on a TLS listener end alone")
    func plain() async throws {
        let certificates = try Certificates()
        defer { certificates.remove() }
        try await host(certificates.settings(mutual: false)) { host in
            let address = host.address(.tcp)
            try await onThread {
                let peer = try RawPeer(address)
                peer.send(Array(repeating: 0x41, count: 600))
                while (try? peer.next()) != nil {}
            }
            let client = client(host, try certificates.client())
            #expect(try await Pcs_Host_V1_HealthServiceClient(client).check(.init()).serving)
            await client.close()
        }
    }

    @Test("files that cannot be used are named before the host starts")
    func wrongFiles() async throws {
        let certificates = try Certificates()
        defer { certificates.remove() }
        var settings = certificates.settings(mutual: false)
        settings.privateKeyFile = certificates.folder + "/client.key"
        await #expect(throws: SettingsProblem.self) { try await host(settings) { _ in } }
        settings.privateKeyFile = certificates.folder + "/none.key"
        let problem = await #expect(throws: SettingsProblem.self) { try await host(settings) { _ in } }
        #expect(problem?.setting == "listeners[0].tls.private-key-file")
    }
}
