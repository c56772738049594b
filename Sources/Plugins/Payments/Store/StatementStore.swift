import Digests
import PluginAPI

/// Statements, ledgers and totals of runs. A run's rows are replaced while it is not approved; never after.
///
/// Statements are stored while the next ones are calculated, as an *attempt*: nobody reads them until the transaction
/// that ends the calculation makes it the run's attempt, which it does only if all of them are there.
enum StatementStore {
    /// Statements of runs were one to a run and practice; those of before are attempt "".
    static let attempts = [
        """
        CREATE TABLE statement_of_attempt (
            run_id TEXT NOT NULL REFERENCES run (run_id), attempt TEXT NOT NULL, practice_code TEXT NOT NULL,
            practice_name TEXT NOT NULL, contract_kind INTEGER NOT NULL, commissioner_code TEXT NOT NULL,
            region_code TEXT NOT NULL, lines INTEGER NOT NULL, gross_pence INTEGER NOT NULL,
            deductions_pence INTEGER NOT NULL, sha256 BLOB NOT NULL, body BLOB NOT NULL,
            PRIMARY KEY (run_id, attempt, practice_code)
        ) STRICT
        """,
        """
        INSERT INTO statement_of_attempt (run_id, attempt, practice_code, practice_name, contract_kind,
            commissioner_code, region_code, lines, gross_pence, deductions_pence, sha256, body)
        SELECT run_id, '', practice_code, practice_name, contract_kind, commissioner_code, region_code, lines,
            gross_pence, deductions_pence, sha256, body
        FROM statement
        """,
        "DROP TABLE statement",
        "ALTER TABLE statement_of_attempt RENAME TO statement",
        "CREATE INDEX statement_by_practice ON statement (practice_code, run_id)",
        """
        CREATE TABLE run_attempt (
            run_id TEXT PRIMARY KEY NOT NULL REFERENCES run (run_id), attempt TEXT NOT NULL
        ) STRICT
        """,
        "INSERT INTO run_attempt (run_id, attempt) SELECT DISTINCT run_id, '' FROM statement",
    ]

    private static let insert = BulkInsert(
        into: "statement",
        [
            "run_id", "attempt", "practice_code", "practice_name", "contract_kind", "commissioner_code", "region_code",
            "lines",
            "gross_pence", "deductions_pence", "sha256", "body",
        ])
    private static let insertTotal = BulkInsert(
        into: "run_total",
        ["run_id", "dimension", "total_key", "statements", "lines", "gross_pence", "deductions_pence"])
    private static let insertLedger = Statement("INSERT INTO run_ledger (run_id, body) VALUES (?1, ?2)")
    private static let deleteStatements = Statement("DELETE FROM statement WHERE run_id = ?1")
    private static let deleteTotals = Statement("DELETE FROM run_total WHERE run_id = ?1")
    private static let deleteLedger = Statement("DELETE FROM run_ledger WHERE run_id = ?1")
    private static let deleteAttempt = Statement("DELETE FROM run_attempt WHERE run_id = ?1")
    private static let insertAttempt = Statement("INSERT INTO run_attempt (run_id, attempt) VALUES (?1, ?2)")
    /// What the run's own attempt and the one under way leave.
    private static let deleteOthers = Statement(
        """
        DELETE FROM statement
        WHERE run_id = ?1 AND attempt <> ?2
            AND attempt NOT IN (SELECT run_attempt.attempt FROM run_attempt WHERE run_attempt.run_id = ?1)
        """)
    private static let deleteFormer = Statement("DELETE FROM statement WHERE run_id = ?1 AND attempt <> ?2")
    private static let countOfAttempt = Statement(
        "SELECT COUNT(*) FROM statement WHERE run_id = ?1 AND attempt = ?2")
    private static let current = """
        statement JOIN run_attempt
            ON run_attempt.run_id = statement.run_id AND run_attempt.attempt = statement.attempt
        """
    private static let one = Statement(
        "SELECT body, sha256 FROM \(current) WHERE statement.run_id = ?1 AND practice_code = ?2")
    private static let ofPractice = Statement(
        """
        SELECT body, sha256, gross_pence, deductions_pence FROM \(current)
        WHERE practice_code = ?1 ORDER BY statement.run_id
        """)
    /// Of runs that are approved, paid or closed (states 5 to 7).
    private static let published = Statement(
        """
        SELECT body, sha256 FROM \(current) JOIN run ON run.run_id = statement.run_id
        WHERE practice_code = ?1 AND statement.run_id >= ?2 AND statement.run_id < ?3 AND run.state IN (5, 6, 7)
        ORDER BY statement.run_id
        """)
    private static let lastPublished = Statement(
        """
        SELECT body, sha256 FROM \(current) JOIN run ON run.run_id = statement.run_id
        WHERE practice_code = ?1 AND statement.run_id < ?2 AND run.state IN (5, 6, 7)
        ORDER BY statement.run_id DESC LIMIT 1
        """)
    private static let page = Statement(
        """
        SELECT body, sha256 FROM \(current)
        WHERE statement.run_id = ?1 AND practice_code > ?2 ORDER BY practice_code LIMIT ?3
        """)
    private static let all = Statement(
        """
        SELECT practice_code, sha256, body, gross_pence, deductions_pence
        FROM \(current) WHERE statement.run_id = ?1 ORDER BY practice_code
        """
    )
    private static let ledger = Statement("SELECT body FROM run_ledger WHERE run_id = ?1")
    private static let totals = Statement(
        """
        SELECT total_key, statements, lines, gross_pence, deductions_pence
        FROM run_total WHERE run_id = ?1 AND dimension = ?2 ORDER BY total_key
        """)

