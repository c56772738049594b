import PluginAPI

/// An exception with what was decided about it.
struct StoredException: Hashable, Sendable {
    var number: Int64
    var exception: RunException
    var acceptance: Acceptance?

    struct Acceptance: Hashable, Sendable {
        var by: String
        var at: Instant
        var reason: String
    }

    var isOpen: Bool { exception.severity != .warning && acceptance == nil }
}

enum RunExceptionStore {
    /// Blocking ones open and accepted, and warnings.
    struct Counts: Hashable, Sendable {
        var open: Int64 = 0
        var accepted: Int64 = 0
        var warnings: Int64 = 0
        var fatal: Int64 = 0
    }

    private static let page = Statement(
        """
        SELECT number, severity, kind, practice_code, practice_name, paycode, message, before_pence, now_pence,
               accepted_by, accepted_at, acceptance_reason
        FROM run_exception WHERE run_id = ?1 AND number > ?2 ORDER BY number LIMIT ?3
        """)
    private static let accepted = Statement(
        """
        SELECT fingerprint, accepted_by, accepted_at, acceptance_reason
        FROM run_exception WHERE run_id = ?1 AND accepted_by IS NOT NULL
        """)
    private static let counts = Statement(
        """
        SELECT severity, CASE WHEN accepted_by IS NULL THEN 0 ELSE 1 END, COUNT(*)
        FROM run_exception WHERE run_id = ?1 GROUP BY 1, 2
        """)
    private static let shortfalls = Statement(
        """
        SELECT statement.commissioner_code, run_exception.practice_code, run_exception.practice_name, now_pence
        FROM run_exception JOIN statement ON statement.run_id = run_exception.run_id
            AND statement.practice_code = run_exception.practice_code
        WHERE run_exception.run_id = ?1 AND kind = ?2 ORDER BY 1, 2
        """)
    private static let insert = BulkInsert(
        into: "run_exception",
        [
            "run_id", "number", "severity", "kind", "practice_code", "practice_name", "paycode", "message",
            "before_pence", "now_pence", "fingerprint", "accepted_by", "accepted_at", "acceptance_reason",
        ])
    private static let deleteAll = Statement("DELETE FROM run_exception WHERE run_id = ?1")
    private static let accept = Statement(
        """
        UPDATE run_exception SET accepted_by = ?3, accepted_at = ?4, acceptance_reason = ?5
        WHERE run_id = ?1 AND number = ?2 AND severity = 2 AND accepted_by IS NULL
        """)

    /// Puts these in the place of the run's exceptions. What was accepted stays accepted when it is the same.
    static func replace(_ exceptions: [RunException], of runID: String, in transaction: any Transaction)
        throws
    {
        var acceptances: [String: StoredException.Acceptance] = [:]
        try transaction.forEach(accepted, [.text(runID)]) { row in
            acceptances[row.text(0)] = StoredException.Acceptance(
                by: row.text(1), at: row.instant(2), reason: row.text(3))
        }
        try transaction.run(deleteAll, [.text(runID)])
        try insert.run(Array(exceptions.enumerated()), in: transaction) { row, values in
            let exception = row.element
            let fingerprint = exception.fingerprint
            let acceptance = exception.severity == .blocking ? acceptances[fingerprint] : nil
            values += [
                .text(runID), .integer(row.offset + 1), .integer(exception.severity.rawValue),
                .integer(exception.kind.rawValue), .text(exception.practice?.value ?? ""),
                .text(exception.practiceName), .text(exception.paycode), .text(exception.message),
                .integer(exception.beforePence), .integer(exception.nowPence), .text(fingerprint),
                .optional(acceptance?.by), .optional(acceptance?.at.microsecondsSince1970),
                .optional(acceptance?.reason),
            ]
        }
    }

    static func page(
        of runID: String, after number: Int64, limit: Int, _ reader: any Reader
    ) throws -> [StoredException] {
        try reader.all(page, [.text(runID), .integer(number), .integer(limit)]) { row in
            guard let severity = RunException.Severity(rawValue: row.integer(1)),
                let kind = RunException.Kind(rawValue: row.integer(2))
            else { throw StoredValueError(message: "an exception of run \(runID) is not as it was written") }
            let acceptance = row.optionalText(9).map {
                StoredException.Acceptance(by: $0, at: row.instant(10), reason: row.text(11))
            }
            return StoredException(
                number: row.integer(0),
                exception: RunException(
                    severity: severity, kind: kind, practice: ODSCode(row.text(3)), practiceName: row.text(4),
                    paycode: row.text(5), message: row.text(6), beforePence: row.integer(7),
                    nowPence: row.integer(8)),
                acceptance: acceptance)
        }
    }

    /// Of a payee whose net was below zero.
    struct Shortfall: Hashable, Sendable {
        /// Empty = the payee has none.
        var commissioner: String
        var payee: String
        var name: String
        /// Carried forward.
        var pence: Int64
    }

    static func shortfalls(of runID: String, _ reader: any Reader) throws -> [Shortfall] {
        let kind = RunException.Kind.netNegative.rawValue
        return try reader.all(shortfalls, [.text(runID), .integer(kind)]) {
            Shortfall(commissioner: $0.text(0), payee: $0.text(1), name: $0.text(2), pence: -$0.integer(3))
        }
    }

    static func counts(of runID: String, _ reader: any Reader) throws -> Counts {
        var result = Counts()
        try reader.forEach(counts, [.text(runID)]) { row in
            switch (RunException.Severity(rawValue: row.integer(0)), row.bool(1)) {
            case (.warning, _): result.warnings += row.integer(2)
            case (.blocking, true): result.accepted += row.integer(2)
            case (.blocking, false): result.open += row.integer(2)
            case (.fatal, _):
                result.open += row.integer(2)
                result.fatal += row.integer(2)
            case (nil, _): break
            }
        }
        return result
    }

    /// Whether there was such a blocking exception, not accepted yet.
    static func accept(
        number: Int64, of runID: String, by actor: String, reason: String, in transaction: any Transaction
    ) throws -> Bool {
        try transaction.run(
            accept,
            [.text(runID), .integer(number), .text(actor), .instant(transaction.now), .text(reason)]) == 1
    }
}
