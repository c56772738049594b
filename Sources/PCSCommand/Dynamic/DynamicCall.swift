package import PluginAPI

/// A call of a method known only from a descriptor set.
package struct DynamicCall: Sendable {
    private let method: MethodType
    private let pool: DescriptorPool
    private let transport: any CallTransport
    private let options: CallOptions

    package init(method: MethodType, pool: DescriptorPool, transport: any CallTransport, options: CallOptions)
    {
        self.method = method
        self.pool = pool
        self.transport = transport
        self.options = options
    }

    /// Reads the request messages of a call: one, or for client streaming one after another.
    package static func requests(
        _ input: [UInt8], isText: Bool, of method: MethodType, _ pool: DescriptorPool
    ) throws -> [DynamicMessage] {
        let type = try type(method.requestType, pool)
        if isText {
            guard let text = String(validating: input, as: UTF8.self) else {
                throw DynamicError(path: "", problem: "the input is not UTF-8")
            }
            // In text format nothing separates messages; a line of --- does.
            let parts = method.clientStreaming ? text.split(separator: "\n---\n").map(String.init) : [text]
            return try (parts.isEmpty ? [""] : parts).map {
                try DynamicTextDecoder(pool: pool).message(type, from: $0)
            }
        }
        let values = try JSONParser.parseSequence(input)
        guard values.count <= 1 || method.clientStreaming else {
            throw DynamicError(path: "", problem: "\(method.path) takes one message, not \(values.count)")
        }
        let decoder = DynamicJSONDecoder(pool: pool)
        return try values.isEmpty
            ? [DynamicMessage(type)] : values.map { try decoder.message(type, from: $0) }
    }

    /// - Parameter reply: takes each reply message, in order.
    package func run(_ requests: [DynamicMessage], reply: (DynamicMessage) throws -> Void) async throws {
        let replyType = try Self.type(method.replyType, pool)
        func decoded(_ bytes: [UInt8]) throws -> DynamicMessage {
            try DynamicMessage(decoding: bytes, as: replyType, pool: pool)
        }
        let encoded = requests.map { $0.encoded() }
        if method.serverStreaming {
            for try await bytes in try await transport.serverStreaming(
                descriptor, encoded.first ?? [], options)
            {
                try reply(try decoded(bytes))
            }
        } else if method.clientStreaming {
            let stream = AsyncThrowingStream<[UInt8], any Error> { continuation in
                for bytes in encoded { continuation.yield(bytes) }
                continuation.finish()
            }
            try reply(try decoded(try await transport.clientStreaming(descriptor, stream, options)))
        } else {
            try reply(try decoded(try await transport.unary(descriptor, encoded.first ?? [], options)))
        }
    }

    /// What the transport needs to know of the method. The access rule is the host's business; the time limit here
    /// only bounds how long the client waits, and is the longest that any method may have.
    private var descriptor: MethodDescriptor {
        MethodDescriptor(
            path: method.path,
            kind: method.serverStreaming
                ? .serverStreaming : method.clientStreaming ? .clientStreaming : .unary,
            requestType: method.requestType, replyType: method.replyType,
            access: AccessRule(allow: [], timeLimitMilliseconds: 600_000, maximumRequestBytes: 4 << 20))
    }

    private static func type(_ name: String, _ pool: DescriptorPool) throws -> MessageType {
        guard let type = pool.message(name) else {
            throw DynamicError(path: "", problem: "the descriptor set does not hold \(name)")
        }
        return type
    }
}
