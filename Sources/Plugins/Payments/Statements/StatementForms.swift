import CommonContract
import Digests
import PaymentsContract
import PluginAPI
import SwiftProtobuf

extension StatementHandlers {
    /// Whether the caller reads as a member practice of the network that the statement is for: totals by paycode,
    /// neither bank account nor sources (payments.md 8.3).
    func readsAsMember(_ payee: ODSCode, _ call: CallContext) -> Bool {
        guard let own = ODSCode(call.caller.actingFor), own != payee else { return false }
        return context.organisations.pcn(of: own, at: call.today) == payee
    }

    /// A statement's lines as they are shown, expanded or one a paycode.
    func shownLines(
        _ document: StatementDocument, collapsed: Bool, _ reader: any Reader
    ) throws -> [Pcs_Payments_V1_StatementLine] {
        try refusing {
            let onPeriods = try YearOnPeriods.sums(
                of: document, earlier: try YearOnPeriods.earlier(document, reader))
            let lines = document.lineMessages(onPeriods: onPeriods)
            return collapsed ? try document.collapsed(lines) : lines
        }
    }
}

/// Year to date on the period basis: what was paid for months of the line's own financial year, whenever it was paid.
/// The cash basis counts what was paid in the year, for whichever months; both are published (payments.md 11).
enum YearOnPeriods {
    private struct Key: Hashable {
        var paycode: Paycode
        var year: FinancialYear
    }

    /// Published statements that can hold lines for the years of this one's lines. Claims may be paid some months
    /// ahead.
    static func earlier(_ document: StatementDocument, _ reader: any Reader) throws -> [StatementDocument] {
        let first =
            document.lines.map { FinancialYear(containing: $0.month).firstMonth }.min() ?? document.month
        return try StatementStore.published(
            of: document.practice, from: first.adding(months: -12), before: document.runID, reader)
    }

    /// For each line of the statement, up to and with it.
    static func sums(
        of document: StatementDocument, earlier: [StatementDocument]
    ) throws(ArithmeticError) -> [Int64] {
        var sums: [Key: Money] = [:]
        func add(_ line: PaymentLine) throws(ArithmeticError) -> Int64 {
            let key = Key(paycode: line.paycode, year: FinancialYear(containing: line.month))
            let sum = try (sums[key] ?? .zero).adding(Money(pence: line.pence))
            sums[key] = sum
            return sum.pence
        }
        for document in earlier { for line in document.lines { _ = try add(line) } }
        var found: [Int64] = []
        for line in document.lines { found.append(try add(line)) }
        return found
    }
}

extension StatementDocument {
    func lineMessages(onPeriods: [Int64]) -> [Pcs_Payments_V1_StatementLine] {
        lines.enumerated().map { index, line in
            .with {
                $0.lineNumber = Int32(clamping: index + 1)
                $0.paycode = line.paycode.code
                $0.description_p = descriptions[line.paycode] ?? line.paycode.code
                $0.periodFrom = Pcs_Common_V1_Date(line.periodFrom)
                $0.periodTo = Pcs_Common_V1_Date(line.periodTo)
                $0.quantity = line.quantity.description
                $0.rate = line.rate.description
                $0.basis = line.basis
                $0.amountPence = line.pence
                $0.yearToDatePence = line.yearToDatePence
                $0.yearToDatePeriodPence = onPeriods[index]
                $0.isRetro = line.source == .retro
                if line.source == .retro { $0.originalMonth = Pcs_Common_V1_Month(line.month) }
                $0.sourceType = line.source.name
                $0.sourceReference = line.sourceReference
                $0.lineID = lineID(index + 1)
                $0.displayedCode = line.paycode.displayedCode(kind)
            }
        }
    }

    /// Names a line for good: a statement never changes.
    func lineID(_ number: Int) -> String { statementID + "#" + String(number) }

    /// One line a paycode (payments.md 11, "collapsed"); what differs among its lines is left out.
    func collapsed(_ messages: [Pcs_Payments_V1_StatementLine]) throws -> [Pcs_Payments_V1_StatementLine] {
        var result: [Pcs_Payments_V1_StatementLine] = []
        for paycode in Paycode.allCases {
            let found = lines.indices.filter { lines[$0].paycode == paycode }
            guard let last = found.last else { continue }
            guard found.count > 1 else {
                result.append(messages[last])
                continue
            }
            var line = messages[last]
            line.amountPence = try Money.sum(found.map { Money(pence: lines[$0].pence) }).pence
            line.quantity = "1"
            line.rate = Money(pence: line.amountPence).description
            line.basis = "SUM_OF_\(found.count)_LINES"
            line.lineNumber = 0
            line.lineID = ""
            line.isRetro = found.allSatisfy { lines[$0].source == .retro }
            line.clearOriginalMonth()
            // Of the own month's year, when lines for several years stand together.
            line.yearToDatePeriodPence =
                found.last { FinancialYear(containing: lines[$0].month) == FinancialYear(containing: month) }
                .map { messages[$0].yearToDatePeriodPence } ?? line.yearToDatePeriodPence
            line.periodFrom = Pcs_Common_V1_Date(found.map { lines[$0].periodFrom }.min() ?? month.firstDay)
            line.periodTo = Pcs_Common_V1_Date(found.map { lines[$0].periodTo }.max() ?? month.lastDay)
            if Set(found.map { lines[$0].source }).count > 1 { line.sourceType = "" }
            if Set(found.map { lines[$0].sourceReference }).count > 1 { line.sourceReference = "" }
            result.append(line)
        }
        return result
    }

    /// Pounds a year for each patient on which the core payment stands.
    var price: ExactDecimal? {
        lines.first {
            [.globalSum, .pmsBaseline, .apmsBaseline].contains($0.paycode) && $0.source == .contract
        }?
        .explanation.inputs.first { $0.name == "price" || $0.name == "baseline_price" }?.value
    }

