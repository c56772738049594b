import Accounting
import CommonContract
import CqrsContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@testable import PaymentsPlugin

/// What can go wrong in the months of a small area, at random: lists and contracts put right backwards, practices that
/// end, merge, are stopped and released, variations late and stopped too late, quality payments corrected and recalled,
/// rates corrected, credits sent back by the bank.
struct RandomMonths {
    let area: SandboxArea
    let bank = SandboxBank()
    private var random: SeededGenerator
    private(set) var corrections = 0
    private var monthly: [Pcs_Payments_V1_Variation] = []
    private var instructions: [String] = []
    private var instructed: [String: Pcs_Cqrs_V1_PaymentInstructed] = [:]
    /// Pence by practice that quality payments and one-off variations must come to, whenever they are paid.
    private(set) var once: [String: Int64] = [:]
    private var uploads = 0
    /// Practices whose contract ends on a day that is known: no variation can be for them.
    private var ending: Set<Int> = []

    static let start = YearMonth(containing: CalendarDate(daysSince1970: 20_544))

    init(_ area: SandboxArea, seed: UInt64) {
        self.area = area
        random = SeededGenerator(seed: seed)
    }

    private mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    private mutating func isOne(in count: Int) -> Bool { number(1...count) == 1 }
    private mutating func pounds(_ range: ClosedRange<Int>) -> String {
        Money(pence: Int64(number(range))).description
    }

    mutating func prepare() async throws {
        try await bank.prepare(area)
        try await area.load(area.practices.enumerated().map { SandboxContracts.first($1, $0) })
        for quarter in [0, 1] {
            let rows = area.practices.enumerated().map { SandboxLists.row($1, $0, quarter: quarter) }
            try await area.office.loadLists(
                quarter == 0 ? "2026-04-01" : "2026-07-01", rows.joined(separator: "\n"))
        }
    }

    /// Everything that comes in before the run of a month.
    mutating func strike(before month: YearMonth) async throws {
        for _ in 0..<4 { try await correctLists() }
        for _ in 0..<2 { try await correctContracts(upTo: month) }
        try await vary(from: month, rows: 60, acceptNextRun: false)
        try await stopVariations(upTo: month)
        try await instruct(month)
        if isOne(in: 2) {
            try await area.office.setRate(
                "global_sum_price",
                Money(pence: Int64(number(12_000...14_500))).description + "\(number(10...99))",
                from: month.adding(months: -number(0...2)).firstDay.description, to: "2027-04-01")
            corrections += 1
        }
    }

    private mutating func correctLists() async throws {
        let quarter = isOne(in: 2) ? "2026-04-01" : "2026-07-01"
        var rows: [String] = []
        for code in area.practices.shuffled(using: &random).prefix(number(35...40)) {
            // Now and then a list that is nearly nothing: then more comes back than a month pays.
            let registered = isOne(in: 12) ? number(1...90) : number(1_500...18_000)
            let weighted = registered * 100 + number(0...registered * 20)
            rows.append(
                "\(code),\(registered),\(ExactDecimal(mantissa: Int64(weighted), scale: 2)),\(number(0...registered))"
            )
        }
        try await area.office.loadLists(quarter, rows.joined(separator: "\n"))
        corrections += rows.count
    }

    private mutating func correctContracts(upTo month: YearMonth) async throws {
        var rows: [String] = []
        for (index, code) in area.practices.enumerated() where !isOne(in: 8) {
            let from = max(Self.start, month.adding(months: -number(0...3)))
            // A merger: the money goes to another practice, as long as there is any.
            let payee = isOne(in: 10) ? area.practices[number(0...39)] : code
            switch index % 8 {
            case 0...4:
                let end = isOne(in: 12) ? from.lastDay.adding(days: number(-12...40)).description : ""
                if end.isEmpty { ending.remove(index) } else { ending.insert(index) }
                rows.append(
                    SandboxContracts.row(
                        code, from: from.firstDay.description, to: end, payee: payee,
                        minorSurgery: isOne(in: 2),
                        temporary: pounds(0...900_000),
                        london: ["NONE", "COUNTED", "ALL_REGISTERED"].randomElement(using: &random) ?? "NONE",
                        isStopped: isOne(in: 10)))
            case 5, 6:
                let day = from.firstDay.adding(days: number(0...27))
                rows.append(
                    "\(code),PRACTICE \(code),PMS,\(day),,16C,Y63,\(payee),,,,,,WEIGHTED,,\(pounds(9_000...15_000))37,"
                )
            default:
                let day = from.firstDay.adding(days: number(0...27))
                rows.append(
                    "\(code),PRACTICE \(code),APMS,\(day),2028-04-01,16C,Y63,\(payee),,,,,,FIXED,"
                        + "\(pounds(100...150_000_000)),,")
            }
        }
        try await area.load(rows)
        corrections += rows.count
    }

