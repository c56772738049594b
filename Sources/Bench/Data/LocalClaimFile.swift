import CommonContract
import CqrsContract
import Foundation
import HostContract
import PluginAPI

/// A data folder in which the bulk claims of a local service wait to be uploaded: the published service of a Sub ICB
/// Location, contracts on paper with opticians who have agreed to bulk claims, open windows of a fortnight each, and
/// the template of them all, filled in.
final class LocalClaimFile {
    /// What the upload, and what the persons after it, took.
    struct Measured {
        let uploadSeconds: Double
        let reviewSeconds: Double
        let approveSeconds: Double
        let claims: Int64
        let cpuSeconds: Double
    }

    static let providers = 5_000
    private static let windows = 20
    private static let claims = Int64(providers * windows)
    /// Length of a window's activity, days.
    private static let fortnight = 14
    private static let quantity = 3
    /// Of each claim: three times £31.00.
    private static let pence: Int64 = 93_00
    private static let commissioner = "72Q"

    private let bench: Workbench
    private let folder: String
    private let defining = BenchPerson("ada", LocalClaimFile.at(.cqrsLocalAdministrator))
    private let publishing = BenchPerson("abe", LocalClaimFile.at(.cqrsLocalAdministrator))
    private let uploading = BenchPerson("tess", LocalClaimFile.at(.cqrsLocalApproverTier1))
    private let reviewing = BenchPerson("tom", LocalClaimFile.at(.cqrsLocalApproverTier1))
    private let approving = BenchPerson("tina", LocalClaimFile.at(.cqrsLocalApproverTier2))
    private var service = ""
    private var file: [UInt8] = []

    var bytes: Int { file.count }

    init(on bench: Workbench) async throws {
        self.bench = bench
        folder = try bench.newFolder("local-claims")
        let register = try BenchRegister(on: bench)
        let host = try await HostUnderTest.start(on: bench, data: folder)
        defer { host.end() }
        try await register.load(into: host)
        let local = try await host.operatorSession()
        for person in [defining, publishing, uploading, reviewing, approving] {
            try await person.register(over: local)
        }
        await local.close()
        let session = try await defining.session(on: host)
        try await publish(by: session, on: host)
        try await contract(register.contractors.prefix(Self.providers).map(\.code), over: session)
        try await open(over: session)
        await session.close()
        try await fillIn(on: host)
    }

    private static func at(_ role: Pcs_Access_V1_Role) -> [BenchPerson.Duty] {
        [.init(role: role, organisations: [commissioner])]
    }

    /// With the time limit of each method.
    private static let options = CallOptions(actingFor: commissioner)

    // MARK: Set-up

    /// One component with a tariff of its kind of provider, and a cap that every claim counts against and none reaches.
    private func publish(by maker: HostSession, on host: HostUnderTest) async throws {
        let start = OphthalmicPractices.day(before: 400)
        let definition = Pcs_Cqrs_V1_LocalServiceDefinition.with {
            $0.name = "Repeat measures in the community"
            ($0.startOn, $0.endOn) = (start, OphthalmicPractices.day(before: -365))
            $0.providerKinds = [.optometrist]
            ($0.paymentRoute, $0.payCode) = (.pcse, "LIS")
            $0.components = [
                .with {
                    ($0.componentID, $0.name, $0.unit) = ("MEASURE", "Repeat measures", .item)
                    $0.tariffs = [
                        .with {
                            ($0.providerGroup, $0.amountPounds) = ("OPTOMETRIST", "31.00")
                            $0.validFrom = start
                        }
                    ]
                    $0.caps = [.with { ($0.kind, $0.limit) = (.quantityAYear, "100000") }]
                }
            ]
        }
        let draft = try await Pcs_Cqrs_V1_LocalSchemeServiceClient(maker.transport).defineLocalService(
            .with { ($0.commissionerCode, $0.definition) = (Self.commissioner, definition) },
            options: Self.options)
        let checker = try await publishing.session(on: host)
        service = try await Pcs_Cqrs_V1_LocalSchemeServiceClient(checker.transport).publishLocalService(
            .with {
                ($0.commissionerCode, $0.serviceID) = (Self.commissioner, draft.serviceID)
                $0.definitionSha256 = draft.definitionSha256
            }, options: Self.options
        ).serviceID
        await checker.close()
    }

    private func contract(_ providers: [String], over session: HostSession) async throws {
        _ = try await Pcs_Cqrs_V1_LocalSchemeServiceClient(session.transport).offerLocalContract(
            .with {
                ($0.commissionerCode, $0.name) = (Self.commissioner, "Contract of the benchmark")
                $0.paperReference = "signed by everybody"
                $0.startOn = OphthalmicPractices.day(before: 400)
                $0.endOn = OphthalmicPractices.day(before: -365)
                $0.items = [.with { $0.serviceID = service }]
                $0.providers = providers.map { code in
                    .with { ($0.providerCode, $0.bulkAgreed) = (code, true) }
                }
            }, options: Self.options)
    }

