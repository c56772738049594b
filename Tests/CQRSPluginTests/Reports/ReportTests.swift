import CommonContract
import CqrsContract
import Foundation
import PluginAPI
import PluginTestKit
import Testing

@testable import CQRSPlugin

/// Reports by the rules REP-1 to REP-6 and ORG-6, through the door.
@Suite("CQRS reports")
struct ReportTests {
    private func door(_ host: TestHost, _ subject: TestSubject) async throws
        -> Pcs_Cqrs_V1_ReportServiceClient
    {
        Pcs_Cqrs_V1_ReportServiceClient(try await host.transport(.inProcess, as: subject))
    }

    private func ask(
        _ name: Pcs_Cqrs_V1_ReportName, _ organisation: String, _ service: String, _ date: CalendarDate?
    )
        -> Pcs_Cqrs_V1_ReportRequest
    {
        .with {
            $0.name = name
            $0.organisationCode = organisation
            $0.serviceCode = service
            if let date { $0.achievementDate = Pcs_Common_V1_Date(date) }
        }
    }

    private func export(
        _ door: Pcs_Cqrs_V1_ReportServiceClient, _ request: Pcs_Cqrs_V1_ReportRequest,
        _ format: Pcs_Cqrs_V1_ReportFormat
    ) async throws -> Data {
        var request = request
        request.format = format
        var bytes = Data()
        for try await chunk in try await door.exportReport(request) { bytes += chunk.data }
        return bytes
    }

