import CommonContract
import CqrsContract
import Foundation
import PluginAPI
import PluginTestKit
import Testing

@testable import CQRSPlugin

/// cqrs.md 4.2, 8 and 13 of offers and of people who declare.
@Suite("CQRS requirements of participation")
struct ParticipationRequirements {
    private static let nextYear =
        "WM2627,1,Weight management referral 2026/27,2026/27,des,2026-04-01,2027-03-31,monthly,monthly,manual,practice,itemOfService,none,PRACTICE,financeApprovalRequired,WMREF,,C,test"
    private static let referrals =
        "WM2627,1,WM001,WM,payment,count,0,,,,none,,M,,,,C=Count,,,C,test,referrals"
    private static let tariff = "WM2627,1,referral,WM001,11.50,none,1,2026-04-01,,,C,test"

    @Test(
        "R3, PAR-4: an offer made ahead is reminded of 7 and 1 days before it lapses; on 1 April the board has the practice"
    )
    func lapsing() async throws {
        try await NetworkOffice.with(casework: true) { network in
            let host = network.office.host
            try await network.office.define(
                service: Self.nextYear, indicator: Self.referrals, tariff: Self.tariff)
            _ = try await network.participation().createOffer(
                .with {
                    $0.commissionerCode = NetworkOffice.commissioner
                    $0.serviceCode = "WM2627"
                    $0.providerCodes = ["G83001"]
                    $0.offerOn = Pcs_Common_V1_Date(day("2026-03-17"))
                    $0.answerBy = Pcs_Common_V1_Date(day("2026-03-31"))
                    $0.contractReference = "LES 7"
                })
            let practice = try await host.person(
                "pam", roles: [Role("CQRS_SERVICE_MANAGEMENT")], at: "G83001")
            #expect(try await host.tasks(of: practice).isEmpty)
            // T-14, T-7 and T-1, each by the nightly job.
            try await host.advance(days: 1)
            let task = try #require(try await host.tasks(of: practice).first)
            #expect(task.title == "Answer the offer of WM2627")
            #expect(
                task.detail.contains(
                    "WM2627 from 2026-04-01. Answer by 2026-03-31; after that the offer lapses."))
            #expect(task.detail.contains("nothing is extracted, calculated or paid"))
            #expect(task.dueOn == Pcs_Common_V1_Date(day("2026-03-31")))
            for days in [7, 6] {
                try await host.advance(days: days)
                #expect(try await host.tasks(of: practice).map(\.priority) == [.urgent])
            }
            let reminders = try await host.messages(of: practice).filter {
                $0.title.contains("lapses after 2026-03-31")
            }
            #expect(reminders.count == 3)
            try await host.advance(days: 2)
            #expect(host.clock.today == day("2026-04-01"))
            #expect(try await host.tasks(of: practice).isEmpty)
            let board = try await network.participation().listUnoffered(
                .with { ($0.commissionerCode, $0.serviceCode) = (NetworkOffice.commissioner, "WM2627") }
            ).providers
            #expect(board.first { $0.providerCode == "G83001" }?.standing == "lapsed")
            #expect(board.first { $0.providerCode == "G83013" }?.standing == "not offered")
        }
    }

    @Test("R4, USR-7: one declarer is a warning; on leave, the delegate is told of everything to declare")
    func delegate() async throws {
        try await PracticeOffice.with { practice in
            let host = practice.office.host
            let door = Pcs_Cqrs_V1_DelegateServiceClient(
                try await host.transport(.inProcess, as: practice.declaring))
            let alone = try await door.listDeclarers(.with { $0.organisationCode = PracticeOffice.practice })
            #expect(alone.declarers.map(\.personID) == ["dina"])
            #expect(alone.warnings == ["USR-7: 1 can declare at G83001 today; 2 are advised."])
            let leave = Pcs_Cqrs_V1_RecordLeaveRequest.with {
                $0.organisationCode = PracticeOffice.practice
                ($0.personID, $0.delegatePersonID) = ("dina", "edie")
                $0.from = Pcs_Common_V1_Date(day("2026-03-16"))
                $0.to = Pcs_Common_V1_Date(day("2026-03-27"))
            }
            await expectRefusal("DELEGATE_CANNOT_DECLARE") { _ = try await door.recordLeave(leave) }
            let delegate = try await host.person(
                "edie", roles: [Role("CQRS_DECLARATION_MANAGEMENT")], at: PracticeOffice.practice)
            let two = try await door.listDeclarers(.with { $0.organisationCode = PracticeOffice.practice })
            #expect(two.warnings.isEmpty)
            let recorded = try await door.recordLeave(leave)
            let away = try await door.listDeclarers(.with { $0.organisationCode = PracticeOffice.practice })
            #expect(away.declarers.filter(\.awayToday).map(\.personID) == ["dina"])
            #expect(away.warnings == ["USR-7: 1 can declare at G83001 today; 2 are advised. 1 on leave."])
            let ready = try await practice.readyByHand()
            #expect(try await host.tasks(of: delegate).map(\.title) == ["Declare WM2526 of 2026-02-28"])
            let told = try await host.messages(of: delegate).map(\.title)
            #expect(told == ["Declare WM2526 of 2026-02-28, standing in until 2026-03-27"])
            #expect(
                try await practice.declare(ready, as: delegate).state
                    == .awaitingCommissioningOrganisationApproval)
            _ = try await door.endLeave(
                .with { ($0.organisationCode, $0.leaveID) = (PracticeOffice.practice, recorded.leaveID) })
            await expectRefusal("LEAVE_UNKNOWN") {
                _ = try await door.endLeave(
                    .with { ($0.organisationCode, $0.leaveID) = (PracticeOffice.practice, recorded.leaveID) })
            }
        }
    }

    @Test(
        "PAR-1, PAR-3: back-dated months count once the commissioner confirms them, and ask for their figures"
    )
    func backdated() async throws {
        try await NetworkOffice.with(casework: true) { network in
            let host = network.office.host
            let offer = try await network.participation().createOffer(
                .with {
                    $0.commissionerCode = NetworkOffice.commissioner
                    $0.serviceCode = "WM2526"
                    $0.providerCodes = ["G83001"]
                    $0.answerBy = Pcs_Common_V1_Date(day("2026-03-31"))
                })
            #expect(offer.waiting == 1)
            let practice = try await host.person(
                "pam", roles: [Role("CQRS_SERVICE_MANAGEMENT")], at: "G83001")
            let clerk = try await host.person("carl", roles: [Role("CQRS_ACHIEVEMENT_ENTRY")], at: "G83001")
            let door = try await network.participation(practice)
            let mine = try #require(
                try await door.listParticipations(.with { $0.organisationCode = "G83001" }).participations
                    .first)
            _ = try await door.acceptOffer(
                .with {
                    ($0.providerCode, $0.participationID) = ("G83001", mine.participationID)
                    $0.reason = "the service began without us"
                })
            let entry = Pcs_Cqrs_V1_SubmitCountsRequest.with {
                ($0.providerCode, $0.serviceCode) = ("G83001", "WM2526")
                $0.achievementDate = Pcs_Common_V1_Date(day("2025-04-30"))
                $0.entries = [.with { ($0.indicatorCode, $0.field, $0.value) = ("WM001", "Count", "3") }]
            }
            await expectRefusal("NOT_PARTICIPATING") {
                _ = try await network.office.submissions(clerk).submitCounts(entry)
            }
            #expect(try await host.tasks(of: network.offering).count == 1)
            _ = try await network.participation().confirmBackdating(
                .with {
                    ($0.providerCode, $0.participationID, $0.confirmed) = (
                        "G83001", mine.participationID, true
                    )
                    $0.reason = "agreed"
                })
            #expect(try await host.tasks(of: network.offering).isEmpty)
            // April 2025 to February 2026.
            let open = try await host.tasks(of: clerk)
            #expect(open.count == 11)
            #expect(open.allSatisfy { $0.detail == "0 of 1 submitted. Missing: WM001." })
            try await network.office.loadCalendar(["WM2526,2025-04-30,,,2025-05-01,2026-03-31,,,"])
            #expect(try await network.office.submissions(clerk).submitCounts(entry).complete)
            #expect(try await host.tasks(of: clerk).count == 10)
        }
    }
}
