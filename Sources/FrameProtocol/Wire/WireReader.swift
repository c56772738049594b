/// Why bytes are not a protobuf encoding. Accepts and refuses what SwiftProtobuf does (`FrameOracleTests`
/// compare).
package enum WireFault: Error, Hashable, Sendable {
    /// The bytes end inside a field, or a length points past the end.
    case truncated
    /// A varint of more than ten bytes, or a tag of more than 32 bits.
    case varintTooLong
    /// Field number 0, wire type 6 or 7, or the end of a group that was not begun.
    case tagInvalid
    /// Messages and groups nested deeper than 99 below Frame.
    case nestedTooDeep
    /// A `string` field that is not UTF-8.
    case textNotUTF8
}

/// Walks the fields of one message in raw bytes. Never reads outside `cursor..<end` and allocates nothing.
struct WireReader {
    private(set) var cursor: UnsafeRawPointer
    let end: UnsafeRawPointer
    /// Start of the buffer from which `ByteRange`s count.
    let origin: UnsafeRawPointer
    /// How many more levels of messages and groups may be nested.
    private var budget: Int

    static let nestingLimit = 99

    /// - Parameter range: must lie inside the buffer that begins at `origin`.
    init(origin: UnsafeRawPointer, from: Int, to: Int, budget: Int = WireReader.nestingLimit) {
        self.origin = origin
        self.cursor = origin + from
        self.end = origin + to
        self.budget = budget
    }

    @inline(__always) var isAtEnd: Bool { cursor >= end }
    @inline(__always) var offset: Int { cursor - origin }

    @inline(__always)
    mutating func varint() throws(WireFault) -> UInt64 {
        guard cursor < end else { throw .truncated }
        let first = cursor.load(as: UInt8.self)
        if first < 0x80 {
            cursor += 1
            return UInt64(first)
        }
        return try longVarint()
    }

    @inline(never)
    private mutating func longVarint() throws(WireFault) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        var at = cursor
        while at < end {
            let byte = at.load(as: UInt8.self)
            at += 1
            value |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 {
                cursor = at
                return value
            }
            shift += 7
            // A tenth byte may follow the ninth (shift 63); an eleventh may not.
            if shift > 63 { throw .varintTooLong }
        }
        throw .truncated
    }

    /// The next field's number and wire type, as they lie on the wire.
    @inline(__always)
    mutating func tag() throws(WireFault) -> UInt32 {
        guard cursor < end else { throw .truncated }
        let first = cursor.load(as: UInt8.self)
        if first < 0x80 {
            guard first >= 8, first & 7 <= 5 else { throw .tagInvalid }
            cursor += 1
            return UInt32(first)
        }
        return try longTag()
    }

    @inline(never)
    private mutating func longTag() throws(WireFault) -> UInt32 {
        let start = cursor
        let value = try longVarint()
        guard value <= UInt64(UInt32.max), cursor - start <= 5 else { throw .varintTooLong }
        guard value >= 8, value & 7 <= 5 else { throw .tagInvalid }
        return UInt32(truncatingIfNeeded: value)
    }

    @inline(__always)
    mutating func uint32() throws(WireFault) -> UInt32 { UInt32(truncatingIfNeeded: try varint()) }

    @inline(__always)
    mutating func bool() throws(WireFault) -> Bool { try varint() != 0 }

    @inline(__always)
    mutating func fixed64() throws(WireFault) -> UInt64 {
        guard end - cursor >= 8 else { throw .truncated }
        defer { cursor += 8 }
        return UInt64(littleEndian: cursor.loadUnaligned(as: UInt64.self))
    }

    /// A length-delimited field of bytes.
    @inline(__always)
    mutating func bytes() throws(WireFault) -> ByteRange {
        let length = try varint()
        guard length <= UInt64(end - cursor) else { throw .truncated }
        let start = cursor - origin
        cursor += Int(length)
        return ByteRange(
            lowerBound: UInt32(truncatingIfNeeded: start), count: UInt32(truncatingIfNeeded: length))
    }

    /// A length-delimited field of text.
    @inline(__always)
    mutating func text() throws(WireFault) -> ByteRange {
        let range = try bytes()
        guard isUTF8(origin + range.offset, count: range.length) else { throw .textNotUTF8 }
        return range
    }

    /// A reader for the message inside a length-delimited field; this reader goes on behind it.
    @inline(__always)
    mutating func message() throws(WireFault) -> WireReader {
        guard budget > 0 else { throw .nestedTooDeep }
        let range = try bytes()
        return WireReader(
            origin: origin, from: range.offset, to: range.offset + range.length, budget: budget - 1)
    }

    /// Steps over a field that this version does not know, or that has another wire type than it should.
    @inline(never)
    mutating func skip(_ tag: UInt32) throws(WireFault) {
        switch tag & 7 {
        case 0: _ = try varint()
        case 1: try advance(8)
        case 2: _ = try bytes()
        case 3: try skipGroup(number: tag >> 3)
        case 5: try advance(4)
        default: throw .tagInvalid
        }
    }

    private mutating func advance(_ count: Int) throws(WireFault) {
        guard end - cursor >= count else { throw .truncated }
        cursor += count
    }

    private mutating func skipGroup(number: UInt32) throws(WireFault) {
        guard budget > 0 else { throw .nestedTooDeep }
        budget -= 1
        defer { budget += 1 }
        while true {
            let tag = try varint()
            guard tag < UInt64(UInt32.max) else { throw .varintTooLong }
            guard tag >= 8, tag & 7 <= 5 else { throw .tagInvalid }
            if tag & 7 == 4 {
                guard UInt32(truncatingIfNeeded: tag >> 3) == number else { throw .tagInvalid }
                return
            }
            try skip(UInt32(truncatingIfNeeded: tag))
        }
    }
}
