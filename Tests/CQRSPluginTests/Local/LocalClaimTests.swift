import CommonContract
import CqrsContract
import Foundation
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import CQRSPlugin

/// Claims through the door, by the rules' names.
@Suite("Local claims")
struct LocalClaimTests {
    typealias Office = LocalOffice

    @Test("W18: a practice's claim is worth 1,352.25, a pharmacy's 42 items 1,302.00")
    func w18() async throws {
        try await Office.with(pharmacies: true) { office in
            let open = try await office.open(providers: [Office.practice, Office.pharmacy])
            let claim = try await office.create(
                open.service, open.window, [Office.line("BLOOD", "42"), Office.line("ECG", "9")])
            #expect(claim.lines.map(\.amountPence) == [1_197_00, 155_25])
            #expect(claim.totalPence == 1_352_25)
            #expect(try await office.submit(claim).band == .low)
            let chemist = try await office.host.person(
                "phil", roles: [Roles.cqrsLocalUser], at: Office.pharmacy)
            let other = try await office.create(
                open.service, open.window, [Office.line("BLOOD", "42")], by: chemist)
            #expect(other.totalPence == 1_302_00)
            let explained = try await office.claims(office.tier1).explainLocalClaim(
                .with { ($0.commissionerCode, $0.claimID) = (Office.commissioner, claim.claimID) })
            #expect(explained.totalPence == 1_352_25)
            #expect(explained.lines.map(\.replayedPence) == [1_197_00, 155_25])
        }
    }

