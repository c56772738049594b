/// How names change their spelling between proto and Swift.
enum Words {
    /// `HOST_OPERATOR` becomes `hostOperator`.
    static func lowerCamel(screaming name: String) -> String {
        let parts = name.split(separator: "_").map { $0.lowercased() }
        return parts.enumerated().map { $0 == 0 ? $1 : capitalised($1) }.joined()
    }

    /// `failedPrecondition` becomes `FAILED_PRECONDITION`.
    static func screaming(_ camel: String) -> String {
        camel.reduce(into: "") { result, letter in
            if letter.isUppercase { result.append("_") }
            result += letter.uppercased()
        }
    }

    static func capitalised(_ name: String) -> String {
        name.prefix(1).uppercased() + name.dropFirst()
    }

    static func decapitalised(_ name: String) -> String {
        name.prefix(1).lowercased() + name.dropFirst()
    }

    /// 300000 becomes `300,000`.
    static func grouped(_ number: UInt32) -> String {
        let digits = String(number)
        return digits.enumerated().reduce(into: "") { result, entry in
            if entry.offset > 0, (digits.count - entry.offset) % 3 == 0 { result.append(",") }
            result.append(entry.element)
        }
    }

    /// Breaks a sentence into lines of at most `width` characters; longer words stay whole.
    static func wrapped(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= width {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}
