import PaymentsContract
import Testing

@testable import PCSCommand

@Suite("Additional roles on a terminal")
struct AdditionalRolesViewTests {
    @Test("a year lists maximum sum, claimed, approved, paid and left; of one network also roles and months")
    func year() {
        var network = Pcs_Payments_V1_AdditionalRolesNetworkYear()
        (network.pcnCode, network.pcnName) = ("U89141", "STOCKTON PCN")
        (network.maximum.maximumSumPence, network.maximum.leftPence) = (117_176_400, 115_325_545)
        (network.total.claimedPence, network.total.approvedPence) = (1_925_761, 1_850_855)
        network.roles = [.with { ($0.role, $0.approvedPence) = ("GP", 705_880) }]
        network.months = [.with { ($0.month.year, $0.month.month, $0.paidPence) = (2026, 2, 100) }]
        var year = Pcs_Payments_V1_AdditionalRolesYear()
        year.networks = [network]
        let text = AdditionalRolesView.text(year, for: .plain)
        for part in [
            "£1,171,764.00", "£19,257.61", "£18,508.55", "£0.00", "£1,153,255.45", "GP", "£7,058.80",
            "2026-02",
        ] {
            #expect(text.contains(part), "\(part)\n\(text)")
        }
        var other = Pcs_Payments_V1_AdditionalRolesNetworkYear()
        (other.pcnCode, other.obstacle) = ("U07032", "The list is not loaded.")
        year.networks.append(other)
        let both = AdditionalRolesView.text(year, for: .plain)
        #expect(both.contains("not known") && !both.contains("£7,058.80"))
    }
}