    /// A statement read back: its document and its hash.
    struct Stored: Sendable {
        var document: StatementDocument
        var sha256: [UInt8]
    }

    /// Begins an attempt at a run: what an earlier one left, that did not come to its end, goes.
    ///
    /// - Returns: its identifier.
    static func beginAttempt(at runID: String, in transaction: any Transaction) throws -> String {
        let attempt = transaction.newIdentifier()
        try transaction.run(deleteOthers, [.text(runID), .text(attempt)])
        return attempt
    }

    /// Stores statements of an attempt; in force with the rest by `finish`.
    static func add(
        _ statements: [BuiltStatement], of runID: String, attempt: String,
        in transaction: any Transaction
    ) throws {
        let (id, attempt) = (StoredValue.text(runID), StoredValue.text(attempt))
        try insert.run(statements, in: transaction) { statement, values in
            values.append(id)
            values.append(attempt)
            values.append(.text(statement.practice.value))
            values.append(.text(statement.practiceName))
            values.append(.integer(statement.kind?.rawValue ?? 0))
            values.append(.text(statement.commissioner))
            values.append(.text(statement.region))
            values.append(.integer(statement.figures.lines))
            values.append(.integer(statement.figures.grossPence))
            values.append(.integer(statement.figures.deductionsPence))
            values.append(.blob(statement.sha256))
            values.append(.blob(statement.body))
        }
    }

    /// Makes the attempt the run's, in place of what was calculated before.
    ///
    /// - Returns: `false`, with nothing done, when statements of it are missing: another calculation of the run began
    ///   meanwhile.
    static func finish(
        _ built: BuiltRun, of runID: String, attempt: String, in transaction: any Transaction
    ) throws -> Bool {
        let id = StoredValue.text(runID)
        let stored = try transaction.first(countOfAttempt, [id, .text(attempt)]) { $0.integer(0) } ?? 0
        guard stored == Int64(built.statements.count) else { return false }
        try clear(runID, keeping: attempt, in: transaction)
        try transaction.run(insertAttempt, [id, .text(attempt)])
        let totals = built.totals.byKey.sorted {
            ($0.key.dimension.rawValue, $0.key.key) < ($1.key.dimension.rawValue, $1.key.key)
        }
        try insertTotal.run(totals, in: transaction) { total, values in
            values += [
                id, .integer(total.key.dimension.rawValue), .text(total.key.key),
                .integer(total.value.statements),
                .integer(total.value.lines), .integer(total.value.grossPence),
                .integer(total.value.deductionsPence),
            ]
        }
        try transaction.run(insertLedger, [id, .blob(built.ledger)])
        try PayableItemStore.assign(built.itemIDs, to: runID, in: transaction)
        return true
    }

    static func clear(_ runID: String, in transaction: any Transaction) throws {
        try clear(runID, keeping: nil, in: transaction)
    }

    private static func clear(_ runID: String, keeping attempt: String?, in transaction: any Transaction) throws {
        if let attempt {
            try transaction.run(deleteFormer, [.text(runID), .text(attempt)])
        } else {
            try transaction.run(deleteStatements, [.text(runID)])
        }
        try transaction.run(deleteAttempt, [.text(runID)])
        try transaction.run(deleteTotals, [.text(runID)])
        try transaction.run(deleteLedger, [.text(runID)])
        try PayableItemStore.release(runID, in: transaction)
    }

    private static func stored(_ body: [UInt8], _ sha256: [UInt8]) throws -> Stored {
        guard Digest.sha256(body) == sha256 else { throw PaymentsError.damaged("statement") }
        return Stored(document: try StatementDocument.decode(body), sha256: sha256)
    }

