import Accounting
import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PaymentsPlugin
import PluginAPI
import PluginTestKit
import Testing

/// The people of a payments office on a test host, and short ways to do what they do.
struct PaymentsOffice {
    let host: TestHost
    let fidelity: TestHost.Fidelity
    let operating: TestSubject
    let approver: TestSubject
    let secondApprover: TestSubject
    let submitter: TestSubject
    let editor: TestSubject
    let secondEditor: TestSubject

    static func with(
        _ fidelity: TestHost.Fidelity = .inProcess, clock: ManualClock = .atStart,
        plugins: [any Plugin.Type] = [PaymentsPlugin.self], others: [any Plugin.Type] = [],
        _ body: (PaymentsOffice) async throws -> Void
    ) async throws {
        try await TestHost.with(plugins + others, clock: clock) { host in
            let office = PaymentsOffice(
                host: host, fidelity: fidelity,
                operating: try await host.person("olive", roles: [Roles.paymentsOperator]),
                approver: try await host.person("adam", roles: [Roles.paymentsApprover]),
                secondApprover: try await host.person("bella", roles: [Roles.paymentsApprover]),
                submitter: try await host.person("sam", roles: [Roles.bacsSubmitter]),
                editor: try await host.person("edith", roles: [Roles.referenceDataEditor]),
                secondEditor: try await host.person("fred", roles: [Roles.referenceDataEditor]))
            try await body(office)
        }
    }

    func transport(_ subject: TestSubject) async throws -> any CallTransport {
        try await host.transport(fidelity, as: subject)
    }

    func contracts(_ subject: TestSubject? = nil) async throws -> Pcs_Payments_V1_ContractServiceClient {
        Pcs_Payments_V1_ContractServiceClient(try await transport(subject ?? operating))
    }
    func capitation(_ subject: TestSubject? = nil) async throws -> Pcs_Payments_V1_CapitationServiceClient {
        Pcs_Payments_V1_CapitationServiceClient(try await transport(subject ?? operating))
    }
    func rates(_ subject: TestSubject? = nil) async throws -> Pcs_Payments_V1_ReferenceDataServiceClient {
        Pcs_Payments_V1_ReferenceDataServiceClient(try await transport(subject ?? editor))
    }
    func runs(_ subject: TestSubject? = nil) async throws -> Pcs_Payments_V1_RunServiceClient {
        Pcs_Payments_V1_RunServiceClient(try await transport(subject ?? operating))
    }
    func statements(_ subject: TestSubject? = nil) async throws -> Pcs_Payments_V1_StatementServiceClient {
        Pcs_Payments_V1_StatementServiceClient(try await transport(subject ?? operating))
    }
    func published(_ subject: TestSubject? = nil) async throws -> Pcs_Payments_V1_PublishedYearServiceClient {
        Pcs_Payments_V1_PublishedYearServiceClient(try await transport(subject ?? operating))
    }

    // MARK: Loading

    static let contractHeader =
        "practice_code,practice_name,contract_type,valid_from,valid_to,commissioner_code,region_code,payee_code,"
        + "out_of_hours_opt_out,minor_surgery_opt_out,temporary_patients_adjustment,correction_factor,london_basis,"
        + "baseline_basis,baseline_annual,baseline_price,payments_stopped\n"

    @discardableResult
    func loadContracts(_ rows: String..., dryRun: Bool = false) async throws -> Pcs_Payments_V1_ContractLoad {
        let text = Self.contractHeader + rows.joined(separator: "\n") + "\n"
        // In several messages, as a client sends a larger file.
        let bytes = Data(text.utf8)
        let messages = stride(from: 0, to: bytes.count, by: 100).map { start in
            Pcs_Payments_V1_LoadContractsRequest.with {
                if start == 0 { ($0.fileName, $0.dryRun) = ("contracts.csv", dryRun) }
                $0.data = bytes[start..<min(start + 100, bytes.count)]
            }
        }
        return try await contracts().loadContracts(messages)
    }

    @discardableResult
    func loadLists(_ quarter: String, _ rows: String..., dryRun: Bool = false) async throws
        -> Pcs_Payments_V1_CapitationLoad
    {
        let text =
            "practice_code,registered_patients,weighted_patients,london_patients\n"
            + rows.joined(separator: "\n") + "\n"
        let day = try day(quarter)
        return try await capitation().loadCapitation([
            .with {
                $0.fileName = "lists.csv"
                $0.quarterDay = Pcs_Common_V1_Date(day)
                $0.dryRun = dryRun
                $0.data = Data(text.utf8)
            }
        ])
    }

