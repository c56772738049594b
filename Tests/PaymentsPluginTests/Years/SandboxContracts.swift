import Accounting
import CommonContract
import PaymentsContract
import PluginAPI
import Testing

/// Contracts of all three types; a change of type, a merger within a quarter, a stop that is lifted, terms put right
/// months later.
final class SandboxContracts: SandboxKind {
    let paycodes: Set = ["GSUM", "GSLON", "GSTPA", "GSOOH", "GSMIN", "PMSB", "APMSB"]

    static func row(
        _ code: String, from: String = "2004-04-01", to: String = "", payee: String? = nil,
        minorSurgery: Bool = false,
        temporary: String = "0", london: String = "NONE", isStopped: Bool = false
    ) -> String {
        "\(code),PRACTICE \(code),GMS,\(from),\(to),16C,Y63,\(payee ?? code),Y,\(minorSurgery ? "Y" : "N"),"
            + "\(temporary),0,\(london),,,,\(isStopped ? "Y" : "N")"
    }

    /// Five of eight practices are GMS, two PMS, one APMS.
    static func first(_ code: String, _ index: Int) -> String {
        func local(_ type: String, _ to: String, _ basis: String) -> String {
            "\(code),PRACTICE \(code),\(type),2004-04-01,\(to),16C,Y63,\(code),,,,,,\(basis),"
        }
        return switch index % 8 {
        case 0: row(code)
        case 1: row(code, minorSurgery: true)
        case 2: row(code, temporary: "3601.01")
        case 3: row(code, london: "COUNTED")
        case 4: row(code, minorSurgery: true, temporary: "1234.56", london: "ALL_REGISTERED")
        case 5: local("PMS", "", "WEIGHTED,,131.4567")
        case 6: local("PMS", "", "FIXED,912345.61,")
        default: local("APMS", "2028-04-01", "RAW,,128.0001")
        }
    }

    func prepare(_ area: SandboxArea) async throws {
        try await area.load(area.practices.enumerated().map { Self.first($1, $0) })
    }

    func before(_ month: YearMonth, _ area: SandboxArea) async throws {
        let practices = area.practices
        switch month.description {
        case "2026-07":
            // A change of type on a quarter day (payments.md 2.4).
            let changed = practices[8]
            try await area.load([
                "\(changed),PRACTICE \(changed),PMS,2026-07-01,,16C,Y63,\(changed),,,,,,WEIGHTED,,124.5000,"
            ])
        case "2026-08":
            // E19: until the quarter ends the survivor gets both.
            try await area.load([
                Self.row(
                    practices[10], from: "2026-08-01", to: "2026-10-01", payee: practices[9],
                    temporary: "3601.01")
            ])
        case "2026-11":
            try await area.load([Self.row(practices[16], from: "2026-11-01", isStopped: true)])
        case "2027-01":
            try await area.load([Self.row(practices[16], from: "2026-11-01")])
            // Found out in January: opted out of minor surgery, and more temporary patients, since October.
            try await area.load([
                Self.row(practices[0], from: "2026-10-01", minorSurgery: true, temporary: "900.00")
            ])
        case "2027-02":
            // A practice that closed within a month long past: the whole time since comes back.
            try await area.load([Self.row(practices[24], from: "2026-12-10", to: "2026-12-15")])
        default: break
        }
    }
}

/// Lists of each quarter; some PMS lists late; corrections of lists long paid on.
final class SandboxLists: SandboxKind {
    /// The last correction takes back more than a month pays.
    let paycodes: Set = ["BCFD"]

    static func row(_ code: String, _ index: Int, quarter: Int, plus: Int = 0) -> String {
        let registered = 3_000 + index * 311 + quarter * 17 + plus
        let weighted = registered * 100 + (index * 7_919 + quarter * 104_729) % 40_000 - 20_000
        return
            "\(code),\(registered),\(ExactDecimal(mantissa: Int64(weighted), scale: 2)),\(registered / 3)"
    }

    private let quarters = ["2026-04-01", "2026-07-01", "2026-10-01", "2027-01-01"]

    private func load(_ area: SandboxArea, _ quarter: Int, where isIncluded: (Int) -> Bool) async throws {
        let merged = quarter >= 2 ? [10] : []
        let rows = area.practices.enumerated().filter { isIncluded($0.offset) && !merged.contains($0.offset) }
            .map { index, code in
                // From October the survivor's list is both.
                Self.row(code, index, quarter: quarter, plus: quarter >= 2 && index == 9 ? 6_100 : 0)
            }
        try await area.office.loadLists(quarters[quarter], rows.joined(separator: "\n"))
    }