    /// Late ones go to the next run.
    mutating func vary(from month: YearMonth, rows count: Int, acceptNextRun: Bool) async throws {
        uploads += 1
        var rows: [String] = []
        for index in 0..<count {
            let practice = number(0...39)
            guard !ending.contains(practice) else { continue }
            let code = area.practices[practice]
            let narrative = "scheme \(uploads)-\(index)"
            if isOne(in: 3) {
                let paycode = practice % 8 == 7 ? "PRNTA" : "PRNTG"
                rows.append("\(code),\(paycode),\(narrative),MONTHLY,\(pounds(1...300_000)),\(month),,,,")
            } else {
                let amount = isOne(in: 4) ? pounds(-4_000_000...(-1)) : pounds(1...1_400_000)
                let paycode = amount.hasPrefix("-") ? "RECO" : "LIS"
                let reason = paycode == "RECO" ? "OVERPAYMENT " : ""
                rows.append("\(code),\(paycode),\(reason)\(narrative),ONEOFF,\(amount),\(month),,\(amount),,")
                once[code, default: 0] += Money(amount)?.pence ?? 0
            }
        }
        let upload = try await area.variations(rows, acceptNextRun: acceptNextRun)
        monthly += try await area.rows(of: upload).filter(\.monthly)
        corrections += rows.count
    }

    private mutating func stopVariations(upTo month: YearMonth) async throws {
        for _ in 0..<min(8, monthly.count) {
            let variation = monthly.remove(at: number(0...monthly.count - 1))
            let first = try #require(
                YearMonth(year: Int(variation.firstMonth.year), month: Int(variation.firstMonth.month)))
            try await area.stop(variation, from: max(first, month.adding(months: -number(0...3))))
            corrections += 1
        }
    }

    private mutating func instruct(_ month: YearMonth) async throws {
        var events: [Pcs_Cqrs_V1_PaymentInstructed] = []
        for index in 0..<25 {
            let pence = Int64(isOne(in: 5) ? -number(1...50_000) : number(1...900_000))
            // Achievement is paid less aspiration, which is no sum of what was instructed: QualityFiguresTests has it.
            let code = ["QOFASP", "VFLU", "LDHC", "NEWCODE"].randomElement(using: &random) ?? ""
            let payee = area.practices[number(0...39)]
            let earned = month.adding(months: -number(0...2))
            events.append(
                .with {
                    ($0.instructionID, $0.payeeCode, $0.payCode) = ("I-\(month)-\(index)", payee, code)
                    ($0.declarationID, $0.serviceCode, $0.grossPence) = ("d", code, pence)
                    $0.period = Pcs_Common_V1_Month(year: earned.year, month: earned.month)
                    $0.releaseDate = Pcs_Common_V1_Date(month.firstDay)
                })
        }
        instructions += events.map(\.instructionID)
        for event in events {
            instructed[event.instructionID] = event
            once[event.payeeCode, default: 0] += event.grossPence
        }
        var recalled: [String] = []
        for _ in 0..<8 {
            let id = instructions.remove(at: number(0...instructions.count - 1))
            recalled.append(id)
            if let event = instructed[id] { once[event.payeeCode, default: 0] -= event.grossPence }
        }
        // Delivered more than once and in any order.
        let delivered = (events + events.prefix(10)).shuffled(using: &random)
        let taken = recalled
        try await area.office.host.store(of: "payments").write(actor: "cqrs") { transaction in
            for event in delivered { try QualityEvents.instruct(event, transaction) }
            for id in taken + taken.prefix(3) {
                try QualityEvents.recall(
                    .with { ($0.instructionID, $0.reason) = (id, "duplicate") }, transaction)
            }
        }
        corrections += events.count + recalled.count
    }

    /// The file of a run, some credits of which come back; those of before are paid again to new details.
    mutating func settle(_ run: Pcs_Payments_V1_Run) async throws {
        let submitter = try await bank.service(area, area.office.submitter)
        let file = try await submitter.buildPaymentFile(.with { $0.runID = run.runID })
        try await bank.submit(area, file)
        let credits = try await bank.details(area, file)
        #expect(credits.reduce(0) { $0 + $1.pence } == file.totalPence && credits.count == Int(file.credits))
        let chosen = credits.shuffled(using: &random).prefix(number(3...7))
        let codes = ["0", "2", "3", "5", "B", "C"]
        try await bank.bringBack(
            area, file,
            chosen.map { credit in
                (String(credit.reference.prefix { $0 != " " }), codes.randomElement(using: &random) ?? "0")
            })
        corrections += chosen.count
    }

    /// New details for payees whose credits came back, and a file of its own for what is owed to them.
    mutating func payAgain(on day: String) async throws {
        let owed = try await bank.outstanding(area).filter { $0.because.hasPrefix("returned") }
        let chosen = owed.filter { _ in !isOne(in: 3) }
        guard !chosen.isEmpty else { return }
        for code in Set(chosen.map(\.payeeCode)).sorted() { try await bank.authorise(area, code) }
        try await bank.pay(area, chosen, on: day)
    }
}
