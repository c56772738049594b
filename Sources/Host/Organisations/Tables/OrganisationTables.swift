import PluginAPI

/// The register's tables in the host's database.
///
/// `organisation_slice` and `organisation_link` are bitemporal: `valid_from` to `valid_to` (both included) is when it is
/// true, `known_from` until before `known_to` is when the register held it to be so. Rows are only ever added and ended
/// (`known_to`), never changed or deleted. `organisation_stated` holds what the files said last, for comparing the
/// next file with.
enum OrganisationTables {
    static let stillKnown = "9999-12-31"

    static let migrations: [Migration] = [
        Migration(
            version: 100, name: "organisation loads and their evidence",
            statements: [
                """
                CREATE TABLE organisation_load (
                    load_id TEXT NOT NULL PRIMARY KEY,
                    layout INTEGER NOT NULL,
                    file_name TEXT NOT NULL,
                    series TEXT NOT NULL,
                    published_on TEXT NOT NULL,
                    sha256 TEXT NOT NULL,
                    state INTEGER NOT NULL,
                    row_count INTEGER NOT NULL,
                    opened INTEGER NOT NULL,
                    closed INTEGER NOT NULL,
                    reopened INTEGER NOT NULL,
                    changed INTEGER NOT NULL,
                    missing INTEGER NOT NULL,
                    unchanged INTEGER NOT NULL,
                    pending_references INTEGER NOT NULL,
                    held_because TEXT NOT NULL,
                    loaded_by TEXT NOT NULL,
                    recorded_at INTEGER NOT NULL,
                    decided_by TEXT,
                    decided_at INTEGER,
                    decision_reason TEXT
                ) STRICT
                """,
                "CREATE INDEX organisation_load_by_sha256 ON organisation_load (sha256, layout)",
                """
                CREATE TABLE organisation_load_file (
                    load_id TEXT NOT NULL PRIMARY KEY REFERENCES organisation_load (load_id),
                    content BLOB NOT NULL
                ) STRICT
                """,
                """
                CREATE TABLE organisation_load_difference (
                    load_id TEXT NOT NULL REFERENCES organisation_load (load_id),
                    number INTEGER NOT NULL,
                    code TEXT NOT NULL,
                    kind INTEGER NOT NULL,
                    subject TEXT NOT NULL,
                    before_value TEXT NOT NULL,
                    after_value TEXT NOT NULL,
                    PRIMARY KEY (load_id, number)
                ) STRICT
                """,
            ]),
        Migration(
            version: 101, name: "the register, bitemporal",
            statements: [
                """
                CREATE TABLE organisation_stated (
                    code TEXT NOT NULL PRIMARY KEY,
                    layout INTEGER NOT NULL,
                    series TEXT NOT NULL,
                    kind INTEGER NOT NULL,
                    name TEXT NOT NULL,
                    status INTEGER NOT NULL,
                    opened_on TEXT,
                    closed_on TEXT,
                    postcode TEXT NOT NULL,
                    town TEXT NOT NULL,
                    missing_since TEXT
                ) STRICT
                """,
                """
                CREATE TABLE organisation_slice (
                    code TEXT NOT NULL,
                    valid_from TEXT NOT NULL,
                    valid_to TEXT NOT NULL,
                    kind INTEGER NOT NULL,
                    status INTEGER NOT NULL,
                    name TEXT NOT NULL,
                    postcode TEXT NOT NULL,
                    town TEXT NOT NULL,
                    opened_on TEXT,
                    closed_on TEXT,
                    known_from TEXT NOT NULL,
                    known_to TEXT NOT NULL,
                    load_id TEXT NOT NULL,
                    ended_by TEXT,
                    PRIMARY KEY (code, valid_from, load_id)
                ) STRICT
                """,
                """
                CREATE TABLE organisation_link (
                    child TEXT NOT NULL,
                    relation TEXT NOT NULL,
                    parent TEXT NOT NULL,
                    valid_from TEXT NOT NULL,
                    valid_to TEXT NOT NULL,
                    series TEXT NOT NULL,
                    missing_since TEXT,
                    known_from TEXT NOT NULL,
                    known_to TEXT NOT NULL,
                    load_id TEXT NOT NULL,
                    ended_by TEXT,
                    PRIMARY KEY (child, relation, parent, valid_from, load_id)
                ) STRICT
                """,
                """
                CREATE TABLE organisation_succession (
                    predecessor TEXT NOT NULL,
                    successor TEXT NOT NULL,
                    known_from TEXT NOT NULL,
                    load_id TEXT NOT NULL,
                    PRIMARY KEY (predecessor, successor)
                ) STRICT
                """,
                "CREATE INDEX organisation_succession_by_successor ON organisation_succession (successor)",
                """
                CREATE TABLE organisation_pending_reference (
                    code TEXT NOT NULL PRIMARY KEY,
                    named_by TEXT NOT NULL,
                    load_id TEXT NOT NULL,
                    resolved_by TEXT
                ) STRICT
                """,
            ]),
    ]
}

