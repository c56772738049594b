import Accounting
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Baselines by year, through the public door (payments.md 4)")
struct BaselineTests {
    private struct Desk {
        let office: PaymentsOffice
        let editor: TestSubject
        let approver: TestSubject

        func service(_ subject: TestSubject? = nil) async throws -> Pcs_Payments_V1_BaselineServiceClient {
            Pcs_Payments_V1_BaselineServiceClient(try await office.transport(subject ?? editor))
        }

        func open(_ code: String, _ year: String) async throws -> Pcs_Payments_V1_BaselineYear {
            try await service().openBaselineYear(.with { ($0.practiceCode, $0.financialYear) = (code, year) })
        }

        func year(_ code: String, _ year: String) async throws -> Pcs_Payments_V1_BaselineYear {
            try await service().getBaselineYear(.with { ($0.practiceCode, $0.financialYear) = (code, year) })
        }

        func propose(
            _ code: String, _ year: String, _ change: (inout Pcs_Payments_V1_ProposeBaselineRequest) -> Void
        ) async throws -> Pcs_Payments_V1_Baseline {
            var request = Pcs_Payments_V1_ProposeBaselineRequest()
            (request.practiceCode, request.financialYear, request.note) = (code, year, "agreed for the year")
            change(&request)
            return try await service().proposeBaseline(request)
        }

        func approve(
            _ baseline: Pcs_Payments_V1_Baseline, as subject: TestSubject? = nil
        ) async throws -> Pcs_Payments_V1_Baseline {
            try await service(subject ?? approver).decideBaseline(
                .with {
                    ($0.practiceCode, $0.baselineID, $0.approve) = (
                        baseline.practiceCode, baseline.baselineID, true
                    )
                })
        }

        func upload(_ rows: String..., dryRun: Bool = false) async throws -> Pcs_Payments_V1_BaselineUpload {
            let text =
                "practiceCode,financialYear,basis,pricePerPatient,annualAmount,effectiveFrom,note\n"
                + rows.joined(separator: "\n") + "\n"
            return try await service().uploadBaselines([
                .with {
                    ($0.commissionerCode, $0.fileName, $0.dryRun) = ("16C", "baselines.csv", dryRun)
                    $0.data = Data(text.utf8)
                }
            ])
        }
    }

