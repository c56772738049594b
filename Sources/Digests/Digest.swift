import Crypto

/// SHA-256, for evidence, statements, definitions and whatever else is kept under the hash of its bytes.
package enum Digest {
    package static func sha256(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }

    /// Lower-case hexadecimal.
    package static func hex(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// One hash over many pieces, in the order given.
    package struct Running {
        private var hasher = SHA256()

        package init() {}
        package mutating func add(_ bytes: [UInt8]) { hasher.update(data: bytes) }
        package mutating func add(_ bytes: UnsafeRawBufferPointer) { hasher.update(bufferPointer: bytes) }
        package func finish() -> [UInt8] { Array(hasher.finalize()) }
    }
}
