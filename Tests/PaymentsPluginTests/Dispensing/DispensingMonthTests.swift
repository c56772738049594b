import Accounting
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@testable import PaymentsPlugin

@Suite("Dispensing through the public door (payments.md 9.4)")
struct DispensingMonthTests {
    private struct Desk {
        let office: PaymentsOffice

        func service(_ subject: TestSubject? = nil) async throws -> Pcs_Payments_V1_DispensingServiceClient {
            Pcs_Payments_V1_DispensingServiceClient(try await office.transport(subject ?? office.operating))
        }

        func load(_ text: String, _ rows: String..., dryRun: Bool = false) async throws
            -> Pcs_Payments_V1_DispensingLoad
        {
            let month = try month(text)
            let file =
                DispensingFile.columns.joined(separator: ",") + "\n" + rows.joined(separator: "\n") + "\n"
            return try await service().loadDispensing([
                .with {
                    $0.month = Pcs_Common_V1_Month(year: month.year, month: month.month)
                    ($0.fileName, $0.dryRun, $0.data) = ("dispensing.csv", dryRun, Data(file.utf8))
                }
            ])
        }

        @discardableResult
        func authorise(
            _ load: Pcs_Payments_V1_DispensingLoad, total: Int64? = nil, as subject: TestSubject? = nil
        ) async throws -> Pcs_Payments_V1_DispensingLoad {
            try await service(subject ?? office.approver).decideDispensing(
                .with {
                    ($0.loadID, $0.authorise) = (load.loadID, true)
                    $0.controlTotalPence = total ?? load.basicPricePence
                })
        }
    }

    private func withDesk(_ body: (Desk) async throws -> Void) async throws {
        let today = try day("2025-08-20")
        try await PaymentsOffice.with(clock: ManualClock(today)) { office in
            try await office.loadContracts(
                "A81001,One,APMS,2025-04-01,2028-04-01,16C,Y63,,,,,,,FIXED,120000.00,,")
            try await body(Desk(office: office))
        }
    }

    private static let april = "A81001,2025-04,DISPENSING,1200,1,9500.00,100.00,50.00"

