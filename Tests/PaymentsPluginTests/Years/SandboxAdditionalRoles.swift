import CommonContract
import Foundation
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

/// Additional roles of two networks: a claim each month by file, people who come and go, rows made smaller, a month
/// corrected in both directions, and one network that reaches its maximum sum.
final class SandboxAdditionalRoles: SandboxKind {
    let paycodes: Set = ["PCNARR"]
    private var people: [String: (submitter: TestSubject, approver: TestSubject)] = [:]
    private var approved: [String: Int64] = [:]

    private func service(_ area: SandboxArea, _ subject: TestSubject) async throws
        -> Pcs_Payments_V1_AdditionalRolesServiceClient
    {
        Pcs_Payments_V1_AdditionalRolesServiceClient(try await area.office.transport(subject))
    }

    func prepare(_ area: SandboxArea) async throws {
        let office = area.office
        for code in area.networks.prefix(2) {
            people[code] = (
                try await office.host.person(
                    "sub-\(code.lowercased())", roles: [Roles.pcnSubmitter], at: code),
                try await office.host.person("app-\(code.lowercased())", roles: [Roles.pcnApprover], at: code)
            )
        }
        // The second network has 44,800.01 weighted patients: 358,400.08.
        try await office.setRate("network_additional_roles", "8.00", from: "2026-04-01", to: "2027-04-01")
        let text = """
            role,area,effective_from,effective_to,annual_maximum,grade,source,note
            GP,ALL,2026-04-01,2027-04-01,107000.00,P,test,
            PHARMACIST,ALL,2026-04-01,2027-04-01,64999.99,P,test,
            SUPPORT_WORKER_BAND_3,ALL,2026-04-01,2027-04-01,33333.33,P,test,

            """
        let set = try await office.rates().proposeRates([
            .with {
                ($0.kind, $0.reason, $0.fileName) = (.additionalRoles, "maxima of the year", "maxima.csv")
                $0.data = Data(text.utf8)
            }
        ])
        _ = try await office.rates(office.secondEditor).approveRates(
            .with { ($0.setID, $0.approve) = (set.setID, true) })
    }

    func before(_ month: YearMonth, _ area: SandboxArea) async throws {
        let claimed = month.adding(months: -1)
        guard claimed.description >= "2026-04" else { return }
        for (index, code) in area.networks.prefix(2).enumerated() {
            try await claim(claimed, of: code, rows(claimed, index), adjusts: claimed.month == 7, area)
        }
        // In November September is claimed anew: one more, one gone, one dearer.
        if month.description == "2026-11" {
            let september = month.adding(months: -2)
            var lines = rows(september, 0)
            lines.removeFirst()
            lines.append("N-0,SUPPORT_WORKER_BAND_3,2026-09-10,,0.75,2011.13,250.01,399.99")
            try await claim(september, of: area.networks[0], lines, adjusts: false, area)
        }
    }

    private func rows(_ month: YearMonth, _ index: Int) -> [String] {
        var rows = [
            "G-\(index)1,GP,2026-04-01,,0.80,7000.\(10 + month.month),800.00,1200.07",
            "P-\(index)1,PHARMACIST,2026-05-11,,1.00,4100.00,480.5\(month.month % 10),700.00",
            "P-\(index)2,PHARMACIST,2025-01-01,2026-12-17,0.60,2400.00,290.00,430.00",
        ]
        if month.description < "2026-05" { rows.remove(at: 1) }
        if month.description > "2026-12" { rows.removeLast() }
        if index == 1 {
            rows += (1...5).map { "G-1\($0 + 1),GP,2026-04-01,,1.00,9100.00,990.00,\(1000 + $0).31" }
        }
        return rows
    }

    private func claim(
        _ month: YearMonth, of code: String, _ rows: [String], adjusts: Bool, _ area: SandboxArea
    ) async throws {
        let people = try #require(people[code])
        let (editor, approver) = (area.people.commissionerEditor, area.people.commissionerApprover)
        let claimed = area.month(month)
        let draft = try await service(area, people.submitter).uploadClaim([
            .with {
                ($0.pcnCode, $0.month, $0.fileName) = (code, claimed, "roles.csv")
                $0.data = Data((RolesDesk.header + rows.joined(separator: "\n") + "\n").utf8)
            }
        ])
        let submitted = try await service(area, people.approver).submitClaim(
            .with { ($0.pcnCode, $0.claimID, $0.version) = (code, draft.claimID, draft.version) })
        let reviewed = try await service(area, editor).reviewClaim(
            .with {
                ($0.pcnCode, $0.claimID, $0.version) = (code, submitted.claimID, submitted.version)
                guard adjusts else { return }
                $0.adjustments = [
                    .with {
                        ($0.rowNumber, $0.payablePence, $0.reason) = (1, 500_011, "on leave without pay")
                    }
                ]
            })
        let decided = try await service(area, approver).decideClaim(
            .with {
                ($0.pcnCode, $0.claimID, $0.version) = (code, reviewed.claimID, reviewed.version)
                $0.decision = .approve
            })
        #expect(decided.decidedBy == "cas")
        approved["\(code) \(month)"] = decided.payablePence
    }

    /// What was approved is paid, and never more than the maximum sum.
    func after(_ run: Pcs_Payments_V1_Run, _ month: YearMonth, _ area: SandboxArea) async throws {
        for code in area.networks.prefix(2) {
            let due = approved.filter { $0.key.hasPrefix(code) }.values.reduce(0, +)
            let year = try #require(
                try await service(area, people[code]?.submitter ?? area.office.operating).getYear(
                    .with { ($0.organisationCode, $0.financialYear) = (code, "2026/27") }
                ).networks.first)
            #expect(year.total.approvedPence == due && year.total.paidPence == due, "\(code) \(month)")
            #expect(due <= year.maximum.maximumSumPence, "\(code) \(month)")
            if month.description == "2027-03", code == area.networks[1] {
                #expect(year.maximum.leftPence == 0)
            }
        }
    }
}
