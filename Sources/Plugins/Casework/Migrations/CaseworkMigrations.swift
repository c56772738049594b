import PluginAPI

/// The schema of the casework store, forward only.
enum CaseworkMigrations {
    static let all: [Migration] = [
        Migration(version: 1, name: "positions and notifications", statements: feeds),
        Migration(version: 2, name: "tasks", statements: tasks),
        Migration(version: 3, name: "messages", statements: messages),
        Migration(version: 4, name: "enquiries", statements: enquiries),
        Migration(version: 5, name: "articles", statements: articles),
    ]

    private static let feeds = [
        "CREATE TABLE counter (name TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL) STRICT",
        "INSERT INTO counter (name, value) VALUES ('feed', 0), ('articles', 0)",
        """
        CREATE TABLE notification (
            position INTEGER PRIMARY KEY, kind INTEGER NOT NULL, role TEXT NOT NULL, organisation TEXT NOT NULL,
            person TEXT NOT NULL, title TEXT NOT NULL, mandatory INTEGER NOT NULL, raised_at INTEGER NOT NULL
        ) STRICT
        """,
        """
        CREATE TABLE notification_preference (
            person TEXT PRIMARY KEY NOT NULL, tasks INTEGER NOT NULL, messages INTEGER NOT NULL,
            changed_at INTEGER NOT NULL
        ) STRICT
        """,
    ]

    private static let tasks = [
        """
        CREATE TABLE task (
            task_id TEXT PRIMARY KEY NOT NULL, area TEXT NOT NULL, task_key TEXT NOT NULL, role TEXT NOT NULL,
            organisation TEXT NOT NULL, title TEXT NOT NULL, detail TEXT NOT NULL, record_area TEXT NOT NULL,
            record_kind TEXT NOT NULL, record_id TEXT NOT NULL, record_organisation TEXT NOT NULL,
            outcomes TEXT NOT NULL, due_on TEXT, urgent INTEGER NOT NULL, escalate_role TEXT NOT NULL,
            escalate_organisation TEXT NOT NULL, follows TEXT NOT NULL, by_hand INTEGER NOT NULL,
            is_open INTEGER NOT NULL, assigned_to TEXT NOT NULL, outcome TEXT NOT NULL, settled_by TEXT NOT NULL,
            settled_at INTEGER, requested_at INTEGER NOT NULL, escalated_at INTEGER
        ) STRICT
        """,
        // The same act on the same object is one open task.
        "CREATE UNIQUE INDEX task_open_key ON task (area, task_key) WHERE is_open = 1",
        "CREATE INDEX task_due ON task (due_on) WHERE is_open = 1",
        "CREATE INDEX task_following ON task (follows) WHERE is_open = 1",
        """
        CREATE TABLE task_audience (
            task_id TEXT NOT NULL REFERENCES task (task_id), organisation TEXT NOT NULL, role TEXT NOT NULL,
            standing INTEGER NOT NULL, moved_to TEXT NOT NULL, steps_until INTEGER NOT NULL,
            is_open INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (task_id, organisation, role, standing)
        ) STRICT
        """,
        "CREATE INDEX task_audience_list ON task_audience (organisation, role, is_open, task_id)",
        "CREATE INDEX task_audience_feed ON task_audience (organisation, role, position)",
        """
        CREATE TABLE task_step (
            task_id TEXT NOT NULL REFERENCES task (task_id), number INTEGER NOT NULL, taken_at INTEGER NOT NULL,
            taken_by TEXT NOT NULL, step TEXT NOT NULL, detail TEXT NOT NULL, PRIMARY KEY (task_id, number)
        ) STRICT
        """,
    ]

    private static let messages = [
        """
        CREATE TABLE message (
            message_id TEXT PRIMARY KEY NOT NULL, area TEXT NOT NULL, message_key TEXT NOT NULL, role TEXT NOT NULL,
            organisation TEXT NOT NULL, person TEXT NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL,
            record_area TEXT NOT NULL, record_kind TEXT NOT NULL, record_id TEXT NOT NULL,
            record_organisation TEXT NOT NULL, class INTEGER NOT NULL, documents TEXT NOT NULL,
            posted_at INTEGER NOT NULL, UNIQUE (area, message_key)
        ) STRICT
        """,
        """
        CREATE TABLE message_audience (
            organisation TEXT NOT NULL, role TEXT NOT NULL, person TEXT NOT NULL, position INTEGER NOT NULL,
            message_id TEXT NOT NULL REFERENCES message (message_id), class INTEGER NOT NULL,
            PRIMARY KEY (organisation, role, person, position)
        ) STRICT
        """,
        "CREATE INDEX message_audience_of ON message_audience (message_id)",
        """
        CREATE TABLE message_receipt (
            message_id TEXT NOT NULL REFERENCES message (message_id), person TEXT NOT NULL, read_at INTEGER NOT NULL,
            PRIMARY KEY (message_id, person)
        ) STRICT
        """,
    ]