    @Test(
        "E13 is paid three months in arrears; a file that corrects a paid month makes difference lines, once")
    func arrears() async throws {
        try await withDesk { desk in
            let load = try await desk.load("2025-04", Self.april)
            #expect(load.state == .loaded && load.basicPricePence == 950_000 && load.prescriptions == 1_200)
            #expect(load.paymentMonth == Pcs_Common_V1_Month(year: 2025, month: 7))
            try await desk.authorise(load)
            #expect(try await desk.load("2025-04", Self.april).alreadyLoaded)
            for month in ["2025-04", "2025-05", "2025-06"] {
                try await desk.office.pay(month)
                #expect(shown(try await desk.office.statement("A81001", month).lines) == ["APMSB 10000.00"])
            }
            try await desk.office.pay("2025-07")
            let july = try await desk.office.statement("A81001", "2025-07")
            #expect(
                shown(july.lines) == [
                    "APMSB 10000.00", "RDRG 9500.00", "RDIS -824.60", "RFEE 2553.60", "PVAT 20.00",
                    "RXCH -50.00",
                ])
            let fee = try await desk.office.statements().explainLine(
                .with { ($0.practiceCode, $0.runID, $0.lineNumber) = ("A81001", "2025-07-1", 4) })
            #expect(fee.replayedPence == 255_360)
            // 100 prescriptions more, and a smaller price that falls into the band below.
            let corrected = try await desk.load(
                "2025-04", "A81001,2025-04,DISPENSING,1300,1,8000.00,100.00,50.00")
            #expect(corrected.changed == 1)
            try await desk.authorise(corrected)
            try await desk.office.pay("2025-08")
            let august = try await desk.office.statement("A81001", "2025-08")
            #expect(
                shown(august.lines) == ["APMSB 10000.00", "RDRG -1500.00", "RDIS 179.80", "RFEE 212.80"])
            #expect(august.lines.map(\.isRetro) == [false, true, true, true])
            let september = try await desk.office.calculate(try await desk.office.open("2025-09").runID)
            #expect(september.retroLines == 0)
            let account = try await desk.service().getDispensing(
                .with { ($0.practiceCode, $0.month) = ("A81001", Pcs_Common_V1_Month(year: 2025, month: 4)) })
            #expect(account.entries.map(\.superseded) == [false, true])
            #expect(account.lines.map(\.paycode) == ["RDRG", "RDIS", "RFEE", "PVAT", "RXCH"])
            #expect(account.lines[2].band.hasPrefix("DISPENSING_FEE 1064 to 1478: 212.8"))
        }
    }

    @Test("bands approved late make differences in the months that paid by the old ones")
    func lateBands() async throws {
        try await withDesk { desk in
            try await desk.authorise(try await desk.load("2025-04", Self.april))
            for month in ["2025-04", "2025-05", "2025-06", "2025-07"] { try await desk.office.pay(month) }
            let bands =
                DispensingBandFile.columns.joined(separator: ",")
                + "\nDISPENSING_FEE,2025-04-01,2025-10-01,1,,220,P,test,\n"
            let set = try await desk.office.rates().proposeRates([
                .with {
                    ($0.kind, $0.reason, $0.fileName) = (.dispensingBands, "corrected scale", "bands.csv")
                    $0.data = Data(bands.utf8)
                }
            ])
            #expect(set.rows == 1 && set.firstPaidMonthAffected == Pcs_Common_V1_Month(year: 2025, month: 4))
            let impact = try await desk.office.rates().previewRates(.with { $0.setID = set.setID })
            #expect(
                impact.lines.map { "\($0.month.month) \($0.paycode) \($0.deltaPence)" } == ["7 RFEE 8640"])
            _ = try await desk.office.rates(desk.office.secondEditor).approveRates(
                .with { ($0.setID, $0.approve) = (set.setID, true) })
            try await desk.office.pay("2025-08")
            #expect(
                shown(try await desk.office.statement("A81001", "2025-08").lines) == [
                    "APMSB 10000.00", "RFEE 86.40",
                ])
        }
    }

    @Test("nobody authorises what they loaded, nor without the control total; what is returned pays nothing")
    func control() async throws {
        try await withDesk { desk in
            let load = try await desk.load("2025-04", Self.april)
            let wrong = try await refusal { try await desk.authorise(load, total: 949_999) }
            #expect(wrong.reason == PaymentsReasons.controlTotalMismatch)
            let loader = try await refusal { try await desk.authorise(load, as: desk.office.operating) }
            #expect(loader.reason == HostReasons.accessDenied)
            let both = try await desk.office.host.person(
                "oscar", roles: [Roles.paymentsOperator, Roles.paymentsApprover])
            let own = try await desk.service(both).loadDispensing([
                .with {
                    $0.month = Pcs_Common_V1_Month(year: 2025, month: 5)
                    $0.data = Data(
                        (DispensingFile.columns.joined(separator: ",")
                            + "\nA81001,2025-05,DISPENSING,1,1,1.00,0,0\n").utf8)
                }
            ])
            let same = try await refusal { try await desk.authorise(own, as: both) }
            #expect(same.reason == HostReasons.secondPersonRequired)
            let silent = try await refusal {
                _ = try await desk.service(desk.office.approver).decideDispensing(
                    .with { $0.loadID = load.loadID })
            }
            #expect(silent.violations.map(\.field) == ["reason"])
            let returned = try await desk.service(desk.office.approver).decideDispensing(
                .with { ($0.loadID, $0.reason) = (load.loadID, "wrong month") })
            #expect(returned.state == .returned)
            let again = try await refusal { try await desk.authorise(load) }
            #expect(again.reason == PaymentsReasons.alreadyDecided)
            let nothing = try await refusal { try await desk.authorise(.with { $0.loadID = "none" }) }
            #expect(nothing.reason == PaymentsReasons.dispensingLoadUnknown)
            let may = Pcs_Common_V1_Month(year: 2025, month: 5)
            let listed = try await desk.service().listDispensingLoads(.with { $0.month = may }).loads
            #expect(listed.map(\.state) == [.loaded])
            #expect(try await desk.service().listDispensingLoads(.init()).loads.count == 2)
        }
    }

    @Test("a file with any fault, of a month ahead, or for which a scale is not set changes nothing")
    func refused() async throws {
        try await withDesk { desk in
            let broken = try await refusal {
                _ = try await desk.load(
                    "2025-04", "A81002,2025-04,DISPENSING,1,1,1.00,0,0",
                    "A81001,2025-03,DISPENSING,1,0,1.00,0,0")
            }
            #expect(broken.violations.map { "\($0.row) \($0.rule)" } == ["2 DSP01", "3 DSP02", "3 DSP05"])
            let ahead = try await refusal { _ = try await desk.load("2025-09", Self.april) }
            #expect(ahead.violations.map(\.rule) == ["DSP02"])
            let unset = try await refusal {
                _ = try await desk.load("2025-04", "A81001,2025-04,PRESCRIBING,10,1,1.00,0,0")
            }
            #expect(unset.reason == PaymentsReasons.rateMissing)
            #expect(unset.message == "The figure dispensing bands PRESCRIBING_FEE is not set for 2025-04.")
            #expect(try await desk.load("2025-04", Self.april, dryRun: true).loadID.isEmpty)
            #expect(try await desk.service().listDispensingLoads(.init()).loads.isEmpty)
        }
    }
}
