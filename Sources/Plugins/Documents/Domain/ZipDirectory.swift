/// The entries of a zip file, read strictly: the directory at the end and the entries themselves must say the same, no
/// two entries share bytes, and nothing stands before the first or behind the last. What does not fit is how bombs and
/// two-faced files are built.
struct ZipDirectory {
    struct Entry: Hashable, Sendable {
        var name: String
        var method: UInt16
        var packed: Int
        var unpacked: Int64
        /// Where its bytes begin.
        var dataStart: Int
    }

    private static let endSignature: [UInt8] = [0x50, 0x4B, 0x05, 0x06]
    private static let endLength = 22

    let entries: [Entry]

    init(_ bytes: [UInt8], limits: UnpackingLimits) throws {
        guard
            let end = ByteSearch.last(
                ZipDirectory.endSignature, in: bytes, window: ZipDirectory.endLength + 0xFFFF),
            end + ZipDirectory.endLength <= bytes.count
        else { throw ContentRefusal.damaged("the packed file has no directory") }
        let count = ZipDirectory.uint16(bytes, end + 10)
        let size = Int(ImageInspection.littleEndian32(bytes, end + 12))
        let start = Int(ImageInspection.littleEndian32(bytes, end + 16))
        let comment = ZipDirectory.uint16(bytes, end + 20)
        guard end + ZipDirectory.endLength + comment == bytes.count, start + size == end, count > 0,
            ZipDirectory.uint16(bytes, end + 8) == count
        else { throw ContentRefusal.damaged("the directory of the packed file does not fit it") }
        guard count <= limits.entries else {
            throw ContentRefusal.expandsTooFar("it holds \(count) files; the most is \(limits.entries)")
        }
        var entries: [Entry] = []
        var ranges: [Range<Int>] = []
        var position = start
        for _ in 0..<count {
            let (entry, range, next) = try ZipDirectory.entry(bytes, position, directory: start)
            entries.append(entry)
            ranges.append(range)
            position = next
        }
        guard position == end else {
            throw ContentRefusal.damaged("the directory of the packed file is not whole")
        }
        try ZipDirectory.requireApart(ranges)
        self.entries = entries
    }

    private static func entry(
        _ bytes: [UInt8], _ at: Int, directory: Int
    ) throws -> (Entry, Range<Int>, next: Int) {
        guard at + 46 <= bytes.count, bytes[at..<at + 4].elementsEqual([0x50, 0x4B, 0x01, 0x02]) else {
            throw ContentRefusal.damaged("an entry of the packed file's directory is broken")
        }
        let flags = uint16(bytes, at + 8)
        if flags & 0x2041 != 0 { throw ContentRefusal.encrypted("the packed file has a password") }
        let nameLength = uint16(bytes, at + 28)
        let nameEnd = at + 46 + nameLength
        let next = nameEnd + uint16(bytes, at + 30) + uint16(bytes, at + 32)
        let packed = ImageInspection.littleEndian32(bytes, at + 20)
        let unpacked = ImageInspection.littleEndian32(bytes, at + 24)
        let local = Int(ImageInspection.littleEndian32(bytes, at + 42))
        guard next <= bytes.count, local + 30 <= directory, packed != .max, unpacked != .max,
            let name = String(validating: bytes[at + 46..<nameEnd], as: UTF8.self), isSafe(name)
        else { throw ContentRefusal.damaged("an entry of the packed file is broken") }
        let dataStart = local + 30 + uint16(bytes, local + 26) + uint16(bytes, local + 28)
        let localNameEnd = local + 30 + uint16(bytes, local + 26)
        let method = UInt16(uint16(bytes, at + 10))
        guard bytes[local..<local + 4].elementsEqual([0x50, 0x4B, 0x03, 0x04]),
            dataStart + Int(packed) <= directory, localNameEnd <= directory,
            bytes[local + 30..<localNameEnd].elementsEqual(bytes[at + 46..<nameEnd]),
            uint16(bytes, local + 8) == Int(method)
        else { throw ContentRefusal.damaged("\(name.prefix(40)) is not what the directory says") }
        let entry = Entry(
            name: name, method: method, packed: Int(packed), unpacked: Int64(unpacked), dataStart: dataStart)
        return (entry, local..<dataStart + Int(packed), next)
    }

    private static func isSafe(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix("/") && !name.contains("\\") && !name.contains("\0")
            && !name.split(separator: "/").contains("..")
    }

    /// Entries that share bytes multiply what they unpack to.
    private static func requireApart(_ ranges: [Range<Int>]) throws {
        let sorted = ranges.sorted { $0.lowerBound < $1.lowerBound }
        guard sorted.first?.lowerBound == 0 else {
            throw ContentRefusal.untrue("there is something before the packed file")
        }
        for (left, right) in zip(sorted, sorted.dropFirst()) where right.lowerBound < left.upperBound {
            throw ContentRefusal.expandsTooFar("entries of the packed file share bytes")
        }
    }

    private static func uint16(_ bytes: [UInt8], _ at: Int) -> Int {
        guard at + 1 < bytes.count else { return 0 }
        return Int(bytes[at]) | Int(bytes[at + 1]) << 8
    }
}
