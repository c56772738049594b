import Accounting
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

/// A small area whose payments a test runs month by month: forty practices of one commissioner with their networks,
/// two pharmacies, an optician, and everybody who works on their money. The codes are in the register of
/// organisations; lists, contracts and amounts are made up.
struct SandboxArea {
    static let commissioner = "16C"
    static let opticianCode = "A82004"

    let office: PaymentsOffice
    let practices: [String]
    let networks: [String]
    let pharmacies: [String]
    let pharmacyCommissioner: String
    let people: People

    struct People {
        let commissionerEditor: TestSubject
        let commissionerApprover: TestSubject
        let secondCommissionerApprover: TestSubject
        let claimsAdmin: TestSubject
        let pharmacySubmitter: TestSubject
        let pharmacyApprovers: [TestSubject]
        let optician: TestSubject
        let bankRecorder: TestSubject
        let bankVerifiers: [TestSubject]
    }

    /// - Parameter others: whether pharmacies are wanted too, whose register takes seconds to load.
    static func with(pharmacies: Bool = false, _ body: (SandboxArea) async throws -> Void) async throws {
        try await PaymentsOffice.with(others: [PensionsArea.self]) { office in
            try await office.host.loadOrganisations(pharmacies: pharmacies)
            let members = try networkMembers()
            let (found, board) = pharmacies ? try firstPharmacies() : ([], "QHM")
            let practices = members.map(\.practice).prefix(40)
            let host = office.host
            func approver(_ id: String, at organisation: String) async throws -> TestSubject {
                try await host.person(id, roles: [Roles.commissionerApprover], at: organisation)
            }
            func operative(_ id: String) async throws -> TestSubject {
                try await host.person(id, roles: [Roles.paymentsOperator])
            }
            let people = People(
                commissionerEditor: try await host.person(
                    "eddie", roles: [Roles.commissionerEditor], at: commissioner),
                commissionerApprover: try await approver("cas", at: commissioner),
                secondCommissionerApprover: try await approver("dee", at: commissioner),
                claimsAdmin: try await host.person(
                    "ann", roles: [Roles.practiceClaimsAdmin], at: members[4].practice),
                pharmacySubmitter: try await host.person(
                    "pam", roles: [Roles.pharmacyPaymentsSubmitter], at: board),
                pharmacyApprovers: [
                    try await approver("pia", at: board), try await approver("per", at: board),
                ],
                optician: try await host.client("eye", roles: [Roles.ophthalmicClaims], at: opticianCode),
                bankRecorder: try await operative("rory"),
                bankVerifiers: [
                    try await operative("vera"), try await operative("viv"), try await operative("val"),
                ])
            try await body(
                SandboxArea(
                    office: office, practices: Array(practices),
                    networks: Array(Set(members.prefix(40).map(\.network))).sorted().prefix(4).map { $0 },
                    pharmacies: found, pharmacyCommissioner: board, people: people))
        }
    }

    // MARK: Codes of the committed register

