import PluginAPI

/// The schema of the changes store, forward only. Notices and reports are kept as the messages they were.
enum ChangesMigrations {
    static let all: [Migration] = [
        Migration(version: 1, name: "cases and steps", statements: cases),
        Migration(version: 2, name: "checklists and closings seen", statements: reference),
    ]

    private static let cases = [
        """
        CREATE TABLE change_case (
            case_id TEXT PRIMARY KEY NOT NULL, state INTEGER NOT NULL, version INTEGER NOT NULL,
            effective_on TEXT NOT NULL, opened_by TEXT NOT NULL, submitted_by TEXT NOT NULL, received_on TEXT,
            plan INTEGER NOT NULL, notice BLOB NOT NULL
        ) STRICT
        """,
        """
        CREATE TABLE case_practice (
            practice_code TEXT NOT NULL, case_id TEXT NOT NULL REFERENCES change_case (case_id),
            PRIMARY KEY (practice_code, case_id)
        ) STRICT
        """,
        """
        CREATE TABLE notice_revision (
            case_id TEXT NOT NULL REFERENCES change_case (case_id), number INTEGER NOT NULL, body BLOB NOT NULL,
            recorded_by TEXT NOT NULL, recorded_at INTEGER NOT NULL, PRIMARY KEY (case_id, number)
        ) STRICT
        """,
        """
        CREATE TABLE commissioner_decision (
            case_id TEXT NOT NULL REFERENCES change_case (case_id), number INTEGER NOT NULL, body BLOB NOT NULL,
            counts INTEGER NOT NULL, PRIMARY KEY (case_id, number)
        ) STRICT
        """,
        """
        CREATE TABLE gate_result (
            case_id TEXT NOT NULL REFERENCES change_case (case_id), number INTEGER NOT NULL, body BLOB NOT NULL,
            PRIMARY KEY (case_id, number)
        ) STRICT
        """,
        """
        CREATE TABLE step (
            case_id TEXT NOT NULL REFERENCES change_case (case_id), number INTEGER NOT NULL, state INTEGER NOT NULL,
            due_on TEXT NOT NULL, owner_area TEXT NOT NULL, failures INTEGER NOT NULL, by_hand INTEGER NOT NULL,
            checklist_id TEXT NOT NULL, PRIMARY KEY (case_id, number)
        ) STRICT
        """,
        """
        CREATE TABLE step_report (
            case_id TEXT NOT NULL, step INTEGER NOT NULL, number INTEGER NOT NULL, body BLOB NOT NULL,
            PRIMARY KEY (case_id, step, number), FOREIGN KEY (case_id, step) REFERENCES step (case_id, number)
        ) STRICT
        """,
        """
        CREATE TABLE go_decision (
            case_id TEXT NOT NULL REFERENCES change_case (case_id), number INTEGER NOT NULL, plan INTEGER NOT NULL,
            body BLOB NOT NULL, PRIMARY KEY (case_id, number)
        ) STRICT
        """,
        """
        CREATE TABLE case_log (
            case_id TEXT NOT NULL REFERENCES change_case (case_id), number INTEGER NOT NULL, body BLOB NOT NULL,
            PRIMARY KEY (case_id, number)
        ) STRICT
        """,
    ]

    private static let reference = [
        """
        CREATE TABLE checklist (
            set_id TEXT PRIMARY KEY NOT NULL, state INTEGER NOT NULL, sha256 TEXT NOT NULL, row_count INTEGER NOT NULL,
            reason TEXT NOT NULL, proposed_by TEXT NOT NULL, proposed_at INTEGER NOT NULL, decided_by TEXT,
            decided_at INTEGER, decision_reason TEXT, body BLOB NOT NULL
        ) STRICT
        """,
        """
        CREATE TABLE register_closing (
            practice_code TEXT NOT NULL, sequence INTEGER NOT NULL, effective_on TEXT NOT NULL, load_id TEXT NOT NULL,
            PRIMARY KEY (practice_code, sequence)
        ) STRICT
        """,
    ]
}
