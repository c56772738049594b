import PluginAPI
import Tabular

/// The yearly official file "NHS Payments to General Practice, England, by practice". Its headings differ a little from
/// year to year (case, dots for spaces), so they are compared by their letters and digits only. Rules PUB01 to PUB05.
enum PublishedYearFile {
    private enum Column: String, CaseIterable {
        case region = "NHS England (Region) code"
        case regionName = "NHS England (Region) Name"
        case commissioner = "CCG Code"
        case practice = "Practice Code"
        case name = "Practice Name"
        case opened = "Practice Open Date"
        case closed = "Practice Close Date"
        case kind = "Contract Type"
        case registered = "Number of Registered Patients (Last Known Figure)"
        case weighted = "Number of Weighted Patients (Last Known Figure)"
        case globalSum = "Global Sum"
        case baseline = "Balance of PMS Expenditure"

        var key: String { PublishedYearFile.key(rawValue) }
    }

    private static func key(_ heading: String) -> String {
        heading.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
    }

    /// Rows by practice code.
    static func read(_ bytes: [UInt8]) -> (rows: [PublishedRow], violations: ViolationList) {
        var violations = ViolationList()
        let table = Table.read(csv: bytes, layout: .upload(.asGiven), into: &violations)
        let keys = table.header.map(key)
        for column in Column.allCases where !keys.contains(column.key) && violations.isEmpty {
            violations.add(
                "UP02", row: 1, field: column.rawValue, "the heading \"\(column.rawValue)\" is missing")
        }
        guard violations.isEmpty else { return ([], violations) }
        let summed = parts(keys)
        var rows: [PublishedRow] = []
        rows.reserveCapacity(table.rowCount)
        var reader = RowReader(table, columns: names(keys), violations: violations)
        while reader.next() {
            guard var read = practice(&reader) else { continue }
            guard let amounts = amounts(&reader, summed) else { continue }
            read.amounts = amounts
            reader.requireUnique(read.practice.value, Column.practice.rawValue, "PUB01")
            rows.append(read)
        }
        return (rows.sorted { $0.practice < $1.practice }, reader.violations)
    }

    /// The names by which the columns are read; the first of several counts: the 2022/23 file has two columns "CCG NAME".
    private static func names(_ keys: [String]) -> [String] {
        var titles = Dictionary(
            uniqueKeysWithValues: PublishedHeading.allCases.map { (key($0.title), $0.title) })
        for column in Column.allCases { titles[column.key] = column.rawValue }
        return keys.indices.map { index in
            keys.firstIndex(of: keys[index]) == index ? titles[keys[index]] ?? part(index) : part(index)
        }
    }

    private static func part(_ index: Int) -> String { "column " + String(index + 1) }

    /// Names of the columns that add up to the total: from the global sum to other payments. Empty in the years whose
    /// file shows parts of enhanced services as well as their totals.
    private static func parts(_ keys: [String]) -> [String] {
        guard !keys.contains("totalnationalenhancedservices"),
            let first = keys.firstIndex(of: Column.globalSum.key),
            let last = keys.firstIndex(of: "otherpayments"), first < last
        else { return [] }
        return Array(names(keys)[first...last])
    }

    private static func amounts(
        _ reader: inout RowReader, _ parts: [String]
    ) -> PublishedAmounts? {
        var amounts = PublishedAmounts()
        for heading in PublishedHeading.allCases {
            guard let pence = pence(&reader, heading.title) else { return nil }
            amounts[heading] = pence
        }
        guard !parts.isEmpty else { return amounts }
        var sum: Int64 = 0
        for name in parts {
            guard let pence = pence(&reader, name) else { return nil }
            sum &+= pence
        }
        amounts.headingsPence = sum
        return amounts
    }

    /// A published amount in pence, a longer fraction rounded; empty or a dash = 0.
    private static func pence(_ reader: inout RowReader, _ name: String) -> Int64? {
        let text = reader.cell(name)
        if text.isEmpty || text == "-" { return 0 }
        if let decimal = ExactDecimal(text), decimal.mantissa.magnitude < 1 << 56 {
            if let pence = decimal.scaled(to: 2) { return pence }
            if let rounded = try? Rounding.toPence(decimal.rational) { return rounded.pence }
        }
        reader.refuse(name, "PUB05", "\"\(text.prefix(40))\" is no plain number")
        return nil
    }

    private static func practice(_ reader: inout RowReader) -> PublishedRow? {
        let practice = reader.practice(Column.practice.rawValue, "PUB01")
        let kindName = reader.cell(Column.kind.rawValue).uppercased()
        let kind = ContractKind(name: kindName)
        if kind == nil, !["UNKNOWN", "", "-"].contains(kindName) {
            reader.refuse(Column.kind.rawValue, "PUB02", "the contract type is GMS, PMS, APMS or UNKNOWN")
        }
        let registered = figure(&reader, .registered, "PUB04")
        let weighted = figure(&reader, .weighted, "PUB04")
        let globalSum = figure(&reader, .globalSum, "PUB05")
        let baseline = figure(&reader, .baseline, "PUB05")
        let opened = day(&reader, .opened), closed = day(&reader, .closed)
        let region = reader.code(Column.region.rawValue, "PUB01", mayBeEmpty: true)
        let commissioner = reader.code(Column.commissioner.rawValue, "PUB01", mayBeEmpty: true)
        guard let practice, let registered, let weighted, let globalSum, let baseline,
            let patients = try? Rounding.weightedPopulation(registered.divided(by: Rational(100))),
            let hundredths = try? Rounding.weightedPopulation(weighted),
            let globalSumMoney = try? Rounding.toPence(globalSum),
            let baselineMoney = try? Rounding.toPence(baseline)
        else { return nil }
        guard (0...PatientLists.largest).contains(patients),
            (0...PatientLists.largest * 100).contains(hundredths)
        else {
            reader.refuse(
                Column.registered.rawValue, "PUB04", "a list is from 0 to \(PatientLists.largest) patients")
            return nil
        }
        let name = reader.cell(Column.name.rawValue)
        return PublishedRow(
            practice: practice, name: name.isEmpty ? practice.value : String(name.prefix(100)),
            region: region?.value ?? "", regionName: reader.cell(Column.regionName.rawValue),
            commissioner: commissioner?.value ?? "", kind: kind, openedOn: opened, closedOn: closed,
            registered: patients, weightedHundredths: hundredths, globalSumPence: globalSumMoney.pence,
            baselinePence: baselineMoney.pence)
    }

    /// A published figure, up to 9 decimals; empty or a dash = 0.
    private static func figure(_ reader: inout RowReader, _ column: Column, _ rule: String) -> Rational? {
        let text = reader.cell(column.rawValue)
        if text.isEmpty || text == "-" { return .zero }
        guard let value = ExactDecimal(text),
            abs(value.rational.numerator / value.rational.denominator) < 1_000_000_000
        else {
            reader.refuse(column.rawValue, rule, "\"\(text.prefix(40))\" is no plain number")
            return nil
        }
        return value.rational
    }

    /// `DD/MM/YYYY`; empty or a dash = none.
    private static func day(_ reader: inout RowReader, _ column: Column) -> CalendarDate? {
        let text = reader.cell(column.rawValue).filter { $0 != " " }
        if text.isEmpty || text == "-" { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, let day = CalendarDate(iso8601: "\(parts[2])-\(parts[1])-\(parts[0])") else {
            reader.refuse(column.rawValue, "PUB03", "\"\(text.prefix(40))\" is no day DD/MM/YYYY")
            return nil
        }
        return day
    }
}
