import PluginAPI

/// Who works in which team.
enum TeamStore {
    private static let all = Statement("SELECT team, person FROM team_member ORDER BY team, person")
    private static let has = Statement("SELECT person FROM team_member WHERE team = ?1 AND person = ?2")
    private static let of = Statement("SELECT team FROM team_member WHERE person = ?1 ORDER BY team")
    private static let insert = Statement(
        """
        INSERT INTO team_member (team, person, added_by, added_at) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (team, person) DO NOTHING
        """)
    private static let delete = Statement("DELETE FROM team_member WHERE team = ?1 AND person = ?2")

    static func members(_ reader: any Reader) throws -> [(team: String, person: String)] {
        try reader.all(all) { ($0.text(0), $0.text(1)) }
    }

    static func isMember(_ person: String, of team: String, _ reader: any Reader) throws -> Bool {
        try reader.first(has, [.text(team), .text(person)]) { _ in true } ?? false
    }

    static func teams(of person: String, _ reader: any Reader) throws -> [String] {
        try reader.all(of, [.text(person)]) { $0.text(0) }
    }

    static func add(_ person: String, to team: String, by: String, in transaction: any Transaction) throws {
        try transaction.run(insert, [.text(team), .text(person), .text(by), .instant(transaction.now)])
    }

    static func remove(_ person: String, from team: String, in transaction: any Transaction) throws {
        try transaction.run(delete, [.text(team), .text(person)])
    }
}
