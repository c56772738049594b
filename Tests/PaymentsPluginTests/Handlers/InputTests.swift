import Accounting
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Contracts, lists and rates, through the public door")
struct InputTests {
    private let one = "A81001,One,GMS,2026-04-01,,16C,Y63,,Y,,,,,,,,"

    @Test(
        "contracts are loaded as versions; the same file again is recognised, a changed one adds to history",
        arguments: [
            TestHost.Fidelity.direct, .inProcess, .tcp,
        ])
    func contractLoads(_ fidelity: TestHost.Fidelity) async throws {
        try await PaymentsOffice.with(fidelity) { office in
            let trial = try await office.loadContracts(one, dryRun: true)
            #expect(trial.dryRun && trial.added == 1)
            let first = try await office.loadContracts(one)
            #expect(first.added == 1 && !first.alreadyLoaded)
            #expect(first.pendingReferences == 1)
            let again = try await office.loadContracts(one)
            #expect(again.alreadyLoaded && again.loadID == first.loadID)
            let second = try await office.loadContracts(
                one, "A81001,One,GMS,2026-07-01,,16C,Y63,,,,,,,,,,",
                "A81002,Two,GMS,2026-04-01,,16C,Y63,,,,,,,,,,")
            #expect(second.added == 1 && second.changed == 1)
            let contract = try await office.contracts().getContract(
                .with {
                    $0.practiceCode = "A81001"
                    $0.at = Pcs_Common_V1_Date.with { ($0.year, $0.month, $0.day) = (2026, 6, 30) }
                })
            #expect(contract.contractID == "A81001-GMS")
            #expect(contract.terms.outOfHoursOptOut)
            #expect(contract.validTo.calendarDate == (try day("2026-07-01")))
            var listed: [String] = []
            let stream = try await office.contracts().listContracts(
                .with { $0.at = Pcs_Common_V1_Date.with { ($0.year, $0.month, $0.day) = (2026, 8, 1) } })
            for try await contract in stream {
                listed.append("\(contract.practiceCode) \(contract.terms.outOfHoursOptOut)")
            }
            #expect(listed == ["A81001 false", "A81002 false"])
            let versions = try await office.contracts().listContractVersions(
                .with { $0.practiceCode = "A81001" })
            #expect(versions.versions.count == 3)
            #expect(versions.versions.allSatisfy { $0.recordedBy == "olive" && $0.source.hasPrefix("load ") })
        }
    }

