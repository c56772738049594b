import Glibc
import NIOCore
import NIOSSL
import PluginAPI

/// The other end of a Unix-domain socket, as the kernel vouches for it. Layout of `struct ucred`.
struct PeerCredentials: Sendable {
    var processID: Int32 = 0
    var userID: UInt32 = 0
    var groupID: UInt32 = 0

    /// SO_PEERCRED of asm-generic/socket.h, which Glibc's module hides behind a feature macro.
    private static let option = NIOBSDSocket.Option(rawValue: 17)

    /// Asks the kernel. `nil` when the channel is no Unix-domain socket.
    static func of(_ channel: any Channel) -> EventLoopFuture<PeerCredentials?> {
        guard let provider = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeSucceededFuture(nil)
        }
        let answer: EventLoopFuture<PeerCredentials> = provider.unsafeGetSocketOption(
            level: .socket, name: option)
        return answer.map { .some($0) }
    }

    /// Name of the user, or its number when the machine knows no name.
    var userName: String {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        let name = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { buffer -> String? in
            guard let base = buffer.baseAddress, getpwuid_r(userID, &entry, base, buffer.count, &found) == 0,
                found != nil, let name = entry.pw_name
            else { return nil }
            return String(cString: name)
        }
        return name ?? String(userID)
    }
}

extension NIOSSLCertificate {
    /// The URI among its subject alternative names when there is exactly one: the client's name in this
    /// system.
    var onlyURIName: String? {
        let names = _subjectAlternativeNames().filter { $0.nameType == .uri }
        guard names.count == 1, let name = names.first else { return nil }
        return name.contents.withUnsafeBufferPointer { String(validating: $0, as: UTF8.self) }
    }
}

extension TLSSettings {
    /// - Throws: `SettingsProblem` naming the file that cannot be used.
    func context(named name: String) throws -> NIOSSLContext {
        let chain = try reading(name + ".certificate-file", certificateFile) {
            try NIOSSLCertificate.fromPEMFile($0).map { NIOSSLCertificateSource.certificate($0) }
        }
        let key = try reading(name + ".private-key-file", privateKeyFile) {
            try NIOSSLPrivateKey(file: $0, format: .pem)
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["pcs/1"]
        if let clientAuthorityFile {
            let roots = try reading(name + ".client-authority-file", clientAuthorityFile) {
                try NIOSSLCertificate.fromPEMFile($0)
            }
            configuration.trustRoots = .certificates(roots)
            // A client has no host name to compare; its URI name is looked up in the register of clients.
            configuration.certificateVerification =
                requiresClientCertificate ? .noHostnameVerification : .optionalVerification
        }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw SettingsProblem(
                setting: name, message: "certificate and key cannot be used together: \(error)")
        }
    }

    private func reading<T>(_ setting: String, _ path: String, _ read: (String) throws -> T) throws -> T {
        do {
            return try read(path)
        } catch {
            throw SettingsProblem(setting: setting, message: "'\(path)' cannot be read: \(error)")
        }
    }
}
