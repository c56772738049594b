import Testing

@testable import CQRSPlugin

/// The tables of cqrs.md 4.2 and 7.2, written out a second time: every pair that is not here must be refused.
@Suite("States and transitions")
struct StateTableTests {
    private static let declarations: Set<String> = {
        var legal: Set<String> = [
            "provisional complete awaitingProvider", "awaitingProvider declare awaitingCommissioner",
            "awaitingProvider dispute queried", "awaitingCommissioner approve awaitingFinance",
            "awaitingCommissioner query queried", "awaitingNetwork networkComplete aggregated",
            "aggregated networkReopened awaitingNetwork", "awaitingFinance financeApprove financiallyApproved",
            "awaitingFinance financeReturn awaitingCommissioner", "financiallyApproved send sent",
            "sent acknowledge acknowledged", "sent refuse refused", "sent pay paid", "acknowledged refuse refused",
            "acknowledged pay paid",
        ]
        for open in ["provisional", "awaitingProvider", "awaitingCommissioner", "queried", "awaitingNetwork", "awaitingFinance"] {
            legal.insert("\(open) awaitRecalculation awaitingReaggregation")
        }
        for open in [
            "provisional", "awaitingReaggregation", "awaitingProvider", "awaitingCommissioner", "queried",
            "awaitingNetwork", "awaitingFinance", "aggregated",
        ] {
            legal.formUnion(["\(open) supersede superseded", "\(open) withdraw void"])
        }
        return legal
    }()

    @Test("a declaration moves only as 7.2 says; every other pair of state and event is refused")
    func declarations() {
        var found: Set<String> = []
        for state in DeclarationState.allCases {
            for event in DeclarationEvent.allCases {
                if let next = DeclarationLifecycle.next(state, event) { found.insert("\(state) \(event) \(next)") }
            }
        }
        #expect(found.symmetricDifference(Self.declarations).sorted() == [])
        #expect(DeclarationLifecycle.next(.awaitingCommissioner, .approve, summedByNetwork: true) == .awaitingNetwork)
        #expect(DeclarationLifecycle.next(.awaitingProvider, .approve, summedByNetwork: true) == nil)
    }

    @Test("what finance has approved is never superseded, voided or calculated again")
    func locked() {
        for state in DeclarationState.allCases where state.isLocked || !state.isLive {
            for event in [DeclarationEvent.supersede, .withdraw, .awaitRecalculation, .declare, .approve, .financeApprove] {
                #expect(DeclarationLifecycle.next(state, event) == nil, "\(state) \(event)")
            }
        }
    }

    @Test("participation moves only as 4.2 says; every other pair of state and event is refused")
    func participations() {
        let legal: Set<String> = [
            "scheduled offer offered", "scheduled withdraw withdrawn", "offered accept accepted", "offered decline declined",
            "offered withdraw withdrawn", "offered lapse lapsed", "accepted start active", "accepted cancel cancelled",
            "active cancel cancelled", "accepted end ended", "active end ended",
        ]
        var found: Set<String> = []
        for state in ParticipationState.allCases {
            for event in ParticipationEvent.allCases {
                if let next = ParticipationLifecycle.next(state, event) { found.insert("\(state) \(event) \(next)") }
            }
        }
        #expect(found.symmetricDifference(legal).sorted() == [])
    }

    @Test("an instruction is recalled only while it is queued, and paid once")
    func instructions() {
        var found: Set<String> = []
        for from in InstructionStore.State.allCases {
            for to in InstructionStore.State.allCases where from.may(become: to) { found.insert("\(from) \(to)") }
        }
        #expect(
            found == [
                "queued sent", "queued recalled", "sent acknowledged", "sent refused", "sent paid",
                "acknowledged refused", "acknowledged paid",
            ])
    }
}
