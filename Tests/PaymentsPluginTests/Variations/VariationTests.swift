import Accounting
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Contract variations through the public door (payments.md 5)")
struct VariationTests {
    static let header =
        "practiceCode,paycode,narrative,paymentType,amount,firstPaymentMonth,lastPaymentMonth,totalAmount,"
        + "nppPaymentMonth,nppQofFinancialYear"

    struct Desk {
        let office: PaymentsOffice
        let editor: TestSubject
        let approver: TestSubject
        var commissioner = "16C"

        func service(_ subject: TestSubject) async throws -> Pcs_Payments_V1_VariationServiceClient {
            Pcs_Payments_V1_VariationServiceClient(try await office.transport(subject))
        }

        func upload(_ rows: String, header: String = VariationTests.header) async throws
            -> Pcs_Payments_V1_VariationUpload
        {
            try await service(editor).uploadVariations([
                .with {
                    ($0.commissionerCode, $0.fileName) = (commissioner, "cv.csv")
                    $0.data = Data((header + "\n" + rows).utf8)
                }
            ])
        }

        func approve(_ upload: Pcs_Payments_V1_VariationUpload, as subject: TestSubject? = nil) async throws
            -> Pcs_Payments_V1_VariationUpload
        {
            if upload.state == .validated {
                _ = try await service(editor).submitVariations(
                    .with { ($0.uploadID, $0.commissionerCode) = (upload.uploadID, commissioner) })
            }
            return try await service(subject ?? approver).decideVariations(
                .with {
                    ($0.uploadID, $0.commissionerCode, $0.approve) = (upload.uploadID, commissioner, true)
                    $0.sha256 = upload.sha256
                })
        }

        func rows() async throws -> [Pcs_Payments_V1_Variation] {
            var rows: [Pcs_Payments_V1_Variation] = []
            for try await row in try await service(editor).listVariations(
                .with { $0.commissionerCode = commissioner })
            { rows.append(row) }
            return rows
        }

        func stop(
            _ variation: Pcs_Payments_V1_Variation, from text: String,
            _ change: (inout Pcs_Payments_V1_StopVariationRequest) -> Void = { _ in }
        ) async throws -> Pcs_Payments_V1_Variation {
            let month = try month(text)
            var request = Pcs_Payments_V1_StopVariationRequest()
            (request.variationID, request.commissionerCode) = (variation.variationID, commissioner)
            (request.fromMonth, request.reason) = (
                Pcs_Common_V1_Month(year: month.year, month: month.month), "lease ended"
            )
            change(&request)
            return try await service(approver).stopVariation(request)
        }

        func withdraw(_ upload: Pcs_Payments_V1_VariationUpload) async throws -> Pcs_Payments_V1_VariationUpload {
            try await service(approver).withdrawVariations(
                .with { ($0.uploadID, $0.commissionerCode) = (upload.uploadID, commissioner) })
        }
    }

    static func withDesk(
        clock: ManualClock = .atStart, commissioner: String = "16C",
        contract: String = "A81001,One,PMS,2026-02-01,,16C,Y63,,,,,,,FIXED,120000.00,,",
        _ body: (Desk) async throws -> Void
    ) async throws {
        try await PaymentsOffice.with(clock: clock) { office in
            try await office.host.loadOrganisations()
            try await office.loadContracts(contract)
            try await body(
                Desk(
                    office: office,
                    editor: try await office.host.person("eddie", roles: [Roles.commissionerEditor], at: commissioner),
                    approver: try await office.host.person("cas", roles: [Roles.commissionerApprover], at: commissioner),
                    commissioner: commissioner))
        }
    }

