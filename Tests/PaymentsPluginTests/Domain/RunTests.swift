import Digests
import Accounting
import PluginAPI
import Testing

@testable import PaymentsPlugin

@Suite("A run's lines")
struct RunTests {
    /// A few dozen practices of all kinds with odd figures.
    private func world(seed: UInt64) throws -> World {
        var world = try World()
        var random = SeededGenerator(seed: seed)
        for index in 0..<40 {
            let code = "A81\(String(1000 + index).dropFirst())"
            let starts =
                ["2026-04-01", "2026-04-01", "2026-04-01", "2026-05-11"].randomElement(using: &random) ?? ""
            let ends = [nil, nil, nil, "2026-06-20"].randomElement(using: &random) ?? nil
            let terms: PaymentTerms =
                switch index % 4 {
                case 0, 1:
                    try .gms(
                        outOfHours: Bool.random(using: &random), minorSurgery: Bool.random(using: &random),
                        temporary: Bool.random(using: &random) ? "1234.56" : "0",
                        london: LondonBasis.allCases.randomElement(using: &random) ?? .none)
                case 2: .pms(.weighted(priceMicropounds: 97_123_400))
                default: .pms(.fixed(annualPence: Int64.random(in: 1...200_000_000, using: &random)))
                }
            try world.contract(code, from: starts, to: ends, terms)
            for quarter in ["2026-04-01", "2026-07-01"] {
                let registered = Int64.random(in: 100...40_000, using: &random)
                let weighted = ExactDecimal(
                    mantissa: registered * 100 + Int64.random(in: -5000...5000, using: &random), scale: 2)
                try world.list(
                    code, quarter: quarter, weighted: weighted.description, registered: registered,
                    london: registered / 2)
            }
        }
        return world
    }

    @Test("the same inputs give the same bytes", arguments: [1, 2, 3] as [UInt64])
    func identical(seed: UInt64) throws {
        let world = try world(seed: seed)
        let (first, second) = (try world.build("2026-05"), try world.build("2026-05"))
        #expect(first.statements.map(\.body) == second.statements.map(\.body))
        #expect(first.ledger == second.ledger)
        #expect(first.sha256 == second.sha256)
        #expect(first.exceptions == second.exceptions)
    }

    @Test(
        "every line replays, every statement foots, quantity x rate gives the amount (C1)",
        arguments: [4, 5] as [UInt64])
    func linesHold(seed: UInt64) throws {
        var world = try world(seed: seed)
        try world.pay("2026-04")
        try world.pay("2026-05")
        try world.rate(.globalSumPrice, "131.4321", from: "2026-04-01", to: "2027-04-01")
        let built = try world.build("2026-06")
        var net: Int64 = 0
        for statement in built.statements {
            let document = try StatementDocument.decode(statement.body)
            #expect(document.encode() == statement.body)
            #expect(Digest.sha256(statement.body) == statement.sha256)
            var sum: Int64 = 0
            for line in document.lines {
                sum += line.pence
                #expect(try line.explanation.replay().pence == line.pence)
                #expect(try recomputed(line) == line.pence, "\(line.quantity) x \(line.rate) \(line.basis)")
            }
            #expect(sum == statement.figures.netPence)
            #expect(Set(document.lines.map(\.naturalKey)).count == document.lines.count)
            net += sum
        }
        #expect(net == built.totals.all.netPence)
        #expect(try built.totals.agree())
        #expect(built.totals.all.retroLines > 0)
    }

    /// The amount from what is shown on the line alone.
    private func recomputed(_ line: PaymentLine) throws -> Int64 {
        var value = try line.quantity.rational.multiplied(by: line.rate.rational)
        let parts = line.basis.split(separator: " ")
        if let name = parts.first, name.hasSuffix("/12") { value = try value.divided(by: Rational(12)) }
        if line.basis == "PERCENT_OF_INITIAL" { value = try value.divided(by: Rational(100)) }
        if parts.count == 3 {
            let days = parts[2].split(separator: "/").compactMap { Int128($0) }
            value = try value.multiplied(by: try Rational(days[0], over: days[1]))
        }
        return try Rounding.toPence(value).pence
    }

    @Test("doing the differences twice makes nothing the second time", arguments: [6, 7] as [UInt64])
    func retroIsIdempotent(seed: UInt64) throws {
        var world = try world(seed: seed)
        for text in ["2026-04", "2026-05", "2026-06"] { try world.pay(text) }
        try world.rate(.globalSumPrice, "133.00", from: "2026-05-01", to: "2027-04-01")
        try world.list("A81001", quarter: "2026-04-01", weighted: "12345.67", registered: 12_000, london: 1)
        #expect(try world.pay("2026-07").totals.all.retroLines > 0)
        #expect(try world.build("2026-08").totals.all.retroLines == 0)
        // All months together are what they would have been, had it been known from the start.
        var known = try self.world(seed: seed)
        try known.rate(.globalSumPrice, "133.00", from: "2026-05-01", to: "2027-04-01")
        try known.list("A81001", quarter: "2026-04-01", weighted: "12345.67", registered: 12_000, london: 1)
        for text in ["2026-04", "2026-05", "2026-06", "2026-07"] { try known.pay(text) }
        func paid(_ world: World) -> [String: Int64] {
            var sums: [String: Int64] = [:]
            for account in world.approved.flatMap(\.accounts) {
                for entry in account.entries where entry.paycode != .balanceForward {
                    sums["\(account.practice) \(entry.paycode) \(entry.month)", default: 0] += entry.pence
                }
            }
            return sums.filter { $0.value != 0 }
        }
        #expect(paid(world) == paid(known))
    }

