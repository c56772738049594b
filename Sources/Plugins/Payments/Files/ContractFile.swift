import PluginAPI
import Tabular

/// The contract upload: one row a contract version. Rules CON01 to CON10 are listed in the plugin's README.
enum ContractFile {
    static let columns = [
        "practice_code", "practice_name", "contract_type", "valid_from", "valid_to", "commissioner_code",
        "region_code", "payee_code", "out_of_hours_opt_out", "minor_surgery_opt_out",
        "temporary_patients_adjustment",
        "correction_factor", "london_basis", "baseline_basis", "baseline_annual", "baseline_price",
        "payments_stopped",
    ]

    struct Row: Hashable, Sendable {
        var practice: ODSCode
        var from: CalendarDate
        var to: CalendarDate?
        var terms: ContractTerms
        /// Line in the file.
        var number: Int
    }

    /// Rows by practice and first day. Rows of one practice do not overlap.
    static func read(_ bytes: [UInt8]) -> (rows: [Row], violations: ViolationList) {
        var reader = RowReader(upload: bytes, columns: columns)
        var rows: [Row] = []
        rows.reserveCapacity(reader.table.rowCount)
        while reader.next() {
            if let read = contract(&reader) { rows.append(read) }
        }
        rows.sort { ($0.practice, $0.from, $0.number) < ($1.practice, $1.from, $1.number) }
        var violations = reader.violations
        checkSequence(rows, &violations)
        return (rows, violations)
    }

    private static func contract(_ reader: inout RowReader) -> Row? {
        let before = reader.violations.count
        let practice = reader.practice("practice_code", "CON01")
        let kind = ContractKind(name: reader.cell("contract_type"))
        if kind == nil { reader.refuse("contract_type", "CON03", "the contract type is GMS, PMS or APMS") }
        let from = reader.date("valid_from", "CON04")
        let to = reader.date("valid_to", "CON04", mayBeEmpty: true)
        if let from, let to, to <= from {
            reader.refuse(
                "valid_to", "CON04", "valid_to is the first day after the contract, so it is after valid_from"
            )
        }
        let commissioner = reader.code("commissioner_code", "CON09", mayBeEmpty: false)
        let region = reader.code("region_code", "CON09", mayBeEmpty: true)
        let payee = reader.code("payee_code", "CON09", mayBeEmpty: true)
        guard let kind, let practice else { return nil }
        var payment = PaymentTerms(kind: kind)
        payment.outOfHoursOptOut = reader.flag("out_of_hours_opt_out", "CON06")
        payment.minorSurgeryOptOut = reader.flag("minor_surgery_opt_out", "CON06")
        payment.isStopped = reader.flag("payments_stopped", "CON10")
        payment.temporaryPatientsPence =
            reader.decimal(
                "temporary_patients_adjustment", "CON07", scale: 2, in: 0...100_000_000_00, mayBeEmpty: true)
            ?? 0
        payment.correctionFactorPence =
            reader.decimal("correction_factor", "CON07", scale: 2, in: 0...10_000_000_00, mayBeEmpty: true)
            ?? 0
        let london = reader.cell("london_basis")
        if let basis = london.isEmpty ? LondonBasis.none : LondonBasis(name: london) {
            payment.london = basis
        } else {
            reader.refuse("london_basis", "CON07", "the London basis is NONE, COUNTED or ALL_REGISTERED")
        }
        payment.baseline = baseline(&reader)
        guard let from, let commissioner, reader.violations.count == before else { return nil }
        let terms = ContractTerms(
            payment: payment, practiceName: reader.cell("practice_name"), commissioner: commissioner.value,
            region: region?.value ?? "", payee: payee ?? practice)
        for breach in ContractRules.breaches(in: terms, to: to) {
            reader.refuse(breach.field, breach.rule, breach.message)
        }
        guard reader.violations.count == before else { return nil }
        return Row(practice: practice, from: from, to: to, terms: terms, number: reader.line)
    }

    private static func baseline(_ reader: inout RowReader) -> Baseline? {
        let annual = reader.decimal(
            "baseline_annual", "CON08", scale: 2, in: 0...1_000_000_000_00, mayBeEmpty: true)
        // Prices have up to four decimals (payments.md 4).
        let price = reader.decimal("baseline_price", "CON08", scale: 4, in: 0...10_000_0000, mayBeEmpty: true)
        switch (reader.cell("baseline_basis"), annual, price) {
        case ("", nil, nil): return nil
        case ("FIXED", .some(let annual), nil): return .fixed(annualPence: annual)
        case ("WEIGHTED", nil, .some(let price)): return .weighted(priceMicropounds: price * 100)
        case ("RAW", nil, .some(let price)): return .raw(priceMicropounds: price * 100)
        case ("FIXED", _, _):
            reader.refuse("baseline_annual", "CON08", "a FIXED baseline has an annual amount and no price")
        case ("WEIGHTED", _, _), ("RAW", _, _):
            reader.refuse(
                "baseline_price", "CON08", "a WEIGHTED or RAW baseline has a price and no annual amount")
        default:
            reader.refuse(
                "baseline_basis", "CON08",
                "the baseline basis is FIXED, WEIGHTED, RAW or empty with no amounts")
        }
        return nil
    }

    private static func checkSequence(_ rows: [Row], _ violations: inout ViolationList) {
        for (row, next) in zip(rows, rows.dropFirst()) where row.practice == next.practice {
            if row.from == next.from {
                violations.add(
                    "CON01", row: next.number, column: 1, field: "practice_code",
                    "\(row.practice) from \(row.from) is also in line \(row.number)")
            } else if let to = row.to, to > next.from {
                violations.add(
                    "CON04", row: row.number, column: 5, field: "valid_to",
                    "overlaps the contract of \(row.practice) from \(next.from) in line \(next.number)")
            } else {
                let span = ContractSpan(version: 0, from: row.from, to: row.to, terms: row.terms)
                for breach in ContractRules.breaches(changing: span, to: next.terms, on: next.from) {
                    let column = (columns.firstIndex(of: breach.field) ?? 0) + 1
                    violations.add(
                        breach.rule, row: next.number, column: column, field: breach.field, breach.message)
                }
            }
        }
    }
}
