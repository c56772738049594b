import Accounting
import CommonContract
import HostContract
import PaymentsContract
import PensionsContract
import PluginAPI
import PluginTestKit
import SwiftProtobuf
import Testing

@testable import PaymentsPlugin

/// Levies of two committees, each month and each quarter, paid over; a member that was another committee's all along.
final class SandboxLevies: SandboxKind {
    let paycodes: Set = ["LMCS", "LMCV", "LMCP"]
    private let bank: SandboxBank

    init(_ bank: SandboxBank) { self.bank = bank }

    private func desk(_ area: SandboxArea) -> LevyOffice {
        LevyOffice(
            office: area.office, editor: area.people.commissionerEditor,
            approver: area.people.commissionerApprover, viewer: area.office.operating)
    }

    /// Practices that merge, stop, close and change their type are among them; every other one pays voluntarily too.
    private func members(_ area: SandboxArea, _ indexes: [Int]) -> [(
        code: String, mandate: Bool, voluntary: Bool
    )] { indexes.map { (area.practices[$0], true, $0 % 2 == 0) } }

    func prepare(_ area: SandboxArea) async throws {
        try await LevyOffice.registerCommittees(area.office)
        let desk = desk(area)
        let (first, second) = (LevyOffice.committee, LevyOffice.otherCommittee)
        try await desk.setCommittee(first)
        try await desk.setRate("42.5", of: first)
        try await desk.setRate("6.1", .voluntary, of: first)
        try await desk.setMembers(members(area, Array(0..<18)), of: first)
        try await desk.setCommittee(second, .firstMonth)
        try await desk.setRate("39.75", of: second)
        try await desk.setMembers(members(area, Array(20..<28)), of: second)
        try await bank.authorise(area, first)
    }

    func before(_ month: YearMonth, _ area: SandboxArea) async throws {
        guard month.description == "2026-10" else { return }
        try await desk(area).setMembers(
            members(area, [2] + Array(20..<28)), of: LevyOffice.otherCommittee)
    }

    /// C3: what practices are deducted is what committees are paid, differences of earlier months included.
    func after(_ run: Pcs_Payments_V1_Run, _ month: YearMonth, _ area: SandboxArea) async throws {
        for code in [LevyOffice.committee, LevyOffice.otherCommittee] {
            // The second collects in the first month of a quarter.
            guard code == LevyOffice.committee || month.month % 3 == 1 else { continue }
            let remittance = try await desk(area).remittance(month.description, of: code)
            #expect(remittance.deductedPence == remittance.paidOverPence, "\(month) \(code)")
            if code == LevyOffice.committee { #expect(remittance.paidOverPence > 0) }
        }
    }
}

/// Contributions of two members by events of pensions; one leaves in September, and what comes for later is refused.
final class SandboxContributions: SandboxKind {
    let paycodes: Set = ["SPEE", "SPER", "SPAY"]
    private var answered = 0

    private func publish(_ event: some Message & Sendable, _ member: String, _ area: SandboxArea) async throws
    {
        try await area.office.host.store(of: "pensions").write(actor: "test") {
            try $0.publish(event, key: member)
        }
    }

    private func due(
        _ member: String, _ kind: Pcs_Pensions_V1_ContributionKind, _ pence: Int64, _ month: YearMonth,
        _ area: SandboxArea
    ) async throws {
        let practice = area.practices[member == "M1" ? 3 : 11]
        try await publish(
            Pcs_Pensions_V1_ContributionDue.with {
                ($0.contributionID, $0.practiceCode) = ("\(member)-\(kind.rawValue)-\(month)", practice)
                ($0.memberRef, $0.kind, $0.amountPence) = (member, kind, pence)
                ($0.period, $0.reason) = (area.month(month), "estimate 2026/27")
            }, member, area)
    }

    func before(_ month: YearMonth, _ area: SandboxArea) async throws {
        let pence = 53_501 + Int64(month.month) * 13
        for member in ["M1", "M2"] {
            try await due(member, .employee, pence, month, area)
            try await due(member, .employer, pence + 18_407, month, area)
        }
        switch month.description {
        case "2026-05": try await due("M1", .addedYears, 32_003, month, area)
        case "2026-07": try await due("M1", .additionalVoluntary, 10_001, month, area)
        case "2026-09":
            let (lastDay, practice) = (try area.date("2026-09-14"), area.practices[11])
            try await publish(
                Pcs_Pensions_V1_MemberLeft.with {
                    ($0.memberRef, $0.practiceCode, $0.lastDay) = ("M2", practice, lastDay)
                    $0.reason = "leaver form"
                }, "M2", area)
        case "2026-12":
            try await withdraw("M1-\(Pcs_Pensions_V1_ContributionKind.addedYears.rawValue)-2026-05", area)
        default: break
        }
        try await area.office.host.eventsDelivered()
    }

