import PluginAPI
import Tabular

/// Baselines as a file (payments.md 4, "Baseline CSV"). Rules BAS01 to BAS07.
enum BaselineFile {
    static let columns = [
        "practiceCode", "financialYear", "basis", "pricePerPatient", "annualAmount", "effectiveFrom", "note",
    ]

    struct Row: Hashable, Sendable {
        var line: Int
        var practice: ODSCode
        var year: FinancialYear
        var baseline: Baseline
        var from: CalendarDate
        var note: String
    }

    /// - Parameter check: what else is wrong with a row, by column and rule.
    static func read(
        _ bytes: [UInt8], check: (Row) throws -> [ContractRules.Breach]
    ) rethrows -> (rows: [Row], violations: ViolationList) {
        var reader = RowReader(upload: bytes, columns: columns)
        var rows: [Row] = []
        while reader.next() {
            guard let row = row(&reader) else { continue }
            reader.requireUnique("\(row.practice) \(row.year)", "practiceCode", "BAS07")
            for breach in try check(row) { reader.refuse(breach.field, breach.rule, breach.message) }
            rows.append(row)
        }
        return (rows, reader.violations)
    }

    private static func row(_ reader: inout RowReader) -> Row? {
        let practice = reader.practice("practiceCode", "BAS01")
        let year = FinancialYear(reader.cell("financialYear"))
        if year == nil {
            reader.refuse(
                "financialYear", "BAS01", "\(reader.shown("financialYear")) is no year written 2026/27")
        }
        let price = reader.decimal(
            "pricePerPatient", "BAS03", scale: 4, in: 0...100_000_000, mayBeEmpty: true)
        let annual = reader.decimal(
            "annualAmount", "BAS03", scale: 2, in: 0...1_000_000_000_00, mayBeEmpty: true)
        let baseline = baseline(&reader, price: price, annual: annual)
        let from = reader.date("effectiveFrom", "BAS05")
        let note = reader.cell("note")
        if !(3...500).contains(note.count) {
            reader.refuse("note", "BAS06", "a note has 3 to 500 characters")
        }
        guard let practice, let year, let baseline, let from else { return nil }
        return Row(
            line: reader.line, practice: practice, year: year, baseline: baseline, from: from, note: note)
    }

    private static func baseline(_ reader: inout RowReader, price: Int64?, annual: Int64?) -> Baseline? {
        if reader.isEmpty("pricePerPatient") == reader.isEmpty("annualAmount") {
            reader.refuse("annualAmount", "BAS03", "give exactly one of pricePerPatient and annualAmount")
            return nil
        }
        // A figure that is no number has been refused by itself.
        if price == nil, annual == nil { return nil }
        switch (reader.cell("basis"), price, annual) {
        case ("FIXED", nil, let annual?): return .fixed(annualPence: annual)
        case ("WEIGHTED", let price?, nil): return .weighted(priceMicropounds: price * 100)
        case ("RAW", let price?, nil): return .raw(priceMicropounds: price * 100)
        case ("FIXED", _, _), ("WEIGHTED", _, _), ("RAW", _, _):
            reader.refuse(
                "basis", "BAS03", "FIXED goes with annualAmount, WEIGHTED and RAW with pricePerPatient")
        default:
            reader.refuse("basis", "BAS03", "\(reader.shown("basis")) is none of WEIGHTED, RAW, FIXED")
        }
        return nil
    }
}
