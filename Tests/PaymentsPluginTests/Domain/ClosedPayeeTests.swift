import Accounting
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@testable import PaymentsPlugin

@Suite("Nothing is paid beyond a closing without a person who looks (payments.md 12.1, 12.3, C9)")
struct ClosedPayeeTests {
    private func close(_ office: PaymentsOffice, _ code: String, on text: String) async throws {
        let date = Pcs_Common_V1_Date(try day(text))
        try await office.host.store(of: "host").write(actor: "test") { transaction in
            let event = Pcs_Host_V1_OrganisationChanged.with {
                ($0.code, $0.kind, $0.effectiveOn) = (code, .closed, date)
            }
            try transaction.publish(event, key: code)
        }
        try await office.host.eventsDelivered()
    }

    private func closed(_ office: PaymentsOffice, _ runID: String) async throws -> [String] {
        try await office.exceptions(runID).filter { $0.kind == .payeeClosed }.map(\.message)
    }

    @Test("a network that closed, and still has monthly lines")
    func network() async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            try await office.loadNetworks("2026/27", "U89141,43210,44872.35,44000.00")
            try await office.pay("2026-04")
            try await close(office, "U89141", on: "2026-05-10")
            let run = try await office.calculate(try await office.open("2026-05").runID)
            #expect(
                try await closed(office, run.runID)
                    == ["U89141 closed on 2026-05-10 and would be paid to 2026-05-31"])
        }
    }

    @Test("a practice that closed, though somebody else is paid for it")
    func anotherPayee() async throws {
        try await PaymentsOffice.with { office in
            try await office.loadContracts(
                "A81001,One,PMS,2026-03-01,,16C,Y63,A81002,,,,,,FIXED,1200.00,,",
                "A81002,Two,PMS,2026-03-01,,16C,Y63,,,,,,,FIXED,1200.00,,")
            try await close(office, "A81001", on: "2026-03-20")
            let run = try await office.calculate(try await office.open("2026-03").runID)
            #expect(
                try await closed(office, run.runID)
                    == ["A81001 closed on 2026-03-20 and would be paid to 2026-03-31"])
        }
    }

    private func item(_ from: String, _ to: String, pence: Int64) throws -> PaymentLine {
        let (from, to) = (try day(from), try day(to))
        return PaymentLine(
            paycode: .localIncentive, contractID: "A81001", contractVersion: 0, periodFrom: from, periodTo: to,
            quantity: ExactDecimal(1), rate: Money(pence: pence).pounds, basis: "AMOUNT", pence: pence, source: .item,
            month: YearMonth(containing: from),
            explanation: Explanation(
                rule: "test", ruleVersion: 1,
                inputs: [.init("amount", Money(pence: pence).pounds, .pounds, from: .init("test"), asOf: from)],
                steps: [.init("amount", rounding: .input(0))], rounding: "RND-2", amount: Money(pence: pence)),
            origin: "test/\(from)/\(pence)")
    }

    @Test("items for days after the closing; what trails from before it, and what is taken back, is no exception")
    func items() throws {
        let closedOn = try day("2026-05-10")
        func found(_ lines: [PaymentLine]) throws -> [String] {
            let world = try World()
            let code = try practice("A81001")
            var inputs = world.inputs
            inputs.items = [code: lines.enumerated().map { DueItem(itemID: "i\($0.offset)", line: $0.element) }]
            let built = try RunCalculator(
                run: RunFacts(runID: "2026-06-1", month: try month("2026-06"), paymentDate: try day("2026-06-30")),
                inputs: inputs, history: try PaidHistory(runs: [], paymentDate: try day("2026-06-30"), affected: nil),
                affectedMonths: [], standing: { _ in .closed(after: closedOn) }
            ).build()
            return built.exceptions.filter { $0.kind == .payeeClosed }.map(\.message)
        }
        #expect(try found([try item("2026-04-01", "2026-04-30", pence: 100)]).isEmpty)
        #expect(try found([try item("2026-05-01", "2026-05-31", pence: 100)]).isEmpty)
        #expect(try found([try item("2026-06-01", "2026-06-30", pence: -100)]).isEmpty)
        #expect(
            try found([try item("2026-04-01", "2026-04-30", pence: 100), try item("2026-05-11", "2026-05-31", pence: 7)])
                == ["A81001 closed on 2026-05-10 and would be paid to 2026-05-31"])
    }
}
