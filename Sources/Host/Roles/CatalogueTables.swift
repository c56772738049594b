import CommonContract
import HostContract
import PluginAPI

/// Versions of the catalogue of roles. The files are kept as they came.
enum CatalogueTables {
    static let migrations: [Migration] = [
        Migration(
            version: 234, name: "versions of the catalogue of roles",
            statements: [
                """
                CREATE TABLE role_catalogue (
                    catalogue_id TEXT NOT NULL PRIMARY KEY,
                    valid_from TEXT NOT NULL,
                    roles BLOB NOT NULL,
                    conflicts BLOB NOT NULL,
                    parameters BLOB NOT NULL,
                    digest TEXT NOT NULL,
                    reason TEXT NOT NULL,
                    proposed_by TEXT NOT NULL,
                    proposed_at INTEGER NOT NULL,
                    approved_by TEXT,
                    approved_at INTEGER
                ) STRICT
                """
            ])
    ]

    private static let columns =
        "catalogue_id, valid_from, digest, reason, proposed_by, proposed_at, approved_by"
    private static let one = Statement("SELECT \(columns) FROM role_catalogue WHERE catalogue_id = ?1")
    static let list = Statement("SELECT \(columns) FROM role_catalogue ORDER BY catalogue_id")
    static let approved = Statement(
        """
        SELECT catalogue_id, valid_from, roles, conflicts, parameters FROM role_catalogue
        WHERE approved_by IS NOT NULL ORDER BY valid_from, approved_at
        """)
    static let insert = Statement(
        """
        INSERT INTO role_catalogue (catalogue_id, valid_from, roles, conflicts, parameters, digest, reason, proposed_by,
            proposed_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        """)
    static let approve = Statement(
        """
        UPDATE role_catalogue SET approved_by = ?2, approved_at = ?3
        WHERE catalogue_id = ?1 AND approved_by IS NULL
        """)

    static func digest(of file: RoleCatalogueFile, from: CalendarDate) -> String {
        Seen.digest(bytes: [file.roles, file.conflicts, file.parameters, Array(from.description.utf8)])
    }

    static func version(_ id: String, in reader: any Reader) throws -> Version {
        guard let version = try reader.first(one, [.text(id)], Version.init(row:)) else {
            throw Failure.notFound("There is no such version of the catalogue.")
        }
        return version
    }

    struct Version: Sendable {
        let id: String
        let from: CalendarDate
        let digest: String
        let reason: String
        let proposedBy: String
        let proposedAt: Instant
        let approvedBy: String

        init(row: any Row) throws {
            id = row.text(0)
            from = try row.date(1)
            digest = row.text(2)
            reason = row.text(3)
            proposedBy = row.text(4)
            proposedAt = row.instant(5)
            approvedBy = row.text(6)
        }

        var message: Pcs_Host_V1_CatalogueVersion {
            .with {
                $0.catalogueID = id
                $0.validFrom = Pcs_Common_V1_Date(from)
                $0.state = approvedBy.isEmpty ? .open : .approved
                $0.proposedBy = proposedBy
                $0.approvedBy = approvedBy
                $0.reason = reason
                $0.digest = digest
            }
        }
    }
}
