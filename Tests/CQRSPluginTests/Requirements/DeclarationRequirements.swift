import CommonContract
import CqrsContract
import Foundation
import PluginAPI
import PluginTestKit
import Testing

@testable import CQRSPlugin

/// cqrs.md 13, each by its acceptance test, of declarations.
@Suite("CQRS requirements of declarations")
struct DeclarationRequirements {
    @Test("R5: declared on the 25th it counts, with the pay day of the next run, and the reply says so")
    func late() async throws {
        try await PracticeOffice.with { practice in
            let ready = try await practice.readyByHand()
            #expect(ready.amountPence == 195_50)
            #expect(ready.payOn == Pcs_Common_V1_Date(day("2026-04-20")))
            #expect(ready.advice.isEmpty)
            practice.office.host.clock.advance(milliseconds: 9 * 86_400_000)
            let late = try await practice.declare(ready)
            #expect(late.state == .awaitingCommissioningOrganisationApproval)
            #expect(late.payOn == Pcs_Common_V1_Date(day("2026-05-20")))
            #expect(
                late.advice == "The deadline was 2026-03-24; it is paid with the next run, on 2026-05-20.")
        }
    }

    @Test(
        "R6: a dispute keeps both figures; accepted, the agreed one counts and the amount is calculated again"
    )
    func dispute() async throws {
        try await PracticeOffice.with { practice in
            let extracted = try await practice.readyExtracted()
            #expect(extracted.amountPence == 20 * 12_06)
            var dispute = Pcs_Cqrs_V1_DisputeDeclarationRequest.with {
                $0.providerCode = PracticeOffice.practice
                $0.declarationID = extracted.declarationID
                $0.reason = "a patient left on the last day, after three doses"
                $0.counts = [
                    .with { ($0.indicatorCode, $0.field, $0.value) = ("MMR01", "Count", 23) },
                    .with { ($0.indicatorCode, $0.field, $0.value) = ("MMR99", "Count", 1) },
                    .with { ($0.indicatorCode, $0.field, $0.value) = ("MMR01", "Doses", -1) },
                ]
            }
            await expectRefusal("FIELD_INVALID", ["0 DAT-9"]) { [dispute] in
                _ = try await practice.declarations().disputeDeclaration(dispute)
            }
            #expect(
                try await practice.newest(PracticeOffice.extracted).state == .awaitingServiceProviderApproval)
            dispute.counts = [dispute.counts[0]]
            let queried = try await practice.declarations().disputeDeclaration(dispute)
            #expect(queried.state == .queried)
            #expect(queried.notes.map(\.text) == ["Own figures: MMR01 Count = 23"])
            #expect(
                try await practice.office.host.tasks(of: practice.network.approving).map(\.title) == [
                    "Resolve the dispute of G83001 on MMR2526"
                ])
            let agreed = try await practice.declarations(practice.network.approving).resolveDispute(
                .with {
                    $0.commissionerCode = NetworkOffice.commissioner
                    $0.declarationID = extracted.declarationID
                    $0.accept = true
                    $0.reason = "the practice's record was seen"
                })
            #expect(agreed.declarationID != extracted.declarationID)
            #expect((agreed.amountPence, agreed.amountBeforePence) == (23 * 12_06, 20 * 12_06))
            #expect(agreed.state == .awaitingServiceProviderApproval)
            #expect(try await practice.read(extracted.declarationID).state == .superseded)
            #expect(try await practice.office.host.tasks(of: practice.network.approving).isEmpty)
            let counts = try await practice.office.submissions().getCounts(
                .with {
                    $0.providerCode = PracticeOffice.practice
                    $0.serviceCode = PracticeOffice.extracted
                    $0.achievementDate = Pcs_Common_V1_Date(PracticeOffice.february)
                    $0.withHistory = true
                })
            #expect(counts.cells.map(\.value) == ["20", "23"])
            #expect(counts.cells.map(\.source) == ["AUTOMATED", "AGREED"])
            #expect(counts.cells.map(\.lastSubmission) == [false, true])
        }
    }

    @Test("R7: a hold blocks declaring and approving with its reason; an attestation releases that provider")
    func held() async throws {
        try await PracticeOffice.with { practice in
            let ready = try await practice.readyByHand()
            let hold = Pcs_Cqrs_V1_HoldServiceRequest.with {
                $0.serviceCode = PracticeOffice.manual
                $0.achievementDate = Pcs_Common_V1_Date(PracticeOffice.february)
                $0.hold = true
                $0.reason = "referrals are checked by hand"
                $0.releaseCriteria = "the practice attests its list"
            }
            _ = try await practice.declarations(practice.office.operating).holdService(hold)
            do {
                _ = try await practice.declare(ready)
                Issue.record("a held service was declared")
            } catch let failure as Failure {
                #expect(failure.reason.name == "SERVICE_HELD")
                #expect(failure.message.contains("referrals are checked by hand"))
                #expect(failure.message.contains("the practice attests its list"))
            }
            let released = try await practice.declarations(practice.network.approving).attestProvider(
                .with {
                    $0.providerCode = PracticeOffice.practice
                    $0.serviceCode = PracticeOffice.manual
                    $0.achievementDate = Pcs_Common_V1_Date(PracticeOffice.february)
                    $0.attestation = "the list was compared"
                })
            #expect(released.releasedProviders == [PracticeOffice.practice])
            #expect(try await practice.declare(ready).state == .awaitingCommissioningOrganisationApproval)
        }
    }

    @Test(
        "R8: an adjustment of -57.20 is a chain of its own and reduces the next payment; the original stays")
    func adjustment() async throws {
        try await PracticeOffice.with { practice in
            let original = try await practice.readyByHand()
            try await practice.pay(original)
            practice.office.host.clock.advance(milliseconds: 40 * 86_400_000)
            #expect(try await practice.network.nightly().releasedInstructions == 1)
            let adjustment = try await practice.declarations(practice.network.approving).createAdjustment(
                .with {
                    $0.commissionerCode = NetworkOffice.commissioner
                    $0.declarationID = original.declarationID
                    $0.reason = .dataError
                    $0.detail = "five referrals were no referrals"
                    $0.amountPence = -57_20
                })
            #expect(adjustment.adjusts == original.declarationID)
            let approved = try await practice.declarations(practice.network.financing).approveAdjustment(
                .with {
                    ($0.commissionerCode, $0.declarationID) = (
                        NetworkOffice.commissioner, adjustment.declarationID
                    )
                })
            #expect(approved.state == .financiallyApproved)
            #expect(try await practice.network.nightly().releasedInstructions == 1)
            let sent = try await practice.network.instructions().listInstructions(
                .with { $0.payeeCode = PracticeOffice.practice }
            ).instructions
            #expect(sent.map(\.grossPence).sorted() == [-57_20, 195_50])
            #expect(sent.reduce(0) { $0 + $1.grossPence } == 138_30)
            let after = try await practice.read(original.declarationID)
            #expect((after.amountPence, after.state) == (195_50, .sent))
        }
    }

    @Test("R13: a tick box that defaulted to No is not declared until the default is confirmed")
    func defaults() async throws {
        try await NetworkOffice.with { network in
            let office = network.office
            try await office.define(
                service:
                    "TICK2324,1,Tick boxes 2023/24,2023/24,qof,2023-04-01,2024-03-31,annual,annual,mixed,practice,qof,crp,PRACTICE,financeApprovalRequired,TICK,,C,test",
                indicator:
                    "TICK2324,1,NCD009,NCD,payment,boolean,220,,,,none,,M,Y,,,,,,C,S15,a tick box")
            try await office.participate("TICK2324", ["G83001"], from: "20230401", to: "20240331")
            try await office.loadPopulations(["G83001,crp,2024-01-01,9639,test"])
            _ = try await office.load(
                QualityOffice.header
                    + QualityOffice.row(
                        "TICK2324", "G83001", "20240331", "NCD009", "Yes/No Flag", "N", defaults: "Yes"),
                as: .indicatorValues)
            _ = try await office.calculate("TICK2324", day("2024-03-31"))
            try await network.nightly()
            let declaring = try await office.host.person(
                "dina", roles: [Role("CQRS_DECLARATION_MANAGEMENT"), Role("CQRS_ACHIEVEMENT_ENTRY")],
                at: "G83001")
            let door = try await network.declarations(declaring)
            let draft = try #require(
                try await door.listDeclarations(.with { $0.providerCode = "G83001" }).declarations.first)
            let declare = Pcs_Cqrs_V1_DeclareRequest.with {
                ($0.providerCode, $0.declarationID) = ("G83001", draft.declarationID)
                $0.figuresSha256 = draft.figuresSha256
            }
            do {
                _ = try await door.declare(declare)
                Issue.record("defaults were declared")
            } catch let failure as Failure {
                #expect(failure.reason.name == "DEFAULTS_UNCONFIRMED")
                #expect(failure.message == "Confirm the defaults of NCD009.")
            }
            let progress = try await office.submissions(declaring).confirmDefaults(
                .with {
                    $0.providerCode = "G83001"
                    $0.serviceCode = "TICK2324"
                    $0.achievementDate = Pcs_Common_V1_Date(day("2024-03-31"))
                })
            #expect(progress.unconfirmedDefaults.isEmpty)
            #expect(try await door.declare(declare).state == .awaitingCommissioningOrganisationApproval)
        }
    }

    @Test("a declaration out of order is refused by the state it is in, and nothing moves")
    func order() async throws {
        try await PracticeOffice.with { practice in
            let ready = try await practice.readyByHand()
            let desk = try await practice.declarations(practice.network.approving)
            let early = try await desk.approveDeclarations(practice.network.decision([ready.declarationID]))
            #expect(early.results.map(\.refusedBecause) == ["7.2: it is Awaiting Service Provider Approval"])
            await expectRefusal("DECLARATION_STATE_WRONG") {
                _ = try await desk.queryDeclaration(
                    .with {
                        ($0.commissionerCode, $0.declarationID) = (
                            NetworkOffice.commissioner, ready.declarationID
                        )
                        $0.reason = "too early"
                    })
            }
            await expectRefusal("FIGURES_CHANGED") {
                _ = try await practice.declarations().declare(
                    .with {
                        ($0.providerCode, $0.declarationID) = (PracticeOffice.practice, ready.declarationID)
                        $0.figuresSha256 = "other"
                    })
            }
            _ = try await practice.declare(ready)
            await expectRefusal("DECLARATION_STATE_WRONG") { _ = try await practice.declare(ready) }
            #expect(try await practice.read(ready.declarationID).version == 3)
        }
    }
}
