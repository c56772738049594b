import PluginAPI

/// Parts of claims as they were approved: only added to. What was recovered is read from the claim.
enum ApprovedPartStore {
    /// Weeks of sickness that were known before take their place among the parts, with equal shares of their claim.
    static let schema = [
        """
        CREATE TABLE claim_part (
            number INTEGER PRIMARY KEY, claim_id TEXT NOT NULL REFERENCES claim (claim_id),
            practice_code TEXT NOT NULL, kind INTEGER NOT NULL, gmc_number TEXT NOT NULL, span INTEGER NOT NULL,
            from_day TEXT NOT NULL, days INTEGER NOT NULL, absent_from TEXT NOT NULL, pence INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX claim_part_by_doctor ON claim_part (practice_code, gmc_number, from_day)",
        "CREATE INDEX claim_part_by_claim ON claim_part (claim_id)",
        """
        INSERT INTO claim_part (claim_id, practice_code, kind, gmc_number, span, from_day, days, absent_from, pence)
        SELECT claim_week.claim_id, claim_week.practice_code, 10, gmc_number, 1, week_from, 7, absent_from,
            approved_pence / (SELECT COUNT(*) FROM claim_week AS same WHERE same.claim_id = claim_week.claim_id)
        FROM claim_week JOIN claim ON claim.claim_id = claim_week.claim_id
        ORDER BY decided_at, claim_week.claim_id, week_from
        """,
        "DROP TABLE claim_week",
    ]

    private static let insert = BulkInsert(
        into: "claim_part",
        ["claim_id", "practice_code", "kind", "gmc_number", "span", "from_day", "days", "absent_from", "pence"])
    /// For a claim that is approved, what was approved before it; so it can be assessed again.
    private static let besides = Statement(
        """
        SELECT claim_part.claim_id, claim_part.kind, span, from_day, days, absent_from, pence, approved_pence,
            recovered_pence
        FROM claim_part JOIN claim ON claim.claim_id = claim_part.claim_id
        WHERE claim_part.practice_code = ?1 AND gmc_number = ?2 AND claim_part.claim_id <> ?3
            AND NOT EXISTS (SELECT 1 FROM claim_part AS own
                WHERE own.claim_id = ?3 AND own.number < claim_part.number)
        ORDER BY from_day, claim_part.number
        """)

    static func add(
        _ parts: [ApprovedPart], of practice: ODSCode, gmcNumber: String, in transaction: any Transaction
    ) throws {
        try insert.run(parts, in: transaction) { part, values in
            values += [
                .text(part.claimID), .text(practice.value), .integer(part.kind.rawValue), .text(gmcNumber),
                .integer(part.span.rawValue), .date(part.from), .integer(Int64(part.days)), .date(part.absentFrom),
                .integer(part.pence),
            ]
        }
    }

    /// Approved for a doctor under the same contractor in other claims, and not recovered whole.
    static func parts(
        of practice: ODSCode, gmcNumber: String, besides claimID: String, _ reader: any Reader
    ) throws -> [ApprovedPart] {
        try reader.all(besides, [.text(practice.value), .text(gmcNumber), .text(claimID)], part)
            .filter { $0.pence > 0 }
    }

    private static func part(_ row: any Row) throws -> ApprovedPart {
        guard let kind = ClaimKind(rawValue: row.integer(1)), let span = ApprovedPart.Span(rawValue: row.integer(2))
        else { throw PaymentsError.damaged("part of claim " + row.text(0)) }
        let (pence, approved, recovered) = (row.integer(6), row.integer(7), row.integer(8))
        let back = approved > 0 ? Int64(Int128(pence) * Int128(recovered) / Int128(approved)) : pence
        return ApprovedPart(
            claimID: row.text(0), kind: kind, span: span, from: try row.date(3), days: Int(row.integer(4)),
            absentFrom: try row.date(5), pence: pence - back)
    }
}
