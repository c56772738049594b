import Accounting
import CaseworkContract
import CaseworkPlugin
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@testable import PaymentsPlugin

@Suite("Paycodes: of claims, their signs, their other names (payments.md 5.4, 6.1)")
struct PaycodeTests {
    private func load(
        _ kind: Pcs_Payments_V1_ReferenceKind, _ text: String, _ office: PaymentsOffice
    ) async throws {
        let set = try await office.rates().proposeRates([
            .with {
                ($0.kind, $0.reason, $0.fileName, $0.data) = (kind, "for a test", "file.csv", Data(text.utf8))
            }
        ])
        _ = try await office.rates(office.secondEditor).approveRates(
            .with { ($0.setID, $0.approve) = (set.setID, true) })
    }

    @Test("a claim of a contract type without a paycode is refused by rule; the day decides")
    func claimPaycodes() async throws {
        try await RentDesk.with("A81001,One,APMS,2026-01-01,2028-04-01,16C,Y63,,,,,,,FIXED,120000.00,,") { desk in
            let header = ClaimPaycodeFile.columns.joined(separator: ",") + "\n"
            try await load(
                .claimPaycodes,
                header + "WATER_RATES,APMS,2026-02-01,,,X,test,\nSERVICE_CHARGE,APMS,2026-02-01,,PACTA,X,test,\n",
                desk.office)
            let before = try await desk.submit(.waterRates, "10.00", from: "2026-01-01", to: "2026-01-31")
            #expect(before.paycode == "PWATA")
            let after = try await refusal {
                _ = try await desk.submit(.waterRates, "10.00", from: "2026-02-01", to: "2026-02-28")
            }
            #expect(after.reason == PaymentsReasons.claimPaycodeMissing)
            let charge = try await desk.submit(.serviceCharge, "20.00", from: "2026-02-01", to: "2026-02-28")
            #expect(charge.paycode == "PACTA")
            _ = try await desk.approve(charge)
            try await desk.office.pay("2026-03")
            let lines = try await desk.office.statement("A81001", "2026-03").lines
            #expect(shown(lines) == ["APMSB 10000.00", "PACT 20.00"])
            let listed = try await desk.office.rates(desk.claimsAdmin).listPaycodes(.init())
            #expect(listed.paycodes.count == Paycode.allCases.count)
            let apms = listed.claimPaycodes.filter { $0.contractType == "APMS" }
            #expect(!apms.contains { $0.claimType == "WATER_RATES" } && apms.count == 12)
            #expect(listed.claimPaycodes.filter { $0.contractType == "GMS" }.count == 13)
        }
    }

    @Test(
        "each fault of a file by its rule",
        arguments: [
            ("RENT,GMS,2026-04-01,,PACTG,X,s,", "REF11"), ("COST_RENT,XMS,2026-04-01,,PACTG,X,s,", "REF11"),
            ("COST_RENT,GMS,2026-04-01,,PACTA,X,s,", "REF11"), ("COST_RENT,GMS,2026-04-01,,PACT,X,s,", "REF11"),
            ("COST_RENT,GMS,2026-04-01,2026-04-01,PACTG,X,s,", "REF02"), ("COST_RENT,GMS,2026-04-01,,PACTG,Z,s,", "REF05"),
            ("COST_RENT,GMS,2026-04-01,,PACTG,X,s,\nCOST_RENT,GMS,2027-04-01,,PACTG,X,s,", "REF11"),
        ])
    func faults(rows: String, rule: String) {
        let text = ClaimPaycodeFile.columns.joined(separator: ",") + "\n" + rows + "\n"
        #expect(ClaimPaycodeFile.read(Array(text.utf8)).violations.listed.map(\.rule) == [rule])
    }

    @Test("shipped files are sound, with and without external codes")
    func files() {
        #expect(ClaimPaycodeFile.read(PackageResources.claim_paycodes_csv).violations.isEmpty)
        #expect(GuaranteedUseFile.read(PackageResources.guaranteed_use_csv).violations.isEmpty)
        let old = PaycodeFile.read(Array("paycode,description,sign,heading\nLIS,Scheme,+,Local\n".utf8))
        #expect(old.violations.isEmpty && old.rows.map(\.externalCode) == [""])
        let new = PaycodeFile.read(
            Array("paycode,description,sign,heading,external_code\nLIS,Scheme,+,Local,X1\n".utf8))
        #expect(new.violations.isEmpty && new.rows.map(\.externalCode) == ["X1"])
        let open = GuaranteedUseFile.read(
            Array((GuaranteedUseFile.columns.joined(separator: ",") + "\n2026-04-01,,5.00,6,50,40,X,s,\n").utf8))
        #expect(open.violations.listed.map(\.rule) == ["REF12", "REF12"])
    }