    /// Weighted patients for each registered one.
    var weightingIndex: ExactDecimal? {
        guard let lists = capitation?.lists, lists.registered > 0,
            let index = try? Rounding.quotient(
                Int128(lists.weightedHundredths) * 100, Int128(lists.registered))
        else { return nil }
        return ExactDecimal(mantissa: index, scale: 4)
    }
}

extension Pcs_Payments_V1_Statement {
    /// Without lines.
    init(_ head: StatementStore.Head, _ run: RunRecord) {
        self.init(head.document, head.sha256, run)
        (grossPence, deductionsPence) = (head.grossPence, head.deductionsPence)
        netPence = grossPence + deductionsPence
    }

    init(
        _ stored: StatementStore.Stored, _ run: RunRecord, lines: [Pcs_Payments_V1_StatementLine],
        _ footer: StatementFooter, forMember: Bool
    ) {
        self.init(stored.document, stored.sha256, run)
        self.lines = lines
        for line in stored.document.lines {
            if line.pence > 0 { grossPence += line.pence } else { deductionsPence += line.pence }
        }
        netPence = grossPence + deductionsPence
        carriedForwardPence = footer.carriedForwardPence
        price = stored.document.price?.description ?? ""
        weightingIndex = stored.document.weightingIndex?.description ?? ""
        if forMember {
            for index in self.lines.indices { self.lines[index].sourceReference = "" }
        } else {
            (bankAccountLastFour, bankReference) = (footer.accountLastFour, footer.bankReference)
            paymentSteps = footer.steps.map { step in
                .with {
                    ($0.step, $0.detail, $0.pence) = (step.words, step.detail, step.pence)
                    $0.recordedOn = Pcs_Common_V1_Date(step.day)
                }
            }
        }
    }

    private init(_ document: StatementDocument, _ hash: [UInt8], _ run: RunRecord) {
        self.init()
        statementID = document.statementID
        runID = run.id
        month = Pcs_Common_V1_Month(document.month)
        published = run.state.isPublished
        practiceCode = document.practice.value
        practiceName = document.practiceName
        payeeCode = document.payee.value
        contractID = document.contractID
        contractType = document.kind.map { Pcs_Payments_V1_ContractType($0) } ?? .unspecified
        payeeKind = Pcs_Payments_V1_PayeeKind(rawValue: Int(document.payeeKind.rawValue)) ?? .unspecified
        commissionerCode = document.commissioner
        regionCode = document.region
        paymentDate = Pcs_Common_V1_Date(document.paymentDate)
        if let capitation = document.capitation {
            quarterDay = Pcs_Common_V1_Date(capitation.quarterDay)
            registeredPatients = capitation.lists.registered
            weightedPatientsHundredths = capitation.lists.weightedHundredths
            londonPatients = capitation.lists.london
        }
        sha256 = Digest.hex(hash)
        if let at = run.publishedAt { publishedAt = Google_Protobuf_Timestamp(at) }
    }
}

/// What stands below a statement's lines and is not part of it: how it was paid (payments.md 11).
struct StatementFooter: Hashable, Sendable {
    /// Empty while no file pays the run.
    var accountLastFour = ""
    var bankReference = ""
    /// Day on which the file pays; `nil` while none does.
    var paidOn: CalendarDate?
    /// Why no account and reference are named; empty when they are.
    var gap = ""
    /// Debt that goes on to the next statement.
    var carriedForwardPence: Int64 = 0
    /// What became of the payment since (payments.md 12.7).
    var steps: [Step] = []

    struct Step: Hashable, Sendable {
        var day: CalendarDate
        /// "returned", "reissued" or "paid".
        var words: String
        var detail: String
        var pence: Int64
    }

    init(_ document: StatementDocument, _ run: RunRecord, _ reader: any Reader) throws {
        for line in document.lines where line.paycode == .balanceForward && line.pence > 0 {
            carriedForwardPence += line.pence
        }
        guard let payment = try PaymentFileStore.payment(of: document.payee, inRun: run.id, reader) else {
            let net = document.lines.reduce(into: Int64(0)) { $0 &+= $1.pence }
            gap = net > 0 ? "not in a payment file yet" : "nothing to pay"
            return
        }
        steps = try StatementFooter.steps(of: payment, reader)
        guard payment.state == .inFile, let change = try BankDetailsStore.change(payment.changeID, reader) else {
            gap = payment.timesReturned > 0 ? "returned by the bank" : "held: no bank details"
            return
        }
        accountLastFour = change.account.lastFour
        bankReference = payment.reference
        paidOn = try PaymentFileStore.file(payment.fileID, reader)?.paymentDate
    }

    private static func steps(of payment: PaymentFileStore.Payment, _ reader: any Reader) throws -> [Step] {
        var steps: [Step] = []
        for taken in try PaymentFileStore.steps(of: payment.id, reader) {
            switch taken.step {
            case "returned":
                // Stored as "code B, file 01J...".
                let code = ReturnCode(rawValue: String(taken.detail.dropFirst("code ".count).prefix(1)))
                steps.append(
                    Step(day: taken.day, words: "returned", detail: code?.words ?? taken.detail, pence: payment.pence))
            case "reissued", "moved":
                let file = taken.detail.split(separator: " ").last.flatMap { String($0) } ?? ""
                let day = try PaymentFileStore.file(file, reader)?.paymentDate
                let isAgain = steps.contains { $0.words == "returned" }
                steps.append(
                    Step(
                        day: taken.day, words: isAgain ? "reissued" : "paid",
                        detail: day.map { "for \($0)" } ?? "", pence: payment.pence))
            default: break
            }
        }
        return steps
    }
}
