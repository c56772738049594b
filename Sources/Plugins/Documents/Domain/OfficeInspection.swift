/// DOCX, XLSX and ODS: packed files with the parts of their type, without macros, embedded programs and passwords.
enum OfficeInspection {
    /// Largest part that is looked into.
    private static let partLimit: Int64 = 1 << 20

    private static let runningEndings = [
        "exe", "dll", "com", "scr", "js", "jse", "vbs", "vbe", "wsf", "ps1", "bat", "cmd", "hta", "jar",
        "lnk", "msi",
        "html", "htm", "svg", "zip", "7z", "rar", "docm", "xlsm", "sh",
    ]

    static func inspect(_ bytes: [UInt8], declared: FileType, limits: UnpackingLimits) throws {
        let directory = try ZipDirectory(bytes, limits: limits)
        let stated = directory.entries.reduce(Int64(0)) { $0 + $1.unpacked }
        guard stated <= limits.bytes, stated <= Int64(bytes.count) * limits.ratio else {
            throw ContentRefusal.expandsTooFar("it states \(stated) bytes unpacked")
        }
        let names = directory.entries.map(\.name)
        guard Set(names).count == names.count else { throw ContentRefusal.damaged("two parts have one name") }
        try requireNothingRuns(names)
        let found = try type(of: directory, bytes)
        guard found == declared else {
            throw ContentRefusal.untrue(
                "it was declared as \(declared.name) and is \(found?.name ?? "a plain zip file")")
        }
        try requireSizes(directory, bytes)
        try inspectParts(directory, bytes)
    }

    private static func requireNothingRuns(_ names: [String]) throws {
        for name in names.map({ $0.lowercased() }) {
            let last = name.split(separator: "/").last.map(String.init) ?? ""
            let ending = last.split(separator: ".").last.map(String.init) ?? ""
            if last.hasPrefix("vbaproject") || last.hasPrefix("vbadata") || name.contains("macrosheets/")
                || name.hasPrefix("basic/") || name.hasPrefix("scripts/")
            {
                throw ContentRefusal.dangerous("it holds macros")
            }
            if name.contains("activex/") || name.contains("oleobject") {
                throw ContentRefusal.dangerous("it holds an embedded object")
            }
            if runningEndings.contains(ending) {
                throw ContentRefusal.dangerous("it holds a .\(ending) file")
            }
        }
    }

    private static func type(of directory: ZipDirectory, _ bytes: [UInt8]) throws -> FileType? {
        let names = Set(directory.entries.map(\.name))
        if names.contains("[Content_Types].xml"), names.contains("_rels/.rels") {
            if names.contains("word/document.xml") { return .docx }
            if names.contains("xl/workbook.xml") { return .xlsx }
            return nil
        }
        guard let first = directory.entries.first, first.name == "mimetype", first.method == 0,
            names.contains("content.xml")
        else { return nil }
        let stated = String(decoding: try unpack(first, bytes, keeps: true), as: UTF8.self)
        return stated == "application/vnd.oasis.opendocument.spreadsheet" ? .ods : nil
    }

    /// Each entry unpacks to just what it states.
    private static func requireSizes(_ directory: ZipDirectory, _ bytes: [UInt8]) throws {
        for entry in directory.entries { _ = try unpack(entry, bytes, keeps: false) }
    }

    private static func unpack(_ entry: ZipDirectory.Entry, _ bytes: [UInt8], keeps: Bool) throws -> [UInt8] {
        let range = entry.dataStart..<entry.dataStart + entry.packed
        switch entry.method {
        case 0:
            guard Int64(entry.packed) == entry.unpacked else {
                throw ContentRefusal.damaged("\(entry.name.prefix(40)) has not the size that it states")
            }
            return keeps ? Array(bytes[range]) : []
        case 8:
            var inflate = Inflate(bytes, range, limit: entry.unpacked, keeps: keeps)
            try inflate.run()
            guard inflate.produced == entry.unpacked else {
                throw ContentRefusal.damaged("\(entry.name.prefix(40)) has not the size that it states")
            }
            return inflate.output
        default: throw ContentRefusal.damaged("a part is packed in a way that is not known")
        }
    }

    /// What the list of parts says of macros, and the manifest of passwords.
    private static func inspectParts(_ directory: ZipDirectory, _ bytes: [UInt8]) throws {
        for entry in directory.entries where entry.unpacked <= partLimit {
            switch entry.name {
            case "[Content_Types].xml":
                let part = try unpack(entry, bytes, keeps: true)
                if ByteSearch.first(Array("macroEnabled".utf8), in: part) != nil {
                    throw ContentRefusal.dangerous("it is made for macros")
                }
            case "META-INF/manifest.xml":
                let part = try unpack(entry, bytes, keeps: true)
                if ByteSearch.first(Array("encryption-data".utf8), in: part) != nil {
                    throw ContentRefusal.encrypted("the document has a password")
                }
            default: continue
            }
        }
    }
}
