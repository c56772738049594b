/// A block of IP addresses in CIDR notation, IPv4 or IPv6. An IPv4 address that arrives as `::ffff:a.b.c.d` is that
/// IPv4 address.
package struct Network: Sendable, Hashable, CustomStringConvertible {
    /// 16 bytes, IPv4 mapped into IPv6.
    private let address: [UInt8]
    private let bits: Int
    package let description: String

    /// `nil` unless it is an address, a slash and a number of bits, with no bit set behind them: `10.0.0.0/8`.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...3).contains(parts[1].utf8.count),
            parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let given = Int(parts[1]),
            let address = Network.bytes(parts[0])
        else { return nil }
        let isIPv4 = !parts[0].contains(":")
        guard given <= (isIPv4 ? 32 : 128) else { return nil }
        bits = isIPv4 ? given + 96 : given
        self.address = address
        description = text
        guard Network.isClear(address, from: bits) else { return nil }
    }

    package func contains(_ other: IPAddress) -> Bool {
        let whole = bits / 8
        guard address[..<whole].elementsEqual(other.bytes[..<whole]) else { return false }
        let rest = bits % 8
        guard rest > 0 else { return true }
        return address[whole] >> UInt8(8 - rest) == other.bytes[whole] >> UInt8(8 - rest)
    }

    private static func isClear(_ bytes: [UInt8], from bits: Int) -> Bool {
        (bits..<128).allSatisfy { bytes[$0 / 8] & (0x80 >> UInt8($0 % 8)) == 0 }
    }

    fileprivate static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        text.contains(":") ? ipv6(String(text)) : ipv4(String(text)).map { mapped + $0 }
    }

    private static let mapped: [UInt8] = Array(repeating: 0, count: 10) + [0xFF, 0xFF]

    private static func ipv4(_ text: String) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        let bytes = parts.compactMap { part -> UInt8? in
            // A leading zero would be octal to some and decimal to others.
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                part.utf8.count == 1 || part.utf8.first != 0x30
            else { return nil }
            return UInt8(part)
        }
        return bytes.count == 4 ? bytes : nil
    }

    private static func ipv6(_ text: String) -> [UInt8]? {
        let halves = text.split(separator: "::", omittingEmptySubsequences: false)
        guard (1...2).contains(halves.count), let head = groups(halves[0]) else { return nil }
        guard halves.count == 2 else { return head.count == 16 ? head : nil }
        guard let tail = groups(halves[1]), head.count + tail.count <= 14 else { return nil }
        return head + Array(repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    private static func groups(_ text: Substring) -> [UInt8]? {
        guard !text.isEmpty else { return [] }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var bytes: [UInt8] = []
        for (index, part) in parts.enumerated() {
            if index == parts.count - 1, part.contains(".") {
                guard let last = ipv4(String(part)) else { return nil }
                bytes += last
            } else {
                guard (1...4).contains(part.utf8.count), let value = UInt16(part, radix: 16),
                    part.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") })
                else { return nil }
                bytes += [UInt8(value >> 8), UInt8(value & 0xFF)]
            }
        }
        return bytes
    }
}

/// Where a call comes from.
package struct IPAddress: Sendable, Hashable {
    /// 16 bytes, IPv4 mapped into IPv6.
    let bytes: [UInt8]

    /// `nil` when the text is no address. A zone behind `%` is left out.
    package init?(_ text: String) {
        let plain = text.prefix { $0 != "%" }
        guard let bytes = Network.bytes(plain) else { return nil }
        self.bytes = bytes
    }
}
