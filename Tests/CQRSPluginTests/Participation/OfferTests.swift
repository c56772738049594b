import CommonContract
import CqrsContract
import PluginAPI
import PluginTestKit
import Testing

/// Offers, answers and leavers, through the door.
@Suite("CQRS participation")
struct OfferTests {
    @Test(
        "a network service reaches every member, accepted by the system; it is offered and cancelled as a whole only"
    )
    func network() async throws {
        try await NetworkOffice.with { network in
            let review = try await network.participation().reviewOffer(network.offer("PCNCORE2021"))
            #expect(review.providers.map(\.providerCode) == NetworkOffice.practices)
            let offer = try await network.participation().createOffer(network.offer("PCNCORE2021"))
            #expect((offer.providers, offer.accepted) == (4, 4))
            await expectRefusal("ALREADY_PARTICIPATING") {
                _ = try await network.participation().createOffer(network.offer("PCNCORE2021"))
            }
            await expectRefusal("WHOLE_NETWORK_ONLY") {
                var one = network.offer("PCNCORE2021")
                one.providerCodes = ["G83001"]
                _ = try await network.participation().createOffer(one)
            }
            var cancel = Pcs_Cqrs_V1_CancelServiceRequest.with {
                $0.commissionerCode = NetworkOffice.commissioner
                $0.serviceCode = "PCNCORE2021"
                $0.providerCode = "G83001"
                $0.from = Pcs_Common_V1_Date(day("2020-10-01"))
                $0.reason = "the network closes"
            }
            await expectRefusal("WHOLE_NETWORK_ONLY") { [cancel] in
                _ = try await network.participation().cancelService(cancel)
            }
            (cancel.providerCode, cancel.pcnCode) = ("", NetworkOffice.pcn)
            let cancelled = try await network.participation().cancelService(cancel).participations
            #expect(cancelled.count == 4)
            #expect(
                cancelled.allSatisfy {
                    $0.state == .cancelled && $0.endOn == Pcs_Common_V1_Date(day("2020-09-30"))
                })
        }
    }

    @Test(
        "an offer made ahead goes out on its day: a network's is accepted then, a practice's waits for an answer and lapses"
    )
    func ahead() async throws {
        try await NetworkOffice.with { network in
            let today = network.office.host.clock.today
            var whole = network.offer("PCNCORE2021")
            whole.offerOn = Pcs_Common_V1_Date(today.adding(days: 1))
            let scheduled = try await network.participation().createOffer(whole)
            #expect((scheduled.accepted, scheduled.waiting) == (0, 4))
            var single = network.offer("PCNNPP2021")
            (single.pcnCodes, single.providerCodes, single.automaticallyAccept) = ([], ["G83001"], false)
            single.offerOn = Pcs_Common_V1_Date(today.adding(days: 1))
            single.answerBy = Pcs_Common_V1_Date(today.adding(days: 2))
            _ = try await network.participation().createOffer(single)
            try await network.nightly()
            #expect(try await network.states("PCNCORE2021") == Array(repeating: .scheduled, count: 4))
            network.office.host.clock.advance(milliseconds: 86_400_000)
            try await network.nightly()
            #expect(try await network.states("PCNCORE2021").allSatisfy { $0 == .accepted || $0 == .active })
            #expect(try await network.states("PCNNPP2021") == [.offered])
            network.office.host.clock.advance(milliseconds: 2 * 86_400_000)
            try await network.nightly()
            #expect(try await network.states("PCNNPP2021") == [.lapsed])
        }
    }

    @Test("W17: a leaver on 30 September is paid April to September, 6 x £1,074.60, and nothing for October")
    func leaver() async throws {
        try await NetworkOffice.with { network in
            var offer = network.offer("PCNNPP2021")
            offer.pcnCodes = []
            offer.providerCodes = ["G83001"]
            offer.answerBy = Pcs_Common_V1_Date(day("2026-03-31"))
            _ = try await network.participation().createOffer(offer)
            try await network.office.loadPopulations(["G83001,wpls,2020-01-01,7310.2,test"])
            try await network.leave("G83001", on: "20200930")
            for (month, last) in [(4, 30), (5, 31), (6, 30), (7, 31), (8, 31), (9, 30), (10, 31)] {
                let date = try #require(CalendarDate(year: 2020, month: month, day: last))
                _ = try await network.office.calculate("PCNNPP2021", date)
            }
            try await network.nightly()
            let declared = try await network.waiting(.awaitingCommissioningOrganisationApproval)
            #expect(declared.map(\.amountPence) == Array(repeating: 1_074_60, count: 6))
            #expect(declared.map(\.amountPence).reduce(0, +) == 6_447_60)
            #expect(declared.map(\.achievementDate.month) == [4, 5, 6, 7, 8, 9])
            let own = try await network.participation(network.office.operating).listParticipations(
                .with { $0.organisationCode = "G83001" })
            #expect(own.participations.map(\.state) == [.ended])
            #expect(own.participations.first?.endOn == Pcs_Common_V1_Date(day("2020-09-30")))
        }
    }

    @Test(
        "an ordinary offer is answered once, by the provider; late or back-dated only with a reason (PAR-3)")
    func ordinary() async throws {
        try await NetworkOffice.with { network in
            let request = Pcs_Cqrs_V1_CreateOfferRequest.with {
                $0.commissionerCode = NetworkOffice.commissioner
                $0.serviceCode = "LDHC2526"
                $0.providerCodes = ["G83001", "G83013"]
                $0.answerBy = Pcs_Common_V1_Date(day("2026-03-31"))
            }
            let offer = try await network.participation().createOffer(request)
            #expect(offer.waiting == 2)
            await expectRefusal("PROVIDER_OUTSIDE_SCOPE") {
                var outside = request
                outside.providerCodes = ["A81001"]
                _ = try await network.participation().createOffer(outside)
            }
            let practice = try await network.office.host.person(
                "pam", roles: [Role("CQRS_SERVICE_MANAGEMENT")], at: "G83001")
            let door = try await network.participation(practice)
            let mine = try await door.listParticipations(.with { $0.organisationCode = "G83001" })
                .participations
            var answer = Pcs_Cqrs_V1_AnswerOfferRequest.with {
                ($0.providerCode, $0.participationID) = ("G83001", mine.first?.participationID ?? "")
            }
            await expectRefusal("FIELD_INVALID") { [answer] in _ = try await door.acceptOffer(answer) }
            answer.reason = "agreed late with the commissioner"
            let accepted = try await door.acceptOffer(answer)
            #expect((accepted.state, accepted.backdatingUnconfirmed) == (.accepted, true))
            await expectRefusal("PARTICIPATION_STATE_WRONG") { [answer] in
                _ = try await door.declineOffer(answer)
            }
            let withdrawn = try await network.participation().withdrawOffer(
                .with {
                    ($0.commissionerCode, $0.offerID) = (NetworkOffice.commissioner, offer.offerID)
                    $0.reason = "made by mistake"
                })
            #expect((withdrawn.accepted, withdrawn.waiting) == (1, 0))
        }
    }
}
