import PluginAPI

/// An ODS code as one number, so that looking it up hashes eight bytes and compares one word.
struct PackedCode: Hashable, Sendable {
    private let value: UInt64

    /// 12 characters of 36 fit: 37 to the 12th is less than 2 to the 63rd.
    init(_ code: ODSCode) {
        var packed: UInt64 = 0
        for byte in code.value.utf8 {
            packed = packed &* 37 &+ UInt64(byte >= 0x41 ? byte &- 0x41 &+ 11 : byte &- 0x30 &+ 1)
        }
        value = packed
    }
}
