import SwiftProtobufPluginLibrary

/// Writes the typed client of a service; it works the same over a socket and in process.
struct ClientWriter {
    let service: Contract.Service
    let names: ServiceNames

    init(service: Contract.Service, namer: SwiftProtobufNamer) {
        self.service = service
        self.names = ServiceNames(service, namer)
    }

    func write(to source: inout SwiftSource) {
        source.documentation([
            "Calls `\(service.descriptor.fullName)` over any transport. Refusals are thrown as `Failure`."
        ])
        source.block("public struct \(names.client): Sendable") { source in
            source.line("private let transport: any CallTransport")
            source.line("private let options: CallOptions")
            source.line()
            source.documentation(["- Parameter options: of every call that gives none of its own."])
            source.block("public init(_ transport: any CallTransport, options: CallOptions = CallOptions())")
            { source in
                source.line("self.transport = transport")
                source.line("self.options = options")
            }
            for method in service.methods {
                source.line()
                source.documentation(method.descriptor.commentLines, then: [method.access.inWords])
                write(method, to: &source)
            }
        }
    }

    private func write(_ method: Contract.Method, to source: inout SwiftSource) {
        let (name, request, reply) = (names.function(method), names.request(method), names.reply(method))
        let descriptor = "\(names.table).\(name)"
        switch method.kind {
        case .unary:
            source.line("public func \(name)(")
            source.line("    _ request: \(request), options: CallOptions? = nil")
            source.block(") async throws -> \(reply)") { source in
                source.line("let bytes: [UInt8] = try request.serializedBytes()")
                source.line(
                    "let reply = try await transport.unary(\(descriptor), bytes, options ?? self.options)")
                source.line("return try \(reply)(serializedBytes: reply)")
            }
        case .serverStreaming:
            source.line("public func \(name)(")
            source.line("    _ request: \(request), options: CallOptions? = nil")
            source.block(") async throws -> AsyncThrowingStream<\(reply), any Error>") { source in
                source.line("let bytes: [UInt8] = try request.serializedBytes()")
                source.line("let replies = try await transport.serverStreaming(")
                source.line("    \(descriptor), bytes, options ?? self.options)")
                source.line("return MessageStreams.decoding(replies, as: \(reply).self)")
            }
        case .clientStreaming:
            source.line("public func \(name)(")
            source.line("    _ requests: some AsyncSequence<\(request), any Error> & Sendable,")
            source.line("    options: CallOptions? = nil")
            source.block(") async throws -> \(reply)") { source in
                source.line("let messages = MessageStreams.encoding(requests)")
                source.lines(streamed(descriptor, reply))
            }
            source.line()
            source.documentation(["As above, for requests that are all at hand; at least one."])
            source.line("public func \(name)(")
            source.line("    _ requests: [\(request)], options: CallOptions? = nil")
            source.block(") async throws -> \(reply)") { source in
                source.line("let messages = try MessageStreams.encoding(requests)")
                source.lines(streamed(descriptor, reply))
            }
        }
    }

    private func streamed(_ descriptor: String, _ reply: String) -> [String] {
        [
            "let reply = try await transport.clientStreaming(\(descriptor), messages, options ?? self.options)",
            "return try \(reply)(serializedBytes: reply)",
        ]
    }
}
