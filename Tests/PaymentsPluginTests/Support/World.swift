import Accounting
import PluginAPI
import Testing

@testable import PaymentsPlugin

func day(_ text: String) throws -> CalendarDate { try #require(CalendarDate(iso8601: text), "\(text)") }
func month(_ text: String) throws -> YearMonth { try #require(YearMonth(iso8601: text), "\(text)") }
func practice(_ text: String) throws -> ODSCode { try #require(ODSCode(text), "\(text)") }
func pence(_ text: String) throws -> Int64 { try #require(Money(text), "\(text)").pence }

/// Contracts, lists and rates in memory, and the runs approved so far: the domain without store, clock and host.
struct World {
    var records: [ODSCode: [ContractRecord]] = [:]
    var lists = ListTable()
    var rates: [RateRow]
    var approved: [PaidHistory.Run] = []
    private var version: Int64 = 0

    /// With the shipped reference data.
    init() throws {
        let read = RateFile.read(PackageResources.rates_csv)
        try #require(read.violations.isEmpty)
        rates = read.rows.map { row in
            var row = row
            row.version = 1
            return row
        }
    }

    mutating func nextVersion() -> Int64 {
        version += 1
        return version
    }

    @discardableResult
    mutating func contract(
        _ code: String, from: String, to: String? = nil, _ payment: PaymentTerms, payee: String? = nil
    ) throws -> ODSCode {
        let practice = try practice(code)
        let terms = ContractTerms(
            payment: payment, practiceName: "Practice \(code)", commissioner: "16C", region: "Y63",
            payee: try payee.map { try PaymentsPluginTests.practice($0) } ?? practice)
        records[practice, default: []].append(
            ContractRecord(
                version: nextVersion(), from: try day(from), to: try to.map { try day($0) }, terms: terms))
        return practice
    }

    /// - Parameter weighted: with two decimals, as published.
    mutating func list(
        _ code: String, quarter: String, weighted: String, registered: Int64 = 0, london: Int64 = 0
    ) throws {
        let hundredths = try #require(ExactDecimal(weighted)?.scaled(to: 2))
        let quarter = try #require(Quarter(quarterDay: try day(quarter)))
        lists.set(
            PatientLists(
                registered: registered, weightedHundredths: hundredths, london: london, version: nextVersion()
            ),
            of: try practice(code), in: quarter)
    }

    mutating func rate(_ name: RateName, _ value: String?, from: String, to: String) throws {
        rates.append(
            RateRow(
                name: name, from: try day(from), to: try day(to), value: value.flatMap { ExactDecimal($0) },
                grade: "P", source: "test", note: "", version: nextVersion()))
    }

    var inputs: CalculationInputs {
        CalculationInputs(
            timelines: records.map { ContractTimeline(practice: $0.key, records: $0.value) }
                .sorted { $0.practice < $1.practice },
            lists: lists, rates: RateTable(rates),
            paycodes: PaycodeBook(PaycodeFile.read(PackageResources.paycodes_csv).rows))
    }

    /// The lines due to one practice for one month.
    func lines(_ code: String, _ text: String) throws -> [PaymentLine] { try due(code, text).lines }

    func due(_ code: String, _ text: String) throws -> PracticeMonth {
        let practice = try practice(code)
        let calculator = MonthCalculator(month: try month(text), lists: lists, rates: RateTable(rates))
        return try calculator.calculate(
            ContractTimeline(practice: practice, records: records[practice] ?? []))
    }

    /// Builds the run of a month. All months approved before are looked at again.
    func build(_ text: String, standing: @escaping @Sendable (ODSCode) -> PayeeStanding = { _ in .open })
        throws -> BuiltRun
    {
        let month = try month(text)
        let earlier = approved.filter { $0.month < month }
        let history = try PaidHistory(
            runs: earlier, paymentDate: month.lastDay, affected: earlier.first?.month)
        return try RunCalculator(
            run: RunFacts(runID: "\(month)-1", month: month, paymentDate: month.lastDay), inputs: inputs,
            history: history, affectedMonths: earlier.map(\.month), standing: standing
        ).build()
    }

    /// Builds the run of a month and counts it as paid.
    @discardableResult
    mutating func pay(_ text: String) throws -> BuiltRun {
        let built = try build(text)
        let month = try month(text)
        approved.append(
            PaidHistory.Run(
                runID: "\(month)-1", month: month, paymentDate: month.lastDay,
                accounts: try RunLedger.decode(built.ledger)))
        return built
    }
}

extension PaymentTerms {
    static func gms(
        outOfHours: Bool = true, minorSurgery: Bool = false, temporary: String = "0",
        london: LondonBasis = .none,
        correctionFactor: String = "0"
    ) throws -> PaymentTerms {
        var terms = PaymentTerms(kind: .gms)
        terms.outOfHoursOptOut = outOfHours
        terms.minorSurgeryOptOut = minorSurgery
        terms.temporaryPatientsPence = try pence(temporary)
        terms.london = london
        terms.correctionFactorPence = try pence(correctionFactor)
        return terms
    }

    static func pms(_ baseline: Baseline) -> PaymentTerms {
        var terms = PaymentTerms(kind: .pms)
        terms.baseline = baseline
        return terms
    }
}

extension BuiltRun {
    func statement(_ code: String) throws -> StatementDocument {
        let practice = try practice(code)
        let found = try #require(statements.first { $0.practice == practice }, "no statement of \(code)")
        return try StatementDocument.decode(found.body)
    }
}

/// `["GSUM 108391.67", ...]`
func shown(_ lines: [PaymentLine]) -> [String] {
    lines.map { "\($0.paycode.code) \(Money(pence: $0.pence))" }
}

func net(_ lines: [PaymentLine]) throws -> String {
    try Rounding.net(ofLines: lines.map { Money(pence: $0.pence) }).description
}
