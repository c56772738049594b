import PluginAPI

/// Claims for additional roles with every step of their life. Rows, adjustments, decisions and events are only ever added
/// to; of a claim itself only where it stands.
enum AdditionalRolesStore {
    static let schema = [
        """
        CREATE TABLE additional_roles_claim (
            claim_id TEXT PRIMARY KEY NOT NULL, pcn_code TEXT NOT NULL, month TEXT NOT NULL, number INTEGER NOT NULL,
            version INTEGER NOT NULL, stage INTEGER NOT NULL, row_count INTEGER NOT NULL, claimed_pence INTEGER NOT NULL,
            approved_pence INTEGER NOT NULL, created_by TEXT NOT NULL, submitted_by TEXT NOT NULL,
            submitted_at INTEGER, reviewed_by TEXT NOT NULL, decided_by TEXT NOT NULL, decided_at INTEGER,
            reason TEXT NOT NULL, file_name TEXT NOT NULL, sha256 TEXT NOT NULL,
            evidence_id TEXT REFERENCES evidence (evidence_id), corrects TEXT NOT NULL, UNIQUE (pcn_code, month, number)
        ) STRICT
        """,
        "CREATE INDEX additional_roles_claim_by_month ON additional_roles_claim (month, stage)",
        """
        CREATE TABLE additional_roles_row (
            claim_id TEXT NOT NULL REFERENCES additional_roles_claim (claim_id), version INTEGER NOT NULL,
            number INTEGER NOT NULL, employee_ref TEXT NOT NULL, role TEXT NOT NULL, role_from TEXT NOT NULL,
            role_to TEXT, wte_hundredths INTEGER NOT NULL, salary_pence INTEGER NOT NULL, ni_pence INTEGER NOT NULL,
            pension_pence INTEGER NOT NULL, PRIMARY KEY (claim_id, version, number)
        ) STRICT
        """,
        "CREATE INDEX additional_roles_row_by_employee ON additional_roles_row (employee_ref, claim_id)",
        """
        CREATE TABLE additional_roles_adjustment (
            claim_id TEXT NOT NULL REFERENCES additional_roles_claim (claim_id), number INTEGER NOT NULL,
            submission INTEGER NOT NULL, row_number INTEGER NOT NULL, pence INTEGER NOT NULL, reason TEXT NOT NULL,
            adjusted_by TEXT NOT NULL, PRIMARY KEY (claim_id, number)
        ) STRICT
        """,
        """
        CREATE TABLE additional_roles_maximum (
            claim_id TEXT PRIMARY KEY NOT NULL REFERENCES additional_roles_claim (claim_id), rate TEXT NOT NULL,
            rate_source TEXT NOT NULL, rate_version INTEGER NOT NULL, weighted_hundredths INTEGER NOT NULL,
            population_version INTEGER NOT NULL, pence INTEGER NOT NULL, approved_pence INTEGER NOT NULL
        ) STRICT
        """,
        """
        CREATE TABLE additional_roles_decided (
            claim_id TEXT NOT NULL REFERENCES additional_roles_claim (claim_id), row_number INTEGER NOT NULL,
            area TEXT NOT NULL, annual TEXT NOT NULL, days INTEGER NOT NULL, ceiling_pence INTEGER NOT NULL,
            payable_pence INTEGER NOT NULL, reduction TEXT NOT NULL, PRIMARY KEY (claim_id, row_number)
        ) STRICT
        """,
        """
        CREATE TABLE additional_roles_item (
            claim_id TEXT NOT NULL REFERENCES additional_roles_claim (claim_id), role TEXT NOT NULL,
            pence INTEGER NOT NULL, item_id TEXT NOT NULL REFERENCES payable_item (item_id),
            PRIMARY KEY (claim_id, role)
        ) STRICT
        """,
        """
        CREATE TABLE additional_roles_event (
            claim_id TEXT NOT NULL REFERENCES additional_roles_claim (claim_id), number INTEGER NOT NULL,
            step TEXT NOT NULL, taken_by TEXT NOT NULL, taken_at INTEGER NOT NULL, detail TEXT NOT NULL,
            PRIMARY KEY (claim_id, number)
        ) STRICT
        """,
    ]

