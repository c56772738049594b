import PluginAPI

/// Proposals of placements, payments and memberships: only ever added to; of one placement or membership what was
/// approved last holds.
enum TrainingStore {
    static let schema = [
        """
        CREATE TABLE training_proposal (
            number INTEGER PRIMARY KEY, proposal_id TEXT NOT NULL UNIQUE, state INTEGER NOT NULL, reason TEXT NOT NULL,
            proposed_by TEXT NOT NULL, proposed_at INTEGER NOT NULL, decided_by TEXT NOT NULL, decided_at INTEGER,
            decision_reason TEXT NOT NULL, seq INTEGER REFERENCES input (seq)
        ) STRICT
        """,
        """
        CREATE TABLE training_placement (
            proposal_id TEXT NOT NULL REFERENCES training_proposal (proposal_id), number INTEGER NOT NULL,
            placement_id TEXT NOT NULL, practice_code TEXT NOT NULL, trainee_ref TEXT NOT NULL,
            trainer_ref TEXT NOT NULL, period_from TEXT NOT NULL, period_to TEXT NOT NULL, grade INTEGER NOT NULL,
            area TEXT NOT NULL, employer INTEGER NOT NULL, annual_pay_pence INTEGER NOT NULL,
            annual_costs_pence INTEGER NOT NULL, PRIMARY KEY (proposal_id, number)
        ) STRICT
        """,
        """
        CREATE TABLE training_absence (
            proposal_id TEXT NOT NULL, number INTEGER NOT NULL, absence_number INTEGER NOT NULL, kind INTEGER NOT NULL,
            absent_from TEXT NOT NULL, absent_to TEXT NOT NULL, PRIMARY KEY (proposal_id, number, absence_number),
            FOREIGN KEY (proposal_id, number) REFERENCES training_placement (proposal_id, number)
        ) STRICT
        """,
        """
        CREATE TABLE training_payment (
            proposal_id TEXT NOT NULL REFERENCES training_proposal (proposal_id), number INTEGER NOT NULL,
            kind INTEGER NOT NULL, placement_id TEXT NOT NULL, due_on TEXT NOT NULL, PRIMARY KEY (proposal_id, number)
        ) STRICT
        """,
        """
        CREATE TABLE retention_membership (
            proposal_id TEXT NOT NULL REFERENCES training_proposal (proposal_id), number INTEGER NOT NULL,
            membership_id TEXT NOT NULL, practice_code TEXT NOT NULL, doctor_ref TEXT NOT NULL,
            period_from TEXT NOT NULL, period_to TEXT NOT NULL, sessions INTEGER NOT NULL,
            PRIMARY KEY (proposal_id, number)
        ) STRICT
        """,
    ]

    static let expensesSchema = [
        "ALTER TABLE retention_membership ADD COLUMN expenses INTEGER NOT NULL DEFAULT 0"
    ]

    /// Numbers are stored and follow `pcs.payments.v1.TrainingProposalState`.
    enum State: Int64 {
        case proposed = 1
        case approved = 2
        case returned = 3
    }

    struct Proposal: Hashable, Sendable {
        var id: String
        var state = State.proposed
        var placements: [TraineePlacement] = []
        var payments: [StoredPayment] = []
        var memberships: [RetentionMembership] = []
        var reason: String
        var proposedBy: String
        var proposedAt: Instant
        var decidedBy = ""
        var decisionReason = ""
        /// Input number from which it holds.
        var seq: Int64?
    }

    struct StoredPayment: Hashable, Sendable {
        var kind: TrainingPayment.Kind
        var placementID: String
        var on: CalendarDate
    }

