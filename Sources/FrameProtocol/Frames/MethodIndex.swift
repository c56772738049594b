/// Finds a method by the bytes of its name, as they lie in a received frame, without making a String.
///
/// Built once from all served names; `position` gives the place of the name in that list, so that the owner
/// keeps an array of whatever it needs.
package final class MethodIndex: Sendable {
    /// Open addressing, a power of two, at most half full: position + 1, or 0 for empty.
    private let slots: [UInt32]
    private let hashes: [UInt64]
    private let names: [[UInt8]]

    /// - Parameter names: without duplicates; of equal names the first is found.
    package init(_ names: [String]) {
        self.names = names.map { Array($0.utf8) }
        hashes = self.names.map { $0.withUnsafeBytes(MethodIndex.hash) }
        var capacity = 8
        while capacity < names.count * 2 { capacity *= 2 }
        var slots = [UInt32](repeating: 0, count: capacity)
        for (position, hash) in hashes.enumerated() {
            var slot = Int(truncatingIfNeeded: hash) & (capacity - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (capacity - 1) }
            slots[slot] = UInt32(position + 1)
        }
        self.slots = slots
    }

    /// Position of `name` in the list given to `init`, or `nil` when it is not served.
    package func position(of name: UnsafeRawBufferPointer) -> Int? {
        let hash = MethodIndex.hash(name)
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            let position = Int(slots[slot]) - 1
            // The hash has no secret: a caller may collide, so the bytes decide.
            if hashes[position] == hash, MethodIndex.equal(names[position], name) { return position }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// Eight bytes a step: multiply to 128 bits and fold.
    package static func hash(_ name: UnsafeRawBufferPointer) -> UInt64 {
        guard let base = name.baseAddress else { return 0 }
        var hash = UInt64(truncatingIfNeeded: name.count) &* 0x9E37_79B9_7F4A_7C15
        var offset = 0
        while name.count - offset >= 8 {
            hash = mix(hash ^ (base + offset).loadUnaligned(as: UInt64.self))
            offset += 8
        }
        var rest: UInt64 = 0
        while offset < name.count {
            rest = rest << 8 | UInt64((base + offset).load(as: UInt8.self))
            offset += 1
        }
        return mix(hash ^ rest)
    }

    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        let product = (value ^ 0xE703_7ED1_A0B4_28DB).multipliedFullWidth(by: 0x8EBC_6AF0_9C88_C6E3)
        return product.high ^ product.low
    }

    private static func equal(_ left: [UInt8], _ right: UnsafeRawBufferPointer) -> Bool {
        guard left.count == right.count, let other = right.baseAddress else {
            return left.isEmpty && right.isEmpty
        }
        return left.withUnsafeBytes { mine in
            guard let own = mine.baseAddress else { return true }
            var offset = 0
            while mine.count - offset >= 8 {
                let same =
                    (own + offset).loadUnaligned(as: UInt64.self)
                    == (other + offset).loadUnaligned(as: UInt64.self)
                if !same { return false }
                offset += 8
            }
            while offset < mine.count {
                if (own + offset).load(as: UInt8.self) != (other + offset).load(as: UInt8.self) {
                    return false
                }
                offset += 1
            }
            return true
        }
    }
}
