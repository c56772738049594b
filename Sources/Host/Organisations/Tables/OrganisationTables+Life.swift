import PluginAPI

// What came to the register's tables later: addresses, days of successions, the calendar of changes that take effect.
extension OrganisationTables {
    static let lifeMigrations: [Migration] = [
        Migration(
            version: 110, name: "addresses, days of successions, days whose changes were announced",
            statements: [
                """
                CREATE TABLE organisation_address (
                    code TEXT NOT NULL,
                    load_id TEXT NOT NULL,
                    known_from TEXT NOT NULL,
                    address_lines TEXT NOT NULL,
                    postcode TEXT NOT NULL,
                    PRIMARY KEY (code, load_id)
                ) STRICT
                """,
                "ALTER TABLE organisation_succession ADD COLUMN effective_on TEXT",
                """
                CREATE TABLE organisation_calendar (
                    day TEXT NOT NULL PRIMARY KEY,
                    changes INTEGER NOT NULL,
                    recorded_at INTEGER NOT NULL
                ) STRICT
                """,
                "CREATE INDEX organisation_slice_by_valid_from ON organisation_slice (valid_from)",
                "CREATE INDEX organisation_link_by_valid_from ON organisation_link (valid_from)",
                "CREATE INDEX organisation_link_by_valid_to ON organisation_link (valid_to)",
            ])
    ]

    /// The latest of a code comes last.
    static let addresses = Statement(
        "SELECT code, address_lines, postcode FROM organisation_address ORDER BY code, load_id")
    static let addressOf = Statement(
        """
        SELECT code, address_lines, postcode FROM organisation_address
        WHERE code = ?1 AND known_from <= ?2 ORDER BY load_id DESC LIMIT 1
        """)
    static let insertAddress = Statement(
        """
        INSERT INTO organisation_address (code, load_id, known_from, address_lines, postcode)
        VALUES (?1, ?2, ?3, ?4, ?5)
        """)
    /// A day is learnt once; an event without one waits for it.
    static let dateSuccession = Statement(
        """
        UPDATE organisation_succession SET effective_on = ?3
        WHERE predecessor = ?1 AND successor = ?2 AND effective_on IS NULL
        """)

    static let lastCalendarDay = Statement("SELECT MAX(day) FROM organisation_calendar")
    static let insertCalendarDay = Statement(
        "INSERT INTO organisation_calendar (day, changes, recorded_at) VALUES (?1, ?2, ?3)")
    /// Slices that begin on a day and were known before it.
    static let slicesBeginning = Statement(
        """
        SELECT code, load_id FROM organisation_slice
        WHERE valid_from = ?1 AND known_from < ?1 AND known_to = '9999-12-31' ORDER BY code
        """)
    static let linksBeginning = Statement(
        """
        SELECT child, relation, parent, load_id FROM organisation_link
        WHERE valid_from = ?1 AND known_from < ?1 AND known_to = '9999-12-31' AND relation <> 'hierarchy'
        ORDER BY child, relation
        """)
    /// Links whose last day is the given one, known by then.
    static let linksEnding = Statement(
        """
        SELECT child, relation, parent, load_id FROM organisation_link
        WHERE valid_to = ?1 AND known_from <= ?1 AND known_to = '9999-12-31' AND relation <> 'hierarchy'
        ORDER BY child, relation
        """)
}

extension StatedAddress {
    /// Lines joined by line feeds, as the table keeps them.
    var storedLines: String { lines.joined(separator: "\n") }

    /// From a row of the address statements.
    init(row: any Row) {
        self.init(lines: row.text(1).split(separator: "\n").map(String.init), postcode: row.text(2))
    }
}
