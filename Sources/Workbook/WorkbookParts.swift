/// Finds the parts of a workbook (ECMA-376-2: packages) that its first visible sheet needs.
struct WorkbookParts {
    let sheet: [UInt8]
    let sharedStrings: [UInt8]?
    let countsFrom1904: Bool

    private struct Relation {
        let kind: String
        let target: String
    }

    private static let main = "application/vnd.openxmlformats-officedocument.spreadsheetml."

    init(_ archive: inout ZipArchive) throws(WorkbookFault) {
        let types = try ContentTypes(try Self.require("[Content_Types].xml", &archive))
        let root = try Self.relations(of: "", in: &archive)
        guard let workbook = root.values.first(where: { $0.kind == "officeDocument" })?.target else {
            throw WorkbookFault(.parts, "the archive holds no workbook")
        }
        let type = types.type(of: workbook)
        guard type == Self.main + "sheet.main+xml" else {
            let isMacro = type?.contains("macroEnabled") == true
            throw WorkbookFault(
                .parts,
                isMacro ? "the workbook holds macros; save it as .xlsx" : "the archive holds no workbook")
        }
        let relations = try Self.relations(of: workbook, in: &archive)
        let index = try WorkbookIndex(try Self.require(workbook, &archive))
        guard let relation = relations[index.firstSheet], relation.kind == "worksheet",
            types.type(of: relation.target) == Self.main + "worksheet+xml"
        else { throw WorkbookFault(.parts, "the first sheet of the workbook is no table") }
        sheet = try Self.require(relation.target, &archive)
        countsFrom1904 = index.countsFrom1904
        if let strings = relations.values.first(where: { $0.kind == "sharedStrings" })?.target {
            guard types.type(of: strings) == Self.main + "sharedStrings+xml" else {
                throw WorkbookFault(.parts, "the shared texts of the workbook are of another type")
            }
            sharedStrings = try Self.require(strings, &archive)
        } else {
            sharedStrings = nil
        }
    }

    private static func require(_ name: String, _ archive: inout ZipArchive) throws(WorkbookFault) -> [UInt8]
    {
        guard let part = try archive.part(name) else {
            throw WorkbookFault(.parts, "the workbook lacks its part \(name.prefix(80))")
        }
        return part
    }

    /// Relations of a part, by identifier; those of the archive itself when `part` is empty.
    private static func relations(
        of part: String, in archive: inout ZipArchive
    ) throws(WorkbookFault) -> [String: Relation] {
        let slash = part.lastIndex(of: "/")
        let folder = slash.map { String(part[..<$0]) } ?? ""
        let file = slash.map { String(part[part.index(after: $0)...]) } ?? part
        let name = (folder.isEmpty ? "" : folder + "/") + "_rels/\(file).rels"
        var xml = try XMLReader(try require(name, &archive))
        var relations: [String: Relation] = [:]
        while let event = try xml.next() {
            guard event == .start("Relationship"), let id = xml.attribute("Id"),
                let type = xml.attribute("Type"),
                let target = xml.attribute("Target"), xml.attribute("TargetMode") != "External"
            else { continue }
            // The last word is the same in the transitional and the strict form.
            let kind = type.split(separator: "/").last.map(String.init) ?? ""
            relations[id] = Relation(kind: kind, target: resolve(target, in: folder))
        }
        return relations
    }

    private static func resolve(_ target: String, in folder: String) -> String {
        var path = target.hasPrefix("/") ? [] : folder.split(separator: "/")
        for step in target.split(separator: "/") {
            switch step {
            case ".": break
            case "..": _ = path.popLast()
            default: path.append(step)
            }
        }
        return path.joined(separator: "/")
    }
}

/// `[Content_Types].xml`: what each part is.
private struct ContentTypes {
    private var byPart: [String: String] = [:]
    private var byEnding: [String: String] = [:]

    init(_ part: [UInt8]) throws(WorkbookFault) {
        var xml = try XMLReader(part)
        while let event = try xml.next() {
            guard let type = xml.attribute("ContentType") else { continue }
            if event == .start("Override"), let name = xml.attribute("PartName") {
                byPart[String(name.drop { $0 == "/" }).lowercased()] = type
            } else if event == .start("Default"), let ending = xml.attribute("Extension") {
                byEnding[ending.lowercased()] = type
            }
        }
    }

    func type(of part: String) -> String? {
        if let type = byPart[part.lowercased()] { return type }
        return part.split(separator: ".").last.flatMap { byEnding[$0.lowercased()] }
    }
}

/// The workbook's own part: which sheets there are, and how it counts days.
private struct WorkbookIndex {
    /// Identifier of the relation that leads to the first sheet that is not hidden.
    let firstSheet: String
    let countsFrom1904: Bool

    init(_ part: [UInt8]) throws(WorkbookFault) {
        var xml = try XMLReader(part)
        var first: String?
        var from1904 = false
        while let event = try xml.next() {
            if event == .start("workbookPr") {
                from1904 = ["1", "true"].contains(xml.attribute("date1904"))
            } else if event == .start("sheet"), first == nil,
                (xml.attribute("state") ?? "visible") == "visible"
            {
                first = xml.attribute("id")
            }
        }
        guard let first else { throw WorkbookFault(.parts, "the workbook has no visible sheet") }
        firstSheet = first
        countsFrom1904 = from1904
    }
}
