import Foundation

/// The rules as `docs/generated/role-matrix.md` prints them: what a reader of the document believes.
struct PrintedMatrix {
    /// In the document's words.
    enum Relation: String, CaseIterable, Hashable {
        case national
        case own = "own organisation"
        case commissioner
        case icb = "ICB above"
        case region = "region above"
        case pcnMember = "PCN member"
        case pcnOf = "PCN of the practice"
        case pcnPeer = "practice of the same PCN"
        case acting = "organisation acted for"
    }

    struct Way: Hashable {
        let role: String
        let relation: Relation
        let field: String
    }

    struct Rule {
        let path: String
        var isForAnybody = false
        var isForAnyCaller = false
        var ways: [Way] = []
        var changesState = false
        var needsFreshProof = false

        var fields: Set<String> { Set(ways.map(\.field)).subtracting([""]) }
    }

    struct Unreadable: Error {
        let line: String
    }

    private(set) var rules: [String: Rule] = [:]

    /// The document of this work tree.
    static func read() throws -> PrintedMatrix {
        let here = #filePath
        guard let tests = here.range(of: "/Tests/") else { throw Unreadable(line: here) }
        let path = String(here[..<tests.lowerBound]) + "/docs/generated/role-matrix.md"
        return try PrintedMatrix(text: String(contentsOfFile: path, encoding: .utf8))
    }

    init(text: String) throws {
        var area = ""
        var service = ""
        var columns: [String] = []
        for line in text.split(separator: "\n").map(String.init) {
            if line == "## By role" { break }
            if line.hasPrefix("## ") {
                area = String(line.dropFirst(3))
            } else if line.hasPrefix("### ") {
                service = String(line.dropFirst(4))
            } else if line.hasPrefix("| --- ") {
                continue
            } else if line.hasPrefix("| ") {
                let cells = line.dropFirst().dropLast().split(
                    separator: "|", omittingEmptySubsequences: false
                )
                .map { $0.trimmingCharacters(in: .whitespaces) }
                if cells.first == "Method" {
                    columns = cells
                    continue
                }
                guard cells.count == columns.count else { throw Unreadable(line: line) }
                let row = Dictionary(uniqueKeysWithValues: zip(columns, cells))
                try add(row, "\(area).\(service)/\(cells[0])", line)
            }
        }
    }

    private mutating func add(_ row: [String: String], _ path: String, _ line: String) throws {
        var rule = rules[path] ?? Rule(path: path)
        defer { rules[path] = rule }
        guard let role = row["Role"] else {
            guard let changes = row["Changes state"], let fresh = row["Fresh proof"] else {
                throw Unreadable(line: line)
            }
            rule.changesState = changes == "yes"
            rule.needsFreshProof = fresh == "yes"
            return
        }
        switch role {
        case "anybody, without identity": rule.isForAnybody = true
        case "any authenticated caller": rule.isForAnyCaller = true
        default:
            guard let words = row["Relation"], let relation = Relation(rawValue: words),
                let field = row["Organisation field"]
            else { throw Unreadable(line: line) }
            rule.ways.append(Way(role: role, relation: relation, field: field.replacing("`", with: "")))
        }
    }
}