    private func withDesk(
        _ contract: String = "A81001,One,PMS,2023-04-01,,16C,Y63,,,,,,,FIXED,912345.60,,",
        _ body: (Desk) async throws -> Void
    ) async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            try await office.loadContracts(contract)
            try await body(
                Desk(
                    office: office,
                    editor: try await office.host.person(
                        "eddie", roles: [Roles.commissionerEditor], at: "16C"),
                    approver: try await office.host.person(
                        "cas", roles: [Roles.commissionerApprover], at: "16C")))
        }
    }

    @Test("E16: an uplift of 2.84 for each weighted patient makes 938,247.54 a year, 78,187.30 a month")
    func e16() async throws {
        try await withDesk { desk in
            try await desk.office.loadLists("2024-01-01", "A81001,9200,9000.00,0")
            try await desk.office.loadLists("2024-04-01", "A81001,9300,9120.40,0")
            try await desk.office.pay("2024-03")
            let opened = try await desk.open("A81001", "2024/25")
            #expect(
                opened.lastBasis == .fixed && opened.lastAnnualPence == 91_234_560
                    && opened.openedBy == "eddie")
            #expect(opened.contractType == .pms && !opened.frozen)
            #expect(opened.history.first { $0.paycode == "PMSB" }?.paidPence == 7_602_880)
            let proposed = try await desk.propose("A81001", "2024/25") {
                $0.uplift = .with { $0.perPatientMicropounds = 2_840_000 }
            }
            #expect(proposed.reckoning.upliftPence == 2_590_194)
            #expect(proposed.basis == .fixed && proposed.annualPence == 93_824_754)
            #expect(
                proposed.effectiveFrom.calendarDate == (try day("2024-04-01")) && proposed.warnings.isEmpty)
            let same = try await refusal {
                let both = try await desk.office.host.grant(
                    [Roles.commissionerApprover], at: "16C", to: desk.editor)
                _ = try await desk.approve(proposed, as: both)
            }
            #expect(same.reason == HostReasons.secondPersonRequired)
            #expect(try await desk.approve(proposed).version > 0)
            try await desk.office.pay("2024-04")
            let lines = try await desk.office.statement("A81001", "2024-04").lines
            #expect(shown(lines.filter { $0.paycode == "PMSB" }) == ["PMSB 78187.30"])
        }
    }

    @Test(
        "a late approval makes differences from 1 April; once a run has paid of it, only a variation changes it"
    )
    func lateAndFrozen() async throws {
        try await withDesk { desk in
            try await desk.office.loadLists("2024-04-01", "A81001,9300,9120.40,0")
            try await desk.office.pay("2024-04")
            _ = try await desk.open("A81001", "2024/25")
            let first = try await desk.propose("A81001", "2024/25") {
                ($0.basis, $0.annualPence) = (.fixed, 95_000_000)
            }
            let second = try await desk.propose("A81001", "2024/25") {
                ($0.basis, $0.annualPence) = (.fixed, 93_824_754)
            }
            let replaced = try await refusal { _ = try await desk.approve(first) }
            #expect(replaced.reason == PaymentsReasons.alreadyDecided)
            _ = try await desk.approve(second)
            try await desk.office.pay("2024-05")
            let lines = try await desk.office.statement("A81001", "2024-05").lines.filter {
                $0.paycode == "PMSB"
            }
            #expect(shown(lines) == ["PMSB 78187.30", "PMSB 2158.50"])
            #expect(lines.map(\.isRetro) == [false, true])
            let year = try await desk.year("A81001", "2024/25")
            #expect(year.frozen && Set(year.baselines.map(\.state)) == [.returned, .approved])
            let frozen = try await refusal {
                _ = try await desk.propose("A81001", "2024/25") { ($0.basis, $0.annualPence) = (.fixed, 1) }
            }
            #expect(frozen.reason == PaymentsReasons.baselineFrozen)
            let file = try await refusal {
                _ = try await desk.upload("A81001,2024/25,FIXED,,1.00,2024-04-01,late")
            }
            #expect(file.violations.map { "\($0.row) \($0.rule)" } == ["2 BAS09"])
            // Nor by a revision of the contract.
            let from = Pcs_Common_V1_Date(try day("2024-10-01"))
            let revision = try await refusal {
                _ = try await desk.office.contracts().reviseContract(
                    .with {
                        ($0.practiceCode, $0.effectiveFrom, $0.reason) = ("A81001", from, "another way in")
                        $0.terms = .with {
                            ($0.contractType, $0.practiceName) = (.pms, "One")
                            ($0.baselineBasis, $0.baselineAnnualPence) = (.fixed, 1)
                        }
                    })
            }
            #expect(revision.reason == PaymentsReasons.baselineFrozen)
            // Nor by a file of contracts: amount and basis of any day of the year.
            for row in [
                "A81001,One,PMS,2023-04-01,,16C,Y63,,,,,,,FIXED,912345.61,,",
                "A81001,One,PMS,2025-03-31,,16C,Y63,,,,,,,FIXED,1.00,,",
                "A81001,One,PMS,2024-10-01,,16C,Y63,,,,,,,WEIGHTED,,95.50,",
            ] {
                let load = try await refusal { try await desk.office.loadContracts(row) }
                #expect(load.violations.map { "\($0.row) \($0.field) \($0.rule)" } == ["2 baseline_basis BAS09"])
            }
            // What says the same of the frozen year, and another amount from the next, is taken.
            let next = try await desk.office.loadContracts(
                "A81001,One,PMS,2024-04-01,2025-04-01,16C,Y63,,,,,,,FIXED,938247.54,,",
                "A81001,One,PMS,2025-04-01,,16C,Y63,,,,,,,FIXED,950000.00,,")
            #expect(next.changed == 1)
        }
    }

    @Test("a price follows the list each quarter; last quarter's lists are paid until the new ones come")
    func priced() async throws {
        try await withDesk("A81001,One,APMS,2023-04-01,2028-04-01,16C,Y63,,,,,,,WEIGHTED,,100.00,") { desk in
            try await desk.office.loadLists("2024-04-01", "A81001,9300,9120.40,0")
            _ = try await desk.open("A81001", "2024/25")
            let baseline = try await desk.propose("A81001", "2024/25") {
                $0.uplift = .with { $0.perPatientMicropounds = 2_840_000 }
            }
            #expect(baseline.basis == .weighted && baseline.priceMicropounds == 102_840_000)
            _ = try await desk.approve(baseline)
            for month in ["2024-04", "2024-05", "2024-06", "2024-07"] { try await desk.office.pay(month) }
            func paid(_ month: String) async throws -> [String] {
                shown(try await desk.office.statement("A81001", month).lines.filter { $0.paycode == "APMSB" })
            }
            // 9,120.40 x 102.84 / 12
            #expect(try await paid("2024-06") == ["APMSB 78161.83"])
            #expect(try await paid("2024-07") == ["APMSB 78161.83"])
            try await desk.office.loadLists("2024-07-01", "A81001,9400,9220.40,0")
            try await desk.office.pay("2024-08")
            #expect(try await paid("2024-08") == ["APMSB 79018.83", "APMSB 857.00"])
        }
    }

    @Test("a file opens its practices and proposes all or nothing, with every fault by row and column")
    func upload() async throws {
        try await withDesk { desk in
            try await desk.office.loadContracts("A81004,Four,GMS,2023-04-01,,16C,Y63,,,,,,,,,,")
            let failure = try await refusal {
                _ = try await desk.upload(
                    "A81001,2024/25,FIXED,100.00,1.00,2024-04-01,both",
                    "A81001,2024-25,RAW,,1.00,2024-04-01,raw",
                    "C84101,2024/25,FIXED,,1.00,2024-04-01,elsewhere",
                    "A81004,2024/25,FIXED,,1.00,2024-04-01,global sum",
                    "A81001,2024/25,WEIGHTED,100.12345,,2024-05-01,x",
                    "A81001,2024/25,WEIGHTED,100,,2024-05-01,late day")
            }
            #expect(
                failure.violations.map { "\($0.row):\($0.column) \($0.rule)" } == [
                    "2:5 BAS03", "3:2 BAS01", "3:3 BAS03", "4:1 BAS02", "5:2 BAS04", "6:4 BAS03", "6:7 BAS06",
                    "7:6 BAS05",
                ])
            #expect(try await desk.year("A81001", "2024/25").openedBy.isEmpty)
            let trial = try await desk.upload("A81001,2024/25,RAW,95.5,,2024-04-01,by list", dryRun: true)
            #expect(trial.dryRun && trial.baselines.map(\.priceMicropounds) == [95_500_000])
            let loaded = try await desk.upload("A81001,2024/25,RAW,200.25,,2024-04-01,by list")
            #expect(
                loaded.baselines.first?.warnings.map(\.message) == [
                    "there is no weighted list to compare with"
                ])
            try await desk.office.loadLists("2024-04-01", "A81001,9300,9120.40,0")
            let approved = try await desk.approve(try #require(loaded.baselines.first))
            #expect(approved.warnings.count == 1 && approved.warnings[0].message.hasPrefix("204.19 pounds"))
            #expect(try await desk.year("A81001", "2024/25").openedBy == "eddie")
        }
    }

    @Test("what cannot be proposed is refused with its rule")
    func refusals() async throws {
        try await withDesk { desk in
            let closed = try await refusal {
                _ = try await desk.propose("A81001", "2024/25") { ($0.basis, $0.annualPence) = (.fixed, 1) }
            }
            #expect(closed.violations.map(\.rule) == ["BAS01"])
            _ = try await desk.open("A81001", "2024/25")
            let mixed = try await refusal {
                _ = try await desk.propose("A81001", "2024/25") {
                    ($0.basis, $0.annualPence, $0.note) = (.raw, 1, "x")
                }
            }
            #expect(mixed.violations.map(\.rule) == ["reason", "BAS03"])
            let noList = try await refusal {
                _ = try await desk.propose("A81001", "2024/25") {
                    $0.uplift = .with { $0.perPatientMicropounds = 2_840_000 }
                }
            }
            #expect(noList.reason == PaymentsReasons.capitationUnknown)
            let other = try await desk.office.host.person("ola", roles: [Roles.commissionerEditor], at: "02Q")
            let foreign = try await refusal {
                _ = try await desk.service(other).openBaselineYear(
                    .with { ($0.practiceCode, $0.financialYear) = ("A81001", "2024/25") })
            }
            #expect(foreign.reason.name == "ORGANISATION_OUT_OF_SCOPE")
            let before = try await refusal { _ = try await desk.open("A81001", "2020/21") }
            #expect(before.reason == PaymentsReasons.contractUnknown)
        }
    }
}