extension OrganisationTables {
    static let insertLoad = Statement(
        """
        INSERT INTO organisation_load (load_id, layout, file_name, series, published_on, sha256, state, row_count, opened,
            closed, reopened, changed, missing, unchanged, pending_references, held_because, loaded_by, recorded_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
        """)
    static let decideLoad = Statement(
        """
        UPDATE organisation_load SET state = ?2, opened = ?3, closed = ?4, reopened = ?5, changed = ?6, missing = ?7,
            unchanged = ?8, pending_references = ?9, decided_by = ?10, decided_at = ?11, decision_reason = ?12
        WHERE load_id = ?1
        """)
    private static let loadColumns = """
        load_id, layout, file_name, series, published_on, sha256, state, row_count, opened, closed, reopened, changed,
        missing, unchanged, pending_references, held_because, loaded_by
        """
    static let loads = Statement(
        "SELECT \(loadColumns) FROM organisation_load ORDER BY load_id DESC LIMIT ?1")
    static let load = Statement("SELECT \(loadColumns) FROM organisation_load WHERE load_id = ?1")
    /// Applied or held; a discarded file may be offered again.
    static let loadOfFile = Statement(
        """
        SELECT \(loadColumns) FROM organisation_load
        WHERE sha256 = ?1 AND layout = ?2 AND state IN (1, 2) ORDER BY load_id LIMIT 1
        """)
    static let appliedLoads = Statement(
        "SELECT series, published_on FROM organisation_load WHERE layout = ?1 AND state = 1 ORDER BY load_id")
    static let insertFile = Statement("INSERT INTO organisation_load_file (load_id, content) VALUES (?1, ?2)")
    static let file = Statement("SELECT content FROM organisation_load_file WHERE load_id = ?1")
    static let insertDifference = Statement(
        """
        INSERT INTO organisation_load_difference (load_id, number, code, kind, subject, before_value, after_value)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        """)
    static let deleteDifferences = Statement("DELETE FROM organisation_load_difference WHERE load_id = ?1")
    static let differences = Statement(
        """
        SELECT number, code, kind, subject, before_value, after_value FROM organisation_load_difference
        WHERE load_id = ?1 AND number > ?2 ORDER BY number LIMIT ?3
        """)

    static let stated = Statement(
        """
        SELECT code, layout, series, kind, name, status, opened_on, closed_on, postcode, town, missing_since
        FROM organisation_stated
        """)
    static let putStated = Statement(
        """
        INSERT INTO organisation_stated (code, layout, series, kind, name, status, opened_on, closed_on, postcode, town)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        ON CONFLICT (code) DO UPDATE SET series = excluded.series, kind = excluded.kind, name = excluded.name,
            status = excluded.status, opened_on = excluded.opened_on, closed_on = excluded.closed_on,
            postcode = excluded.postcode, town = excluded.town, missing_since = NULL
        """)
    static let markMissing = Statement("UPDATE organisation_stated SET missing_since = ?2 WHERE code = ?1")

