import PluginAPI
import Tabular

/// Rates as a file. Rules REF01 to REF06.
enum RateFile {
    static let columns = [
        "name", "effective_from", "effective_to", "value", "unit", "grade", "source", "note",
    ]
    static let grades = ["P", "S", "D", "R", "X"]

    static func read(_ bytes: [UInt8]) -> (rows: [RateRow], violations: ViolationList) {
        var reader = RowReader(upload: bytes, columns: columns)
        var rows: [RateRow] = []
        while reader.next() {
            let unit = RateUnit(name: reader.cell("unit"))
            if unit == nil { reader.refuse("unit", "REF04", "the unit is POUNDS, PERCENT, DAYS or COUNT") }
            let from = reader.date("effective_from", "REF02")
            let to = reader.date("effective_to", "REF02", mayBeEmpty: true)
            var value: ExactDecimal?
            let text = reader.cell("value")
            if !text.isEmpty {
                value = ExactDecimal(text, maximumScale: 6)
                if value == nil {
                    reader.refuse("value", "REF03", "a value is a plain decimal with at most 6 decimals")
                }
            }
            if let unit, let from {
                let fields = Fields(
                    name: reader.cell("name"), from: from, to: to, value: value, unit: unit,
                    grade: reader.cell("grade"), source: reader.cell("source"), note: reader.cell("note"))
                let (rate, breaches) = check(fields)
                for breach in breaches { reader.refuse(breach.field, breach.rule, breach.message) }
                if let rate { rows.append(rate) }
            }
        }
        return (rows, reader.violations)
    }

    /// A rate as given, in a file or structured.
    struct Fields {
        var name: String
        var from: CalendarDate
        var to: CalendarDate?
        var value: ExactDecimal?
        var unit: RateUnit
        var grade: String
        var source: String
        var note: String
    }

    static func check(_ fields: Fields) -> (RateRow?, [ContractRules.Breach]) {
        var breaches: [ContractRules.Breach] = []
        func breach(_ field: String, _ rule: String, _ message: String) {
            breaches.append(ContractRules.Breach(field: field, rule: rule, message: message))
        }
        let isByDay = RateName(rawValue: fields.name)?.changesWithinMonth == true
        if !isByDay, fields.from.day != 1 || fields.to.map({ $0.day != 1 }) == true {
            breach("effective_from", "REF02", "rates begin and end with a month: give the first day of one")
        }
        if let to = fields.to, to <= fields.from {
            breach(
                "effective_to", "REF02", "effective_to is the first day after, so it is after effective_from")
        }
        if !grades.contains(fields.grade) {
            breach("grade", "REF05", "the grade is P, S, D, R or X (payments.md 0)")
        }
        if fields.source.count > 200 || fields.note.count > 500 {
            breach("source", "REF06", "a source has at most 200 characters, a note 500")
        }
        guard let name = RateName(rawValue: fields.name) else {
            breach("name", "REF01", "there is no rate \"\(fields.name.prefix(40))\"")
            return (nil, breaches)
        }
        if name.unit != fields.unit {
            breach("unit", "REF04", "\(name.rawValue) is given in \(name.unit.name)")
        }
        if let value = fields.value {
            guard let millionths = value.scaled(to: 6), name.range.contains(millionths) else {
                let most = ExactDecimal(mantissa: name.range.upperBound, scale: 6).trimmed()
                breach("value", "REF03", "\(name.rawValue) is from 0 to \(most)")
                return (nil, breaches)
            }
        }
        guard breaches.isEmpty else { return (nil, breaches) }
        let row = RateRow(
            name: name, from: fields.from, to: fields.to, value: fields.value, grade: fields.grade,
            source: fields.source, note: fields.note)
        return (row, [])
    }
}

/// Bank holidays as a file. Rules REF02 and REF07.
enum BankHolidayFile {
    static let columns = ["date", "title"]

    struct Row: Hashable, Sendable {
        var day: CalendarDate
        var title: String
    }

    static func read(_ bytes: [UInt8]) -> (rows: [Row], violations: ViolationList) {
        var reader = RowReader(upload: bytes, columns: columns)
        var rows: [Row] = []
        var seen: Set<CalendarDate> = []
        while reader.next() {
            let title = reader.cell("title")
            if !(1...100).contains(title.count) {
                reader.refuse("title", "REF07", "a title has 1 to 100 characters")
            }
            if let day = reader.date("date", "REF02") {
                if !seen.insert(day).inserted { reader.refuse("date", "REF07", "\(day) is given twice") }
                if day.isoWeekday > 5 {
                    reader.refuse("date", "REF07", "\(day) is no weekday: give the substitute day")
                }
                rows.append(Row(day: day, title: title))
            }
        }
        return (rows, reader.violations)
    }
}

/// Paycodes as a file. Rules REF08. Files of before there were external codes leave the last column out.
enum PaycodeFile {
    static let columns = ["paycode", "description", "sign", "heading", "external_code"]

    static func read(_ bytes: [UInt8]) -> (rows: [PaycodeBook.Entry], violations: ViolationList) {
        var ignored = ViolationList()
        let header = Table.read(csv: bytes, layout: .upload(.asGiven), into: &ignored).header
        let given = header.contains("external_code") ? columns : Array(columns.dropLast())
        var reader = RowReader(upload: bytes, columns: given)
        var rows: [PaycodeBook.Entry] = []
        var seen: Set<String> = []
        while reader.next() {
            let entry = PaycodeBook.Entry(
                code: reader.cell("paycode"), description: reader.cell("description"),
                sign: reader.cell("sign"),
                heading: reader.cell("heading"), externalCode: reader.cell("external_code"))
            let isCode =
                (3...8).contains(entry.code.utf8.count)
                && entry.code.utf8.allSatisfy { (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) }
            if !isCode { reader.refuse("paycode", "REF08", "a paycode is 3 to 8 of A-Z and 0-9") }
            if !seen.insert(entry.code).inserted {
                reader.refuse("paycode", "REF08", "\(entry.code) is given twice")
            }
            if !(1...60).contains(entry.description.count) {
                reader.refuse("description", "REF08", "a description has 1 to 60 characters")
            }
            if !["+", "-", "+/-"].contains(entry.sign) {
                reader.refuse("sign", "REF08", "the sign is +, - or +/-")
            }
            if entry.heading.count > 100 {
                reader.refuse("heading", "REF08", "a heading has at most 100 characters")
            }
            if entry.externalCode.count > 20 {
                reader.refuse("external_code", "REF08", "an external code has at most 20 characters")
            }
            rows.append(entry)
        }
        return (rows, reader.violations)
    }
}
