import CommonContract
import CqrsContract
import EndToEndSupport
import Foundation
import FrameClient
import HostContract
import PaymentsContract
import PluginAPI
import Testing

/// Amounts are approved, recalled and handed over while Payments is disabled and enabled again and the host is ended
/// with SIGKILL. In the end each amount is one line of the run, and a recalled one none (cqrs.md 11, payments.md 12.2).
@Suite("Kills between approval and payment", .serialized)
struct InstructionsSurviveKills {
    static let rounds = 10
    static let service = "KILLS2526"

    @Test("after ten kills every instruction is paid once, and what was recalled is not paid")
    func tenKills() async throws {
        let host = try LiveHost()
        try host.start()
        let desk = try await QualityDesk.prepared(host)
        let declarations = try await desk.waiting(host)
        #expect(declarations.count == desk.practices.count)
        let chunks = (0...Self.rounds).map { round in
            declarations.enumerated().filter { $0.offset % (Self.rounds + 1) == round }.map(\.element)
        }
        // How long the work takes when nothing disturbs it.
        let started = ContinuousClock.now
        try await desk.work(0, chunks[0], host)
        let took = Int64((ContinuousClock.now - started) / .microseconds(1))
        host.killNow()

        var interrupted = 0
        for round in 1...Self.rounds {
            try host.start()
            // Three rounds in four without Payments, whose events then wait; in the fourth they meet the kill.
            try await desk.setPayments(enabled: round % 4 == 3, host)
            let work = Task { try await desk.work(round, chunks[round], host) }
            // Somewhere in the work or shortly after it, at another place each round.
            let place = Int64((round * 7) % Self.rounds + 1)
            try await Task.sleep(for: .microseconds(took * place / (round.isMultiple(of: 2) ? 16 : 8)))
            host.killNow()
            if (try? await work.value) == nil { interrupted += 1 }
        }

        try host.start()
        // What was cut off is sent again with its keys: made before or made now, it is made once.
        try await desk.setPayments(enabled: false, host)
        for (round, chunk) in chunks.enumerated() { try await desk.approve(round, chunk, host) }
        try await desk.night(host)
        try await desk.setPayments(enabled: true, host)
        try await host.eventsDelivered()

        let instructions = try await desk.instructions(host)
        #expect(instructions.count == desk.practices.count)
        let recalled = instructions.filter { $0.state == .recalled }
        #expect(instructions.count { $0.state == .sent } == instructions.count - recalled.count)
        #expect(!recalled.isEmpty)
        let paid = try await desk.paid(instructions, host)
        for instruction in instructions {
            let lines = paid[instruction.payeeCode] ?? []
            let expected = instruction.state == .recalled ? [] : [instruction.grossPence]
            #expect(lines == expected, "\(instruction.instructionID)")
        }
        let audit = try await host.locally { client in
            try await Pcs_Host_V1_AuditServiceClient(client).verifyAudit(.init())
        }
        #expect(audit.whole)
        #expect(host.stop() == 0)
        print(
            "crash: \(Self.rounds) kills, \(interrupted) of them in the middle of the work; \(instructions.count) "
                + "instructions, \(recalled.count) recalled, \(paid.count) paid once")
        #expect(interrupted > Self.rounds / 4, "the kills came too late to prove anything")
    }
}

private struct Missing: Error { let what: String }

/// The people of the quality service and of Payments, and what they do here.
struct QualityDesk: Sendable {
    let practices: [String]
    private let commissioner: String
    private let qualityOperator = SignedPerson("quinn.quality")
    private let secondOperator = SignedPerson("quentin.quality")
    private let finance = SignedPerson("finn.finance")
    private let payer = SignedPerson("olive.pays")

    /// The largest commissioner's practices, each with a result that waits for finance: 1,000 pounds for the first, and
    /// a pound more for each after it.
    static func prepared(_ host: LiveHost) async throws -> QualityDesk {
        try await RegisterOfEngland.load(host)
        let found = try OpenData.practicesByCommissioner().max { $0.value.count < $1.value.count }
        guard let found else { throw Missing(what: "the register has no practices") }
        let desk = QualityDesk(practices: found.value, commissioner: found.key)
        try await desk.register(host)
        try await desk.calculate(host)
        return desk
    }

