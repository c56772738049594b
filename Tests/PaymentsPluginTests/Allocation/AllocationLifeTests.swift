import Accounting
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@testable import PaymentsPlugin

@Suite("Weighted lists by the formula, through the public door (payments.md 3.3, 11, C6)")
struct AllocationLifeTests {
    private struct Desk {
        let office: PaymentsOffice

        func service(_ subject: TestSubject? = nil) async throws -> Pcs_Payments_V1_AllocationServiceClient {
            Pcs_Payments_V1_AllocationServiceClient(try await office.transport(subject ?? office.operating))
        }

        func propose(_ csv: String = ExampleCoefficients.csv) async throws -> Pcs_Payments_V1_FormulaSet {
            let from = Pcs_Common_V1_Date(try day("2004-04-01"))
            return try await service(office.editor).proposeFormula([
                .with {
                    ($0.formula, $0.effectiveFrom, $0.reason) = ("carr-hill-2004", from, "for a test")
                    ($0.fileName, $0.data) = ("coefficients.csv", Data(csv.utf8))
                }
            ])
        }

        func approveExample() async throws {
            let set = try await propose()
            _ = try await service(office.secondEditor).decideFormula(
                .with { ($0.setID, $0.approve) = (set.setID, true) })
        }

        @discardableResult
        func load(
            _ quarter: String, _ rows: [String], dryRun: Bool = false
        ) async throws -> Pcs_Payments_V1_AllocationInputs {
            let text =
                AllocationInputFile.columns.joined(separator: ",") + "\n" + rows.joined(separator: "\n")
                + "\n"
            let quarterDay = Pcs_Common_V1_Date(try day(quarter))
            let snapshot = Pcs_Common_V1_Date(try day(quarter).adding(days: -2))
            return try await service().loadAllocationInputs([
                .with {
                    ($0.fileName, $0.quarterDay, $0.snapshotOn) = ("inputs.csv", quarterDay, snapshot)
                    ($0.dryRun, $0.data) = (dryRun, Data(text.utf8))
                }
            ])
        }

        func calculate(_ quarter: String) async throws -> Pcs_Payments_V1_AllocationCalculation {
            let quarterDay = Pcs_Common_V1_Date(try day(quarter))
            return try await service().calculateAllocation(.with { $0.quarterDay = quarterDay })
        }

        func approve(
            _ calculation: Pcs_Payments_V1_AllocationCalculation, accepting: Bool = false,
            as subject: TestSubject? = nil
        ) async throws -> Pcs_Payments_V1_AllocationCalculation {
            try await service(subject ?? office.approver).decideAllocation(
                .with {
                    ($0.calculationID, $0.approve) = (calculation.calculationID, true)
                    ($0.acceptWarnings, $0.reason) = (accepting, accepting ? "checked with the supplier" : "")
                })
        }

        func panel(_ code: String, _ at: String) async throws -> Pcs_Payments_V1_CapitationPanel {
            let at = Pcs_Common_V1_Date(try day(at))
            return try await service().getCapitationPanel(.with { ($0.practiceCode, $0.at) = (code, at) })
        }
    }

    private func withDesk(_ body: (Desk) async throws -> Void) async throws {
        try await PaymentsOffice.with { office in
            try await office.loadContracts(
                "A81001,One,GMS,2026-01-01,,16C,Y63,,Y,,,,,,,,",
                "A81002,Two,GMS,2026-01-01,,16C,Y63,,Y,,,,,,,,",
                "A81003,Three,GMS,2026-01-01,,16C,Y63,,Y,,,,,,,,")
            try await body(Desk(office: office))
        }
    }

    private let one = "A81001,260,600,2050,1300,480,270,80,240,570,2000,1290,500,330,130,74,"
    private let two = "A81002,300,700,2600,1500,380,170,40,290,680,2500,1400,400,230,80,20,"
    private let three = "A81003,150,400,1200,1000,600,400,150,140,390,1150,1050,640,480,240,140,"
    private let place = ",0,104.5,98.2,0.987,1.9,2250.5"

    private func rows(new: [Int]) -> [String] {
        zip([one, two, three], new).map { $0 + String($1) + place }
    }

