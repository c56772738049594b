import Foundation

/// The repository's own text, as the rules of the house read it.
struct SourceTree {
    struct File {
        /// Path from the repository's root.
        let path: String
        let lines: [String]
    }

    static let root: URL = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// All files below `folder` whose names end with one of `endings`, sorted by path.
    static func files(below folder: String, endings: [String]) throws -> [File] {
        let base = root.appendingPathComponent(folder)
        guard let walker = FileManager.default.enumerator(atPath: base.path) else { return [] }
        var found: [File] = []
        for case let relative as String in walker {
            guard endings.contains(where: relative.hasSuffix), !relative.contains(".build") else { continue }
            let text = try String(contentsOf: base.appendingPathComponent(relative), encoding: .utf8)
            found.append(
                File(
                    path: folder + "/" + relative,
                    lines: text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)))
        }
        return found.sorted { $0.path < $1.path }
    }

    static func isGenerated(_ path: String) -> Bool {
        path.hasSuffix(".pb.swift") || path.hasSuffix(".pcs.swift") || path.contains(".pb-c.")
            || path.hasSuffix("Descriptors.swift")
    }

    /// Swift files that people write.
    static func writtenSwift(below folder: String) throws -> [File] {
        try files(below: folder, endings: [".swift"]).filter { !isGenerated($0.path) }
    }

    static func imports(of file: File) -> [String] {
        file.lines.compactMap { line in
            guard line.contains("import ") else { return nil }
            guard
                let match = line.firstMatch(
                    of:
                        #/^(?:@\w+(?:\(\w+\))?\s+)*(?:(?:public|package|internal|private|fileprivate)\s+)?import\s+(?:(?:struct|class|enum|func|protocol|typealias|var|let)\s+)?(\w+)/#
                )
            else { return nil }
            return String(match.1)
        }
    }
}
