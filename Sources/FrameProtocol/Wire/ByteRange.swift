/// Where a field's bytes lie, counted from the start of the buffer that was handed to the decoder. The
/// decoder copies nothing: whoever holds the buffer slices it.
///
/// 32 bits suffice, because no frame is larger than 4 GiB - 1 and buffers hold few frames.
package struct ByteRange: Hashable, Sendable {
    package var lowerBound: UInt32
    package var count: UInt32

    package init(lowerBound: UInt32, count: UInt32) {
        self.lowerBound = lowerBound
        self.count = count
    }

    /// No bytes: the value of an absent field.
    package static var empty: ByteRange { ByteRange(lowerBound: 0, count: 0) }
    package var isEmpty: Bool { count == 0 }
    package var offset: Int { Int(lowerBound) }
    package var length: Int { Int(count) }
}

extension UnsafeRawBufferPointer {
    /// The bytes of a field. `range` must come from decoding this very buffer.
    package subscript(range: ByteRange) -> UnsafeRawBufferPointer {
        guard range.count > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(rebasing: self[range.offset..<(range.offset + range.length)])
    }

    /// A copy of the field as text. The decoder has already refused text that is not UTF-8.
    package func string(_ range: ByteRange) -> String {
        range.isEmpty ? "" : String(decoding: self[range], as: UTF8.self)
    }

    /// A copy of the field.
    package func array(_ range: ByteRange) -> [UInt8] {
        range.isEmpty ? [] : Array(self[range])
    }
}
