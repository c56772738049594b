import CZlib

/// The parts of a ZIP archive (PKWARE APPNOTE 4.3), stored or deflated, found by the central directory.
///
/// Sizes are checked before anything is allocated, what was unpacked is counted over the whole archive, and every part
/// is held to its checksum. Encrypted, split and ZIP64 archives are refused.
struct ZipArchive {
    private struct Entry {
        let method: Int
        let flags: Int
        let checksum: UInt32
        let packedSize: Int
        let size: Int
        let header: Int
    }

    private static let mostEntries = 4_096
    /// No stream of deflate unpacks to more than this many times its size.
    private static let mostDeflateRatio = 1_032

    private let bytes: [UInt8]
    private let unpackedLimit: Int
    private var entries: [String: Entry] = [:]
    private var unpacked = 0

    /// - Parameter unpackedLimit: bytes of all parts that are read.
    init(_ bytes: [UInt8], unpackedLimit: Int) throws(WorkbookFault) {
        self.bytes = bytes
        self.unpackedLimit = unpackedLimit
        if bytes.starts(with: [0xD0, 0xCF, 0x11, 0xE0]) {
            throw WorkbookFault(
                .archive, "the file is protected with a password, or an .xls of old; save it as plain .xlsx")
        }
        try readDirectory(at: try findDirectory())
    }

    private func short(_ offset: Int) -> Int { Int(bytes[offset]) | Int(bytes[offset + 1]) << 8 }
    private func long(_ offset: Int) -> Int { short(offset) | short(offset + 2) << 16 }

    private static var damaged: WorkbookFault {
        WorkbookFault(.archive, "the file is no .xlsx, or was damaged or cut short")
    }

    private func findDirectory() throws(WorkbookFault) -> (offset: Int, count: Int, end: Int) {
        guard bytes.count >= 22 else { throw Self.damaged }
        var end = bytes.count - 22
        let first = max(0, end - 0xFFFF)
        while end >= first {
            if long(end) == 0x0605_4B50, end + 22 + short(end + 20) == bytes.count {
                let size = long(end + 12), offset = long(end + 16), count = short(end + 10)
                guard short(end + 4) == 0, short(end + 6) == 0, short(end + 8) == count, count != 0xFFFF,
                    offset + size <= end
                else { throw Self.damaged }
                guard count <= Self.mostEntries else {
                    throw WorkbookFault(
                        .limit, "the archive has \(count) parts; the limit is \(Self.mostEntries)")
                }
                return (offset, count, end)
            }
            end -= 1
        }
        throw Self.damaged
    }

    private mutating func readDirectory(
        at directory: (offset: Int, count: Int, end: Int)
    ) throws(WorkbookFault) {
        var offset = directory.offset
        for _ in 0..<directory.count {
            guard offset + 46 <= directory.end, long(offset) == 0x0201_4B50 else { throw Self.damaged }
            let nameEnd = offset + 46 + short(offset + 28)
            let next = nameEnd + short(offset + 30) + short(offset + 32)
            guard next <= directory.end,
                let name = String(validating: bytes[(offset + 46)..<nameEnd], as: UTF8.self)
            else { throw Self.damaged }
            let entry = Entry(
                method: short(offset + 10), flags: short(offset + 8), checksum: UInt32(long(offset + 16)),
                packedSize: long(offset + 20), size: long(offset + 24), header: long(offset + 42))
            // Names of parts differ by more than case (ECMA-376-2 6.2.2.3).
            guard entries.updateValue(entry, forKey: name.lowercased()) == nil else {
                throw WorkbookFault(.archive, "the archive holds two parts of one name")
            }
            offset = next
        }
    }

    /// Unpacks a part; `nil` when there is none of that name.
    ///
    /// - Parameter name: from the root of the archive, without a slash in front.
    mutating func part(_ name: String) throws(WorkbookFault) -> [UInt8]? {
        guard let entry = entries[name.lowercased()] else { return nil }
        guard entry.flags & 0x2041 == 0 else {
            throw WorkbookFault(.archive, "the file is protected with a password; save it without one")
        }
        guard entry.header + 30 <= bytes.count, long(entry.header) == 0x0403_4B50 else { throw Self.damaged }
        let start = entry.header + 30 + short(entry.header + 26) + short(entry.header + 28)
        guard start + entry.packedSize <= bytes.count else { throw Self.damaged }
        unpacked += entry.size
        guard unpacked <= unpackedLimit else {
            throw WorkbookFault(.limit, "the workbook unpacks to more than \(unpackedLimit) bytes")
        }
        let packed = bytes[start..<(start + entry.packedSize)]
        let content: [UInt8]
        switch entry.method {
        case 0:
            guard entry.size == entry.packedSize else { throw Self.damaged }
            content = Array(packed)
        case 8:
            guard entry.size <= (entry.packedSize + 1) * Self.mostDeflateRatio else { throw Self.damaged }
            guard let inflated = Self.inflate(packed, to: entry.size) else { throw Self.damaged }
            content = inflated
        default:
            throw WorkbookFault(.archive, "a part is packed by method \(entry.method), which no .xlsx is")
        }
        let checksum = content.withUnsafeBufferPointer { crc32(0, $0.baseAddress, UInt32($0.count)) }
        guard UInt32(truncatingIfNeeded: checksum) == entry.checksum else { throw Self.damaged }
        return content
    }

    /// `nil` unless the whole of `packed` is one stream of exactly `size` bytes.
    private static func inflate(_ packed: ArraySlice<UInt8>, to size: Int) -> [UInt8]? {
        var input = Array(packed)
        var isSound = false
        // One byte of room more than there should be: who writes it has written too much.
        let output = [UInt8](unsafeUninitializedCapacity: size + 1) { room, count in
            var stream = z_stream()
            guard inflateInit2_(&stream, -15, zlibVersion(), Int32(MemoryLayout<z_stream>.size)) == Z_OK
            else {
                return
            }
            defer { inflateEnd(&stream) }
            input.withUnsafeMutableBufferPointer { source in
                stream.next_in = source.baseAddress
                stream.avail_in = UInt32(source.count)
                stream.next_out = room.baseAddress
                stream.avail_out = UInt32(room.count)
                let outcome = CZlib.inflate(&stream, Z_FINISH)
                isSound = outcome == Z_STREAM_END && stream.avail_in == 0 && Int(stream.total_out) == size
            }
            count = isSound ? size : 0
        }
        return isSound ? output : nil
    }
}
