/// Whether the bytes are well-formed UTF-8 (no overlong forms, no surrogates, nothing above U+10FFFF).
@inline(__always)
func isUTF8(_ start: UnsafeRawPointer, count: Int) -> Bool {
    var at = start
    var left = count
    // Method names, keys and tokens are ASCII: eight bytes a step.
    while left >= 8 {
        if at.loadUnaligned(as: UInt64.self) & 0x8080_8080_8080_8080 != 0 {
            return isLongUTF8(at, count: left)
        }
        at += 8
        left -= 8
    }
    while left > 0 {
        if at.load(as: UInt8.self) >= 0x80 { return isLongUTF8(at, count: left) }
        at += 1
        left -= 1
    }
    return true
}

/// Table 3-7 of the Unicode standard.
@inline(never)
private func isLongUTF8(_ start: UnsafeRawPointer, count: Int) -> Bool {
    let bytes = UnsafeRawBufferPointer(start: start, count: count)
    var index = 0
    while index < count {
        let lead = bytes[index]
        if lead < 0x80 {
            index += 1
            continue
        }
        var length = 3
        var low: UInt8 = 0x80
        var high: UInt8 = 0xBF
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0: low = 0xA0
        case 0xED: high = 0x9F
        case 0xE1...0xEF: break
        case 0xF0: (length, low) = (4, 0x90)
        case 0xF4: (length, high) = (4, 0x8F)
        case 0xF1...0xF3: length = 4
        default: return false
        }
        guard count - index >= length, (low...high).contains(bytes[index + 1]) else { return false }
        for further in 2..<max(length, 2) where bytes[index + further] & 0xC0 != 0x80 { return false }
        index += length
    }
    return true
}
