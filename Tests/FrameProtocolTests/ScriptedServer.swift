import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import Synchronization

@testable import FrameProtocol

/// A server on a Unix socket of its own, or with TLS on a port of its own, that does what a test's script says, and
/// keeps what it was sent. Speaks through `ServerConnectionStateMachine`, so that a client that breaks the protocol
/// is noticed.
final class ScriptedServer: Sendable {
    struct Seen: Sendable {
        var calls:
            [(connection: Int, stream: UInt32, method: String, key: String, timeout: UInt32, body: [UInt8])] =
                []
        var messages: [[UInt8]] = []
        var cancelled: [UInt32] = []
        var connections = 0
        /// Of each connection whose TLS came about: the protocol agreed on.
        var protocols: [String?] = []
        var violations: [String] = []
    }

    /// What a script may do on its connection; on the connection's event loop.
    struct Line {
        let connection: Int
        let write: (any OutgoingFrame) -> Void
        /// Sends as many of the messages as there is credit for; the rest as credit comes; then the reply.
        let stream: (UInt32, [[UInt8]]) -> Void
        let close: () -> Void
        let goAway: () -> Void
        let later: (Int64, @escaping @Sendable () -> Void) -> Void
    }

    typealias Script = @Sendable (_ line: Line, _ stream: UInt32, _ method: String, _ body: [UInt8]) -> Void

    let path: String
    /// With TLS; 0 without.
    var port: Int { channel.localAddress?.port ?? 0 }
    private let seenState = Mutex(Seen())
    private let channel: any Channel

    var seen: Seen { seenState.withLock { $0 } }

    init(
        limits: ConnectionLimits = ConnectionLimits(), tls: TLSConfiguration? = nil,
        _ script: @escaping Script
    ) async throws {
        let context = try tls.map { try NIOSSLContext(configuration: $0) }
        path = NSTemporaryDirectory() + "pcs-\(UInt32.random(in: 0 ... .max)).sock"
        let record = Recorder()
        recorder = record
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    }
                    try channel.pipeline.syncOperations.addHandler(
                        ScriptedConnection(limits: limits, script: script, record: record))
                }
            }
        channel =
            context == nil
            ? try await bootstrap.bind(unixDomainSocketPath: path).get()
            : try await bootstrap.bind(host: "127.0.0.1", port: 0).get()
        record.set { [weak self] change in self?.seenState.withLock { change(&$0) } }
    }

    private let recorder: Recorder

    func stop() async {
        try? await channel.close()
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Where connections note what they saw; made before the server itself is whole.
    final class Recorder: Sendable {
        typealias Sink = @Sendable ((inout Seen) -> Void) -> Void
        private let sink = Mutex<Sink?>(nil)
        func set(_ new: @escaping Sink) { sink.withLock { $0 = new } }
        func note(_ change: (inout Seen) -> Void) { sink.withLock { $0 }?(change) }
    }
}

/// Lives on its event loop.
private final class ScriptedConnection: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var machine: ServerConnectionStateMachine
    private let script: ScriptedServer.Script
    private let record: ScriptedServer.Recorder
    private var received = ByteBuffer()
    private var number = 0
    private var waiting: [UInt32: [[UInt8]]] = [:]

    init(
        limits: ConnectionLimits, script: @escaping ScriptedServer.Script, record: ScriptedServer.Recorder
    ) {
        machine = ServerConnectionStateMachine(limits: limits, software: "scripted", now: 0)
        self.script = script
        self.record = record
    }

    func channelActive(context: ChannelHandlerContext) {
        record.note { seen in
            seen.connections += 1
            number = seen.connections
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted(let agreed)? = event as? TLSUserEvent {
            record.note { $0.protocols.append(agreed) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        received.writeBuffer(&bytes)
        var position = 0
        let held = received
        held.withUnsafeReadableBytes { bytes in
            while let frame = try? FrameDecoder.next(
                in: bytes, at: &position, maximumFrameBytes: machine.maximumFrameBytes)
            {
                act(machine.receive(frame), bytes, context)
            }
        }
        received.moveReaderIndex(forwardBy: position)
        received.discardReadBytes()
    }

    private func act(
        _ action: ServerAction, _ bytes: UnsafeRawBufferPointer, _ context: ChannelHandlerContext
    ) {
        switch action {
        case .handshake: write(machine.hello, context)
        case .open(let stream, let call):
            let method = bytes.string(call.method)
            let key = bytes.string(call.idempotencyKey)
            let body = bytes.array(call.body)
            record.note {
                $0.calls.append((number, stream, method, key, call.timeoutMilliseconds, body))
            }
            script(line(context), stream, method, body)
        case .message(let stream, let body, let last):
            record.note { $0.messages.append(bytes.array(body)) }
            let credit = machine.messageHandled(stream: stream)
            if credit > 0 { write(OutgoingCredit(stream: stream, messages: credit), context) }
            if last { write(OutgoingReply(stream: stream, body: [1]), context) }
        case .endOfMessages(let stream): write(OutgoingReply(stream: stream, body: [0]), context)
        case .cancel(let stream, _):
            record.note { $0.cancelled.append(stream) }
            waiting[stream] = nil
            write(
                OutgoingReply(stream: stream, code: 1, message: "cancelled", progress: 2, status: nil),
                context)
        case .credit(let stream): send(stream, context)
        case .acknowledgePing(let token): write(OutgoingPing(token: token, acknowledge: true), context)
        case .clientGoesAway: if machine.isDrained { context.close(promise: nil) }
        case .refuse(let stream): refuse(stream, context)
        case .close(let goAway): record.note { $0.violations.append(goAway.message) }
        case .streamViolation(_, let explanation): record.note { $0.violations.append("\(explanation)") }
        case .ignore: break
        }
    }

    private func refuse(_ stream: UInt32, _ context: ChannelHandlerContext) {
        let reply = OutgoingReply(stream: stream, code: 14, message: "draining", progress: 1, status: nil)
        writeNow(reply, context)
    }

    private func line(_ context: ChannelHandlerContext) -> ScriptedServer.Line {
        ScriptedServer.Line(
            connection: number,
            write: { self.write($0, context) },
            stream: { stream, messages in
                self.waiting[stream] = messages
                self.send(stream, context)
            },
            close: { context.close(promise: nil) },
            goAway: {
                let frame = self.machine.goAway(message: "stops", graceMilliseconds: 5_000, now: 0)
                if let frame { self.writeNow(frame, context) }
            },
            later: { milliseconds, work in
                context.eventLoop.scheduleTask(in: .milliseconds(milliseconds), work)
            })
    }

    private func send(_ stream: UInt32, _ context: ChannelHandlerContext) {
        while let message = waiting[stream]?.first, machine.takeCredit(stream: stream) == .send {
            waiting[stream]?.removeFirst()
            writeNow(OutgoingMessage(stream: stream, body: message), context)
        }
        if waiting[stream]?.isEmpty == true {
            waiting[stream] = nil
            write(OutgoingReply(stream: stream, body: []), context)
        }
    }

    /// A reply ends its stream; one of a stream that has ended is not written.
    private func write(_ frame: any OutgoingFrame, _ context: ChannelHandlerContext) {
        if let reply = frame as? OutgoingReply, !machine.endStream(reply.stream) { return }
        writeNow(frame, context)
        if machine.isDrained { context.close(promise: nil) }
    }

    private func writeNow(_ frame: any OutgoingFrame, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: frame.bytes())), promise: nil)
    }
}
