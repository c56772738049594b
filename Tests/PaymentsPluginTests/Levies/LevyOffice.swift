import Accounting
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

/// A commissioner with two practices and a committee in the register, and short ways to instruct levies.
struct LevyOffice {
    let office: PaymentsOffice
    let editor: TestSubject
    let approver: TestSubject
    let viewer: TestSubject
    static let committee = "LOCALLMC1"
    static let otherCommittee = "LOCALLMC2"

    static func with(_ body: (LevyOffice) async throws -> Void) async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            try await registerCommittees(office)
            try await office.loadContracts(
                "A81001,One,GMS,2026-04-01,,16C,Y63,,Y,,,,,,,,",
                "A81002,Two,PMS,2026-04-01,,16C,Y63,,,,,,,FIXED,938247.54,,")
            try await office.loadLists("2026-04-01", "A81001,9873,10000.00,0", "A81002,9100,9120.40,0")
            try await body(
                LevyOffice(
                    office: office,
                    editor: try await office.host.person(
                        "eddie", roles: [Roles.commissionerEditor], at: "16C"),
                    approver: try await office.host.person(
                        "cas", roles: [Roles.commissionerApprover], at: "16C"),
                    viewer: try await office.host.person("lena", roles: [Roles.lmcViewer], at: committee)))
        }
    }

    static func registerCommittees(_ office: PaymentsOffice) async throws {
        let organisations = Pcs_Host_V1_OrganisationServiceClient(
            try await office.host.transport(.unixSocket))
        for code in [committee, otherCommittee] {
            _ = try await organisations.registerLocalOrganisation(
                .with {
                    ($0.code, $0.kind, $0.name) = (code, .localMedicalCommittee, "LMC \(code.suffix(1))")
                    ($0.addressLines, $0.postcode, $0.town) = (["3 CHURCH ROAD"], "S81 7AA", "WORKSOP")
                    $0.reason = "levies are paid to it"
                })
        }
    }

    func service(_ subject: TestSubject) async throws -> Pcs_Payments_V1_LevyServiceClient {
        Pcs_Payments_V1_LevyServiceClient(try await office.transport(subject))
    }

    func propose(
        _ change: (inout Pcs_Payments_V1_ProposeLevyInstructionRequest) -> Void
    ) async throws -> Pcs_Payments_V1_LevyInstruction {
        var request = Pcs_Payments_V1_ProposeLevyInstructionRequest()
        request.commissionerCode = "16C"
        request.authority = "letter of the committee of 2 March, authorised by the board"
        request.reason = "levies of the year"
        change(&request)
        return try await service(editor).proposeLevyInstruction(request)
    }

    @discardableResult
    func approve(_ instruction: Pcs_Payments_V1_LevyInstruction) async throws
        -> Pcs_Payments_V1_LevyInstruction
    {
        try await service(approver).decideLevyInstruction(
            .with {
                ($0.instructionID, $0.commissionerCode, $0.approve) = (instruction.instructionID, "16C", true)
            })
    }

    func setCommittee(
        _ code: String = Self.committee, _ collection: Pcs_Payments_V1_LevyCollection = .eachMonth
    ) async throws {
        let from = try day("2026-04-01")
        try await approve(
            try await propose {
                $0.committee = .with {
                    ($0.committeeCode, $0.name, $0.collection) = (
                        code, "Cleveland LMC \(code.suffix(1))", collection
                    )
                    $0.runBy = .payments
                    $0.effectiveFrom = Pcs_Common_V1_Date(from)
                }
            })
    }

    func setRate(
        _ pence: String, _ kind: Pcs_Payments_V1_LevyKind = .statutory, of code: String = Self.committee,
        from: String = "2026-04-01"
    ) async throws {
        let from = try day(from)
        try await approve(
            try await propose {
                $0.rate = .with {
                    ($0.committeeCode, $0.kind, $0.pencePerPatient, $0.period) = (code, kind, pence, .year)
                    $0.effectiveFrom = Pcs_Common_V1_Date(from)
                }
            })
    }

    func setMembers(
        _ members: [(code: String, mandate: Bool, voluntary: Bool)], of code: String = Self.committee
    ) async throws {
        let from = try day("2026-04-01")
        try await approve(
            try await propose {
                $0.memberships = .with {
                    $0.committeeCode = code
                    $0.effectiveFrom = Pcs_Common_V1_Date(from)
                    $0.members = members.map { member in
                        .with {
                            $0.practiceCode = member.code
                            ($0.mandate, $0.voluntary) = (member.mandate, member.voluntary)
                        }
                    }
                }
            })
    }

    static let opticalCommittee = "LOCTEES"

    /// A Local Optical Committee with its percentage, where it has one yet, and its contractors.
    func setOpticalCommittee(_ percent: String?, members: [String]) async throws {
        let from = try day("2026-04-01")
        try await approve(
            try await propose {
                $0.committee = .with {
                    ($0.committeeCode, $0.name, $0.family) = (Self.opticalCommittee, "Tees LOC", .optical)
                    ($0.runBy, $0.effectiveFrom) = (.payments, Pcs_Common_V1_Date(from))
                }
            })
        if let percent { try await setOpticalRate(percent) }
        try await setMembers(members.map { ($0, false, false) }, of: Self.opticalCommittee)
    }

    func setOpticalRate(_ percent: String) async throws {
        let from = try day("2026-04-01")
        try await approve(
            try await propose {
                $0.rate = .with {
                    ($0.committeeCode, $0.kind, $0.period) = (Self.opticalCommittee, .optical, .sightTestFees)
                    ($0.percentOfFees, $0.effectiveFrom) = (percent, Pcs_Common_V1_Date(from))
                }
            })
    }

    /// The committee of E11 with both practices: one under GMS and voluntary, one under PMS without a mandate.
    func setExample11() async throws {
        try await setCommittee()
        try await setRate("42")
        try await setRate("6", .voluntary)
        try await setMembers([("A81001", false, true), ("A81002", false, false)])
    }

    func levies(_ code: String, _ month: String) async throws -> [String] {
        shown(
            try await office.statement(code, month).lines.filter {
                ["LMCS", "LMCV", "LMCP"].contains($0.paycode)
            })
    }

    func remittance(
        _ text: String, of code: String = Self.committee, as subject: TestSubject? = nil
    ) async throws -> Pcs_Payments_V1_LevyRemittance {
        let month = try month(text)
        return try await service(subject ?? viewer).getLevyRemittance(
            .with {
                $0.committeeCode = code
                $0.month = Pcs_Common_V1_Month(year: month.year, month: month.month)
            })
    }
}
