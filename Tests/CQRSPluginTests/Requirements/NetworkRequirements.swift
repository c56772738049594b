import CommonContract
import CqrsContract
import Foundation
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@testable import CQRSPlugin

/// cqrs.md 13 of networks, their members, lists and pay days.
@Suite("CQRS requirements of networks")
struct NetworkRequirements {
    /// Five members.
    private static let pcn = "U77447"
    private static let members = ["G84004", "G84006", "G84023", "G84024", "G84039"]

    @Test("R9: of five practices four are approved and one leaves by the register: one sum of four lines")
    func leaver() async throws {
        try await NetworkOffice.with(casework: true) { network in
            try await network.define()
            var offer = network.offer(NetworkOffice.service)
            offer.pcnCodes = [Self.pcn]
            _ = try await network.participation().createOffer(offer)
            try await network.office.loadPopulations(Self.members.map { "\($0),wpls,2020-01-01,8000,test" })
            _ = try await network.office.calculate(NetworkOffice.service, NetworkOffice.april)
            try await network.nightly()
            let all = try await network.waiting(.awaitingCommissioningOrganisationApproval)
            #expect(all.map(\.amountPence) == Array(repeating: 1_000_00, count: 5))
            let four = all.filter { $0.providerCode != "G84039" }.map(\.declarationID)
            #expect(try await network.declarations().approveDeclarations(network.decision(four)).decided == 4)
            try await network.nightly()
            let pcn = try await network.office.host.person(
                "pia", roles: [Role("CQRS_PCN_MANAGEMENT")], at: Self.pcn)
            let blocked = try await network.office.host.tasks(of: pcn)
            #expect(blocked.map(\.detail) == ["4 of 5 approved. Missing: G84039 (72Q: approve or query)."])

            try await network.leave("G84039", on: "20200415")
            let sum = try #require(try await network.waiting(.awaitingFinancialApproval).first)
            #expect((sum.providerCode, sum.amountPence) == (Self.pcn, 4_000_00))
            let whole = try await network.declarations(network.office.operating).getDeclaration(
                .with { ($0.providerCode, $0.declarationID) = (Self.pcn, sum.declarationID) })
            #expect(whole.parts.map(\.practiceCode) == Self.members.filter { $0 != "G84039" })
            #expect(try await network.office.host.tasks(of: pcn).isEmpty)
            let finance = try await network.office.host.messages(of: network.financing)
            #expect(finance.map(\.body) == ["PCNW2021 of 2020-04-30: 4000.00 pounds wait for finance."])
        }
    }

