import PluginAPI
import Tabular

/// National figures. Rules CON01 to CON04.
enum ConstantsFile {
    static let columns = ["name", "group", "valid_from", "valid_to", "value", "confidence", "source", "note"]

    /// The rows, without version.
    static func read(_ bytes: [UInt8]) -> (rows: [NationalFigures.Row], violations: ViolationList) {
        var reader = RowReader(upload: bytes, columns: columns)
        var rows: [NationalFigures.Row] = []
        while reader.next() {
            let name = reader.text("name", "CON01", in: 3...60)
            let from = reader.day("valid_from", "CON02")
            let to = reader.day("valid_to", "CON02", mayBeEmpty: true)
            if let from, let to, to < from { reader.refuse("valid_to", "CON02", "it ends before it begins") }
            let value = reader.exact("value", "CON03", decimals: 6)
            let confidence = reader.word("confidence", "CON04", Confidence.self)
            let source = reader.text("source", "CON04", in: 1...200)
            let note = reader.text("note", "CON04", in: 0...500)
            guard let from, let value, let confidence else { continue }
            reader.requireUnique("\(name) \(reader.cell("group")) \(from)", "name", "CON01")
            rows.append(
                NationalFigures.Row(
                    version: 0, name: name, group: reader.cell("group"), from: from, to: to, value: value,
                    confidence: confidence, source: source, note: note))
        }
        return (rows, reader.violations)
    }
}

/// Population figures of practices and networks. Rules POP01 to POP03.
enum PopulationFile {
    static let columns = ["org_code", "base", "as_of", "value", "source"]

    struct Row: Hashable, Sendable {
        var organisation: ODSCode
        var base: PopulationBase
        var asOf: CalendarDate
        var value: ExactDecimal
        var source: String
    }

    static func read(_ bytes: [UInt8]) -> (rows: [Row], violations: ViolationList) {
        var reader = RowReader(upload: bytes, columns: columns)
        var rows: [Row] = []
        rows.reserveCapacity(reader.table.rowCount)
        while reader.next() {
            let code = reader.code("org_code", "POP01")
            let base = reader.word("base", "POP02", PopulationBase.self)
            if base == PopulationBase.none {
                reader.refuse("base", "POP02", "a figure describes a population")
            }
            let asOf = reader.day("as_of", "POP02")
            let value = reader.exact("value", "POP03", decimals: 6)
            if base == .crp, let value, value.trimmed().scale > 0 {
                reader.refuse("value", "POP03", "registered patients are whole")
            }
            let source = reader.text("source", "POP03", in: 1...200)
            guard let code, let base, let asOf, let value else { continue }
            reader.requireUnique("\(code) \(base) \(asOf)", "org_code", "POP01")
            rows.append(Row(organisation: code, base: base, asOf: asOf, value: value, source: source))
        }
        return (rows, reader.violations)
    }
}

/// Collection windows. Rules CAL01 to CAL03.
enum CalendarFile {
    static let columns = [
        "service_code", "achievement_date", "extract_from", "extract_to", "manual_from", "manual_to",
        "declare_by",
        "approve_by", "pay_on",
    ]

    static func read(_ bytes: [UInt8]) -> (rows: [CollectionWindow], violations: ViolationList) {
        var reader = RowReader(upload: bytes, columns: columns)
        var rows: [CollectionWindow] = []
        while reader.next() {
            let service = reader.cell("service_code")
            if !DefinitionFiles.isCode(service) {
                reader.refuse("service_code", "CAL01", "this is no service code")
            }
            guard let date = reader.day("achievement_date", "CAL01") else { continue }
            reader.requireUnique("\(service) \(date)", "service_code", "CAL01")
            var window = CollectionWindow(service: service, date: date)
            window.extractFrom = reader.day("extract_from", "CAL02", mayBeEmpty: true)
            window.extractTo = reader.day("extract_to", "CAL02", mayBeEmpty: true)
            window.manualFrom = reader.day("manual_from", "CAL02", mayBeEmpty: true)
            window.manualTo = reader.day("manual_to", "CAL02", mayBeEmpty: true)
            window.declareBy = reader.day("declare_by", "CAL02", mayBeEmpty: true)
            window.approveBy = reader.day("approve_by", "CAL02", mayBeEmpty: true)
            window.payOn = reader.day("pay_on", "CAL02", mayBeEmpty: true)
            for (first, second, name) in [
                (window.extractFrom, window.extractTo, "extract_to"),
                (window.manualFrom, window.manualTo, "manual_to"),
                (window.declareBy, window.approveBy, "approve_by"),
                (window.approveBy, window.payOn, "pay_on"),
            ] {
                if let first, let second, second < first {
                    reader.refuse(name, "CAL03", "\(name) is before what leads to it")
                }
            }
            rows.append(window)
        }
        return (rows, reader.violations)
    }
}

/// Prior-year achievement. Rules ASP01 to ASP03.
enum AspirationFile {
    static let columns = ["provider_code", "financial_year", "achieved_pounds", "agreed_by", "source"]

    struct Row: Hashable, Sendable {
        var provider: ODSCode
        var year: FinancialYear
        var achieved: Money
        var agreedBy: String
        var source: String
    }

    static func read(_ bytes: [UInt8]) -> (rows: [Row], violations: ViolationList) {
        var reader = RowReader(upload: bytes, columns: columns)
        var rows: [Row] = []
        while reader.next() {
            let provider = reader.code("provider_code", "ASP01")
            let year = FinancialYear(reader.cell("financial_year"))
            if year == nil { reader.refuse("financial_year", "ASP02", "a financial year is written 2026/27") }
            let pence = reader.decimal("achieved_pounds", "ASP03", scale: 2, in: 0...100_000_000_00)
            let source = reader.text("source", "ASP03", in: 1...200)
            guard let provider, let year, let pence else { continue }
            reader.requireUnique("\(provider) \(year)", "provider_code", "ASP01")
            rows.append(
                Row(
                    provider: provider, year: year, achieved: Money(pence: pence),
                    agreedBy: reader.cell("agreed_by"),
                    source: source))
        }
        return (rows, reader.violations)
    }
}
