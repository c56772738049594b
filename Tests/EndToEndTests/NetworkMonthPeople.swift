import CommonContract
import CqrsContract
import EndToEndSupport
import Foundation
import FrameClient
import HostContract
import PaymentsContract
import PluginAPI

private struct Missing: Error { let what: String }

/// Everybody who has a hand in a network's month: each a person of their own with one duty, signed in with a key of
/// their own, calling over TCP.
struct NetworkMonthPeople: Sendable {
    static let pcn = "U00254"
    static let lead = "72Q"
    static let members = ["G83001", "G83013", "G83021", "G83044"]
    /// The member that receives the network's money, by its own account.
    static let payee = "G83013"

    let qualityOperator = SignedPerson("quinn.quality")
    let secondQualityOperator = SignedPerson("quentin.quality")
    let offering = SignedPerson("oona.offers")
    let approver = SignedPerson("anna.approves")
    let finance = SignedPerson("finn.finance")
    let declaring: [String: SignedPerson]
    let payer = SignedPerson("olive.pays")
    let firstSignatory = SignedPerson("adam.signs")
    let secondSignatory = SignedPerson("bella.signs")
    let reader = SignedPerson("rita.reads")
    let networkReader = SignedPerson("nora.reads")
    let editor = SignedPerson("eddie.proposes")
    let decider = SignedPerson("dora.decides")
    let stranger = SignedPerson("sid.elsewhere")

    init() {
        declaring = Dictionary(
            uniqueKeysWithValues: Self.members.map { ($0, SignedPerson("declares.\($0.lowercased())")) })
    }

    func register(_ host: LiveHost) async throws {
        try await host.locally { local in
            let people: [(SignedPerson, String, String)] =
                [
                    (qualityOperator, "CQRS_OPERATOR", "PCS"),
                    (secondQualityOperator, "CQRS_OPERATOR", "PCS"),
                    (offering, "CQRS_SERVICE_MANAGEMENT", Self.lead),
                    (approver, "CQRS_APPROVAL_MANAGEMENT", Self.lead),
                    (finance, "CQRS_FINANCE_MANAGEMENT", Self.lead),
                    (payer, "PAYMENTS_OPERATOR", "PCS"), (firstSignatory, "PAYMENTS_APPROVER", "PCS"),
                    (secondSignatory, "PAYMENTS_APPROVER", "PCS"),
                    (reader, "PRACTICE_STATEMENTS", Self.payee), (networkReader, "PCN_VIEWER", Self.pcn),
                    (editor, "COMMISSIONER_EDITOR", Self.lead), (decider, "COMMISSIONER_APPROVER", Self.lead),
                    (stranger, "PRACTICE_STATEMENTS", "A81001"),
                ] + declaring.map { ($0.value, "CQRS_DECLARATION_MANAGEMENT", $0.key) }
            for (person, role, organisation) in people {
                try await person.register(roles: [Role(role)], at: organisation, through: local)
            }
        }
    }

    // MARK: What each does

    func participation<Reply: Sendable>(
        _ host: LiveHost, _ body: @Sendable (Pcs_Cqrs_V1_ParticipationServiceClient) async throws -> Reply
    ) async throws -> Reply {
        try await offering.calls(host) { try await body(.init($0, options: $1)) }
    }

    func declarations<Reply: Sendable>(
        _ host: LiveHost, as person: SignedPerson,
        _ body: @Sendable (Pcs_Cqrs_V1_DeclarationServiceClient) async throws -> Reply
    ) async throws -> Reply {
        try await person.calls(host) { try await body(.init($0, options: $1)) }
    }

    /// The service is defined by one operator and published by another.
    func publish(_ service: String, _ files: [(Pcs_Cqrs_V1_ServiceFile, String)], _ host: LiveHost)
        async throws
    {
        let draft = try await qualityOperator.calls(host) { client, options in
            try await Pcs_Cqrs_V1_QualityServiceServiceClient(client, options: options).loadServices(
                files.map { file, text in
                    .with { ($0.file, $0.fileName, $0.data) = (file, "\(service).csv", Data(text.utf8)) }
                }
            ).services.first
        }
        guard let draft else { throw Missing(what: "no draft of \(service)") }
        try await secondQualityOperator.calls(host) { client, options in
            _ = try await Pcs_Cqrs_V1_QualityServiceServiceClient(client, options: options).publishService(
                .with {
                    ($0.code, $0.version) = (draft.code, draft.version)
                    $0.definitionSha256 = draft.definitionSha256
                })
        }
    }

