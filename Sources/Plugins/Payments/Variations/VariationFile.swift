import PluginAPI
import Tabular

/// One row of a variation upload.
struct VariationRow: Hashable, Sendable {
    var practice: ODSCode
    var paycode: Paycode
    var narrative: String
    var isMonthly: Bool
    var pence: Int64
    var first: YearMonth
    /// Of monthly rows; `nil` = until stopped.
    var last: YearMonth?
    /// Column I: of network participation the month that it is for.
    var nppMonth: YearMonth?
    /// Column J: of network participation and the quality framework the year that it is for.
    var year: FinancialYear?

    /// Of an amount below zero: why it is recovered.
    var grounds: RecoveryGrounds? { pence < 0 ? RecoveryGrounds(narrative: narrative) : nil }
}

/// Paycodes that a variation may use, by contract type.
struct VariationPaycodes: Sendable {
    private let allowed: [Paycode: Set<ContractKind>]

    static let shipped: VariationPaycodes = {
        var violations = ViolationList()
        let table = Table.read(
            csv: PackageResources.variation_paycodes_csv,
            layout: .upload(.exact(["paycode", "contract_types", "source"])), into: &violations)
        var allowed: [Paycode: Set<ContractKind>] = [:]
        for row in 0..<table.rowCount {
            guard let paycode = Paycode(code: table.text(row, 0)) else { continue }
            allowed[paycode] = Set(
                table.text(row, 1).split(separator: " ").compactMap { ContractKind(name: String($0)) })
        }
        return VariationPaycodes(allowed: allowed)
    }()

    func kinds(_ paycode: Paycode) -> Set<ContractKind> { allowed[paycode] ?? [] }
}

/// Reads a variation upload (payments.md 5.2 to 5.4). Faults CV001 to CV015, all of them, by row and column.
struct VariationFile {
    static let columns = [
        "practiceCode", "paycode", "narrative", "paymentType", "amount", "firstPaymentMonth", "lastPaymentMonth",
        "totalAmount", "nppPaymentMonth", "nppQofFinancialYear",
    ]
    static let mostRows = 20_000

    /// Whether the commissioner commissions the practice in its first month; `nil` = there is no such practice.
    let commissions: (ODSCode, YearMonth) -> Bool?
    let contract: (ODSCode, YearMonth) -> ContractKind?
    /// First month whose run is still open.
    let firstOpenMonth: YearMonth
    let paycodes: VariationPaycodes
    /// What is left of a line of a published statement; `nil` = there is no such line.
    let balance: (RecoveredLine) -> LineBalance?
    /// What the rows read so far take back.
    private var taken: [RecoveredLine: Int64] = [:]
    /// Signs of paycodes.
    let book: PaycodeBook

    private(set) var rows: [VariationRow] = []
    private(set) var violations = ViolationList()

    init(
        firstOpenMonth: YearMonth, paycodes: VariationPaycodes, book: PaycodeBook,
        commissions: @escaping (ODSCode, YearMonth) -> Bool?,
        contract: @escaping (ODSCode, YearMonth) -> ContractKind?,
        balance: @escaping (RecoveredLine) -> LineBalance? = { _ in nil }
    ) {
        self.firstOpenMonth = firstOpenMonth
        self.paycodes = paycodes
        self.book = book
        self.commissions = commissions
        self.contract = contract
        self.balance = balance
    }

    mutating func read(_ table: Table, _ faults: ViolationList) {
        // Empty columns after the tenth are what spreadsheets leave behind; others are named (C8).
        let surplus = table.header.indices.dropFirst(10).map { "column \($0 + 1)" }
        var reader = RowReader(table, columns: VariationFile.columns + surplus, violations: faults)
        guard Array(table.header.prefix(10)) == VariationFile.columns else {
            reader.refuse(
                "practiceCode", "UP02", line: 1, "the first ten columns are "
                    + VariationFile.columns.joined(separator: ","))
            violations = reader.violations
            return
        }
        for (name, header) in zip(surplus, table.header.dropFirst(10)) where !header.isEmpty {
            reader.refuse(name, "CV000", line: 1, "the eleventh column and those after it must be empty")
        }
        var seen: Set<String> = []
        while reader.next() {
            for name in surplus where !reader.isEmpty(name) {
                reader.refuse(name, "CV000", "the eleventh column and those after it must be empty")
            }
            guard let row = row(&reader) else { continue }
            let key = [row.practice.value, row.paycode.code, row.narrative, String(row.pence), row.first.description]
                .joined(separator: "|")
            if !seen.insert(key).inserted { reader.refuse("practiceCode", "CV009", "the same row stands above") }
            rows.append(row)
        }
        violations = reader.violations
    }