    private static let columns = """
        additional_roles_claim.claim_id, pcn_code, month, number, version, stage, row_count, claimed_pence,
        additional_roles_claim.approved_pence, created_by, submitted_by, submitted_at, reviewed_by, decided_by,
        decided_at, reason, file_name, sha256, evidence_id, corrects, rate, rate_source, rate_version,
        weighted_hundredths, population_version, pence, additional_roles_maximum.approved_pence
        """
    private static let source = """
        additional_roles_claim LEFT JOIN additional_roles_maximum
            ON additional_roles_maximum.claim_id = additional_roles_claim.claim_id
        """
    private static let insertClaim = Statement(
        """
        INSERT INTO additional_roles_claim (
            claim_id, pcn_code, month, number, version, stage, row_count, claimed_pence, approved_pence, created_by,
            submitted_by, submitted_at, reviewed_by, decided_by, decided_at, reason, file_name, sha256, evidence_id,
            corrects)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)
        """)
    private static let updateClaim = Statement(
        """
        UPDATE additional_roles_claim
        SET version = ?5, stage = ?6, row_count = ?7, claimed_pence = ?8, approved_pence = ?9, submitted_by = ?11,
            submitted_at = ?12, reviewed_by = ?13, decided_by = ?14, decided_at = ?15, reason = ?16, file_name = ?17,
            sha256 = ?18, evidence_id = ?19, corrects = ?20
        WHERE claim_id = ?1 AND pcn_code = ?2 AND month = ?3 AND number = ?4 AND created_by = ?10
        """)
    private static let byID = Statement(
        "SELECT \(columns) FROM \(source) WHERE additional_roles_claim.claim_id = ?1")
    private static let ofNetwork = Statement(
        "SELECT \(columns) FROM \(source) WHERE pcn_code = ?1 AND month BETWEEN ?2 AND ?3 ORDER BY month, number"
    )
    private static let networks = Statement(
        "SELECT DISTINCT pcn_code FROM additional_roles_claim ORDER BY pcn_code")
    private static let insertRows = BulkInsert(
        into: "additional_roles_row",
        [
            "claim_id", "version", "number", "employee_ref", "role", "role_from", "role_to", "wte_hundredths",
            "salary_pence", "ni_pence", "pension_pence",
        ])
    private static let rowColumns = """
        additional_roles_row.number, employee_ref, role, role_from, role_to, wte_hundredths, salary_pence, ni_pence,
        pension_pence
        """
    private static let rowsOfClaim = Statement(
        """
        SELECT \(rowColumns) FROM additional_roles_row WHERE claim_id = ?1 AND version = ?2
        ORDER BY additional_roles_row.number
        """)
    /// Of other networks' claims that wait or are in force; of several in force for one month the last one counts.
    private static let rowsElsewhere = Statement(
        """
        SELECT \(rowColumns) FROM additional_roles_row
        JOIN additional_roles_claim AS held
            ON held.claim_id = additional_roles_row.claim_id AND held.version = additional_roles_row.version
        WHERE employee_ref = ?1 AND held.month = ?2 AND held.pcn_code <> ?3 AND held.stage IN (2, 4, 5, 6)
            AND NOT EXISTS (
                SELECT 1 FROM additional_roles_claim AS later
                WHERE later.pcn_code = held.pcn_code AND later.month = held.month AND later.number > held.number
                    AND later.stage IN (2, 4, 5, 6))
        """)
    private static let insertAdjustment = Statement(
        """
        INSERT INTO additional_roles_adjustment (claim_id, number, submission, row_number, pence, reason, adjusted_by)
        VALUES (
            ?1, (SELECT COUNT(*) + 1 FROM additional_roles_adjustment WHERE claim_id = ?1), ?2, ?3, ?4, ?5, ?6)
        """)
    private static let adjustmentsOfClaim = Statement(
        """
        SELECT row_number, pence, reason, adjusted_by FROM additional_roles_adjustment
        WHERE claim_id = ?1 AND submission = ?2 ORDER BY number
        """)
    private static let insertMaximum = Statement(
        """
        INSERT INTO additional_roles_maximum (
            claim_id, rate, rate_source, rate_version, weighted_hundredths, population_version, pence, approved_pence)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        """)
    private static let insertDecided = BulkInsert(
        into: "additional_roles_decided",
        [
            "claim_id", "row_number", "area", "annual", "days", "ceiling_pence", "payable_pence", "reduction",
        ])
    private static let decidedOfClaim = Statement(
        """
        SELECT row_number, area, annual, days, ceiling_pence, payable_pence, reduction FROM additional_roles_decided
        WHERE claim_id = ?1 ORDER BY row_number
        """)
    private static let insertEvent = Statement(
        """
        INSERT INTO additional_roles_event (claim_id, number, step, taken_by, taken_at, detail)
        VALUES (?1, (SELECT COUNT(*) + 1 FROM additional_roles_event WHERE claim_id = ?1), ?2, ?3, ?4, ?5)
        """)
    private static let eventsOfClaim = Statement(
        "SELECT step, taken_by, taken_at, detail FROM additional_roles_event WHERE claim_id = ?1 ORDER BY number"
    )