    @Test("external and suffixed codes stand beside the family, in CSV in columns of their own for who asks")
    func codes() async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            try await office.loadContracts("A81001,One,PMS,2026-02-01,,16C,Y63,,,,,,,FIXED,120000.00,,")
            try await load(
                .paycodes, "paycode,description,sign,heading,external_code\nPMSB,Baseline,+,Balance,NAT77\n", office)
            try await office.pay("2026-03")
            #expect(try await office.statement("A81001", "2026-03").lines.map(\.displayedCode) == ["PMSBG"])
            func csv(_ withCodes: Bool) async throws -> [String] {
                var bytes = Data()
                let stream = try await office.statements().downloadStatement(
                    .with {
                        ($0.practiceCode, $0.runID, $0.format) = ("A81001", "2026-03-1", .csv)
                        $0.withCodes = withCodes
                    })
                for try await chunk in stream { bytes += chunk.data }
                return String(decoding: bytes, as: UTF8.self).split(separator: "\r\n").map(String.init)
            }
            let (plain, extended) = (try await csv(false), try await csv(true))
            #expect(plain.first == StatementCSV.columns.joined(separator: ","))
            #expect(extended == [plain[0] + ",displayedCode,externalCode", plain[1] + ",PMSBG,NAT77"])
            let listed = try await office.rates().listPaycodes(.init()).paycodes
            #expect(listed.first { $0.paycode == "PMSB" }?.externalCode == "NAT77")
        }
    }

    @Test("networks and pharmacies have no suffix, nor has what no contract pays")
    func suffixes() {
        #expect(Paycode.globalSum.displayedCode(.gms) == "GSUMG")
        #expect(Paycode.actualRent.displayedCode(.apms) == "PACTA")
        #expect(Paycode.networkParticipation.displayedCode(.gms) == "NPP")
        #expect(Paycode.networkCore.displayedCode(.pms) == "PCNCOR")
        #expect(Paycode.pharmacyLocalPayment.displayedCode(.gms) == "PHLP")
        #expect(Paycode.sightTest.displayedCode(nil) == "GOS1")
    }

    @Test("a line against the sign of its paycode stops the run; what corrects another one does not")
    func signs() async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            try await office.loadContracts("A81001,One,PMS,2026-02-01,,16C,Y63,,,,,,,FIXED,120000.00,,")
            let post = QualityPost(host: office.host)
            func instruct(_ id: String, _ pence: Int64, corrects: String = "") async throws {
                try await post.instruct(
                    QualityPost.instruction(
                        id, "D" + id, "A81001", pence: pence, release: "2026-03-01", corrects: corrects,
                        payCode: "LDHC"))
            }
            try await instruct("1", 50_000)
            try await instruct("2", -10_000, corrects: "1")
            let sound = try await office.calculate(try await office.open("2026-03").runID)
            func contradictions() async throws -> [String] {
                try await office.exceptions(sound.runID).filter { $0.kind == .signContradicted }.map {
                    "\($0.severity) \($0.paycode) \($0.message)"
                }
            }
            #expect(try await contradictions() == [])
            _ = try await office.runs().reopenRun(
                .with { ($0.runID, $0.thaw, $0.reason) = (sound.runID, true, "one more") })
            try await instruct("3", -777)
            _ = try await office.calculate(sound.runID)
            #expect(
                try await contradictions() == ["blocking ESLD -7.77 of cqrs/3 stands on a paycode of sign +"])
        }
    }

    @Test("a shortfall is told to the commissioner once, when the run is approved")
    func shortfall() async throws {
        try await PaymentsOffice.with(plugins: [PaymentsPlugin.self, CaseworkPlugin.self]) { office in
            try await office.host.loadOrganisations()
            try await office.loadContracts(
                "A81001,One,PMS,2026-02-01,,16C,Y63,,,,,,,FIXED,120000.00,,",
                "A81002,Two,PMS,2026-02-01,,16C,Y63,,,,,,,FIXED,12000.00,,")
            let approver = try await office.host.person(
                "cas", roles: [Roles.commissionerApprover], at: "16C")
            let inbox = Pcs_Casework_V1_MessageServiceClient(try await office.transport(approver))
            let post = QualityPost(host: office.host)
            try await post.instruct(
                QualityPost.instruction(
                    "1", "D1", "A81002", pence: -150_000, release: "2026-03-01", payCode: "LDHC"))
            let run = try await office.calculate(try await office.open("2026-03").runID)
            try await office.host.eventsDelivered()
            #expect(try await inbox.listMessages(.init()).messages.isEmpty)
            try await office.approve(run)
            try await office.host.eventsDelivered()
            let messages = try await inbox.listMessages(.init()).messages
            #expect(messages.map(\.title) == ["Net below zero in the run of 2026-03"])
            #expect(messages.first?.body == "A81002 Two: 500.00 pounds are carried forward.")
            let april = try await office.pay("2026-04")
            try await office.host.eventsDelivered()
            #expect(april.netPence > 0)
            #expect(try await inbox.listMessages(.init()).messages.count == 1)
        }
    }
}