    @Test("inputs become lists when another person approves the calculation, and the run pays on them")
    func wholeLife() async throws {
        try await withDesk { desk in
            try await desk.approveExample()
            let trial = try await desk.load("2026-04-01", rows(new: [905, 1200, 610]), dryRun: true)
            #expect(trial.dryRun && trial.practices == 3 && trial.registeredPatients == 29_360)
            let load = try await desk.load("2026-04-01", rows(new: [905, 1200, 610]))
            #expect(try await desk.load("2026-04-01", rows(new: [905, 1200, 610])).alreadyLoaded)
            let calculation = try await desk.calculate("2026-04-01")
            #expect(calculation.state == .proposed && calculation.inputLoadID == load.loadID)
            #expect(abs(calculation.weightedPatientsHundredths - calculation.registeredPatients * 100) <= 2)
            #expect(calculation.nationalMeans.map(\.component) == FormulaComponent.allCases.map(\.rawValue))
            #expect(calculation.warningCount == 0)
            let both = try await desk.office.host.grant(
                [Roles.paymentsApprover], at: "PCS", to: desk.office.operating)
            let same = try await refusal { _ = try await desk.approve(calculation, as: both) }
            #expect(same.reason == HostReasons.secondPersonRequired)
            let approved = try await desk.approve(calculation)
            #expect(approved.state == .approved && approved.version > 0)
            let again = try await refusal { _ = try await desk.approve(calculation) }
            #expect(again.reason == PaymentsReasons.alreadyDecided)

            let loads = try await desk.office.capitation().listCapitationLoads(.init()).loads
            #expect(loads.count == 1 && loads[0].fileName.hasPrefix("formula carr-hill-2004"))
            let panel = try await desk.panel("A81001", "2026-05-15")
            #expect(panel.formula == "carr-hill-2004" && panel.calculationID == calculation.calculationID)
            #expect(panel.cells.map(\.patients).reduce(0, +) == 10_100 && panel.registeredPatients == 10_100)
            #expect(panel.cells[6].cell == "M_85_PLUS" && panel.cells[6].weight == "6.27")
            #expect(panel.price == "130.07" && panel.version == approved.version)
            #expect(panel.snapshotOn.calendarDate == (try day("2026-03-30")))
            #expect(panel.indices.map(\.component) == FormulaComponent.allCases.map(\.rawValue))
            #expect(panel.indices[0].perHead == "2.584039603960")
            #expect(panel.newRegistrations == 905 && panel.careHomeResidents == 74)

            try await desk.office.pay("2026-04")
            let lines = try await desk.office.statement("A81001", "2026-04").lines
            let expected = try Rounding.monthlyTwelfth(
                ofAnnual: try Rational(Int128(panel.weightedPatientsHundredths), over: 100).multiplied(
                    by: try Rational(13_007, over: 100)))
            #expect(lines.first { $0.paycode == "GSUM" }?.amountPence == expected.pence)
        }
    }

    @Test("the statement as PDF shows patients by age and sex with their weights, each index, and the totals as ever")
    func statementPanel() async throws {
        try await withDesk { desk in
            try await desk.approveExample()
            try await desk.load("2026-04-01", rows(new: [905, 1200, 610]))
            _ = try await desk.approve(try await desk.calculate("2026-04-01"))
            try await desk.office.pay("2026-04")
            func texts(_ runID: String) async throws -> [String] {
                PDFText.texts(try await StatementFileTests.download(desk.office, "A81001", runID, .pdf).bytes)
            }
            let panel = try await desk.panel("A81001", "2026-04-15")
            let april = try await texts("2026-04-1")
            var expected = ["Lists on 1 Apr 2026", "Age", "0-4", "85+", "Men"]
            expected += panel.cells.prefix(7).map { grouped($0.patients) }
            expected.append("Women")
            expected += panel.cells.suffix(7).map { grouped($0.patients) }
            expected += ["Age and sex", "Rurality", "Normaliser"]
            var rest = april[...]
            for text in expected {
                let place = try #require(rest.firstIndex(of: text), "\(text)")
                rest = rest[(place + 1)...]
            }
            for cell in panel.cells { #expect(april.contains(cell.weight), "\(cell.cell)") }
            for index in panel.indices {
                // Rounded to six decimals, of which the last may differ from the twelve cut off.
                let shown = april.contains { $0.utf8.count == 8 && $0.hasPrefix(index.index.prefix(7)) }
                #expect(shown, "\(index.component) \(index.index)")
            }
            #expect(april.contains("905") && april.contains("74") && april.contains("£130.07"))
            let sha256 = try await desk.office.statement("A81001", "2026-04").sha256
            #expect(april.contains("SHA-256 " + sha256))

            // Lists that came from a file are shown as totals; the statement paid on the formula keeps its panel.
            try await desk.office.loadLists("2026-04-01", "A81001,10100,11000.00,0")
            try await desk.office.pay("2026-05")
            let may = try await texts("2026-05-1")
            #expect(may.contains("Lists on 1 Apr 2026") && may.contains("11,000.00"))
            #expect(!may.contains("Men") && !may.contains("Normaliser"))
            #expect(try await texts("2026-04-1") == april)
        }
    }

    private func grouped(_ patients: Int64) -> String {
        patients < 1_000 ? String(patients) : "\(patients / 1_000)," + String(patients % 1_000 + 1_000).dropFirst()
    }

    @Test(
        "C6: missing new-registration flags move the turnover index and are an anomaly before anything is approved"
    )
    func missingFlags() async throws {
        try await withDesk { desk in
            try await desk.approveExample()
            try await desk.load("2026-04-01", rows(new: [905, 1200, 610]))
            _ = try await desk.approve(try await desk.calculate("2026-04-01"))
            // The supplier of one area no longer sends the flag.
            try await desk.load("2026-07-01", rows(new: [910, 0, 612]))
            let calculation = try await desk.calculate("2026-07-01")
            #expect(calculation.warnings.contains { $0.practiceCode == "A81002" && $0.rule == "C6" })
            let warning = try #require(calculation.warnings.first { $0.practiceCode == "A81002" })
            #expect(warning.component == "TURNOVER" && warning.before > warning.index)
            let unseen = try await refusal { _ = try await desk.approve(calculation) }
            #expect(unseen.violations.map(\.field) == ["accept_warnings"])
            // Put right: a calculation of the inputs before can no longer be approved.
            try await desk.load("2026-07-01", rows(new: [910, 1195, 612]))
            let stale = try await refusal { _ = try await desk.approve(calculation, accepting: true) }
            #expect(stale.reason == PaymentsReasons.calculationChanged)
            let mended = try await desk.calculate("2026-07-01")
            #expect(mended.warningCount == 0)
            #expect(try await desk.approve(mended).state == .approved)
            let panel = try await desk.panel("A81002", "2026-07-01")
            #expect(
                !panel.turnoverBefore.isEmpty && !panel.turnoverMovement.isEmpty && panel.warnings.isEmpty)
            // Accepted with a reason, warnings are no bar.
            try await desk.load("2026-10-01", rows(new: [910, 0, 612]))
            let accepted = try await desk.approve(try await desk.calculate("2026-10-01"), accepting: true)
            #expect(accepted.state == .approved && accepted.warningCount > 0)
            #expect(try await desk.panel("A81002", "2026-11-01").warnings.map(\.rule).contains("C6"))
            // Every run that pays on these lists says so.
            let run = try await desk.office.calculate(try await desk.office.open("2026-10").runID)
            let moved = try await desk.office.exceptions(run.runID).filter { $0.kind == .expectedMissing }
            #expect(moved.contains { $0.practiceCode == "A81002" && $0.severity == .warning })
        }
    }

