import Accounting
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@testable import PaymentsPlugin

@Suite("Local payments of pharmacies (payments.md 10.1)")
struct LocalPaymentTests {
    private static let header = "contractorCode,lpaCode,amount,narrative,paymentMonth,levyStat,levyVol\n"

    private struct Desk {
        let office: PaymentsOffice
        let submitter: TestSubject
        let approvers: [TestSubject]
        let commissioner: String
        /// Two pharmacies of the commissioner, and one of another.
        let pharmacies: [String]
        let foreign: String

        func service(_ subject: TestSubject? = nil) async throws
            -> Pcs_Payments_V1_PharmacyPaymentServiceClient
        {
            Pcs_Payments_V1_PharmacyPaymentServiceClient(try await office.transport(subject ?? submitter))
        }

        func load(_ rows: String, month text: String = "2026-04", dryRun: Bool = false) async throws
            -> Pcs_Payments_V1_PharmacyFile
        {
            let month = try month(text)
            return try await service().loadLocalPayments([
                .with {
                    ($0.commissionerCode, $0.fileName, $0.dryRun) = (commissioner, "april.csv", dryRun)
                    $0.month = Pcs_Common_V1_Month(year: month.year, month: month.month)
                    $0.data = Data((LocalPaymentTests.header + rows).utf8)
                }
            ])
        }

        func authorise(_ file: Pcs_Payments_V1_PharmacyFile, _ subject: TestSubject, total: Int64? = nil)
            async throws -> Pcs_Payments_V1_PharmacyFile
        {
            try await service(subject).authoriseLocalPayments(
                .with {
                    ($0.commissionerCode, $0.fileID) = (commissioner, file.fileID)
                    $0.controlTotalPence = total ?? file.totalPence
                })
        }

        func key(_ file: Pcs_Payments_V1_PharmacyFile) -> Pcs_Payments_V1_PharmacyFileStepRequest {
            .with { ($0.commissionerCode, $0.fileID) = (commissioner, file.fileID) }
        }

        func export(_ file: Pcs_Payments_V1_PharmacyFile) async throws -> [String] {
            var bytes = Data()
            for try await chunk in try await service().exportLocalPayments(key(file)) { bytes += chunk.data }
            return String(decoding: bytes, as: UTF8.self).split(separator: "\r\n").map(String.init)
        }
    }

