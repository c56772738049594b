import CommonContract
import CqrsContract
import Foundation
import HostContract
import PluginAPI

/// A data folder in which the declarations of all practices of all networks in England wait for their commissioners.
final class NetworkDeclarations {
    /// What one session of approvals took.
    struct Measured {
        let approveSeconds: Double
        let financeSeconds: Double
        let declarations: Int64
        let networks: Int
        let calls: Int
    }

    private static let service = "BENCHPCN2526"
    private let folder: String
    private let bench: Workbench
    private let commissioners: [String]
    private let offering: BenchPerson
    private let approving: BenchPerson
    private let financing: BenchPerson
    private let operating = BenchPerson("olive", [.national(.cqrsOperator)])
    private let second = BenchPerson("sam", [.national(.cqrsOperator)])
    private(set) var waiting: Int64 = 0

    init(on bench: Workbench) async throws {
        self.bench = bench
        folder = try bench.newFolder("declarations")
        let register = try BenchRegister(on: bench)
        commissioners = register.commissioners
        offering = BenchPerson("oona", [.init(role: .cqrsServiceManagement, organisations: commissioners)])
        approving = BenchPerson("anna", [.init(role: .cqrsApprovalManagement, organisations: commissioners)])
        financing = BenchPerson("finn", [.init(role: .cqrsFinanceManagement, organisations: commissioners)])
        let host = try await HostUnderTest.start(on: bench, data: folder)
        defer { host.end() }
        try await register.load(into: host)
        let local = try await host.operatorSession()
        for person in [operating, second, offering, approving, financing] {
            try await person.register(over: local)
        }
        await local.close()
        let session = try await operating.session(on: host)
        try await define(over: session, on: host)
        try await offer(register, on: host)
        try await declare(register, over: session)
        await session.close()
    }

    /// A service that every member is paid for by its weighted list, declared by the system and summed by network.
    private func define(over session: HostSession, on host: HostUnderTest) async throws {
        let service = BenchService(
            code: Self.service, offerUnit: "pcn",
            flags: [
                "noDeclarationRequired", "autoDeclare", "autoAcceptOffer", "pcnAggregated",
                "financeApprovalRequired",
            ], payCode: "PCNIIF")
        let checker = try await second.session(on: host)
        try await service.publish(by: session, checkedBy: checker)
        await checker.close()
    }

    private func offer(_ register: BenchRegister, on host: HostUnderTest) async throws {
        let session = try await offering.session(on: host)
        let participation = Pcs_Cqrs_V1_ParticipationServiceClient(session.transport)
        for commissioner in Set(register.networks.map(\.commissioner)).sorted() {
            _ = try await participation.createOffer(
                .with {
                    ($0.commissionerCode, $0.serviceCode) = (commissioner, Self.service)
                    $0.automaticallyAccept = true
                }, options: session.acting(for: commissioner))
        }
        await session.close()
    }

    private func declare(_ register: BenchRegister, over session: HostSession) async throws {
        try await BenchService.loadWeightedLists(register.practices.map(\.code), over: session)
        let run = try await Pcs_Cqrs_V1_CalculationServiceClient(session.transport, options: session.slow)
            .calculate(
                .with {
                    $0.serviceCode = Self.service
                    $0.achievementDate = BenchService.monthEnd
                })
        guard run.providers > 5_000 else { throw BenchError("only \(run.providers) practices take part") }
        waiting = try await Pcs_Cqrs_V1_DeclarationServiceClient(session.transport, options: session.slowest)
            .runNightly(.with { $0.serviceCode = Self.service }).drafts
        guard waiting == run.providers else {
            throw BenchError("\(waiting) declarations were made of \(run.providers) results")
        }
    }

