import Accounting
import Testing

@testable import PaymentsPlugin

@Suite("One month of one practice")
struct MonthTests {
    @Test("a contract that begins or ends in a month is paid by days")
    func proRata() throws {
        var world = try World()
        try world.contract("A81001", from: "2026-04-14", to: "2026-06-11", try .gms())
        try world.list("A81001", quarter: "2026-04-01", weighted: "10000.00")
        let april = try world.lines("A81001", "2026-04")
        // 17 of 30 days of 108,391.666...
        #expect(shown(april) == ["GSUM 61421.94", "GSOOH -2886.83"])
        #expect(april[0].basis == "WEIGHTED_PATIENTS/12 x 17/30")
        #expect(april[0].periodFrom.description == "2026-04-14")
        #expect(shown(try world.lines("A81001", "2026-05")) == ["GSUM 108391.67", "GSOOH -5094.41"])
        let june = try world.lines("A81001", "2026-06")
        #expect(june[0].periodTo.description == "2026-06-10")
        #expect(shown(june)[0] == "GSUM 36130.56")
        #expect(try (april + june).allSatisfy { try $0.explanation.replay().pence == $0.pence })
        #expect(try world.lines("A81001", "2026-07").isEmpty)
    }

    @Test("a change of terms within a month makes one line for each stretch; a change of name makes none")
    func segments() throws {
        var world = try World()
        try world.contract("A81001", from: "2026-04-01", try .gms())
        try world.list("A81001", quarter: "2026-04-01", weighted: "10000.00")
        try world.contract("A81001", from: "2026-04-16", try .gms())
        #expect(shown(try world.lines("A81001", "2026-04")) == ["GSUM 108391.67", "GSOOH -5094.41"])
        try world.contract("A81001", from: "2026-04-16", try .gms(temporary: "1200.00"))
        #expect(
            shown(try world.lines("A81001", "2026-04")) == [
                "GSUM 54195.83", "GSOOH -2547.20", "GSUM 54195.83", "GSTPA 50.00", "GSOOH -2549.55",
            ])
    }

    @Test("a list holds for the three months of its quarter; the next quarter needs its own")
    func quarters() throws {
        var world = try World()
        try world.contract("A81001", from: "2026-04-01", try .gms())
        try world.list("A81001", quarter: "2026-04-01", weighted: "10000.00")
        #expect(try world.lines("A81001", "2026-06").count == 2)
        let july = try world.due("A81001", "2026-07")
        #expect(july.lines.isEmpty)
        #expect(july.remarks == [.noCapitation(Quarter(containing: try month("2026-07")))])
    }

    @Test(
        "a PMS baseline by list is paid on the last quarter's list until the new one comes, and trued up then"
    )
    func carriedList() throws {
        var world = try World()
        try world.contract("B81001", from: "2026-04-01", .pms(.weighted(priceMicropounds: 101_250_000)))
        try world.list("B81001", quarter: "2026-04-01", weighted: "8000.00", registered: 8200)
        #expect(shown(try world.pay("2026-06").statement("B81001").lines) == ["PMSB 67500.00"])
        let july = try world.pay("2026-07")
        #expect(shown(try july.statement("B81001").lines) == ["PMSB 67500.00"])
        #expect(july.exceptions.map(\.kind) == [.capitationCarried])
        try world.list("B81001", quarter: "2026-07-01", weighted: "8100.00", registered: 8300)
        let august = try world.build("2026-08").statement("B81001")
        #expect(shown(august.lines) == ["PMSB 68343.75", "PMSB 843.75"])
        #expect(august.lines[1].source == .retro)
        #expect(august.lines[1].month.description == "2026-07")
    }

    @Test("a raw baseline follows the registered list, APMS is paid on its own paycode")
    func rawBaseline() throws {
        var world = try World()
        try world.contract("B81001", from: "2026-04-01", .pms(.raw(priceMicropounds: 101_250_000)))
        try world.list("B81001", quarter: "2026-04-01", weighted: "8000.00", registered: 8200)
        #expect(shown(try world.lines("B81001", "2026-04")) == ["PMSB 69187.50"])
        var apms = PaymentTerms(kind: .apms)
        apms.baseline = .fixed(annualPence: 120_000_00)
        try world.contract("B81002", from: "2026-04-01", to: "2027-04-01", apms)
        #expect(shown(try world.lines("B81002", "2026-04")) == ["APMSB 10000.00"])
    }

    @Test("C9: a practice with stopped payments gets no line after the stop")
    func stopped() throws {
        var world = try World()
        try world.contract("A81001", from: "2026-04-01", try .gms())
        try world.list("A81001", quarter: "2026-04-01", weighted: "10000.00")
        var stopped = try PaymentTerms.gms()
        stopped.isStopped = true
        try world.contract("A81001", from: "2026-05-01", stopped)
        #expect(try world.lines("A81001", "2026-04").count == 2)
        let may = try world.due("A81001", "2026-05")
        #expect(may.lines.isEmpty && may.remarks.isEmpty)
    }

    @Test("a baseline far from the usual is pointed out, and a contract that pays nothing")
    func remarks() throws {
        var world = try World()
        try world.contract("B81001", from: "2026-04-01", .pms(.fixed(annualPence: 2_000_000_00)))
        try world.list("B81001", quarter: "2026-04-01", weighted: "10000.00")
        #expect(try world.due("B81001", "2026-04").remarks == [.baselineOutOfBounds(perHeadPence: 200_00)])
        try world.contract("A81001", from: "2026-04-01", try .gms())
        try world.list("A81001", quarter: "2026-04-01", weighted: "0.00")
        #expect(try world.due("A81001", "2026-04").remarks == [.noCorePayment])
    }

    @Test("the largest lists and prices are calculated, not trapped on")
    func extremes() throws {
        var world = try World()
        try world.rate(.globalSumPrice, "1000000.000000", from: "2026-04-01", to: "2027-04-01")
        try world.rate(.outOfHoursPercent, "100", from: "2026-04-01", to: "2027-04-01")
        try world.contract("A81001", from: "2026-04-01", try .gms())
        try world.list("A81001", quarter: "2026-04-01", weighted: "1000000.00")
        #expect(
            shown(try world.lines("A81001", "2026-04")) == ["GSUM 83333333333.33", "GSOOH -83333333333.33"])
    }
}

