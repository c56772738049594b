import PluginAPI

/// Years opened for practices, and the baselines proposed in them.
enum BaselineStore {
    static let schema = [
        """
        CREATE TABLE baseline_year (
            practice_code TEXT NOT NULL, start_year INTEGER NOT NULL, opened_by TEXT NOT NULL,
            opened_at INTEGER NOT NULL, PRIMARY KEY (practice_code, start_year)
        ) STRICT
        """,
        """
        CREATE TABLE baseline (
            baseline_id TEXT PRIMARY KEY NOT NULL, practice_code TEXT NOT NULL, start_year INTEGER NOT NULL,
            state INTEGER NOT NULL, basis INTEGER NOT NULL, amount INTEGER NOT NULL, effective_from TEXT NOT NULL,
            note TEXT NOT NULL, last_pence INTEGER, uplift_micropounds INTEGER, on_registered INTEGER,
            patients_hundredths INTEGER, quarter_day TEXT, reductions_pence INTEGER,
            evidence_id TEXT REFERENCES evidence (evidence_id), proposed_by TEXT NOT NULL, proposed_at INTEGER NOT NULL,
            decided_by TEXT NOT NULL, decided_at INTEGER, decision_reason TEXT NOT NULL, version INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX baseline_by_practice ON baseline (practice_code, start_year, baseline_id)",
    ]

    struct Proposal: Hashable, Sendable {
        var id: String
        var practice: ODSCode
        var year: FinancialYear
        var state = ProposalState.proposed
        var baseline: Baseline
        var from: CalendarDate
        var note: String
        var reckoning: BaselineRules.Reckoning?
        var evidenceID: String?
        var proposedBy: String
        var proposedAt: Instant
        var decidedBy = ""
        var decisionReason = ""
        /// Version of the contract that it became.
        var version: Int64 = 0
    }

    private static let insertYear = Statement(
        """
        INSERT INTO baseline_year (practice_code, start_year, opened_by, opened_at) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (practice_code, start_year) DO NOTHING
        """)
    private static let yearOf = Statement(
        "SELECT opened_by, opened_at FROM baseline_year WHERE practice_code = ?1 AND start_year = ?2")
    private static let columns = """
        baseline_id, practice_code, start_year, state, basis, amount, effective_from, note, last_pence,
        uplift_micropounds, on_registered, patients_hundredths, quarter_day, reductions_pence, evidence_id,
        proposed_by, proposed_at, decided_by, decision_reason, version
        """
    private static let insert = Statement(
        """
        INSERT INTO baseline (\(columns))
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)
        """)
    private static let decide = Statement(
        """
        UPDATE baseline SET state = ?2, decided_by = ?3, decided_at = ?4, decision_reason = ?5, version = ?6
        WHERE baseline_id = ?1 AND state = 1
        """)
    private static let byID = Statement("SELECT \(columns) FROM baseline WHERE baseline_id = ?1")
    private static let ofYear = Statement(
        "SELECT \(columns) FROM baseline WHERE practice_code = ?1 AND start_year = ?2 ORDER BY baseline_id")
    private static let approvedYears = Statement(
        "SELECT DISTINCT start_year FROM baseline WHERE practice_code = ?1 AND state = 2 ORDER BY start_year")
    private static let allApprovedYears = Statement(
        "SELECT DISTINCT practice_code, start_year FROM baseline WHERE state = 2 ORDER BY practice_code, start_year")

    static func open(
        _ practice: ODSCode, _ year: FinancialYear, by actor: String, in transaction: any Transaction
    ) throws {
        try transaction.run(
            insertYear,
            [.text(practice.value), .integer(year.startYear), .text(actor), .instant(transaction.now)])
    }

    static func opening(
        of practice: ODSCode, _ year: FinancialYear, _ reader: any Reader
    ) throws -> (by: String, at: Instant)? {
        try reader.first(yearOf, [.text(practice.value), .integer(year.startYear)]) {
            ($0.text(0), $0.instant(1))
        }
    }

    static func add(_ proposal: Proposal, in transaction: any Transaction) throws {
        let amount: Int64 =
            switch proposal.baseline {
            case .fixed(let pence): pence
            case .weighted(let price), .raw(let price): price
            }
        let reckoning = proposal.reckoning
        try transaction.run(
            insert,
            [
                .text(proposal.id), .text(proposal.practice.value), .integer(proposal.year.startYear),
                .integer(proposal.state.rawValue), .integer(proposal.baseline.basis.number), .integer(amount),
                .date(proposal.from), .text(proposal.note), .optional(reckoning?.lastPence),
                .optional(reckoning?.upliftMicropounds), .optional(reckoning.map { $0.onRegistered ? 1 : 0 }),
                .optional(reckoning?.patientsHundredths), .date(reckoning?.quarterDay),
                .optional(reckoning?.reductionsPence), .optional(proposal.evidenceID),
                .text(proposal.proposedBy),
                .instant(proposal.proposedAt), .text(""), .text(""), .integer(0),
            ])
    }

    static func saveDecision(_ proposal: Proposal, in transaction: any Transaction) throws {
        try transaction.run(
            decide,
            [
                .text(proposal.id), .integer(proposal.state.rawValue), .text(proposal.decidedBy),
                .instant(transaction.now), .text(proposal.decisionReason), .integer(proposal.version),
            ])
    }

    static func proposal(_ id: String, _ reader: any Reader) throws -> Proposal? {
        try reader.first(byID, [.text(id)], proposal)
    }

    /// Oldest first.
    static func proposals(
        of practice: ODSCode, _ year: FinancialYear, _ reader: any Reader
    ) throws -> [Proposal] {
        try reader.all(ofYear, [.text(practice.value), .integer(year.startYear)], proposal)
    }

    /// Whether only a variation changes the year's baseline: one is approved, and so is a run of the year (payments.md
    /// 4, "Freeze"). A first approval may come late and makes differences.
    static func isFrozen(_ practice: ODSCode, _ year: FinancialYear, _ reader: any Reader) throws -> Bool {
        try frozenYears(of: practice, reader).contains(year)
    }

    static func frozenYears(of practice: ODSCode, _ reader: any Reader) throws -> [FinancialYear] {
        let years = try reader.all(approvedYears, [.text(practice.value)]) {
            FinancialYear(startYear: Int($0.integer(0)))
        }.compactMap { $0 }
        guard !years.isEmpty else { return [] }
        return years.filter(try paidYears(reader).contains)
    }

    /// Of all practices.
    static func frozenYears(_ reader: any Reader) throws -> [ODSCode: [FinancialYear]] {
        var years: [ODSCode: [FinancialYear]] = [:]
        try reader.forEach(allApprovedYears, []) { row in
            if let practice = ODSCode(row.text(0)), let year = FinancialYear(startYear: Int(row.integer(1))) {
                years[practice, default: []].append(year)
            }
        }
        guard !years.isEmpty else { return [:] }
        let paid = try paidYears(reader)
        return years.mapValues { $0.filter(paid.contains) }.filter { !$0.value.isEmpty }
    }

    private static func paidYears(_ reader: any Reader) throws -> Set<FinancialYear> {
        Set(try RunStore.runs(reader).filter(\.state.isPublished).map { FinancialYear(containing: $0.month) })
    }

    private static func proposal(_ row: any Row) throws -> Proposal {
        let amount = row.integer(5)
        let baseline: Baseline? =
            switch row.integer(4) {
            case 1: .fixed(annualPence: amount)
            case 2: .weighted(priceMicropounds: amount)
            case 3: .raw(priceMicropounds: amount)
            default: nil
            }
        guard let practice = ODSCode(row.text(1)), let year = FinancialYear(startYear: Int(row.integer(2))),
            let state = ProposalState(rawValue: row.integer(3)), let baseline
        else { throw PaymentsError.damaged("baseline " + row.text(0)) }
        var reckoning: BaselineRules.Reckoning?
        if let last = row.optionalInteger(8), let quarterDay = try row.optionalDate(12) {
            reckoning = try BaselineRules.Reckoning(
                lastPence: last, upliftMicropounds: row.integer(9), onRegistered: row.bool(10),
                patientsHundredths: row.integer(11), quarterDay: quarterDay, reductionsPence: row.integer(13))
        }
        return Proposal(
            id: row.text(0), practice: practice, year: year, state: state, baseline: baseline,
            from: try row.date(6),
            note: row.text(7), reckoning: reckoning, evidenceID: row.optionalText(14),
            proposedBy: row.text(15),
            proposedAt: row.instant(16), decidedBy: row.text(17), decisionReason: row.text(18),
            version: row.integer(19))
    }
}
