import Testing

@testable import CaseworkPlugin

@Suite("States of enquiries and complaints")
struct LifecycleTests {
    struct Edge: Hashable {
        var kind: CaseKind
        var from: CaseState
        var to: CaseState
    }

    /// identity-and-organisations.md 14.2, written down a second time.
    static let allowed: Set<Edge> = {
        var edges: Set<Edge> = []
        func add(_ kind: CaseKind, _ from: [CaseState], _ to: CaseState) {
            for state in from { edges.insert(Edge(kind: kind, from: state, to: to)) }
        }
        for kind in CaseKind.allCases {
            add(kind, [.new], .acknowledged)
            add(kind, [.acknowledged, .reopened], .assigned)
        }
        let open: [CaseState] = [
            .new, .acknowledged, .assigned, .inProgress, .waitingCustomer, .waitingThirdParty, .reopened,
        ]
        add(.enquiry, [.assigned, .waitingCustomer, .waitingThirdParty], .inProgress)
        add(.enquiry, [.inProgress], .waitingCustomer)
        add(.enquiry, [.inProgress], .waitingThirdParty)
        add(.enquiry, [.inProgress, .waitingCustomer], .resolved)
        add(.enquiry, [.resolved], .closed)
        add(.enquiry, [.resolved], .reopened)
        add(.enquiry, [.new, .acknowledged, .assigned, .inProgress], .duplicate)
        add(.enquiry, open + [.investigating, .responseDraft, .responseApproved, .stage2], .withdrawn)
        // It becomes a complaint, and begins as one.
        add(.enquiry, open + [.resolved], .new)
        add(.complaint, open + [.investigating, .responseDraft, .responseApproved, .stage2], .withdrawn)
        add(.complaint, [.assigned, .waitingCustomer, .waitingThirdParty, .responseDraft], .investigating)
        add(.complaint, [.investigating], .waitingCustomer)
        add(.complaint, [.investigating], .waitingThirdParty)
        add(.complaint, [.investigating, .stage2], .responseDraft)
        add(.complaint, [.responseDraft], .responseApproved)
        add(.complaint, [.responseApproved], .responseSent)
        add(.complaint, [.responseSent], .stage2)
        add(.complaint, [.responseSent, .stage2], .ombudsman)
        add(.complaint, [.responseSent, .ombudsman], .closed)
        return edges
    }()

    @Test("every step of everybody leads along an edge of the reference, and every edge is walked")
    func everyStep() {
        var walked: Set<Edge> = []
        var (refused, asked) = (0, 0)
        for kind in CaseKind.allCases {
            for state in CaseState.allCases {
                for action in CaseAction.allCases {
                    for actor in CaseActor.allCases {
                        asked += 1
                        switch CaseLifecycle.answer(action, kind, from: state, by: [actor]) {
                        case .leads(let next) where next != state || action == .makeComplaint:
                            let edge = Edge(kind: kind, from: state, to: next)
                            walked.insert(edge)
                            #expect(Self.allowed.contains(edge), "\(actor) \(action): \(edge)")
                        case .leads: break
                        case .wrongState, .notYours: refused += 1
                        }
                    }
                }
            }
        }
        #expect(walked == Self.allowed, "not walked: \(Self.allowed.subtracting(walked))")
        #expect(asked == 2 * 17 * 24 * 6)
        #expect(refused > asked / 2)
    }

    @Test(
        "nothing leads out of an ended case but a note among the staff",
        arguments: [CaseState.closed, .duplicate, .withdrawn])
    func ended(_ state: CaseState) {
        for kind in CaseKind.allCases {
            #expect(CaseLifecycle.actions(kind, in: state, by: Set(CaseActor.allCases)) == [.note])
        }
    }

    @Test("the sender takes no step of the staff, and the staff none of the sender")
    func parts() {
        #expect(
            CaseLifecycle.answer(.resolve, .enquiry, from: .inProgress, by: [.sender])
                == .notYours([.handler, .manager, .headOfService]))
        #expect(
            CaseLifecycle.answer(.reopen, .enquiry, from: .resolved, by: [.team, .handler, .manager])
                == .notYours([.sender]))
        #expect(
            CaseLifecycle.answer(.approveResponse, .complaint, from: .responseDraft, by: [.team, .handler])
                == .notYours([.manager, .headOfService]))
        #expect(
            CaseLifecycle.answer(.makeComplaint, .enquiry, from: .inProgress, by: [.manager])
                == .notYours([.sender]))
    }
}
