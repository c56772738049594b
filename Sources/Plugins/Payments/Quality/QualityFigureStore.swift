import PluginAPI

/// What the quality service has told: achievements approved, aspiration set, and the instructions that pay. Rows are
/// added, never changed; the newest of a practice and year holds.
enum QualityFigureStore {
    static let schema = [
        """
        CREATE TABLE quality_achievement (
            declaration_id TEXT PRIMARY KEY NOT NULL, provider_code TEXT NOT NULL, service_code TEXT NOT NULL,
            financial_year TEXT NOT NULL, achieved_on TEXT NOT NULL, points_hundredths INTEGER NOT NULL,
            pence INTEGER NOT NULL, release_on TEXT NOT NULL, result BLOB NOT NULL, received_at INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX quality_achievement_by_provider ON quality_achievement (provider_code, financial_year)",
        "CREATE INDEX quality_achievement_by_release ON quality_achievement (release_on)",
        """
        CREATE TABLE quality_aspiration (
            practice_code TEXT NOT NULL, financial_year TEXT NOT NULL, seq INTEGER NOT NULL REFERENCES input (seq),
            prior_pence INTEGER NOT NULL, monthly_pence INTEGER NOT NULL, set_at INTEGER NOT NULL,
            PRIMARY KEY (practice_code, financial_year, seq)
        ) STRICT
        """,
        """
        CREATE TABLE quality_instruction (
            instruction_id TEXT PRIMARY KEY NOT NULL, seq INTEGER NOT NULL, declaration_id TEXT NOT NULL,
            provider_code TEXT NOT NULL, payee_code TEXT NOT NULL, service_code TEXT NOT NULL,
            financial_year TEXT NOT NULL, paycode INTEGER NOT NULL, gross_pence INTEGER NOT NULL,
            aspiration_pence INTEGER, pence INTEGER NOT NULL, release_on TEXT NOT NULL
        ) STRICT
        """,
        "CREATE INDEX quality_instruction_by_declaration ON quality_instruction (declaration_id)",
        "CREATE INDEX quality_instruction_by_provider ON quality_instruction (provider_code, financial_year)",
        """
        CREATE TABLE quality_recall (
            instruction_id TEXT PRIMARY KEY NOT NULL, reason TEXT NOT NULL, received_at INTEGER NOT NULL
        ) STRICT
        """,
    ]

    struct Achievement: Hashable, Sendable {
        var declaration: String
        var provider: ODSCode
        var service: String
        var year: FinancialYear
        var achievedOn: CalendarDate
        var pointsHundredths: Int64
        var pence: Int64
        var releaseOn: CalendarDate
        /// `pcs.cqrs.v1.QualityResult`; empty = the publisher gave none.
        var result: [UInt8]
        var receivedAt: Instant
    }

    struct Aspiration: Hashable, Sendable {
        var practice: ODSCode
        var year: FinancialYear
        /// Number of the input.
        var seq: Int64
        var priorPence: Int64
        var monthlyPence: Int64
        var setAt: Instant
    }

    struct Instruction: Hashable, Sendable {
        var id: String
        /// Number of the last input when it came.
        var seq: Int64
        var declaration: String
        var provider: ODSCode
        var payee: ODSCode
        var service: String
        var year: FinancialYear
        var paycode: Paycode
        var grossPence: Int64
        /// Aspiration deducted; `nil` = it deducts none.
        var aspirationPence: Int64?
        /// What is paid.
        var pence: Int64
        var releaseOn: CalendarDate
    }

    // MARK: Achievements

    private static let achievementColumns = """
        declaration_id, provider_code, service_code, financial_year, achieved_on, points_hundredths, pence, release_on,
        result, received_at
        """
    private static let insertAchievement = Statement(
        """
        INSERT INTO quality_achievement (\(achievementColumns)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        ON CONFLICT (declaration_id) DO NOTHING
        """)
    private static let achievementsOf = Statement(
        """
        SELECT \(achievementColumns) FROM quality_achievement WHERE provider_code = ?1
        ORDER BY financial_year, received_at, declaration_id
        """)
    /// Of some amount, to be paid in a span of days, and no instruction came for them.
    private static let notInstructed = Statement(
        """
        SELECT \(achievementColumns) FROM quality_achievement
        WHERE release_on >= ?1 AND release_on <= ?2 AND pence <> 0 AND received_at <= ?3 AND NOT EXISTS (
            SELECT 1 FROM quality_instruction
            WHERE quality_instruction.declaration_id = quality_achievement.declaration_id)
            AND NOT EXISTS (
                SELECT 1 FROM quality_refusal WHERE quality_refusal.declaration_id = quality_achievement.declaration_id)
        ORDER BY provider_code, declaration_id
        """)

    static func add(_ achievement: Achievement, in transaction: any Transaction) throws {
        try transaction.run(
            insertAchievement,
            [
                .text(achievement.declaration), .text(achievement.provider.value), .text(achievement.service),
                .text(achievement.year.description), .date(achievement.achievedOn),
                .integer(achievement.pointsHundredths), .integer(achievement.pence),
                .date(achievement.releaseOn),
                .blob(achievement.result), .instant(achievement.receivedAt),
            ])
    }

    static func achievements(of provider: ODSCode, _ reader: any Reader) throws -> [Achievement] {
        try reader.all(achievementsOf, [.text(provider.value)], achievement)
    }

    /// Those of some amount, received by a moment and to be paid in a span of days, for which no instruction came.
    static func notInstructed(
        from: CalendarDate, to: CalendarDate, receivedBy moment: Instant, _ reader: any Reader
    ) throws -> [Achievement] {
        try reader.all(notInstructed, [.date(from), .date(to), .instant(moment)], achievement)
    }

    private static func achievement(_ row: any Row) throws -> Achievement {
        guard let provider = ODSCode(row.text(1)), let year = FinancialYear(row.text(3)) else {
            throw PaymentsError.damaged("achievement " + row.text(0))
        }
        return Achievement(
            declaration: row.text(0), provider: provider, service: row.text(2), year: year,
            achievedOn: try row.date(4), pointsHundredths: row.integer(5), pence: row.integer(6),
            releaseOn: try row.date(7), result: row.blob(8), receivedAt: row.instant(9))
    }

    // MARK: Aspiration

    private static let aspirationColumns =
        "practice_code, financial_year, seq, prior_pence, monthly_pence, set_at"
    private static let insertAspiration = Statement(
        "INSERT INTO quality_aspiration (\(aspirationColumns)) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
    private static let aspirationsOf = Statement(
        """
        SELECT \(aspirationColumns) FROM quality_aspiration WHERE practice_code = ?1 ORDER BY financial_year, seq
        """)
    private static let aspirationsKnown = Statement(
        "SELECT \(aspirationColumns) FROM quality_aspiration WHERE seq <= ?1 ORDER BY practice_code, seq")

    static func add(_ aspiration: Aspiration, in transaction: any Transaction) throws {
        try transaction.run(
            insertAspiration,
            [
                .text(aspiration.practice.value), .text(aspiration.year.description),
                .integer(aspiration.seq),
                .integer(aspiration.priorPence), .integer(aspiration.monthlyPence),
                .instant(aspiration.setAt),
            ])
    }

    /// In order of recording.
    static func aspirations(of practice: ODSCode, _ reader: any Reader) throws -> [Aspiration] {
        try reader.all(aspirationsOf, [.text(practice.value)], aspiration)
    }

    static func aspirations(knownAt seq: Int64, _ reader: any Reader) throws -> [Aspiration] {
        try reader.all(aspirationsKnown, [.integer(seq)], aspiration)
    }

    private static func aspiration(_ row: any Row) throws -> Aspiration {
        guard let practice = ODSCode(row.text(0)), let year = FinancialYear(row.text(1)) else {
            throw PaymentsError.damaged("aspiration of " + row.text(0))
        }
        return Aspiration(
            practice: practice, year: year, seq: row.integer(2), priorPence: row.integer(3),
            monthlyPence: row.integer(4), setAt: row.instant(5))
    }
}

// MARK: - Instructions

extension QualityFigureStore {
    private static let instructionColumns = """
        instruction_id, quality_instruction.seq, declaration_id, provider_code, quality_instruction.payee_code,
        service_code, financial_year, quality_instruction.paycode, gross_pence, aspiration_pence,
        quality_instruction.pence, release_on
        """
    private static let insertInstruction = Statement(
        """
        INSERT INTO quality_instruction
            (instruction_id, seq, declaration_id, provider_code, payee_code, service_code, financial_year, paycode,
            gross_pence, aspiration_pence, pence, release_on)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (instruction_id) DO NOTHING
        """)
    private static let notRecalled = """
        NOT EXISTS (
            SELECT 1 FROM quality_recall WHERE quality_recall.instruction_id = quality_instruction.instruction_id)
        """
    private static let instructionsOf = Statement(
        """
        SELECT \(instructionColumns) FROM quality_instruction WHERE provider_code = ?1 AND \(notRecalled)
        ORDER BY seq, instruction_id
        """)
    /// Those that stand, are to be paid in a span of days, and that no approved, paid or closed run (states 5 to 7)
    /// pays; each with its item.
    private static let notPaid = Statement(
        """
        SELECT \(instructionColumns), payable_item.item_id
        FROM quality_instruction
        LEFT JOIN payable_item ON payable_item.natural_key = 'cqrs/' || quality_instruction.instruction_id
        WHERE release_on >= ?1 AND release_on <= ?2 AND quality_instruction.seq <= ?3
            AND quality_instruction.pence <> 0 AND \(notRecalled) AND NOT EXISTS (
                SELECT 1 FROM payable_item_run JOIN run ON run.run_id = payable_item_run.run_id
                WHERE payable_item_run.item_id = payable_item.item_id AND run.state IN (5, 6, 7))
        ORDER BY provider_code, instruction_id
        """)
    private static let settled = Statement(
        """
        SELECT provider_code, financial_year, MIN(seq) FROM quality_instruction
        WHERE aspiration_pence IS NOT NULL AND seq <= ?1 AND \(notRecalled) GROUP BY provider_code, financial_year
        """)
    private static let insertRecall = Statement(
        """
        INSERT INTO quality_recall (instruction_id, reason, received_at) VALUES (?1, ?2, ?3)
        ON CONFLICT (instruction_id) DO NOTHING
        """)

    static func known(_ id: String, _ reader: any Reader) throws -> Bool {
        try reader.first(instructionByID, [.text(id)]) { _ in true } ?? false
    }

    private static let instructionByID = Statement(
        "SELECT instruction_id FROM quality_instruction WHERE instruction_id = ?1")

    static func add(_ instruction: Instruction, in transaction: any Transaction) throws {
        try transaction.run(
            insertInstruction,
            [
                .text(instruction.id), .integer(instruction.seq), .text(instruction.declaration),
                .text(instruction.provider.value), .text(instruction.payee.value), .text(instruction.service),
                .text(instruction.year.description), .integer(Int64(instruction.paycode.rawValue)),
                .integer(instruction.grossPence), .optional(instruction.aspirationPence),
                .integer(instruction.pence), .date(instruction.releaseOn),
            ])
    }

    static func recall(_ id: String, reason: String, in transaction: any Transaction) throws {
        try transaction.run(insertRecall, [.text(id), .text(reason), .instant(transaction.now)])
    }

    /// Those that stand, in the order in which they came.
    static func instructions(of provider: ODSCode, _ reader: any Reader) throws -> [Instruction] {
        try reader.all(instructionsOf, [.text(provider.value)], instruction)
    }

    /// Those to be paid in a span of days, as known at an input number, that no published run pays; with their items.
    static func notPaid(
        from: CalendarDate, to: CalendarDate, knownAt seq: Int64, _ reader: any Reader
    ) throws -> [(instruction: Instruction, itemID: String?)] {
        try reader.all(notPaid, [.date(from), .date(to), .integer(seq)]) {
            (try instruction($0), $0.optionalText(12))
        }
    }

    struct YearOfPractice: Hashable, Sendable {
        var practice: ODSCode
        var year: FinancialYear
    }

    /// Years whose achievement has been paid less aspiration, with the number of the last input before.
    static func settledYears(knownAt seq: Int64, _ reader: any Reader) throws -> [YearOfPractice: Int64] {
        var found: [YearOfPractice: Int64] = [:]
        try reader.forEach(settled, [.integer(seq)]) { row in
            guard let practice = ODSCode(row.text(0)), let year = FinancialYear(row.text(1)) else { return }
            found[YearOfPractice(practice: practice, year: year)] = row.integer(2)
        }
        return found
    }

    private static func instruction(_ row: any Row) throws -> Instruction {
        guard let provider = ODSCode(row.text(3)), let payee = ODSCode(row.text(4)),
            let year = FinancialYear(row.text(6)),
            let paycode = Paycode(rawValue: UInt8(clamping: row.integer(7)))
        else { throw PaymentsError.damaged("instruction " + row.text(0)) }
        return Instruction(
            id: row.text(0), seq: row.integer(1), declaration: row.text(2), provider: provider, payee: payee,
            service: row.text(5), year: year, paycode: paycode, grossPence: row.integer(8),
            aspirationPence: row.optionalInteger(9), pence: row.integer(10), releaseOn: try row.date(11))
    }
}
