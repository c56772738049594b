import Crypto

/// What a maker saw, as a checker names it: SHA-256 of lines that no value can forge, in hexadecimal.
enum Seen {
    static func digest(_ values: [String]) -> String {
        var hash = SHA256()
        for value in values { add(Array(value.utf8), to: &hash) }
        return DurableFile.hexadecimal(Array(hash.finalize()))
    }

    static func digest(bytes values: [[UInt8]]) -> String {
        var hash = SHA256()
        for value in values { add(value, to: &hash) }
        return DurableFile.hexadecimal(Array(hash.finalize()))
    }

    /// With its length, so that the same bytes cut otherwise are something else.
    private static func add(_ bytes: [UInt8], to hash: inout SHA256) {
        withUnsafeBytes(of: UInt64(bytes.count).bigEndian) { hash.update(bufferPointer: $0) }
        hash.update(data: bytes)
    }
}