    /// Every commissioner approves all that waits, which sums the networks; then finance approves the sums.
    func measure() async throws -> Measured {
        let data = "\(bench.folder)/declarations-data"
        try? FileManager.default.removeItem(atPath: data)
        try FileManager.default.copyItem(atPath: folder, toPath: data)
        defer { try? FileManager.default.removeItem(atPath: data) }
        let host = try await HostUnderTest.start(on: bench, data: data)
        defer { host.end() }
        let (approver, financier) = (
            try await approving.session(on: host), try await financing.session(on: host)
        )
        var (decided, sums) = (Int64(0), 0)
        let watch = Stopwatch()
        for commissioner in commissioners {
            let reply = try await Pcs_Cqrs_V1_DeclarationServiceClient(approver.transport)
                .approveDeclarations(
                    .with { ($0.commissionerCode, $0.allWaiting) = (commissioner, true) },
                    options: approver.acting(for: commissioner))
            decided += reply.decided
            sums += reply.aggregatedDeclarationIds.count
        }
        let approveSeconds = watch.seconds
        let financeWatch = Stopwatch()
        var released = Int64(0)
        for commissioner in commissioners {
            released += try await Pcs_Cqrs_V1_DeclarationServiceClient(financier.transport)
                .financeApproveDeclarations(
                    .with { ($0.commissionerCode, $0.allWaiting) = (commissioner, true) },
                    options: financier.acting(for: commissioner)
                ).decided
        }
        let financeSeconds = financeWatch.seconds
        await approver.close()
        await financier.close()
        guard decided == waiting, sums > 1_000, released == Int64(sums) else {
            throw BenchError(
                "\(decided) of \(waiting) declarations approved, \(sums) sums, \(released) released")
        }
        return Measured(
            approveSeconds: approveSeconds, financeSeconds: financeSeconds, declarations: decided,
            networks: sums,
            calls: commissioners.count)
    }
}

/// A quality service of the benchmark's own, paid by the month on the weighted list of each practice.
struct BenchService {
    let code: String
    let offerUnit: String
    let flags: [String]
    let payCode: String

    static let monthEnd = Pcs_Common_V1_Date.with { ($0.year, $0.month, $0.day) = (2025, 4, 30) }

    /// Loads the definition as one operator and publishes it as another.
    func publish(by maker: HostSession, checkedBy checker: HostSession) async throws {
        let header =
            "code,version,name,financial_year,payment_type,start_on,end_on,payment_period,collection_frequency,"
            + "collection_type,offer_unit,method,population_base,provider_kinds,flags,pay_code,subjective_code,"
            + "confidence,source\r\n"
        let row =
            "\(code),1,Service of the benchmark,2025/26,pcn,2025-04-01,2026-03-31,monthly,none,calculationOnly,"
            + "\(offerUnit),population,wpls,PRACTICE|PCN,\(flags.joined(separator: "|")),\(payCode),,C,bench\r\n"
        let tariffs =
            "service,version,name,indicator,amount,base,divided_by,from,to,cap_a_year,confidence,source\r\n"
            + "\(code),1,weighted,,1.50,wpls,12,2025-04-01,,,C,bench\r\n"
        let services = Pcs_Cqrs_V1_QualityServiceServiceClient(maker.transport)
        let load = try await services.loadServices([
            .with {
                ($0.file, $0.fileName, $0.data) = (.services, "services.csv", Data((header + row).utf8))
            },
            .with { ($0.file, $0.fileName, $0.data) = (.tariffs, "tariffs.csv", Data(tariffs.utf8)) },
        ])
        guard let draft = load.services.first else { throw BenchError("no draft of \(code) was made") }
        _ = try await Pcs_Cqrs_V1_QualityServiceServiceClient(checker.transport).publishService(
            .with {
                ($0.code, $0.version) = (draft.code, draft.version)
                $0.definitionSha256 = draft.definitionSha256
            })
    }

    static func loadWeightedLists(_ practices: [String], over session: HostSession) async throws {
        var text = "org_code,base,as_of,value,source\r\n"
        for (number, practice) in practices.enumerated() {
            text += "\(practice),wpls,2025-01-01,\(4_000 + number % 9_000).25,bench\r\n"
        }
        let first = Pcs_Cqrs_V1_LoadPopulationsRequest.with { $0.fileName = "weighted.csv" }
        _ = try await Pcs_Cqrs_V1_SubmissionServiceClient(session.transport, options: session.slow)
            .loadPopulations(Chunks.of(Array(text.utf8), first: first) { $0.data = $1 })
    }
}
