import PluginAPI

/// Queries on lines of statements (payments.md 13 C11). The enquiry itself lives in casework under the same identifier;
/// here stands what is asked of which line, and each state that casework has told.
enum StatementQueryStore {
    static let schema = [
        """
        CREATE TABLE statement_query (
            query_id TEXT PRIMARY KEY NOT NULL, practice_code TEXT NOT NULL,
            run_id TEXT NOT NULL REFERENCES run (run_id), line_number INTEGER NOT NULL, paycode TEXT NOT NULL,
            pence INTEGER NOT NULL, question TEXT NOT NULL,
            raised_by TEXT NOT NULL, raised_at INTEGER NOT NULL, commissioner_code TEXT NOT NULL
        ) STRICT
        """,
        "CREATE INDEX statement_query_by_practice ON statement_query (practice_code, query_id)",
        """
        CREATE TABLE statement_query_step (
            query_id TEXT NOT NULL REFERENCES statement_query (query_id), number INTEGER NOT NULL,
            taken_at INTEGER NOT NULL, state TEXT NOT NULL, resolve_by INTEGER, closed INTEGER NOT NULL,
            PRIMARY KEY (query_id, number)
        ) STRICT
        """,
    ]

    struct Query: Hashable, Sendable {
        var id: String
        var practice: ODSCode
        var runID: String
        var line: Int64
        var paycode: String
        var pence: Int64
        var question: String
        var raisedBy: String
        var raisedAt: Instant
        var commissioner: String
        var steps: [Step] = []

        var isClosed: Bool { steps.last?.isClosed ?? false }
        var lineID: String { "\(runID)/\(practice)#\(line)" }
    }

    struct Step: Hashable, Sendable {
        var at: Instant
        var state: String
        var resolveBy: Instant?
        var isClosed: Bool
    }

    private static let columns = """
        query_id, practice_code, run_id, line_number, paycode, pence, question, raised_by, raised_at, commissioner_code
        """
    private static let insert = Statement(
        "INSERT INTO statement_query (\(columns)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")
    private static let byID = Statement("SELECT \(columns) FROM statement_query WHERE query_id = ?1")
    private static let ofPractice = Statement(
        "SELECT \(columns) FROM statement_query WHERE practice_code = ?1 ORDER BY query_id DESC")
    private static let insertStep = Statement(
        """
        INSERT INTO statement_query_step (query_id, number, taken_at, state, resolve_by, closed)
        SELECT ?1, COALESCE(MAX(number), 0) + 1, ?2, ?3, ?4, ?5 FROM statement_query_step WHERE query_id = ?1
        """)
    private static let steps = Statement(
        "SELECT taken_at, state, resolve_by, closed FROM statement_query_step WHERE query_id = ?1 ORDER BY number"
    )

    static func add(_ query: Query, in transaction: any Transaction) throws {
        try transaction.run(
            insert,
            [
                .text(query.id), .text(query.practice.value), .text(query.runID), .integer(query.line),
                .text(query.paycode), .integer(query.pence), .text(query.question), .text(query.raisedBy),
                .instant(query.raisedAt), .text(query.commissioner),
            ])
    }

    static func add(_ step: Step, to queryID: String, in transaction: any Transaction) throws {
        try transaction.run(
            insertStep,
            [
                .text(queryID), .instant(step.at), .text(step.state),
                .optional(step.resolveBy?.microsecondsSince1970), .integer(step.isClosed ? 1 : 0),
            ])
    }

    static func exists(_ id: String, _ reader: any Reader) throws -> Bool {
        try reader.first(byID, [.text(id)]) { _ in true } ?? false
    }

    /// Newest first, with their steps.
    static func queries(of practice: ODSCode, _ reader: any Reader) throws -> [Query] {
        var found = try reader.all(ofPractice, [.text(practice.value)]) { row in
            Query(
                id: row.text(0), practice: practice, runID: row.text(2), line: row.integer(3),
                paycode: row.text(4),
                pence: row.integer(5), question: row.text(6), raisedBy: row.text(7), raisedAt: row.instant(8),
                commissioner: row.text(9))
        }
        for index in found.indices {
            found[index].steps = try reader.all(steps, [.text(found[index].id)]) { row in
                Step(
                    at: row.instant(0), state: row.text(1),
                    resolveBy: row.isNull(2) ? nil : row.instant(2), isClosed: row.bool(3))
            }
        }
        return found
    }
}
