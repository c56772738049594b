/// Images: whole, and nothing behind their end, where other files are hidden.
enum ImageInspection {
    static func inspectPNG(_ bytes: [UInt8]) throws {
        var position = 8
        var isFirst = true
        while position + 12 <= bytes.count {
            let length = Int(bigEndian32(bytes, position))
            let type = Array(bytes[position + 4..<position + 8])
            if isFirst, type != Array("IHDR".utf8) || length != 13 { break }
            isFirst = false
            guard length <= bytes.count - position - 12 else { break }
            position += 12 + length
            if type == Array("IEND".utf8) {
                guard position == bytes.count else {
                    throw ContentRefusal.untrue("there is something behind the end of the image")
                }
                return
            }
        }
        throw ContentRefusal.damaged("the image is not whole")
    }

    /// Ends with its end marker; a camera may fill up with zeros.
    static func inspectJPEG(_ bytes: [UInt8]) throws {
        var end = bytes.count
        while end > 4, bytes[end - 1] == 0 { end -= 1 }
        guard end > 4, bytes[end - 2] == 0xFF, bytes[end - 1] == 0xD9 else {
            throw ContentRefusal.damaged("the image is not whole, or there is something behind its end")
        }
    }

    /// Its first directory of tags lies within the file.
    static func inspectTIFF(_ bytes: [UInt8]) throws {
        guard bytes.count >= 8 else { throw ContentRefusal.damaged("the image is not whole") }
        let isLittle = bytes[0] == 0x49
        let offset = Int(isLittle ? littleEndian32(bytes, 4) : bigEndian32(bytes, 4))
        guard offset >= 8, offset + 2 <= bytes.count else {
            throw ContentRefusal.damaged("the image has no directory")
        }
        let low = Int(bytes[offset])
        let high = Int(bytes[offset + 1])
        let entries = isLittle ? low | high << 8 : low << 8 | high
        guard entries > 0, offset + 2 + entries * 12 + 4 <= bytes.count else {
            throw ContentRefusal.damaged("the directory of the image is not whole")
        }
    }

    static func bigEndian32(_ bytes: [UInt8], _ at: Int) -> UInt32 {
        UInt32(bytes[at]) << 24 | UInt32(bytes[at + 1]) << 16 | UInt32(bytes[at + 2]) << 8
            | UInt32(bytes[at + 3])
    }

    static func littleEndian32(_ bytes: [UInt8], _ at: Int) -> UInt32 {
        UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16 | UInt32(bytes[at + 3])
            << 24
    }
}