    private mutating func row(_ reader: inout RowReader) -> VariationRow? {
        let practice = practice(&reader)
        let paycode = paycode(&reader)
        let narrative = reader.cell("narrative")
        if !(1...60).contains(narrative.count) {
            reader.refuse("narrative", "CV005", "a narrative of 1 to 60 characters is needed: the practice reads it")
        }
        let type = reader.cell("paymentType").uppercased()
        if type != "ONEOFF" && type != "MONTHLY" {
            reader.refuse("paymentType", "CV005", "\(reader.shown("paymentType")) is neither ONEOFF nor MONTHLY")
        }
        let amount = pence("amount", &reader, mayBeEmpty: false)
        if amount == 0 { reader.refuse("amount", "CV005", "an amount of nothing has no effect") }
        let first = month("firstPaymentMonth", &reader, mayBeEmpty: false)
        let last = month("lastPaymentMonth", &reader, mayBeEmpty: true)
        if let first, first < firstOpenMonth {
            reader.refuse("firstPaymentMonth", "CV006", "the run of \(first) is closed; \(firstOpenMonth) is open")
        }
        if let first, let last, last < first {
            reader.refuse("lastPaymentMonth", "CV006", "the last month lies before the first")
        }
        if type == "ONEOFF", last != nil {
            reader.refuse("lastPaymentMonth", "CV006", "a one-off payment has no last month")
        }
        checkTotal(type, amount, first, last, &reader)
        let named = named(paycode, isMonthly: type == "MONTHLY", first, last, &reader)
        if let paycode, let amount, !book.allows(amount, on: paycode.family) {
            let sign = book.entry(paycode.family)?.sign ?? ""
            reader.refuse(
                "amount", "CV015", "\(Money(pence: amount)) contradicts the sign of \(paycode.family.code), which is \(sign)")
        }
        if let practice, let paycode, let first {
            checkContract(practice, paycode, first, &reader)
        }
        guard let practice, let paycode, let amount, let first, amount != 0 else { return nil }
        let row = VariationRow(
            practice: practice, paycode: paycode.family, narrative: narrative, isMonthly: type == "MONTHLY",
            pence: amount, first: first, last: last, nppMonth: named.month, year: named.year)
        if amount < 0 { checkRecovery(row, &reader) }
        return row
    }

    /// A recovery says why, or names the line; it runs over at most twelve months, and all recoveries of a line together
    /// take back no more than it paid.
    private mutating func checkRecovery(_ row: VariationRow, _ reader: inout RowReader) {
        let months = row.monthCount
        if (months.map { $0 > RecoveryGrounds.mostMonths }) ?? true {
            reader.refuse(
                "lastPaymentMonth", "CV013", "a recovery runs over at most \(RecoveryGrounds.mostMonths) months")
        }
        switch row.grounds {
        case nil:
            reader.refuse(
                "narrative", "CV013", "a recovery begins with its reason, "
                    + RecoveryGrounds.reasons.map(\.name).joined(separator: ", ")
                    + ", or with the line that it recovers, as 2026-03-1/\(row.practice)/4")
        case .reason: break
        case .line(let line):
            guard line.practice == row.practice, let balance = balance(line) else {
                reader.refuse("narrative", "CV013", "no approved statement of \(row.practice) has that line")
                return
            }
            let above = taken[line, default: 0]
            let (all, overflow) = row.pence.multipliedReportingOverflow(by: Int64(months ?? 1))
            if overflow || -all > balance.left - above {
                let rest = Swift.max(0, balance.left - above)
                reader.refuse(
                    "amount", "CV014", "the line paid \(Money(pence: balance.paid)); \(Money(pence: rest)) is left")
            } else {
                taken[line] = above - all
            }
        }
    }

    private func practice(_ reader: inout RowReader) -> ODSCode? {
        guard let code = ODSCode(reader.cell("practiceCode")), code.looksLikePractice else {
            reader.refuse("practiceCode", "CV001", "\(reader.shown("practiceCode")) is no practice code")
            return nil
        }
        let written = YearMonth(iso8601: reader.cell("firstPaymentMonth"))
        let first = written.flatMap { (1990...2100).contains($0.year) ? $0 : nil }
        switch commissions(code, first ?? firstOpenMonth) {
        case nil: reader.refuse("practiceCode", "CV001", "there is no practice \(code)")
        case false?: reader.refuse("practiceCode", "CV002", "\(code) is not commissioned by you")
        case true?: return code
        }
        return nil
    }

    private struct WrittenPaycode {
        var family: Paycode
        /// G or A when it was written with the suffix of a contract type.
        var suffix: Character?
    }

    private func paycode(_ reader: inout RowReader) -> WrittenPaycode? {
        let text = reader.cell("paycode").uppercased()
        if let family = Paycode(code: text) {
            if !paycodes.kinds(family).isEmpty { return WrittenPaycode(family: family, suffix: nil) }
        } else if let suffix = text.last, "GA".contains(suffix), let family = Paycode(code: String(text.dropLast())),
            !paycodes.kinds(family).isEmpty
        {
            return WrittenPaycode(family: family, suffix: suffix)
        }
        reader.refuse("paycode", "CV003", "\(reader.shown("paycode")) is no active paycode for variations")
        return nil
    }

