import Accounting
import PluginAPI
import Testing

@testable import CQRSPlugin

/// The rules of CQRS Local as tables and sums, without a store.
@Suite("Local rules")
struct LocalDomainTests {
    /// The table of 10.4 with our additions, written out a second time.
    private static let legal: Set<String> = [
        "draft submit submitted", "draft submitInternally internal", "draft withdraw withdrawn",
        "internal submit submitted",
        "internal returnInternally draft", "submitted check tier1Approved", "submitted query queried",
        "submitted reject rejected", "tier1Approved query queried", "tier1Approved reject rejected",
        "tier1Approved approve approved", "tier1Approved approveForFinance awaitingFinance",
        "queried submit submitted",
        "queried submitInternally internal", "awaitingFinance financeApproveFirst awaitingFinance",
        "awaitingFinance financeApprove approved", "awaitingFinance financeReturn tier1Approved",
        "approved send sentToPCSE", "approved putInFile inPaymentFile", "approved failPayment paymentFailed",
        "sentToPCSE pay paid", "sentToPCSE failPayment paymentFailed", "inPaymentFile pay paid",
        "inPaymentFile failPayment paymentFailed", "paymentFailed retryPayment approved",
        "bulkReview acceptBulk tier1Approved", "bulkReview declineBulk rejected",
    ]

