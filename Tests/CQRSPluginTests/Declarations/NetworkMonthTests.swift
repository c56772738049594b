import CommonContract
import CqrsContract
import PluginAPI
import PluginTestKit
import Testing

/// A network's month by all its actors, through the door.
@Suite("CQRS network month")
struct NetworkMonthTests {
    @Test("W16: three approved wait, the fourth completes the set; one sum goes to the nominated payee, once")
    func wholeMonth() async throws {
        try await NetworkOffice.with(others: [PaymentsArea.self]) { network in
            let declarations = try await network.prepareW16()
            #expect(declarations.map(\.amountPence).sorted() == [1_204_33, 2_987_45, 4_120_10, 5_630_00])
            let desk = try await network.declarations()
            let ids = declarations.map(\.declarationID)
            let three = try await desk.approveDeclarations(network.decision(Array(ids.prefix(3))))
            #expect(three.decided == 3)
            #expect(three.aggregatedDeclarationIds.isEmpty)
            #expect(three.results.allSatisfy { $0.state == .awaitingNetworkAchievement })
            // R9: who holds it up, exactly.
            let stuck = try await network.standing()
            #expect((stuck.approved, stuck.expected) == (3, 4))
            #expect(!stuck.ready)
            #expect(stuck.blockers.map(\.practiceCode) == [declarations[3].providerCode])
            #expect(stuck.blockers.first?.waitsFor == NetworkOffice.commissioner)
            #expect(stuck.blockers.first?.action == "approve or query")

            await expectRefusal("NOMINATED_PAYEE_SET_IN_PAYMENTS") {
                _ = try await network.networks().setNominatedPayee(
                    .with { ($0.pcnCode, $0.payeeCode, $0.reason) = (NetworkOffice.pcn, "G83013", "agreed") })
            }
            try await network.nominate("G83013")
            let last = try await desk.approveDeclarations(network.decision([ids[3]]))
            let sumID = try #require(last.aggregatedDeclarationIds.first)
            #expect(last.aggregatedDeclarationIds.count == 1)
            let again = try await desk.approveDeclarations(network.decision([ids[3]]))
            #expect(again.decided == 0)
            #expect(again.results.first?.refusedBecause == "7.2: it is Aggregated")

            let approved = try await network.declarations(network.financing).financeApproveDeclarations(
                network.decision([sumID]))
            #expect(approved.totalPence == 13_941_88)
            let sum = try await network.declarations(network.office.operating).getDeclaration(
                .with { ($0.providerCode, $0.declarationID) = (NetworkOffice.pcn, sumID) })
            #expect(sum.state == .financiallyApproved)
            #expect(sum.payeeCode == "G83013")
            #expect(sum.parts.map(\.amountPence).reduce(0, +) == 13_941_88)

            #expect(try await network.nightly().releasedInstructions == 1)
            // Repeated, nothing is made or sent again.
            let repeated = try await network.nightly()
            #expect((repeated.releasedInstructions, repeated.drafts, repeated.aggregated) == (0, 0, 0))
            let sent = try await network.instructions().listInstructions(.with { $0.payeeCode = "G83013" }).instructions
            #expect(sent.map(\.grossPence) == [13_941_88])
            #expect(sent.map(\.state) == [.sent])
            #expect(sent.map(\.payCode) == ["PCNCORE"])
        }
    }

    @Test("R9, AGG-6: the one who is missing leaves by the register, and the others complete the network")
    func leaverCompletes() async throws {
        try await NetworkOffice.with { network in
            let declarations = try await network.prepareW16()
            let leaver = try #require(declarations.first { $0.providerCode == "G83044" })
            _ = try await network.declarations().approveDeclarations(
                network.decision(declarations.map(\.declarationID).filter { $0 != leaver.declarationID }))
            #expect(try await network.waiting(.awaitingFinancialApproval).isEmpty)
            try await network.leave("G83044", on: "20200415")
            let sums = try await network.waiting(.awaitingFinancialApproval)
            #expect(sums.map(\.amountPence) == [13_941_88 - leaver.amountPence])
            #expect(try await network.waiting(.void).map(\.providerCode) == ["G83044"])
            let standing = try await network.standing()
            #expect((standing.approved, standing.expected, standing.ready) == (3, 3, true))
        }
    }

