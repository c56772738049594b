import PluginAPI

/// Determinations of rents with their evidence: only ever added to; a decision is written once.
enum RentStore {
    static let schema = [
        """
        CREATE TABLE rent_determination (
            rent_id TEXT PRIMARY KEY NOT NULL, practice_code TEXT NOT NULL, kind INTEGER NOT NULL,
            annual_pence INTEGER NOT NULL, valuer INTEGER NOT NULL, valuer_name TEXT NOT NULL, determined_on TEXT,
            accepted_on TEXT, late_reason TEXT NOT NULL, effective_from TEXT NOT NULL,
            private_use_hundredths INTEGER NOT NULL, reason TEXT NOT NULL, state INTEGER NOT NULL,
            proposed_by TEXT NOT NULL, proposed_at INTEGER NOT NULL, decided_by TEXT NOT NULL, decided_at INTEGER,
            decision_reason TEXT NOT NULL, seq INTEGER REFERENCES input (seq)
        ) STRICT
        """,
        "CREATE INDEX rent_determination_by_practice ON rent_determination (practice_code, rent_id)",
        """
        CREATE TABLE rent_document (
            rent_id TEXT NOT NULL REFERENCES rent_determination (rent_id), number INTEGER NOT NULL,
            document_id TEXT NOT NULL, PRIMARY KEY (rent_id, number)
        ) STRICT
        """,
    ]

    private static let columns = """
        rent_id, practice_code, kind, annual_pence, valuer, valuer_name, determined_on, accepted_on, late_reason,
        effective_from, private_use_hundredths, reason, state, proposed_by, proposed_at, decided_by, decided_at,
        decision_reason, seq
        """
    private static let insert = Statement(
        """
        INSERT INTO rent_determination
            (rent_id, practice_code, kind, annual_pence, valuer, valuer_name, determined_on, accepted_on, late_reason,
            effective_from, private_use_hundredths, reason, state, proposed_by, proposed_at, decided_by, decision_reason)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
        """)
    private static let insertDocuments = BulkInsert(
        into: "rent_document", ["rent_id", "number", "document_id"])
    private static let decide = Statement(
        """
        UPDATE rent_determination SET state = ?2, decided_by = ?3, decided_at = ?4, decision_reason = ?5, seq = ?6
        WHERE rent_id = ?1 AND state = 1
        """)
    private static let byID = Statement("SELECT \(columns) FROM rent_determination WHERE rent_id = ?1")
    private static let ofPractice = Statement(
        "SELECT \(columns) FROM rent_determination WHERE practice_code = ?1 ORDER BY rent_id")
    private static let known = Statement(
        "SELECT \(columns) FROM rent_determination WHERE seq <= ?1 ORDER BY seq")
    private static let approvedOfPractice = Statement(
        "SELECT \(columns) FROM rent_determination WHERE practice_code = ?1 AND seq IS NOT NULL ORDER BY seq")
    private static let documents = Statement(
        "SELECT document_id FROM rent_document WHERE rent_id = ?1 ORDER BY number")

    static func add(_ rent: RentDetermination, in transaction: any Transaction) throws {
        let valuation = rent.valuation
        try transaction.run(
            insert,
            [
                .text(rent.id), .text(rent.practice.value), .integer(rent.kind.rawValue),
                .integer(rent.annualPence), .integer(valuation?.valuer.rawValue ?? 0),
                .text(valuation?.valuerName ?? ""), .date(valuation?.on), .date(valuation?.acceptedOn),
                .text(valuation?.lateReason ?? ""), .date(rent.from), .integer(rent.privateUseHundredths),
                .text(rent.reason), .integer(rent.state.rawValue), .text(rent.proposedBy),
                .instant(rent.proposedAt), .text(""), .text(""),
            ])
        try insertDocuments.run(Array(rent.documents.enumerated()), in: transaction) { entry, values in
            values += [.text(rent.id), .integer(entry.offset + 1), .text(entry.element)]
        }
    }

    static func saveDecision(_ rent: RentDetermination, in transaction: any Transaction) throws {
        try transaction.run(
            decide,
            [
                .text(rent.id), .integer(rent.state.rawValue), .text(rent.decidedBy),
                .instant(transaction.now), .text(rent.decisionReason),
                .optional(rent.version == 0 ? nil : rent.version),
            ])
    }

    /// With its evidence.
    static func rent(_ id: String, _ reader: any Reader) throws -> RentDetermination? {
        guard let found = try reader.first(byID, [.text(id)], rent) else { return nil }
        return try withDocuments(found, reader)
    }

    /// With their evidence, oldest first.
    static func rents(of practice: ODSCode, _ reader: any Reader) throws -> [RentDetermination] {
        try reader.all(ofPractice, [.text(practice.value)], rent).map { try withDocuments($0, reader) }
    }

    static func withDocuments(
        _ rent: RentDetermination, _ reader: any Reader
    ) throws -> RentDetermination {
        var rent = rent
        rent.documents = try reader.all(documents, [.text(rent.id)]) { $0.text(0) }
        return rent
    }

    /// Approved ones as known at an input number, without evidence.
    static func determinations(knownAt seq: Int64, _ reader: any Reader) throws -> [RentDetermination] {
        try reader.all(known, [.integer(seq)], rent)
    }

    /// Approved ones of a practice, without evidence.
    static func determinations(of practice: ODSCode, _ reader: any Reader) throws -> [RentDetermination] {
        try reader.all(approvedOfPractice, [.text(practice.value)], rent)
    }

    private static func rent(_ row: any Row) throws -> RentDetermination {
        guard let practice = ODSCode(row.text(1)), let kind = RentDetermination.Kind(rawValue: row.integer(2)),
            let state = RentDetermination.State(rawValue: row.integer(12))
        else { throw PaymentsError.damaged("rent " + row.text(0)) }
        var valuation: RentDetermination.Valuation?
        if let valuer = RentDetermination.Valuer(rawValue: row.integer(4)), let on = try row.optionalDate(6) {
            valuation = .init(
                valuer: valuer, valuerName: row.text(5), on: on, acceptedOn: try row.optionalDate(7),
                lateReason: row.text(8))
        }
        return RentDetermination(
            id: row.text(0), practice: practice, kind: kind, annualPence: row.integer(3), valuation: valuation,
            from: try row.date(9), privateUseHundredths: row.integer(10), reason: row.text(11), state: state,
            proposedBy: row.text(13), proposedAt: row.instant(14), decidedBy: row.text(15),
            decidedAt: row.isNull(16) ? nil : row.instant(16), decisionReason: row.text(17),
            version: row.optionalInteger(18) ?? 0)
    }
}