    private func withDesk(_ body: (Desk) async throws -> Void) async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations(pharmacies: true)
            let found = try pharmaciesByCommissioner()
            let ours = try #require(found.first { $0.value.count > 1 })
            let foreign = try #require(found.first { $0.key != ours.key }?.value.first)
            try await body(
                Desk(
                    office: office,
                    submitter: try await office.host.person(
                        "pam", roles: [Roles.pharmacyPaymentsSubmitter], at: ours.key),
                    approvers: [
                        try await office.host.person(
                            "cas", roles: [Roles.commissionerApprover], at: ours.key),
                        try await office.host.person(
                            "cyd", roles: [Roles.commissionerApprover], at: ours.key),
                    ],
                    commissioner: ours.key, pharmacies: Array(ours.value.prefix(2)), foreign: foreign))
        }
    }

    @Test(
        "a file is validated, authorised by two people, sent and confirmed; levies roll forward to accounts without a payment"
    )
    func wholeLife() async throws {
        try await withDesk { desk in
            let (one, two) = (desk.pharmacies[0], desk.pharmacies[1])
            let first = try await desk.load(
                "\(one),LPA01,100.10,Needle exchange,2026-04,Y,N\n\(one),LPA02,-5.00,Correction,2026-04,Y,N\n"
                    + "\(two),LPA01,20.00,Needle exchange,2026-04,Y,Y\n")
            #expect(first.state == .validated && first.totalPence == 11_510 && first.contractors == 2)
            #expect(
                first.totals.map { "\($0.lpaCode) \($0.rows) \($0.totalPence)" } == [
                    "LPA01 2 12010", "LPA02 1 -500",
                ])
            let unauthorised = try await refusal { _ = try await desk.export(first) }
            #expect(unauthorised.reason == PaymentsReasons.pharmacyFileStateWrong)
            let wrong = try await refusal { _ = try await desk.authorise(first, desk.approvers[0], total: 1) }
            #expect(wrong.reason == PaymentsReasons.controlTotalMismatch)
            #expect(try await desk.authorise(first, desk.approvers[0]).state == .validated)
            let same = try await refusal { _ = try await desk.authorise(first, desk.approvers[0]) }
            #expect(same.reason == HostReasons.secondPersonRequired)
            #expect(try await desk.authorise(first, desk.approvers[1]).state == .authorised)
            _ = try await desk.service().recordLocalPaymentsSent(desk.key(first))
            let queried = try await desk.service().recordLocalPaymentsAnswer(
                .with {
                    ($0.commissionerCode, $0.fileID, $0.note) = (
                        desk.commissioner, first.fileID, "which scheme is it?"
                    )
                })
            #expect(queried.state == .queried)
            let confirmed = try await desk.service().recordLocalPaymentsAnswer(
                .with {
                    ($0.commissionerCode, $0.fileID, $0.confirmed) = (desk.commissioner, first.fileID, true)
                })
            #expect(confirmed.state == .confirmed)
            #expect(
                confirmed.history.map(\.step) == [
                    "received", "validated", "authorised by the first person", "authorised", "sent",
                    "queried",
                    "confirmed",
                ])

            let next = try await desk.load(
                "\(one),LPA01,7.00,Needle exchange,2026-05,N,N\n", month: "2026-05")
            _ = try await desk.authorise(next, desk.approvers[0])
            _ = try await desk.authorise(next, desk.approvers[1])
            #expect(
                try await desk.export(next) == [
                    String(Self.header.dropLast()), "\(one),LPA01,7.00,Needle exchange,2026-05,N,N",
                    String(Self.header.dropLast()), "\(two),,,,2026-05,Y,Y",
                ])
            // One part for each agreement, and one for the accounts that are paid nothing.
            desk.office.host.clock.set(try day("2026-04-20"))
            let third = try await desk.load(
                "\(one),LPA02,1.00,Correction,2026-06,Y,N\n\(one),LPA01,7.00,Needle exchange,2026-06,Y,N\n",
                month: "2026-06")
            _ = try await desk.authorise(third, desk.approvers[0])
            _ = try await desk.authorise(third, desk.approvers[1])
            var parts: [String] = []
            for try await chunk in try await desk.service().exportLocalPayments(desk.key(third)) {
                let rows = String(decoding: chunk.data, as: UTF8.self).split(separator: "\r\n")
                #expect(rows.first.map(String.init) == String(Self.header.dropLast()))
                parts.append("\(chunk.lpaCode): \(rows.dropFirst().joined(separator: " "))")
            }
            #expect(
                parts == [
                    "LPA01: \(one),LPA01,7.00,Needle exchange,2026-06,Y,N",
                    "LPA02: \(one),LPA02,1.00,Correction,2026-06,Y,N",
                    ": \(two),,,,2026-06,Y,Y",
                ])
            let levies = try await desk.service().getPharmacyLevies(
                .with { ($0.commissionerCode, $0.contractorCode) = (desk.commissioner, one) })
            #expect(
                levies.indicators.map { "\($0.fromMonth.month) \($0.statutory)" } == ["6 true", "5 false", "4 true"])
        }
    }

    @Test("a pharmacy that has closed meanwhile is named as closed, not as unknown; a proposed one is paid")
    func closed() async throws {
        try await withDesk { desk in
            let (one, two) = (desk.pharmacies[0], desk.pharmacies[1])
            var text = String(
                decoding: try OpenData.read("ods/edispensary-open-and-proposed.csv.gz"), as: UTF8.self)
            for (code, closedOn, status) in [(one, "20260310", "C"), (two, "", "P")] {
                let row = try #require(text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("\"\(code)\",") })
                var cells = row.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
                let open = try #require(cells.firstIndex { $0.count == 10 && $0.hasPrefix("\"2") })
                (cells[open + 1], cells[open + 2]) = ("\"\(closedOn)\"", "\"\(status)\"")
                text = text.replacing(row, with: cells.joined(separator: ","))
            }
            try await desk.office.host.loadOrganisations(
                Array(text.utf8), kind: .pharmacies, fileName: "edispensary.csv",
                publishedOn: try day("2026-03-12"))
            desk.office.host.clock.set(try day("2026-03-20"))
            let refused = try await refusal { _ = try await desk.load("\(one),LPA01,1.00,a,2026-04,Y,N\n") }
            #expect(refused.violations.map(\.rule) == ["PHL01"])
            #expect(refused.violations.first?.message.contains("closed, since 2026-03-10") == true)
            #expect(try await desk.load("\(two),LPA01,1.00,a,2026-04,Y,N\n").state == .validated)
        }
    }

    @Test("what is wrong is listed completely by row and rule, and nothing is kept")
    func faults() async throws {
        try await withDesk { desk in
            let (one, two) = (desk.pharmacies[0], desk.pharmacies[1])
            let broken = try await refusal {
                _ = try await desk.load(
                    "X1,LPA01,1.00,a,2026-04,Y,N\n\(one),?,1.001,,2026-05,X,N\n"
                        + "\(two),LPA01,1.00,a,2026-04,Y,N\n\(two),LPA01,1.00,a,2026-04,N,N\n"
                        + "\(desk.foreign),LPA01,1.00,a,2026-04,Y,N\nFZZZZ,LPA01,1.00,a,2026-04,Y,N\n")
            }
            #expect(
                broken.violations.map { "\($0.row) \($0.rule)" } == [
                    "2 PHL01", "3 PHL02", "3 PHL03", "3 PHL04", "3 PHL05", "3 PHL06", "5 PHL07", "5 PHL06",
                    "6 PHL08",
                    "7 PHL01",
                ])
            let header = try await refusal {
                let month = try month("2026-04")
                _ = try await desk.service().loadLocalPayments([
                    .with {
                        ($0.commissionerCode, $0.data) = (desk.commissioner, Data("a,b\n1,2\n".utf8))
                        $0.month = Pcs_Common_V1_Month(year: month.year, month: month.month)
                    }
                ])
            }
            #expect(header.reason == HostReasons.fileInvalid)
            let row = "\(one),LPA01,1.00,a,2026-04,Y,N\n"
            desk.office.host.clock.set(try day("2026-04-08"))
            let late = try await refusal { _ = try await desk.load(row) }
            #expect(late.violations.map(\.rule) == ["PHL09"])
            desk.office.host.clock.set(try day("2026-04-07"))
            let trial = try await desk.load(row, dryRun: true)
            #expect(trial.fileID.isEmpty && trial.totalPence == 100)
            let inTime = try await desk.load(row)
            #expect(try await desk.load(row).fileID == inTime.fileID)
            let replaced = try await desk.load("\(one),LPA01,2.00,a,2026-04,Y,N\n")
            #expect(replaced.fileID != inTime.fileID)
            #expect(try await desk.service().getLocalPayments(desk.key(inTime)).state == .replaced)
            let stranger = try await desk.office.host.person(
                "eve", roles: [Roles.commissionerApprover], at: "A81001")
            let denied = try await refusal { _ = try await desk.authorise(replaced, stranger) }
            #expect(denied.reason == HostReasons.organisationOutOfScope)
        }
    }

    @Test("where the commissioner pays here, pharmacies get a statement, and the file is not sent")
    func paidHere() async throws {
        try await withDesk { desk in
            let april = try month("2026-04")
            _ = try await desk.service(desk.approvers[0]).setLocalPaymentsPaidHere(
                .with {
                    ($0.commissionerCode, $0.paidHere, $0.reason) = (desk.commissioner, true, "local choice")
                    $0.fromMonth = Pcs_Common_V1_Month(year: april.year, month: april.month)
                })
            let one = desk.pharmacies[0]
            let file = try await desk.load(
                "\(one),LPA01,100.10,Needle exchange,2026-04,Y,N\n\(one),LPA02,-5.00,Correction,2026-04,Y,N\n"
            )
            _ = try await desk.authorise(file, desk.approvers[0])
            #expect(try await desk.authorise(file, desk.approvers[1]).paidHere)
            let sent = try await refusal {
                _ = try await desk.service().recordLocalPaymentsSent(desk.key(file))
            }
            #expect(sent.reason == PaymentsReasons.pharmacyFileStateWrong)
            try await desk.office.pay("2026-04")
            let statement = try await desk.office.statement(one, "2026-04")
            #expect(statement.payeeKind == .pharmacy)
            #expect(shown(statement.lines) == ["PHLP 100.10", "PHLP -5.00"])
        }
    }

    @Test(
        "E20: pharmacies are paid on the first or the working day before, on 1 April on the one after; schedules five working days before"
    )
    func calendar() async throws {
        try await PaymentsOffice.with { office in
            let service = Pcs_Payments_V1_PharmacyPaymentServiceClient(
                try await office.transport(office.operating))
            func days(_ year: String) async throws -> [String] {
                try await service.getPharmacyCalendar(.with { $0.financialYear = year }).days.map {
                    "\($0.month.month): \($0.paymentOn.month)/\($0.paymentOn.day) \($0.scheduleOn.month)/\($0.scheduleOn.day)"
                }
            }
            let year = try await days("2024/25")
            #expect(year.count == 12)
            #expect(year[0].hasPrefix("4: 4/2 "))
            #expect(year[2].hasPrefix("6: 5/31 "))
            #expect(year[1] == "5: 5/1 4/24")
            #expect(try await days("2017/18")[0].hasPrefix("4: 4/3 "))
        }
    }

    @Test("steps lead only where the life of a file says")
    func stages() {
        for action in PharmacyFileAction.allCases {
            #expect(action.next(from: .confirmed) == nil && action.next(from: .replaced) == nil)
        }
        #expect(PharmacyFileAction.authorise.next(from: .validated) == .authorised)
        #expect(PharmacyFileAction.send.next(from: .validated) == nil)
        #expect(PharmacyFileAction.confirm.next(from: .queried) == .confirmed)
    }
}

/// Open pharmacies of the committed register by the Integrated Care Board that commissions them.
private func pharmaciesByCommissioner() throws -> [(key: String, value: [String])] {
    let text = String(decoding: try OpenData.read("ods/edispensary-open-and-proposed.csv.gz"), as: UTF8.self)
    var found: [String: [String]] = [:]
    for line in text.split(whereSeparator: \.isNewline).prefix(200) {
        let cells = line.split(separator: ",", omittingEmptySubsequences: false)
            .map { $0.trimmingCharacters(in: CharacterSet(charactersIn: "\"")) }
        guard cells.count > 12, cells[0].hasPrefix("F"), cells[3].hasPrefix("Q") else { continue }
        found[cells[3], default: []].append(cells[0])
    }
    return found.sorted { $0.key < $1.key }
}
