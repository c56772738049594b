import PluginAPI

/// Visits notified before they are made (payments.md 10.2, PVN). Every change is a new version.
enum VisitStore {
    struct Visit: Hashable, Sendable {
        var contractor: ODSCode
        var reference: String
        var version: Int64 = 1
        var address: String
        var postcode: String
        var on: CalendarDate
        /// Minutes after midnight in England.
        var startsAt: Int64
        var patients: Int64
        var awaitsApproval = false
        /// Changes made so far; an approval is none.
        var changes: Int64 = 0

        var place: Place { Place(address: address, postcode: postcode) }
    }

    /// An address, alike however it is written: capitals, spaces and punctuation say nothing.
    struct Place: Hashable, Sendable {
        private let text: String

        init(address: String, postcode: String) {
            func plain(_ text: String) -> String { String(text.uppercased().filter { $0.isLetter || $0.isNumber }) }
            text = plain(postcode) + "|" + plain(address)
        }
    }

    /// Of a day's visits the latest versions are looked at, whatever their reference.
    static let lookups = [
        "CREATE INDEX ophthalmic_visit_by_day ON ophthalmic_visit (contractor_code, visit_on)"
    ]

    private static let insert = Statement(
        """
        INSERT INTO ophthalmic_visit
            (contractor_code, visit_reference, version, address, postcode, visit_on, starts_at, patients,
            awaits_approval, set_by, set_at, reason, is_change)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
        """)
    private static let latest = Statement(
        """
        SELECT version, address, postcode, visit_on, starts_at, patients, awaits_approval,
            (SELECT SUM(is_change) FROM ophthalmic_visit WHERE contractor_code = ?1 AND visit_reference = ?2)
        FROM ophthalmic_visit WHERE contractor_code = ?1 AND visit_reference = ?2 ORDER BY version DESC LIMIT 1
        """)
    private static let ofDay = Statement(
        """
        SELECT visit_reference, version, address, postcode, visit_on, starts_at, patients, awaits_approval
        FROM ophthalmic_visit AS visit
        WHERE contractor_code = ?1 AND visit_on = ?2 AND version = (
            SELECT MAX(later.version) FROM ophthalmic_visit AS later
            WHERE later.contractor_code = visit.contractor_code AND later.visit_reference = visit.visit_reference)
        ORDER BY visit_reference
        """)
    private static let places = Statement(
        "SELECT taken FROM ophthalmic_visit_place WHERE contractor_code = ?1 AND visit_reference = ?2")
    private static let savePlaces = Statement(
        """
        INSERT INTO ophthalmic_visit_place (contractor_code, visit_reference, taken) VALUES (?1, ?2, ?3)
        ON CONFLICT (contractor_code, visit_reference) DO UPDATE SET taken = excluded.taken
        """)

    static func add(
        _ visit: Visit, by actor: String, reason: String, isChange: Bool, in transaction: any Transaction
    ) throws {
        try transaction.run(
            insert,
            [
                .text(visit.contractor.value), .text(visit.reference), .integer(visit.version),
                .text(visit.address),
                .text(visit.postcode), .date(visit.on), .integer(visit.startsAt), .integer(visit.patients),
                .integer(visit.awaitsApproval ? 1 : 0), .text(actor), .instant(transaction.now),
                .text(reason),
                .integer(isChange ? 1 : 0),
            ])
    }

    static func visit(_ contractor: ODSCode, _ reference: String, _ reader: any Reader) throws -> Visit? {
        try reader.first(latest, [.text(contractor.value), .text(reference)]) { row in
            Visit(
                contractor: contractor, reference: reference, version: row.integer(0), address: row.text(1),
                postcode: row.text(2), on: try row.date(3), startsAt: row.integer(4),
                patients: row.integer(5),
                awaitsApproval: row.bool(6), changes: row.integer(7))
        }
    }

    /// All visits of the contractor at the same place on the same day, whatever their reference; the visit itself too
    /// once it is stored.
    static func together(with visit: Visit, _ reader: any Reader) throws -> [Visit] {
        try reader.all(ofDay, [.text(visit.contractor.value), .date(visit.on)]) { row in
            Visit(
                contractor: visit.contractor, reference: row.text(0), version: row.integer(1), address: row.text(2),
                postcode: row.text(3), on: try row.date(4), startsAt: row.integer(5), patients: row.integer(6),
                awaitsApproval: row.bool(7))
        }.filter { $0.place == visit.place }
    }

    /// Patients of the visit whose claims were accepted.
    static func taken(_ contractor: ODSCode, _ reference: String, _ reader: any Reader) throws -> Int64 {
        try reader.first(places, [.text(contractor.value), .text(reference)]) { $0.integer(0) } ?? 0
    }

    static func setTaken(
        _ contractor: ODSCode, _ reference: String, _ count: Int64, in transaction: any Transaction
    ) throws {
        try transaction.run(savePlaces, [.text(contractor.value), .text(reference), .integer(count)])
    }
}
