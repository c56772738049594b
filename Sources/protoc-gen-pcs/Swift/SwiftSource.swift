/// Lines of Swift with their indentation.
struct SwiftSource {
    private(set) var text = ""
    private var depth = 0

    /// Columns left for a comment at the present depth, out of 110.
    private var commentWidth: Int { 110 - depth * 4 - 4 }

    mutating func line(_ content: String = "") {
        if !content.isEmpty { text += String(repeating: "    ", count: depth) + content }
        text += "\n"
    }

    mutating func lines(_ contents: [String]) {
        for content in contents { line(content) }
    }

    mutating func indented(_ body: (inout SwiftSource) -> Void) {
        depth += 1
        body(&self)
        depth -= 1
    }

    /// `opening {`, the body, `}`.
    mutating func block(_ opening: String, _ body: (inout SwiftSource) -> Void) {
        line(opening + " {")
        indented(body)
        line("}")
    }

    /// A documentation comment: the comment of the contract as it stands, then sentences of ours, wrapped.
    mutating func documentation(_ comment: [String], then sentences: [String] = []) {
        for content in comment { line(content.isEmpty ? "///" : "/// " + content) }
        if !comment.isEmpty && !sentences.isEmpty { line("///") }
        for sentence in sentences {
            for content in Words.wrapped(sentence, width: commentWidth) { line("/// " + content) }
        }
    }
}

/// How names and literals are written in Swift.
enum Spelling {
    private static let keywords: Set<String> = [
        "associatedtype", "break", "case", "catch", "class", "continue", "default", "defer", "deinit", "do",
        "else",
        "enum", "extension", "fallthrough", "false", "fileprivate", "for", "func", "guard", "if", "import",
        "in", "init",
        "inout", "internal", "is", "let", "nil", "operator", "precedencegroup", "private", "protocol",
        "public",
        "repeat", "rethrows", "return", "self", "static", "struct", "subscript", "super", "switch", "throw",
        "throws",
        "true", "try", "typealias", "var", "where", "while",
    ]

    /// A name that may be declared and called.
    static func identifier(_ name: String) -> String { keywords.contains(name) ? "`\(name)`" : name }

    /// A string literal.
    static func literal(_ text: String) -> String {
        var result = "\""
        for character in text {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            default: result.append(character)
            }
        }
        return result + "\""
    }

    /// 4194304 becomes `4_194_304`.
    static func literal(_ number: UInt32) -> String {
        Words.grouped(number).replacing(",", with: "_")
    }
}
