import CaseworkContract
import ChangesContract
import CommonContract
import Foundation
import HostContract
import PluginAPI
import PluginTestKit
import PracticeChangesPlugin
import Testing

/// An area that owns steps and answers by events.
struct RegistrationsArea: Plugin {
    static let manifest = PluginManifest(
        name: "registrations", version: "0.1.0", summary: "Reports steps in tests", owners: ["tests"],
        publishes: [Pcs_Changes_V1_ChangeStepReported.protoMessageName])
    init(_ context: PluginContext) throws {}
    static var migrations: [Migration] { [] }
    var methods: [BoundMethod] { [] }
}

/// A closing practice, a surviving one, their commissioner and the coordinators, on a test host with the real register.
struct ChangesOffice {
    let host: TestHost
    /// Densham Surgery, which closes, and Queens Park, which survives; both commissioned by 16C.
    static let closing = "A81001"
    static let survivor = "A81002"
    let manager: TestSubject
    let survivorManager: TestSubject
    let approver: TestSubject
    let coordinator: TestSubject
    let secondCoordinator: TestSubject

    static func with(_ body: (ChangesOffice) async throws -> Void) async throws {
        try await TestHost.with([PracticeChangesPlugin.self, RegistrationsArea.self]) { host in
            try await host.loadOrganisations()
            let office = ChangesOffice(
                host: host, manager: try await host.person("mary", roles: [Roles.mainContact], at: closing),
                survivorManager: try await host.person("sue", roles: [Roles.mainContact], at: survivor),
                approver: try await host.person("adam", roles: [Roles.commissionerApprover], at: "16C"),
                coordinator: try await host.person("cora", roles: [Roles.practiceChangeCoordinator]),
                secondCoordinator: try await host.person("carl", roles: [Roles.practiceChangeCoordinator]))
            try await body(office)
        }
    }

    func notices(_ subject: TestSubject? = nil) async throws -> Pcs_Changes_V1_NoticeServiceClient {
        Pcs_Changes_V1_NoticeServiceClient(try await host.transport(.inProcess, as: subject ?? manager))
    }
    func cases(_ subject: TestSubject? = nil) async throws -> Pcs_Changes_V1_ChangeCaseServiceClient {
        Pcs_Changes_V1_ChangeCaseServiceClient(
            try await host.transport(.inProcess, as: subject ?? coordinator))
    }
    func progress(
        _ subject: TestSubject? = nil, _ fidelity: TestHost.Fidelity = .inProcess
    ) async throws -> Pcs_Changes_V1_ChangeProgressServiceClient {
        Pcs_Changes_V1_ChangeProgressServiceClient(
            try await host.transport(fidelity, as: subject ?? coordinator))
    }

    static func notice(
        effective: String, closing: String = closing, survivor: String = survivor
    ) throws -> Pcs_Changes_V1_Notice {
        let effectiveOn = Pcs_Common_V1_Date(try day(effective))
        return .with {
            $0.kind = .merger
            $0.effectiveOn = effectiveOn
            $0.closing = [
                .with {
                    $0.practiceCode = closing
                    $0.practiceName = "The Densham Surgery"
                    $0.address = "Lawson Street, Stockton-on-Tees"
                    $0.phone = "01642 672351"
                    $0.contactName = "Mary Manager"
                    $0.contactEmail = "mary@example.nhs.uk"
                    $0.performers = [
                        .with {
                            $0.name = "Dr Ann Able"
                            $0.gmcNumber = "1234567"
                            $0.role = .seniorPartner
                            $0.destinationPracticeCode = survivor
                            $0.changeFormDocumentID = "form-1"
                        }
                    ]
                }
            ]
            $0.merger = .with {
                $0.survivingPracticeCode = survivor
                $0.bankAccountOfPracticeCode = survivor
                $0.branches = [
                    .with {
                        $0.practiceCode = closing
                        $0.branchCode = survivor + "001"
                        $0.address = "Lawson Street, Stockton-on-Tees"
                    }
                ]
            }
            $0.common = .with {
                $0.responsibleName = "Mary Manager"
                $0.responsibleEmail = "mary@example.nhs.uk"
                $0.patientPlan = .bulkTransfer
                $0.pensionEstimateDocumentID = "estimate-1"
            }
        }
    }

    func submitted(_ notice: Pcs_Changes_V1_Notice) async throws -> Pcs_Changes_V1_Case {
        let practice = notice.closing.first?.practiceCode ?? ""
        let coordinators = try await notices(coordinator)
        let draft = try await coordinators.draftNotice(
            .with { ($0.practiceCode, $0.notice) = (practice, notice) })
        return try await coordinators.submitNotice(
            .with { ($0.caseID, $0.practiceCode) = (draft.caseID, practice) })
    }

