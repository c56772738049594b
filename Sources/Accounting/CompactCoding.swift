/// Writes values densely: integers as variable-length groups of seven bits, and each different text once.
///
/// The form is stable: what was written is read back the same by every later version.
public struct CompactWriter: Sendable {
    public private(set) var bytes: [UInt8] = []
    private var known: [String: UInt64] = [:]

    public init() { bytes.reserveCapacity(1024) }

    public mutating func byte(_ value: UInt8) { bytes.append(value) }

    public mutating func unsigned(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    public mutating func count(_ value: Int) { unsigned(UInt64(value)) }

    /// Zigzag, so that small negative values stay short.
    public mutating func signed(_ value: Int64) { unsigned(UInt64(bitPattern: (value << 1) ^ (value >> 63))) }

    /// The text itself the first time, its number afterwards.
    public mutating func text(_ value: String) {
        if let number = known[value] {
            unsigned(number)
            return
        }
        known[value] = UInt64(known.count + 1)
        bytes.append(0)
        var value = value
        value.withUTF8 { utf8 in
            unsigned(UInt64(utf8.count))
            bytes.append(contentsOf: utf8)
        }
    }

    public mutating func date(_ value: CalendarDate) { signed(Int64(value.daysSince1970)) }

    public mutating func decimal(_ value: ExactDecimal) {
        bytes.append(value.scale)
        signed(value.mantissa)
    }
}

/// Reads what `CompactWriter` wrote. Every read checks what it finds and throws `CompactCodingError`.
public struct CompactReader: Sendable {
    private let bytes: [UInt8]
    private var position = 0
    private var known: [String] = []

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public var isAtEnd: Bool { position == bytes.count }

    public mutating func byte() throws(CompactCodingError) -> UInt8 {
        guard position < bytes.count else { throw .truncated }
        defer { position += 1 }
        return bytes[position]
    }

    public mutating func unsigned() throws(CompactCodingError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = try byte()
            if shift == 63, next > 1 { throw .malformed }
            value |= UInt64(next & 0x7F) << shift
            if next < 0x80 { return value }
            shift += 7
            if shift > 63 { throw .malformed }
        }
    }

    /// A number of things that follow, each at least one byte long.
    public mutating func count() throws(CompactCodingError) -> Int {
        let value = try unsigned()
        guard value <= UInt64(bytes.count - position) else { throw .truncated }
        return Int(value)
    }

    public mutating func signed() throws(CompactCodingError) -> Int64 {
        let value = try unsigned()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    public mutating func text() throws(CompactCodingError) -> String {
        let number = try unsigned()
        if number > 0 {
            guard number <= UInt64(known.count) else { throw .malformed }
            return known[Int(number) - 1]
        }
        let length = try count()
        guard let value = String(validating: bytes[position..<position + length], as: UTF8.self) else {
            throw .malformed
        }
        position += length
        known.append(value)
        return value
    }

    public mutating func date() throws(CompactCodingError) -> CalendarDate {
        guard let days = Int32(exactly: try signed()) else { throw .malformed }
        return CalendarDate(daysSince1970: days)
    }

    public mutating func decimal() throws(CompactCodingError) -> ExactDecimal {
        let scale = try byte()
        guard scale <= ExactDecimal.maximumScale else { throw .malformed }
        return ExactDecimal(mantissa: try signed(), scale: scale)
    }
}

public enum CompactCodingError: Error, Hashable, Sendable {
    case truncated
    case malformed
}