    @Test("a correction after payment is a chain of its own, approved by another person; the original stays (R8)")
    func correction() async throws {
        try await NetworkOffice.with { network in
            let ids = try await network.prepareW16().map(\.declarationID)
            let sumID = try #require(
                try await network.declarations().approveDeclarations(network.decision(ids)).aggregatedDeclarationIds.first)
            _ = try await network.declarations(network.financing).financeApproveDeclarations(network.decision([sumID]))
            try await network.nightly()
            let request = Pcs_Cqrs_V1_CreateAdjustmentRequest.with {
                $0.commissionerCode = NetworkOffice.commissioner
                $0.declarationID = sumID
                $0.reason = .dataError
                $0.detail = "list of one practice was wrong"
                $0.amountPence = -57_20
                $0.practiceCode = "G83001"
            }
            let adjustment = try await network.declarations(network.everything).createAdjustment(request)
            #expect(adjustment.amountPence == -57_20)
            let step = Pcs_Cqrs_V1_ApproveAdjustmentRequest.with {
                ($0.commissionerCode, $0.declarationID) = (NetworkOffice.commissioner, adjustment.declarationID)
            }
            await expectRefusal("SECOND_PERSON_REQUIRED") {
                _ = try await network.declarations(network.everything).approveAdjustment(step)
            }
            let approved = try await network.declarations(network.financing).approveAdjustment(step)
            #expect(approved.state == .financiallyApproved)
            #expect(try await network.nightly().releasedInstructions == 1)
            let sent = try await network.instructions().listInstructions(.with { $0.payeeCode = approved.payeeCode })
            #expect(Set(sent.instructions.map(\.grossPence)) == [13_941_88, -57_20])
            let original = try await network.declarations(network.office.operating).getDeclaration(
                .with { ($0.providerCode, $0.declarationID) = (NetworkOffice.pcn, sumID) })
            #expect((original.amountPence, original.state) == (13_941_88, .sent))
        }
    }

    @Test("USR-6: who approved does not approve for finance, part or whole")
    func separation() async throws {
        try await NetworkOffice.with { network in
            let ids = try await network.prepareW16().map(\.declarationID)
            _ = try await network.declarations(network.everything).approveDeclarations(network.decision([ids[0]]))
            let rest = try await network.declarations().approveDeclarations(network.decision(Array(ids.dropFirst())))
            let sumID = try #require(rest.aggregatedDeclarationIds.first)
            let refused = try await network.declarations(network.everything).financeApproveDeclarations(
                network.decision([sumID]))
            #expect(refused.decided == 0)
            #expect(refused.results.first?.refusedBecause.hasPrefix("USR-6") == true)
            await expectRefusal("CONTROL_TOTAL_MISMATCH") {
                var wrong = network.decision([sumID])
                wrong.controlTotalPence = 1
                _ = try await network.declarations(network.financing).financeApproveDeclarations(wrong)
            }
            #expect(try await network.waiting(.awaitingFinancialApproval).map(\.declarationID) == [sumID])
        }
    }

    @Test("R7: a held service is not approved until an attestation releases the provider")
    func held() async throws {
        try await NetworkOffice.with { network in
            let declarations = try await network.prepareW16()
            let first = try #require(declarations.first)
            _ = try await network.declarations(network.office.operating).holdService(
                .with {
                    $0.serviceCode = NetworkOffice.service
                    $0.achievementDate = Pcs_Common_V1_Date(NetworkOffice.april)
                    $0.hold = true
                    $0.reason = "lists are being checked"
                    $0.releaseCriteria = "the practice attests its list"
                })
            let refused = try await network.declarations().approveDeclarations(network.decision([first.declarationID]))
            #expect(refused.results.first?.refusedBecause.contains("lists are being checked") == true)
            _ = try await network.declarations().attestProvider(
                .with {
                    $0.providerCode = first.providerCode
                    $0.serviceCode = NetworkOffice.service
                    $0.achievementDate = Pcs_Common_V1_Date(NetworkOffice.april)
                    $0.attestation = "the list is right"
                })
            let all = try await network.declarations().approveDeclarations(
                network.decision(declarations.map(\.declarationID)))
            #expect(all.decided == 1)
        }
    }
}
