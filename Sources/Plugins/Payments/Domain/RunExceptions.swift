import PluginAPI

/// Something about a calculated run that a person must look at (payments.md 12.1). Numbers are stored.
struct RunException: Hashable, Sendable {
    enum Severity: Int64, Sendable {
        case warning = 1
        case blocking = 2
        case fatal = 3
    }

    enum Kind: Int64, CaseIterable, Sendable {
        case netChange = 1
        case netNegative = 2
        case noCorePayment = 3
        case noCapitation = 4
        case capitationCarried = 5
        case payeeClosed = 6
        case pendingReference = 7
        case duplicateLine = 8
        case controlTotal = 9
        case baselineOutOfBounds = 10
        /// Approved amounts wait because the contract says "do not pay".
        case itemsWithheld = 11
        /// An amount that is expected is not there: a training grant, an achievement, a global sum.
        case expectedMissing = 12
        /// A paycode's amount lies outside its bounds.
        case amountOutOfBounds = 13
        /// New bank details are used for the first time.
        case newBankDetails = 14
        /// What was deducted for a committee and what is paid over to it differ.
        case levyMismatch = 15
        /// A recurring payment is not made, because the practice has no contract in the month.
        case endedWithContract = 22
        /// The run would pay a practice whose contract was closed with its final statement.
        case contractClosed = 23
        /// A notional rent is paid by a determination and by a monthly variation.
        case rentPaidTwice = 134
        case rentReviewDue = 135
        /// A line's sign contradicts that of its paycode.
        case signContradicted = 136
    }

    var severity: Severity
    var kind: Kind
    var practice: ODSCode?
    var practiceName = ""
    var paycode = ""
    var message: String
    var beforePence: Int64 = 0
    var nowPence: Int64 = 0

    /// What makes it the same exception after a recalculation, so that an acceptance still holds.
    var fingerprint: String {
        [
            String(kind.rawValue), practice?.value ?? "", paycode, String(beforePence), String(nowPence),
            message,
        ]
        .joined(separator: "|")
    }
}

/// What the register of organisations says of a payee.
enum PayeeStanding: Hashable, Sendable {
    case open
    /// Last day on which it was open.
    case closed(after: CalendarDate)
    case unknown
}

/// Finds the exceptions of one practice.
struct ExceptionRules: Sendable {
    let month: YearMonth
    /// Bounds of the change of net: millionths of a percent, and pence.
    let changePercentMillionths: Int64
    let changePence: Int64

    init(month: YearMonth, rates: RateTable) throws(PaymentsError) {
        self.month = month
        changePercentMillionths = try rates.rate(.netChangePercent, at: month.firstDay).millionths
        changePence = try rates.rate(.netChangeAmount, at: month.firstDay).millionths / 10_000
    }

    func remarks(_ result: PracticeMonth, _ timeline: ContractTimeline, _ lastNet: Int64) -> [RunException] {
        let name = result.span?.terms.practiceName ?? ""
        return result.remarks.map { remark in
            let (severity, kind, text): (RunException.Severity, RunException.Kind, String) =
                switch remark {
                case .noCapitation(let quarter):
                    (
                        .blocking, .noCapitation,
                        "no lists for the quarter of \(quarter): nothing can be calculated"
                    )
                case .capitationCarried(let quarter):
                    (
                        .warning, .capitationCarried,
                        "no lists for the quarter of \(quarter) yet: paid on the last quarter's (payments.md 4)"
                    )
                case .noCorePayment:
                    (.blocking, .noCorePayment, "a contract is in force and no core payment comes out of it")
                case .baselineOutOfBounds(let pence):
                    (
                        .warning, .baselineOutOfBounds,
                        "the baseline is \(Money(pence: pence)) pounds a year for each weighted patient"
                    )
                }
            return RunException(
                severity: severity, kind: kind, practice: timeline.practice, practiceName: name,
                message: text,
                beforePence: lastNet)
        }
    }