    /// Paid in May, withdrawn in December.
    private func withdraw(_ id: String, _ area: SandboxArea) async throws {
        try await publish(
            Pcs_Pensions_V1_ContributionWithdrawn.with {
                ($0.contributionID, $0.memberRef, $0.reason) = (id, "M1", "bought twice")
            }, "M1", area)
    }

    /// Pensions is told of each line once, and of each refusal.
    func after(_ run: Pcs_Payments_V1_Run, _ month: YearMonth, _ area: SandboxArea) async throws {
        try await area.office.host.eventsDelivered()
        let answers = try area.office.host.store(of: "pensions").read { reader in
            try reader.all(PensionsArea.answers) { $0.text(0) }
        }
        let deducted = answers.filter { $0.hasPrefix(run.runID + "/") }
        let extra = [5, 7, 12].contains(month.month) ? 1 : 0
        let hasLeft = month.description > "2026-09"
        #expect(deducted.count == (hasLeft ? 2 : 4) + extra, "\(month)")
        #expect(answers.count - answered - deducted.count == (hasLeft ? 2 : 0), "\(month)")
        answered = answers.count
    }
}

/// A paycode held for four months and given back, an amount held once, a debt set off in five parts.
final class SandboxWithholding: SandboxKind {
    let paycodes: Set = ["WHLD", "WREL", "RECO"]
    private var held: [(id: String, payee: String)] = []

    private func service(_ area: SandboxArea, _ subject: TestSubject) async throws
        -> Pcs_Payments_V1_WithholdingServiceClient
    { Pcs_Payments_V1_WithholdingServiceClient(try await area.office.transport(subject)) }

    private func hold(
        _ payee: String, paycode: String = "", pence: Int64 = 0, _ month: YearMonth, _ area: SandboxArea
    )
        async throws
    {
        let proposed = try await service(area, area.people.commissionerEditor).proposeWithholding(
            .with {
                ($0.payeeCode, $0.reason) = (payee, "list validation not returned")
                ($0.paycode, $0.amountPence, $0.firstMonth) = (paycode, pence, area.month(month))
            })
        _ = try await service(area, area.people.commissionerApprover).decideWithholding(
            .with { ($0.withholdingID, $0.payeeCode, $0.approve) = (proposed.withholdingID, payee, true) })
        held.append((proposed.withholdingID, payee))
    }

    private func releaseAll(_ area: SandboxArea) async throws {
        for (id, payee) in held {
            _ = try await service(area, area.people.commissionerEditor).proposeRelease(
                .with { ($0.withholdingID, $0.payeeCode, $0.reason) = (id, payee, "returned now") })
            _ = try await service(area, area.people.commissionerApprover).decideRelease(
                .with { ($0.withholdingID, $0.payeeCode, $0.approve) = (id, payee, true) })
        }
    }

    func before(_ month: YearMonth, _ area: SandboxArea) async throws {
        switch month.description {
        case "2026-06":
            // Differences of the paycode are held with it: the price award, a list that comes late.
            try await hold(area.practices[13], paycode: "PMSB", month, area)
            try await hold(area.practices[12], paycode: "GSUM", month, area)
            try await hold(area.practices[15], pence: 25_003, month, area)
            try await setOff(area.practices[23], month, area)
        case "2026-10": try await releaseAll(area)
        default: break
        }
    }

    private func setOff(_ payee: String, _ month: YearMonth, _ area: SandboxArea) async throws {
        let proposed = try await service(area, area.people.commissionerEditor).proposeSetOff(
            .with {
                ($0.payeeCode, $0.amountPence, $0.months, $0.reason) = (payee, 123_457, 5, .overpayment)
                ($0.debtReference, $0.note) = ("invoice 2026/17", "rent paid twice in 2025")
                $0.firstMonth = area.month(month)
            })
        _ = try await service(area, area.people.commissionerApprover).decideSetOff(
            .with { ($0.setOffID, $0.payeeCode, $0.approve) = (proposed.setOffID, payee, true) })
    }

    /// All that was held is given back, to the penny, and the whole debt is taken.
    func after(_ run: Pcs_Payments_V1_Run, _ month: YearMonth, _ area: SandboxArea) async throws {
        let editor = try await service(area, area.people.commissionerEditor)
        for payee in held.map(\.payee) {
            let holdings = try await editor.listWithholdings(.with { $0.payeeCode = payee }).withholdings
            let isReleased = month.description >= "2026-10"
            #expect(holdings.allSatisfy { ($0.heldPence == 0) == isReleased }, "\(month) \(payee)")
        }
        guard month.description == "2026-10" else { return }
        let payee = area.practices[23]
        let setOffs = try await editor.listSetOffs(.with { $0.payeeCode = payee }).setOffs
        #expect(setOffs.map(\.recoveredPence) == [123_457])
    }
}
