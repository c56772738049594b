import Accounting
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@testable import PaymentsPlugin

@Suite("Rules of claims for additional roles (ARR01 to ARR11)")
struct AdditionalRolesRuleTests {
    @Test("a file with faults is refused whole, with every fault by line and rule")
    func faultyFile() async throws {
        try await RolesDesk.with { desk in
            let file = """
                E-1,GP,2025-06-01,,1.00,5000.00,0.00,0.00
                Jane Doe,GP,2025-06-01,,1.00,5000.00,0.00,0.00
                E-3,ASTRONAUT,2025-06-01,,1.00,5000.00,0.00,0.00
                E-4,GP,2026-03-01,,1.00,5000.00,0.00,0.00
                E-5,GP,2025-06-01,2026-01-31,1.00,5000.00,0.00,0.00
                E-6,GP,2026-02-20,2026-02-10,1.00,5000.00,0.00,0.00
                E-7,GP,yesterday,,1.01,0.00,-1.00,50000.01
                E-1,GP,2026-02-20,,0.10,5000.00,0.00,0.00
                E-1,CONSULTANT_NURSE,2026-02-20,,0.10,5000.00,0.00,0.00

                """
            let refused = try await refusal { _ = try await desk.upload("2026-02", file) }
            #expect(refused.reason == HostReasons.fileInvalid)
            #expect(
                refused.violations.map { "\($0.row) \($0.field) \($0.rule)" } == [
                    "3 employee_ref ARR02", "4 role ARR03", "5 role_from ARR05", "6 role_to ARR05",
                    "7 role_to ARR05", "8 role_from ARR05", "8 wte ARR06", "8 salary ARR07",
                    "8 employer_ni ARR07", "8 employer_pension ARR07", "9 employee_ref ARR08", "10 wte ARR09",
                ])
            #expect(try await desk.list(RolesDesk.network, as: desk.submitter).isEmpty)
            // The same in a message.
            var bad = try RolesDesk.row("Jane Doe", "ASTRONAUT", wte: 101, salary: "0.00", insurance: "-1.00")
            bad.clearRoleFrom()
            let wrong = bad
            let message = try await refusal { _ = try await desk.draft("2026-02", [wrong]) }
            #expect(
                message.violations.map { "\($0.field) \($0.rule)" } == [
                    "rows[0].role_from ARR05", "rows[0].employee_ref ARR02", "rows[0].role ARR03",
                    "rows[0].wte_hundredths ARR06", "rows[0].salary_pence ARR07",
                    "rows[0].employer_ni_pence ARR07",
                ])
            let none = try await refusal { _ = try await desk.draft("2026-02", []) }
            #expect(none.violations.map(\.rule) == ["ARR10"])
            let many = (1...501).map { "E-\($0),GP,2025-06-01,,0.10,1.00,0.00,0.00\n" }.joined()
            let long = try await refusal { _ = try await desk.upload("2026-02", many) }
            #expect(long.violations.map { "\($0.row) \($0.rule)" } == ["502 ARR10"])
        }
    }

    @Test("a month that lies ahead or too far back is refused, with the rows")
    func months() async throws {
        try await RolesDesk.with { desk in
            for month in ["2026-04", "2025-02"] {
                let refused = try await refusal {
                    _ = try await desk.draft(month, [try RolesDesk.row("Jane Doe", salary: "1.00")])
                }
                #expect(refused.violations.map(\.rule).contains("ARR01") && refused.violations.count > 1)
            }
            // The month that runs, and the last one that can be claimed.
            for month in ["2026-03", "2025-04"] {
                let claim = try await desk.draft(
                    month,
                    [
                        try RolesDesk.row("E-1", salary: "1.00", from: "2025-04-01")
                    ])
                #expect(claim.state == .draft)
            }
        }
    }

    @Test("a role whose maximum is a parameter is refused by name until it is set, also when it is submitted")
    func parameters() async throws {
        try await RolesDesk.with(today: "2026-05-04", weighted: "") { desk in
            let rows = [try RolesDesk.row("E-1", salary: "9000.00")]
            let refused = try await refusal { _ = try await desk.draft("2026-04", rows) }
            #expect(refused.violations.map(\.rule) == ["ARR04"])
            #expect(
                refused.violations[0].message.contains("GP")
                    && refused.violations[0].message.contains("2026-04"))
            try await desk.setMaxima("GP,ALL,2026-04-01,2027-04-01,108000.00,P,test,")
            let draft = try await desk.draft("2026-04", rows)
            // Taken back before it is submitted.
            try await desk.setMaxima("GP,ALL,2026-04-01,2027-04-01,,R,,withdrawn")
            let late = try await refusal { _ = try await desk.submit(draft) }
            #expect(late.violations.map { "\($0.field) \($0.rule)" } == ["rows[0].role ARR04"])
            try await desk.setMaxima("GP,ALL,2026-04-01,2027-04-01,108000.00,P,test,")
            let reviewed = try await desk.review(try await desk.submit(draft))
            // Neither rate nor list of the year: each is named, and nothing is decided.
            #expect(reviewed.obstacle.contains("network_additional_roles"))
            let rate = try await refusal { _ = try await desk.decide(reviewed) }
            #expect(rate.reason == PaymentsReasons.rateMissing)
            #expect(rate.message.contains("network_additional_roles"))
            try await desk.office.setRate(
                "network_additional_roles", "27.00", from: "2026-04-01", to: "2027-04-01")
            let list = try await refusal { _ = try await desk.decide(reviewed) }
            #expect(list.reason == PaymentsReasons.networkPopulationMissing)
            #expect(try await desk.year(RolesDesk.network, "2026/27").networks[0].obstacle == list.message)
            try await desk.load(RolesDesk.network, weighted: "1000.00", year: "2026/27")
            #expect(try await desk.decide(reviewed).payablePence == 900_000)
        }
    }

    @Test(
        "a person above one whole-time equivalent over two networks is refused, without a word about the other"
    )
    func twoNetworks() async throws {
        try await RolesDesk.with { desk in
            let host = desk.office.host
            try await desk.load("U07032", weighted: "1000.00")
            let (sub, app) = (
                try await host.person("tom", roles: [Roles.pcnSubmitter], at: "U07032"),
                try await host.person("tia", roles: [Roles.pcnApprover], at: "U07032")
            )
            func theirs(_ wte: Int32, claim: String = "", to: String = "") async throws
                -> Pcs_Payments_V1_AdditionalRolesClaim
            {
                try await desk.draft(
                    "2026-02", [try RolesDesk.row("E-1", wte: wte, salary: "2000.00", to: to)], claim: claim,
                    network: "U07032", as: sub)
            }
            // A draft elsewhere counts for nothing yet.
            let other = try await theirs(60)
            let own = try await desk.draft("2026-02", [try RolesDesk.row("E-1", wte: 50, salary: "4000.00")])
            _ = try await desk.submit(own)
            let late = try await refusal { _ = try await desk.submit(other, as: app) }
            #expect(late.violations.map { "\($0.field) \($0.rule)" } == ["rows[0].wte_hundredths ARR09"])
            #expect(
                late.violations[0].message.contains("1.10") && !late.violations[0].message.contains("U89141"))
            let atOnce = try await refusal { _ = try await theirs(51, claim: other.claimID) }
            #expect(atOnce.violations.map(\.rule) == ["ARR09"])
            // Half and half is one; so is one network after the other.
            let half = try await desk.submit(try await theirs(50, claim: other.claimID), as: app)
            #expect(half.state == .submitted)
            let approved = try await desk.decide(try await desk.review(half))
            #expect(approved.state == .approved)
        }
    }

    @Test("a person who changes hours within a month has two rows, one after the other")
    func hoursChange() async throws {
        try await RolesDesk.with { desk in
            let claim = try await desk.draft(
                "2026-02",
                [
                    try RolesDesk.row("E-1", wte: 100, salary: "9000.00", to: "2026-02-14"),
                    try RolesDesk.row("E-1", wte: 50, salary: "9000.00", from: "2026-02-15"),
                ])
            // 8,823.50 x 14/28, and half of that.
            #expect(shown(claim.rows) == ["GP 4411.75 CEILING", "GP 2205.88 CEILING"])
        }
    }

    @Test("the same file changes nothing; another one makes the next version of the draft, and both are kept")
    func files() async throws {
        try await RolesDesk.with { desk in
            let (first, second) = (
                "E-1,GP,2025-06-01,,1.00,5000.00,0.00,0.00\n", "E-1,GP,2025-06-01,,1.00,5000.01,0.00,0.00\n"
            )
            let draft = try await desk.upload("2026-02", first)
            #expect(draft.version == 1 && draft.fileName == "roles.csv" && draft.sha256.count == 64)
            let same = try await desk.upload("2026-02", first)
            #expect(same.claimID == draft.claimID && same.version == 1 && same.alreadyLoaded)
            let open = try await refusal { _ = try await desk.upload("2026-02", second) }
            #expect(open.reason == PaymentsReasons.additionalRolesClaimOpen)
            let next = try await desk.upload("2026-02", second, claim: draft.claimID)
            #expect(next.version == 2 && next.claimedPence == 500_001 && next.sha256 != draft.sha256)
            let store = try desk.office.host.store(of: "payments")
            let kept = try store.read { reader in
                try reader.first(
                    Statement("SELECT COUNT(*) FROM evidence WHERE kind = ?1"), [.text("additionalRoles")]
                ) { $0.integer(0) }
            }
            #expect(kept == 2)
            // Rows by hand: the claim stands on a file no more.
            let typed = try await desk.draft(
                "2026-02", [try RolesDesk.row("E-1", salary: "5000.00")], claim: draft.claimID)
            #expect(typed.version == 3 && typed.sha256.isEmpty && typed.fileName.isEmpty)
        }
    }

    @Test("a network in London has the figures of its own area before those of all; others do not")
    func london() async throws {
        try await RolesDesk.with { desk in
            try await desk.setMaxima("GP,Y56,2025-04-01,2026-04-01,120000.00,P,test,weighting")
            let barnet = try await desk.office.host.person("bea", roles: [Roles.pcnSubmitter], at: "U33392")
            func ceiling(_ network: String, _ subject: TestSubject) async throws -> String {
                let claim = try await desk.draft(
                    "2026-02", [try RolesDesk.row("E-\(network)", salary: "20000.00")], network: network,
                    as: subject)
                let assessment = claim.rows[0].assessment
                return "\(assessment.area) \(Money(pence: assessment.ceilingPence))"
            }
            #expect(try await ceiling(RolesDesk.network, desk.submitter) == "ALL 8823.50")
            // Its list is not loaded, and the maxima are known all the same.
            #expect(try await ceiling("U33392", barnet) == "Y56 10000.00")
        }
    }

    @Test("the nearest area decides, also with a figure that is not set; what was recorded last holds")
    func nearest() throws {
        let april = try day("2025-04-01")
        func row(_ area: String, _ annual: String?, from: CalendarDate? = nil) -> RoleMaximum {
            RoleMaximum(
                role: "GP", area: area, from: from ?? april, to: nil,
                annual: annual.flatMap { ExactDecimal($0) },
                grade: "P", source: "", note: "")
        }
        let maxima = RoleMaxima([
            row("ALL", "1.00"), row("Y56", "2.00"), row("93C", "3.00"), row("ALL", "4.00"),
        ])
        let day = try day("2025-06-01")
        #expect(maxima.row("GP", in: ["U1", "93C", "QMJ", "Y56"], at: day)?.annual?.description == "3.00")
        #expect(maxima.row("GP", in: ["U1", "91Q", "QKS", "Y56"], at: day)?.annual?.description == "2.00")
        #expect(maxima.row("GP", in: [], at: day)?.annual?.description == "4.00")
        #expect(maxima.row("GP", in: [], at: try PaymentsPluginTests.day("2025-03-31")) == nil)
        let unset = RoleMaxima([row("ALL", "1.00"), row("Y56", nil)])
        let found = try #require(unset.row("GP", in: ["Y56"], at: day))
        #expect(found.area == "Y56" && found.annual == nil)
    }

    @Test("maxima are reference data of two people; a file with faults is refused with each of them")
    func maxima() async throws {
        try await RolesDesk.with { desk in
            let text = """
                role,area,effective_from,effective_to,annual_maximum,grade,source,note
                gp,London,2025-04-02,2025-04-01,-1,Z,,
                PERCENT_OF_GP,ALL,2025-04-01,2025-04-01,1.001,P,,

                """
            func propose(_ text: String) async throws -> Pcs_Payments_V1_RateSet {
                try await desk.office.rates().proposeRates([
                    .with {
                        ($0.kind, $0.reason, $0.fileName) = (.additionalRoles, "maxima", "maxima.csv")
                        $0.data = Data(text.utf8)
                    }
                ])
            }
            let refused = try await refusal { _ = try await propose(text) }
            #expect(
                refused.violations.map { "\($0.row) \($0.field) \($0.rule)" } == [
                    "2 role ARM01", "2 area ARM01", "2 effective_from ARM02", "2 effective_to ARM02",
                    "2 annual_maximum ARM03", "2 grade ARM04", "3 role ARM01", "3 effective_to ARM02",
                    "3 annual_maximum ARM03",
                ])
            let set = try await propose(
                "role,area,effective_from,effective_to,annual_maximum,grade,source,note\nPHARMACIST,ALL,2025-04-01,,1.00,P,,\n"
            )
            #expect(set.rows == 1 && set.kind == .additionalRoles)
            let own = try await refusal {
                _ = try await desk.office.rates().approveRates(
                    .with { ($0.setID, $0.approve) = (set.setID, true) })
            }
            #expect(own.reason == HostReasons.secondPersonRequired)
            let rows = [try RolesDesk.row("E-1", "PHARMACIST", salary: "1.00")]
            let unknown = try await refusal { _ = try await desk.draft("2026-02", rows) }
            #expect(unknown.violations.map(\.rule) == ["ARR03"])
        }
    }
}