    @Test("a one-off is paid once, a monthly payment each month until stopped, and a late stop is recovered")
    func wholeLife() async throws {
        try await Self.withDesk { desk in
            let upload = try await desk.upload(
                "A81001,LIS,winter scheme,ONEOFF,250.00,2026-03,,250.00,,\n"
                    + "A81001,PRNTG,notional rent,MONTHLY,1000.00,2026-03,,,,\n"
                    + "A81001,RECO,OVERPAYMENT: rates of 2025,MONTHLY,-50.00,2026-03,2026-04,-100.00,,\n")
            #expect(upload.rows == 3 && upload.approvalsNeeded == 1 && upload.monthlyPence == 95_000)
            var previews: [Pcs_Payments_V1_VariationPreview] = []
            for try await preview in try await desk.service(desk.approver).previewVariations(
                .with { ($0.uploadID, $0.commissionerCode) = (upload.uploadID, "16C") })
            { previews.append(preview) }
            #expect(previews.map(\.changePence) == [120_000])
            #expect(try await desk.approve(upload).state == .approved)
            try await desk.office.pay("2026-03")
            let march = try await desk.office.statement("A81001", "2026-03").lines
            #expect(shown(march) == ["PMSB 10000.00", "PRNT 1000.00", "RECO -50.00", "LIS 250.00"])
            try await desk.office.pay("2026-04")
            let april = try await desk.office.statement("A81001", "2026-04").lines
            #expect(april.filter { $0.paycode != "NPP" }.map(\.paycode) == ["PMSB", "PRNT", "RECO"])
            var rows: [Pcs_Payments_V1_Variation] = []
            for try await row in try await desk.service(desk.editor).listVariations(
                .with { $0.commissionerCode = "16C" })
            { rows.append(row) }
            let rent = try #require(rows.first { $0.paycode == "PRNT" })
            _ = try await desk.service(desk.approver).stopVariation(
                .with {
                    ($0.variationID, $0.commissionerCode) = (rent.variationID, "16C")
                    $0.fromMonth = .with { ($0.year, $0.month) = (2026, 4) }
                    ($0.reason, $0.acceptRecovery) = ("lease ended", true)
                })
            try await desk.office.pay("2026-05")
            let may = try await desk.office.statement("A81001", "2026-05").lines
            #expect(shown(may.filter { $0.paycode != "NPP" }) == ["PMSB 10000.00", "PRNT -1000.00"])
            #expect(may.last { $0.paycode == "PRNT" }?.isRetro == true)
        }
    }

