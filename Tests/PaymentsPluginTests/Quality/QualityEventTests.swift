import Accounting
import CommonContract
import CqrsContract
import Foundation
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@testable import PaymentsPlugin

/// Amounts of the quality service become one item each, whatever the delivery does.
@Suite("Quality payments")
struct QualityEventTests {
    private func instruction(_ id: String, pence: Int64 = 1_394_188, code: String = "PCNIIF")
        -> Pcs_Cqrs_V1_PaymentInstructed
    {
        .with {
            $0.instructionID = id
            $0.declarationID = "d-" + id
            $0.payeeCode = "A81001"
            $0.payCode = code
            $0.grossPence = pence
            $0.period = Pcs_Common_V1_Month(year: 2026, month: 2)
            $0.serviceCode = "NCD2526"
            $0.releaseDate = Pcs_Common_V1_Date(CalendarDate(daysSince1970: 20_528))
        }
    }

    private func recall(_ id: String) -> Pcs_Cqrs_V1_PaymentRecalled {
        .with { ($0.instructionID, $0.reason) = (id, "duplicate") }
    }

    /// Key, pence, and whether it is withdrawn.
    private func items(_ host: TestHost) throws -> [String] {
        try host.store(of: "payments").read { reader in
            try reader.all(
                Statement("SELECT natural_key, paycode, pence, withdrawn_seq FROM payable_item ORDER BY natural_key")
            ) { row in
                let code = Paycode(rawValue: UInt8(clamping: row.integer(1)))?.code ?? "?"
                return "\(row.text(0)) \(code) \(row.integer(2))\(row.isNull(3) ? "" : " withdrawn")"
            }
        }
    }

    private func write(_ host: TestHost, _ body: @escaping @Sendable (any Transaction) throws -> Void) async throws {
        try await host.store(of: "payments").write(actor: "cqrs", body)
    }

    @Test("an instruction delivered twice, also after a restart, is one item")
    func twice() async throws {
        try await TestHost.with([PaymentsPlugin.self]) { host in
            let event = instruction("I1")
            try await write(host) { try QualityEvents.instruct(event, $0) }
            try await write(host) { try QualityEvents.instruct(event, $0) }
            try await host.restart()
            try await write(host) { try QualityEvents.instruct(event, $0) }
            #expect(try items(host) == ["cqrs/I1 PCNIIF 1394188"])
        }
    }

    @Test("a recall takes back what no run has paid; after it, and before it, the instruction pays nothing")
    func recalled() async throws {
        try await TestHost.with([PaymentsPlugin.self]) { host in
            let (first, second) = (instruction("I1"), instruction("I2"))
            let (recallFirst, recallSecond) = (recall("I1"), recall("I2"))
            try await write(host) {
                try QualityEvents.instruct(first, $0)
                try QualityEvents.recall(recallFirst, $0)
                try QualityEvents.instruct(first, $0)
                // Out of order.
                try QualityEvents.recall(recallSecond, $0)
                try QualityEvents.instruct(second, $0)
                try QualityEvents.recall(recallSecond, $0)
            }
            #expect(try items(host) == ["cqrs/I1 PCNIIF 1394188 withdrawn", "cqrs/I2 ADJP 0 withdrawn"])
        }
    }

