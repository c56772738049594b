/// Finds the number of an indicator's field from its bytes, without making texts of them: an open table with the names
/// beside the hashes.
struct CellLookup: Sendable {
    private var hashes: [UInt64]
    private var numbers: [Int32]
    private let mask: Int
    private let names: [[UInt8]]

    /// - Parameter names: the indicator's bytes, a zero, the field's bytes; the number is the position.
    init(_ names: [[UInt8]]) {
        var size = 64
        while size < names.count * 4 { size *= 2 }
        hashes = [UInt64](repeating: 0, count: size)
        numbers = [Int32](repeating: -1, count: size)
        mask = size - 1
        self.names = names
        for (number, name) in names.enumerated() {
            var hash = CellLookup.seed
            for byte in name { hash = CellLookup.mixed(hash, byte) }
            var place = Int(truncatingIfNeeded: hash ^ (hash >> 32)) & mask
            while numbers[place] >= 0 { place = (place + 1) & mask }
            hashes[place] = hash
            numbers[place] = Int32(number)
        }
    }

    func number(_ indicator: UnsafeBufferPointer<UInt8>, _ field: UnsafeBufferPointer<UInt8>) -> Int {
        var hash = CellLookup.seed
        for byte in indicator { hash = CellLookup.mixed(hash, byte) }
        hash = CellLookup.mixed(hash, 0)
        for byte in field { hash = CellLookup.mixed(hash, byte) }
        var place = Int(truncatingIfNeeded: hash ^ (hash >> 32)) & mask
        while numbers[place] >= 0 {
            if hashes[place] == hash, isEqual(names[Int(numbers[place])], indicator, field) {
                return Int(numbers[place])
            }
            place = (place + 1) & mask
        }
        return -1
    }

    private func isEqual(
        _ name: [UInt8], _ indicator: UnsafeBufferPointer<UInt8>, _ field: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        guard name.count == indicator.count + 1 + field.count else { return false }
        for index in indicator.indices where name[index] != indicator[index] { return false }
        let offset = indicator.count + 1
        for index in field.indices where name[offset + index] != field[index] { return false }
        return true
    }

    // FNV-1a.
    private static let seed: UInt64 = 0xcbf2_9ce4_8422_2325
    @inline(__always)
    private static func mixed(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
        (hash ^ UInt64(byte)) &* 0x100_0000_01b3
    }
}
