/// Writes fields into memory whose size the caller has worked out beforehand with the `size` functions.
/// Checks nothing:
/// `OutgoingFrame` is its only user, and its tests compare every frame with an independent encoder.
struct WireWriter {
    private(set) var cursor: UnsafeMutableRawPointer

    init(_ start: UnsafeMutableRawPointer) { cursor = start }

    @inline(__always)
    mutating func byte(_ value: UInt8) {
        cursor.storeBytes(of: value, as: UInt8.self)
        cursor += 1
    }

    @inline(__always)
    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            byte(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        byte(UInt8(truncatingIfNeeded: rest))
    }

    @inline(__always)
    mutating func bytes(_ source: UnsafeRawBufferPointer) {
        guard let base = source.baseAddress, source.count > 0 else { return }
        cursor.copyMemory(from: base, byteCount: source.count)
        cursor += source.count
    }

    // Fields with the default value are left out, as proto3 does.

    @inline(__always)
    mutating func field(_ tag: UInt8, _ value: UInt64) {
        guard value != 0 else { return }
        byte(tag)
        varint(value)
    }

    @inline(__always)
    mutating func field(_ tag: UInt8, _ value: String) {
        guard !value.isEmpty else { return }
        delimited(tag, value)
    }

    /// A text field that is present even when empty: an element of a repeated field.
    mutating func delimited(_ tag: UInt8, _ value: String) {
        byte(tag)
        varint(UInt64(value.utf8.count))
        let copied: Void? = value.utf8.withContiguousStorageIfAvailable { bytes(UnsafeRawBufferPointer($0)) }
        if copied == nil { for unit in value.utf8 { byte(unit) } }
    }

    @inline(__always)
    mutating func field(_ tag: UInt8, _ value: [UInt8]) {
        guard !value.isEmpty else { return }
        byte(tag)
        varint(UInt64(value.count))
        value.withUnsafeBytes { bytes($0) }
    }

    @inline(__always)
    mutating func fixed64Field(_ tag: UInt8, _ value: UInt64) {
        guard value != 0 else { return }
        byte(tag)
        cursor.storeBytes(of: value.littleEndian, as: UInt64.self)
        cursor += 8
    }

    /// Begins a message field of `count` bytes.
    @inline(__always)
    mutating func message(_ tag: UInt8, count: Int) {
        byte(tag)
        varint(UInt64(count))
    }
}

/// Sizes on the wire, for fields whose tag is one byte (numbers 1 to 15: all of frame.proto).
enum WireSize {
    @inline(__always)
    static func varint(_ value: UInt64) -> Int {
        // Seven bits a byte: 1 byte for up to 7 significant bits, 10 for 64.
        (9 * (63 - (value | 1).leadingZeroBitCount) + 73) / 64
    }

    @inline(__always)
    static func field(_ value: UInt64) -> Int { value == 0 ? 0 : 1 + varint(value) }

    @inline(__always)
    static func field(_ value: String) -> Int { value.isEmpty ? 0 : delimited(value.utf8.count) }

    @inline(__always)
    static func field(_ value: [UInt8]) -> Int { value.isEmpty ? 0 : delimited(value.count) }

    /// Tag, length and content.
    @inline(__always)
    static func delimited(_ count: Int) -> Int { 1 + varint(UInt64(count)) + count }
}
