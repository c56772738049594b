import PluginAPI

/// Numbers are stored and follow `pcs.pensions.v1.ContributionKind`.
enum ContributionKind: Int64, CaseIterable, Sendable {
    case employee = 1
    case employer = 2
    case addedYears = 3
    case additionalVoluntary = 4

    var paycode: Paycode {
        switch self {
        case .employee: .superannuationEmployee
        case .employer: .superannuationEmployer
        case .addedYears, .additionalVoluntary: .superannuationAddedYears
        }
    }

    /// Of the line: what distinguishes the two that share a paycode.
    var basis: String {
        switch self {
        case .employee: "EMPLOYEE"
        case .employer: "EMPLOYER"
        case .addedYears: "ADDED_YEARS"
        case .additionalVoluntary: "AVC"
        }
    }
}

/// An amount that pensions had deducted from a practice, or given back to it.
struct Contribution: Hashable, Sendable {
    /// What pensions says; a second delivery says the same.
    struct Contents: Hashable, Sendable {
        var id: String
        var practice: ODSCode
        var memberRef: String
        var kind: ContributionKind
        var period: YearMonth
        /// Deducted; below zero: given back to the practice.
        var pence: Int64
        var reason: String
    }

    /// Numbers are stored. What runs have done is read from them.
    enum State: Int64, Sendable {
        case accepted = 1
        case refused = 3
        case withdrawn = 4
    }

    var contents: Contents
    var state: State
    /// Of a refusal.
    var code = ""
    /// Empty when it never was one.
    var itemID = ""
    /// Gives back what a run deducts all the same.
    var returnItemID = ""
    var receivedAt: Instant
}

