/// Base64 (RFC 4648), as protobuf JSON and signed assertions use it.
enum Base64 {
    private static let standard = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let urlSafe = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// Standard alphabet, padded.
    static func encode(_ bytes: [UInt8]) -> String {
        var text = encode(bytes, alphabet: standard)
        text += String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        return text
    }

    /// URL-safe alphabet, without padding: the form of a JWS.
    static func encodeForURL(_ bytes: [UInt8]) -> String { encode(bytes, alphabet: urlSafe) }

    private static func encode(_ bytes: [UInt8], alphabet: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var group = UInt32(bytes[start]) << 16
            if count > 1 { group |= UInt32(bytes[start + 1]) << 8 }
            if count > 2 { group |= UInt32(bytes[start + 2]) }
            for position in 0...count { text.append(alphabet[Int(group >> UInt32(18 - 6 * position)) & 63]) }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Either alphabet, with or without padding; `nil` when the text is not base64.
    static func decode(_ text: String) -> [UInt8]? {
        let symbols = Array(text.utf8)
        let body = symbols.prefix { $0 != UInt8(ascii: "=") }
        let padding = symbols.count - body.count
        guard symbols[body.count...].allSatisfy({ $0 == UInt8(ascii: "=") }), body.count % 4 != 1,
            padding == 0 || (padding <= 2 && symbols.count % 4 == 0)
        else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(body.count * 3 / 4)
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for symbol in body {
            guard let value = value(of: symbol) else { return nil }
            bits = bits << 6 | value
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        return bytes
    }

    private static func value(of symbol: UInt8) -> UInt32? {
        switch symbol {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(symbol) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(symbol) - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(symbol) + 4
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