    @Test("a file with broken rows changes nothing and lists every place")
    func brokenFile() async throws {
        try await PaymentsOffice.with { office in
            let failure = try await refusal {
                try await office.loadContracts(
                    one, "bad,Two,GMS,2026-04-01,,16C,Y63,,,,,,,,,,", "A81003,Three,XXX,x,,16C,Y63,,,,,,,,,,")
            }
            #expect(failure.reason.name == "FILE_INVALID")
            #expect(
                failure.violations.map { "\($0.row):\($0.column) \($0.rule)" } == [
                    "3:1 CON01", "4:3 CON03", "4:4 CON04",
                ])
            let none = try await refusal {
                _ = try await office.contracts().getContract(.with { $0.practiceCode = "A81001" })
            }
            #expect(none.reason.name == "CONTRACT_UNKNOWN")
        }
    }

    @Test("what was known on an earlier day can still be read")
    func asKnownThen() async throws {
        try await PaymentsOffice.with { office in
            try await office.loadContracts(one)
            try await office.host.advance(days: 2)
            try await office.loadContracts("A81001,Renamed,GMS,2026-04-01,,16C,Y63,,Y,,,,,,,,")
            func name(knownOn: String?) async throws -> String {
                let known = try knownOn.map { try day($0) }
                return try await office.contracts().getContract(
                    .with {
                        $0.practiceCode = "A81001"
                        $0.at = Pcs_Common_V1_Date.with { ($0.year, $0.month, $0.day) = (2026, 5, 1) }
                        if let known { $0.knownOn = Pcs_Common_V1_Date(known) }
                    }
                ).terms.practiceName
            }
            #expect(try await name(knownOn: nil) == "Renamed")
            #expect(try await name(knownOn: "2026-03-17") == "One")
            #expect(
                try await refusal { _ = try await name(knownOn: "2026-03-15") }.reason.name
                    == "CONTRACT_UNKNOWN")
        }
    }

    @Test(
        "a revision waits for another person; in the past it makes difference lines; nothing is overwritten")
    func revision() async throws {
        try await PaymentsOffice.with { office in
            try await office.loadContracts(one)
            try await office.loadLists("2026-04-01", "A81001,10400,10000.00,0")
            try await office.pay("2026-04")
            let from = Pcs_Common_V1_Date(try day("2026-04-01"))
            let proposed = try await office.contracts().reviseContract(
                .with {
                    ($0.practiceCode, $0.effectiveFrom, $0.reason) = (
                        "A81001", from, "adjustment agreed late"
                    )
                    $0.terms = .with {
                        $0.contractType = .gms
                        $0.practiceName = "One"
                        $0.outOfHoursOptOut = true
                        $0.temporaryPatientsAdjustmentPence = 120_000
                    }
                })
            #expect(proposed.state == .proposed && proposed.version == 0)
            let both = try await office.host.grant([Roles.paymentsApprover], at: "PCS", to: office.operating)
            func decide(_ subject: TestSubject, _ code: String = "A81001") async throws
                -> Pcs_Payments_V1_ContractRevision
            {
                try await office.contracts(subject).decideContractRevision(
                    .with { ($0.practiceCode, $0.revisionID, $0.approve) = (code, proposed.revisionID, true) }
                )
            }
            #expect(try await refusal { _ = try await decide(both) }.reason.name == "SECOND_PERSON_REQUIRED")
            #expect(
                try await refusal { _ = try await decide(office.approver, "A81002") }.reason.name
                    == "NOT_FOUND")
            #expect(try await decide(office.approver).state == .approved)
            #expect(
                try await refusal { _ = try await decide(office.approver) }.reason.name == "ALREADY_DECIDED")
            let may = try await office.pay("2026-05")
            let statement = try await office.statement("A81001", "2026-05")
            #expect(may.retroLines == 2)
            #expect(shown(statement.lines.filter(\.isRetro)) == ["GSTPA 100.00", "GSOOH -4.70"])
            let versions = try await office.contracts().listContractVersions(
                .with { $0.practiceCode = "A81001" })
            #expect(versions.versions.map(\.reason) == ["file contracts.csv", "adjustment agreed late"])
        }
    }

    @Test("a revision that breaks the rules of contracts is refused with each rule")
    func badRevision() async throws {
        try await PaymentsOffice.with { office in
            try await office.loadContracts(one)
            let failure = try await refusal {
                let from = Pcs_Common_V1_Date(try day("2026-05-02"))
                _ = try await office.contracts().reviseContract(
                    .with {
                        ($0.practiceCode, $0.effectiveFrom, $0.reason) = (
                            "A81001", from, "wrong in many ways"
                        )
                        $0.terms = .with {
                            $0.contractType = .gms
                            $0.baselineBasis = .fixed
                        }
                    })
            }
            #expect(Set(failure.violations.map(\.rule)) == ["CON02", "CON05", "CON08"])
        }
    }

    @Test("lists supersede each other by quarter and practice; unknown practices are refused by row")
    func lists() async throws {
        try await PaymentsOffice.with { office in
            try await office.loadContracts(one)
            let first = try await office.loadLists("2026-04-01", "A81001,10400,10000.00,0")
            #expect(first.added == 1)
            #expect(try await office.loadLists("2026-04-01", "A81001,10400,10000.00,0").alreadyLoaded)
            #expect(try await office.loadLists("2026-04-01", "A81001,10400,10001.00,0").changed == 1)
            // Back to the first file: a new load, because another one came in between.
            #expect(try await !office.loadLists("2026-04-01", "A81001,10400,10000.00,0").alreadyLoaded)
            let known = try await office.capitation().getCapitation(
                .with {
                    $0.practiceCode = "A81001"
                    $0.at = Pcs_Common_V1_Date.with { ($0.year, $0.month, $0.day) = (2026, 6, 30) }
                })
            #expect(known.current.weightedPatientsHundredths == 1_000_000)
            #expect(known.superseded.map(\.weightedPatientsHundredths) == [1_000_100, 1_000_000])
            #expect(try await office.capitation().listCapitationLoads(.init()).loads.count == 3)
            let unknown = try await refusal {
                try await office.loadLists("2026-04-01", "A81001,1,1,0", "A81999,1,1,0")
            }
            #expect(unknown.violations.map { "\($0.row) \($0.rule)" } == ["3 CAP05"])
            let quarter = try await refusal { try await office.loadLists("2026-05-01", "A81001,1,1,0") }
            #expect(quarter.violations.map(\.field) == ["quarter_day"])
        }
    }

    @Test(
        "rates are shipped as version 1, proposed and approved by different people, and what is missing is refused"
    )
    func rates() async throws {
        try await PaymentsOffice.with { office in
            let shipped = try await office.rates().listRates(.with { $0.name = "global_sum_price" })
            #expect(shipped.rates.allSatisfy { $0.version == 1 })
            // 107.57 was superseded by 112.50 within the shipped set.
            #expect(!shipped.rates.map(\.rate.value).contains("107.57"))
            let sets = try await office.rates().listRateSets(.init())
            #expect(sets.sets.map(\.state) == [.approved, .approved, .approved, .approved])
            let row = Pcs_Payments_V1_RateRow.with {
                $0.name = "global_sum_price"
                $0.effectiveFrom = Pcs_Common_V1_Date.with { ($0.year, $0.month, $0.day) = (2021, 4, 1) }
                $0.effectiveTo = Pcs_Common_V1_Date.with { ($0.year, $0.month, $0.day) = (2022, 4, 1) }
                ($0.value, $0.unit, $0.grade, $0.source) = ("96.78", .pounds, "S", "contract summaries")
            }
            let set = try await office.rates().proposeRates([
                .with { ($0.reason, $0.rates) = ("2021/22", [row]) }
            ])
            #expect(set.state == .proposed)
            let own = try await refusal {
                _ = try await office.rates().approveRates(
                    .with { ($0.setID, $0.approve) = (set.setID, true) })
            }
            #expect(own.reason.name == "SECOND_PERSON_REQUIRED")
            try await office.loadContracts("A81001,One,GMS,2021-04-01,,16C,Y63,,,,,,,,,,")
            try await office.loadLists("2021-04-01", "A81001,1000,1000.00,0")
            let run = try await office.open("2021-04")
            let missing = try await refusal { _ = try await office.calculate(run.runID) }
            #expect(missing.reason.name == "RATE_MISSING")
            #expect(missing.message == "The rate global_sum_price is not set for 2021-04.")
            let approved = try await office.rates(office.secondEditor).approveRates(
                .with { ($0.setID, $0.approve) = (set.setID, true) })
            #expect(approved.state == .approved && approved.version > 1)
            #expect(try await office.calculate(run.runID).netPence == 806_500)
        }
    }

    @Test("rates as a file: all its faults are listed; returned sets have no effect")
    func rateFile() async throws {
        try await PaymentsOffice.with { office in
            func propose(_ text: String) async throws -> Pcs_Payments_V1_RateSet {
                try await office.rates().proposeRates([
                    .with {
                        ($0.kind, $0.reason, $0.fileName) = (.rates, "new year", "rates.csv")
                        $0.data = Data(
                            ("name,effective_from,effective_to,value,unit,grade,source,note\n" + text).utf8)
                    }
                ])
            }
            let failure = try await refusal {
                _ = try await propose(
                    "nothing,2027-04-01,,1,POUNDS,P,S,\nglobal_sum_price,2027-04-02,,x,POUNDS,P,S,\n")
            }
            #expect(failure.violations.map { "\($0.row) \($0.rule)" } == ["2 REF01", "3 REF02", "3 REF03"])
            let set = try await propose("global_sum_price,2027-04-01,2028-04-01,140.00,POUNDS,P,S99,\n")
            let returned = try await office.rates(office.secondEditor).approveRates(
                .with { ($0.setID, $0.reason) = (set.setID, "not published yet") })
            #expect(returned.state == .returned)
            let listed = try await office.rates().listRates(
                .with {
                    $0.name = "global_sum_price"
                    $0.at = Pcs_Common_V1_Date.with { ($0.year, $0.month, $0.day) = (2027, 5, 1) }
                })
            #expect(listed.rates.isEmpty)
        }
    }

    @Test("a practice that the register closes becomes an exception of the run that would pay it")
    func closingPractice() async throws {
        try await PaymentsOffice.with { office in
            try await office.loadContracts("A81001,One,PMS,2026-03-01,,16C,Y63,,,,,,,FIXED,1200.00,,")
            let from = try day("2026-03-20")
            try await office.host.store(of: "host").write(actor: "test") { transaction in
                let event = Pcs_Host_V1_OrganisationChanged.with {
                    ($0.code, $0.kind) = ("A81001", .closed)
                    $0.effectiveOn = Pcs_Common_V1_Date(from)
                }
                try transaction.publish(event, key: "A81001")
            }
            try await office.host.eventsDelivered()
            let run = try await office.calculate(try await office.open("2026-03").runID)
            let exceptions = try await office.exceptions(run.runID, openOnly: true)
            #expect(exceptions.map(\.kind) == [.payeeClosed])
            #expect(
                exceptions.first?.message == "A81001 closed on 2026-03-20 and would be paid to 2026-03-31")
        }
    }

    @Test("fields that are no codes, days or months are refused by name")
    func badFields() async throws {
        try await PaymentsOffice.with { office in
            let code = try await refusal {
                _ = try await office.contracts().getContract(.with { $0.practiceCode = "x" })
            }
            #expect(code.violations.map(\.field) == ["practice_code"])
            let month = try await refusal {
                _ = try await office.runs().openRun(
                    .with { $0.month = Pcs_Common_V1_Month(year: 2026, month: 13) })
            }
            #expect(month.violations.map(\.field) == ["month"])
            let wide = try await refusal {
                _ = try await office.runs().openRun(
                    .with { $0.month = Pcs_Common_V1_Month(year: .max, month: 1) })
            }
            #expect(wide.violations.map(\.field) == ["month"])
            let date = try await refusal {
                _ = try await office.runs().openRun(
                    .with {
                        $0.month = Pcs_Common_V1_Month(year: 2026, month: 4)
                        $0.paymentDate = Pcs_Common_V1_Date.with {
                            ($0.year, $0.month, $0.day) = (2026, 2, 30)
                        }
                    })
            }
            #expect(date.violations.map(\.field) == ["payment_date"])
        }
    }
}
