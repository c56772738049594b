import CaseworkContract
import CommonContract
import HostContract
import PluginAPI
import PluginTestKit
import SwiftProtobuf
import Testing

@testable import CaseworkPlugin

/// PCSE's people and a practice's, at work on one enquiry.
private struct Desk {
    let host: TestHost
    let sender: TestSubject
    let handler: TestSubject
    let manager: TestSubject

    init(_ host: TestHost) async throws {
        self.host = host
        sender = try await host.member("sender", [Roles.mainContact])
        handler = try await host.member("handler", [Roles.caseHandler])
        manager = try await host.member("manager", [Roles.caseManager])
        for person in ["handler"] {
            _ = try await host.cases(manager).setTeamMember(
                .with {
                    $0.team = "payments"
                    $0.personID = person
                })
        }
    }

    func raise(_ change: (inout Pcs_Casework_V1_RaiseEnquiryRequest) -> Void = { _ in }) async throws
        -> Pcs_Casework_V1_Enquiry
    {
        var request = Pcs_Casework_V1_RaiseEnquiryRequest.with {
            $0.category = "payments"
            $0.subCategory = "Statement"
            $0.subject = "The global sum is wrong"
            $0.body = "It fell by half."
        }
        change(&request)
        return try await host.enquiries(sender).raiseEnquiry(request)
    }

    @discardableResult
    func act(_ id: String, _ action: Pcs_Casework_V1_EnquiryAction, _ text: String = "said") async throws
        -> Pcs_Casework_V1_Enquiry
    {
        try await host.enquiries(sender).actOnEnquiry(
            .with {
                $0.enquiryID = id
                $0.action = action
                $0.text = text
            })
    }

    @discardableResult
    func handle(
        _ id: String, _ action: Pcs_Casework_V1_EnquiryAction, by subject: TestSubject? = nil,
        _ change: (inout Pcs_Casework_V1_HandleCaseRequest) -> Void = { _ in }
    ) async throws -> Pcs_Casework_V1_Enquiry {
        var request = Pcs_Casework_V1_HandleCaseRequest.with {
            $0.enquiryID = id
            $0.action = action
            $0.text = "said"
            if action == .resolve { $0.closingReason = "answered" }
        }
        change(&request)
        return try await host.cases(subject ?? handler).handleCase(request)
    }
}

@Suite("Enquiries and complaints")
struct EnquiryTests {
    private func london(_ date: String, _ hour: Int) -> Google_Protobuf_Timestamp {
        Google_Protobuf_Timestamp(LondonTime.instant(on: day(date), minute: hour * 60))
    }

