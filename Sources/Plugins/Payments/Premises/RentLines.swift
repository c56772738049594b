import PluginAPI

/// Notional rents: a twelfth of the year each month (RND-3), for the days on which a contract is in force and payments
/// are not stopped. A determination of an earlier day makes differences by itself.
struct RentLines: RecurringLines {
    private let book: RentBook
    private let rates: RateTable
    private let timelines: [ODSCode: ContractTimeline]

    init(_ book: RentBook, rates: RateTable, timelines: [ContractTimeline]) {
        self.book = book
        self.rates = rates
        let practices = book.practices
        self.timelines = Dictionary(
            timelines.lazy.filter { practices.contains($0.practice) }.map { ($0.practice, $0) },
            uniquingKeysWith: { first, _ in first })
    }

    func payees(in month: YearMonth) -> Set<ODSCode> {
        Set(timelines.keys.filter { book.of($0, .notional).contains { $0.from <= month.lastDay } })
    }

    func lines(for payee: ODSCode, in month: YearMonth) throws(PaymentsError) -> [PaymentLine] {
        let parts = parts(of: payee, in: month)
        guard !parts.isEmpty else { return [] }
        do throws(ArithmeticError) {
            var lines: [PaymentLine] = []
            for part in parts {
                let line = try line(part, of: payee, in: month)
                if line.pence != 0 { lines.append(line) }
            }
            return lines
        } catch {
            throw .amountOutOfRange(payee.value)
        }
    }

    /// The days of a month that one determination pays.
    private struct Part {
        var determination: RentDetermination
        var span: ContractSpan
        var from: CalendarDate
        var to: CalendarDate
        var days: Int
    }

    /// Rounded once for each determination, however often the contract's terms change in the month.
    private func parts(of payee: ODSCode, in month: YearMonth) -> [Part] {
        guard let timeline = timelines[payee], !book.of(payee, .notional).isEmpty else { return [] }
        var parts: [Part] = []
        for segment in timeline.segments(in: month) where !segment.span.terms.payment.isStopped {
            let last = segment.end.adding(days: -1)
            for piece in book.pieces(of: payee, .notional, from: segment.from, to: last) {
                guard let determination = piece.determination else { continue }
                let days = Int(piece.to.daysSince1970 - piece.from.daysSince1970) + 1
                if let index = parts.firstIndex(where: { $0.determination.id == determination.id }) {
                    parts[index].days += days
                    (parts[index].to, parts[index].span) = (piece.to, segment.span)
                } else {
                    parts.append(
                        Part(
                            determination: determination, span: segment.span, from: piece.from, to: piece.to,
                            days: days))
                }
            }
        }
        return parts
    }

    private func line(
        _ part: Part, of payee: ODSCode, in month: YearMonth
    ) throws(ArithmeticError) -> PaymentLine {
        let determination = part.determination
        let privateUse = PrivateUse(determination, rates, on: month.firstDay)
        let share = Share(days: part.days, of: month)
        var inputs = [
            Explanation.Input(
                "annual_rent", determination.annual.pounds, .pounds, from: determination.source,
                asOf: determination.from)
        ]
        if privateUse.hundredths > 0 {
            inputs.append(
                .init(
                    "private_use", privateUse.percent, .percent,
                    from: .init("rent " + determination.id, version: determination.version, note: privateUse.note),
                    asOf: determination.from))
            if let threshold = privateUse.threshold { inputs.append(threshold.input("threshold", .percent)) }
        }
        var steps: [Explanation.Step] = []
        if privateUse.isReducing {
            steps = [
                .init("private_part", .input(1), .percentage, .input(0)),
                .init("paid_a_year", .input(0), .subtract, .step(0)),
            ]
        }
        share.appendMonth(to: &steps, annual: steps.isEmpty ? .input(0) : .step(1))
        let annual = try privateUse.paid(of: determination.annual.pounds.rational)
        let pence = try Rounding.toPence(try share.month(of: annual)).pence
        return PaymentLine(
            paycode: .notionalRent, contractID: part.span.terms.contractID(of: payee),
            contractVersion: part.span.version, periodFrom: part.from, periodTo: part.to,
            quantity: privateUse.isReducing ? privateUse.paidPercent : ExactDecimal(1),
            rate: determination.annual.pounds,
            basis: share.basis(privateUse.isReducing ? "PERCENT_OF_NOTIONAL_RENT/12" : "NOTIONAL_RENT/12"),
            pence: pence, source: .recurring, month: month,
            explanation: Explanation(
                rule: "6.3 notional rent", ruleVersion: 1, inputs: inputs, steps: steps,
                rounding: "RND-2, RND-3", amount: Money(pence: pence)),
            origin: "rent/" + determination.id)
    }
}