    private init(practices: [String], commissioner: String) {
        self.practices = practices
        self.commissioner = commissioner
    }

    private func register(_ host: LiveHost) async throws {
        try await host.locally { local in
            for (person, role, organisation) in [
                (qualityOperator, "CQRS_OPERATOR", "PCS"), (secondOperator, "CQRS_OPERATOR", "PCS"),
                (finance, "CQRS_FINANCE_MANAGEMENT", commissioner), (payer, "PAYMENTS_OPERATOR", "PCS"),
            ] {
                try await person.register(roles: [Role(role)], at: organisation, through: local)
            }
        }
    }

    private static let services =
        "code,version,name,financial_year,payment_type,start_on,end_on,payment_period,collection_frequency,"
        + "collection_type,offer_unit,method,population_base,provider_kinds,flags,pay_code,subjective_code,"
        + "confidence,source\r\n"
        + "\(InstructionsSurviveKills.service),1,Service of a crash test,2025/26,des,2025-04-01,2026-03-31,monthly,"
        + "none,calculationOnly,practice,population,wpls,PRACTICE,"
        + "noDeclarationRequired|autoDeclare|noApprovalRequired|financeApprovalRequired,LDHC,,C,test\r\n"
    private static let tariffs =
        "service,version,name,indicator,amount,base,divided_by,from,to,cap_a_year,confidence,source\r\n"
        + "\(InstructionsSurviveKills.service),1,weighted,,1.50,wpls,12,2025-04-01,,,C,test\r\n"

    private func calculate(_ host: LiveHost) async throws {
        let draft = try await qualityOperator.calls(host) { client, options in
            try await Pcs_Cqrs_V1_QualityServiceServiceClient(client, options: options).loadServices([
                .with { ($0.file, $0.data) = (.services, Data(Self.services.utf8)) },
                .with { ($0.file, $0.data) = (.tariffs, Data(Self.tariffs.utf8)) },
            ]).services.first
        }
        guard let draft else { throw Missing(what: "no draft of the service") }
        try await secondOperator.calls(host) { client, options in
            _ = try await Pcs_Cqrs_V1_QualityServiceServiceClient(client, options: options).publishService(
                .with {
                    ($0.code, $0.version) = (draft.code, draft.version)
                    $0.definitionSha256 = draft.definitionSha256
                })
        }
        var list = "QUALITY_SERVICE,SP_ORG_CODE,SP_ORG_NAME,CO_ORG_CODE,PART_ST_DT,PART_ED_DT\r\n"
        var sizes = "org_code,base,as_of,value,source\r\n"
        for (number, practice) in practices.enumerated() {
            list += "\(InstructionsSurviveKills.service),\(practice),Practice,,20250401,20260331\r\n"
            // An eighth of a pound a patient.
            sizes += "\(practice),wpls,2025-01-01,\(8 * (1_000 + number)),test\r\n"
        }
        let (participation, populations) = (Data(list.utf8), Data(sizes.utf8))
        try await qualityOperator.calls(host) { client, options in
            let submissions = Pcs_Cqrs_V1_SubmissionServiceClient(client, options: options)
            _ = try await submissions.loadExtract([
                .with { ($0.format, $0.fileName, $0.data) = (.participationList, "list.csv", participation) }
            ])
            _ = try await submissions.loadPopulations([
                .with { ($0.fileName, $0.data) = ("sizes.csv", populations) }
            ])
            _ = try await Pcs_Cqrs_V1_CalculationServiceClient(client, options: options).calculate(
                .with {
                    $0.serviceCode = InstructionsSurviveKills.service
                    ($0.achievementDate.year, $0.achievementDate.month, $0.achievementDate.day) = (
                        2025, 4, 30
                    )
                })
            _ = try await Pcs_Cqrs_V1_DeclarationServiceClient(client, options: options).runNightly(.init())
        }
    }

    func waiting(_ host: LiveHost) async throws -> [Pcs_Cqrs_V1_Declaration] {
        try await qualityOperator.calls(host) { client, options in
            try await Pcs_Cqrs_V1_DeclarationServiceClient(client, options: options)
                .listCommissionerDeclarations(
                    .with { ($0.commissionerCode, $0.state) = (commissioner, .awaitingFinancialApproval) }
                ).declarations
        }
    }