    struct Event: Hashable, Sendable {
        var step: String
        var by: String
        var at: Instant
        var detail: String
    }

    /// A row as decided.
    struct Decided: Hashable, Sendable {
        var number: Int
        var area: String
        var annual: ExactDecimal
        var days: Int
        var ceilingPence: Int64
        var payablePence: Int64
        var reduction: AssessedRole.Reduction
    }

    // MARK: Writing

    static func add(_ claim: AdditionalRolesClaim, in transaction: any Transaction) throws {
        try transaction.run(insertClaim, values(claim))
    }

    /// Saves where a claim stands, and the step that took it there.
    static func save(
        _ claim: AdditionalRolesClaim, step: String, by actor: String, detail: String,
        in transaction: any Transaction
    ) throws {
        try transaction.run(updateClaim, values(claim))
        try record(claim, step: step, by: actor, detail: detail, in: transaction)
    }

    static func record(
        _ claim: AdditionalRolesClaim, step: String, by actor: String, detail: String,
        in transaction: any Transaction
    ) throws {
        try transaction.run(
            insertEvent,
            [.text(claim.id), .text(step), .text(actor), .instant(transaction.now), .text(detail)])
    }

    /// The rows of the claim's present version.
    static func addRows(
        _ rows: [ClaimedRole], of claim: AdditionalRolesClaim, in transaction: any Transaction
    ) throws {
        try insertRows.run(rows, in: transaction) { row, values in
            values += [
                .text(claim.id), .integer(claim.version), .integer(row.number), .text(row.employee),
                .text(row.role), .date(row.from), .date(row.to), .integer(row.wholeTimeHundredths),
                .integer(row.salaryPence), .integer(row.insurancePence), .integer(row.pensionPence),
            ]
        }
    }

    static func addAdjustments(
        _ adjustments: [RoleAdjustment], of claim: AdditionalRolesClaim, in transaction: any Transaction
    ) throws {
        for adjustment in adjustments {
            try transaction.run(
                insertAdjustment,
                [
                    .text(claim.id), .integer(claim.submission), .integer(adjustment.number),
                    .integer(adjustment.pence), .text(adjustment.reason), .text(adjustment.by),
                ])
        }
    }

    /// What a claim was approved for, row by row, under which maximum sum.
    static func addDecision(
        _ assessed: [AssessedRole], _ maximum: MaximumSum, of claim: AdditionalRolesClaim,
        in transaction: any Transaction
    ) throws {
        try transaction.run(
            insertMaximum,
            [
                .text(claim.id), .text(maximum.rate.description), .text(maximum.rateSource),
                .integer(maximum.rateVersion), .integer(maximum.weightedHundredths),
                .integer(maximum.populationVersion), .integer(maximum.pence), .integer(maximum.approvedPence),
            ])
        try insertDecided.run(assessed, in: transaction) { role, values in
            values += [
                .text(claim.id), .integer(role.row.number), .text(role.maximum.area),
                .text(role.annual.description), .integer(role.days), .integer(role.ceilingPence),
                .integer(role.payablePence), .text(role.reduction.rawValue),
            ]
        }
    }

    // MARK: Reading

    static func claim(_ id: String, _ reader: any Reader) throws -> AdditionalRolesClaim? {
        try reader.first(byID, [.text(id)], claim)
    }

    /// Claims of a network for months, by month and number.
    static func claims(
        of network: ODSCode, _ months: ClosedRange<YearMonth>, _ reader: any Reader
    ) throws -> [AdditionalRolesClaim] {
        try reader.all(
            ofNetwork,
            [
                .text(network.value), .text(months.lowerBound.description),
                .text(months.upperBound.description),
            ], claim)
    }

    /// Networks that have claimed.
    static func networks(_ reader: any Reader) throws -> [ODSCode] {
        try reader.all(networks) { ODSCode($0.text(0)) }.compactMap { $0 }
    }

