import Accounting
import CommonContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

/// Notional rents: of a practice whose contract changes its type, of one whose contract turns out to have ended long
/// before, one determined late, one with private use while no threshold is set.
final class SandboxRents: SandboxKind {
    let paycodes: Set = ["PRNT"]

    private func determine(
        _ index: Int, _ annual: String, from: String, privateUse: Int32 = 0, _ area: SandboxArea
    ) async throws {
        func service(_ subject: TestSubject) async throws -> Pcs_Payments_V1_PremisesServiceClient {
            Pcs_Payments_V1_PremisesServiceClient(try await area.office.transport(subject))
        }
        var request = try RentDesk.request(.notional, annual, from: from, practice: area.practices[index])
        request.privateUseHundredths = privateUse
        let proposed = try await service(area.people.commissionerEditor).proposeRent(request)
        let decided = try await service(area.people.commissionerApprover).decideRent(
            .with { ($0.rentID, $0.practiceCode, $0.approve) = (proposed.rentID, request.practiceCode, true) })
        #expect(decided.state == .approved)
    }

    func prepare(_ area: SandboxArea) async throws {
        try await determine(8, "24000.07", from: "2026-04-01", area)
        try await determine(24, "31234.56", from: "2026-04-16", area)
        try await determine(33, "18000.01", from: "2026-04-01", privateUse: 1_234, area)
    }

    func before(_ month: YearMonth, _ area: SandboxArea) async throws {
        switch month.description {
        case "2026-09": try await determine(20, "40001.01", from: "2026-05-16", area)
        case "2026-12": try await determine(8, "25500.10", from: "2026-10-01", area)
        default: break
        }
    }

    func after(_ run: Pcs_Payments_V1_Run, _ month: YearMonth, _ area: SandboxArea) async throws {
        let exceptions = try await area.office.exceptions(run.runID)
        #expect(exceptions.filter { $0.kind == .signContradicted }.map(\.message) == [])
        guard month.description == "2026-09" else { return }
        let lines = try await area.office.statement(area.practices[20], month.description).lines
        // A month in part and three whole ones.
        #expect(lines.count { $0.paycode == "PRNT" && $0.isRetro } == 4)
    }
}
