/// Types of file that can be evidence. Numbers follow `pcs.documents.v1.FileType` and are stored.
enum FileType: Int64, CaseIterable, Sendable {
    case pdf = 1
    case png = 2
    case jpeg = 3
    case tiff = 4
    case text = 5
    case csv = 6
    case docx = 7
    case xlsx = 8
    case ods = 9

    /// As the reference data and messages write it.
    var name: String {
        switch self {
        case .pdf: "PDF"
        case .png: "PNG"
        case .jpeg: "JPEG"
        case .tiff: "TIFF"
        case .text: "TEXT"
        case .csv: "CSV"
        case .docx: "DOCX"
        case .xlsx: "XLSX"
        case .ods: "ODS"
        }
    }

    init?(name: some StringProtocol) {
        guard let found = FileType.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    /// Endings of the names of such files, lower case.
    var endings: [String] {
        switch self {
        case .jpeg: ["jpg", "jpeg"]
        case .tiff: ["tif", "tiff"]
        case .text: ["txt"]
        default: [name.lowercased()]
        }
    }

    /// Whether the last ending of a file name is one of this type.
    func isEnding(of fileName: String) -> Bool {
        guard let dot = fileName.lastIndex(of: "."), dot != fileName.startIndex else { return false }
        return endings.contains(fileName[fileName.index(after: dot)...].lowercased())
    }

    var isText: Bool { self == .text || self == .csv }
}