    private static let enquiries = [
        """
        CREATE TABLE enquiry (
            enquiry_id TEXT PRIMARY KEY NOT NULL, kind INTEGER NOT NULL, state INTEGER NOT NULL,
            organisation TEXT NOT NULL, category TEXT NOT NULL, sub_category TEXT NOT NULL, subject TEXT NOT NULL,
            body TEXT NOT NULL, documents TEXT NOT NULL, urgent INTEGER NOT NULL, urgency_reason TEXT NOT NULL,
            patient_safety INTEGER NOT NULL, restricted INTEGER NOT NULL, raised_by TEXT NOT NULL,
            raised_at INTEGER NOT NULL, clock_from INTEGER NOT NULL, team TEXT NOT NULL, handler TEXT NOT NULL,
            acknowledged_at INTEGER, first_answered_at INTEGER, resolved_at INTEGER, planned_answer_on TEXT,
            stopped_minutes INTEGER NOT NULL, waiting_since INTEGER, reminded INTEGER NOT NULL,
            escalated_percent INTEGER NOT NULL, closing_reason TEXT NOT NULL, duplicate_of TEXT NOT NULL,
            complaint_proposed INTEGER NOT NULL, drafted_by TEXT NOT NULL, event_on TEXT, late_reason TEXT NOT NULL,
            times_reopened INTEGER NOT NULL, resolve_by INTEGER NOT NULL, is_ended INTEGER NOT NULL,
            is_answered INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX enquiry_of_organisation ON enquiry (organisation, enquiry_id)",
        "CREATE INDEX enquiry_work ON enquiry (is_answered, team, resolve_by, enquiry_id)",
        "CREATE INDEX enquiry_open ON enquiry (is_ended, enquiry_id)",
        "CREATE INDEX enquiry_raised ON enquiry (raised_at)",
        """
        CREATE TABLE enquiry_entry (
            enquiry_id TEXT NOT NULL REFERENCES enquiry (enquiry_id), number INTEGER NOT NULL, at INTEGER NOT NULL,
            by_whom TEXT NOT NULL, action INTEGER NOT NULL, state INTEGER NOT NULL, body TEXT NOT NULL,
            internal INTEGER NOT NULL, documents TEXT NOT NULL, PRIMARY KEY (enquiry_id, number)
        ) STRICT
        """,
        """
        CREATE TABLE enquiry_record (
            enquiry_id TEXT NOT NULL REFERENCES enquiry (enquiry_id), area TEXT NOT NULL, kind TEXT NOT NULL,
            record_id TEXT NOT NULL, organisation TEXT NOT NULL, PRIMARY KEY (enquiry_id, area, kind, record_id)
        ) STRICT
        """,
        """
        CREATE TABLE enquiry_named (
            enquiry_id TEXT NOT NULL REFERENCES enquiry (enquiry_id), person TEXT NOT NULL,
            PRIMARY KEY (enquiry_id, person)
        ) STRICT
        """,
        """
        CREATE TABLE enquiry_copy (
            enquiry_id TEXT NOT NULL REFERENCES enquiry (enquiry_id), organisation TEXT NOT NULL,
            PRIMARY KEY (enquiry_id, organisation)
        ) STRICT
        """,
        "CREATE INDEX enquiry_copy_to ON enquiry_copy (organisation, enquiry_id)",
        """
        CREATE TABLE team_member (
            team TEXT NOT NULL, person TEXT NOT NULL, added_by TEXT NOT NULL, added_at INTEGER NOT NULL,
            PRIMARY KEY (team, person)
        ) STRICT
        """,
    ]

    private static let articles = [
        """
        CREATE TABLE article (
            article_id TEXT NOT NULL, version INTEGER NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL,
            keywords TEXT NOT NULL, kinds TEXT NOT NULL, roles TEXT NOT NULL, owner TEXT NOT NULL,
            review_on TEXT NOT NULL, published_at INTEGER NOT NULL, published_by TEXT NOT NULL,
            withdrawn INTEGER NOT NULL, latest INTEGER NOT NULL, PRIMARY KEY (article_id, version)
        ) STRICT
        """,
        "CREATE INDEX article_latest ON article (latest, article_id)",
        """
        CREATE TABLE article_search (
            search_id TEXT PRIMARY KEY NOT NULL, asked_by TEXT NOT NULL, body TEXT NOT NULL,
            organisation TEXT NOT NULL, asked_at INTEGER NOT NULL, answers INTEGER NOT NULL, helped INTEGER,
            article_id TEXT NOT NULL
        ) STRICT
        """,
        "CREATE INDEX article_search_at ON article_search (asked_at)",
    ]
}