    /// A rate proposed by one editor and approved by the other.
    @discardableResult
    func setRate(
        _ name: String, _ value: String, from: String, to: String, unit: Pcs_Payments_V1_RateUnit = .pounds
    ) async throws -> Pcs_Payments_V1_RateSet {
        let (from, to) = (try day(from), try day(to))
        let set = try await rates().proposeRates([
            .with {
                $0.reason = "for a test"
                $0.rates = [
                    .with {
                        $0.name = name
                        $0.effectiveFrom = Pcs_Common_V1_Date(from)
                        $0.effectiveTo = Pcs_Common_V1_Date(to)
                        $0.value = value
                        $0.unit = unit
                        $0.grade = "P"
                        $0.source = "test"
                    }
                ]
            }
        ])
        return try await rates(secondEditor).approveRates(
            .with { ($0.setID, $0.approve) = (set.setID, true) })
    }

    /// Populations of networks loaded by one person and put in force by another.
    @discardableResult
    func loadNetworks(_ year: String, _ rows: String...) async throws -> Pcs_Payments_V1_NetworkPopulationsLoad {
        let load = try await proposeNetworks(year, rows)
        return try await networks(approver).decideNetworkPopulations(
            .with {
                ($0.loadID, $0.approve) = (load.loadID, true)
                $0.controlTotalRegistered = load.registeredPatients
                $0.controlTotalAdjustedHundredths = load.adjustedPatientsHundredths
            })
    }

    func proposeNetworks(_ year: String, _ rows: [String]) async throws
        -> Pcs_Payments_V1_NetworkPopulationsLoad
    {
        let text =
            "pcn_code,registered_patients,adjusted_patients,weighted_patients\n" + rows.joined(separator: "\n") + "\n"
        return try await networks().loadNetworkPopulations([
            .with { ($0.fileName, $0.financialYear, $0.data) = ("pcn.csv", year, Data(text.utf8)) }
        ])
    }

    func networks(_ subject: TestSubject? = nil) async throws -> Pcs_Payments_V1_NetworkServiceClient {
        Pcs_Payments_V1_NetworkServiceClient(try await transport(subject ?? operating))
    }

    // MARK: Runs

    func open(_ text: String) async throws -> Pcs_Payments_V1_Run {
        let month = try month(text)
        return try await runs().openRun(
            .with { $0.month = Pcs_Common_V1_Month(year: month.year, month: month.month) })
    }

    func calculate(_ runID: String) async throws -> Pcs_Payments_V1_Run {
        try await runs().calculateRun(
            .with { ($0.runID, $0.beforeCutOff, $0.reason) = (runID, true, "for a test") })
    }

    func exceptions(_ runID: String, openOnly: Bool = false) async throws -> [Pcs_Payments_V1_RunException] {
        var found: [Pcs_Payments_V1_RunException] = []
        let stream = try await runs().listExceptions(.with { ($0.runID, $0.openOnly) = (runID, openOnly) })
        for try await exception in stream { found.append(exception) }
        return found
    }

    func acceptAll(_ runID: String) async throws {
        let numbers = try await exceptions(runID, openOnly: true).map(\.number)
        guard !numbers.isEmpty else { return }
        _ = try await runs().acceptException(
            .with { ($0.runID, $0.numbers, $0.reason) = (runID, numbers, "checked by hand") })
    }

    /// Review and both approvals of a calculated run.
    @discardableResult
    func approve(_ run: Pcs_Payments_V1_Run) async throws -> Pcs_Payments_V1_Run {
        try await acceptAll(run.runID)
        _ = try await runs().reviewRun(.with { ($0.runID, $0.calculation) = (run.runID, run.calculation) })
        _ = try await runs(approver).approveRun(
            .with { ($0.runID, $0.calculation) = (run.runID, run.calculation) })
        return try await runs(secondApprover).approveRun(
            .with {
                ($0.runID, $0.calculation) = (run.runID, run.calculation)
                $0.controlTotalPence = run.netPence
            })
    }

    /// A month from opening to approval.
    @discardableResult
    func pay(_ month: String) async throws -> Pcs_Payments_V1_Run {
        try await approve(try await calculate(try await open(month).runID))
    }

    func statement(_ code: String, _ text: String, as subject: TestSubject? = nil) async throws
        -> Pcs_Payments_V1_Statement
    {
        let month = try month(text)
        return try await statements(subject).getStatement(
            .with {
                $0.practiceCode = code
                $0.month = Pcs_Common_V1_Month(year: month.year, month: month.month)
            })
    }
}

/// `["GSUM 108391.67", ...]`
func shown(_ lines: [Pcs_Payments_V1_StatementLine]) -> [String] {
    lines.map { "\($0.paycode) \(Money(pence: $0.amountPence))" }
}

/// The refusal that `body` ends with.
func refusal(_ body: () async throws -> Void) async throws -> Failure {
    do {
        try await body()
    } catch let failure as Failure {
        return failure
    }
    Issue.record("nothing was refused")
    throw NothingRefused()
}

struct NothingRefused: Error {}
