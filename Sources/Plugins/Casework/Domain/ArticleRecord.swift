import PluginAPI

/// One version of a help article as stored.
struct ArticleRecord: Hashable, Sendable {
    var id: String
    var version: Int64 = 1
    var title: String
    var body: String
    var keywords: [String] = []
    /// Kinds of organisation, by the words of `OrganisationKind.audienceName`; empty = all.
    var kinds: [String] = []
    /// Roles by name; empty = all.
    var roles: [String] = []
    var owner: String
    var reviewOn: CalendarDate
    var publishedAt: Instant
    var publishedBy: String
    var isWithdrawn = false

    func isExpired(on day: CalendarDate) -> Bool { reviewOn < day }

    /// Whether it is for somebody at such an organisation with these roles. An unknown kind sees what is for all.
    func isFor(_ kind: String?, _ held: Set<String>) -> Bool {
        (kinds.isEmpty || kind.map(kinds.contains) ?? false)
            && (roles.isEmpty || !held.isDisjoint(with: roles))
    }

    /// The first sentences, at most 200 characters, cut at a word.
    var extract: String {
        let text = body.split(whereSeparator: \.isNewline).joined(separator: " ")
        guard text.count > 200 else { return text }
        let cut = text.prefix(200)
        return String(cut.prefix(upTo: cut.lastIndex(of: " ") ?? cut.endIndex)) + "…"
    }

    /// Lower case words with hyphens, 3 to 60 characters.
    static func isIdentifier(_ text: String) -> Bool {
        (3...60).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
            && text.first != "-" && text.last != "-"
    }
}

extension OrganisationKind {
    /// The word for it in an article's audience.
    var audienceName: String { "\(self)" }
    /// Every word for a kind.
    static var audienceNames: Set<String> {
        Set((1...64).compactMap { OrganisationKind(rawValue: $0)?.audienceName })
    }
}

/// What people typed, as it is kept: without what could be somebody's number.
enum SearchText {
    /// Runs of six and more digits, with or without spaces, could be an NHS, telephone or account number.
    static func masked(_ text: String) -> String {
        var result = ""
        var run = ""
        func flush() {
            let digits = run.filter(\.isNumber).count
            result += digits >= 6 ? "#" + (run.last == " " ? " " : "") : run
            run = ""
        }
        for character in text.lowercased() {
            if character.isNumber || (character == " " && !run.isEmpty && run.last != " ") {
                run.append(character)
            } else {
                flush()
                result.append(character)
            }
        }
        flush()
        return result
    }
}