    // MARK: Work that is interrupted

    /// Finance approves some, recalls the last of them, the night hands the others over.
    func work(_ round: Int, _ chunk: [Pcs_Cqrs_V1_Declaration], _ host: LiveHost) async throws {
        try await approve(round, chunk, host)
        if let last = chunk.last { try await recall(last, round, host) }
        try await night(host)
    }

    func approve(_ round: Int, _ chunk: [Pcs_Cqrs_V1_Declaration], _ host: LiveHost) async throws {
        try await finance.calls(host) { client, options in
            var options = options
            options.idempotencyKey = "approve-\(round)"
            _ = try await Pcs_Cqrs_V1_DeclarationServiceClient(client, options: options)
                .financeApproveDeclarations(
                    .with {
                        ($0.commissionerCode, $0.declarationIds) = (commissioner, chunk.map(\.declarationID))
                    })
        }
    }

    private func recall(_ declaration: Pcs_Cqrs_V1_Declaration, _ round: Int, _ host: LiveHost) async throws {
        try await finance.calls(host) { client, options in
            var options = options
            options.idempotencyKey = "recall-\(round)"
            _ = try await Pcs_Cqrs_V1_InstructionServiceClient(client, options: options).recallInstruction(
                .with {
                    ($0.commissionerCode, $0.instructionID) = (commissioner, declaration.declarationID + "-1")
                    $0.reason = "approved by mistake"
                })
        }
    }

    func night(_ host: LiveHost) async throws {
        try await qualityOperator.calls(host) { client, options in
            _ = try await Pcs_Cqrs_V1_DeclarationServiceClient(client, options: options).runNightly(.init())
        }
    }

    func setPayments(enabled: Bool, _ host: LiveHost) async throws {
        try await host.locally { client in
            let plugins = Pcs_Host_V1_PluginServiceClient(client)
            let present = try await plugins.listPlugins(.init()).plugins.first { $0.name == "payments" }
            guard (present?.state == .ready) != enabled else { return }
            if enabled {
                _ = try await plugins.enablePlugin(
                    .with { ($0.name, $0.reason) = ("payments", "crash test") })
            } else {
                _ = try await plugins.disablePlugin(
                    .with { ($0.name, $0.reason) = ("payments", "crash test") })
            }
        }
    }

    // MARK: What came of it

    func instructions(_ host: LiveHost) async throws -> [Pcs_Cqrs_V1_Instruction] {
        try await qualityOperator.calls(host) { client, options in
            var found: [Pcs_Cqrs_V1_Instruction] = []
            for practice in practices {
                found += try await Pcs_Cqrs_V1_InstructionServiceClient(client, options: options)
                    .listInstructions(
                        .with { $0.payeeCode = practice }
                    ).instructions
            }
            return found
        }
    }

    /// Calculates the month in which they may be paid; amounts of all lines by payee.
    func paid(_ instructions: [Pcs_Cqrs_V1_Instruction], _ host: LiveHost) async throws -> [String: [Int64]] {
        let release = instructions.map(\.releaseDate).max { ($0.year, $0.month) < ($1.year, $1.month) }
        return try await payer.calls(host) { client, options in
            let runs = Pcs_Payments_V1_RunServiceClient(client, options: options)
            let opened = try await runs.openRun(
                .with { ($0.month.year, $0.month.month) = (release?.year ?? 0, release?.month ?? 0) })
            _ = try await runs.calculateRun(
                .with { ($0.runID, $0.beforeCutOff, $0.reason) = (opened.runID, true, "Crash test") })
            let statements = Pcs_Payments_V1_StatementServiceClient(client, options: options)
            var paid: [String: [Int64]] = [:]
            for practice in practices {
                do {
                    paid[practice] = try await statements.getStatement(
                        .with { ($0.practiceCode, $0.month) = (practice, opened.month) }
                    ).lines.map(\.amountPence)
                } catch let failure as Failure where failure.reason.name == "STATEMENT_UNKNOWN" {
                    continue
                }
            }
            return paid
        }
    }
}
