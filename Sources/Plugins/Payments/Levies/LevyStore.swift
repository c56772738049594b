import PluginAPI

/// Committees, rates and memberships, and the instructions that brought them: only ever added to.
enum LevyStore {
    static let schema = [
        """
        CREATE TABLE levy_instruction (
            instruction_id TEXT PRIMARY KEY NOT NULL, commissioner_code TEXT NOT NULL, state INTEGER NOT NULL,
            contents BLOB NOT NULL, proposed_by TEXT NOT NULL, proposed_at INTEGER NOT NULL, decided_by TEXT,
            decided_at INTEGER, decision_reason TEXT, seq INTEGER REFERENCES input (seq)
        ) STRICT
        """,
        "CREATE INDEX levy_instruction_by_commissioner ON levy_instruction (commissioner_code, instruction_id)",
        """
        CREATE TABLE levy_committee (
            seq INTEGER PRIMARY KEY REFERENCES input (seq), committee_code TEXT NOT NULL, name TEXT NOT NULL,
            payee_code TEXT NOT NULL, run_by_commissioner INTEGER NOT NULL, collection INTEGER NOT NULL,
            commissioner_code TEXT NOT NULL, effective_from TEXT NOT NULL
        ) STRICT
        """,
        """
        CREATE TABLE levy_rate (
            seq INTEGER PRIMARY KEY REFERENCES input (seq), committee_code TEXT NOT NULL, kind INTEGER NOT NULL,
            pence TEXT NOT NULL, period INTEGER NOT NULL, effective_from TEXT NOT NULL
        ) STRICT
        """,
        """
        CREATE TABLE levy_membership (
            seq INTEGER NOT NULL REFERENCES input (seq), practice_code TEXT NOT NULL, committee_code TEXT,
            mandate INTEGER NOT NULL, voluntary INTEGER NOT NULL, effective_from TEXT NOT NULL,
            PRIMARY KEY (seq, practice_code)
        ) STRICT
        """,
    ]

    /// Committees of a second family (payments.md 10.2).
    static let families = [
        "ALTER TABLE levy_committee ADD COLUMN family INTEGER NOT NULL DEFAULT 1",
        "ALTER TABLE levy_membership ADD COLUMN family INTEGER NOT NULL DEFAULT 1",
    ]

    /// Numbers are stored and follow `pcs.payments.v1.LevyInstructionState`.
    enum State: Int64, Sendable {
        case proposed = 1
        case approved = 2
        case returned = 3
    }

    struct Instruction: Hashable, Sendable {
        var id: String
        var commissioner: ODSCode
        var state: State
        /// As proposed, an encoded `pcs.payments.v1.ProposeLevyInstructionRequest`.
        var contents: [UInt8]
        var proposedBy: String
        var proposedAt: Instant
        var decidedBy = ""
        var decidedAt: Instant?
        var decisionReason = ""
        var seq: Int64 = 0
    }

    private static let columns = """
        instruction_id, commissioner_code, state, contents, proposed_by, proposed_at, decided_by, decided_at,
        decision_reason, seq
        """
    private static let insert = Statement(
        """
        INSERT INTO levy_instruction (instruction_id, commissioner_code, state, contents, proposed_by, proposed_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        """)
    private static let decide = Statement(
        """
        UPDATE levy_instruction SET state = ?2, decided_by = ?3, decided_at = ?4, decision_reason = ?5, seq = ?6
        WHERE instruction_id = ?1
        """)
    private static let byID = Statement("SELECT \(columns) FROM levy_instruction WHERE instruction_id = ?1")
    private static let ofCommissioner = Statement(
        "SELECT \(columns) FROM levy_instruction WHERE commissioner_code = ?1 ORDER BY instruction_id")
    private static let insertCommittee = Statement(
        """
        INSERT INTO levy_committee (seq, committee_code, name, payee_code, run_by_commissioner, collection,
            commissioner_code, effective_from, family)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        """)
    private static let committees = Statement(
        """
        SELECT committee_code, name, payee_code, run_by_commissioner, collection, commissioner_code, effective_from,
            family
        FROM levy_committee WHERE seq <= ?1 ORDER BY effective_from, seq
        """)
    private static let insertRate = Statement(
        """
        INSERT INTO levy_rate (seq, committee_code, kind, pence, period, effective_from)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        """)
    private static let rates = Statement(
        """
        SELECT committee_code, kind, pence, period, effective_from, seq FROM levy_rate
        WHERE seq <= ?1 ORDER BY effective_from, seq
        """)
    private static let insertMembers = BulkInsert(
        into: "levy_membership",
        ["seq", "practice_code", "committee_code", "mandate", "voluntary", "effective_from", "family"])
    private static let memberships = Statement(
        """
        SELECT practice_code, committee_code, mandate, voluntary, effective_from, family FROM levy_membership
        WHERE seq <= ?1 ORDER BY effective_from, seq
        """)

