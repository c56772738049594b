/// A frame ready to be written: its size is known before any memory is asked for.
///
/// To write it, make room for `byteCount` bytes and call `write`; with NIO:
/// `buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: frame.byteCount) { frame.write(into: $0) }`.
/// The stream comes first and a body last, so that receivers can slice it.
package protocol OutgoingFrame: Sendable {
    /// Size with the 5 byte prefix. The prefix itself is not counted against the peer's frame limit.
    var byteCount: Int { get }

    /// Writes prefix and frame; returns `byteCount`. `target` must have room for them.
    @discardableResult
    func write(into target: UnsafeMutableRawBufferPointer) -> Int
}

extension OutgoingFrame {
    /// The frame as bytes of its own.
    package func bytes() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
            count = write(into: UnsafeMutableRawBufferPointer(buffer))
        }
    }
}

/// Sizes around a kind's content: all kinds are laid out alike.
struct FrameLayout: Sendable {
    let stream: UInt32
    /// Bytes of the kind's message.
    let content: Int

    @inline(__always)
    var payload: Int { WireSize.field(UInt64(stream)) + WireSize.delimited(content) }

    @inline(__always)
    var byteCount: Int { FrameDecoder.prefixBytes + payload }

    /// Writes everything before the content.
    @inline(__always)
    func begin(_ target: UnsafeMutableRawBufferPointer, kind tag: UInt8) -> WireWriter? {
        guard let base = target.baseAddress, target.count >= byteCount else {
            assertionFailure("no room for a frame of \(byteCount) bytes")
            return nil
        }
        base.storeBytes(of: 0, as: UInt8.self)
        (base + 1).storeBytes(of: UInt32(truncatingIfNeeded: payload).bigEndian, as: UInt32.self)
        var writer = WireWriter(base + FrameDecoder.prefixBytes)
        writer.field(0x08, UInt64(stream))
        writer.message(tag, count: content)
        return writer
    }
}

/// Ends a stream. The fast path: code OK and a body.
package struct OutgoingReply: OutgoingFrame {
    package let code: UInt32
    package let message: String
    package let progress: UInt32
    package let replayed: Bool
    package let body: [UInt8]
    private let status: OutgoingStatus?
    private let layout: FrameLayout

    package var byteCount: Int { layout.byteCount }
    package var stream: UInt32 { layout.stream }

    /// A reply with code OK.
    package init(stream: UInt32, body: [UInt8], replayed: Bool = false) {
        self.init(
            stream: stream, code: 0, message: "", progress: 0, status: nil, replayed: replayed, body: body)
    }

    /// - Parameters:
    ///   - code: number of a gRPC status code.
    ///   - progress: number of `pcs.frame.v1.Progress`.
    package init(
        stream: UInt32, code: UInt32, message: String, progress: UInt32, status: FrameStatus?,
        replayed: Bool = false, body: [UInt8] = []
    ) {
        self.code = code
        self.message = message
        self.progress = progress
        self.replayed = replayed
        self.body = body
        self.status = status.map(OutgoingStatus.init)
        var content =
            WireSize.field(UInt64(code)) + WireSize.field(message) + WireSize.field(UInt64(progress))
        if let status = self.status { content += WireSize.delimited(status.content) }
        content += (replayed ? 2 : 0) + WireSize.field(body)
        layout = FrameLayout(stream: stream, content: content)
    }

    @discardableResult
    package func write(into target: UnsafeMutableRawBufferPointer) -> Int {
        guard var writer = layout.begin(target, kind: 0x2A) else { return 0 }
        if code != 0 || !message.isEmpty || progress != 0 {
            writer.field(0x08, UInt64(code))
            writer.field(0x12, message)
            writer.field(0x18, UInt64(progress))
        }
        if let status {
            writer.message(0x22, count: status.content)
            status.write(&writer)
        }
        writer.field(0x28, replayed ? 1 : 0)
        writer.field(0x7A, body)
        return layout.byteCount
    }
}

/// A status with its sizes worked out. A class, because it is rare and would make every reply larger.
private final class OutgoingStatus: Sendable {
    let status: FrameStatus
    let content: Int

    init(_ status: FrameStatus) {
        self.status = status
        var content = WireSize.field(UInt64(bitPattern: Int64(status.code))) + WireSize.field(status.message)
        for detail in status.details { content += WireSize.delimited(Self.size(detail)) }
        self.content = content
    }

    private static func size(_ detail: FrameStatus.Detail) -> Int {
        WireSize.field(detail.typeURL) + WireSize.field(detail.value)
    }

    func write(_ writer: inout WireWriter) {
        writer.field(0x08, UInt64(bitPattern: Int64(status.code)))
        writer.field(0x12, status.message)
        for detail in status.details {
            writer.message(0x1A, count: Self.size(detail))
            writer.field(0x0A, detail.typeURL)
            writer.field(0x12, detail.value)
        }
    }
}

/// Opens a stream.
package struct OutgoingCall: OutgoingFrame {
    /// What a call carries beside its method and body.
    package struct Options: Sendable {
        package var timeoutMilliseconds: UInt32 = 0
        package var idempotencyKey = ""
        package var actingFor = ""
        package var accessToken = ""
        package var personToken = ""
        package var traceParent = ""
        package var credit: UInt32 = 0
        package var more = false
        package init() {}
    }

    package let method: String
    package let options: Options
    package let body: [UInt8]
    private let layout: FrameLayout

    package var byteCount: Int { layout.byteCount }

    package init(stream: UInt32, method: String, options: Options = Options(), body: [UInt8]) {
        self.method = method
        self.options = options
        self.body = body
        let content =
            WireSize.field(method) + WireSize.field(UInt64(options.timeoutMilliseconds))
            + WireSize.field(options.idempotencyKey) + WireSize.field(options.actingFor)
            + WireSize.field(options.accessToken) + WireSize.field(options.personToken)
            + WireSize.field(options.traceParent) + WireSize.field(UInt64(options.credit))
            + (options.more ? 2 : 0) + WireSize.field(body)
        layout = FrameLayout(stream: stream, content: content)
    }

    @discardableResult
    package func write(into target: UnsafeMutableRawBufferPointer) -> Int {
        guard var writer = layout.begin(target, kind: 0x1A) else { return 0 }
        writer.field(0x0A, method)
        writer.field(0x10, UInt64(options.timeoutMilliseconds))
        writer.field(0x1A, options.idempotencyKey)
        writer.field(0x22, options.actingFor)
        writer.field(0x2A, options.accessToken)
        writer.field(0x32, options.personToken)
        writer.field(0x3A, options.traceParent)
        writer.field(0x40, UInt64(options.credit))
        writer.field(0x48, options.more ? 1 : 0)
        writer.field(0x7A, body)
        return layout.byteCount
    }
}

/// One further message on a stream.
package struct OutgoingMessage: OutgoingFrame {
    package let last: Bool
    package let body: [UInt8]
    private let layout: FrameLayout

    package var byteCount: Int { layout.byteCount }

    /// - Parameter last: from the caller: no further message follows. With an empty body it carries no message.
    package init(stream: UInt32, body: [UInt8], last: Bool = false) {
        self.last = last
        self.body = body
        layout = FrameLayout(stream: stream, content: (last ? 2 : 0) + WireSize.field(body))
    }

    @discardableResult
    package func write(into target: UnsafeMutableRawBufferPointer) -> Int {
        guard var writer = layout.begin(target, kind: 0x22) else { return 0 }
        writer.field(0x08, last ? 1 : 0)
        writer.field(0x7A, body)
        return layout.byteCount
    }
}
