import PluginAPI
import Tabular

/// The paycode of a claim: family, and as the statement's reader knows it.
struct ClaimPaycode: Hashable, Sendable {
    var family: Paycode
    /// With `G` for GMS and PMS, `A` for APMS.
    var code: String

    /// - Parameter code: a family with its suffix; `nil` when it is none.
    init?(code: String, of contract: ContractKind) {
        guard code.last == (contract == .apms ? "A" : "G"), let family = Paycode(code: String(code.dropLast())) else {
            return nil
        }
        (self.family, self.code) = (family, code)
    }
}

/// On which paycode claims are paid, by claim type and contract type for a span of days (payments.md 6.1).
struct ClaimPaycodes: Sendable {
    struct Row: Hashable, Sendable {
        var kind: ClaimKind
        var contract: ContractKind
        var from: CalendarDate
        /// Exclusive; `nil` = open.
        var to: CalendarDate?
        /// `nil` = no such claim is taken.
        var paycode: ClaimPaycode?
        /// P, S, D, R or X.
        var grade: String
        var source: String
        var note: String
        /// Recorded version of the set; 0 while it is not approved.
        var version: Int64 = 0

        func contains(_ day: CalendarDate) -> Bool { day >= from && to.map { day < $0 } != false }
    }

    private let rows: [Row]

    /// - Parameter rows: in order of recording; of those that speak about a day the last one holds.
    init(_ rows: [Row]) { self.rows = rows }

    func row(_ kind: ClaimKind, _ contract: ContractKind, on day: CalendarDate) -> Row? {
        rows.last { $0.kind == kind && $0.contract == contract && $0.contains(day) }
    }
}

/// Paycodes of claims as a file. Rules REF02, REF05, REF06 and REF11.
enum ClaimPaycodeFile {
    static let columns = [
        "claim_type", "contract_type", "effective_from", "effective_to", "paycode", "grade", "source", "note",
    ]

    static func read(_ bytes: [UInt8]) -> (rows: [ClaimPaycodes.Row], violations: ViolationList) {
        var reader = RowReader(upload: bytes, columns: columns)
        var rows: [ClaimPaycodes.Row] = []
        while reader.next() {
            let kind = ClaimKind.allCases.first { $0.name == reader.cell("claim_type") }
            if kind == nil { reader.refuse("claim_type", "REF11", "\(reader.shown("claim_type")) is no claim type") }
            let contract = ContractKind(name: reader.cell("contract_type"))
            if contract == nil { reader.refuse("contract_type", "REF11", "the contract type is GMS, PMS or APMS") }
            let (from, to, texts) = reader.referenceFields()
            guard let kind, let contract, let from else { continue }
            let paycode = ClaimPaycode(code: reader.cell("paycode"), of: contract)
            if paycode == nil, !reader.isEmpty("paycode") {
                reader.refuse(
                    "paycode", "REF11", "\(reader.shown("paycode")) is no family of paycodes with the suffix of \(contract.name)")
            }
            let overlaps = rows.contains { other in
                other.kind == kind && other.contract == contract && (other.to.map { from < $0 } ?? true)
                    && (to.map { other.from < $0 } ?? true)
            }
            if overlaps {
                reader.refuse("effective_from", "REF11", "two rows of the claim type have days in common")
            }
            rows.append(
                .init(
                    kind: kind, contract: contract, from: from, to: to, paycode: paycode, grade: texts.grade,
                    source: texts.source, note: texts.note))
        }
        return (rows, reader.violations)
    }
}

/// Paycodes of claims in sets of reference data.
enum ClaimPaycodeStore {
    static let schema = [
        """
        CREATE TABLE claim_paycode (
            set_id TEXT NOT NULL REFERENCES rate_set (set_id), number INTEGER NOT NULL, claim_kind INTEGER NOT NULL,
            contract_kind INTEGER NOT NULL, effective_from TEXT NOT NULL, effective_to TEXT, paycode TEXT NOT NULL,
            grade TEXT NOT NULL, source TEXT NOT NULL, note TEXT NOT NULL, PRIMARY KEY (set_id, number)
        ) STRICT
        """
    ]

    private static let insert = BulkInsert(
        into: "claim_paycode",
        [
            "set_id", "number", "claim_kind", "contract_kind", "effective_from", "effective_to", "paycode",
            "grade", "source", "note",
        ])
    private static let approved = """
        SELECT claim_kind, contract_kind, effective_from, effective_to, paycode, grade, source, note, version
        FROM claim_paycode JOIN rate_set ON rate_set.set_id = claim_paycode.set_id
        WHERE version IS NOT NULL
        """
    private static let everyRow = Statement(approved + " ORDER BY version, number")
    private static let ofKind = Statement(
        approved + " AND claim_kind = ?1 AND contract_kind = ?2 ORDER BY version, number")

    static func add(_ rows: [ClaimPaycodes.Row], to setID: String, in transaction: any Transaction) throws {
        try insert.run(Array(rows.enumerated()), in: transaction) { entry, values in
            let row = entry.element
            values += [
                .text(setID), .integer(entry.offset + 1), .integer(row.kind.rawValue),
                .integer(row.contract.rawValue), .date(row.from), .date(row.to),
                .text(row.paycode?.code ?? ""), .text(row.grade), .text(row.source), .text(row.note),
            ]
        }
    }

    static func paycodes(_ reader: any Reader) throws -> ClaimPaycodes {
        ClaimPaycodes(try reader.all(everyRow, [], row))
    }

    /// `nil` = there is no such claim.
    static func paycode(
        of kind: ClaimKind, _ contract: ContractKind, on day: CalendarDate, _ reader: any Reader
    ) throws -> ClaimPaycode? {
        let rows = try reader.all(ofKind, [.integer(kind.rawValue), .integer(contract.rawValue)], row)
        return ClaimPaycodes(rows).row(kind, contract, on: day)?.paycode
    }

    private static func row(_ row: any Row) throws -> ClaimPaycodes.Row {
        guard let kind = ClaimKind(rawValue: row.integer(0)), let contract = ContractKind(rawValue: row.integer(1))
        else { throw PaymentsError.damaged("paycode of claims") }
        return .init(
            kind: kind, contract: contract, from: try row.date(2), to: try row.optionalDate(3),
            paycode: ClaimPaycode(code: row.text(4), of: contract), grade: row.text(5), source: row.text(6),
            note: row.text(7), version: row.integer(8))
    }
}
