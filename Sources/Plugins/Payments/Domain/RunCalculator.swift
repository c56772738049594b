import Digests
import PluginAPI

/// Everything recorded that a run's lines follow from.
struct CalculationInputs: Sendable {
    /// By practice code.
    var timelines: [ContractTimeline]
    var lists: ListTable
    var rates: RateTable
    var paycodes: PaycodeBook
    /// Everything but contracts that is calculated anew for each month.
    var recurring: [any RecurringLines] = []
    /// Amounts approved once and not yet paid, by payee.
    var items: [ODSCode: [DueItem]] = [:]
    var withholdings = Withholdings()
}

/// An approved amount that a run is to pay.
struct DueItem: Hashable, Sendable {
    var itemID: String
    /// With `source` `.item`.
    var line: PaymentLine
}

/// The run for which lines are built.
struct RunFacts: Hashable, Sendable {
    var runID: String
    var month: YearMonth
    var paymentDate: CalendarDate
}

/// A statement ready to be stored.
struct BuiltStatement: Sendable {
    var practice: ODSCode
    var practiceName: String
    /// Who receives the money.
    var payee: ODSCode
    var kind: ContractKind?
    var commissioner: String
    var region: String
    var figures: RunFigures
    /// Empty once it is stored.
    var body: [UInt8]
    var sha256: [UInt8]
}

/// A trainer grant on a statement.
struct PaidGrant: Hashable, Sendable {
    /// Of the placement.
    var origin: String
    var month: CalendarDate
}

/// A calculated run.
struct BuiltRun: Sendable {
    var statements: [BuiltStatement] = []
    var totals = RunTotals()
    var ledger: [UInt8] = []
    var exceptions: [RunException] = []
    /// Items that the run pays.
    var itemIDs: [String] = []
    /// Trainer grants that the run pays.
    var trainerGrants: Set<PaidGrant> = []
    var againstSign: [AgainstSign] = []
    /// Over the hashes of all statements, by practice code.
    var sha256: [UInt8] = []

    /// Name on the statement of a practice or other payee; `nil` = the run makes it none. Statements are in the order of
    /// their codes.
    func name(of practice: ODSCode) -> String? {
        var (low, high) = (statements.startIndex, statements.endIndex)
        while low < high {
            let middle = low + (high - low) / 2
            if statements[middle].practice < practice { low = middle + 1 } else { high = middle }
        }
        guard low < statements.endIndex, statements[low].practice == practice else { return nil }
        return statements[low].practiceName
    }
}

/// Builds all lines of a run: month, differences of past months, balances, year to date, statements, exceptions. Pure:
/// the same inputs give the same bytes.
struct RunCalculator: Sendable {
    let run: RunFacts
    let inputs: CalculationInputs
    let history: PaidHistory
    /// Past months, already paid, to be looked at again.
    let affectedMonths: [YearMonth]
    let standing: @Sendable (ODSCode) -> PayeeStanding
    /// Head of a statement for somebody without a contract; `nil` = the register does not know the code.
    var profile: @Sendable (ODSCode) -> PayeeProfile? = { _ in nil }

    func build() throws(PaymentsError) -> BuiltRun {
        var course = try begin()
        try add(course.timelines[...], to: &course)
        return try finish(course)
    }

    /// A calculation under way: everybody to be looked at, what is built so far, and what building needs throughout.
    struct Course {
        /// In the order of statements.
        let timelines: [ContractTimeline]
        fileprivate(set) var built = BuiltRun()
        fileprivate let current: MonthCalculator
        fileprivate let retro: RetroLines
        fileprivate let rules: ExceptionRules
        fileprivate let descriptions: [Paycode: String]
        fileprivate var chain = Digest.Running()
        fileprivate var accounts: [RunLedger.Account] = []

        /// Built since `takeStatements` was asked last.
        fileprivate var fresh: [BuiltStatement] = []

        /// The statements built since it was asked last. Of these the course itself keeps no bodies.
        mutating func takeStatements() -> [BuiltStatement] {
            let taken = fresh
            fresh.removeAll()
            for var statement in taken {
                statement.body = []
                built.statements.append(statement)
            }
            return taken
        }
    }

    func begin() throws(PaymentsError) -> Course {
        let (current, retro) = calculators()
        let descriptions = Dictionary(
            uniqueKeysWithValues: Paycode.allCases.map { ($0, inputs.paycodes.description(of: $0)) })
        return Course(
            timelines: allTimelines(), current: current, retro: retro,
            rules: try ExceptionRules(month: run.month, rates: inputs.rates), descriptions: descriptions)
    }