    private static let sliceColumns = """
        code, valid_from, valid_to, kind, status, name, postcode, town, opened_on, closed_on
        """
    static let slices = Statement(
        "SELECT \(sliceColumns) FROM organisation_slice WHERE known_to = '9999-12-31' ORDER BY code, valid_from"
    )
    static let slicesOf = Statement(
        """
        SELECT \(sliceColumns) FROM organisation_slice
        WHERE code = ?1 AND known_from <= ?2 AND known_to > ?2 ORDER BY valid_from
        """)
    static let endSlices = Statement(
        """
        UPDATE organisation_slice SET known_to = ?2, ended_by = ?3 WHERE code = ?1 AND known_to = '9999-12-31'
        """)
    static let insertSlice = Statement(
        """
        INSERT INTO organisation_slice (code, valid_from, valid_to, kind, status, name, postcode, town, opened_on,
            closed_on, known_from, known_to, load_id)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, '9999-12-31', ?12)
        """)

    static let links = Statement(
        """
        SELECT child, relation, parent, valid_from, valid_to FROM organisation_link
        WHERE known_to = '9999-12-31' ORDER BY child, relation, valid_from
        """)
    static let linksOfRelation = Statement(
        """
        SELECT child, parent, valid_from, valid_to, series, missing_since FROM organisation_link
        WHERE relation = ?1 AND known_to = '9999-12-31' ORDER BY child, valid_from
        """)
    static let linksOf = Statement(
        """
        SELECT parent, valid_from, valid_to FROM organisation_link
        WHERE child = ?1 AND relation = ?2 AND known_from <= ?3 AND known_to > ?3 ORDER BY valid_from
        """)
    static let endLinks = Statement(
        """
        UPDATE organisation_link SET known_to = ?3, ended_by = ?4
        WHERE child = ?1 AND relation = ?2 AND known_to = '9999-12-31'
        """)
    static let endLink = Statement(
        """
        UPDATE organisation_link SET known_to = ?5, ended_by = ?6
        WHERE child = ?1 AND relation = ?2 AND parent = ?3 AND valid_from = ?4 AND known_to = '9999-12-31'
        """)
    static let insertLink = Statement(
        """
        INSERT INTO organisation_link (child, relation, parent, valid_from, valid_to, series, known_from, known_to, load_id)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, '9999-12-31', ?8)
        """)
    static let restateLink = Statement(
        """
        UPDATE organisation_link SET series = ?5, missing_since = ?6
        WHERE child = ?1 AND relation = ?2 AND parent = ?3 AND valid_from = ?4 AND known_to = '9999-12-31'
        """)

    static let successions = Statement(
        "SELECT predecessor, successor FROM organisation_succession ORDER BY predecessor, successor")
    static let successorsOf = Statement(
        "SELECT successor FROM organisation_succession WHERE predecessor = ?1 AND known_from <= ?2 ORDER BY successor"
    )
    static let predecessorsOf = Statement(
        "SELECT predecessor FROM organisation_succession WHERE successor = ?1 AND known_from <= ?2 ORDER BY predecessor"
    )
    static let insertSuccession = Statement(
        """
        INSERT INTO organisation_succession (predecessor, successor, known_from, load_id) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (predecessor, successor) DO NOTHING
        """)

    static let pending = Statement(
        "SELECT code FROM organisation_pending_reference WHERE resolved_by IS NULL")
    static let queuePending = Statement(
        """
        INSERT INTO organisation_pending_reference (code, named_by, load_id) VALUES (?1, ?2, ?3)
        ON CONFLICT (code) DO NOTHING
        """)
    static let resolvePending = Statement(
        "UPDATE organisation_pending_reference SET resolved_by = ?2 WHERE code = ?1")
}
