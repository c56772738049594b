import Accounting
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import SwiftProtobuf
import Testing

@testable import PaymentsPlugin

/// Ends of contracts, proposed and approved.
extension PaymentsOffice {
    @discardableResult
    func endContract(
        _ code: String = "A81001", from text: String, trailingPayee: String = ""
    ) async throws -> Pcs_Payments_V1_ContractRevision {
        let from = Pcs_Common_V1_Date(try day(text))
        let revision = try await contracts().reviseContract(
            .with {
                ($0.practiceCode, $0.effectiveFrom, $0.endContract) = (code, from, true)
                ($0.trailingPayeeCode, $0.reason) = (trailingPayee, "the practice closes")
            })
        return try await contracts(approver).decideContractRevision(
            .with { ($0.practiceCode, $0.revisionID, $0.approve) = (code, revision.revisionID, true) })
    }

    func exceptions(
        _ runID: String, of kind: Pcs_Payments_V1_ExceptionKind
    ) async throws -> [Pcs_Payments_V1_RunException] {
        try await exceptions(runID).filter { $0.kind == kind }
    }
}

@Suite("What recurs ends with the contract; arrears and amounts approved once are still paid")
struct ContractEndTests {
    @Test("monthly variations stop after the last contract day and are named once; recoveries and one-offs go on")
    func variations() async throws {
        try await ContractChangeTests.withDesk { desk in
            let office = desk.office
            let ids = try await desk.monthly(
                "A81001,PRNT,notional rent,MONTHLY,1000.00,2026-03,,,,",
                "A81001,RECO,OVERPAYMENT: rates,MONTHLY,-50.00,2026-04,2026-06,-150.00,,",
                "A81001,LIS,winter scheme,ONEOFF,250.00,2026-06,,250.00,,")
            try await office.pay("2026-03")
            try await office.endContract(from: "2026-05-01")
            try await office.pay("2026-04")
            #expect(try await desk.lines("2026-04") == ["PMSB 10000.00", "PRNT 1000.00", "RECO -50.00"])
            #expect(try await office.exceptions("2026-04-1", of: .endedWithContract).isEmpty)

            try await office.pay("2026-05")
            #expect(try await desk.lines("2026-05") == ["RECO -50.00", "BCFD 50.00"])
            let ended = try await office.exceptions("2026-05-1", of: .endedWithContract)
            let id = try #require(ids["PRNT"])
            #expect(
                ended.map(\.message) == [
                    "variation/\(id) (notional rent, 1000.00 a month) is not paid: no contract is in force on 2026-05-01"
                ])
            #expect(ended.allSatisfy { $0.severity == .warning && $0.paycode == "PRNT" && $0.practiceName == "One" })

            try await office.pay("2026-06")
            #expect(
                try await desk.lines("2026-06") == ["RECO -50.00", "LIS 250.00", "BCFD -50.00"])
            #expect(try await office.exceptions("2026-06-1", of: .endedWithContract).isEmpty)
        }
    }

    @Test("an end that is known late takes back what was paid after it, and is named in the run that does")
    func knownLate() async throws {
        try await ContractChangeTests.withDesk { desk in
            let office = desk.office
            _ = try await desk.monthly("A81001,PRNT,notional rent,MONTHLY,1000.00,2026-03,,,,")
            for month in ["2026-03", "2026-04", "2026-05"] { try await office.pay(month) }
            try await office.endContract(from: "2026-04-16")
            try await office.pay("2026-06")
            // April is paid by days, and its rent whole: the contract was in force on the first.
            #expect(
                try await desk.lines("2026-06") == [
                    "PMSB -5000.00", "PMSB -10000.00", "PRNT -1000.00", "BCFD 16000.00",
                ])
            #expect(try await office.exceptions("2026-06-1", of: .endedWithContract).count == 1)
            let again = try await office.calculate(try await office.open("2026-07").runID)
            #expect(try await office.exceptions(again.runID, of: .endedWithContract).isEmpty)
        }
    }

    @Test("a monthly payment is due in no month in which the contract begins after the first day; the preview knows")
    func begins() async throws {
        try await ContractChangeTests.withDesk { desk in
            let office = desk.office
            try await office.loadContracts("A81004,Four,PMS,2026-03-10,,16C,Y63,,,,,,,FIXED,120000.00,,")
            _ = try await desk.monthly("A81004,PRNT,notional rent,MONTHLY,1000.00,2026-03,,,,")
            let upload = try await desk.variations(desk.editor).listVariations(.with { $0.commissionerCode = "16C" })
            var uploads: [String] = []
            for try await row in upload { uploads.append(row.uploadID) }
            var changes: [Int64] = []
            for try await preview in try await desk.variations(desk.editor).previewVariations(
                .with { ($0.commissionerCode, $0.uploadID) = ("16C", uploads.first ?? "") })
            { changes.append(preview.changePence) }
            #expect(changes == [0])
            try await office.pay("2026-03")
            #expect(try await desk.lines("2026-03", "A81004") == ["PMSB 7096.77"])
            #expect(try await office.exceptions("2026-03-1", of: .endedWithContract).count == 1)
            try await office.pay("2026-04")
            #expect(try await desk.lines("2026-04", "A81004") == ["PMSB 10000.00", "PRNT 1000.00"])
        }
    }

    @Test("a trainee's last month under contract is paid in arrears, later ones are not, nor missed")
    func training() async throws {
        let today = try day("2023-10-20")
        try await PaymentsOffice.with(clock: ManualClock(today)) { office in
            try await office.loadContracts("A81001,One,APMS,2023-04-01,2032-04-01,16C,Y63,,,,,,,FIXED,120000.00,,")
            let service = Pcs_Payments_V1_TrainingServiceClient(try await office.transport(office.operating))
            let (first, last) = (Pcs_Common_V1_Date(try day("2023-08-01")), Pcs_Common_V1_Date(try day("2024-07-31")))
            let proposal = try await service.proposePlacements(
                .with {
                    $0.placements = [
                        .with {
                            ($0.traineeRef, $0.practiceCode, $0.trainerRef, $0.area) = (
                                "T-100", "A81001", "R-7", "NORTH_WEST"
                            )
                            ($0.grade, $0.employer, $0.from, $0.to) = (.st3, .leadEmployer, first, last)
                        }
                    ]
                    $0.reason = "August rotation"
                })
            let deciding = Pcs_Payments_V1_TrainingServiceClient(try await office.transport(office.approver))
            _ = try await deciding.decideTraining(
                .with { ($0.proposalID, $0.approve) = (proposal.proposalID, true) })
            for month in ["2023-08", "2023-09"] { try await office.pay(month) }
            try await office.endContract(from: "2023-10-01")
            try await office.pay("2023-10")
            #expect(shown(try await office.statement("A81001", "2023-10").lines) == ["TGRT 736.80"])
            #expect(try await office.exceptions("2023-10-1", of: .endedWithContract).isEmpty)
            let run = try await office.calculate(try await office.open("2023-11").runID)
            #expect(try await office.exceptions(run.runID, of: .expectedMissing).isEmpty)
            let ended = try await office.exceptions(run.runID, of: .endedWithContract)
            #expect(ended.count == 1 && ended[0].message.contains("(trainee T-100)"))
            #expect(ended[0].message.hasSuffix("no contract is in force on 2023-10-01"))
            try await office.approve(run)
            let none = try await refusal { _ = try await office.statement("A81001", "2023-11") }
            #expect(none.reason == PaymentsReasons.statementUnknown)
            let calendar = try await service.getTraining(
                .with { ($0.practiceCode, $0.financialYear) = ("A81001", "2023/24") })
            #expect(calendar.grants[1].paidPence == 73_680 && calendar.grants[1].obstacle.isEmpty)
            #expect(calendar.grants[2].amountPence == 0 && calendar.grants[2].obstacle.contains("no contract"))
        }
    }

    @Test(
        "drugs in arrears go to the payee of the last contract, or to whom its end names",
        arguments: [("", "A81001"), ("A81002", "A81002")])
    func trailingPayee(named: String, paid: String) async throws {
        let today = try day("2025-08-20")
        try await PaymentsOffice.with(clock: ManualClock(today)) { office in
            try await office.loadContracts("A81001,One,APMS,2025-04-01,2028-04-01,16C,Y63,,,,,,,FIXED,120000.00,,")
            let service = Pcs_Payments_V1_DispensingServiceClient(try await office.transport(office.operating))
            let file =
                DispensingFile.columns.joined(separator: ",")
                + "\nA81001,2025-04,DISPENSING,1200,1,9500.00,100.00,50.00\n"
            let load = try await service.loadDispensing([
                .with {
                    $0.month = Pcs_Common_V1_Month(year: 2025, month: 4)
                    ($0.fileName, $0.data) = ("dispensing.csv", Data(file.utf8))
                }
            ])
            let deciding = Pcs_Payments_V1_DispensingServiceClient(try await office.transport(office.approver))
            _ = try await deciding.decideDispensing(
                .with {
                    ($0.loadID, $0.authorise, $0.controlTotalPence) = (load.loadID, true, load.basicPricePence)
                })
            for month in ["2025-04", "2025-05"] { try await office.pay(month) }
            try await office.endContract(from: "2025-06-01", trailingPayee: named)
            for month in ["2025-06", "2025-07"] { try await office.pay(month) }
            let july = try await office.statement("A81001", "2025-07")
            #expect(july.payeeCode == paid && july.practiceName == "One" && july.commissionerCode == "16C")
            #expect(
                shown(july.lines) == [
                    "RDRG 9500.00", "RDIS -824.60", "RFEE 2553.60", "PVAT 20.00", "RXCH -50.00",
                ])
            #expect(try await office.statement("A81001", "2025-05").payeeCode == "A81001")
            let versions = try await office.contracts().listContractVersions(.with { $0.practiceCode = "A81001" })
            #expect(versions.versions.last?.trailingPayeeCode == named)
            let wrong = try await refusal {
                let from = Pcs_Common_V1_Date(try day("2025-06-01"))
                _ = try await office.contracts().reviseContract(
                    .with {
                        ($0.practiceCode, $0.effectiveFrom, $0.endContract) = ("A81001", from, true)
                        ($0.trailingPayeeCode, $0.reason) = ("a81", "the practice closes")
                    })
            }
            #expect(wrong.violations.map(\.field) == ["trailing_payee_code"])
        }
    }
}
