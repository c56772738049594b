import Accounting
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

/// A year of a small area through the public door: twelve runs with all that happens to contracts, lists, prices,
/// claims, variations, networks, quality payments, pharmacies, opticians, levies, contributions of pensions, withheld
/// money, dispensing, baselines, training, the reimbursement scheme and the bank.
enum SandboxYear {
    static func kinds() -> [any SandboxKind] {
        let bank = SandboxBank()
        return [
            bank, SandboxContracts(), SandboxLists(), SandboxPrices(), SandboxNetworks(), SandboxVariations(),
            SandboxClaims(), SandboxQuality(), SandboxPharmacies(), SandboxOptician(), SandboxLevies(bank),
            SandboxContributions(), SandboxWithholding(), SandboxDispensing(), SandboxAspiration(),
            SandboxBaselines(), SandboxTraining(), SandboxScheme(), SandboxAdditionalRoles(), SandboxRents(),
        ]
    }
}

@Suite("A year of a small area, replayed line by line")
struct SandboxYearTests {
    @Test(
        "twelve runs: every line replays, statements foot, years to date add up, journals balance, hledger agrees"
    )
    func year() async throws {
        try await SandboxArea.with(pharmacies: true) { area in
            let kinds = SandboxYear.kinds()
            let bank = try #require(kinds.compactMap { $0 as? SandboxBank }.first)
            for kind in kinds { try await kind.prepare(area) }
            var audit = SandboxAudit()
            var net: Int64 = 0
            let clock = ContinuousClock()
            let started = clock.now
            let year = try #require(FinancialYear("2026/27"))
            for month in year.months {
                area.office.host.clock.set(month.firstDay.adding(days: 1))
                for kind in kinds { try await kind.before(month, area) }
                let run = try await pay(month, area)
                for kind in kinds { try await kind.after(run, month, area) }
                try await audit.check(run, month, area)
                net += run.netPence
                let journal = try await SandboxJournal(of: month, area)
                #expect(journal.entries > 0)
                #expect(journal.balances.values.reduce(0, +) == 0, "\(month)")
            }
            let expected = kinds.reduce(into: Set<String>()) { $0.formUnion($1.paycodes) }
            #expect(
                expected.isSubset(of: audit.paycodes),
                "missing: \(expected.subtracting(audit.paycodes).sorted())")
            #expect(audit.retroLines > 400)
            print(
                "Sandbox year: \(audit.statements) statements, \(audit.lines) lines, \(audit.retroLines) of them "
                    + "differences, net \(Money(pence: net)), in \(clock.now - started)")
            let journal = try await SandboxJournal(of: nil, area)
            let owed = try await bank.outstanding(area).reduce(0) { $0 + $1.pence }
            #expect(owed > 0)
            try journal.settle(audit, net: net, owed: owed)
            try HLedger.check(journal)
            try await nothingLeftToCorrect(area)
        }
    }

    /// A month from opening to approval, calculated twice: the same bytes.
    private func pay(_ month: YearMonth, _ area: SandboxArea) async throws -> Pcs_Payments_V1_Run {
        let opened = try await area.office.open(month.description)
        let first = try await area.office.calculate(opened.runID)
        let again = try await area.office.calculate(opened.runID)
        #expect(
            first.statementsSha256 == again.statementsSha256 && first.netPence == again.netPence, "\(month)")
        #expect(try await area.office.exceptions(again.runID).allSatisfy { $0.kind != .amountOutOfBounds }, "\(month)")
        return try await area.office.approve(again)
    }

    /// Once everything is known and paid, the next run finds no difference.
    private func nothingLeftToCorrect(_ area: SandboxArea) async throws {
        let office = area.office
        office.host.clock.set(try day("2027-04-02"))
        for (name, value, unit) in [
            ("global_sum_price", "140.00", Pcs_Payments_V1_RateUnit.pounds),
            ("out_of_hours_percent", "4.7", .percent),
            ("minor_surgery_percent", "0.6", .percent), ("london_adjustment", "2.18", .pounds),
        ] {
            try await office.setRate(name, value, from: "2027-04-01", to: "2028-04-01", unit: unit)
        }
        let run = try await office.calculate(try await office.open("2027-04").runID)
        #expect(run.retroLines == 0)
    }
}