    func before(_ month: YearMonth, _ area: SandboxArea) async throws {
        switch month.description {
        case "2026-04": try await load(area, 0) { _ in true }
        // PMS by list comes a month late: paid on the last quarter's meanwhile (payments.md 4).
        case "2026-07": try await load(area, 1) { $0 % 8 != 5 }
        case "2026-08": try await load(area, 1) { $0 % 8 == 5 }
        case "2026-10": try await load(area, 2) { _ in true }
        case "2027-01": try await load(area, 3) { _ in true }
        case "2026-12":
            let wrong = [0, 3, 5, 7, 17].map {
                Self.row(area.practices[$0], $0, quarter: 1, plus: 53 - $0 * 20)
            }
            try await area.office.loadLists("2026-07-01", wrong.joined(separator: "\n"))
        case "2027-03":
            // A list that was ten times too long, found out at the end: more than a month's money comes back.
            try await area.office.loadLists("2027-01-01", "\(area.practices[2]),300,310.25,0")
        default: break
        }
    }
}

/// A price award in September back to April (E3), and its like for networks.
final class SandboxPrices: SandboxKind {
    let paycodes: Set = ["PCNEA"]

    func before(_ month: YearMonth, _ area: SandboxArea) async throws {
        let office = area.office
        switch month.description {
        case "2026-09":
            try await office.setRate("global_sum_price", "134.9123", from: "2026-04-01", to: "2027-04-01")
        case "2026-10":
            try await office.setRate("network_enhanced_access", "8.551", from: "2026-04-01", to: "2027-04-01")
        case "2027-01":
            try await office.setRate(
                "out_of_hours_percent", "4.72", from: "2026-10-01", to: "2027-04-01", unit: .percent)
        default: break
        }
    }
}

/// Networks: populations, beds that change and are told late, another payee.
final class SandboxNetworks: SandboxKind {
    let paycodes: Set = ["PCNCOR", "PCNCHP", "NPP"]

    private func service(_ area: SandboxArea) async throws -> Pcs_Payments_V1_NetworkServiceClient {
        Pcs_Payments_V1_NetworkServiceClient(try await area.office.transport(area.office.operating))
    }

    func prepare(_ area: SandboxArea) async throws {
        let rows = area.networks.enumerated().map { index, code in
            "\(code),\(41_003 + index * 1_777),\(44_872 + index * 1_901).3\(index),\(43_000 + index * 1_800).0\(index)"
        }
        let load = try await area.office.proposeNetworks("2026/27", rows)
        _ = try await area.office.networks(area.office.approver).decideNetworkPopulations(
            .with {
                ($0.loadID, $0.approve) = (load.loadID, true)
                $0.controlTotalRegistered = load.registeredPatients
                $0.controlTotalAdjustedHundredths = load.adjustedPatientsHundredths
            })
        try await area.office.setRate(
            "network_care_home_bed", "130.253", from: "2026-04-01", to: "2027-04-01")
    }

    func before(_ month: YearMonth, _ area: SandboxArea) async throws {
        // In May the beds of April, in August those of June, in November those of September.
        if [5, 8, 11].contains(month.month) {
            for (index, code) in area.networks.enumerated() {
                _ = try await service(area).setCareHomeBeds(
                    .with {
                        ($0.pcnCode, $0.reason) = (code, "register of the inspectorate")
                        $0.month = area.month(month.adding(months: month.month == 5 ? -1 : -2))
                        $0.beds = Int32(90 + index * 31 + month.month)
                    })
            }
        }
        if month.description == "2026-06" {
            let from = try area.date("2026-06-01")
            let proposed = try await service(area).setNominatedPayee(
                .with {
                    ($0.pcnCode, $0.payeeCode, $0.effectiveFrom) = (area.networks[0], area.practices[5], from)
                    ($0.declarationDocumentID, $0.signaturesVerifiedBy) = ("DOC-1", "Cas of the commissioner")
                    $0.reason = "banking declaration signed"
                })
            _ = try await area.office.networks(area.office.approver).decideNominatedPayee(
                .with {
                    ($0.pcnCode, $0.proposalID) = (area.networks[0], proposed.proposalID)
                    $0.approve = true
                })
        }
    }
}