    // MARK: Instructions

    static func add(_ instruction: Instruction, in transaction: any Transaction) throws {
        try transaction.run(
            insert,
            [
                .text(instruction.id), .text(instruction.commissioner.value),
                .integer(instruction.state.rawValue),
                .blob(instruction.contents), .text(instruction.proposedBy), .instant(instruction.proposedAt),
            ])
    }

    static func saveDecision(_ instruction: Instruction, in transaction: any Transaction) throws {
        try transaction.run(
            decide,
            [
                .text(instruction.id), .integer(instruction.state.rawValue), .text(instruction.decidedBy),
                .optional(instruction.decidedAt?.microsecondsSince1970), .text(instruction.decisionReason),
                .optional(instruction.seq == 0 ? nil : instruction.seq),
            ])
    }

    static func instruction(_ id: String, _ reader: any Reader) throws -> Instruction? {
        try reader.first(byID, [.text(id)], instruction)
    }

    static func instructions(of commissioner: ODSCode, _ reader: any Reader) throws -> [Instruction] {
        try reader.all(ofCommissioner, [.text(commissioner.value)], instruction)
    }

    private static func instruction(_ row: any Row) throws -> Instruction {
        guard let commissioner = ODSCode(row.text(1)), let state = State(rawValue: row.integer(2)) else {
            throw PaymentsError.damaged("levy instruction " + row.text(0))
        }
        return Instruction(
            id: row.text(0), commissioner: commissioner, state: state, contents: row.blob(3),
            proposedBy: row.text(4), proposedAt: row.instant(5), decidedBy: row.text(6),
            decidedAt: row.isNull(7) ? nil : row.instant(7), decisionReason: row.text(8), seq: row.integer(9))
    }

    // MARK: What they brought

    static func add(_ committee: LevyCommittee, seq: Int64, in transaction: any Transaction) throws {
        try transaction.run(
            insertCommittee,
            [
                .integer(seq), .text(committee.code.value), .text(committee.name),
                .text(committee.payee.value),
                .integer(committee.isRunByCommissioner ? 1 : 0), .integer(committee.collection.rawValue),
                .text(committee.commissioner.value), .date(committee.from), .integer(committee.family.rawValue),
            ])
    }

    static func add(_ rate: LevyRate, _ key: LevyBook.RateKey, in transaction: any Transaction) throws {
        try transaction.run(
            insertRate,
            [
                .integer(rate.version), .text(key.committee.value), .integer(key.kind.rawValue),
                .text(rate.pence.description), .integer(rate.period.rawValue), .date(rate.from),
            ])
    }

    static func add(
        _ members: [(practice: ODSCode, membership: LevyMembership)], seq: Int64,
        in transaction: any Transaction
    ) throws {
        try insertMembers.run(members, in: transaction) { member, values in
            values += [
                .integer(seq), .text(member.practice.value), .optional(member.membership.committee?.value),
                .integer(member.membership.hasMandate ? 1 : 0),
                .integer(member.membership.isVoluntary ? 1 : 0),
                .date(member.membership.from), .integer(member.membership.family.rawValue),
            ]
        }
    }

    /// Everything as known at an input number.
    static func book(knownAt seq: Int64, _ reader: any Reader) throws -> LevyBook {
        var book = LevyBook()
        let damaged = PaymentsError.damaged("levy record")
        try reader.forEach(committees, [.integer(seq)]) { row in
            guard let code = ODSCode(row.text(0)), let payee = ODSCode(row.text(2)),
                let collection = LevyCollection(rawValue: row.integer(4)),
                let commissioner = ODSCode(row.text(5)), let family = LevyFamily(rawValue: row.integer(7))
            else { throw damaged }
            book.add(
                LevyCommittee(
                    code: code, name: row.text(1), payee: payee, isRunByCommissioner: row.bool(3),
                    collection: collection, commissioner: commissioner, from: try row.date(6), family: family))
        }
        try reader.forEach(rates, [.integer(seq)]) { row in
            guard let code = ODSCode(row.text(0)), let kind = LevyKind(rawValue: row.integer(1)),
                let pence = ExactDecimal(row.text(2)), let period = LevyRatePeriod(rawValue: row.integer(3))
            else { throw damaged }
            book.add(
                LevyRate(pence: pence, period: period, from: try row.date(4), version: row.integer(5)),
                LevyBook.RateKey(committee: code, kind: kind))
        }
        try reader.forEach(memberships, [.integer(seq)]) { row in
            guard let member = ODSCode(row.text(0)), let family = LevyFamily(rawValue: row.integer(5)) else {
                throw damaged
            }
            book.add(
                LevyMembership(
                    committee: row.optionalText(1).flatMap { ODSCode($0) }, family: family, hasMandate: row.bool(2),
                    isVoluntary: row.bool(3), from: try row.date(4)),
                of: member)
        }
        return book
    }
}
