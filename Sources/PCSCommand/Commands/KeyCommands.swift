import ArgumentParser
import Foundation
import HostContract

struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Keys with which people and systems prove who they are.",
        subcommands: [New.self, Register.self, Revoke.self])

    struct New: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a P-256 key pair in the key folder and print the public key. Calls no host.")
        @Argument(help: "Person or system whose key it will be.") var subject: String
        @Flag(help: "Put it in the place of the one that is there.") var replace = false
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run() async throws {
            do {
                guard KeyFolder.isSubject(subject) else {
                    throw CommandError(.usage, "\"\(subject)\" is no id: 3 to 64 of a-z 0-9 . _ -")
                }
                let folder = try ClientSettings(connection).keys
                let key = try folder.makeKey(for: subject, replacing: replace)
                Console.error("private key in \(folder.file(of: subject)), key id \(key.keyID)")
                Console.error("register it with: pcs key register \(subject)")
                Console.out(key.publicKeyPEM)
            } catch {
                throw CommandFailures.report(error)
            }
        }
    }

    struct Register: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register a public key for a person or system: that of the key folder, or of a file.")
        @Argument(help: "Person or system.") var subject: String
        @Option(help: "PEM file with the public key. Default: from the key folder.") var publicKey: String?
        @Option(help: "Name of the key in assertions. Default: from the hash of the key (P-256 only).")
        var keyID: String?
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_RegisterKeyRequest()
            request.subjectID = subject
            if let publicKey {
                guard let pem = try? String(contentsOfFile: publicKey, encoding: .utf8) else {
                    throw CommandError(.noInput, "\(publicKey) cannot be read")
                }
                request.publicKeyPem = pem
                do {
                    request.keyID = try keyID ?? PrivateKey.keyID(ofPublicKey: pem)
                } catch {
                    throw CommandError(
                        .usage, "\(publicKey) is not a P-256 public key",
                        nextStep: "Name the key with --key-id.")
                }
            } else {
                let key = try session.settings.keys.key(of: subject)
                request.publicKeyPem = key.publicKeyPEM
                request.keyID = keyID ?? key.keyID
            }
            let reply = try await session.identity.registerKey(request, options: session.change())
            try session.show(reply) { IdentityView.sheet(reply).rendered(for: $0) }
        }
    }

    struct Revoke: ClientCommand {
        static let configuration = CommandConfiguration(
            abstract: "A revoked key never works again; its tokens end at once.")
        @Argument(help: "Person or system.") var subject: String
        @Argument(help: "Name of the key.") var keyID: String
        @Option(help: "Why; kept for the auditor.") var reason: String
        @OptionGroup(title: "Connection") var connection: ConnectionOptions

        func run(_ session: Session) async throws {
            var request = Pcs_Host_V1_RevokeKeyRequest()
            request.subjectID = subject
            request.keyID = keyID
            request.reason = reason
            let reply = try await session.identity.revokeKey(request, options: session.change())
            try session.show(reply) { IdentityView.sheet(reply).rendered(for: $0) }
        }
    }
}

/// Makes a key pair for someone just registered and tells the host the public half.
package enum KeyRegistration {
    package static func makeAndRegister(for subject: String, _ session: Session) async throws {
        let folder = session.settings.keys
        let key = try folder.makeKey(for: subject)
        try await register(key, of: subject, session)
        session.note("private key in \(folder.file(of: subject)); call as \(subject) with --as \(subject)")
    }

    package static func register(_ key: PrivateKey, of subject: String, _ session: Session) async throws {
        var request = Pcs_Host_V1_RegisterKeyRequest()
        request.subjectID = subject
        request.keyID = key.keyID
        request.publicKeyPem = key.publicKeyPEM
        _ = try await session.identity.registerKey(request, options: session.change())
    }
}