    private static let proposalColumns =
        "proposal_id, state, reason, proposed_by, proposed_at, decided_by, decision_reason"
    private static let insertProposal = Statement(
        "INSERT INTO training_proposal (\(proposalColumns)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
    private static let decide = Statement(
        """
        UPDATE training_proposal SET state = ?2, decided_by = ?3, decided_at = ?4, decision_reason = ?5, seq = ?6
        WHERE proposal_id = ?1
        """)
    private static let allProposals = Statement(
        "SELECT \(proposalColumns), seq FROM training_proposal ORDER BY number")
    private static let proposalByID = Statement(
        "SELECT \(proposalColumns), seq FROM training_proposal WHERE proposal_id = ?1")
    private static let insertPlacements = BulkInsert(
        into: "training_placement",
        [
            "proposal_id", "number", "placement_id", "practice_code", "trainee_ref", "trainer_ref",
            "period_from",
            "period_to", "grade", "area", "employer", "annual_pay_pence", "annual_costs_pence",
        ])
    private static let insertAbsences = BulkInsert(
        into: "training_absence",
        ["proposal_id", "number", "absence_number", "kind", "absent_from", "absent_to"])
    private static let insertPayments = BulkInsert(
        into: "training_payment", ["proposal_id", "number", "kind", "placement_id", "due_on"])
    private static let insertMemberships = BulkInsert(
        into: "retention_membership",
        [
            "proposal_id", "number", "membership_id", "practice_code", "doctor_ref", "period_from",
            "period_to", "sessions", "expenses",
        ])
    private static let placementRows = Statement(
        """
        SELECT placement_id, practice_code, trainee_ref, trainer_ref, period_from, period_to, grade, area, employer,
            annual_pay_pence, annual_costs_pence, seq, training_placement.proposal_id, training_placement.number, state
        FROM training_placement
        JOIN training_proposal ON training_proposal.proposal_id = training_placement.proposal_id
        ORDER BY seq, training_proposal.number, training_placement.number
        """)
    private static let absenceRows = Statement(
        """
        SELECT proposal_id, number, kind, absent_from, absent_to FROM training_absence
        ORDER BY proposal_id, number, absence_number
        """)
    private static let paymentRows = Statement(
        "SELECT kind, placement_id, due_on FROM training_payment WHERE proposal_id = ?1 ORDER BY number")
    private static let membershipRows = Statement(
        """
        SELECT membership_id, practice_code, doctor_ref, period_from, period_to, sessions, seq,
            retention_membership.proposal_id, state, expenses
        FROM retention_membership
        JOIN training_proposal ON training_proposal.proposal_id = retention_membership.proposal_id
        ORDER BY seq, training_proposal.number, retention_membership.number
        """)

    // MARK: Writing

    static func add(_ proposal: Proposal, in transaction: any Transaction) throws {
        let id = StoredValue.text(proposal.id)
        try transaction.run(
            insertProposal,
            [
                id, .integer(proposal.state.rawValue), .text(proposal.reason), .text(proposal.proposedBy),
                .instant(proposal.proposedAt), .text(""), .text(""),
            ])
        try insertPlacements.run(Array(proposal.placements.enumerated()), in: transaction) { entry, values in
            let placement = entry.element
            values += [
                id, .integer(entry.offset + 1), .text(placement.id), .text(placement.practice.value),
                .text(placement.traineeRef), .text(placement.trainerRef), .date(placement.from),
                .date(placement.to),
                .integer(placement.grade.rawValue), .text(placement.area),
                .integer(placement.employer.rawValue),
                .integer(placement.annualPayPence), .integer(placement.annualCostsPence),
            ]
        }
        let absences = proposal.placements.enumerated().flatMap { index, placement in
            placement.absences.enumerated().map { (index + 1, $0.offset + 1, $0.element) }
        }
        try insertAbsences.run(absences, in: transaction) { entry, values in
            values += [
                id, .integer(entry.0), .integer(entry.1), .integer(entry.2.kind.rawValue),
                .date(entry.2.from),
                .date(entry.2.to),
            ]
        }
        try insertPayments.run(Array(proposal.payments.enumerated()), in: transaction) { entry, values in
            values += [
                id, .integer(entry.offset + 1), .integer(entry.element.kind.rawValue),
                .text(entry.element.placementID), .date(entry.element.on),
            ]
        }
        try insertMemberships.run(Array(proposal.memberships.enumerated()), in: transaction) {
            entry, values in
            let membership = entry.element
            values += [
                id, .integer(entry.offset + 1), .text(membership.id), .text(membership.practice.value),
                .text(membership.doctorRef), .date(membership.from), .date(membership.to),
                .integer(membership.sessions), .integer(membership.claimsExpenses ? 1 : 0),
            ]
        }
    }

    static func saveDecision(_ proposal: Proposal, in transaction: any Transaction) throws {
        try transaction.run(
            decide,
            [
                .text(proposal.id), .integer(proposal.state.rawValue), .text(proposal.decidedBy),
                .instant(transaction.now), .text(proposal.decisionReason), .optional(proposal.seq),
            ])
    }

    // MARK: Reading

    static func proposal(_ id: String, _ reader: any Reader) throws -> Proposal? {
        guard var proposal = try reader.first(proposalByID, [.text(id)], proposalRow) else { return nil }
        proposal.placements = try placementVersions(reader).filter { $0.proposal == id }.map(\.placement)
        proposal.memberships = try membershipVersions(reader).filter { $0.proposal == id }.map(\.membership)
        proposal.payments = try payments(of: id, reader)
        return proposal
    }

    /// Oldest first.
    static func proposals(_ reader: any Reader) throws -> [Proposal] {
        let placements = Dictionary(grouping: try placementVersions(reader), by: \.proposal)
        let memberships = Dictionary(grouping: try membershipVersions(reader), by: \.proposal)
        return try reader.all(allProposals, [], proposalRow).map { found in
            var proposal = found
            proposal.placements = placements[found.id]?.map(\.placement) ?? []
            proposal.memberships = memberships[found.id]?.map(\.membership) ?? []
            proposal.payments = try payments(of: found.id, reader)
            return proposal
        }
    }

    /// Placements in force: of each the version approved last.
    static func placements(knownAt seq: Int64, _ reader: any Reader) throws -> [TraineePlacement] {
        latest(
            try placementVersions(reader).map(\.placement).filter { $0.version > 0 && $0.version <= seq }, by: \.id
        )
    }

    /// Placements of proposals that wait for a decision.
    static func waitingPlacements(_ reader: any Reader) throws -> [TraineePlacement] {
        try placementVersions(reader).filter { $0.state == .proposed }.map(\.placement)
    }

    static func memberships(knownAt seq: Int64, _ reader: any Reader) throws -> [RetentionMembership] {
        latest(
            try membershipVersions(reader).map(\.membership).filter { $0.version > 0 && $0.version <= seq },
            by: \.id)
    }

    static func waitingMemberships(_ reader: any Reader) throws -> [RetentionMembership] {
        try membershipVersions(reader).filter { $0.state == .proposed }.map(\.membership)
    }

    private static func latest<Item>(_ versions: [Item], by id: (Item) -> String) -> [Item] {
        Dictionary(versions.map { (id($0), $0) }, uniquingKeysWith: { _, later in later })
            .sorted { $0.key < $1.key }.map(\.value)
    }

    private struct PlacementVersion {
        var placement: TraineePlacement
        var proposal: String
        var state: State
    }

    private struct MembershipVersion {
        var membership: RetentionMembership
        var proposal: String
        var state: State
    }

    private struct PlacementKey: Hashable {
        var proposal: String
        var number: Int64
    }

    private static func placementVersions(_ reader: any Reader) throws -> [PlacementVersion] {
        var absences: [PlacementKey: [TraineePlacement.Absence]] = [:]
        try reader.forEach(absenceRows, []) { row in
            guard let kind = TraineePlacement.Absence.Kind(rawValue: row.integer(2)) else {
                throw PaymentsError.damaged("absence of a trainee")
            }
            absences[PlacementKey(proposal: row.text(0), number: row.integer(1)), default: []].append(
                .init(kind: kind, from: try row.date(3), to: try row.date(4)))
        }
        return try reader.all(placementRows, []) { row in
            guard let practice = ODSCode(row.text(1)), let state = State(rawValue: row.integer(14)),
                let grade = TraineePlacement.Grade(rawValue: row.integer(6)),
                let employer = TraineePlacement.Employer(rawValue: row.integer(8))
            else { throw PaymentsError.damaged("placement " + row.text(0)) }
            return PlacementVersion(
                placement: TraineePlacement(
                    id: row.text(0), practice: practice, traineeRef: row.text(2), trainerRef: row.text(3),
                    from: try row.date(4), to: try row.date(5), grade: grade, area: row.text(7),
                    employer: employer,
                    annualPayPence: row.integer(9), annualCostsPence: row.integer(10),
                    absences: absences[PlacementKey(proposal: row.text(12), number: row.integer(13))] ?? [],
                    version: row.optionalInteger(11) ?? 0),
                proposal: row.text(12), state: state)
        }
    }

    private static func membershipVersions(_ reader: any Reader) throws -> [MembershipVersion] {
        try reader.all(membershipRows, []) { row in
            guard let practice = ODSCode(row.text(1)), let state = State(rawValue: row.integer(8)) else {
                throw PaymentsError.damaged("retention " + row.text(0))
            }
            return MembershipVersion(
                membership: RetentionMembership(
                    id: row.text(0), practice: practice, doctorRef: row.text(2), from: try row.date(3),
                    to: try row.date(4), sessions: row.integer(5), claimsExpenses: row.bool(9),
                    version: row.optionalInteger(6) ?? 0),
                proposal: row.text(7), state: state)
        }
    }

    private static func payments(of proposal: String, _ reader: any Reader) throws -> [StoredPayment] {
        try reader.all(paymentRows, [.text(proposal)]) { row in
            guard let kind = TrainingPayment.Kind(rawValue: row.integer(0)) else {
                throw PaymentsError.damaged("training payment")
            }
            return StoredPayment(kind: kind, placementID: row.text(1), on: try row.date(2))
        }
    }

    private static func proposalRow(_ row: any Row) throws -> Proposal {
        guard let state = State(rawValue: row.integer(1)) else {
            throw PaymentsError.damaged("training proposal " + row.text(0))
        }
        return Proposal(
            id: row.text(0), state: state, reason: row.text(2), proposedBy: row.text(3),
            proposedAt: row.instant(4),
            decidedBy: row.text(5), decisionReason: row.text(6), seq: row.optionalInteger(7))
    }
}