    @Test("REP-1: the same columns and rows on the screen, as CSV and as JSON, with ISO dates")
    func forms() async throws {
        try await NetworkOffice.with { network in
            try await network.prepareW16()
            let door = try await door(network.office.host, network.approving)
            let request = ask(
                .declarationManagement, NetworkOffice.commissioner, NetworkOffice.service, NetworkOffice.april
            )
            let report = try await door.runReport(request)
            #expect(report.rows.count == 4)
            let csv = String(decoding: try await export(door, request, .csv), as: UTF8.self)
                .split(separator: "\r\n").map {
                    $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
                }
            #expect(csv.first == report.columns)
            #expect(Array(csv.dropFirst()) == report.rows.map(\.cells))
            let json = try #require(
                try JSONSerialization.jsonObject(with: try await export(door, request, .json))
                    as? [[String: String]])
            #expect(
                json == report.rows.map { Dictionary(uniqueKeysWithValues: zip(report.columns, $0.cells)) })
            let row = try #require(json.first { $0["provider_code"] == "G83001" })
            #expect(row["amount_pounds"] == "4120.10")
            #expect(row["achievement_date"] == "2020-04-30")
            #expect(row["status"] == "Awaiting Commissioning Organisation Approval")
        }
    }

    @Test(
        "REP-2, REP-5: View gets the achievement summary without any column of pounds; figures name their result and time"
    )
    func withoutPounds() async throws {
        try await QualityOffice.with { office in
            try await AchievementTests().prepare(office)
            _ = try await office.load(try AchievementTests.extract(), as: .indicatorValues)
            _ = try await office.calculate("QOF2324", AchievementTests.yearEnd)
            let view = try await office.host.person("vera", roles: [Role("CQRS_VIEW")], at: "A81001")
            let finance = try await office.host.person(
                "fay", roles: [Role("CQRS_FINANCE_VIEW")], at: "A81001")
            let request = ask(.achievementSummary, "A81001", "QOF2324", AchievementTests.yearEnd)
            let plain = try await door(office.host, view).runReport(request)
            let whole = try await door(office.host, finance).runReport(request)
            #expect(plain.rows.count == 76)
            #expect(!plain.columns.contains { $0.contains("pounds") })
            #expect(whole.columns.filter { $0.contains("pounds") } == ["amount_pounds"])
            let column = try #require(whole.columns.firstIndex(of: "amount_pounds"))
            let sum = whole.rows.reduce(Int64(0)) { $0 + (Money($1.cells[column])?.pence ?? 0) }
            let payment = try await office.calculations(finance).getPayment(
                .with {
                    ($0.providerCode, $0.serviceCode) = ("A81001", "QOF2324")
                    $0.achievementDate = Pcs_Common_V1_Date(AchievementTests.yearEnd)
                })
            #expect(sum == payment.totalPence && sum > 0)
            let named = try #require(whole.columns.firstIndex(of: "calculation_id"))
            #expect(whole.rows.allSatisfy { $0.cells[named] == payment.achievement.calculationID })
            #expect(whole.rows.allSatisfy { $0.cells.last == "2026-03-16T09:00:00Z" })
            #expect(whole.hasAsOf)

            // An earlier result can be asked for by its id.
            _ = try await office.load(
                try AchievementTests.extract(changing: ["A81001 AF006 N": "200"]), as: .indicatorValues)
            _ = try await office.calculate("QOF2324", AchievementTests.yearEnd)
            var earlier = request
            earlier.calculationID = payment.achievement.calculationID
            #expect(
                try await door(office.host, finance).runReport(earlier).rows.map(\.cells)
                    == whole.rows.map(\.cells))
            #expect(
                try await door(office.host, finance).runReport(request).rows.map(\.cells)
                    != whole.rows.map(\.cells))
        }
    }

    @Test(
        "REP-3: a practice with PCN View sees peers for the dates on which both were members, and no others")
    func peers() async throws {
        try await NetworkOffice.with { network in
            try await network.prepareW16()
            let may = day("2020-05-31")
            _ = try await network.office.calculate(NetworkOffice.service, may)
            try await network.nightly()
            try await network.rejoin("G83044", left: "20200415", on: "20200510")
            let peer = try await network.office.host.person(
                "pam", roles: [Role("CQRS_PCN_VIEW"), Role("CQRS_FINANCE_VIEW")], at: "G83044")
            let door = try await door(network.office.host, peer)
            func practices(_ date: CalendarDate) async throws -> [String] {
                let report = try await door.runReport(
                    ask(.networkDeclarationManagement, NetworkOffice.pcn, NetworkOffice.service, date))
                let column = try #require(report.columns.firstIndex(of: "practice_code"))
                return Set(report.rows.map { $0.cells[column] }).sorted()
            }
            #expect(try await practices(NetworkOffice.april).isEmpty)
            #expect(Set(try await practices(may)).isSuperset(of: ["G83001", "G83013", "G83021"]))
            await expectRefusal("NOT_MEMBERS_THEN") {
                _ = try await network.office.calculations(peer).getAchievement(
                    .with {
                        ($0.providerCode, $0.serviceCode) = ("G83001", NetworkOffice.service)
                        $0.achievementDate = Pcs_Common_V1_Date(NetworkOffice.april)
                    })
            }
        }
    }

    @Test(
        "REP-4: an allocated report shows what the region commissions below, for its service and year, until it is removed"
    )
    func allocated() async throws {
        try await NetworkOffice.with { network in
            let host = network.office.host
            let region = "Y56"
            let all: Set<Role> = [Role("CQRS_SERVICE_MANAGEMENT"), Role("CQRS_ORGANISATION_ADMINISTRATOR")]
            let regional = try await host.person("rita", roles: all, at: region)
            _ = try await network.participation(regional).createOffer(
                .with {
                    $0.commissionerCode = region
                    $0.serviceCode = "LDHC2526"
                    $0.providerCodes = ["G83001"]
                    $0.answerBy = Pcs_Common_V1_Date(day("2026-03-31"))
                    $0.contractReference = "REGION 1"
                })
            let request = ask(.participationStatus, NetworkOffice.commissioner, "LDHC2526", nil)
            let own = try await door(host, network.offering)
            #expect(try await own.runReport(request).rows.isEmpty)
            let reports = try await door(host, regional)
            await expectRefusal("FIELD_INVALID", ["0 REP-4"]) {
                _ = try await reports.allocateReport(
                    .with {
                        ($0.parentCode, $0.toOrganisationCode, $0.serviceCode) = (region, "16C", "LDHC2526")
                    })
            }
            let allocation = try await reports.allocateReport(
                .with {
                    ($0.parentCode, $0.toOrganisationCode) = (region, NetworkOffice.commissioner)
                    ($0.serviceCode, $0.financialYear) = ("LDHC2526", "2025/26")
                })
            let shown = try await own.runReport(request)
            #expect(shown.rows.count == 1)
            #expect(shown.rows.first?.cells.contains("REGION 1") == true)
            let removal = Pcs_Cqrs_V1_RemoveReportAllocationRequest.with {
                ($0.parentCode, $0.allocationID, $0.reason) = (
                    region, allocation.allocationID, "no longer needed"
                )
            }
            _ = try await reports.removeReportAllocation(removal)
            #expect(try await own.runReport(request).rows.isEmpty)
            await expectRefusal("ALLOCATION_UNKNOWN") {
                _ = try await reports.removeReportAllocation(removal)
            }
            let listed = try await reports.listReportAllocations(.with { $0.organisationCode = region })
                .allocations
            #expect(listed.map(\.removedBecause) == ["no longer needed"])
        }
    }

    @Test(
        "ORG-6: a report of before July 2022 has the former labels when they are asked for; later ones never")
    func labels() async throws {
        try await NetworkOffice.with { network in
            _ = try await network.participation().createOffer(network.offer("PCNCORE2021"))
            let operating = try await door(network.office.host, network.office.operating)
            var request = ask(.participationStatus, NetworkOffice.commissioner, "PCNCORE2021", nil)
            (request.from, request.to) = (
                Pcs_Common_V1_Date(day("2020-04-01")), Pcs_Common_V1_Date(day("2021-03-31"))
            )
            func levels() async throws -> Set<[String]> {
                let report = try await operating.runReport(request)
                #expect(report.rows.count == 4)
                let places = ["commissioner_level", "icb_level"].compactMap {
                    report.columns.firstIndex(of: $0)
                }
                return Set(report.rows.map { row in places.map { row.cells[$0] } })
            }
            #expect(try await levels() == [["Sub ICB Location", "ICB"]])
            request.formerLabels = true
            #expect(try await levels() == [["CCG", "STP"]])
        }
    }

    @Test(
        "a report is refused to roles that do not show it, with the roles that do; and bad input by every field at once"
    )
    func refused() async throws {
        try await NetworkOffice.with { network in
            let host = network.office.host
            let viewer = try await host.person("vera", roles: [Role("CQRS_VIEW")], at: "G83001")
            do {
                _ = try await door(host, viewer).runReport(
                    ask(.providerPaymentDeclaration, "G83001", "", nil))
                Issue.record("View was shown payments")
            } catch let failure as Failure {
                #expect(failure.reason.name == "REPORT_NOT_ALLOWED")
                #expect(failure.message.contains("FINANCE_VIEW"))
            }
            await expectRefusal("REPORT_NOT_ALLOWED") {
                _ = try await door(host, network.approving).runReport(
                    ask(.achievedPoints, NetworkOffice.commissioner, "QOF2324", day("2024-03-31")))
            }
            let operating = try await door(host, network.office.operating)
            await expectRefusal("FIELD_INVALID", ["0 REP-1", "0 REP-6"]) {
                _ = try await operating.runReport(
                    .with {
                        $0.name = .achievedPoints
                        $0.openData = true
                        $0.from = Pcs_Common_V1_Date(day("2024-04-01"))
                        $0.to = Pcs_Common_V1_Date(day("2024-03-01"))
                    })
            }
        }
    }
}