    /// The network's payee, proposed on its declaration by one person of the commissioner and approved by another.
    func nominate(_ host: LiveHost) async throws {
        let proposal = try await editor.calls(host) { client, options in
            try await Pcs_Payments_V1_NetworkServiceClient(client, options: options).setNominatedPayee(
                .with {
                    ($0.pcnCode, $0.payeeCode, $0.reason) = (Self.pcn, Self.payee, "agreed by the members")
                    $0.effectiveFrom = .with { ($0.year, $0.month, $0.day) = (2025, 4, 1) }
                    ($0.declarationDocumentID, $0.signaturesVerifiedBy) = ("DOC-1", "Dora of the commissioner")
                })
        }
        try await decider.calls(host) { client, options in
            _ = try await Pcs_Payments_V1_NetworkServiceClient(client, options: options).decideNominatedPayee(
                .with { ($0.pcnCode, $0.proposalID, $0.approve) = (Self.pcn, proposal.proposalID, true) })
        }
        try await host.eventsDelivered()
    }

    /// From opening to the second signature, by three people.
    func pay(_ month: Pcs_Common_V1_Month, _ host: LiveHost) async throws -> Pcs_Payments_V1_Run {
        let run = try await payer.calls(host) { client, options in
            let runs = Pcs_Payments_V1_RunServiceClient(client, options: options)
            let opened = try await runs.openRun(.with { $0.month = month })
            let run = try await runs.calculateRun(
                .with { ($0.runID, $0.beforeCutOff, $0.reason) = (opened.runID, true, "End-to-end test") })
            var numbers: [Int32] = []
            for try await exception in try await runs.listExceptions(
                .with { ($0.runID, $0.openOnly) = (run.runID, true) })
            { numbers.append(exception.number) }
            if !numbers.isEmpty {
                _ = try await runs.acceptException(
                    .with { ($0.runID, $0.numbers, $0.reason) = (run.runID, numbers, "looked at") })
            }
            _ = try await runs.reviewRun(.with { ($0.runID, $0.calculation) = (run.runID, run.calculation) })
            return run
        }
        try await firstSignatory.calls(host) { client, options in
            _ = try await Pcs_Payments_V1_RunServiceClient(client, options: options).approveRun(
                .with { ($0.runID, $0.calculation) = (run.runID, run.calculation) })
        }
        return try await secondSignatory.calls(host) { client, options in
            try await Pcs_Payments_V1_RunServiceClient(client, options: options).approveRun(
                .with {
                    ($0.runID, $0.calculation) = (run.runID, run.calculation)
                    $0.controlTotalPence = run.netPence
                })
        }
    }

    func statement(
        _ month: Pcs_Common_V1_Month, of code: String = Self.pcn, _ host: LiveHost, as person: SignedPerson
    ) async throws -> Pcs_Payments_V1_Statement {
        try await person.calls(host) { client, options in
            try await Pcs_Payments_V1_StatementServiceClient(client, options: options).getStatement(
                .with { ($0.practiceCode, $0.month) = (code, month) })
        }
    }

    func replayed(_ line: Int32, _ month: Pcs_Common_V1_Month, _ host: LiveHost) async throws -> Int64 {
        try await networkReader.calls(host) { client, options in
            try await Pcs_Payments_V1_StatementServiceClient(client, options: options).explainLine(
                .with { ($0.practiceCode, $0.month, $0.lineNumber) = (Self.pcn, month, line) }
            ).replayedPence
        }
    }

    func loadContract(_ host: LiveHost) async throws {
        let header =
            "practice_code,practice_name,contract_type,valid_from,valid_to,commissioner_code,region_code,payee_code,"
            + "out_of_hours_opt_out,minor_surgery_opt_out,temporary_patients_adjustment,correction_factor,london_basis,"
            + "baseline_basis,baseline_annual,baseline_price,payments_stopped\n"
        let row = "\(Self.payee),The payee,PMS,2025-04-01,,\(Self.lead),Y56,,,,,,,FIXED,120000.00,,\n"
        try await payer.calls(host) { client, options in
            _ = try await Pcs_Payments_V1_ContractServiceClient(client, options: options).loadContracts([
                .with { ($0.fileName, $0.data) = ("contract.csv", Data((header + row).utf8)) }
            ])
        }
    }
}
