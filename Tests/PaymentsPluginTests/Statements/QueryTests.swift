import Accounting
import CaseworkContract
import CaseworkPlugin
import CommonContract
import HostContract
import PaymentsContract
import PaymentsPlugin
import PluginAPI
import PluginTestKit
import Testing

@Suite("Queries on lines of statements (C11)")
struct QueryTests {
    /// Payments and casework in one host, with a paid month of A81001.
    private func office(_ body: (PaymentsOffice) async throws -> Void) async throws {
        try await PaymentsOffice.with(plugins: [PaymentsPlugin.self, CaseworkPlugin.self]) { office in
            try await office.host.loadOrganisations()
            try await office.loadContracts("A81001,One,GMS,2026-04-01,,16C,Y63,,Y,,,,,,,,")
            try await office.loadLists("2026-04-01", "A81001,10400,10000.00,0")
            try await office.pay("2026-04")
            try await body(office)
        }
    }

    private func ask(
        _ office: PaymentsOffice, _ subject: TestSubject, line: Int32 = 1,
        _ question: String = "Why is it so little?"
    ) async throws -> Pcs_Payments_V1_StatementQuery {
        try await office.statements(subject).raiseQuery(
            .with {
                ($0.practiceCode, $0.runID, $0.lineNumber) = ("A81001", "2026-04-1", line)
                $0.question = question
            })
    }

    @Test(
        "a query is an enquiry with clocks, seen by practice, commissioner and staff, and its steps come back"
    )
    func query() async throws {
        try await office { office in
            let host = office.host
            let manager = try await host.person("mary", roles: [Roles.practiceStatements], at: "A81001")
            let query = try await ask(office, manager)
            #expect(query.lineID == "2026-04-1/A81001#1")
            #expect((query.paycode, query.amountPence) == ("GSUM", 10_839_167))
            #expect((query.state, query.closed, query.commissionerCode) == ("raised", false, "16C"))
            try await host.eventsDelivered()

            let mine = Pcs_Casework_V1_EnquiryServiceClient(try await office.transport(manager))
            let enquiry = try await mine.getEnquiry(.with { $0.enquiryID = query.queryID })
            #expect(enquiry.records.map(\.recordID) == ["2026-04-1/A81001#1"])
            #expect(enquiry.clocks.hasResolveBy)
            #expect(enquiry.copiedTo == ["16C"])
            let commissioner = try await host.person("carl", roles: [Roles.commissionerEditor], at: "16C")
            let theirs = Pcs_Casework_V1_EnquiryServiceClient(try await office.transport(commissioner))
            #expect(
                try await theirs.getEnquiry(.with { $0.enquiryID = query.queryID }).subject == enquiry.subject
            )

            let chief = try await host.person("gail", roles: [Roles.caseManager])
            let handler = try await host.person("hugo", roles: [Roles.caseHandler])
            let cases = Pcs_Casework_V1_CaseServiceClient(try await office.transport(chief))
            _ = try await cases.setTeamMember(.with { ($0.team, $0.personID) = ("payments", handler.id) })
            let staff = Pcs_Casework_V1_CaseServiceClient(try await office.transport(handler))
            #expect(
                try await staff.listCases(.with { $0.team = "payments" }).cases.map(\.enquiryID) == [
                    query.queryID
                ])
            func step(_ action: Pcs_Casework_V1_EnquiryAction, _ text: String = "", reason: String = "")
                async throws
            {
                _ = try await staff.handleCase(
                    .with {
                        ($0.enquiryID, $0.action, $0.text, $0.closingReason) = (
                            query.queryID, action, text, reason
                        )
                    })
            }
            try await step(.acknowledge)
            try await step(.assign)
            try await step(.start)
            try await host.eventsDelivered()
            let again = try await refusal { _ = try await ask(office, manager) }
            #expect(again.reason.name == "QUERY_OPEN")
            let reasons = try await mine.listCategories(.init()).closingReasons
            try await step(.resolve, "It is the list of the quarter.", reason: try #require(reasons.first))
            try await host.eventsDelivered()
            for viewer in [manager, commissioner, office.operating] {
                let listed = try await office.statements(viewer).listQueries(
                    .with { $0.practiceCode = "A81001" })
                let only = try #require(listed.queries.first)
                #expect(
                    only.steps.map(\.state) == ["new", "acknowledged", "in progress", "resolved"])
                #expect(only.closed && only.hasResolveBy)
            }
            let open = try await office.statements(manager).listQueries(
                .with { ($0.practiceCode, $0.openOnly) = ("A81001", true) })
            #expect(open.queries.isEmpty)
            // Answered: the line may be asked about again.
            #expect(try await ask(office, manager).queryID != query.queryID)
        }
    }

    @Test("delivered twice, an enquiry is one")
    func twice() async throws {
        try await office { office in
            let manager = try await office.host.person(
                "mary", roles: [Roles.practiceStatements], at: "A81001")
            _ = try await ask(office, manager)
            try await office.host.eventsDelivered()
            try await office.host.restart()
            try await office.host.eventsDelivered()
            let mine = Pcs_Casework_V1_EnquiryServiceClient(try await office.transport(manager))
            #expect(try await mine.listEnquiries(.init()).enquiries.count == 1)
        }
    }

    @Test("what is wrong with a query is said at once, and others do not ask")
    func refused() async throws {
        try await office { office in
            let manager = try await office.host.person(
                "mary", roles: [Roles.practiceStatements], at: "A81001")
            let wrong = try await refusal {
                _ = try await office.statements(manager).raiseQuery(
                    .with { ($0.practiceCode, $0.lineNumber) = ("A81001", 1) })
            }
            #expect(wrong.violations.map(\.field) == ["month", "question"])
            let beyond = try await refusal { _ = try await ask(office, manager, line: 9) }
            #expect(beyond.message.contains("has lines 1 to"))
            let other = try await office.host.person("nina", roles: [Roles.practiceStatements], at: "A81002")
            #expect(try await refusal { _ = try await ask(office, other) }.reason.code == .permissionDenied)
            #expect(
                try await refusal { _ = try await ask(office, office.operating) }.reason.code
                    == .permissionDenied)
            let none = try await office.statements(manager).listQueries(.with { $0.practiceCode = "A81001" })
            #expect(none.queries.isEmpty)
        }
    }
}
