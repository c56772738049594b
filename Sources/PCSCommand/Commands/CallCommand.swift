import ArgumentParser
import Foundation
import HostContract
import PluginAPI

struct CallCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "call", abstract: "Call any method of the host, with JSON or protobuf text in and out.",
        discussion: """
            The contract comes from the host itself. A method is named in full (pcs.host.v1.HealthService/GetStatus) \
            or by an unambiguous end of it (HealthService/GetStatus, GetStatus). The request is the second argument, \
            @FILE, or standard input with -; without one it is empty. A client-streaming method takes one JSON value \
            after another; a server-streaming one prints one a line.
            """)
    @Argument(help: "Method.") var method: String
    @Argument(help: "Request: JSON, @FILE, or - for standard input.") var request: String?
    @Flag(help: "Protobuf text format instead of JSON, in and out.") var text = false
    @Option(help: "Idempotency key. Default: a new one, for methods that change state.") var key: String?
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run(_ session: Session) async throws {
        let reply = try await session.reflection.getDescriptorSet(.init())
        let pool = try DescriptorPool(serializedSets: [[UInt8](reply.descriptorSet)])
        let method = try pool.method(method)
        let input = try CallInput(argument: request).bytes()
        let requests = try DynamicCall.requests(input, isText: text, of: method, pool)
        var options = session.change()
        if let key { options.idempotencyKey = key }
        let call = DynamicCall(method: method, pool: pool, transport: session.transport, options: options)
        let isText = text
        let isStream = method.serverStreaming
        try await call.run(requests) { message in
            if isText {
                Console.out(DynamicTextEncoder(pool: pool).text(message) + (isStream ? "\n" : ""))
            } else {
                let json = DynamicJSONEncoder(pool: pool).json(message)
                Console.out(isStream ? json.compact : json.pretty)
            }
        }
    }
}

/// Where a request comes from.
struct CallInput {
    let argument: String?

    func bytes() throws -> [UInt8] {
        guard let argument else { return [] }
        if argument == "-" { return [UInt8](FileHandle.standardInput.readDataToEndOfFile()) }
        guard argument.hasPrefix("@") else { return Array(argument.utf8) }
        let path = String(argument.dropFirst())
        guard let content = FileManager.default.contents(atPath: path) else {
            throw CommandError(.noInput, "\(path) cannot be read")
        }
        return [UInt8](content)
    }
}
