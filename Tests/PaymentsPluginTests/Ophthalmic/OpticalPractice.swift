import Accounting
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

/// An ophthalmic contractor on a test host, and short ways to claim.
struct OpticalPractice {
    let office: PaymentsOffice
    let system: TestSubject
    static let code = "A81001"

    static func with(_ body: (OpticalPractice) async throws -> Void) async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            let practice = OpticalPractice(
                office: office,
                system: try await office.host.client("eye", roles: [Roles.ophthalmicClaims], at: code))
            let from = try day("2020-01-01")
            _ = try await practice.service(office.operating).registerContractor(
                .with {
                    ($0.contractorCode, $0.name, $0.commissionerCode) = (code, "Clear Sight Ltd", "16C")
                    $0.committeeName = "Tees Local Optical Committee"
                    $0.effectiveFrom = Pcs_Common_V1_Date(from)
                })
            try await body(practice)
        }
    }

    /// The contractor belongs to a committee with this percentage.
    @discardableResult
    func setLevy(_ percent: String?) async throws -> LevyOffice {
        let levies = LevyOffice(
            office: office, editor: try await office.host.person("eddie", roles: [Roles.commissionerEditor], at: "16C"),
            approver: try await office.host.person("carla", roles: [Roles.commissionerApprover], at: "16C"),
            viewer: office.operating)
        try await levies.setOpticalCommittee(percent, members: [Self.code])
        return levies
    }

    func service(_ subject: TestSubject? = nil) async throws -> Pcs_Payments_V1_OphthalmicServiceClient {
        Pcs_Payments_V1_OphthalmicServiceClient(try await office.transport(subject ?? system))
    }

    /// In messages of at most `piece` claims.
    @discardableResult
    func submit(
        _ claims: [Pcs_Payments_V1_OphthalmicClaimContents], piece: Int = 50
    ) async throws -> Pcs_Payments_V1_OphthalmicBatch {
        try await service().submitOphthalmicClaims(
            stride(from: 0, to: claims.count, by: piece).map { start in
                .with {
                    if start == 0 { $0.contractorCode = Self.code }
                    $0.claims = Array(claims[start..<min(start + piece, claims.count)])
                }
            })
    }

    func get(_ reference: String) async throws -> Pcs_Payments_V1_OphthalmicClaim {
        try await service().getOphthalmicClaim(
            .with { ($0.contractorCode, $0.reference) = (Self.code, reference) })
    }

    func all() async throws -> [Pcs_Payments_V1_OphthalmicClaim] {
        var found: [Pcs_Payments_V1_OphthalmicClaim] = []
        let stream = try await service().listOphthalmicClaims(.with { $0.contractorCode = Self.code })
        for try await claim in stream { found.append(claim) }
        return found
    }

    func export(_ month: String, line: String = "") async throws -> [String] {
        var bytes = Data()
        let month = try PaymentsPluginTests.month(month)
        let stream = try await service().exportOphthalmicClaims(
            .with {
                ($0.contractorCode, $0.lineOrigin) = (Self.code, line)
                $0.month = Pcs_Common_V1_Month(year: month.year, month: month.month)
            })
        for try await chunk in stream { bytes += chunk.data }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\r\n").map(String.init)
    }
}

/// A sound claim of a patient called by the reference.
func opticalClaim(
    _ reference: String, _ form: Pcs_Payments_V1_OphthalmicForm = .gos1, on performed: String = "2026-03-02",
    voucher: String = "", sphere: Int32 = 0, bifocal: Bool = false
) throws -> Pcs_Payments_V1_OphthalmicClaimContents {
    let (performed, born, signed) = (try day(performed), try day("1950-02-03"), try day("2026-03-10"))
    return .with {
        ($0.reference, $0.form) = (reference, form)
        ($0.patientSurname, $0.patientForenames) = ("Patient \(reference)", "Jo Ann")
        $0.patientBorn = Pcs_Common_V1_Date(born)
        $0.eligibility = .aged60
        $0.performedOn = Pcs_Common_V1_Date(performed)
        $0.neverTested = true
        $0.performerNumber = "01-12345"
        $0.performerSignedOn = Pcs_Common_V1_Date(signed)
        $0.contractorSignedOn = Pcs_Common_V1_Date(signed)
        $0.patientSignedOn = Pcs_Common_V1_Date(signed)
        guard !voucher.isEmpty else { return }
        $0.right = .with { $0.sphereHundredths = sphere }
        ($0.bifocal, $0.voucherType, $0.pricePence) = (bifocal, voucher, 30_000)
        $0.prescribedOn = Pcs_Common_V1_Date(performed)
    }
}