    @Test("a correction is an item of its own; a pay code of a later version is paid as an adjustment that names it")
    func corrections() async throws {
        try await TestHost.with([PaymentsPlugin.self]) { host in
            let (event, correction) = (instruction("I1"), instruction("I1A", pence: -5_720))
            let (newer, less) = (instruction("N1", code: "NEWCODE"), instruction("N2", pence: -1, code: "NEWCODE"))
            try await write(host) {
                // The correction first: keys have no order among each other.
                try QualityEvents.instruct(correction, $0)
                try QualityEvents.instruct(event, $0)
                try QualityEvents.instruct(newer, $0)
                try QualityEvents.instruct(less, $0)
            }
            #expect(
                try items(host) == [
                    "cqrs/I1 PCNIIF 1394188", "cqrs/I1A PCNIIF -5720", "cqrs/N1 ADJP 1394188", "cqrs/N2 ADJN -1",
                ])
        }
    }

    @Test("a count at a price that the instruction carries is what the line shows (C1); otherwise the amount")
    func units() async throws {
        try await TestHost.with([PaymentsPlugin.self]) { host in
            var vaccinations = instruction("I1", pence: 14_472, code: "V6IN1")
            (vaccinations.quantity, vaccinations.rate) = ("12", "12.06")
            var wrong = instruction("I2", pence: 14_473, code: "V6IN1")
            (wrong.quantity, wrong.rate) = ("12", "12.06")
            let events = [vaccinations, wrong, instruction("I3", pence: 100)]
            try await write(host) { for event in events { try QualityEvents.instruct(event, $0) } }
            let shown = try host.store(of: "payments").read { reader in
                try reader.all(
                    Statement("SELECT quantity, rate, basis, pence, explanation FROM payable_item ORDER BY natural_key")
                ) { row in
                    var bytes = CompactReader(row.blob(4))
                    let replayed = try Explanation(from: &bytes).replay().pence
                    #expect(replayed == row.integer(3))
                    return "\(row.text(0)) x \(row.text(1)) \(row.text(2))"
                }
            }
            #expect(shown == ["12 x 12.06 V6IN1", "1 x 144.73 V6IN1", "1 x 1.00 PCNIIF"])
        }
    }

    @Test("vaccinations of January come into the run of March, from their release, two months in arrears")
    func arrears() async throws {
        try await PaymentsOffice.with { office in
            try await office.loadContracts("A81001,One,APMS,2026-01-01,2028-04-01,16C,Y63,,,,,,,FIXED,120000.00,,")
            let release = try day("2026-03-02")
            var event = instruction("V1", pence: 14_472, code: "VROTA")
            event.period = Pcs_Common_V1_Month(year: 2026, month: 1)
            event.releaseDate = Pcs_Common_V1_Date(release)
            let january = event
            try await write(office.host) { try QualityEvents.instruct(january, $0) }
            try await office.pay("2026-02")
            #expect(shown(try await office.statement("A81001", "2026-02").lines) == ["APMSB 10000.00"])
            try await office.pay("2026-03")
            let lines = try await office.statement("A81001", "2026-03").lines
            #expect(shown(lines) == ["APMSB 10000.00", "VSHI 144.72"])
            #expect(lines.last?.periodFrom == Pcs_Common_V1_Date(try day("2026-01-01")))
        }
    }

    @Test("every pay code of the quality services that come with the product has a family of payments.md 5.4")
    func families() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(
            contentsOf: root.appending(path: "Sources/Plugins/CQRS/ReferenceData/services.csv"), encoding: .utf8)
        let rows = text.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        let column = try #require(rows.first?.firstIndex(of: "pay_code"))
        var codes: Set<String> = []
        // A few names are quoted and hold a comma: count from the end.
        for row in rows.dropFirst() { codes.insert(String(row[row.count - (rows[0].count - column)])) }
        codes.remove("")
        #expect(codes.count > 20)
        for code in codes { #expect(QualityEvents.paycode(code, 1) != .adjustmentUp, "\(code)") }
    }

    @Test("an instruction without payee or month is refused, so that an operator sees it, and changes nothing")
    func unreadable() async throws {
        try await TestHost.with([PaymentsPlugin.self]) { host in
            var nobody = instruction("I1")
            nobody.payeeCode = "?"
            var never = instruction("I2")
            never.clearPeriod()
            for event in [nobody, never] {
                await #expect(throws: QualityEvents.Unreadable.self) {
                    try await write(host) { try QualityEvents.instruct(event, $0) }
                }
            }
            let none = try items(host)
            #expect(none.isEmpty)
        }
    }

    @Test("what was paid and is recalled after it is taken back by one line of the next run, however often both arrive")
    func recalledAfterPayment() async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            let (event, recall) = (instruction("I1"), recall("I1"))
            try await write(office.host) { try QualityEvents.instruct(event, $0) }
            try await office.pay("2026-04")
            #expect(shown(try await office.statement("A81001", "2026-04").lines) == ["PCNIIF 13941.88"])
            for _ in 1...2 {
                try await write(office.host) { try QualityEvents.recall(recall, $0) }
                try await write(office.host) { try QualityEvents.instruct(event, $0) }
            }
            try await office.pay("2026-05")
            // There is nothing else to take it from: it is carried forward (payments.md 12.4).
            #expect(
                shown(try await office.statement("A81001", "2026-05").lines) == ["PCNIIF -13941.88", "BCFD 13941.88"])
            #expect(shown(try await office.statement("A81001", "2026-04").lines) == ["PCNIIF 13941.88"])
        }
    }

    @Test("a recall after a run was frozen does not reach it: it pays, and the next run takes back")
    func recalledAfterFreeze() async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            let (event, recall) = (instruction("I1"), recall("I1"))
            try await write(office.host) { try QualityEvents.instruct(event, $0) }
            let frozen = try await office.calculate(try await office.open("2026-04").runID)
            try await write(office.host) { try QualityEvents.recall(recall, $0) }
            try await office.approve(frozen)
            #expect(shown(try await office.statement("A81001", "2026-04").lines) == ["PCNIIF 13941.88"])
            try await office.pay("2026-05")
            #expect(
                shown(try await office.statement("A81001", "2026-05").lines) == ["PCNIIF -13941.88", "BCFD 13941.88"])
        }
    }

    @Test("what was taken back before any run was frozen stays so, however often it is recalled later")
    func recalledTwice() async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            let (event, recall) = (instruction("I1"), recall("I1"))
            try await write(office.host) {
                try QualityEvents.instruct(event, $0)
                try QualityEvents.recall(recall, $0)
            }
            try await office.pay("2026-04")
            try await write(office.host) { try QualityEvents.recall(recall, $0) }
            #expect(try items(office.host) == ["cqrs/I1 PCNIIF 1394188 withdrawn"])
        }
    }
}