    @Test("every fault by row, column and code; phantom columns are ignored, filled ones named")
    func faults() async throws {
        try await Self.withDesk { desk in
            let failure = try await refusal {
                _ = try await desk.upload(
                    "A99999,LIS,x,ONEOFF,1.00,2026-03,,1.00,,\n"
                        + "C84101,LIS,x,ONEOFF,1.00,2026-03,,1.00,,\n"
                        + "A81001,GSUM,x,ONEOFF,1.00,2026-03,,1.00,,\n"
                        + "A81001,PACTA,x,ONEOFF,1.00,2026-03,,1.00,,\n"
                        + "A81001,LIS,x,ONEOFF,1.005,2026-03,,1.00,,\n"
                        + "A81001,LIS,x,ONEOFF,1.00,2026-02,,1.00,,\n"
                        + "A81001,LIS,x,MONTHLY,1.00,2026-03,2026-05,2.00,,\n"
                        + "A81001,NPP,x,ONEOFF,1.00,2026-03,,1.00,,\n"
                        + "A81001,LIS,y,ONEOFF,1.00,2026-03,,1.00,,\nA81001,LIS,y,ONEOFF,1.00,2026-03,,1.00,,\n")
            }
            #expect(
                failure.violations.map { "\($0.row) \($0.rule)" } == [
                    "2 CV001", "3 CV002", "4 CV003", "5 CV004", "6 CV005", "7 CV006", "8 CV007", "9 CV008", "9 CV008",
                    "11 CV009",
                ])
            let phantom = try await desk.upload(
                "A81001,LIS,x,ONEOFF,1.00,2026-03,,1.00,,,,,,,\n", header: Self.header + ",,,,,")
            #expect(phantom.rows == 1)
            let filled = try await refusal {
                _ = try await desk.upload(
                    "A81001,LIS,x,ONEOFF,1.00,2026-03,,1.00,,,note\n", header: Self.header + ",")
            }
            #expect(filled.violations.map { "\($0.row) \($0.rule)" } == ["2 UP03"])
            let again = try await refusal {
                _ = try await desk.upload(
                    "A81001,LIS,x,ONEOFF,1.00,2026-03,,1.00,,,,,,,\n", header: Self.header + ",,,,,")
            }
            #expect(again.violations.map(\.rule) == ["CV010"])
        }
    }

    @Test("a recovery says why or names its line, runs over at most twelve months, and takes back no more than was paid")
    func recoveries() async throws {
        try await Self.withDesk { desk in
            try await desk.office.pay("2026-03")
            let failure = try await refusal {
                _ = try await desk.upload(
                    "A81001,RECO,overpaid rates,ONEOFF,-1.00,2026-04,,-1.00,,\n"
                        + "A81001,RECO,DUPLICATE,MONTHLY,-1.00,2026-04,,,,\n"
                        + "A81001,RECO,WRONG_RATE of 2025,MONTHLY,-1.00,2026-04,2027-04,-13.00,,\n"
                        + "A81001,RECO,2026-03-1/A81001/1: too much,MONTHLY,-2500.01,2026-04,2026-07,-10000.04,,\n"
                        + "A81001,RECO,2026-03-1/A81001/2,ONEOFF,-1.00,2026-04,,-1.00,,\n"
                        + "A81001,RECO,2026-03-1/A81002/1,ONEOFF,-1.00,2026-04,,-1.00,,\n"
                        + "A81001,WHLD,OTHER,ONEOFF,-1.00,2026-04,,-1.00,,\n"
                        + "A81001,LIS,OVERPAYMENT,ONEOFF,-1.00,2026-04,,-1.00,,\n"
                        + "A81001,ADJN,x,ONEOFF,1.00,2026-04,,1.00,,\n")
            }
            #expect(
                failure.violations.map { "\($0.row) \($0.rule) \($0.field)" } == [
                    "2 CV013 narrative", "3 CV013 lastPaymentMonth", "4 CV013 lastPaymentMonth", "5 CV014 amount",
                    "6 CV013 narrative", "7 CV013 narrative", "8 CV003 paycode", "9 CV015 amount", "10 CV015 amount",
                ])
            let upload = try await desk.upload(
                "A81001,RECO,ineligible: patient left,MONTHLY,-10.00,2026-04,2027-03,-120.00,,\n"
                    + "A81001,ADJN,2026-03-1/A81001/1 a tenth,ONEOFF,-1000.00,2026-04,,-1000.00,,\n")
            #expect(try await desk.approve(upload).state == .approved)
            var rows: [Pcs_Payments_V1_Variation] = []
            for try await row in try await desk.service(desk.editor).listVariations(
                .with { $0.commissionerCode = "16C" })
            { rows.append(row) }
            #expect(rows.map(\.recoveryReason) == [.ineligible, .unspecified])
            #expect(rows.map(\.recoveredLine) == ["", "2026-03-1/A81001/1"])
        }
    }

    @Test("recoveries of a line add up: rows of a file, uploads that are submitted, set-offs; stopped months come back")
    func recoveriesAddUp() async throws {
        try await Self.withDesk { desk in
            try await desk.office.pay("2026-03")
            func recover(_ pounds: String, _ note: String = "") -> String {
                "A81001,RECO,2026-03-1/A81001/1\(note),ONEOFF,-\(pounds),2026-04,,-\(pounds),,\n"
            }
            func faults(_ rows: String) async throws -> [String] {
                try await refusal { _ = try await desk.upload(rows) }.violations.map { "\($0.row) \($0.rule) \($0.field)" }
            }
            // The line paid 10,000.00.
            #expect(try await faults(recover("6000.00") + recover("4000.01")) == ["3 CV014 amount"])
            // Two files that are each within it: the second to be submitted is refused.
            let first = try await desk.upload(recover("6000.00"))
            let second = try await desk.upload(recover("5000.00"))
            _ = try await desk.service(desk.editor).submitVariations(
                .with { ($0.uploadID, $0.commissionerCode) = (first.uploadID, "16C") })
            let late = try await refusal { _ = try await desk.approve(second) }
            #expect(late.violations.map(\.rule) == ["CV014"] && late.violations[0].message.contains("4000.00 is left"))
            #expect(try await faults(recover("4000.01")) == ["2 CV014 amount"])

            // A set-off that names the line counts while it is not returned.
            let withholding = Pcs_Payments_V1_WithholdingServiceClient(try await desk.office.transport(desk.editor))
            var debt = Pcs_Payments_V1_ProposeSetOffRequest.with {
                ($0.payeeCode, $0.amountPence, $0.months, $0.reason) = ("A81001", 400_001, 2, .overpayment)
                ($0.debtReference, $0.note) = ("2026-03-1/A81001/1 paid too much", "the rest of it")
                $0.firstMonth = .with { ($0.year, $0.month) = (2026, 4) }
            }
            let tooMuch = try await refusal { _ = try await withholding.proposeSetOff(debt) }
            #expect(tooMuch.violations.map { "\($0.rule) \($0.field)" } == ["CV014 amount_pence"])
            debt.amountPence = 300_000
            let setOff = try await withholding.proposeSetOff(debt)
            #expect(try await faults(recover("1000.01")) == ["2 CV014 amount"])
            let decider = Pcs_Payments_V1_WithholdingServiceClient(try await desk.office.transport(desk.approver))
            _ = try await decider.decideSetOff(
                .with { ($0.setOffID, $0.payeeCode, $0.reason) = (setOff.setOffID, "A81001", "not owed") })

            // 4,000.00 in four months; stopped after the first, 3,000.00 are left again.
            let monthly = try await desk.upload(
                "A81001,RECO,2026-03-1/A81001/1,MONTHLY,-1000.00,2026-04,2026-07,-4000.00,,\n")
            #expect(try await desk.approve(monthly).state == .approved)
            #expect(try await faults(recover("0.01")) == ["2 CV014 amount"])
            var rows: [Pcs_Payments_V1_Variation] = []
            for try await row in try await desk.service(desk.editor).listVariations(
                .with { ($0.commissionerCode, $0.uploadID) = ("16C", monthly.uploadID) })
            { rows.append(row) }
            _ = try await desk.service(desk.approver).stopVariation(
                .with {
                    ($0.variationID, $0.commissionerCode) = (rows[0].variationID, "16C")
                    $0.fromMonth = .with { ($0.year, $0.month) = (2026, 5) }
                    $0.reason = "the rest is waived"
                })
            #expect(try await faults(recover("3000.01", " b")) == ["2 CV014 amount"])
            #expect(try await desk.upload(recover("3000.00", " b")).rows == 1)
        }
    }

    @Test("large amounts take two approvers, neither of whom uploaded")
    func twoApprovers() async throws {
        try await Self.withDesk { desk in
            let upload = try await desk.upload("A81001,LIS,big,ONEOFF,15000.01,2026-03,,15000.01,,\n")
            #expect(upload.approvalsNeeded == 2)
            let first = try await desk.approve(upload)
            #expect(first.state == .submitted)
            let same = try await refusal { _ = try await desk.approve(first) }
            #expect(same.reason == HostReasons.secondPersonRequired)
            let other = try await desk.office.host.person("dee", roles: [Roles.commissionerApprover], at: "16C")
            #expect(try await desk.approve(first, as: other).state == .approved)
        }
    }
}
