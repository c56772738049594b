import Accounting
import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

/// Who receives a network's money, by two people and from a payment date (payments.md 8.2).
@Suite("Nominated payees of networks (payments.md 8.2)")
struct NetworkPayeeTests {
    private static let network = "U89141"

    private func propose(
        _ office: PaymentsOffice, _ payee: String, from text: String, as subject: TestSubject? = nil,
        declaration: String = "DOC-7", verifiedBy: String = "Cas Hill, the commissioner"
    ) async throws -> Pcs_Payments_V1_NominatedPayee {
        let from = try day(text)
        return try await office.networks(subject).setNominatedPayee(
            .with {
                ($0.pcnCode, $0.payeeCode, $0.reason) = (Self.network, payee, "agreed by the members")
                $0.effectiveFrom = Pcs_Common_V1_Date(from)
                ($0.declarationDocumentID, $0.signaturesVerifiedBy) = (declaration, verifiedBy)
            })
    }

    private func decide(
        _ office: PaymentsOffice, _ proposal: Pcs_Payments_V1_NominatedPayee, as subject: TestSubject,
        approve: Bool = true
    ) async throws -> Pcs_Payments_V1_NominatedPayee {
        try await office.networks(subject).decideNominatedPayee(
            .with {
                ($0.pcnCode, $0.proposalID) = (Self.network, proposal.proposalID)
                ($0.approve, $0.reason) = (approve, "looked at the declaration")
            })
    }

    private func with(_ body: (PaymentsOffice) async throws -> Void) async throws {
        try await PaymentsOffice.with { office in
            try await office.host.loadOrganisations()
            try await office.loadNetworks("2026/27", "U89141,43210,44872.35,44000.00")
            try await body(office)
        }
    }

    @Test("a payee is proposed on a declaration and paid once another person approves; the first run to pay it warns")
    func byTwo() async throws {
        try await with { office in
            let empty = try await refusal {
                _ = try await propose(office, "A81001", from: "2026-04-01", declaration: "", verifiedBy: "")
            }
            #expect(empty.violations.map(\.field) == ["declaration_document_id", "signatures_verified_by"])
            let commissioner = try await office.host.person(
                "cas", roles: [Roles.commissionerEditor, Roles.commissionerApprover], at: "16C")
            let proposal = try await propose(office, "A81001", from: "2026-05-20", as: commissioner)
            #expect(proposal.state == .proposed && proposal.setBy == "cas")
            try await office.pay("2026-04")
            #expect(try await office.statement(Self.network, "2026-04").payeeCode == Self.network)
            let own = try await refusal { _ = try await decide(office, proposal, as: commissioner) }
            #expect(own.reason == HostReasons.secondPersonRequired)
            let approved = try await decide(office, proposal, as: office.approver)
            #expect((approved.state, approved.decidedBy) == (.approved, "adam"))
            let run = try await office.calculate(try await office.open("2026-05").runID)
            let warned = try await office.exceptions(run.runID).filter { $0.kind == .newBankDetails }
            #expect(
                warned.map { "\($0.severity) \($0.message)" } == [
                    "warning first payment to A81001, before to U89141; proposed by cas"
                ])
            try await office.approve(run)
            let paid = try await office.statement(Self.network, "2026-05")
            #expect((paid.practiceCode, paid.payeeCode) == (Self.network, "A81001"))
            let next = try await office.calculate(try await office.open("2026-06").runID)
            #expect(try await office.exceptions(next.runID).allSatisfy { $0.kind != .newBankDetails })
            let known = try await office.networks().getNetwork(.with { $0.pcnCode = Self.network })
            #expect(known.payees.map(\.declarationDocumentID) == ["DOC-7"])
            #expect(known.payees.map(\.signaturesVerifiedBy) == ["Cas Hill, the commissioner"])
        }
    }

    @Test("the payment date decides: the day after it is the next run's; what a run has paid is not changed")
    func paymentDate() async throws {
        try await with { office in
            // The payment of May is on Friday the 29th; the month ends on the 31st.
            let proposal = try await propose(office, "A81001", from: "2026-05-30")
            _ = try await decide(office, proposal, as: office.approver)
            try await office.pay("2026-05")
            #expect(try await office.statement(Self.network, "2026-05").payeeCode == Self.network)
            try await office.pay("2026-06")
            #expect(try await office.statement(Self.network, "2026-06").payeeCode == "A81001")
            let late = try await refusal { _ = try await propose(office, "A81002", from: "2026-06-30") }
            #expect(late.violations.map(\.field) == ["effective_from"])
        }
    }

    @Test("what is returned changes nothing and cannot be decided again")
    func returned() async throws {
        try await with { office in
            let proposal = try await propose(office, "A81001", from: "2026-04-01")
            let other = try await refusal {
                _ = try await office.networks(office.approver).decideNominatedPayee(
                    .with { ($0.pcnCode, $0.proposalID, $0.approve) = ("U00254", proposal.proposalID, true) })
            }
            #expect(other.reason == PaymentsReasons.networkProposalUnknown)
            #expect(try await decide(office, proposal, as: office.approver, approve: false).state == .returned)
            let twice = try await refusal { _ = try await decide(office, proposal, as: office.secondApprover) }
            #expect(twice.reason == PaymentsReasons.alreadyDecided)
            try await office.pay("2026-04")
            #expect(try await office.statement(Self.network, "2026-04").payeeCode == Self.network)
            let known = try await office.networks().getNetwork(.with { $0.pcnCode = Self.network })
            #expect(known.payees.isEmpty && known.proposedPayees.map(\.state) == [.returned])
        }
    }
}
