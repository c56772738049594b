import CaseworkContract
import CaseworkPlugin
import CommonContract
import HostContract
import PaymentsContract
import PaymentsPlugin
import PluginAPI
import PluginTestKit
import Testing

@Suite("The life of a claim for additional roles (payments.md 8.2)")
struct AdditionalRolesLifeTests {
    private func rows() throws -> [Pcs_Payments_V1_AdditionalRolesRow] {
        [try RolesDesk.row("E-1", salary: "5000.00"), try RolesDesk.row("E-2", salary: "9000.00")]
    }

    @Test(
        "four people: whoever prepared does not submit, whoever had a hand in it neither reviews nor decides")
    func fourPeople() async throws {
        try await RolesDesk.with { desk in
            let host = desk.office.host
            // The submitter holds every other role too.
            var sue = try await host.grant([Roles.pcnApprover], at: RolesDesk.network, to: desk.submitter)
            sue = try await host.grant(
                [Roles.commissionerEditor, Roles.commissionerApprover], at: "16C", to: sue)
            let (atNetwork, atCommissioner) = (sue.acting(for: RolesDesk.network), sue.acting(for: "16C"))
            let draft = try await desk.draft("2026-02", try rows(), as: atNetwork)
            #expect(draft.state == .draft && draft.createdBy == "sue" && draft.number == 1)
            let own = try await refusal { _ = try await desk.submit(draft, as: atNetwork) }
            #expect(own.reason == HostReasons.secondPersonRequired)
            let submitted = try await desk.submit(draft)
            #expect(submitted.state == .submitted && submitted.submittedBy == "ned")
            let reviewer = try await refusal { _ = try await desk.review(submitted, as: atCommissioner) }
            #expect(reviewer.reason == HostReasons.secondPersonRequired)
            let early = try await refusal { _ = try await desk.decide(submitted) }
            #expect(early.reason == PaymentsReasons.additionalRolesClaimStateWrong)
            let reviewed = try await desk.review(submitted)
            #expect(reviewed.state == .reviewed && reviewed.reviewedBy == "eddie")
            let decider = try await refusal { _ = try await desk.decide(reviewed, as: atCommissioner) }
            #expect(decider.reason == HostReasons.secondPersonRequired)
            var eddie = desk.editor
            eddie = try await host.grant([Roles.commissionerApprover], at: "16C", to: eddie)
            let both = try await refusal { _ = try await desk.decide(reviewed, as: eddie) }
            #expect(both.reason == HostReasons.secondPersonRequired)
            let approved = try await desk.decide(reviewed)
            // 5,000.00, and the maximum of 8,823.50.
            #expect(approved.state == .adjusted && approved.payablePence == 1_382_350)
            #expect(
                approved.history.map { "\($0.step) \($0.by)" } == [
                    "drafted sue", "submitted ned", "reviewed eddie", "adjusted cas",
                ])
            let again = try await refusal { _ = try await desk.decide(approved) }
            #expect(again.reason == PaymentsReasons.additionalRolesClaimStateWrong)
        }
    }

    @Test(
        "returned by the editor, amended, submitted again, returned by the approver, rejected; each keeps its reason"
    )
    func returnedAndRejected() async throws {
        try await RolesDesk.with { desk in
            let first = try await desk.submit(try await desk.draft("2026-02", try rows()))
            let silent = try await refusal { _ = try await desk.decide(first, .return) }
            #expect(silent.violations.map(\.field) == ["reason"])
            let returned = try await desk.review(first, returning: "row 2 has no contract")
            #expect(returned.state == .returned && returned.reason == "row 2 has no contract")
            let amended = try await desk.draft(
                "2026-02", [try RolesDesk.row("E-1", salary: "5000.00")], claim: first.claimID)
            #expect(amended.version == 2 && amended.rowCount == 1 && amended.state == .returned)
            // What was looked at before is not what is decided.
            let stale = try await refusal { _ = try await desk.submit(first) }
            #expect(stale.reason == PaymentsReasons.additionalRolesClaimStateWrong)
            let second = try await desk.review(try await desk.submit(amended))
            let back = try await desk.decide(second, .return, reason: "pension is missing")
            #expect(back.state == .returned && back.reviewedBy.isEmpty)
            // The same rows again: a returned claim need not be changed.
            desk.office.host.clock.advance(milliseconds: 1_000)
            let third = try await desk.review(try await desk.submit(back))
            let rejected = try await desk.decide(third, .reject, reason: "not an additional role")
            #expect(rejected.state == .rejected && rejected.payablePence == 0 && rejected.decidedBy == "cas")
            #expect(rejected.history.count == 10)
            // The month is free again, and nothing is paid.
            let next = try await desk.draft("2026-02", try rows())
            #expect(next.number == 2)
            try await desk.office.pay("2026-02")
            #expect(try await desk.lines("2026-02").isEmpty)
        }
    }

    @Test("withdrawn from every state before the decision, then claimed anew; not after it")
    func withdrawn() async throws {
        try await RolesDesk.with { desk in
            let draft = try await desk.draft("2026-02", try rows())
            let open = try await refusal { _ = try await desk.draft("2026-02", try rows()) }
            #expect(open.reason == PaymentsReasons.additionalRolesClaimOpen)
            #expect(open.message.contains(draft.claimID))
            let silent = try await refusal {
                _ = try await desk.service(desk.submitter).withdrawClaim(desk.step(draft))
            }
            #expect(silent.violations.map(\.field) == ["reason"])
            #expect(try await desk.withdraw(draft).state == .withdrawn)
            let submitted = try await desk.submit(try await desk.draft("2026-02", try rows()))
            #expect(try await desk.withdraw(submitted, as: desk.networkApprover).state == .withdrawn)
            let returned = try await desk.review(
                try await desk.submit(try await desk.draft("2026-02", try rows())), returning: "unclear")
            #expect(try await desk.withdraw(returned).state == .withdrawn)
            let reviewed = try await desk.review(
                try await desk.submit(try await desk.draft("2026-02", try rows())))
            #expect(try await desk.withdraw(reviewed).state == .withdrawn)
            let decided = try await desk.approved("2026-02", try rows())
            #expect(decided.number == 5)
            let late = try await refusal { _ = try await desk.withdraw(decided) }
            #expect(late.reason == PaymentsReasons.additionalRolesClaimStateWrong)
        }
    }

    @Test("rows are made smaller with a reason, in the review and in the decision; never larger")
    func adjusted() async throws {
        try await RolesDesk.with { desk in
            let disputed = try await desk.review(
                try await desk.submit(try await desk.draft("2026-02", try rows())), adjusting: [1: 1])
            #expect(shown(disputed.rows) == ["GP 0.01 ADJUSTED", "GP 8823.50 CEILING"])
            // Submitted again, it is looked at afresh.
            desk.office.host.clock.advance(milliseconds: 1_000)
            let submitted = try await desk.submit(
                try await desk.decide(disputed, .return, reason: "she did work"))
            #expect(shown(submitted.rows) == ["GP 5000.00", "GP 8823.50 CEILING"])
            // Row 2 comes to 8,823.50, row 9 is none.
            let wrong = try await refusal {
                _ = try await desk.review(submitted, adjusting: [2: 882_350, 9: 1])
            }
            #expect(
                wrong.violations.map { "\($0.field) \($0.rule)" } == [
                    "adjustments[0].payable_pence ARR11", "adjustments[1].row_number ARR11",
                ])
            let reviewed = try await desk.review(submitted, adjusting: [1: 400_000, 2: 800_000])
            let decided = try await desk.decide(reviewed, adjusting: [2: 700_000])
            #expect(shown(decided.rows) == ["GP 4000.00 ADJUSTED", "GP 7000.00 ADJUSTED"])
            #expect(decided.rows.map(\.assessment.adjustment.adjustedBy) == ["eddie", "cas"])
            try await desk.office.pay("2026-02")
            let lines = try await desk.lines("2026-02")
            #expect(shown(lines) == ["PCNARR 11000.00"])
            try await desk.hold(lines, "2026-02")
        }
    }

    @Test("who sees what: drafts only the network, claims its commissioner, ICB and staff, nobody else")
    func readers() async throws {
        try await RolesDesk.with { desk in
            let host = desk.office.host
            func person(_ id: String, _ role: Role, at code: String) async throws -> TestSubject {
                try await host.person(id, roles: [role], at: code)
            }
            let draft = try await desk.draft("2026-02", try rows())
            let hidden = try await refusal { _ = try await desk.read(draft, as: desk.editor) }
            #expect(hidden.reason == PaymentsReasons.additionalRolesClaimUnknown)
            #expect(try await desk.list("16C", as: desk.approver).isEmpty)
            #expect(
                try await desk.list(RolesDesk.network, .draft, as: desk.submitter).map(\.claimID) == [
                    draft.claimID
                ])
            let claim = try await desk.submit(draft)
            let readers = [
                desk.submitter, desk.networkApprover, desk.editor, desk.approver, desk.office.operating,
                try await person("vic", Roles.pcnViewer, at: RolesDesk.network),
                try await person("ivy", Roles.icbViewer, at: "QHM"),
                try await person("aud", Roles.auditor, at: "PCS"),
            ]
            for reader in readers {
                #expect(try await desk.read(claim, as: reader).rows.count == 2)
                #expect(try await desk.list(RolesDesk.network, as: reader).map(\.rows) == [[]])
                #expect(try await desk.year(as: reader).networks.first?.roles.map(\.role) == ["GP"])
            }
            #expect(try await desk.list("16C", .submitted, month: "2026-02", as: desk.editor).count == 1)
            #expect(try await desk.list("16C", month: "2026-01", as: desk.editor).isEmpty)
            let strangers = [
                try await person("oli", Roles.pcnSubmitter, at: "U07032"),
                try await person("ola", Roles.commissionerApprover, at: "93C"),
                try await person("pip", Roles.practiceClaimsAdmin, at: "A81001"),
                try await person("mel", Roles.pcnViewer, at: "A81001"),
            ]
            for stranger in strangers {
                let denied = try await refusal { _ = try await desk.read(claim, as: stranger) }
                #expect(denied.reason.code == .permissionDenied)
                let unlisted = try await refusal { _ = try await desk.list(RolesDesk.network, as: stranger) }
                #expect(unlisted.reason.code == .permissionDenied)
            }
            // A claim is named with its network.
            let other = try await refusal {
                _ = try await desk.service(strangers[0]).getClaim(
                    .with { ($0.pcnCode, $0.claimID) = ("U07032", claim.claimID) })
            }
            #expect(other.reason == PaymentsReasons.additionalRolesClaimUnknown)
            // A member practice reads totals of its network, and of no other.
            let total = try #require(try await desk.year(as: strangers[3]).networks.first)
            #expect(total.total.claimedPence == 1_400_000 && total.roles.isEmpty && total.months.isEmpty)
            let elsewhere = try await refusal { _ = try await desk.year("U07032", as: strangers[3]) }
            #expect(elsewhere.reason.code == .permissionDenied)
            let wrongHands = try await refusal {
                _ = try await desk.draft("2026-01", try rows(), as: desk.networkApprover)
            }
            #expect(wrongHands.reason.code == .permissionDenied)
        }
    }

    @Test("a claim that waits is a task: first of editors, then of approvers, closed by what they do")
    func tasks() async throws {
        try await RolesDesk.with(plugins: [PaymentsPlugin.self, CaseworkPlugin.self]) { desk in
            func tasks(_ subject: TestSubject) async throws -> [String] {
                try await desk.office.host.eventsDelivered()
                let service = Pcs_Casework_V1_TaskServiceClient(try await desk.office.transport(subject))
                let listed = try await service.listTasks(.with { $0.includeSettled = true }).tasks
                return listed.map { "\($0.title.prefix(6)) \($0.state) \($0.outcome)" }
            }
            let claim = try await desk.submit(try await desk.draft("2026-02", try rows()))
            #expect(try await tasks(desk.editor) == ["Review open "])
            #expect(try await tasks(desk.approver).isEmpty)
            let back = try await desk.review(claim, returning: "unclear")
            #expect(try await tasks(desk.editor) == ["Review settled returned"])
            desk.office.host.clock.advance(milliseconds: 1_000)
            let again = try await desk.review(try await desk.submit(back))
            #expect(try await tasks(desk.editor) == ["Review settled returned", "Review settled reviewed"])
            #expect(try await tasks(desk.approver) == ["Decide open "])
            _ = try await desk.decide(again)
            #expect(try await tasks(desk.approver) == ["Decide settled approved"])
            let messages = Pcs_Casework_V1_MessageServiceClient(
                try await desk.office.transport(desk.submitter))
            let told = try await messages.listMessages(.init()).messages.map(\.title)
            #expect(told.filter { $0.hasPrefix("A claim for additional roles") }.count == 2, "\(told)")
        }
    }
}
