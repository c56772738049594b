import CommonContract
import CqrsContract
import Foundation
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import CQRSPlugin

/// Claims of many providers in one file (10.5).
@Suite("Bulk claims")
struct LocalBulkTests {
    typealias Office = LocalOffice

    private func template(_ office: Office, _ service: String) async throws -> [String] {
        var bytes: [UInt8] = []
        for try await chunk in try await office.claims(office.tier1).makeBulkTemplate(
            .with { ($0.commissionerCode, $0.serviceID) = (Office.commissioner, service) })
        {
            bytes += chunk.data
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\r\n").map(String.init)
    }

    private func upload(_ office: Office, _ service: String, _ text: String) async throws
        -> Pcs_Cqrs_V1_BulkClaim
    {
        let bytes = Data(text.utf8)
        var messages: [Pcs_Cqrs_V1_UploadBulkClaimsRequest] = []
        for start in stride(from: 0, to: max(1, bytes.count), by: 1 << 20) {
            messages.append(
                .with {
                    if start == 0 {
                        ($0.commissionerCode, $0.serviceID) = (Office.commissioner, service)
                        $0.fileName = "bulk.csv"
                    }
                    $0.data = bytes[start..<min(start + (1 << 20), bytes.count)]
                })
        }
        return try await office.claims(office.tier1).uploadBulkClaims(messages)
    }

    private func result(_ office: Office, _ bulk: Pcs_Cqrs_V1_BulkClaim) async throws -> [String] {
        var bytes: [UInt8] = []
        for try await chunk in try await office.claims(office.tier1).readBulkResult(
            .with { ($0.commissionerCode, $0.bulkID) = (Office.commissioner, bulk.bulkID) })
        {
            bytes += chunk.data
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\r\n").map(String.init)
    }

    @Test(
        "a template is filled in and uploaded; rows that break rules are rejected, not the file; a second person reviews"
    )
    func wholeWay() async throws {
        try await Office.with { office in
            try await office.enrol()
            let open = try await office.open()
            var rows = try await template(office, open.service)
            #expect(rows.count == 5)
            #expect(rows[1].hasPrefix(Office.practice + ","))
            // Quantity is the last but one cell: a good row, a broken one, one left empty, a good one.
            rows[1] = String(rows[1].dropLast(1)) + "42,"
            rows[2] = String(rows[2].dropLast(1)) + "1.5,"
            rows[4] = String(rows[4].dropLast(1)) + "9,"
            let more = [
                "X99999,,\(open.window),,,ECG,,,,1,", "\(Office.second),,\(open.window),,,ECG,,,,1,",
                "short,row",
            ]
            let text = (rows + more).joined(separator: "\r\n") + "\r\n"
            let bulk = try await upload(office, open.service, text)
            #expect((bulk.claims, bulk.totalPence, bulk.rejectedRows) == (2, 1_197_00 + 155_25, 4))
            #expect(
                Set(bulk.rejections.map { "\($0.row) \($0.rule)" }) == [
                    "3 LOC-1", "6 LOC-2", "7 LOC-7", "8 UP03",
                ])
            #expect(try await upload(office, open.service, text).alreadyUploaded)

            let outcome = try await result(office, bulk)
            #expect(outcome[1].contains(",taken,"))
            #expect(outcome[1].hasSuffix(",1197.00,,"))
            #expect(outcome[2].contains(",rejected,,,LOC-1,"))
            #expect(outcome[3].contains(",empty,"))

            func review(_ subject: TestSubject) async throws -> Pcs_Cqrs_V1_BulkClaim {
                try await office.claims(subject).reviewBulkClaims(
                    .with {
                        ($0.commissionerCode, $0.bulkID, $0.accept) = (Office.commissioner, bulk.bulkID, true)
                    })
            }
            await expectLocalRefusal("SECOND_PERSON_REQUIRED") { _ = try await review(office.tier1) }
            #expect(try await review(office.otherTier1).state == .accepted)
            let decided = try await office.claims(office.tier2).approveLocalClaims(
                .with { ($0.commissionerCode, $0.bulkID) = (Office.commissioner, bulk.bulkID) })
            #expect((decided.decided, decided.totalPence) == (2, 1_352_25))
            #expect(try await office.handOver().sent == 2)
            // The providers' own claim of the same components is a duplicate now.
            await expectLocalRefusal("LOCAL_CLAIM_INVALID", ["LOC-7"]) {
                _ = try await office.create(open.service, open.window, [Office.line("BLOOD", "1")])
            }
            let log = try await office.report(.bulk)
            #expect(log.rows.map { $0.cells[4] } == ["accepted"])
        }
    }

    @Test("a declined upload ends its claims, and the same file can come again")
    func declined() async throws {
        try await Office.with { office in
            let open = try await office.open()
            let header = LocalBulkFile.columns.joined(separator: ",")
            let text = "\(header)\r\n\(Office.practice),,\(open.window),,,ECG,,,,3,\r\n"
            let bulk = try await upload(office, open.service, text)
            let declined = try await office.claims(office.otherTier1).reviewBulkClaims(
                .with {
                    ($0.commissionerCode, $0.bulkID) = (Office.commissioner, bulk.bulkID)
                    $0.reason = "wrong month"
                })
            #expect(declined.state == .declined)
            let again = try await upload(office, open.service, text)
            #expect(!again.alreadyUploaded)
            #expect(again.claims == 1)
            await expectLocalRefusal("FILE_INVALID") {
                _ = try await upload(office, open.service, "a,b\r\n1,2\r\n")
            }
        }
    }

    @Test("without the provider's agreement on file its rows are rejected")
    func agreement() async throws {
        try await Office.with { office in
            let service = try await office.publish(Office.definition())
            let offered = try await office.schemes(office.admin).offerLocalContract(
                office.offer([service], to: [Office.practice]))
            _ = try await office.schemes(office.user).answerLocalContract(
                .with {
                    ($0.providerCode, $0.contractID, $0.accept) = (Office.practice, offered.contractID, true)
                })
            let window = try #require(try await office.windows(service).first)
            let header = LocalBulkFile.columns.joined(separator: ",")
            let bulk = try await upload(
                office, service, "\(header)\r\n\(Office.practice),,\(window),,,ECG,,,,3,\r\n")
            #expect((bulk.claims, bulk.rejections.map(\.rule)) == (0, ["10.5"]))
            #expect(try await template(office, service).count == 1)
        }
    }

    @Test("20,000 claims of 2,000 pharmacies in one file, reviewed and approved, within bounds")
    func large() async throws {
        try await Office.with(pharmacies: true) { office in
            let definition = Office.definition {
                $0.components[0].caps = [Office.cap(.quantityAYear, "100000")]
            }
            let service = try await office.publish(definition)
            let register = String(
                decoding: try OpenData.read("ods/edispensary-open-and-proposed.csv.gz"), as: UTF8.self)
            // Open all through the contract: code, opened, closed and status of the register's columns.
            let open = register.split(whereSeparator: \.isNewline).compactMap { row -> String? in
                let cells = row.split(separator: "\",\"", omittingEmptySubsequences: false)
                guard cells.count > 12, cells[12] == "A", cells[11].isEmpty, cells[10] < "20250401" else {
                    return nil
                }
                return cells[0].filter { $0 != "\"" }
            }.prefix(2_000)
            #expect(open.count == 2_000)
            try await office.contract([service], with: Array(open))
            let windows = try await office.windows(
                service,
                (0..<10).map { month in
                    let first = YearMonth(containing: Office.start).adding(months: month)
                    return Office.window(
                        first.firstDay.description, first.lastDay.description, opens: "2026-03-01",
                        closes: "2026-03-31")
                })
            var text = LocalBulkFile.columns.joined(separator: ",") + "\r\n"
            for pharmacy in open {
                for window in windows { text += "\(pharmacy),,\(window),,,BLOOD,,,,3,\r\n" }
            }
            let start = ContinuousClock.now
            let bulk = try await upload(office, service, text)
            #expect((bulk.rows, bulk.claims, bulk.rejectedRows) == (20_000, 20_000, 0))
            #expect(bulk.totalPence == 20_000 * 93_00)
            let uploaded = ContinuousClock.now - start
            _ = try await office.claims(office.otherTier1).reviewBulkClaims(
                .with {
                    ($0.commissionerCode, $0.bulkID, $0.accept) = (Office.commissioner, bulk.bulkID, true)
                })
            let decided = try await office.claims(office.tier2).approveLocalClaims(
                .with { ($0.commissionerCode, $0.bulkID) = (Office.commissioner, bulk.bulkID) })
            #expect(decided.decided == 20_000)
            let all = ContinuousClock.now - start
            print("20,000 bulk claims: uploaded in \(uploaded), reviewed and approved in \(all - uploaded)")
            #expect(uploaded < .seconds(60))
            #expect(all < .seconds(180))
        }
    }
}