    @Test(
        "W19, LOC-4: beyond the yearly value cap a claim is refused with what is left; truncating cuts and says so"
    )
    func w19() async throws {
        try await Office.with { office in
            let capped = Office.definition {
                $0.components[0].caps = [Office.cap(.valueAYear, "1500.00")]
                $0.components[1].caps = [Office.cap(.quantityAMonth, "5", truncate: true)]
            }
            let service = try await office.publish(capped)
            try await office.contract([service], with: [Office.practice])
            let windows = try await office.windows(service, [Office.january, Office.february])
            let first = try await office.submit(
                try await office.create(service, windows[0], [Office.line("BLOOD", "42")]))
            #expect(first.totalPence == 1_197_00)
            // Refused when submitted, not when drafted; what counts is what the commissioner has.
            let second = try await office.create(service, windows[1], [Office.line("BLOOD", "19")])
            #expect(second.totalPence == 541_50)
            let refusal = await expectLocalRefusal("LOCAL_CLAIM_INVALID", ["LOC-4"]) {
                _ = try await office.submit(second)
            }
            #expect(
                refusal?.violations.first?.message.hasSuffix(
                    "remaining 303.00 pounds = 10 whole items (285.00 pounds)") == true)
            let amended = try await office.claims(office.user).amendLocalClaim(
                .with {
                    ($0.providerCode, $0.claimID) = (Office.practice, second.claimID)
                    $0.lines = [Office.line("BLOOD", "10"), Office.line("ECG", "8")]
                })
            let submitted = try await office.submit(amended)
            #expect(submitted.lines.map(\.quantity) == ["10", "5"])
            #expect(submitted.lines.map(\.claimedQuantity) == ["", "8"])
            #expect(submitted.totalPence == 285_00 + 86_25)
            // R14: nothing is left of one component, and how much of the other.
            let left = try await office.schemes(office.user).getClaimAvailability(
                .with { $0.providerCode = Office.practice }
            ).windows.flatMap(\.allowances).map { "\($0.componentID) \($0.left)" }
            #expect(left.contains("BLOOD 18.00"))
        }
    }

    @Test("W20: each band takes its persons, all of them different")
    func w20() async throws {
        try await Office.with { office in
            let fixed = Office.definition {
                $0.components = [Office.component("WORK", ["": "0.01"]) { $0.caps = [] }]
            }
            let service = try await office.publish(fixed)
            try await office.contract([service], with: [Office.practice])
            let months = [
                ("2025-11-01", "2025-11-30"), ("2025-12-01", "2025-12-31"), ("2026-01-01", "2026-01-31"),
                ("2026-02-01", "2026-02-28"),
            ]
            let windows = try await office.windows(
                service, months.map { Office.window($0.0, $0.1, opens: "2026-03-01", closes: "2026-03-31") })
            let pence = ["1499999", "1500000", "4999999", "5000000"]
            var bands: [Pcs_Cqrs_V1_LocalRiskBand] = []
            var claims: [Pcs_Cqrs_V1_LocalClaim] = []
            for (window, quantity) in zip(windows, pence) {
                let claim = try await office.submit(
                    try await office.create(service, window, [Office.line("WORK", quantity)]))
                bands.append(claim.band)
                claims.append(claim)
            }
            #expect(bands == [.low, .medium, .medium, .high])
            _ = try await office.claims(office.tier1).checkLocalClaims(office.decision(claims))
            let second = try await office.claims(office.tier2).approveLocalClaims(office.decision(claims))
            #expect(
                second.results.map(\.state) == [
                    .approved, .awaitingFinance, .awaitingFinance, .awaitingFinance,
                ])
            let finance = try await office.claims(office.finance).financeApproveLocalClaims(
                office.decision(Array(claims.dropFirst())))
            #expect(finance.results.map(\.state) == [.approved, .approved, .awaitingFinance])
            // The high band takes a second person.
            let same = try await office.claims(office.finance).financeApproveLocalClaims(
                office.decision([claims[3]]))
            #expect(same.results.first?.refusedBecause.hasPrefix("USR-6") == true)
            let other = try await office.claims(office.otherFinance).financeApproveLocalClaims(
                office.decision([claims[3]]))
            #expect(other.results.map(\.state) == [.approved])
        }
    }

    @Test("R14: outside the window the refusal says why and when the next one opens")
    func r14() async throws {
        try await Office.with { office in
            let service = try await office.publish(Office.definition())
            try await office.contract([service], with: [Office.practice])
            let windows = try await office.windows(
                service,
                [
                    Office.window("2026-01-01", "2026-01-31", opens: "2026-02-01", closes: "2026-02-28"),
                    Office.window("2026-03-01", "2026-03-31", opens: "2026-04-01", closes: "2026-04-30"),
                ])
            let refusal = await expectLocalRefusal("WINDOW_CLOSED") {
                _ = try await office.create(service, windows[0], [Office.line("ECG", "1")])
            }
            #expect(
                refusal?.message == "The window closed on 2026-02-28. The next window opens on 2026-04-01.")
            let seen = try await office.schemes(office.user).getClaimAvailability(
                .with { $0.providerCode = Office.practice }
            ).windows
            #expect(seen.map(\.reason) == [.windowClosed, .windowNotOpen])
            #expect(seen.allSatisfy { !$0.canClaim && $0.nextOpensOn.calendarDate == day("2026-04-01") })
            // An extension for this provider opens it again.
            _ = try await office.schemes(office.tier1).extendClaimWindow(
                .with {
                    ($0.commissionerCode, $0.windowID) = (Office.commissioner, windows[0])
                    ($0.providerCode, $0.reason) = (Office.practice, "system failure in February")
                    $0.openUntil = Pcs_Common_V1_Date(day("2026-03-20"))
                })
            let late = try await office.submit(
                try await office.create(service, windows[0], [Office.line("ECG", "1")]))
            #expect(late.late)
            await expectLocalRefusal("LOCAL_ALREADY_CLAIMED") {
                _ = try await office.create(service, windows[0], [Office.line("ECG", "1")])
            }
            await expectLocalRefusal("LOCAL_NO_CONTRACT") {
                _ = try await office.create(
                    service, windows[0], [Office.line("ECG", "1")], by: office.otherUser)
            }
        }
    }

    @Test("LOC-1, LOC-2, LOC-3, LOC-7: every line that breaks a rule is listed at once, and nothing is kept")
    func lineRules() async throws {
        try await Office.with { office in
            let open = try await office.open(
                Office.definition {
                    $0.components[1].tariffs[0].validFrom = Pcs_Common_V1_Date(day("2026-02-10"))
                })
            let refusal = await expectLocalRefusal(
                "LOCAL_CLAIM_INVALID", ["LOC-1", "LOC-2", "LOC-3", "LOC-7", "LOC-8"]
            ) {
                _ = try await office.create(
                    open.service, open.window,
                    [
                        Office.line("BLOOD", "1.5"), Office.line("NOTHING", "1"),
                        Office.line("BLOOD", "1", on: "2026-03-01"),
                        Office.line("ECG", "1", on: "2026-02-09"), Office.line("ECG", "1", on: "2026-02-10"),
                        Office.line("ECG", "2", on: "2026-02-10"),
                        Office.line("ECG", "2", service: "another"),
                    ])
            }
            #expect(refusal?.violations.count == 6, "\(refusal?.violations ?? [])")
            let list = try await office.claims(office.user).listLocalClaims(
                .with { $0.providerCode = Office.practice })
            #expect(list.claims.isEmpty)
        }
    }

    @Test(
        "LOC-6: a note with an NHS number is refused unless the writer confirms, and that is in the history")
    func identifiers() async throws {
        try await Office.with { office in
            let open = try await office.open()
            // 943 476 5919 passes the check of modulus 11; the next number does not.
            await expectLocalRefusal("LOCAL_CLAIM_INVALID", ["LOC-6"]) {
                _ = try await office.create(open.service, open.window, []) { $0.note = "see 943 476 5919" }
            }
            let confirmed = try await office.create(open.service, open.window, []) {
                $0.note = "order 9434765919"
                $0.noIdentifiersReason = "an order number"
            }
            #expect(confirmed.history.first?.reason == "made; LOC-6 confirmed: an order number")
            let plain = try await office.create(open.service, open.window, [], by: office.otherUser) {
                $0.note = "order 9434765910"
            }
            #expect(plain.history.first?.reason == "made")
        }
    }

    @Test("LOC-5: evidence that is asked for must have been found clean, as uploaded by this provider")
    func evidence() async throws {
        try await Office.with { office in
            let open = try await office.open(Office.definition { $0.evidenceRequired = true })
            let claim = try await office.create(open.service, open.window, [Office.line("ECG", "1")])
            await expectLocalRefusal("LOCAL_CLAIM_INVALID", ["LOC-5"]) { _ = try await office.submit(claim) }
            func attach(_ document: String) async throws -> Pcs_Cqrs_V1_LocalClaim {
                try await office.claims(office.user).attachLocalEvidence(
                    .with {
                        ($0.providerCode, $0.claimID, $0.documentID) = (
                            Office.practice, claim.claimID, document
                        )
                    })
            }
            try await office.scanned("D1", of: Office.second)
            try await office.scanned("D2", of: Office.practice, clean: false)
            for foreign in ["D0", "D1", "D2"] {
                await expectLocalRefusal("LOCAL_EVIDENCE_UNKNOWN") { _ = try await attach(foreign) }
            }
            try await office.scanned("D3", of: Office.practice)
            #expect(try await attach("D3").evidence.map(\.documentID) == ["D3"])
            #expect(try await office.submit(claim).state == .submitted)
            let links = try office.published("pcs.documents.v1.DocumentLinked")
            #expect(links.count == 1)
            // Not asked for where nothing is claimed (LOC-9).
            let zero = try await office.create(
                open.service, open.window, [Office.line("ECG", "0")], by: office.otherUser)
            #expect(try await office.submit(zero, by: office.otherUser).totalPence == 0)
        }
    }

    @Test("LOC-10: backing data has the service's columns and adds up to what is claimed")
    func backing() async throws {
        try await Office.with { office in
            let open = try await office.open(
                Office.definition {
                    $0.backingColumns = [
                        .with { ($0.name, $0.type) = ("clinic", .text) },
                        .with { ($0.name, $0.type) = ("held_on", .date) },
                        .with { ($0.name, $0.type, $0.componentID) = ("tests", .whole, "BLOOD") },
                    ]
                })
            let claim = try await office.create(open.service, open.window, [Office.line("BLOOD", "42")])
            func attach(_ text: String, reason: String = "") async throws -> Pcs_Cqrs_V1_LocalClaim {
                try await office.claims(office.user).attachBackingData(
                    .with {
                        ($0.providerCode, $0.claimID, $0.fileName) = (
                            Office.practice, claim.claimID, "clinics.csv"
                        )
                        $0.data = Data(text.utf8)
                        $0.noIdentifiersReason = reason
                    })
            }
            await expectLocalRefusal("LOCAL_CLAIM_INVALID", ["LOC-10"]) { _ = try await office.submit(claim) }
            await expectLocalRefusal("FILE_INVALID", ["LOC-10"]) {
                _ = try await attach("clinic,held_on,tests\r\nNorth,2026-02-30,twenty\r\n")
            }
            await expectLocalRefusal("FILE_INVALID", ["LOC-6"]) {
                _ = try await attach("clinic,held_on,tests\r\n943 476 5919,2026-02-03,20\r\n")
            }
            _ = try await attach("clinic,held_on,tests\r\nNorth,2026-02-03,20\r\nSouth,2026-02-04,21\r\n")
            let refusal = await expectLocalRefusal("LOCAL_CLAIM_INVALID", ["LOC-10"]) {
                _ = try await office.submit(claim)
            }
            #expect(refusal?.message == "BLOOD: the table adds up to 41, claimed are 42.")
            let right = try await attach(
                "clinic,held_on,tests\r\nNorth,2026-02-03,20\r\nSouth,2026-02-04,22\r\n")
            #expect(right.evidence.last?.sha256.count == 64)
            #expect(try await office.submit(claim).state == .submitted)
            let read = try await office.claims(office.tier1).readBackingData(
                .with { ($0.commissionerCode, $0.claimID) = (Office.commissioner, claim.claimID) })
            #expect(read.sha256 == right.evidence.last?.sha256)
            // The commissioner's administrator sees the claim, but neither evidence nor notes.
            let seen = try await office.claims(office.admin).getLocalClaim(
                .with { ($0.commissionerCode, $0.claimID) = (Office.commissioner, claim.claimID) })
            #expect(seen.evidence.isEmpty)
        }
    }

    @Test("LOC-8: one claim holds the components of several services, where the commissioner says so")
    func multiService() async throws {
        try await Office.with { office in
            try await office.enrol()
            let first = try await office.publish(Office.definition { $0.multiServiceClaim = true })
            let second = try await office.publish(
                Office.definition {
                    ($0.name, $0.multiServiceClaim, $0.payCode) = ("Wound care", true, "LIS")
                    $0.components = [Office.component("WOUND", ["": "40.00"])]
                })
            try await office.contract([first, second], with: [Office.practice])
            let window = try #require(try await office.windows(first).first)
            await expectLocalRefusal("LOCAL_CLAIM_INVALID", ["LOC-8"]) {
                _ = try await office.create(first, window, [Office.line("WOUND", "1", service: second)])
            }
            try await office.windows(second)
            let claim = try await office.submit(
                try await office.create(
                    first, window, [Office.line("ECG", "2"), Office.line("WOUND", "3", service: second)]))
            #expect(claim.totalPence == 34_50 + 120_00)
            // LOC-7: what is in this claim is not claimed again by the other service's window.
            let availability = try await office.schemes(office.user).getClaimAvailability(
                .with { ($0.providerCode, $0.serviceID) = (Office.practice, second) })
            #expect(availability.windows.map(\.reason) == [.nothingLeft])
            // An instruction for each service; paid when both are.
            try await office.approve(claim)
            #expect(try await office.handOver().sent == 2)
            let ids = try await office.read(claim).instructionIds
            #expect(ids.count == 2)
            for (index, id) in ids.enumerated() {
                _ = try await office.instructions().recordAgencyAnswer(
                    .with { ($0.instructionID, $0.answer) = (id, .paid) })
                #expect(try await office.read(claim).state == (index == 0 ? .sentToPcse : .paid))
            }
        }
    }

    @Test("two levels: the approver is another person than the preparer, and can give it back")
    func twoLevels() async throws {
        try await Office.with { office in
            let open = try await office.open()
            let both: Set<Role> = [Roles.cqrsLocalPreparer, Roles.cqrsLocalProviderApprover]
            let preparer = try await office.host.person("pia", roles: both, at: Office.practice)
            let approver = try await office.host.person(
                "ari", roles: [Roles.cqrsLocalProviderApprover], at: Office.practice)
            let claim = try await office.create(
                open.service, open.window, [Office.line("ECG", "2")], by: preparer)
            #expect(try await office.submit(claim, by: preparer).state == .internal)
            await expectLocalRefusal("SECOND_PERSON_REQUIRED") {
                _ = try await office.submit(claim, by: preparer)
            }
            let returned = try await office.claims(approver).returnLocalClaim(
                office.reasoned(claim, "one test is missing", asProvider: true))
            #expect(returned.state == .draft)
            _ = try await office.submit(claim, by: preparer)
            let submitted = try await office.submit(claim, by: approver)
            #expect(submitted.state == .submitted)
            #expect(submitted.history.map(\.to) == [.draft, .internal, .draft, .internal, .submitted])
            #expect(submitted.history.allSatisfy { $0.figuresSha256.count == 64 })
        }
    }

    @Test("queried, amended, rejected: each with its reason; the persons of Tier 1 and Tier 2 differ")
    func decisions() async throws {
        try await Office.with { office in
            let open = try await office.open()
            let claim = try await office.submit(
                try await office.create(open.service, open.window, [Office.line("ECG", "2")]))
            let queried = try await office.claims(office.tier1).queryLocalClaim(
                office.reasoned(claim, "which clinics?"))
            #expect(queried.state == .queried)
            _ = try await office.claims(office.user).amendLocalClaim(
                .with {
                    ($0.providerCode, $0.claimID, $0.lines) = (
                        Office.practice, claim.claimID, [Office.line("ECG", "3")]
                    )
                })
            let again = try await office.submit(claim)
            #expect(again.totalPence == 51_75)
            let both = try await office.host.grant(
                [Roles.cqrsLocalApproverTier2], at: Office.commissioner, to: office.tier1)
            _ = try await office.claims(both).checkLocalClaims(office.decision([claim]))
            let same = try await office.claims(both).approveLocalClaims(office.decision([claim]))
            #expect(same.results.first?.refusedBecause.hasPrefix("USR-6") == true)
            await expectLocalRefusal("CONTROL_TOTAL_MISMATCH") {
                var wrong = office.decision([claim])
                wrong.controlTotalPence = 1
                _ = try await office.claims(office.tier2).approveLocalClaims(wrong)
            }
            let rejected = try await office.claims(office.tier2).rejectLocalClaim(
                office.reasoned(claim, "not commissioned"))
            #expect(rejected.state == .rejected)
            // A new claim, because the window allows it.
            let anew = try await office.create(open.service, open.window, [Office.line("ECG", "1")])
            #expect(anew.state == .draft)
            let audit = try await office.report(.audit, claim: claim.claimID)
            #expect(audit.rows.map { $0.cells[6] }.last == "Rejected")
            #expect(audit.rows.count == rejected.history.count)
        }
    }

    @Test("10.4: Tier 2 checks caps and budget again")
    func recheck() async throws {
        try await Office.with { office in
            let open = try await office.open()
            let claim = try await office.submit(
                try await office.create(open.service, open.window, [Office.line("ECG", "10")]))
            _ = try await office.claims(office.tier1).checkLocalClaims(office.decision([claim]))
            func budget(_ pence: Int64) async throws {
                _ = try await office.schemes(office.admin).setLocalBudget(
                    .with {
                        ($0.commissionerCode, $0.serviceID) = (Office.commissioner, open.service)
                        ($0.financialYear, $0.budgetPence, $0.reason) = (
                            "2025/26", pence, "agreed by the board"
                        )
                    })
            }
            try await budget(172_49)
            let short = try await office.claims(office.tier2).approveLocalClaims(office.decision([claim]))
            #expect(
                short.results.first?.refusedBecause
                    == "10.4: the budget of 172.49 pounds leaves 172.49; raise it with SetLocalBudget")
            try await budget(172_50)
            // A later version of the service has a cap that the claim passes.
            try await office.publish(
                Office.definition { $0.components[1].caps = [Office.cap(.quantityAYear, "9")] },
                of: open.service)
            let capped = try await office.claims(office.tier2).approveLocalClaims(office.decision([claim]))
            #expect(capped.results.first?.refusedBecause.hasPrefix("LOC-4: ECG: the cap of 9") == true)
            try await office.publish(Office.definition(), of: open.service)
            #expect(
                try await office.claims(office.tier2).approveLocalClaims(office.decision([claim])).decided
                    == 1)
        }
    }
}
