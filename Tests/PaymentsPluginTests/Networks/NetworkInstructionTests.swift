import Accounting
import CommonContract
import CqrsContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@testable import PaymentsPlugin

/// Instructions of the quality service for networks (payments.md 8): on the network's statement, and never beside what is
/// calculated here.
@Suite("Instructions for networks (payments.md 8)")
struct NetworkInstructionTests {
    private func instruct(
        _ office: PaymentsOffice, _ id: String, _ code: String, pence: Int64 = 100_000, provider: String = "U89141",
        payee: String = "A81002", month: Pcs_Common_V1_Month = .init(year: 2026, month: 4)
    ) async throws {
        let event = Pcs_Cqrs_V1_PaymentInstructed.with {
            ($0.instructionID, $0.declarationID, $0.serviceCode) = (id, "d-" + id, code)
            ($0.providerCode, $0.payeeCode, $0.payCode, $0.grossPence) = (provider, payee, code, pence)
            ($0.period, $0.commissionerCode) = (month, "16C")
            $0.releaseDate = .with { ($0.year, $0.month, $0.day) = (2026, 4, 2) }
        }
        try await office.host.store(of: "payments").write(actor: "cqrs") { try QualityEvents.instruct(event, $0) }
    }

    private func approved(_ office: PaymentsOffice, _ id: String, _ provider: String, pence: Int64) async throws {
        let event = Pcs_Cqrs_V1_AchievementApproved.with {
            ($0.declarationID, $0.providerCode, $0.serviceCode) = ("d-" + id, provider, "PCNCORE2627")
            ($0.financialYear, $0.amountPence) = ("2026/27", pence)
            $0.achievementDate = .with { ($0.year, $0.month, $0.day) = (2026, 4, 30) }
            $0.releaseDate = .with { ($0.year, $0.month, $0.day) = (2026, 4, 2) }
        }
        try await office.host.store(of: "payments").write(actor: "cqrs") { try QualityEvents.achieved(event, $0) }
    }

    @Test("what is calculated here is refused, so that a network and its practices are paid once; the rest goes through")
    func once() async throws {
        try await PaymentsOffice.with(others: [QualityArea.self]) { office in
            try await office.host.loadOrganisations()
            try await office.loadContracts("A81001,One,APMS,2026-01-01,2028-04-01,16C,Y63,,,,,,,FIXED,120000.00,,")
            try await office.loadLists("2026-04-01", "A81001,9873,10000.00,0")
            try await office.loadNetworks("2026/27", "U89141,43210,44872.35,44000.00")
            try await approved(office, "I-CORE", "U89141", pence: 11_118_57)
            for code in ["PCNCORE", "PCNEA", "PCNCARE", "PCNCSP"] {
                try await instruct(office, "I-" + code.dropFirst(3), code)
            }
            try await instruct(office, "I-NPP", "PCNNPP", provider: "A81001", payee: "A81001")
            try await instruct(office, "I-IIF", "PCNIIF")
            // Before networks were paid here nothing else pays it.
            try await instruct(office, "I-OLD", "PCNCORE", pence: 5_000, month: .init(year: 2022, month: 9))
            // Delivered again.
            try await instruct(office, "I-CORE", "PCNCORE")
            let run = try await office.calculate(try await office.open("2026-04").runID)
            let seen = try await office.exceptions(run.runID).filter { $0.message.contains("refused") }
            #expect(seen.count == 5)
            #expect(seen.allSatisfy { $0.severity == .warning && $0.message.contains("calculated here") })
            // An achievement whose instruction is refused is not missing.
            #expect(try await office.exceptions(run.runID).allSatisfy { !$0.message.contains("no instruction") })
            try await office.approve(run)
            #expect(
                shown(try await office.statement("U89141", "2026-04").lines)
                    == ["PCNCOR 11118.57", "PCNIIF 1000.00", "PCNCOR 50.00"])
            #expect(
                shown(try await office.statement("A81001", "2026-04").lines) == ["APMSB 10000.00", "NPP 1467.50"])
            try await office.host.eventsDelivered()
            let told = try office.host.store(of: "cqrs").read { try $0.all(QualityArea.refusals) { $0.text(0) } }
            #expect(
                told == ["CARE", "CORE", "CSP", "EA", "NPP"].map { "NETWORK_CALCULATED_HERE I-\($0)" })
        }
    }

    @Test("capacity improvement has its own paycode on the network's statement, and a year's most that stops the run")
    func capacityImprovement() async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            try await office.loadNetworks("2026/27", "U89141,43210,44872.35,44000.00")
            // 1.375 x 44,872.35 = 61,699.48
            try await office.setRate(
                "network_capacity_improvement", "1.375", from: "2026-04-01", to: "2027-04-01")
            func bounds(_ runID: String) async throws -> [String] {
                try await office.exceptions(runID).filter { $0.paycode == "PCNCIP" }.map { "\($0.kind): \($0.message)" }
            }
            try await instruct(office, "C1", "PCNCIP", pence: 61_699_48)
            let first = try await office.calculate(try await office.open("2026-04").runID)
            #expect(try await bounds(first.runID).isEmpty)
            try await office.approve(first)
            let statement = try await office.statement("U89141", "2026-04")
            #expect(shown(statement.lines) == ["PCNCOR 11118.57", "PCNCIP 61699.48"])
            try await instruct(office, "C2", "PCNCIP", pence: 1)
            let second = try await office.calculate(try await office.open("2026-05").runID)
            #expect(
                try await bounds(second.runID) == [
                    "amountOutOfBounds: 61699.49 for 2026/27, at most 61699.48"
                ])
        }
    }
}

/// An area that keeps what payments tells the quality service.
struct QualityArea: Plugin {
    static let manifest = PluginManifest(
        name: "cqrs", version: "0.1.0", summary: "Listens for tests", owners: ["tests"],
        publishes: [
            Pcs_Cqrs_V1_PaymentInstructed.protoMessageName, Pcs_Cqrs_V1_PaymentRecalled.protoMessageName,
            Pcs_Cqrs_V1_AchievementApproved.protoMessageName, Pcs_Cqrs_V1_AspirationSet.protoMessageName,
        ])
    static let migrations: [Migration] = [
        Migration(
            version: 1, name: "refusals",
            statements: ["CREATE TABLE refusal (told TEXT PRIMARY KEY NOT NULL) STRICT"])
    ]
    let methods: [BoundMethod] = []
    init(_ context: PluginContext) throws {}

    private static let insert = Statement("INSERT INTO refusal (told) VALUES (?1)")
    static let refusals = Statement("SELECT told FROM refusal ORDER BY told")

    var subscriptions: [Subscription] {
        [
            Subscription(to: Pcs_Payments_V1_PaymentInstructionRefused.self, from: "payments") {
                event, _, transaction in
                try transaction.run(Self.insert, [.text("\(event.code) \(event.instructionID)")])
            }
        ]
    }
}