    private static func cells(_ path: String) throws -> [[String]] {
        String(decoding: try OpenData.read(path), as: UTF8.self).split(whereSeparator: \.isNewline).map {
            line in
            line.split(separator: ",", omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: CharacterSet(charactersIn: "\"")) }
        }
    }

    private static func networkMembers() throws -> [(practice: String, network: String)] {
        let rows = try cells("ods/epcncorepartnerdetails.csv.gz").filter {
            $0.count > 9 && $0[2] == commissioner && $0[9].isEmpty
        }
        let members = Dictionary(rows.map { ($0[0], $0[4]) }, uniquingKeysWith: { first, _ in first })
        return members.sorted { $0.key < $1.key }.map { (practice: $0.key, network: $0.value) }
    }

    private static func firstPharmacies() throws -> (codes: [String], board: String) {
        let rows = try cells("ods/edispensary-open-and-proposed.csv.gz").prefix(200).filter {
            $0.count > 12 && $0[0].hasPrefix("F") && $0[3].hasPrefix("Q")
        }
        let boards = Dictionary(grouping: rows, by: { $0[3] }).filter { $0.value.count > 1 }
        let board = try #require(boards.keys.min())
        return (Array((boards[board] ?? []).map { $0[0] }.sorted().prefix(2)), board)
    }

    // MARK: Short ways

    func date(_ text: String) throws -> Pcs_Common_V1_Date { Pcs_Common_V1_Date(try day(text)) }

    func month(_ month: YearMonth) -> Pcs_Common_V1_Month {
        Pcs_Common_V1_Month(year: month.year, month: month.month)
    }

    func load(_ rows: [String]) async throws {
        guard !rows.isEmpty else { return }
        try await office.loadContracts(rows.joined(separator: "\n"))
    }

    func variations(_ rows: [String], acceptNextRun: Bool = false) async throws
        -> Pcs_Payments_V1_VariationUpload
    {
        let editor = Pcs_Payments_V1_VariationServiceClient(
            try await office.transport(people.commissionerEditor))
        let upload = try await editor.uploadVariations([
            .with {
                ($0.commissionerCode, $0.fileName) = (Self.commissioner, "cv.csv")
                $0.acceptNextRun = acceptNextRun
                $0.data = Data((VariationTests.header + "\n" + rows.joined(separator: "\n") + "\n").utf8)
            }
        ])
        _ = try await editor.submitVariations(
            .with { ($0.uploadID, $0.commissionerCode) = (upload.uploadID, Self.commissioner) })
        var decided = upload
        for person in [people.commissionerApprover, people.secondCommissionerApprover]
            .prefix(Int(upload.approvalsNeeded))
        {
            decided = try await Pcs_Payments_V1_VariationServiceClient(try await office.transport(person))
                .decideVariations(
                    .with {
                        ($0.uploadID, $0.commissionerCode, $0.approve) = (
                            upload.uploadID, Self.commissioner, true
                        )
                        $0.sha256 = upload.sha256
                    })
        }
        #expect(decided.state == .approved)
        return decided
    }

    /// The rows of an upload, as they are kept.
    func rows(of upload: Pcs_Payments_V1_VariationUpload) async throws -> [Pcs_Payments_V1_Variation] {
        var found: [Pcs_Payments_V1_Variation] = []
        let client = Pcs_Payments_V1_VariationServiceClient(
            try await office.transport(people.commissionerEditor))
        for try await row in try await client.listVariations(
            .with { ($0.commissionerCode, $0.uploadID) = (Self.commissioner, upload.uploadID) })
        { found.append(row) }
        return found
    }

    func stop(_ variation: Pcs_Payments_V1_Variation, from month: YearMonth) async throws {
        let client = Pcs_Payments_V1_VariationServiceClient(
            try await office.transport(people.commissionerApprover))
        _ = try await client.stopVariation(
            .with {
                ($0.variationID, $0.commissionerCode) = (variation.variationID, Self.commissioner)
                ($0.fromMonth, $0.reason) = (self.month(month), "no longer due")
                $0.acceptRecovery = true
            })
    }

    func export(_ run: Pcs_Payments_V1_Run) async throws -> [String] {
        var bytes = Data()
        for try await chunk in try await office.runs().exportRun(.with { $0.runID = run.runID }) {
            bytes += chunk.data
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\r\n").map(String.init)
    }
}

/// One kind of happening in the year of the area: what it needs before the first run, what it does before and after
/// each, and on which paycodes it must leave lines. A new kind of line is one more of these in `SandboxYear.kinds`.
protocol SandboxKind: AnyObject {
    var paycodes: Set<String> { get }
    func prepare(_ area: SandboxArea) async throws
    func before(_ month: YearMonth, _ area: SandboxArea) async throws
    func after(_ run: Pcs_Payments_V1_Run, _ month: YearMonth, _ area: SandboxArea) async throws
}

extension SandboxKind {
    func prepare(_ area: SandboxArea) async throws {}
    func before(_ month: YearMonth, _ area: SandboxArea) async throws {}
    func after(_ run: Pcs_Payments_V1_Run, _ month: YearMonth, _ area: SandboxArea) async throws {}
}