@Suite("A contract through time")
struct ContractTimelineTests {
    private func record(_ version: Int64, _ from: String, _ to: String?, ends: Bool = false) throws
        -> ContractRecord
    {
        let terms = ContractTerms(
            payment: try .gms(), practiceName: "v\(version)", commissioner: "16C", region: "Y63",
            payee: try practice("A81001"))
        return ContractRecord(
            version: version, from: try day(from), to: try to.map { try day($0) }, terms: ends ? nil : terms)
    }

    private func spans(_ records: [ContractRecord]) throws -> [String] {
        ContractTimeline(practice: try practice("A81001"), records: records).spans.map {
            "\($0.version): \($0.from) \($0.to?.description ?? "open")"
        }
    }

    @Test("later records lie over earlier ones and leave what they do not speak of")
    func laying() throws {
        let first = try record(1, "2020-04-01", nil)
        #expect(
            try spans([first, record(2, "2021-04-01", nil)]) == [
                "1: 2020-04-01 2021-04-01", "2: 2021-04-01 open",
            ])
        #expect(
            try spans([first, record(2, "2021-04-01", "2021-07-01")]) == [
                "1: 2020-04-01 2021-04-01", "2: 2021-04-01 2021-07-01", "1: 2021-07-01 open",
            ])
        #expect(
            try spans([first, record(2, "2019-04-01", "2020-04-01")]) == [
                "2: 2019-04-01 2020-04-01", "1: 2020-04-01 open",
            ])
        #expect(try spans([first, record(2, "2021-04-01", nil, ends: true)]) == ["1: 2020-04-01 2021-04-01"])
        #expect(try spans([first, record(2, "2019-01-01", nil)]) == ["2: 2019-01-01 open"])
        #expect(try spans([first, record(2, "2020-04-01", nil)]) == ["2: 2020-04-01 open"])
    }

    @Test("whatever is recorded, there is at most one contract a day, and the last record about a day holds")
    func property() throws {
        var random = SeededGenerator(seed: 11)
        let start = try day("2020-01-01")
        for _ in 0..<300 {
            var records: [ContractRecord] = []
            for version in 1...Int64.random(in: 1...8, using: &random) {
                let from = start.adding(days: Int.random(in: 0...60, using: &random))
                let to =
                    Bool.random(using: &random)
                    ? nil : from.adding(days: Int.random(in: 1...30, using: &random))
                let base = try record(
                    version, "2020-01-01", nil, ends: Int.random(in: 0...3, using: &random) == 0)
                records.append(ContractRecord(version: version, from: from, to: to, terms: base.terms))
            }
            let timeline = ContractTimeline(practice: try practice("A81001"), records: records)
            for (left, right) in zip(timeline.spans, timeline.spans.dropFirst()) {
                #expect(left.to != nil && left.to ?? right.from <= right.from)
            }
            for offset in 0...100 {
                let day = start.adding(days: offset)
                let last = records.last { $0.from <= day && ($0.to.map { day < $0 } ?? true) }
                #expect(timeline.span(at: day)?.version == (last?.terms == nil ? nil : last?.version))
            }
        }
    }
}
