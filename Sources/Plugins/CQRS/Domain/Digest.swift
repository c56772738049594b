import Crypto

/// SHA-256, for files, definitions and figures.
enum Digest {
    static func sha256(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }

    /// Lower-case hexadecimal.
    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// A hash over a file that comes in pieces.
    struct Running {
        private var hasher = SHA256()
        mutating func add(_ bytes: some Sequence<UInt8>) { hasher.update(data: Array(bytes)) }
        mutating func add(_ bytes: UnsafeRawBufferPointer) { hasher.update(bufferPointer: bytes) }
        func finish() -> [UInt8] { Array(hasher.finalize()) }
    }
}
