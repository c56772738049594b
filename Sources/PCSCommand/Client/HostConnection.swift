import Foundation
import FrameClient
import NIOCore
import NIOPosix
import NIOSSL
package import PluginAPI

/// The way to the host that the settings name.
package final class HostConnection: Sendable {
    private let client: FrameClient
    package var transport: any CallTransport { client }

    private init(_ client: FrameClient) { self.client = client }

    /// Connects.
    ///
    /// - Throws: `CommandError` when no host answers there.
    package static func open(_ settings: ClientSettings) async throws -> HostConnection {
        var configuration: FrameClientConfiguration
        switch settings.address {
        case .unix(let path):
            configuration = FrameClientConfiguration(address: .unixSocket(path: path))
        case .tcp(let host, let port):
            configuration = FrameClientConfiguration(address: .tcp(host: host, port: port))
        case .tls(let host, let port):
            configuration = FrameClientConfiguration(
                address: .tcp(host: host, port: port), tls: try tls(settings))
        }
        configuration.software = "pcs/\(CommandVersion.text)"
        let client = FrameClient(configuration)
        do {
            try await client.connect()
        } catch let failure as Failure where failure.reason == ClientReasons.connectionFailed {
            await client.close()
            throw CommandError(
                .unreachable, "no host answers at \(settings.address)" + words(failure.cause),
                nextStep: "Start one with `pcs serve`, or name another with --host.")
        } catch {
            await client.close()
            throw error
        }
        return HostConnection(client)
    }

    package func close() async { await client.close() }

    /// What the system said, without the names of its functions.
    private static func words(_ cause: (any Error)?) -> String {
        switch cause {
        case let error as IOError: ": " + String(cString: strerror(error.errnoCode))
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { words($0.error) } ?? ": the name \(error.host) is not known"
        case let error as NIOSSLError: ": TLS failed (\(error))"
        default: ""
        }
    }

    private static func tls(_ settings: ClientSettings) throws -> TLSConfiguration {
        func readable<Value>(_ file: String, _ what: String, _ read: () throws -> Value) throws -> Value {
            do {
                return try read()
            } catch {
                throw CommandError(.noInput, "\(file) holds no \(what) in PEM that can be read")
            }
        }
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if let file = settings.authorityFile {
            let authorities = try readable(file, "certificates") { try NIOSSLCertificate.fromPEMFile(file) }
            tls.trustRoots = .certificates(authorities)
        }
        if let certificateFile = settings.certificateFile, let keyFile = settings.certificateKeyFile {
            let chain = try readable(certificateFile, "certificate") {
                try NIOSSLCertificate.fromPEMFile(certificateFile)
            }
            tls.certificateChain = chain.map { .certificate($0) }
            let key = try readable(keyFile, "private key") {
                try NIOSSLPrivateKey(file: keyFile, format: .pem)
            }
            tls.privateKey = .privateKey(key)
        }
        return tls
    }
}

/// Version of the command line, as it names itself to hosts.
package enum CommandVersion {
    package static let text = "0.1.0"
}
