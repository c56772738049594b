import PluginAPI

/// Coefficient sets, inputs and calculations of the allocation formula. What is decided is never changed.
enum AllocationStore {
    static let schema = [
        """
        CREATE TABLE formula_set (
            set_id TEXT PRIMARY KEY NOT NULL, formula TEXT NOT NULL, effective_from TEXT NOT NULL,
            state INTEGER NOT NULL, reason TEXT NOT NULL, file_name TEXT NOT NULL, sha256 TEXT NOT NULL,
            evidence_id TEXT NOT NULL REFERENCES evidence (evidence_id), proposed_by TEXT NOT NULL,
            proposed_at INTEGER NOT NULL, decided_by TEXT NOT NULL, decided_at INTEGER, decision_reason TEXT NOT NULL
        ) STRICT
        """,
        """
        CREATE TABLE formula_coefficient (
            set_id TEXT NOT NULL REFERENCES formula_set (set_id), number INTEGER NOT NULL, component TEXT NOT NULL,
            cell TEXT NOT NULL, value TEXT, grade TEXT NOT NULL, source TEXT NOT NULL, PRIMARY KEY (set_id, number)
        ) STRICT
        """,
        """
        CREATE TABLE allocation_load (
            load_id TEXT PRIMARY KEY NOT NULL, quarter_day TEXT NOT NULL, snapshot_on TEXT NOT NULL,
            evidence_id TEXT NOT NULL REFERENCES evidence (evidence_id), practices INTEGER NOT NULL,
            registered INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX allocation_load_by_quarter ON allocation_load (quarter_day, load_id)",
        """
        CREATE TABLE allocation_input (
            load_id TEXT NOT NULL REFERENCES allocation_load (load_id), practice_code TEXT NOT NULL,
            cells TEXT NOT NULL, home_residents INTEGER NOT NULL, new_registrations INTEGER NOT NULL,
            london INTEGER NOT NULL, illness_millionths INTEGER NOT NULL, mortality_millionths INTEGER NOT NULL,
            staff_index_millionths INTEGER NOT NULL, distance_millionths INTEGER NOT NULL,
            density_millionths INTEGER NOT NULL, PRIMARY KEY (load_id, practice_code)
        ) STRICT
        """,
        """
        CREATE TABLE allocation_calculation (
            calculation_id TEXT PRIMARY KEY NOT NULL, quarter_day TEXT NOT NULL, formula TEXT NOT NULL,
            set_id TEXT NOT NULL REFERENCES formula_set (set_id),
            load_id TEXT NOT NULL REFERENCES allocation_load (load_id), state INTEGER NOT NULL,
            practices INTEGER NOT NULL, registered INTEGER NOT NULL, weighted_hundredths INTEGER NOT NULL,
            normaliser TEXT NOT NULL, means TEXT NOT NULL, warnings INTEGER NOT NULL, calculated_by TEXT NOT NULL,
            calculated_at INTEGER NOT NULL, decided_by TEXT NOT NULL, decided_at INTEGER,
            decision_reason TEXT NOT NULL, seq INTEGER REFERENCES input (seq)
        ) STRICT
        """,
        "CREATE INDEX allocation_calculation_by_quarter ON allocation_calculation (quarter_day, calculation_id)",
        "CREATE INDEX allocation_calculation_by_seq ON allocation_calculation (seq)",
        """
        CREATE TABLE allocation_result (
            calculation_id TEXT NOT NULL REFERENCES allocation_calculation (calculation_id),
            practice_code TEXT NOT NULL, registered INTEGER NOT NULL, weighted_hundredths INTEGER NOT NULL,
            london INTEGER NOT NULL, turnover_index TEXT NOT NULL, PRIMARY KEY (calculation_id, practice_code)
        ) STRICT
        """,
        """
        CREATE TABLE allocation_warning (
            calculation_id TEXT NOT NULL REFERENCES allocation_calculation (calculation_id), number INTEGER NOT NULL,
            practice_code TEXT NOT NULL, component TEXT NOT NULL, rule TEXT NOT NULL, index_value TEXT NOT NULL,
            before_value TEXT NOT NULL, PRIMARY KEY (calculation_id, number)
        ) STRICT
        """,
        "CREATE INDEX allocation_warning_by_practice ON allocation_warning (practice_code, calculation_id)",
    ]

    struct Load: Hashable, Sendable {
        var id: String
        var quarterDay: CalendarDate
        var snapshotOn: CalendarDate
        var evidenceID: String
        var practices: Int64
        var registered: Int64
    }

    struct Calculation: Hashable, Sendable {
        var id: String
        var quarter: Quarter
        var formula: FormulaVersion
        var setID: String
        var loadID: String
        var state = ProposalState.proposed
        var practices: Int64
        var registered: Int64
        var weightedHundredths: Int64
        var normaliser: PreciseDecimal
        /// In the order of `FormulaComponent`.
        var means: [PreciseDecimal]
        var warnings: Int64
        var calculatedBy: String
        var calculatedAt: Instant
        var decidedBy = ""
        var decisionReason = ""
        /// Input number of the lists that it became.
        var seq: Int64?
    }

    private static let insertLoad = Statement(
        """
        INSERT INTO allocation_load (load_id, quarter_day, snapshot_on, evidence_id, practices, registered)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        """)
    private static let loadColumns = "load_id, quarter_day, snapshot_on, evidence_id, practices, registered"
    private static let lastLoad = Statement(
        """
        SELECT \(loadColumns) FROM allocation_load WHERE quarter_day = ?1 ORDER BY load_id DESC LIMIT 1
        """)
    private static let loadByID = Statement("SELECT \(loadColumns) FROM allocation_load WHERE load_id = ?1")
    private static let inputColumns = [
        "load_id", "practice_code", "cells", "home_residents", "new_registrations", "london",
        "illness_millionths",
        "mortality_millionths", "staff_index_millionths", "distance_millionths", "density_millionths",
    ]
    private static let insertInputs = BulkInsert(into: "allocation_input", inputColumns)
    private static let inputsOfLoad = Statement(
        "SELECT \(inputColumns.joined(separator: ", ")) FROM allocation_input WHERE load_id = ?1 ORDER BY practice_code"
    )
    private static let inputOfPractice = Statement(
        "SELECT \(inputColumns.joined(separator: ", ")) FROM allocation_input WHERE load_id = ?1 AND practice_code = ?2"
    )
    private static let calculationColumns = """
        calculation_id, quarter_day, formula, set_id, load_id, state, practices, registered, weighted_hundredths,
        normaliser, means, warnings, calculated_by, calculated_at, decided_by, decision_reason, seq
        """
    private static let insertCalculation = Statement(
        """
        INSERT INTO allocation_calculation (\(calculationColumns))
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
        """)
    private static let decide = Statement(
        """
        UPDATE allocation_calculation
        SET state = ?2, decided_by = ?3, decided_at = ?4, decision_reason = ?5, seq = ?6
        WHERE calculation_id = ?1 AND state = 1
        """)
    private static let calculationByID = Statement(
        "SELECT \(calculationColumns) FROM allocation_calculation WHERE calculation_id = ?1")
    private static let calculationBySeq = Statement(
        "SELECT \(calculationColumns) FROM allocation_calculation WHERE seq = ?1")
    private static let allCalculations = Statement(
        "SELECT \(calculationColumns) FROM allocation_calculation ORDER BY calculation_id")
    private static let lastApproved = Statement(
        """
        SELECT \(calculationColumns) FROM allocation_calculation
        WHERE quarter_day = ?1 AND state = 2 ORDER BY seq DESC LIMIT 1
        """)
    private static let insertResults = BulkInsert(
        into: "allocation_result",
        ["calculation_id", "practice_code", "registered", "weighted_hundredths", "london", "turnover_index"])
    private static let resultsOf = Statement(
        """
        SELECT practice_code, registered, weighted_hundredths, london FROM allocation_result
        WHERE calculation_id = ?1 ORDER BY practice_code
        """)
    private static let turnoverOf = Statement(
        "SELECT practice_code, turnover_index FROM allocation_result WHERE calculation_id = ?1")
    private static let insertWarnings = BulkInsert(
        into: "allocation_warning",
        ["calculation_id", "number", "practice_code", "component", "rule", "index_value", "before_value"])
    private static let warningsOf = Statement(
        """
        SELECT practice_code, component, rule, index_value, before_value FROM allocation_warning
        WHERE calculation_id = ?1 AND (?2 = '' OR practice_code = ?2) ORDER BY number LIMIT 1000
        """)

    static func add(_ load: Load, _ inputs: [AllocationInput], in transaction: any Transaction) throws {
        try transaction.run(
            insertLoad,
            [
                .text(load.id), .date(load.quarterDay), .date(load.snapshotOn), .text(load.evidenceID),
                .integer(load.practices), .integer(load.registered),
            ])
        try insertInputs.run(inputs, in: transaction) { input, values in
            values += [
                .text(load.id), .text(input.practice.value),
                .text(input.cells.map { String($0) }.joined(separator: " ")), .integer(input.homeResidents),
                .integer(input.newRegistrations), .integer(input.london), .integer(input.illness),
                .integer(input.mortality), .integer(input.staffIndex), .integer(input.distance),
                .integer(input.density),
            ]
        }
    }

    private static func load(_ row: any Row) throws -> Load {
        Load(
            id: row.text(0), quarterDay: try row.date(1), snapshotOn: try row.date(2),
            evidenceID: row.text(3),
            practices: row.integer(4), registered: row.integer(5))
    }

    static func lastLoad(of quarter: Quarter, _ reader: any Reader) throws -> Load? {
        try reader.first(lastLoad, [.date(quarter.quarterDay)], load)
    }

    static func load(_ id: String, _ reader: any Reader) throws -> Load? {
        try reader.first(loadByID, [.text(id)], load)
    }

    private static func input(_ row: any Row) throws -> AllocationInput {
        let cells = row.text(2).split(separator: " ").compactMap { Int64($0) }
        guard let practice = ODSCode(row.text(1)), cells.count == AllocationInput.cellNames.count else {
            throw PaymentsError.damaged("allocation input")
        }
        return AllocationInput(
            practice: practice, cells: cells, homeResidents: row.integer(3), newRegistrations: row.integer(4),
            london: row.integer(5), illness: row.integer(6), mortality: row.integer(7),
            staffIndex: row.integer(8),
            distance: row.integer(9), density: row.integer(10))
    }

    static func inputs(of loadID: String, _ reader: any Reader) throws -> [AllocationInput] {
        try reader.all(inputsOfLoad, [.text(loadID)], input)
    }

    static func input(of practice: ODSCode, in loadID: String, _ reader: any Reader) throws
        -> AllocationInput?
    {
        try reader.first(inputOfPractice, [.text(loadID), .text(practice.value)], input)
    }

    static func add(
        _ calculation: Calculation, _ allocation: Allocation, _ warnings: [AllocationWarning],
        in transaction: any Transaction
    ) throws {
        try transaction.run(
            insertCalculation,
            [
                .text(calculation.id), .date(calculation.quarter.quarterDay),
                .text(calculation.formula.rawValue),
                .text(calculation.setID), .text(calculation.loadID), .integer(calculation.state.rawValue),
                .integer(calculation.practices), .integer(calculation.registered),
                .integer(calculation.weightedHundredths), .text(calculation.normaliser.description),
                .text(calculation.means.map(\.description).joined(separator: " ")),
                .integer(calculation.warnings),
                .text(calculation.calculatedBy), .instant(calculation.calculatedAt), .text(""), .text(""),
                .null,
            ])
        let id = StoredValue.text(calculation.id)
        let turnover = FormulaComponent.allCases.firstIndex(of: .turnover) ?? 0
        try insertResults.run(allocation.practices, in: transaction) { result, values in
            values += [
                id, .text(result.practice.value), .integer(result.registered),
                .integer(result.weightedHundredths),
                .integer(result.london), .text(result.indices[turnover].description),
            ]
        }
        try insertWarnings.run(Array(warnings.enumerated()), in: transaction) { entry, values in
            let warning = entry.element
            values += [
                id, .integer(entry.offset + 1), .text(warning.practice.value),
                .text(warning.component.rawValue),
                .text(warning.rule.rawValue), .text(warning.index.description),
                .text(warning.before?.description ?? ""),
            ]
        }
    }

    static func saveDecision(_ calculation: Calculation, in transaction: any Transaction) throws {
        try transaction.run(
            decide,
            [
                .text(calculation.id), .integer(calculation.state.rawValue), .text(calculation.decidedBy),
                .instant(transaction.now), .text(calculation.decisionReason), .optional(calculation.seq),
            ])
    }

    private static func calculation(_ row: any Row) throws -> Calculation {
        let means = row.text(10).split(separator: " ").compactMap { PreciseDecimal(String($0)) }
        guard let formula = FormulaVersion(rawValue: row.text(2)),
            let state = ProposalState(rawValue: row.integer(5)),
            let normaliser = PreciseDecimal(row.text(9)), means.count == FormulaComponent.allCases.count
        else { throw PaymentsError.damaged("allocation " + row.text(0)) }
        return Calculation(
            id: row.text(0), quarter: Quarter(containing: try row.date(1)), formula: formula,
            setID: row.text(3),
            loadID: row.text(4), state: state, practices: row.integer(6), registered: row.integer(7),
            weightedHundredths: row.integer(8), normaliser: normaliser, means: means,
            warnings: row.integer(11),
            calculatedBy: row.text(12), calculatedAt: row.instant(13), decidedBy: row.text(14),
            decisionReason: row.text(15), seq: row.optionalInteger(16))
    }

    static func calculation(_ id: String, _ reader: any Reader) throws -> Calculation? {
        try reader.first(calculationByID, [.text(id)], calculation)
    }

    /// The calculation that became the lists recorded under an input number.
    static func calculation(recordedAs seq: Int64, _ reader: any Reader) throws -> Calculation? {
        try reader.first(calculationBySeq, [.integer(seq)], calculation)
    }

    static func calculations(_ reader: any Reader) throws -> [Calculation] {
        try reader.all(allCalculations, [], calculation)
    }

    static func lastApproved(of quarter: Quarter, _ reader: any Reader) throws -> Calculation? {
        try reader.first(lastApproved, [.date(quarter.quarterDay)], calculation)
    }

    static func results(of id: String, _ reader: any Reader) throws -> [CapitationFile.Row] {
        try reader.all(resultsOf, [.text(id)]) { row in
            guard let practice = ODSCode(row.text(0)) else { throw PaymentsError.damaged("allocation " + id) }
            return CapitationFile.Row(
                practice: practice, registered: row.integer(1), weightedHundredths: row.integer(2),
                london: row.integer(3))
        }
    }

    static func turnoverIndices(of id: String, _ reader: any Reader) throws -> [ODSCode: PreciseDecimal] {
        var found: [ODSCode: PreciseDecimal] = [:]
        try reader.forEach(turnoverOf, [.text(id)]) { row in
            if let practice = ODSCode(row.text(0)) { found[practice] = PreciseDecimal(row.text(1)) }
        }
        return found
    }

    /// The first thousand, of one practice or of all.
    static func warnings(of id: String, practice: ODSCode? = nil, _ reader: any Reader) throws
        -> [AllocationWarning]
    {
        try reader.all(warningsOf, [.text(id), .text(practice?.value ?? "")]) { row in
            guard let practice = ODSCode(row.text(0)),
                let component = FormulaComponent(rawValue: row.text(1)),
                let rule = AllocationWarning.Rule(rawValue: row.text(2)),
                let index = PreciseDecimal(row.text(3))
            else { throw PaymentsError.damaged("allocation " + id) }
            return AllocationWarning(
                practice: practice, component: component, rule: rule, index: index,
                before: PreciseDecimal(row.text(4)))
        }
    }
}