    /// Builds the statements of the next practices and payees, in the order of `Course.timelines`.
    func add(_ timelines: ArraySlice<ContractTimeline>, to course: inout Course) throws(PaymentsError) {
        let (rules, retro) = (course.rules, course.retro)
        for timeline in timelines {
            let month = try course.current.calculate(timeline)
            let items = month.isStopped ? [] : inputs.items[timeline.practice] ?? []
            let lines = try lines(of: month, timeline, retro, items)
            course.built.itemIDs += items.map(\.itemID)
            let lastNet = history.lastNet(timeline.practice)
            course.built.exceptions += rules.remarks(month, timeline, lastNet ?? 0)
            if month.isStopped, let waiting = inputs.items[timeline.practice], !waiting.isEmpty {
                course.built.exceptions.append(rules.withheld(waiting, timeline, name: name(month, timeline)))
            }
            var net: Int64 = 0
            if !lines.isEmpty {
                let document = document(month, timeline, lines, course.descriptions)
                let figures = try course.built.totals.add(document)
                net = figures.netPence
                course.built.exceptions += exceptions(document, rules)
                course.built.againstSign += document.against(signsOf: inputs.paycodes)
                let body = document.encode()
                let hash = Digest.sha256(body)
                course.chain.add(hash)
                course.accounts.append(account(timeline.practice, lines))
                for line in lines where line.paycode == .trainerGrant {
                    course.built.trainerGrants.insert(PaidGrant(origin: line.origin, month: line.periodFrom))
                }
                course.fresh.append(
                    BuiltStatement(
                        practice: timeline.practice, practiceName: document.practiceName, payee: document.payee,
                        kind: document.kind,
                        commissioner: document.commissioner, region: document.region, figures: figures,
                        body: body,
                        sha256: hash))
            }
            let isInEither = !lines.isEmpty || lastNet != nil
            if let lastRunID = history.lastRunID, isInEither,
                let change = rules.netChange(
                    timeline, name: name(month, timeline), before: lastNet ?? 0, now: net,
                    lastRunID: lastRunID)
            {
                course.built.exceptions.append(change)
            }
        }
    }

    func finish(_ course: Course) throws(PaymentsError) -> BuiltRun {
        var (built, chain) = (course.built, course.chain)
        built.statements += course.fresh
        built.sha256 = chain.finish()
        built.ledger = RunLedger.encode(course.accounts)
        if let fault = try controlTotals(built) { built.exceptions.append(fault) }
        return built
    }

    private func calculators() -> (current: MonthCalculator, retro: RetroLines) {
        (
            MonthCalculator(month: run.month, lists: inputs.lists, rates: inputs.rates),
            RetroLines(
                calculators: affectedMonths.map {
                    MonthCalculator(month: $0, lists: inputs.lists, rates: inputs.rates)
                }, recurring: inputs.recurring)
        )
    }

    /// What the run would pay one practice.
    func lines(of practice: ODSCode) throws(PaymentsError) -> [PaymentLine] {
        let timeline =
            inputs.timelines.first { $0.practice == practice } ?? ContractTimeline(practice: practice, records: [])
        let (current, retro) = calculators()
        let month = try current.calculate(timeline)
        return try lines(of: month, timeline, retro, month.isStopped ? [] : inputs.items[practice] ?? [])
    }

    /// Practices with a contract, and those without one (any more) to whom something was paid.
    private func allTimelines() -> [ContractTimeline] {
        let known = Set(inputs.timelines.map(\.practice))
        var others = history.practices.union(inputs.items.keys)
        for source in inputs.recurring { others.formUnion(source.payees(in: run.month)) }
        others.formUnion(inputs.withholdings.payees)
        others.subtract(known)
        guard !others.isEmpty else { return inputs.timelines }
        let added = others.map { ContractTimeline(practice: $0, records: []) }
        return (inputs.timelines + added).sorted { $0.practice < $1.practice }
    }

    private func lines(
        of month: PracticeMonth, _ timeline: ContractTimeline, _ retro: RetroLines, _ items: [DueItem]
    ) throws(PaymentsError) -> [PaymentLine] {
        var lines = month.lines
        if !month.isStopped {
            for source in inputs.recurring {
                lines += try source.lines(for: timeline.practice, in: run.month)
            }
        }
        lines += items.map(\.line)
        try retro.append(for: timeline, history: history, to: &lines)
        try inputs.withholdings.append(
            for: timeline.practice, in: run.month, isStopped: month.isStopped, to: &lines)
        let carried = history.carried(timeline.practice)
        guard !lines.isEmpty || carried > 0 else { return [] }
        let head = head(month, timeline)
        var yearToDate = history.yearToDate(timeline.practice)
        do throws(ArithmeticError) {
            try BalanceLines.append(
                carried: carried, lastRunID: history.lastRunID,
                contractID: head?.terms.contractID(of: timeline.practice) ?? lines.first?.contractID ?? "",
                contractVersion: head?.version ?? 0, month: run.month, to: &lines)
            for index in lines.indices {
                let slot = Int(lines[index].paycode.rawValue)
                yearToDate[slot] = try Money(pence: yearToDate[slot]).adding(Money(pence: lines[index].pence))
                    .pence
                lines[index].yearToDatePence = yearToDate[slot]
            }
        } catch {
            throw .amountOutOfRange(timeline.practice.value)
        }
        return lines
    }