    static func rows(of claim: AdditionalRolesClaim, _ reader: any Reader) throws -> [ClaimedRole] {
        try reader.all(rowsOfClaim, [.text(claim.id), .integer(claim.version)], row)
    }

    /// What other networks claim of a person for a month.
    static func rows(
        of employee: String, in month: YearMonth, besides network: ODSCode, _ reader: any Reader
    ) throws -> [ClaimedRole] {
        try reader.all(
            rowsElsewhere, [.text(employee), .text(month.description), .text(network.value)], row)
    }

    /// Those since the claim was submitted last, in order of making.
    static func adjustments(of claim: AdditionalRolesClaim, _ reader: any Reader) throws -> [RoleAdjustment] {
        try reader.all(adjustmentsOfClaim, [.text(claim.id), .integer(claim.submission)]) {
            RoleAdjustment(
                number: Int($0.integer(0)), pence: $0.integer(1), reason: $0.text(2), by: $0.text(3))
        }
    }

    static func decided(_ claimID: String, _ reader: any Reader) throws -> [Decided] {
        try reader.all(decidedOfClaim, [.text(claimID)]) { row in
            guard let annual = ExactDecimal(row.text(2)),
                let reduction = AssessedRole.Reduction(rawValue: row.text(6))
            else { throw PaymentsError.damaged("additional roles claim \(claimID)") }
            return Decided(
                number: Int(row.integer(0)), area: row.text(1), annual: annual, days: Int(row.integer(3)),
                ceilingPence: row.integer(4), payablePence: row.integer(5), reduction: reduction)
        }
    }

    static func history(of claimID: String, _ reader: any Reader) throws -> [Event] {
        try reader.all(eventsOfClaim, [.text(claimID)]) {
            Event(step: $0.text(0), by: $0.text(1), at: $0.instant(2), detail: $0.text(3))
        }
    }

    private static func values(_ claim: AdditionalRolesClaim) -> [StoredValue] {
        [
            .text(claim.id), .text(claim.network.value), .text(claim.month.description),
            .integer(claim.number),
            .integer(claim.version), .integer(claim.stage.rawValue), .integer(claim.rowCount),
            .integer(claim.claimedPence), .integer(claim.approvedPence), .text(claim.createdBy),
            .text(claim.submittedBy), .optional(claim.submittedAt?.microsecondsSince1970),
            .text(claim.reviewedBy), .text(claim.decidedBy),
            .optional(claim.decidedAt?.microsecondsSince1970), .text(claim.reason), .text(claim.fileName),
            .text(claim.sha256), .optional(claim.evidenceID), .text(claim.corrects),
        ]
    }

    private static func claim(_ row: any Row) throws -> AdditionalRolesClaim {
        let damaged = PaymentsError.damaged("additional roles claim " + row.text(0))
        guard let network = ODSCode(row.text(1)), let month = YearMonth(iso8601: row.text(2)),
            let stage = AdditionalRolesStage(rawValue: row.integer(5))
        else { throw damaged }
        var claim = AdditionalRolesClaim(
            id: row.text(0), network: network, month: month, number: row.integer(3), version: row.integer(4),
            stage: stage, rowCount: row.integer(6), claimedPence: row.integer(7),
            approvedPence: row.integer(8), createdBy: row.text(9), submittedBy: row.text(10),
            submittedAt: row.isNull(11) ? nil : row.instant(11), reviewedBy: row.text(12),
            decidedBy: row.text(13), decidedAt: row.isNull(14) ? nil : row.instant(14), reason: row.text(15),
            fileName: row.text(16), sha256: row.text(17), evidenceID: row.optionalText(18),
            corrects: row.text(19))
        guard !row.isNull(20) else { return claim }
        guard let rate = ExactDecimal(row.text(20)) else { throw damaged }
        claim.maximum = MaximumSum(
            year: claim.year, rate: rate, rateSource: row.text(21), rateVersion: row.integer(22),
            weightedHundredths: row.integer(23), populationVersion: row.integer(24), pence: row.integer(25),
            approvedPence: row.integer(26))
        return claim
    }

    private static func row(_ row: any Row) throws -> ClaimedRole {
        ClaimedRole(
            number: Int(row.integer(0)), employee: row.text(1), role: row.text(2), from: try row.date(3),
            to: try row.optionalDate(4), wholeTimeHundredths: row.integer(5), salaryPence: row.integer(6),
            insurancePence: row.integer(7), pensionPence: row.integer(8))
    }
}
