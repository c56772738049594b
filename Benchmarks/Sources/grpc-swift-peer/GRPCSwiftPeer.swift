import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2

/// The peer on grpc-swift-2 and GRDB: `grpc-swift-peer DATABASE` serves on a free port of 127.0.0.1 until it is ended,
/// and prints `listening PORT` once it takes calls.
@main
struct GRPCSwiftPeer {
    static func main() async throws {
        guard CommandLine.arguments.count == 2 else {
            FileHandle.standardError.write(Data("usage: grpc-swift-peer DATABASE\n".utf8))
            exit(64)
        }
        let store = try NoteStore(path: CommandLine.arguments[1])
        let roles = RoleTable(callers: ["bench": ["HOST_OPERATOR"]])
        // The defaults of the transport: an event loop a core, as our host has.
        let server = GRPCServer(
            transport: .http2NIOPosix(
                address: .ipv4(host: "127.0.0.1", port: 0), transportSecurity: .plaintext),
            services: [PeerHandler(store: store, roles: roles)])
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await server.serve() }
            guard let port = try await server.listeningAddress?.ipv4?.port else {
                throw RPCError(code: .internalError, message: "the transport did not tell its port")
            }
            print("listening \(port)")
            fflush(nil)
        }
    }
}