    /// The span that heads the statement: that of the month, or the last one before it.
    private func head(_ month: PracticeMonth, _ timeline: ContractTimeline) -> ContractSpan? {
        month.span ?? timeline.spans.last { $0.from <= run.month.lastDay } ?? timeline.spans.first
    }

    /// What comes after the end of the contract goes to whom its end names.
    private func payee(_ month: PracticeMonth, _ head: ContractSpan?, _ timeline: ContractTimeline) -> ODSCode? {
        guard let head else { return nil }
        let hasEnded = month.span == nil && head.to.map { $0 <= run.month.lastDay } == true
        return hasEnded ? timeline.trailingPayee(of: head) : head.terms.payee
    }

    private func name(_ month: PracticeMonth, _ timeline: ContractTimeline) -> String {
        head(month, timeline)?.terms.practiceName ?? profile(timeline.practice)?.name ?? timeline.practice.value
    }

    private func document(
        _ month: PracticeMonth, _ timeline: ContractTimeline, _ lines: [PaymentLine],
        _ descriptions: [Paycode: String]
    ) -> StatementDocument {
        let head = head(month, timeline)
        let profile = head == nil ? profile(timeline.practice) : nil
        let payeeKind = profile?.kind ?? .practice
        let kind: ContractKind? =
            payeeKind == .practice ? head?.terms.payment.kind ?? lines.first?.paycode.contractKind ?? .gms : nil
        let capitation = month.lists.map {
            StatementDocument.Capitation(
                quarterDay: (month.quarter ?? Quarter(containing: run.month)).quarterDay, lists: $0)
        }
        return StatementDocument(
            runID: run.runID, month: run.month, paymentDate: run.paymentDate, practice: timeline.practice,
            practiceName: head?.terms.practiceName ?? profile?.name ?? timeline.practice.value,
            payee: payee(month, head, timeline) ?? profile?.payee ?? timeline.practice,
            contractID: head?.terms.contractID(of: timeline.practice) ?? lines.first?.contractID ?? "",
            kind: kind, payeeKind: payeeKind,
            commissioner: head?.terms.commissioner ?? profile?.commissioner ?? "",
            region: head?.terms.region ?? profile?.region ?? "",
            capitation: capitation,
            lines: lines, descriptions: descriptions)
    }

    private func account(_ practice: ODSCode, _ lines: [PaymentLine]) -> RunLedger.Account {
        RunLedger.Account(
            practice: practice,
            entries: lines.map { RunLedger.Entry(paycode: $0.paycode, month: $0.month, pence: $0.pence, source: $0.source) })
    }

    private func exceptions(_ document: StatementDocument, _ rules: ExceptionRules) -> [RunException] {
        var found: [RunException] = []
        var keys: Set<PaymentLine.NaturalKey> = []
        for line in document.lines where !keys.insert(line.naturalKey).inserted {
            found.append(
                RunException(
                    severity: .fatal, kind: .duplicateLine, practice: document.practice,
                    practiceName: document.practiceName, paycode: line.paycode.code,
                    message: "two lines for \(line.periodFrom) to \(line.periodTo)", nowPence: line.pence))
        }
        if let carried = document.lines.last(where: { $0.paycode == .balanceForward && $0.pence > 0 }) {
            found.append(
                RunException(
                    severity: .warning, kind: .netNegative, practice: document.practice,
                    practiceName: document.practiceName, paycode: carried.paycode.code,
                    message:
                        "net below zero: \(Money(pence: carried.pence)) carried forward; tell the commissioner",
                    nowPence: -carried.pence))
        }
        if let exception = rules.standing(standing(document.payee), document) { found.append(exception) }
        // Whoever is paid for it, an organisation that closed earns nothing afterwards.
        if document.payee != document.practice, case .closed(let day) = standing(document.practice),
            let exception = rules.closed(document.practice, on: day, document)
        {
            found.append(exception)
        }
        return found
    }

    /// Adds everything up again from what will be stored: ledger, statements and dimensions must agree.
    private func controlTotals(_ built: BuiltRun) throws(PaymentsError) -> RunException? {
        var ledgerNet = Int128(0)
        var lines: Int64 = 0
        for account in try RunLedger.decode(built.ledger) {
            for entry in account.entries {
                ledgerNet += Int128(entry.pence)
                lines += 1
            }
        }
        let statementNet = built.statements.reduce(Int128(0)) { $0 + Int128($1.figures.netPence) }
        let all = built.totals.all
        let isSame =
            ledgerNet == Int128(all.netPence) && statementNet == ledgerNet && lines == all.lines
            && Int64(built.statements.count) == all.statements
        if isSame, try built.totals.agree() { return nil }
        return RunException(
            severity: .fatal, kind: .controlTotal,
            message: "lines, statements and totals do not add up alike",
            nowPence: all.netPence)
    }
}