    func approve(
        _ record: Pcs_Changes_V1_Case, as subject: TestSubject? = nil, practice: String = closing,
        expedited: String = "", moves: Bool = false, decision: Pcs_Changes_V1_Decision = .approve
    ) async throws -> Pcs_Changes_V1_Case {
        try await notices(subject ?? approver).decideNotice(
            .with {
                ($0.caseID, $0.practiceCode, $0.decision) = (record.caseID, practice, decision)
                ($0.reason, $0.version) = ("looked at with the practices", record.version)
                $0.section = .with {
                    $0.drugArrearsPayeeCode = Self.survivor
                    $0.achievementDecision = "goes to the survivor"
                    $0.expeditedBecause = expedited
                    if moves {
                        $0.paymentMoves = [
                            .with {
                                ($0.payment, $0.fromPracticeCode) = ("premises", practice)
                                ($0.toPracticeCode, $0.yearlyPence) = (Self.survivor, 12_000_00)
                            }
                        ]
                    }
                }
            })
    }

    func validate(_ id: String) async throws -> Pcs_Changes_V1_Case {
        try await cases().validateCase(
            .with {
                $0.caseID = id
                $0.noOpenBankChangeReference = "bank list of the day"
                $0.noOpenSecureFormsIncidentReference = "incident list of the day"
            })
    }

    /// From the notice to the plan.
    func planned(effective: String = "2026-07-01") async throws -> Pcs_Changes_V1_Case {
        let approved = try await approve(try await submitted(try Self.notice(effective: effective)))
        let id = approved.caseID
        _ = try await cases().receiveCase(.with { $0.caseID = id })
        _ = try await validate(id)
        return try await cases().planCase(.with { $0.caseID = id })
    }

    func get(_ id: String) async throws -> Pcs_Changes_V1_Case {
        try await progress().getCase(.with { $0.caseID = id })
    }

    /// Reports a step by hand with a proof that fits it.
    @discardableResult
    func report(
        _ step: Int32, of id: String, _ outcome: Pcs_Changes_V1_StepOutcome = .done,
        proof: Pcs_Changes_V1_StepProof? = nil
    ) async throws -> Pcs_Changes_V1_Case {
        try await cases().reportStep(
            .with {
                ($0.caseID, $0.step, $0.outcome) = (id, step, outcome)
                $0.proof = proof ?? Self.proof(step)
                $0.effects = ["effect of step \(step)"]
                $0.words = "by hand"
            })
    }

    static func proof(_ step: Int32) -> Pcs_Changes_V1_StepProof {
        .with {
            $0.reference = "record of step \(step)"
            switch step {
            case 5, 17:
                $0.money = .with {
                    ($0.beforePence, $0.afterPence) = (900_000_00, 899_000_00)
                    $0.changes = [.with { ($0.words, $0.pence) = ("one premises payment stops", -1_000_00) }]
                }
            case 13:
                $0.patients = .with {
                    ($0.closingBefore, $0.moved, $0.excluded) = (4_000, 3_995, 5)
                    ($0.receivingBefore, $0.receivingAfter) = (9_000, 12_995)
                }
            case 15: $0.grantMigrationID = "none"
            default: break
            }
        }
    }

    func go(_ id: String, _ go: Bool = true, as subject: TestSubject? = nil) async throws
        -> Pcs_Changes_V1_Case
    {
        try await cases(subject).decideGo(
            .with { ($0.caseID, $0.go, $0.reason) = (id, go, "all looked at") })
    }

    /// Sets the clock to a day and does what is due then.
    func on(_ text: String) async throws {
        host.clock.set(try day(text))
        try await host.advance(milliseconds: 700_000)
        try await host.eventsDelivered()
    }

    func report(_ steps: ClosedRange<Int32>, of id: String) async throws {
        for step in steps where try await state(step, of: id) == .due { try await report(step, of: id) }
    }

    func state(_ step: Int32, of id: String) async throws -> Pcs_Changes_V1_StepState? {
        try await get(id).steps.first { $0.number == step }?.state
    }

    func published(_ type: String) throws -> Int {
        try host.store(of: "changes").read {
            try $0.all(Statement("SELECT 1 FROM pcs_outbox WHERE event_type = ?1"), [.text(type)]) { _ in 1 }
        }.count
    }

    /// The register's next snapshot, in which the closing practice has closed.
    func loadClosing(on closed: String, published: String) async throws {
        let text = String(decoding: try OpenData.read("ods/epraccur-gp-england.csv.gz"), as: UTF8.self)
        let lines = text.split(whereSeparator: \.isNewline).map { line -> String in
            guard line.hasPrefix("\"\(Self.closing)\"") else { return String(line) }
            return String(line).replacing(
                "\"\",\"ACTIVE\"", with: "\"\(closed.replacing("-", with: ""))\",\"INACTIVE\"")
        }
        try await host.loadOrganisations(
            Array((lines.joined(separator: "\r\n") + "\r\n").utf8), kind: .practices,
            fileName: "epraccur.csv",
            publishedOn: try day(published))
        try await host.eventsDelivered()
    }
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
