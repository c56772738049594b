import Crypto

/// SHA-256, for evidence and statements.
enum Digest {
    static func sha256(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }

    /// Lower-case hexadecimal.
    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// One hash over many, in the order given.
    struct Chain {
        private var hasher = SHA256()
        mutating func add(_ hash: [UInt8]) { hasher.update(data: hash) }
        func finish() -> [UInt8] { Array(hasher.finalize()) }
    }
}