    /// The activity of every window is past, all are open around today.
    private func open(over session: HostSession) async throws {
        let windows = (1...Self.windows).reversed().map { number in
            Pcs_Cqrs_V1_ClaimWindow.with {
                $0.activityFrom = OphthalmicPractices.day(before: number * Self.fortnight)
                $0.activityTo = OphthalmicPractices.day(before: (number - 1) * Self.fortnight + 1)
                $0.opensOn = OphthalmicPractices.day(before: 10)
                $0.closesOn = OphthalmicPractices.day(before: -10)
            }
        }
        _ = try await Pcs_Cqrs_V1_LocalSchemeServiceClient(session.transport).addClaimWindows(
            .with {
                ($0.commissionerCode, $0.serviceID) = (Self.commissioner, service)
                $0.windows = windows
            }, options: Self.options)
    }

    /// The template as the host makes it, with a quantity in every row: its last cell but one.
    private func fillIn(on host: HostUnderTest) async throws {
        let session = try await uploading.session(on: host)
        var template: [UInt8] = []
        let chunks = try await Pcs_Cqrs_V1_LocalClaimServiceClient(session.transport).makeBulkTemplate(
            .with { ($0.commissionerCode, $0.serviceID) = (Self.commissioner, service) },
            options: Self.options)
        for try await chunk in chunks { template += chunk.data }
        await session.close()
        let rows = template.split(separator: 0x0A)
        guard rows.count == Int(Self.claims) + 1 else {
            throw BenchError("the template has \(rows.count) lines for \(Self.claims) claims")
        }
        let filled = Array(",\(Self.quantity),\r\n".utf8)
        file = Array(rows[0]) + [0x0A]
        for row in rows.dropFirst() {
            file += row.dropLast(",,\r".utf8.count)
            file += filled
        }
    }

    // MARK: Measuring

    /// The whole file until its reply; then the second person's review, and Tier 2's approval of the upload.
    func measure() async throws -> Measured {
        let data = "\(bench.folder)/local-claims-data"
        try? FileManager.default.removeItem(atPath: data)
        try FileManager.default.copyItem(atPath: folder, toPath: data)
        defer { try? FileManager.default.removeItem(atPath: data) }
        let host = try await HostUnderTest.start(on: bench, data: data)
        defer { host.end() }
        let (uploader, reviewer, approver) = (
            try await uploading.session(on: host), try await reviewing.session(on: host),
            try await approving.session(on: host)
        )
        let first = Pcs_Cqrs_V1_UploadBulkClaimsRequest.with {
            ($0.commissionerCode, $0.serviceID, $0.fileName) = (Self.commissioner, service, "bulk.csv")
        }
        let messages = Chunks.of(file, first: first) { $0.data = $1 }
        let before = ProcessMeter.cpuNanoseconds(of: host.pid)
        let watch = Stopwatch()
        let bulk = try await Pcs_Cqrs_V1_LocalClaimServiceClient(uploader.transport)
            .uploadBulkClaims(messages, options: Self.options)
        let uploadSeconds = watch.seconds
        let cpu = Double(ProcessMeter.cpuNanoseconds(of: host.pid) - before) / 1e9
        let reviewWatch = Stopwatch()
        let reviewed = try await Pcs_Cqrs_V1_LocalClaimServiceClient(reviewer.transport).reviewBulkClaims(
            .with { ($0.commissionerCode, $0.bulkID, $0.accept) = (Self.commissioner, bulk.bulkID, true) },
            options: Self.options)
        let reviewSeconds = reviewWatch.seconds
        let approveWatch = Stopwatch()
        let approved = try await Pcs_Cqrs_V1_LocalClaimServiceClient(approver.transport).approveLocalClaims(
            .with { ($0.commissionerCode, $0.bulkID) = (Self.commissioner, bulk.bulkID) },
            options: Self.options)
        let approveSeconds = approveWatch.seconds
        for session in [uploader, reviewer, approver] { await session.close() }
        guard bulk.claims == Self.claims, bulk.rejectedRows == 0,
            bulk.totalPence == Self.claims * Self.pence, reviewed.state == .accepted,
            approved.decided == Self.claims, approved.totalPence == bulk.totalPence
        else {
            throw BenchError(
                "\(bulk.claims) of \(Self.claims) local claims taken, \(bulk.rejectedRows) rows rejected, "
                    + "\(approved.decided) approved")
        }
        return Measured(
            uploadSeconds: uploadSeconds, reviewSeconds: reviewSeconds, approveSeconds: approveSeconds,
            claims: bulk.claims, cpuSeconds: cpu)
    }
}
