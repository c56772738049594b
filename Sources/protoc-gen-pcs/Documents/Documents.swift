/// The documents that are printed from the contract.
enum Documents {
    struct Document {
        let name: String
        let text: String
    }

    static func all(of contract: Contract) -> [Document] {
        [
            Document(name: "role-matrix.md", text: RoleMatrix.text(of: contract)),
            Document(name: "errors.md", text: ErrorCatalogue.text(of: contract)),
            Document(name: "events.md", text: EventList.text(of: contract)),
            Document(name: "methods.md", text: MethodList.text(of: contract)),
        ]
    }

    static let notice = "Printed from `proto/` by `make proto`; change it there.\n"

    /// A table of Markdown; nothing when there are no rows.
    static func table(_ header: [String], _ rows: [[String]]) -> String {
        guard !rows.isEmpty else { return "" }
        let lines = [header, header.map { _ in "---" }] + rows
        return lines.map { "| " + $0.map(cell).joined(separator: " | ") + " |\n" }.joined()
    }

    private static func cell(_ text: String) -> String {
        text.replacing("|", with: "\\|").replacing("\n", with: " ")
    }

    static func sentence(_ comment: [String]) -> String {
        comment.filter { !$0.isEmpty }.joined(separator: " ")
    }
}

extension Contract {
    /// Packages in order of name, with their files.
    var areas: [(package: String, files: [File])] {
        Dictionary(grouping: files, by: \.descriptor.package).sorted { $0.key < $1.key }
            .map { (package: $0.key, files: $0.value) }
    }
}
