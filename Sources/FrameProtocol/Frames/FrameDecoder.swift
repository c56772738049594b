/// Why received bytes are not a frame. Each ends the connection with GoAway.
package enum FrameViolation: Error, Hashable, Sendable {
    /// The prefix announces more than the limit; nothing was allocated for it.
    case oversize(announced: UInt32, limit: Int)
    /// Flags 1: compression is not offered in version 1.
    case compressed
    /// Flags other than 0 and 1.
    case flagsUnknown(UInt8)
    /// The bytes are not a `Frame`.
    case malformed(WireFault)

    package var goAwayReason: GoAwayReason {
        switch self {
        case .oversize: .limitExceeded
        case .compressed, .flagsUnknown, .malformed: .protocolError
        }
    }

    /// One sentence for the GoAway.
    package var explanation: String {
        switch self {
        case .oversize(let announced, let limit):
            "A frame of \(announced) bytes passes the limit of \(limit)."
        case .compressed: "Compressed frames are not offered."
        case .flagsUnknown(let flags): "The flags \(flags) of a frame are unknown."
        case .malformed(let fault): "A frame is not a protobuf encoding of Frame: \(fault)."
        }
    }
}

/// Takes frames off received bytes. The caller keeps the bytes (a NIO `ByteBuffer`, an array) and drops those
/// before
/// `position` whenever it likes; the decoder has no state, so bytes may arrive cut anywhere.
///
/// Unknown fields, any order and repeated fields are tolerated as protobuf does (last wins, messages merge).
package enum FrameDecoder {
    /// Flags and length.
    package static let prefixBytes = 5

    /// The next whole frame at `position`, or `nil` when more bytes must come first. Moves `position` behind
    /// the frame.
    ///
    /// The limit is checked as soon as the prefix is there. Ranges in the frame count from the start of
    /// `bytes`.
    package static func next(
        in bytes: UnsafeRawBufferPointer, at position: inout Int, maximumFrameBytes: Int
    ) throws(FrameViolation) -> Frame? {
        guard let length = try announcedLength(in: bytes, at: position, maximumFrameBytes: maximumFrameBytes)
        else { return nil }
        let start = position + prefixBytes
        guard bytes.count - start >= length else { return nil }
        position = start + length
        guard let base = bytes.baseAddress else { return nil }
        do {
            return try Frame(origin: base, from: start, to: start + length)
        } catch {
            throw .malformed(error)
        }
    }

    /// Bytes that must still arrive before `next` can return: for reserving memory, at most the limit.
    package static func missingBytes(
        in bytes: UnsafeRawBufferPointer, at position: Int, maximumFrameBytes: Int
    ) throws(FrameViolation) -> Int {
        guard let length = try announcedLength(in: bytes, at: position, maximumFrameBytes: maximumFrameBytes)
        else { return prefixBytes - (bytes.count - position) }
        return max(0, prefixBytes + length - (bytes.count - position))
    }

    @inline(__always)
    private static func announcedLength(
        in bytes: UnsafeRawBufferPointer, at position: Int, maximumFrameBytes: Int
    ) throws(FrameViolation) -> Int? {
        guard position < bytes.count, let base = bytes.baseAddress else { return nil }
        let flags = (base + position).load(as: UInt8.self)
        if flags != 0 { throw flags == 1 ? .compressed : .flagsUnknown(flags) }
        guard bytes.count - position >= prefixBytes else { return nil }
        let length = UInt32(bigEndian: (base + position + 1).loadUnaligned(as: UInt32.self))
        guard Int(length) <= maximumFrameBytes else {
            throw .oversize(announced: length, limit: maximumFrameBytes)
        }
        return Int(length)
    }

    /// Decodes the bytes behind a prefix, for callers that have framed them otherwise (tests).
    package static func decode(_ payload: UnsafeRawBufferPointer) throws(WireFault) -> Frame {
        guard let base = payload.baseAddress else { return Frame() }
        return try Frame(origin: base, from: 0, to: payload.count)
    }
}

// One-byte tags: field number * 8 + wire type.
extension Frame {
    fileprivate init(origin: UnsafeRawPointer, from: Int, to: Int) throws(WireFault) {
        var reader = WireReader(origin: origin, from: from, to: to)
        ends = to
        while !reader.isAtEnd {
            let begins = reader.offset
            let tag = try reader.tag()
            switch tag {
            case 0x08: stream = try reader.uint32()
            case 0x1A:
                var inner = try reader.message()
                var call = CallFrame()
                if case .call(let earlier) = kind { call = earlier } else { kindBegins = begins }
                try call.merge(&inner)
                kind = .call(call)
            case 0x2A:
                var inner = try reader.message()
                var reply = ReplyFrame()
                if case .reply(let earlier) = kind { reply = earlier } else { kindBegins = begins }
                try reply.merge(&inner)
                kind = .reply(reply)
            case 0x22:
                var inner = try reader.message()
                var message = MessageFrame()
                if case .message(let earlier) = kind { message = earlier } else { kindBegins = begins }
                try message.merge(&inner)
                kind = .message(message)
            default:
                try mergeRare(tag, begins: begins, &reader)
            }
        }
    }