/// Contributions by id, what became of them, and when members left. Rows of steps and ends are only added.
enum ContributionStore {
    static let schema = [
        """
        CREATE TABLE contribution (
            contribution_id TEXT PRIMARY KEY NOT NULL, practice_code TEXT NOT NULL, member_ref TEXT NOT NULL,
            kind INTEGER NOT NULL, period TEXT NOT NULL, pence INTEGER NOT NULL, reason TEXT NOT NULL,
            state INTEGER NOT NULL, code TEXT NOT NULL, item_id TEXT NOT NULL, return_item_id TEXT NOT NULL,
            received_at INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX contribution_by_practice ON contribution (practice_code, period, contribution_id)",
        "CREATE INDEX contribution_by_member ON contribution (member_ref, practice_code)",
        """
        CREATE TABLE contribution_step (
            contribution_id TEXT NOT NULL REFERENCES contribution (contribution_id), number INTEGER NOT NULL,
            step TEXT NOT NULL, taken_at INTEGER NOT NULL, PRIMARY KEY (contribution_id, number)
        ) STRICT
        """,
        """
        CREATE TABLE member_end (
            member_ref TEXT NOT NULL, practice_code TEXT NOT NULL, number INTEGER NOT NULL, last_day TEXT,
            reason TEXT NOT NULL, recorded_at INTEGER NOT NULL, PRIMARY KEY (member_ref, practice_code, number)
        ) STRICT
        """,
    ]

    private static let columns = """
        contribution_id, practice_code, member_ref, kind, period, pence, reason, state, code, item_id, return_item_id,
        received_at
        """
    private static let insert = Statement(
        """
        INSERT INTO contribution (\(columns)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
        """)
    private static let update = Statement(
        "UPDATE contribution SET state = ?2, code = ?3, return_item_id = ?4 WHERE contribution_id = ?1")
    private static let byID = Statement("SELECT \(columns) FROM contribution WHERE contribution_id = ?1")
    private static let ofPractice = Statement(
        "SELECT \(columns) FROM contribution WHERE practice_code = ?1 ORDER BY period, contribution_id")
    private static let ofMember = Statement(
        """
        SELECT \(columns) FROM contribution WHERE member_ref = ?1 AND practice_code = ?2
        ORDER BY period, contribution_id
        """)
    private static let insertStep = Statement(
        """
        INSERT INTO contribution_step (contribution_id, number, step, taken_at)
        SELECT ?1, COALESCE(MAX(number), 0) + 1, ?2, ?3 FROM contribution_step WHERE contribution_id = ?1
        """)
    private static let steps = Statement(
        "SELECT step, taken_at FROM contribution_step WHERE contribution_id = ?1 ORDER BY number")
    private static let insertEnd = Statement(
        """
        INSERT INTO member_end (member_ref, practice_code, number, last_day, reason, recorded_at)
        SELECT ?1, ?2, COALESCE(MAX(number), 0) + 1, ?3, ?4, ?5 FROM member_end
        WHERE member_ref = ?1 AND practice_code = ?2
        """)
    private static let lastEnd = Statement(
        """
        SELECT last_day FROM member_end WHERE member_ref = ?1 AND practice_code = ?2 ORDER BY number DESC LIMIT 1
        """)
    static func add(_ contribution: Contribution, in transaction: any Transaction) throws {
        let contents = contribution.contents
        try transaction.run(
            insert,
            [
                .text(contents.id), .text(contents.practice.value), .text(contents.memberRef),
                .integer(contents.kind.rawValue), .text(contents.period.description),
                .integer(contents.pence),
                .text(contents.reason), .integer(contribution.state.rawValue), .text(contribution.code),
                .text(contribution.itemID), .text(contribution.returnItemID),
                .instant(contribution.receivedAt),
            ])
    }

    static func save(_ contribution: Contribution, in transaction: any Transaction) throws {
        try transaction.run(
            update,
            [
                .text(contribution.contents.id), .integer(contribution.state.rawValue),
                .text(contribution.code),
                .text(contribution.returnItemID),
            ])
    }

    static func addStep(_ step: String, to id: String, in transaction: any Transaction) throws {
        try transaction.run(insertStep, [.text(id), .text(step), .instant(transaction.now)])
    }

    static func steps(of id: String, _ reader: any Reader) throws -> [(step: String, at: Instant)] {
        try reader.all(steps, [.text(id)]) { ($0.text(0), $0.instant(1)) }
    }

    static func contribution(_ id: String, _ reader: any Reader) throws -> Contribution? {
        try reader.first(byID, [.text(id)], contribution)
    }

    static func contributions(of practice: ODSCode, _ reader: any Reader) throws -> [Contribution] {
        try reader.all(ofPractice, [.text(practice.value)], contribution)
    }

    static func contributions(
        of memberRef: String, at practice: ODSCode, _ reader: any Reader
    ) throws -> [Contribution] {
        try reader.all(ofMember, [.text(memberRef), .text(practice.value)], contribution)
    }

    /// - Parameter lastDay: `nil` = the member is there still.
    static func addEnd(
        of memberRef: String, at practice: ODSCode, lastDay: CalendarDate?, reason: String,
        in transaction: any Transaction
    ) throws {
        try transaction.run(
            insertEnd,
            [
                .text(memberRef), .text(practice.value), .date(lastDay), .text(reason),
                .instant(transaction.now),
            ])
    }

    /// Last day of a member at a practice, as known now.
    static func lastDay(of memberRef: String, at practice: ODSCode, _ reader: any Reader) throws
        -> CalendarDate?
    {
        try reader.first(lastEnd, [.text(memberRef), .text(practice.value)]) { try $0.optionalDate(0) } ?? nil
    }

    private static func contribution(_ row: any Row) throws -> Contribution {
        guard let practice = ODSCode(row.text(1)), let kind = ContributionKind(rawValue: row.integer(3)),
            let period = YearMonth(iso8601: row.text(4)),
            let state = Contribution.State(rawValue: row.integer(7))
        else { throw PaymentsError.damaged("contribution " + row.text(0)) }
        return Contribution(
            contents: .init(
                id: row.text(0), practice: practice, memberRef: row.text(2), kind: kind, period: period,
                pence: row.integer(5), reason: row.text(6)),
            state: state, code: row.text(8), itemID: row.text(9), returnItemID: row.text(10),
            receivedAt: row.instant(11))
    }
}