    /// Throws `PaymentsError.damaged` when the bytes do not match their hash.
    static func statement(of practice: ODSCode, in runID: String, _ reader: any Reader) throws -> Stored? {
        try reader.first(one, [.text(runID), .text(practice.value)]) { try stored($0.blob(0), $0.blob(1)) }
    }

    /// A statement without its lines, with their sums.
    struct Head: Sendable {
        var document: StatementDocument
        var sha256: [UInt8]
        var grossPence: Int64
        var deductionsPence: Int64
    }

    /// Heads of all statements of a payee, by run. Found by index: six years and more in a few milliseconds.
    static func heads(of practice: ODSCode, _ reader: any Reader) throws -> [Head] {
        try reader.all(ofPractice, [.text(practice.value)]) { row in
            let (body, hash) = (row.blob(0), row.blob(1))
            guard Digest.sha256(body) == hash else { throw PaymentsError.damaged("statement") }
            return Head(
                document: try StatementDocument.decode(body, withLines: false), sha256: hash,
                grossPence: row.integer(2), deductionsPence: row.integer(3))
        }
    }

    /// Heads of a run's statements but for those of practices with a contract.
    static func heads(
        of runID: String, except practices: Set<ODSCode>, _ reader: any Reader
    ) throws -> [ODSCode: PayeeProfile] {
        var found: [ODSCode: PayeeProfile] = [:]
        try reader.forEach(all, [.text(runID)]) { row in
            guard let code = ODSCode(row.text(0)), !practices.contains(code) else { return }
            let body = row.blob(2)
            guard Digest.sha256(body) == row.blob(1) else { throw PaymentsError.damaged("statement " + code.value) }
            let head = try StatementDocument.decode(body, withLines: false)
            found[code] = PayeeProfile(
                kind: head.payeeKind, name: head.practiceName, commissioner: head.commissioner, region: head.region,
                payee: head.payee)
        }
        return found
    }

    /// Comes after the id of every run.
    static let afterAll = "~"

    /// Published statements of a payee in runs of `from` and later months, before the run `before`; by run.
    static func published(
        of practice: ODSCode, from month: YearMonth, before runID: String, _ reader: any Reader
    ) throws -> [StatementDocument] {
        try reader.all(published, [.text(practice.value), .text(month.description), .text(runID)]) {
            try stored($0.blob(0), $0.blob(1)).document
        }
    }

    /// The payee's last published statement before a run.
    static func last(of practice: ODSCode, before runID: String, _ reader: any Reader) throws -> StatementDocument? {
        try reader.first(lastPublished, [.text(practice.value), .text(runID)]) {
            try stored($0.blob(0), $0.blob(1)).document
        }
    }

    /// The next statements of a run, by practice code.
    static func page(of runID: String, after practice: String, limit: Int, _ reader: any Reader) throws
        -> [Stored]
    {
        try reader.all(page, [.text(runID), .text(practice), .integer(limit)]) {
            try stored($0.blob(0), $0.blob(1))
        }
    }

    /// Reads everything again and compares it with the hashes and sums kept; throws `PaymentsError.damaged`.
    static func verify(_ run: RunRecord, _ reader: any Reader) throws {
        var chain = Digest.Running()
        var count: Int64 = 0
        var net = Int128(0)
        try reader.forEach(all, [.text(run.id)]) { row in
            let hash = row.blob(1)
            guard Digest.sha256(row.blob(2)) == hash else {
                throw PaymentsError.damaged("statement " + row.text(0))
            }
            chain.add(hash)
            count += 1
            net += Int128(row.integer(3)) + Int128(row.integer(4))
        }
        guard count == run.figures.statements, net == Int128(run.figures.netPence),
            Digest.hex(chain.finish()) == run.statementsSHA256
        else { throw PaymentsError.damaged("run " + run.id) }
    }

    static func ledger(of runID: String, _ reader: any Reader) throws -> [RunLedger.Account] {
        guard let bytes = try reader.first(ledger, [.text(runID)], { $0.blob(0) }) else { return [] }
        return try RunLedger.decode(bytes)
    }

    static func totals(
        of runID: String, by dimension: TotalDimension, _ reader: any Reader
    ) throws -> [(key: String, figures: RunFigures)] {
        try reader.all(totals, [.text(runID), .integer(dimension.rawValue)]) {
            (
                $0.text(0),
                RunFigures(
                    statements: $0.integer(1), lines: $0.integer(2), grossPence: $0.integer(3),
                    deductionsPence: $0.integer(4))
            )
        }
    }
}