    @Test(
        "R10: a list restated for April and May, both paid, drafts two adjustments of exactly the difference")
    func restatement() async throws {
        try await NetworkOffice.with { network in
            var offer = network.offer("PCNCORE2425")
            offer.startOn = Pcs_Common_V1_Date(day("2024-04-01"))
            _ = try await network.participation().createOffer(offer)
            // W12: 48,210 registered, 46,733.52 adjusted.
            let lists = ["12000", "12000", "12000", "12210"]
            try await network.office.loadPopulations(
                zip(NetworkOffice.practices, lists).map { "\($0),crp,2024-01-01,\($1),test" }
                    + ["\(NetworkOffice.pcn),pcnAdjusted,2024-01-01,46733.52,first"])
            let months = [day("2024-04-30"), day("2024-05-31")]
            for month in months { _ = try await network.office.calculate("PCNCORE2425", month) }
            try await network.nightly()
            let paid = try await network.waiting(.awaitingCommissioningOrganisationApproval)
            #expect(paid.map(\.amountPence) == [11_629_15, 11_629_15])
            let ids = network.decision(paid.map(\.declarationID))
            #expect(try await network.declarations().approveDeclarations(ids).decided == 2)
            #expect(
                try await network.declarations(network.financing).financeApproveDeclarations(ids).decided == 2
            )

            let load = try await network.office.loadPopulations([
                "\(NetworkOffice.pcn),pcnAdjusted,2024-01-01,47000,restated"
            ])
            #expect(load.recalculationProposals == 2)
            #expect(try await network.nightly().adjustments == 2)
            let drafts = try await network.waiting(.awaitingCommissioningOrganisationApproval)
            // (2.218 x 48,210 + 0.698 x 47,000) / 12 = 11,644.65.
            #expect(drafts.map(\.amountPence) == [15_50, 15_50])
            #expect(drafts.map(\.adjusts).sorted() == paid.map(\.declarationID).sorted())
            #expect(drafts.allSatisfy { $0.adjustmentReason == .listSizeRestated })
            #expect(try await network.nightly().adjustments == 0)

            let approved = try await network.declarations().approveDeclarations(
                network.decision(drafts.map(\.declarationID)))
            #expect(approved.decided == 2)
            for draft in drafts {
                let done = try await network.declarations(network.financing).approveAdjustment(
                    .with {
                        ($0.commissionerCode, $0.declarationID) = (
                            NetworkOffice.commissioner, draft.declarationID
                        )
                    })
                #expect(done.state == .financiallyApproved)
            }
            let original =
                try await network.waiting(.sent)
                + network.waiting(.financiallyApproved).filter(\.adjusts.isEmpty)
            #expect(original.map(\.amountPence) == [11_629_15, 11_629_15])
            #expect(try await network.nightly().adjustments == 0)
        }
    }

    private func instructions(of payee: String, _ network: NetworkOffice) async throws
        -> [Pcs_Cqrs_V1_Instruction]
    {
        let desk = try await network.instructions()
        return try await desk.listInstructions(.with { $0.payeeCode = payee }).instructions
    }

    @Test("what payments calculates itself it refuses: the instruction says why, and its declaration is refused")
    func refusedByPayments() async throws {
        try await NetworkOffice.with(others: [PaymentsArea.self]) { network in
            var offer = network.offer("PCNCORE2425")
            offer.startOn = Pcs_Common_V1_Date(day("2024-04-01"))
            _ = try await network.participation().createOffer(offer)
            try await network.office.loadPopulations(
                NetworkOffice.practices.map { "\($0),crp,2024-01-01,12000,test" }
                    + ["\(NetworkOffice.pcn),pcnAdjusted,2024-01-01,46733.52,first"])
            _ = try await network.office.calculate("PCNCORE2425", day("2024-04-30"))
            try await network.nightly()
            let ids = network.decision(
                try await network.waiting(.awaitingCommissioningOrganisationApproval).map(\.declarationID))
            _ = try await network.declarations().approveDeclarations(ids)
            _ = try await network.declarations(network.financing).financeApproveDeclarations(ids)
            #expect(try await network.nightly().releasedInstructions == 1)
            let declared = try #require(try await network.waiting(.sent).first)
            let sent = try #require(try await instructions(of: declared.payeeCode, network).first)
            #expect(sent.state == .sent && sent.payCode == "PCNCORE")
            let event = Pcs_Payments_V1_PaymentInstructionRefused.with {
                ($0.instructionID, $0.code) = (sent.instructionID, "NETWORK_CALCULATED_HERE")
                $0.message = "PCNCOR of 2024-04 is calculated here"
            }
            let host = network.office.host
            // Said twice, it changes nothing the second time.
            for _ in 1...2 {
                try await host.store(of: PaymentsArea.manifest.name).write(actor: "test") {
                    try $0.publish(event, key: event.instructionID)
                }
            }
            try await host.eventsDelivered()
            let refused = try #require(try await instructions(of: declared.payeeCode, network).first)
            #expect(refused.state == .refused)
            #expect(refused.refusalReason == "NETWORK_CALCULATED_HERE: PCNCOR of 2024-04 is calculated here")
            #expect(try await network.waiting(.refused).map(\.declarationID) == [sent.declarationID])
        }
    }

    @Test(
        "R11: a practice says 15 October, the register 1 November: the page shows both, and the register is calculated with"
    )
    func membership() async throws {
        try await NetworkOffice.with { network in
            var offer = network.offer("PCNCORE2425")
            offer.startOn = Pcs_Common_V1_Date(day("2024-04-01"))
            _ = try await network.participation().createOffer(offer)
            try await network.office.loadPopulations(
                NetworkOffice.practices.map { "\($0),crp,2024-01-01,10000,test" }
                    + ["\(NetworkOffice.pcn),pcnAdjusted,2024-01-01,40000,test"])
            try await network.rejoin("G83044", left: "20240930", on: "20241101")
            let pcn = try await network.office.host.person(
                "pia", roles: [Role("CQRS_PCN_MANAGEMENT")], at: NetworkOffice.pcn)
            let door = try await network.networks(pcn)
            _ = try await door.reportMembershipError(
                .with {
                    ($0.pcnCode, $0.practiceCode) = (NetworkOffice.pcn, "G83044")
                    $0.claimedFrom = Pcs_Common_V1_Date(day("2024-10-15"))
                    $0.detail = "the agreement is of 15 October"
                })
            func page(_ day: CalendarDate) async throws -> Pcs_Cqrs_V1_Network {
                try await door.getNetwork(
                    .with { ($0.pcnCode, $0.at) = (NetworkOffice.pcn, Pcs_Common_V1_Date(day)) })
            }
            let after = try await page(day("2024-11-30"))
            let joined = try #require(after.members.first { $0.practiceCode == "G83044" })
            #expect(joined.memberFrom == Pcs_Common_V1_Date(day("2024-11-01")))
            #expect(after.reports.map(\.claimedFrom) == [Pcs_Common_V1_Date(day("2024-10-15"))])
            #expect(try await page(day("2024-10-20")).members.count == 3)
            // (2.218 x registered + 0.698 x 40,000) / 12 with 30,000 in October and 40,000 in November.
            for (month, pence) in [(day("2024-10-31"), Int64(7_871_67)), (day("2024-11-30"), 9_720_00)] {
                let run = try await network.office.calculate("PCNCORE2425", month)
                #expect(run.totalPence == pence, "\(month)")
            }
        }
    }

    @Test("R17: a shift of the calendar moves the predicted pay day and tells provider and commissioner")
    func shift() async throws {
        try await PracticeOffice.with { practice in
            let ready = try await practice.readyByHand()
            #expect(ready.payOn == Pcs_Common_V1_Date(day("2026-04-20")))
            let load = try await practice.office.loadCalendar([
                "WM2526,2026-02-28,,,2026-03-01,2026-03-31,2026-03-26,2026-04-08,2026-04-23"
            ])
            #expect(load.movedPayDays == 1)
            let moved = try await practice.newest(PracticeOffice.manual)
            #expect(moved.payOn == Pcs_Common_V1_Date(day("2026-04-23")))
            let title = "WM2526 of 2026-02-28: the pay day is now 2026-04-23"
            for subject in [practice.declaring, practice.network.approving] {
                let told = try await practice.office.host.messages(of: subject).filter { $0.title == title }
                #expect(
                    told.map(\.body) == [
                        "Pay day 2026-04-20 -> 2026-04-23; declare by 2026-03-24 -> 2026-03-26."
                    ])
            }
            let task = try #require(try await practice.office.host.tasks(of: practice.declaring).first)
            #expect(task.dueOn == Pcs_Common_V1_Date(day("2026-03-26")))
        }
    }
}
