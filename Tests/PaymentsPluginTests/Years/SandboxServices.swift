import Accounting
import CommonContract
import CqrsContract
import Foundation
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@testable import PaymentsPlugin

/// Dispensing three months in arrears: a file corrected after its month was paid, and a scale put right late.
final class SandboxDispensing: SandboxKind {
    let paycodes: Set = ["RDRG", "RDIS", "RFEE", "PVAT", "RXCH"]

    private func load(_ month: YearMonth, _ rows: [String], _ area: SandboxArea) async throws {
        let office = area.office
        let text = ([DispensingFile.columns.joined(separator: ",")] + rows).joined(separator: "\n") + "\n"
        let operating = Pcs_Payments_V1_DispensingServiceClient(try await office.transport(office.operating))
        let load = try await operating.loadDispensing([
            .with {
                ($0.month, $0.fileName, $0.data) = (area.month(month), "dispensing.csv", Data(text.utf8))
            }
        ])
        let approver = Pcs_Payments_V1_DispensingServiceClient(try await office.transport(office.approver))
        let decided = try await approver.decideDispensing(
            .with {
                ($0.loadID, $0.authorise, $0.controlTotalPence) = (load.loadID, true, load.basicPricePence)
            })
        #expect(decided.state == .authorised)
    }

    private func row(_ index: Int, _ month: YearMonth, plus: Int = 0, _ area: SandboxArea) -> String {
        let (price, prescriptions) = (1_811 + index * 577 + plus * 3, 301 + index * 97 + plus)
        let kind = index % 2 == 0 ? "PRESCRIBING" : "DISPENSING"
        return
            "\(area.practices[index]),\(month),\(kind),\(prescriptions),\(1 + index % 3),\(price).\(10 + index),"
            + "\(100 + index).07,\(50 + index).50"
    }

    private func setBands(_ rows: [String], _ area: SandboxArea) async throws {
        let text = ([DispensingBandFile.columns.joined(separator: ",")] + rows).joined(separator: "\n") + "\n"
        let set = try await area.office.rates().proposeRates([
            .with {
                ($0.kind, $0.reason, $0.fileName) = (.dispensingBands, "scales of the year", "bands.csv")
                $0.data = Data(text.utf8)
            }
        ])
        _ = try await area.office.rates(area.office.secondEditor).approveRates(
            .with { ($0.setID, $0.approve) = (set.setID, true) })
    }

    func prepare(_ area: SandboxArea) async throws {
        try await setBands(
            ["DISPENSING_FEE", "PRESCRIBING_FEE"].flatMap {
                [
                    "\($0),2026-04-01,2027-04-01,1,472,231.3,P,test,",
                    "\($0),2026-04-01,2027-04-01,473,,218.9,P,test,",
                ]
            }, area)
    }

    func before(_ month: YearMonth, _ area: SandboxArea) async throws {
        // Data of a month come in the next one, and are paid two later.
        let earned = month.adding(months: -1)
        if earned.description >= "2026-04" {
            try await load(earned, [1, 4, 5, 16].map { row($0, earned, area) }, area)
        }
        switch month.description {
        case "2026-10":
            let june = earned.adding(months: -3)
            try await load(june, [row(4, june, plus: 211, area), row(5, june, plus: -40, area)], area)
        case "2027-01":
            try await setBands(
                [
                    "DISPENSING_FEE,2026-04-01,2027-04-01,1,400,233.7,P,test,",
                    "DISPENSING_FEE,2026-04-01,2027-04-01,401,,217.3,P,test,",
                ], area)
        default: break
        }
    }
}

/// Aspiration by events: a figure that replaces a provisional one, a practice that stops and one that closes, and two
/// achievements paid less what was paid ahead, one of them a recovery.
final class SandboxAspiration: SandboxKind {
    let paycodes: Set = ["QASP", "QACH", "QREC"]
    static let monthly: Int64 = 301_007

    private func aspire(_ index: Int, _ pence: Int64, _ area: SandboxArea) async throws {
        try await QualityPost(host: area.office.host).aspiration(
            area.practices[index], "2026/27", prior: pence * 15, monthly: pence)
    }

    func prepare(_ area: SandboxArea) async throws {
        for index in [13, 14, 15, 16, 24] { try await aspire(index, Self.monthly + Int64(index) * 101, area) }
    }

    func before(_ month: YearMonth, _ area: SandboxArea) async throws {
        switch month.description {
        case "2026-08": try await aspire(15, Self.monthly + 9_999, area)
        case "2027-03":
            let post = QualityPost(host: area.office.host)
            for (index, pence) in [(13, Int64(5_000_123)), (14, 3_000_456)] {
                try await post.instruct(
                    QualityPost.instruction(
                        "QOF-\(index)", "D-\(index)", area.practices[index], pence: pence,
                        release: "2027-03-01"))
            }
        default: break
        }
    }

    func after(_ run: Pcs_Payments_V1_Run, _ month: YearMonth, _ area: SandboxArea) async throws {
        guard month.description == "2027-03" else { return }
        for (index, pence) in [(13, Int64(5_000_123)), (14, 3_000_456)] {
            let lines = try await area.office.statement(area.practices[index], month.description).lines
            let balance = lines.filter { ["QACH", "QREC"].contains($0.paycode) }.map(\.amountPence)
            #expect(balance == [pence - 12 * (Self.monthly + Int64(index) * 101)])
        }
    }
}

/// Baselines of the year agreed half a year late.
final class SandboxBaselines: SandboxKind {
    let paycodes: Set = ["PMSB"]

    func before(_ month: YearMonth, _ area: SandboxArea) async throws {
        guard month.description == "2026-10" else { return }
        func service(_ subject: TestSubject) async throws -> Pcs_Payments_V1_BaselineServiceClient {
            Pcs_Payments_V1_BaselineServiceClient(try await area.office.transport(subject))
        }
        let editor = try await service(area.people.commissionerEditor)
        for index in [14, 22, 29] {
            let code = area.practices[index]
            _ = try await editor.openBaselineYear(
                .with { ($0.practiceCode, $0.financialYear) = (code, "2026/27") })
            let proposed = try await editor.proposeBaseline(
                .with {
                    ($0.practiceCode, $0.financialYear, $0.note) = (code, "2026/27", "agreed for the year")
                    if index == 29 {
                        ($0.basis, $0.priceMicropounds) = (.weighted, 133_210_100)
                    } else {
                        ($0.basis, $0.annualPence) = (.fixed, 93_824_754 + Int64(index))
                    }
                })
            let approved = try await service(area.people.commissionerApprover).decideBaseline(
                .with { ($0.practiceCode, $0.baselineID, $0.approve) = (code, proposed.baselineID, true) })
            #expect(approved.version > 0)
        }
    }

    /// Six months of difference, in one run.
    func after(_ run: Pcs_Payments_V1_Run, _ month: YearMonth, _ area: SandboxArea) async throws {
        guard month.description == "2026-10" else { return }
        let lines = try await area.office.statement(area.practices[14], month.description).lines
        #expect(lines.count { $0.paycode == "PMSB" && $0.isRetro } == 6)
    }
}
