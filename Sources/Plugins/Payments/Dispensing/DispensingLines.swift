import PluginAPI

/// Dispensing and personally administered drugs, paid so many months in arrears. A file that corrects a month already
/// paid makes difference lines by itself.
struct DispensingLines: RecurringLines {
    private let rules: DispensingRules
    /// By month of payment.
    private var byMonth: [YearMonth: [ODSCode: [DispensingData]]] = [:]

    init(_ data: [DispensingData], bands: DispensingBands, rates: RateTable) throws(PaymentsError) {
        rules = DispensingRules(bands: bands, rates: rates)
        let arrears = Arrears(rates: rates, name: .dispensingArrearsMonths)
        var paidIn: [YearMonth: YearMonth] = [:]
        for row in data {
            let month =
                if let known = paidIn[row.month] { known } else { try arrears.paymentMonth(of: row.month) }
            paidIn[row.month] = month
            byMonth[month, default: [:]][row.practice, default: []].append(row)
        }
    }

    func payees(in month: YearMonth) -> Set<ODSCode> { Set(byMonth[month].map { Array($0.keys) } ?? []) }

    func lines(for payee: ODSCode, in month: YearMonth) throws(PaymentsError) -> [PaymentLine] {
        var lines: [PaymentLine] = []
        for data in byMonth[month]?[payee] ?? [] { lines += try rules.lines(data, paidIn: month) }
        return lines
    }
}