    @Test("a claim moves only as 10.4 says; every other pair of state and event is refused")
    func states() {
        var found: Set<String> = []
        for state in LocalClaimState.allCases {
            for event in LocalClaimEvent.allCases {
                if let next = LocalClaimLifecycle.next(state, event) {
                    found.insert("\(state) \(event) \(next)")
                }
            }
        }
        #expect(found.symmetricDifference(Self.legal).sorted() == [])
        for ended in [LocalClaimState.paid, .rejected, .withdrawn] {
            #expect(
                LocalClaimEvent.allCases.allSatisfy { LocalClaimLifecycle.next(ended, $0) == nil }, "\(ended)"
            )
        }
    }

    @Test("a provider's part in a contract moves from pending to its answer, and from active to its end")
    func contracts() {
        var found: Set<String> = []
        for from in LocalContractState.allCases {
            for to in LocalContractState.allCases where from.may(become: to) { found.insert("\(from) \(to)") }
        }
        #expect(found == ["pending active", "pending rejected", "pending withdrawn", "active ended"])
    }

    private static func component(
        _ caps: [LocalCap] = [], decimals: Bool = false, unit: LocalUnit = .item,
        tariffs: [LocalTariffRow] = []
    ) -> LocalComponent {
        LocalComponent(
            id: "BLOOD", name: "Blood", unit: unit, allowsDecimals: decimals, tariffs: tariffs, minimum: nil,
            maximum: nil,
            caps: caps, needsEvidence: false)
    }

    private static func line(_ quantity: Int64, _ price: String, on activity: String = "2026-02-28")
        -> LocalLine
    {
        let amount = LocalQuantity(thousandths: quantity * 1_000)
        return LocalLine(
            service: "S", serviceVersion: 1, component: "BLOOD", quantity: amount, claimed: amount,
            price: decimal(price),
            pence: LocalAmount.pence(amount, at: decimal(price), .item) ?? -1, activity: day(activity))
    }

    @Test(
        "W18, LOC-3: an amount is quantity times tariff, rounded once",
        arguments: [
            ("42", "28.50", "1197.00"), ("9", "17.25", "155.25"), ("42", "31.00", "1302.00"),
            ("3", "0.125", "0.38"),
            ("1", "0.1249", "0.12"), ("0", "28.50", "0.00"),
        ])
    func amounts(_ example: (quantity: String, tariff: String, amount: String)) throws {
        let quantity = try #require(LocalQuantity(example.quantity, allowsDecimals: true))
        let pence = LocalAmount.pence(quantity, at: decimal(example.tariff), .item)
        #expect(pence.map { Money(pence: $0).description } == example.amount)
        var line = Self.line(1, example.tariff)
        line.quantity = quantity
        line.pence = pence ?? -1
        #expect(try LocalAmount.explanation(line, unit: .item).replay().pence == pence)
    }

    @Test("a percentage earns its share of the tariff, and replays")
    func percentage() throws {
        let quantity = try #require(LocalQuantity("33.333", allowsDecimals: true))
        var line = Self.line(1, "1000.00")
        line.quantity = quantity
        line.pence = try #require(LocalAmount.pence(quantity, at: decimal("1000.00"), .percent))
        #expect(line.pence == 333_33)
        #expect(try LocalAmount.explanation(line, unit: .percent).replay().pence == 333_33)
    }

    @Test("W19: what is left of a value cap is said in pounds and in whole items")
    func valueCap() {
        var usage = LocalUsage()
        usage.add("A81001", Self.line(42, "28.50"))
        let cap = LocalCap(kind: .valueAYear, limit: decimal("1500.00"), truncates: false)
        let capping = LocalCapping(
            provider: "A81001", service: "S", component: Self.component([cap]), day: day("2026-03-31"))
        let nineteen = LocalQuantity(thousandths: 19_000)
        guard case .refused(let why) = capping.apply(nineteen, at: decimal("28.50"), usage) else {
            Issue.record("19 items of 541.50 pounds pass")
            return
        }
        #expect(why.hasSuffix("remaining 303.00 pounds = 10 whole items (285.00 pounds)"), "\(why)")
        #expect(
            capping.apply(LocalQuantity(thousandths: 10_000), at: decimal("28.50"), usage)
                == .taken(LocalQuantity(thousandths: 10_000)))
        // The next financial year starts anew, and so does another provider.
        let next = LocalCapping(
            provider: "A81001", service: "S", component: Self.component([cap]), day: day("2026-04-01"))
        #expect(next.apply(nineteen, at: decimal("28.50"), usage) == .taken(nineteen))
    }

    @Test(
        "LOC-4: caps hold in the order claim, month, year, list, value; one that truncates cuts for the next")
    func capOrder() {
        let caps = [
            LocalCap(kind: .quantityAClaim, limit: decimal("30"), truncates: true),
            LocalCap(kind: .quantityAMonth, limit: decimal("50"), truncates: true),
            LocalCap(kind: .quantityAYear, limit: decimal("100"), truncates: true),
            LocalCap(kind: .perMilleOfList, limit: decimal("5"), truncates: true),
            LocalCap(kind: .valueAYear, limit: decimal("100"), truncates: true),
        ]
        func taken(_ count: Int, _ wanted: Int64, list: String? = "20000", _ lines: [LocalLine] = [])
            -> LocalCapping.Outcome
        {
            var usage = LocalUsage()
            for line in lines { usage.add("P", line) }
            var capping = LocalCapping(
                provider: "P", service: "S", component: Self.component(Array(caps.prefix(count))),
                day: day("2026-02-28"))
            capping.list = list.map { decimal($0) }
            return capping.apply(LocalQuantity(thousandths: wanted * 1_000), at: decimal("10.00"), usage)
        }
        func items(_ count: Int64) -> LocalCapping.Outcome {
            .taken(LocalQuantity(thousandths: count * 1_000))
        }
        #expect(taken(1, 40) == items(30))
        #expect(taken(2, 40, [Self.line(25, "10.00", on: "2026-02-01")]) == items(25))
        // 80 in January leave 20 of the year.
        #expect(taken(3, 40, [Self.line(80, "10.00", on: "2026-01-31")]) == items(20))
        // 5 for each thousand of 3,500 are 17.5: 17 whole ones.
        #expect(taken(4, 40, list: "3500") == items(17))
        #expect(taken(5, 40) == items(10))
        guard case .refused(let why) = taken(4, 40, list: nil) else {
            Issue.record("a cap on a list that is not loaded passes")
            return
        }
        #expect(why.contains("registered patients"))
    }

    @Test(
        "the tariff of a contract's group goes before that of the kind, and that before everybody's; each on its days"
    )
    func tariffs() {
        func row(_ group: String, _ amount: String, _ from: String, _ to: String? = nil) -> LocalTariffRow {
            LocalTariffRow(group: group, amount: decimal(amount), from: day(from), to: to.map { day($0) })
        }
        let component = Self.component(tariffs: [
            row("", "1", "2025-04-01"), row("PHARMACY", "2", "2025-04-01", "2025-12-31"),
            row("PHARMACY", "3", "2026-01-01"),
            row("RURAL", "4", "2025-04-01"),
        ])
        func amount(_ group: String, _ kind: LocalProviderKind, _ on: String) -> String? {
            component.tariff(group: group, kind: kind, on: day(on))?.amount.description
        }
        #expect(amount("", .gpPractice, "2026-01-01") == "1")
        #expect(amount("", .pharmacy, "2025-12-31") == "2")
        #expect(amount("", .pharmacy, "2026-01-01") == "3")
        #expect(amount("RURAL", .pharmacy, "2026-01-01") == "4")
        #expect(amount("COAST", .gpPractice, "2025-03-31") == nil)
    }

    @Test(
        "W20: bands by value",
        arguments: [
            ("14999.99", LocalRiskBand.low), ("15000.00", .medium), ("49999.99", .medium),
            ("50000.00", .high),
        ])
    func bands(_ example: (amount: String, band: LocalRiskBand)) {
        #expect(
            LocalRiskBand(pence: pounds(example.amount).pence, mediumFrom: 15_000_00, highFrom: 50_000_00)
                == example.band)
    }

    @Test("LOC-1: quantities are whole unless the unit allows decimals, never below zero, never out of range")
    func quantities() {
        for bad in ["-1", "1.5", "", "a", "1e3", "1000000000001", " 1"] {
            #expect(LocalQuantity(bad, allowsDecimals: false) == nil, "\(bad)")
        }
        #expect(LocalQuantity("1.0005", allowsDecimals: true) == nil)
        #expect(LocalQuantity("1.500", allowsDecimals: true)?.description == "1.5")
        #expect(LocalQuantity("0", allowsDecimals: false) == .zero)
    }
}