    @Test("a contract ended in the past is recovered, and what exceeds the net is carried forward")
    func balanceForward() throws {
        var world = try World()
        try world.contract("A81001", from: "2026-04-01", try .gms())
        try world.list("A81001", quarter: "2026-04-01", weighted: "10000.00")
        try world.list("A81001", quarter: "2026-07-01", weighted: "10000.00")
        try world.pay("2026-04")
        try world.pay("2026-05")
        // Found out in June: the list was a tenth in all that time.
        try world.list("A81001", quarter: "2026-04-01", weighted: "1000.00")
        let june = try world.pay("2026-06")
        let statement = try june.statement("A81001")
        #expect(june.totals.all.netPence == 0)
        let carried = try #require(statement.lines.last)
        #expect(carried.paycode == .balanceForward)
        #expect(carried.basis == "CARRIED_FORWARD")
        #expect(june.exceptions.contains { $0.kind == .netNegative && $0.severity == .warning })
        let july = try world.pay("2026-07").statement("A81001")
        #expect(july.lines.map(\.basis).contains("BROUGHT_FORWARD"))
        #expect(july.lines.filter { $0.paycode == .balanceForward }.reduce(0) { $0 + $1.pence } <= 0)
        try world.pay("2026-08")
        // In the end all that was paid is what was due.
        let total = world.approved.flatMap(\.accounts).flatMap(\.entries).reduce(0) { $0 + $1.pence }
        let due = try ["2026-04", "2026-05", "2026-06", "2026-07", "2026-08"].reduce(Int64(0)) { sum, text in
            try world.lines("A81001", text).reduce(sum) { $0 + $1.pence }
        }
        let last = try world.build("2026-09").statement("A81001")
        let stillCarried = -(last.lines.first { $0.basis == "BROUGHT_FORWARD" }?.pence ?? 0)
        #expect(total - stillCarried == due)
    }

    @Test("a change of net over 25 % or 20,000 pounds, a closed or unknown payee: each is an exception")
    func exceptions() throws {
        var world = try World()
        for (code, weighted) in [("A81001", "1000.00"), ("A81002", "50000.00"), ("A81003", "1000.00")] {
            try world.contract(code, from: "2026-04-01", try .gms())
            try world.list(code, quarter: "2026-04-01", weighted: weighted)
        }
        try world.pay("2026-06")
        try world.list("A81001", quarter: "2026-07-01", weighted: "1260.00")
        try world.list("A81002", quarter: "2026-07-01", weighted: "52200.00")
        try world.list("A81003", quarter: "2026-07-01", weighted: "1240.00")
        let closedOn = try day("2026-06-30")
        let built = try world.build("2026-07") { code in
            switch code.value {
            case "A81002": .unknown
            case "A81003": .closed(after: closedOn)
            default: .open
            }
        }
        #expect(
            built.exceptions.map { "\($0.practice?.value ?? "") \($0.kind) \($0.severity)" } == [
                "A81001 netChange blocking", "A81002 pendingReference warning", "A81002 netChange blocking",
                "A81003 payeeClosed blocking",
            ])
        #expect(built.exceptions[0].message.contains("26.0 %"))
        #expect(Set(built.exceptions.map(\.fingerprint)).count == 4)
    }

    @Test("a practice that drops out of the run is noticed")
    func droppedOut() throws {
        var world = try World()
        try world.contract("A81001", from: "2026-04-01", to: "2026-05-01", try .gms())
        try world.list("A81001", quarter: "2026-04-01", weighted: "1000.00")
        try world.pay("2026-04")
        let may = try world.build("2026-05")
        #expect(may.statements.isEmpty)
        #expect(may.exceptions.map(\.kind) == [.netChange])
        #expect(may.exceptions[0].message.contains("the contract ended on 2026-04-30"))
    }

    @Test("stored statements and ledgers that were changed are refused, never trapped on")
    func damaged() throws {
        let built = try world(seed: 8).build("2026-05")
        let body = try #require(built.statements.first).body
        for length in stride(from: 0, to: body.count, by: 7) {
            #expect(throws: PaymentsError.damaged("statement")) {
                try StatementDocument.decode(Array(body.prefix(length)))
            }
        }
        #expect(throws: PaymentsError.damaged("ledger")) {
            try RunLedger.decode(Array(built.ledger.dropLast()))
        }
        var random = SeededGenerator(seed: 12)
        for _ in 0..<3000 {
            var bytes = body
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            _ = try? StatementDocument.decode(bytes)
        }
    }
}

@Suite("The life of a run")
struct RunLifecycleTests {
    @Test("each action leads where the rules say, from everywhere else nowhere")
    func table() {
        let allowed: [String: String] = [
            "open freeze": "cutOff", "open calculate": "calculated", "cutOff calculate": "calculated",
            "calculated calculate": "calculated", "calculated acceptException": "calculated",
            "calculated review": "reviewed", "reviewed approve": "approved", "reviewed reopen": "calculated",
            "cutOff thaw": "open", "calculated thaw": "open", "reviewed thaw": "open",
            "open abort": "aborted",
            "cutOff abort": "aborted", "calculated abort": "aborted", "reviewed abort": "aborted",
            "approved abort": "aborted", "approved recordPaid": "paid", "paid close": "closed",
        ]
        for state in RunState.allCases {
            for action in RunAction.allCases {
                #expect(
                    action.next(from: state).map { "\($0)" } == allowed["\(state) \(action)"],
                    "\(state) \(action)")
            }
        }
    }

    @Test("after approval no action leads back to a state in which lines may change")
    func approvedIsFinal() {
        for state in RunState.allCases where state.isPublished {
            for action in RunAction.allCases {
                if let next = action.next(from: state) { #expect(next.isPublished || next == .aborted) }
            }
        }
    }
}
