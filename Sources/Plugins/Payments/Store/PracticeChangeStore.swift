import PluginAPI

/// Steps of mergers and closures that came to payments, so that a roll-back finds what was done for them.
enum PracticeChangeStore {
    static let schema = [
        """
        CREATE TABLE practice_change_step (
            case_id TEXT NOT NULL, step INTEGER NOT NULL, practice_code TEXT NOT NULL, sequence INTEGER NOT NULL,
            received_at INTEGER NOT NULL, PRIMARY KEY (case_id, step, practice_code, sequence)
        ) STRICT
        """
    ]

    struct Step: Hashable, Sendable {
        var step: Int32
        var practice: ODSCode
        /// Of the event; the closing notice has it below zero.
        var sequence: Int64
    }

    private static let insert = Statement(
        """
        INSERT INTO practice_change_step (case_id, step, practice_code, sequence, received_at)
        VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (case_id, step, practice_code, sequence) DO NOTHING
        """)
    private static let ofCase = Statement(
        """
        SELECT step, practice_code, sequence FROM practice_change_step WHERE case_id = ?1
        ORDER BY step, practice_code, sequence
        """)

    static func add(_ step: Step, of caseID: String, in transaction: any Transaction) throws {
        try transaction.run(
            insert,
            [
                .text(caseID), .integer(Int64(step.step)), .text(step.practice.value), .integer(step.sequence),
                .instant(transaction.now),
            ])
    }

    static func steps(of caseID: String, _ reader: any Reader) throws -> [Step] {
        try reader.all(ofCase, [.text(caseID)]) { row in
            guard let practice = ODSCode(row.text(1)) else {
                throw PaymentsError.damaged("step of case " + caseID)
            }
            return Step(step: Int32(clamping: row.integer(0)), practice: practice, sequence: row.integer(2))
        }
    }
}
