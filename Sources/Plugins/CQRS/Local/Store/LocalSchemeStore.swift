import CqrsContract
import PluginAPI
import SwiftProtobuf

/// Local services, version by version, and their budgets.
enum LocalSchemeStore {
    enum State: Int, Sendable { case draft = 1, published, closed }

    struct Record: Sendable {
        var id: String
        var version: Int
        var owner: String
        var state: State
        var sha256: String
        var definition: Pcs_Cqrs_V1_LocalServiceDefinition
        var definedBy: String
        var definedAt: Instant
        var publishedBy = ""
        var publishedAt: Instant?

        /// What the rules reckon with.
        var scheme: LocalScheme {
            var scheme = LocalSchemeReading.scheme(definition, id: id, version: version, owner: owner)
            scheme.isClosed = state == .closed
            return scheme
        }
    }

    private static let columns = """
        service_id, version, owner_code, state, sha256, body, defined_by, defined_at, published_by, published_at
        """
    private static let insert = Statement(
        "INSERT INTO local_service (\(columns)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")
    private static let update = Statement(
        """
        UPDATE local_service SET state = ?3, published_by = ?4, published_at = ?5 WHERE service_id = ?1 AND version = ?2
        """)
    private static let insertShare = Statement(
        "INSERT INTO local_service_share (service_id, version, commissioner_code) VALUES (?1, ?2, ?3)")
    private static let versions = Statement(
        "SELECT \(columns) FROM local_service WHERE service_id = ?1 ORDER BY version DESC")
    private static let owned = Statement(
        "SELECT DISTINCT service_id FROM local_service WHERE owner_code = ?1 ORDER BY service_id")
    private static let shared = Statement(
        "SELECT DISTINCT service_id FROM local_service_share WHERE commissioner_code = ?1 ORDER BY service_id"
    )
    private static let insertBudget = Statement(
        """
        INSERT INTO local_budget (number, service_id, commissioner_code, financial_year, pence, reason, set_by, set_at)
        SELECT COALESCE(MAX(number), 0) + 1, ?1, ?2, ?3, ?4, ?5, ?6, ?7 FROM local_budget
        """)
    private static let budgetsOf = Statement(
        """
        SELECT service_id, financial_year, pence, reason, set_by, set_at FROM local_budget
        WHERE commissioner_code = ?1 ORDER BY number
        """)

    static func add(_ record: Record, in transaction: any Transaction) throws {
        let bytes: [UInt8] = try record.definition.serializedBytes()
        try transaction.run(
            insert,
            [
                .text(record.id), .integer(record.version), .text(record.owner),
                .integer(record.state.rawValue),
                .text(record.sha256), .blob(bytes),
                .text(record.definedBy),
                .instant(record.definedAt), .text(record.publishedBy),
                .optional(record.publishedAt?.microsecondsSince1970),
            ])
        for commissioner in Set(record.definition.sharedWith).sorted() {
            try transaction.run(
                insertShare, [.text(record.id), .integer(record.version), .text(commissioner)])
        }
    }

    static func save(_ record: Record, in transaction: any Transaction) throws {
        try transaction.run(
            update,
            [
                .text(record.id), .integer(record.version), .integer(record.state.rawValue),
                .text(record.publishedBy),
                .optional(record.publishedAt?.microsecondsSince1970),
            ])
    }

    /// Newest first.
    static func versions(of id: String, _ reader: any Reader) throws -> [Record] {
        try reader.all(versions, [.text(id)], record)
    }

    /// The version that holds: the newest that was published.
    static func present(_ id: String, _ reader: any Reader) throws -> Record? {
        try versions(of: id, reader).first { $0.state != .draft }
    }

    /// Owned by the commissioner or shared with it.
    static func services(of commissioner: String, _ reader: any Reader) throws -> [String] {
        let owned = try reader.all(owned, [.text(commissioner)]) { $0.text(0) }
        let shared = try reader.all(shared, [.text(commissioner)]) { $0.text(0) }
        return Set(owned).union(shared).sorted()
    }

    struct Budget: Sendable {
        var service: String
        var year: String
        var pence: Int64
        var reason: String
        var by: String
        var at: Instant
    }

    static func add(_ budget: Budget, of commissioner: String, in transaction: any Transaction) throws {
        try transaction.run(
            insertBudget,
            [
                .text(budget.service), .text(commissioner), .text(budget.year), .integer(budget.pence),
                .text(budget.reason), .text(budget.by), .instant(budget.at),
            ])
    }

    /// The row that holds of each service and year.
    static func budgets(of commissioner: String, _ reader: any Reader) throws -> [Budget] {
        var newest: [String: Budget] = [:]
        try reader.forEach(budgetsOf, [.text(commissioner)]) { row in
            let budget = Budget(
                service: row.text(0), year: row.text(1), pence: row.integer(2), reason: row.text(3),
                by: row.text(4),
                at: row.instant(5))
            newest[budget.service + " " + budget.year] = budget
        }
        return newest.values.sorted { ($0.service, $0.year) < ($1.service, $1.year) }
    }

    private static func record(_ row: any Row) throws -> Record {
        guard let state = State(rawValue: Int(row.integer(3))),
            let definition = try? Pcs_Cqrs_V1_LocalServiceDefinition(serializedBytes: row.blob(5))
        else { throw CQRSError.damaged("local service") }
        return Record(
            id: row.text(0), version: Int(row.integer(1)), owner: row.text(2), state: state,
            sha256: row.text(4),
            definition: definition, definedBy: row.text(6), definedAt: row.instant(7),
            publishedBy: row.text(8),
            publishedAt: row.isNull(9) ? nil : row.instant(9))
    }
}