    @inline(never)
    private mutating func mergeRare(_ tag: UInt32, begins: Int, _ reader: inout WireReader) throws(WireFault)
    {
        switch tag {
        case 0x12:
            var inner = try reader.message()
            var hello = HelloFrame()
            if case .hello(let earlier) = kind { hello = earlier } else { kindBegins = begins }
            try hello.merge(&inner)
            kind = .hello(hello)
        case 0x32:
            var inner = try reader.message()
            var cancel = CancelFrame()
            if case .cancel(let earlier) = kind { cancel = earlier }
            try cancel.merge(&inner)
            kind = .cancel(cancel)
        case 0x3A:
            var inner = try reader.message()
            var credit = CreditFrame()
            if case .credit(let earlier) = kind { credit = earlier }
            try credit.merge(&inner)
            kind = .credit(credit)
        case 0x42:
            var inner = try reader.message()
            var ping = PingFrame()
            if case .ping(let earlier) = kind { ping = earlier }
            try ping.merge(&inner)
            kind = .ping(ping)
        case 0x4A:
            var inner = try reader.message()
            var goAway = GoAwayFrame()
            if case .goAway(let earlier) = kind { goAway = earlier }
            try goAway.merge(&inner)
            kind = .goAway(goAway)
        default:
            try reader.skip(tag)
        }
    }
}

extension CallFrame {
    @inline(__always)
    fileprivate mutating func merge(_ reader: inout WireReader) throws(WireFault) {
        while !reader.isAtEnd {
            let tag = try reader.tag()
            switch tag {
            case 0x0A: method = try reader.text()
            case 0x10: timeoutMilliseconds = try reader.uint32()
            case 0x1A: idempotencyKey = try reader.text()
            case 0x22: actingFor = try reader.text()
            case 0x2A: accessToken = try reader.text()
            case 0x32: personToken = try reader.text()
            case 0x3A: traceParent = try reader.text()
            case 0x40: credit = try reader.uint32()
            case 0x48: more = try reader.bool()
            case 0x7A: body = try reader.bytes()
            default: try reader.skip(tag)
            }
        }
    }
}

extension ReplyFrame {
    @inline(__always)
    fileprivate mutating func merge(_ reader: inout WireReader) throws(WireFault) {
        while !reader.isAtEnd {
            let tag = try reader.tag()
            switch tag {
            case 0x08: code = try reader.uint32()
            case 0x12: message = try reader.text()
            case 0x18: progress = try reader.uint32()
            case 0x22:
                var status = try reader.message()
                try StatusFields.check(&status)
                hasStatus = true
            case 0x28: replayed = try reader.bool()
            case 0x7A: body = try reader.bytes()
            default: try reader.skip(tag)
            }
        }
    }
}

extension MessageFrame {
    @inline(__always)
    fileprivate mutating func merge(_ reader: inout WireReader) throws(WireFault) {
        while !reader.isAtEnd {
            let tag = try reader.tag()
            switch tag {
            case 0x08: last = try reader.bool()
            case 0x7A: body = try reader.bytes()
            default: try reader.skip(tag)
            }
        }
    }
}

extension HelloFrame {
    fileprivate mutating func merge(_ reader: inout WireReader) throws(WireFault) {
        while !reader.isAtEnd {
            let tag = try reader.tag()
            switch tag {
            case 0x08: version = try reader.uint32()
            case 0x12: software = try reader.text()
            case 0x18: maximumFrameBytes = try reader.uint32()
            case 0x20: maximumStreams = try reader.uint32()
            case 0x28: initialCredit = try reader.uint32()
            case 0x30: keepaliveSeconds = try reader.uint32()
            case 0x3A: accessToken = try reader.text()
            case 0x42:
                _ = try reader.text()
                hasFeatures = true
            default: try reader.skip(tag)
            }
        }
    }
}

extension CancelFrame {
    fileprivate mutating func merge(_ reader: inout WireReader) throws(WireFault) {
        while !reader.isAtEnd {
            let tag = try reader.tag()
            if tag == 0x0A { reason = try reader.text() } else { try reader.skip(tag) }
        }
    }
}

extension CreditFrame {
    fileprivate mutating func merge(_ reader: inout WireReader) throws(WireFault) {
        while !reader.isAtEnd {
            let tag = try reader.tag()
            if tag == 0x08 { messages = try reader.uint32() } else { try reader.skip(tag) }
        }
    }
}

extension PingFrame {
    fileprivate mutating func merge(_ reader: inout WireReader) throws(WireFault) {
        while !reader.isAtEnd {
            let tag = try reader.tag()
            switch tag {
            case 0x09: token = try reader.fixed64()
            case 0x10: acknowledge = try reader.bool()
            default: try reader.skip(tag)
            }
        }
    }
}

extension GoAwayFrame {
    fileprivate mutating func merge(_ reader: inout WireReader) throws(WireFault) {
        while !reader.isAtEnd {
            let tag = try reader.tag()
            switch tag {
            case 0x08: lastStream = try reader.uint32()
            case 0x10: reason = try reader.uint32()
            case 0x1A: message = try reader.text()
            case 0x20: graceMilliseconds = try reader.uint32()
            default: try reader.skip(tag)
            }
        }
    }
}