    @Test("the shipped set leaves coefficients as parameters: the calculation is refused and names each")
    func shipped() async throws {
        try await withDesk { desk in
            try await desk.load("2026-04-01", rows(new: [905, 1200, 610]))
            let failure = try await refusal { _ = try await desk.calculate("2026-04-01") }
            #expect(failure.reason == PaymentsReasons.formulaCoefficientMissing)
            #expect(failure.violations.count == 21 && failure.message.contains("AGE_SEX M_0_4"))
            #expect(!failure.message.contains("TURNOVER FACTOR"))
            let none = try await refusal { _ = try await desk.calculate("2026-07-01") }
            #expect(none.reason == PaymentsReasons.allocationUnknown)
            let sets = try await desk.service().listFormulas(.init()).sets
            #expect(sets.map(\.state) == [.approved] && sets[0].missing == 21)
        }
    }

    @Test("faults of coefficients and inputs are all named; published lists have a panel without indices")
    func faults() async throws {
        try await withDesk { desk in
            let bad = try await refusal {
                _ = try await desk.propose(
                    "component,cell,value,grade,source\nHOMES,FACTOR,x,R,\nHOMES,OTHER,1,Q,\n")
            }
            #expect(
                bad.violations.filter { $0.row > 1 }.map { "\($0.row) \($0.rule)" } == [
                    "2 FOR02", "3 FOR01", "3 FOR03",
                ])
            #expect(bad.violations.filter { $0.rule == "FOR04" }.count == 21)
            let set = try await desk.propose()
            let same = try await refusal {
                _ = try await desk.service(desk.office.editor).decideFormula(
                    .with { ($0.setID, $0.approve) = (set.setID, true) })
            }
            #expect(same.reason == HostReasons.secondPersonRequired)
            let inputs = try await refusal {
                try await desk.load(
                    "2026-04-01",
                    [
                        one + "20000" + place, three + "1" + place,
                        two + "1,0,104.5,98.2,0.987,0,2250.5",
                    ])
            }
            #expect(inputs.violations.map { "\($0.row) \($0.rule)" } == ["2 ALL03", "4 ALL06"])
            let unknown = try await refusal {
                try await desk.load("2026-04-01", [one.replacing("A81001", with: "A81999") + "1" + place])
            }
            #expect(unknown.violations.map { "\($0.row) \($0.rule)" } == ["2 ALL07"])
            try await desk.office.loadLists("2026-04-01", "A81001,10400,10000.00,0")
            let panel = try await desk.panel("A81001", "2026-04-01")
            #expect(panel.source == "lists.csv" && panel.formula.isEmpty && panel.cells.isEmpty)
            #expect(panel.weightedPatientsHundredths == 1_000_000 && panel.price == "130.07")
        }
    }
}