    @Test("example 17 through the door: raised, asked, answered, resolved, reopened in time and not later")
    func life() async throws {
        try await TestHost.with(TestHost.casework, clock: ManualClock(day("2026-03-02"))) { host in
            let desk = try await Desk(host)
            let raised = try await desk.raise()
            let id = raised.enquiryID
            #expect(raised.state == .new)
            #expect(raised.clocks.acknowledgeBy == london("2026-03-03", 17))
            #expect(raised.clocks.resolveBy == london("2026-03-16", 17))
            try await desk.handle(id, .acknowledge)
            try await desk.handle(id, .assign)
            try await desk.handle(id, .start)
            #expect(await refusal { try await desk.act(id, .reply, "") } == HostReasons.fieldInvalid)
            #expect(await refusal { try await desk.act(id, .reopen) } == CaseworkReasons.enquiryStateWrong)
            #expect(await refusal { try await desk.act(id, .resolve) } == CaseworkReasons.actionNotYours)
            host.clock.set(day("2026-03-04"), hour: 10)
            #expect(try await desk.handle(id, .askCustomer).clocks.stopped)
            host.clock.set(day("2026-03-10"), hour: 10)
            let answered = try await desk.act(id, .reply)
            #expect(answered.state == .inProgress)
            #expect(answered.clocks.resolveBy == london("2026-03-20", 17))
            #expect(answered.handler.isEmpty)
            #expect(
                await refusal { try await desk.handle(id, .resolve) { $0.closingReason = "bored" } }
                    == HostReasons.fieldInvalid)
            #expect(try await desk.handle(id, .resolve).state == .resolved)
            host.clock.set(day("2026-04-09"), hour: 16)
            let reopened = try await desk.act(id, .reopen)
            #expect(reopened.state == .reopened)
            try await desk.handle(id, .assign)
            try await desk.handle(id, .start)
            try await desk.handle(id, .resolve)
            host.clock.set(day("2026-05-12"), hour: 9)
            #expect(await refusal { try await desk.act(id, .reopen) } == CaseworkReasons.reopenTooLate)
            try await host.advance(days: 1)
            let closed = try await host.enquiries(desk.sender).getEnquiry(.with { $0.enquiryID = id })
            #expect(closed.state == .closed)
            #expect(!closed.entries.contains { $0.internal })
            #expect(closed.entries.map(\.action).contains(.askCustomer))
        }
    }

    @Test("example 16 through the door: a complaint of Good Friday 2021")
    func goodFriday() async throws {
        try await TestHost.with(TestHost.casework, clock: ManualClock(day("2021-04-02"))) { host in
            let desk = try await Desk(host)
            let raised = try await desk.raise { $0.complaint = true }
            #expect(raised.kind == .complaint)
            #expect(raised.clocks.acknowledgeBy == london("2021-04-08", 17))
            #expect(raised.clocks.explainAfter == Pcs_Common_V1_Date(day("2021-10-02")))
        }
    }

    @Test("no reply: reminded after three working days, resolved after seven")
    func noReply() async throws {
        try await TestHost.with(TestHost.casework, clock: ManualClock(day("2026-03-02"))) { host in
            let desk = try await Desk(host)
            let id = try await desk.raise().enquiryID
            for step in [Pcs_Casework_V1_EnquiryAction.acknowledge, .assign, .start, .askCustomer] {
                try await desk.handle(id, step)
            }
            host.clock.set(day("2026-03-05"), hour: 18)
            try await host.advance(milliseconds: 600_000)
            let titles = try await host.messages(desk.sender).listMessages(.init()).messages.map(\.title)
            #expect(titles.first == "Reminder: your enquiry needs an answer from you")
            #expect(
                try await host.enquiries(desk.sender).getEnquiry(.with { $0.enquiryID = id }).state
                    == .waitingCustomer)
            host.clock.set(day("2026-03-11"), hour: 18)
            try await host.advance(milliseconds: 600_000)
            let ended = try await host.enquiries(desk.sender).getEnquiry(.with { $0.enquiryID = id })
            #expect(ended.state == .resolved)
            #expect(ended.closingReason == "noReply")
        }
    }

    @Test("a clock that runs out is escalated to those who answer for it, once each")
    func escalation() async throws {
        try await TestHost.with(TestHost.casework, clock: ManualClock(day("2026-03-02"))) { host in
            let desk = try await Desk(host)
            let head = try await host.member("head", [Roles.complaintsManager])
            let id = try await desk.raise { $0.patientSafety = true }.enquiryID
            host.clock.set(day("2026-03-02"), hour: 10, minute: 40)
            try await host.advance(milliseconds: 60_000)
            #expect(
                try await host.messages(desk.manager).listMessages(.init()).messages.map(\.title) == [
                    "An enquiry has used 80 % of its time"
                ])
            #expect(try await host.messages(head).listMessages(.init()).messages.isEmpty)
            host.clock.set(day("2026-03-02"), hour: 11, minute: 10)
            try await host.advance(milliseconds: 600_000)
            try await host.advance(milliseconds: 600_000)
            #expect(
                try await host.messages(head).listMessages(.init()).messages.map(\.record.recordID) == [id])
            #expect(try await host.messages(desk.manager).listMessages(.init()).messages.count == 1)
            let report = try await host.cases(desk.manager).reportCases(
                .with {
                    $0.from = Pcs_Common_V1_Date(day("2026-03-01"))
                    $0.to = Pcs_Common_V1_Date(day("2026-03-31"))
                })
            #expect(report.lines.map(\.acknowledgedLate) == [1])
            #expect(report.lines.map(\.raised) == [1])
        }
    }

    @Test(
        "an enquiry becomes a complaint with the sender's consent; whoever is named neither handles nor approves"
    )
    func complaint() async throws {
        try await TestHost.with(TestHost.casework, clock: ManualClock(day("2026-03-02"))) { host in
            let desk = try await Desk(host)
            let second = try await host.member("second", [Roles.caseHandler])
            let chief = try await host.member("chief", [Roles.caseHandler, Roles.caseManager])
            for person in ["second", "chief"] {
                _ = try await host.cases(desk.manager).setTeamMember(
                    .with {
                        $0.team = "payments"; $0.personID = person
                    })
            }
            let id = try await desk.raise().enquiryID
            try await desk.handle(id, .acknowledge)
            try await desk.handle(id, .assign)
            #expect(
                await refusal { try await desk.handle(id, .makeComplaint) } == CaseworkReasons.actionNotYours)
            #expect(
                await refusal { try await desk.act(id, .declineComplaint) }
                    == CaseworkReasons.enquiryStateWrong)
            #expect(try await desk.handle(id, .proposeComplaint).kind == .enquiry)
            let complaint = try await desk.act(id, .makeComplaint)
            #expect(complaint.kind == .complaint)
            #expect(complaint.state == .new)
            _ = try await host.cases(chief).amendCase(
                .with {
                    $0.enquiryID = id
                    $0.addNamedPeople = ["handler"]
                    $0.reason = "it is about the handler"
                })
            #expect(
                await refusal { try await desk.handle(id, .acknowledge) } == CaseworkReasons.namedInComplaint)
            try await desk.handle(id, .acknowledge, by: second) {
                $0.plannedFirstAnswerOn = Pcs_Common_V1_Date(day("2026-03-20"))
            }
            #expect(
                await refusal { try await desk.handle(id, .assign, by: second) { $0.handler = "handler" } }
                    == CaseworkReasons.namedInComplaint)
            try await desk.handle(id, .assign, by: second) { $0.handler = "chief" }
            try await desk.handle(id, .investigate, by: chief)
            #expect(
                await refusal { try await desk.handle(id, .sendResponse, by: chief) }
                    == CaseworkReasons.enquiryStateWrong)
            try await desk.handle(id, .draftResponse, by: chief)
            #expect(
                await refusal { try await desk.handle(id, .approveResponse, by: chief) }
                    == HostReasons.secondPersonRequired)
            try await desk.handle(id, .approveResponse, by: desk.manager)
            #expect(try await desk.handle(id, .sendResponse, by: chief).state == .responseSent)
            let seen = try await host.enquiries(desk.sender).getEnquiry(.with { $0.enquiryID = id })
            #expect(seen.clocks.firstAnswerBy == london("2026-03-20", 17))
            #expect(seen.namedPeople.isEmpty)
            #expect(try await desk.act(id, .goToStage2).state == .stage2)
            #expect(try await desk.act(id, .goToOmbudsman, "").state == .ombudsman)
        }
    }

    @Test(
        "seen by the raiser and by members with a role for the category; by staff of the team, by others with a reason"
    )
    func visibility() async throws {
        try await TestHost.with(TestHost.casework) { host in
            let desk = try await Desk(host)
            let colleague = try await host.member("colleague", [Roles.practiceStatements])
            let clerk = try await host.member("clerk", [Roles.orderEntryClerk])
            let stranger = try await host.member("stranger", [Roles.caseHandler])
            let head = try await host.member("head", [Roles.complaintsManager])
            let plain = try await desk.raise().enquiryID
            let secret = try await desk.raise { $0.restricted = true }.enquiryID
            func sees(_ subject: TestSubject, _ id: String) async -> Reason? {
                await refusal { try await host.enquiries(subject).getEnquiry(.with { $0.enquiryID = id }) }
            }
            #expect(await sees(desk.sender, plain) == nil)
            #expect(await sees(colleague, plain) == nil)
            #expect(await sees(clerk, plain) == CaseworkReasons.enquiryNotFound)
            #expect(await sees(desk.sender, secret) == nil)
            #expect(await sees(colleague, secret) == CaseworkReasons.enquiryNotFound)
            #expect(
                try await host.enquiries(colleague).listEnquiries(.init()).enquiries.map(\.enquiryID) == [
                    plain
                ])
            #expect(try await host.enquiries(clerk).listEnquiries(.init()).enquiries.isEmpty)
            func opens(_ subject: TestSubject, _ id: String, _ reason: String = "") async -> Reason? {
                await refusal {
                    try await host.cases(subject).openCase(
                        .with {
                            $0.enquiryID = id
                            $0.accessReason = reason
                        })
                }
            }
            #expect(await opens(desk.handler, plain) == nil)
            #expect(await opens(desk.handler, secret) == CaseworkReasons.enquiryNotFound)
            #expect(await opens(stranger, plain) == CaseworkReasons.reasonRequired)
            #expect(await opens(stranger, plain, "same practice called us") == nil)
            #expect(await opens(stranger, secret, "curious") == CaseworkReasons.enquiryNotFound)
            #expect(await opens(head, secret) == nil)
            let work = try await host.cases(desk.handler).listCases(.init()).cases.map(\.enquiryID)
            #expect(work == [plain])
            #expect(try await host.cases(stranger).listCases(.with { $0.team = "payments" }).cases.isEmpty)
            let history = try await host.cases(head).openCase(
                .with {
                    $0.enquiryID = plain; $0.accessReason = "review"
                }
            ).entries
            #expect(history.contains { $0.text == "Opened: same practice called us" && $0.by == "stranger" })
        }
    }

    @Test("a bad form is refused whole, with every field that is wrong")
    func badForm() async throws {
        try await TestHost.with(TestHost.casework) { host in
            let desk = try await Desk(host)
            do {
                _ = try await desk.raise {
                    $0.category = "nonsense"
                    $0.subject = "no"
                    $0.body = String(repeating: "x", count: 4_001)
                    $0.documentIds = (0...10).map { "D\($0)" }
                    $0.urgent = true
                }
                Issue.record("it was taken")
            } catch let failure as Failure {
                #expect(
                    Set(failure.violations.map(\.field))
                        == ["category", "subject", "body", "document_ids", "urgency_reason"])
            }
            #expect(
                await refusal {
                    try await desk.raise {
                        $0.complaint = true
                        $0.eventOn = Pcs_Common_V1_Date(day("2025-03-15"))
                    }
                } == CaseworkReasons.complaintTooLate)
            #expect(
                await refusal {
                    try await desk.raise {
                        $0.complaint = true
                        $0.eventOn = Pcs_Common_V1_Date(day("2025-03-16"))
                    }
                } == nil)
            #expect(try await host.enquiries(desk.sender).listEnquiries(.init()).enquiries.count == 1)
        }
    }
}
