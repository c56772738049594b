import CZlib

/// Builds .xlsx files, sound ones and others.
struct WorkbookFile {
    static let main = "application/vnd.openxmlformats-officedocument.spreadsheetml."
    private static let types = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"

    /// Content by name of the part, in the order written.
    var parts: [(name: String, content: [UInt8])]
    var isDeflated = true

    /// A workbook of one sheet whose rows are the XML given.
    init(rows: String, strings: [String]? = nil, workbookProperties: String = "") {
        let sheet = "<sheet name=\"One\" sheetId=\"1\" r:id=\"rId1\"/>"
        self.init(
            sheets: sheet,
            worksheet: "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
                + "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">"
                + "<dimension ref=\"A1\"/><sheetData>\(rows)</sheetData><pageMargins left=\"0.7\"/></worksheet>",
            strings: strings, workbookProperties: workbookProperties)
    }

    init(sheets: String, worksheet: String, strings: [String]?, workbookProperties: String = "") {
        let types = Self.types
        var overrides = [
            ("/xl/workbook.xml", "sheet.main+xml"), ("/xl/worksheets/sheet1.xml", "worksheet+xml"),
        ]
        if strings != nil { overrides.append(("/xl/sharedStrings.xml", "sharedStrings+xml")) }
        let contentTypes =
            "<Types><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>"
            + overrides.map { "<Override PartName=\"\($0.0)\" ContentType=\"\(Self.main)\($0.1)\"/>" }
            .joined()
            + "</Types>"
        let root =
            "<Relationships><Relationship Id=\"r1\" Type=\"\(types)officeDocument\" Target=\"/xl/workbook.xml\"/>"
        let relations =
            "<Relationships><Relationship Id=\"rId1\" Type=\"\(types)worksheet\" Target=\"worksheets/sheet1.xml\"/>"
            + (strings == nil
                ? ""
                : "<Relationship Id=\"rId2\" Type=\"\(types)sharedStrings\" Target=\"../xl/sharedStrings.xml\"/>")
        parts = [
            ("[Content_Types].xml", Array(contentTypes.utf8)),
            ("_rels/.rels", Array((root + "</Relationships>").utf8)),
            (
                "xl/workbook.xml",
                Array(
                    "<workbook><workbookPr \(workbookProperties)/><sheets>\(sheets)</sheets></workbook>".utf8)
            ),
            ("xl/_rels/workbook.xml.rels", Array((relations + "</Relationships>").utf8)),
            ("xl/worksheets/sheet1.xml", Array(worksheet.utf8)),
        ]
        if let strings {
            let texts = strings.map { "<si>\($0)</si>" }.joined()
            parts.append(("xl/sharedStrings.xml", Array("<sst count=\"1\">\(texts)</sst>".utf8)))
        }
    }

    mutating func replace(_ name: String, with text: String) {
        parts = parts.map { $0.name == name ? (name, Array(text.utf8)) : $0 }
    }

    func text(of name: String) -> String {
        parts.first { $0.name == name }.map { String(decoding: $0.content, as: UTF8.self) } ?? ""
    }

    mutating func remove(_ name: String) { parts.removeAll { $0.name == name } }

    /// - Parameter sizeStated: what the directory says of the size of each part instead of the truth.
    func bytes(flags: Int = 0, method: Int? = nil, sizeStated: Int? = nil) -> [UInt8] {
        var file: [UInt8] = []
        var directory: [UInt8] = []
        for (name, content) in parts {
            let packed = isDeflated ? Self.deflate(content) : content
            let checksum = content.withUnsafeBufferPointer { Int(crc32(0, $0.baseAddress, UInt32($0.count))) }
            var common: [UInt8] = []
            common.append(short: 20)
            common.append(short: flags)
            common.append(short: method ?? (isDeflated ? 8 : 0))
            common.append(long: 0)
            common.append(long: checksum)
            common.append(long: packed.count)
            common.append(long: sizeStated ?? content.count)
            common.append(short: name.utf8.count)
            common.append(short: 0)
            directory.append(long: 0x0201_4B50)
            directory.append(short: 20)
            directory += common
            directory.append(short: 0)
            directory.append(short: 0)
            directory.append(short: 0)
            directory.append(long: 0)
            directory.append(long: file.count)
            directory += Array(name.utf8)
            file.append(long: 0x0403_4B50)
            file += common + Array(name.utf8) + packed
        }
        let start = file.count
        file += directory
        file.append(long: 0x0605_4B50)
        file.append(long: 0)
        file.append(short: parts.count)
        file.append(short: parts.count)
        file.append(long: directory.count)
        file.append(long: start)
        file.append(short: 0)
        return file
    }

    private static func deflate(_ content: [UInt8]) -> [UInt8] {
        var input = content
        return [UInt8](unsafeUninitializedCapacity: content.count + 1_024) { room, count in
            var stream = z_stream()
            deflateInit2_(
                &stream, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY, zlibVersion(),
                Int32(MemoryLayout<z_stream>.size))
            defer { deflateEnd(&stream) }
            input.withUnsafeMutableBufferPointer { source in
                stream.next_in = source.baseAddress
                stream.avail_in = UInt32(source.count)
                stream.next_out = room.baseAddress
                stream.avail_out = UInt32(room.count)
                _ = CZlib.deflate(&stream, Z_FINISH)
            }
            count = Int(stream.total_out)
        }
    }
}

extension [UInt8] {
    fileprivate mutating func append(short value: Int) {
        append(UInt8(value & 0xFF))
        append(UInt8(value >> 8 & 0xFF))
    }

    fileprivate mutating func append(long value: Int) {
        append(short: value)
        append(short: value >> 16)
    }
}