    /// Approved amounts that a stopped contract keeps back.
    func withheld(_ items: [DueItem], _ timeline: ContractTimeline, name: String) -> RunException {
        let pence = items.reduce(into: Int64(0)) { $0 &+= $1.line.pence }
        return RunException(
            severity: .warning, kind: .itemsWithheld, practice: timeline.practice, practiceName: name,
            message: "payments are stopped: \(items.count) approved amounts of \(Money(pence: pence)) wait",
            nowPence: pence)
    }

    /// Change of net against the last run: more than the percentage or more than the amount.
    func netChange(
        _ timeline: ContractTimeline, name: String, before: Int64, now: Int64, lastRunID: String
    ) -> RunException? {
        let change = Int128(now) - Int128(before)
        let size = change < 0 ? -change : change
        let base = before < 0 ? -Int128(before) : Int128(before)
        let isOverPercent = size * 100 * 1_000_000 > base * Int128(changePercentMillionths)
        guard size > Int128(changePence) || isOverPercent else { return nil }
        var text = "net \(Money(pence: now)) after \(Money(pence: before)) in run \(lastRunID)"
        if base > 0, let permille = try? Rounding.percentTenths(of: change, base) {
            text += " (\(permille) %)"
        }
        if let reason = contractReason(timeline) { text += "; " + reason }
        return RunException(
            severity: .blocking, kind: .netChange, practice: timeline.practice, practiceName: name,
            message: text,
            beforePence: before, nowPence: now)
    }

    /// A start or end of the contract near the month, which explains a change without excusing it.
    private func contractReason(_ timeline: ContractTimeline) -> String? {
        let window = month.adding(months: -1)
        for span in timeline.spans {
            if let end = span.to, end > window.firstDay, end <= month.lastDay,
                timeline.span(at: end) == nil
            {
                return "the contract ended on \(end.adding(days: -1))"
            }
            if span.from > window.firstDay, span.from <= month.lastDay,
                timeline.span(at: span.from.adding(days: -1)) == nil
            {
                return "the contract began on \(span.from)"
            }
        }
        return nil
    }

    func standing(_ standing: PayeeStanding, _ document: StatementDocument) -> RunException? {
        let pence = document.lines.reduce(into: Int64(0)) { $0 &+= $1.pence }
        switch standing {
        case .open:
            return nil
        case .unknown:
            return RunException(
                severity: .warning, kind: .pendingReference, practice: document.practice,
                practiceName: document.practiceName,
                message: "the register of organisations does not know \(document.payee)", nowPence: pence)
        case .closed(let day):
            return closed(document.payee, on: day, document)
        }
    }

    /// What somebody is paid for days after their closing: monthly lines that go beyond it, items and differences that
    /// begin after it. What trails from before is due, and what is taken back may be taken back.
    func closed(_ organisation: ODSCode, on day: CalendarDate, _ document: StatementDocument) -> RunException? {
        let paidTo = document.lines.lazy.filter { line in
            guard line.pence > 0 else { return false }
            return switch line.source {
            case .contract, .recurring: line.periodTo > day
            // A returned payment stands beside the one that is made instead, and comes to nothing.
            case .item: line.periodFrom > day && line.paycode != .returnedPayment
            case .retro: line.periodFrom > day
            case .balance: false
            }
        }.map(\.periodTo).max()
        guard let paidTo else { return nil }
        return RunException(
            severity: .blocking, kind: .payeeClosed, practice: document.practice,
            practiceName: document.practiceName,
            message: "\(organisation) closed on \(day) and would be paid to \(paidTo)",
            nowPence: document.lines.reduce(into: Int64(0)) { $0 &+= $1.pence })
    }
}

extension Rounding {
    /// Percentage with one decimal, for people.
    static func percentTenths(of part: Int128, _ base: Int128) throws(ArithmeticError) -> ExactDecimal {
        let (tenths, overflow) = part.multipliedReportingOverflow(by: 1000)
        if overflow { throw .overflow }
        return ExactDecimal(mantissa: try Rounding.quotient(tenths, base), scale: 1)
    }
}