    private func checkContract(
        _ practice: ODSCode, _ paycode: WrittenPaycode, _ first: YearMonth, _ reader: inout RowReader
    ) {
        guard let kind = contract(practice, first) else {
            reader.refuse("practiceCode", "CV004", "\(practice) has no contract in \(first)")
            return
        }
        let suffixFits = paycode.suffix.map { ($0 == "A") == (kind == .apms) } ?? true
        if !paycodes.kinds(paycode.family).contains(kind) || !suffixFits {
            reader.refuse("paycode", "CV004", "\(reader.cell("paycode")) is not for a \(kind.name) contract")
        }
    }

    private func checkTotal(
        _ type: String, _ amount: Int64?, _ first: YearMonth?, _ last: YearMonth?, _ reader: inout RowReader
    ) {
        let total = pence("totalAmount", &reader, mayBeEmpty: true)
        guard let amount, let first else { return }
        let months: Int64? = type == "ONEOFF" ? 1 : last.map { Int64($0.index - first.index) + 1 }
        if let months {
            guard let total else {
                reader.refuse("totalAmount", "CV007", "a total is needed when the number of months is known")
                return
            }
            let (expected, overflow) = amount.multipliedReportingOverflow(by: months)
            if overflow || total != expected {
                reader.refuse(
                    "totalAmount", "CV007",
                    "the total is \(Money(pence: overflow ? 0 : expected)): \(Money(pence: amount)) x \(months)")
            }
        } else if total != nil {
            reader.refuse("totalAmount", "CV007", "without a last month there is no total")
        }
    }

    /// CV008: NPP and QOF rows say which month and year they pay for, others do not. A monthly payment is for its own
    /// months, which lie in the year named: what is for another year is paid once, or in rows of one month each.
    private func named(
        _ paycode: WrittenPaycode?, isMonthly: Bool, _ first: YearMonth?, _ last: YearMonth?, _ reader: inout RowReader
    ) -> (month: YearMonth?, year: FinancialYear?) {
        let isNPP = paycode?.family == .networkParticipation
        let isQOF = [.qofAchievement, .qofRecovery, .qofAspiration].contains(paycode?.family)
        let month = reader.cell("nppPaymentMonth")
        let year = reader.cell("nppQofFinancialYear")
        if isNPP != !month.isEmpty {
            reader.refuse("nppPaymentMonth", "CV008", isNPP ? "NPP rows name the month" : "only NPP rows name a month")
        } else if isNPP, YearMonth(iso8601: month) == nil {
            reader.refuse("nppPaymentMonth", "CV008", "\(reader.shown("nppPaymentMonth")) is no month YYYY-MM")
        }
        if (isNPP || isQOF) != !year.isEmpty {
            reader.refuse(
                "nppQofFinancialYear", "CV008",
                isNPP || isQOF ? "NPP and QOF rows name the year" : "only NPP and QOF rows name a year")
        } else if !year.isEmpty, FinancialYear(year) == nil {
            reader.refuse("nppQofFinancialYear", "CV008", "\(reader.shown("nppQofFinancialYear")) is no year YYYY/YY")
        }
        let named = (month: isNPP ? YearMonth(iso8601: month) : nil, year: FinancialYear(year))
        if let month = named.month, let year = named.year, FinancialYear(containing: month) != year {
            reader.refuse("nppPaymentMonth", "CV008", "\(month) does not lie in \(year)")
        }
        guard isMonthly, let first else { return named }
        if let month = named.month, month != first {
            reader.refuse("nppPaymentMonth", "CV008", "a monthly payment is for its own months, from \(first) on")
        } else if let year = named.year, FinancialYear(containing: last ?? first) != year
            || FinancialYear(containing: first) != year
        {
            reader.refuse(
                "nppQofFinancialYear", "CV008", "a monthly payment is for its own months, which lie in \(year)")
        }
        return named
    }

    private func month(_ name: String, _ reader: inout RowReader, mayBeEmpty: Bool) -> YearMonth? {
        let text = reader.cell(name)
        if text.isEmpty {
            if !mayBeEmpty { reader.refuse(name, "CV006", "a month YYYY-MM is needed") }
            return nil
        }
        guard let month = YearMonth(iso8601: text), (1990...2100).contains(month.year) else {
            reader.refuse(name, "CV006", "\(reader.shown(name)) is no month YYYY-MM")
            return nil
        }
        return month
    }

    private func pence(_ name: String, _ reader: inout RowReader, mayBeEmpty: Bool) -> Int64? {
        let text = reader.cell(name)
        if text.isEmpty, mayBeEmpty { return nil }
        guard let value = ExactDecimal(text, maximumScale: 2), let pence = value.scaled(to: 2),
            abs(pence) <= 10_000_000_000
        else {
            reader.refuse(name, "CV005", "\(reader.shown(name)) is no amount with at most 2 decimals")
            return nil
        }
        return pence
    }
}
