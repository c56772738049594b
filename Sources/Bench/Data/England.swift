import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

/// A data folder with the contracts and lists of 2019/20 loaded, made once and copied for each start of a host on it.
final class England {
    /// What is loaded.
    enum Extent: String {
        /// The register of organisations and the published practices: what `make run` loads.
        case whole
        /// The published practices alone, and ten times as many. The register does not know the copies: with it, nine
        /// in ten practices would get a warning that the others do not, and the two could not be compared.
        case onceWithoutRegister, tenTimesWithoutRegister
    }

    /// What the first calculation of a month showed.
    struct Month {
        /// From the call to its reply, through the socket.
        let seconds: Double
        /// As the host measured it.
        let hostSeconds: Double
        let statements: Int64
        let lines: Int64
    }

    private let folder: String
    private let bench: Workbench
    private let identity: BenchIdentity
    private let practices: Int

    /// Loads the data through a host, as an operator would. The same folder serves all figures of a run.
    static func prepared(on bench: Workbench, _ extent: Extent) async throws -> England {
        if let done = bench.england[extent] { return done }
        let england = try await England(on: bench, extent)
        bench.england[extent] = england
        return england
    }

    private init(on bench: Workbench, _ extent: Extent) async throws {
        self.bench = bench
        folder = try bench.newFolder("england-\(extent)")
        identity = BenchIdentity()
        let once = try PublishedYear(repository: bench.repository, folder: bench.folder)
        let year = extent == .tenTimesWithoutRegister ? try once.multiplied(by: 10) : once
        practices = year.practices

        let host = try await HostUnderTest.start(on: bench, data: folder)
        defer { host.end() }
        try await identity.register(on: host)
        for file in Organisations.files where extent == .whole {
            try await Organisations.load(file, repository: bench.repository, host: host, folder: bench.folder)
        }
        try await England.load(year, over: try await identity.session(on: host))
    }

    private static func load(_ year: PublishedYear, over session: HostSession) async throws {
        var first = Pcs_Payments_V1_LoadPublishedYearRequest()
        first.financialYear = year.financialYear
        first.fileName = year.fileName
        let requests = Chunks.of(year.bytes, first: first) { $0.data = $1 }
        let client = Pcs_Payments_V1_PublishedYearServiceClient(session.transport, options: session.slow)
        let load = try await client.loadPublishedYear(requests)
        guard load.rows == Int64(year.practices) else {
            throw BenchError("\(load.rows) of \(year.practices) practices of \(year.fileName) were loaded")
        }
    }

    /// A fresh copy of the data, for one host.
    func copy(to name: String) throws -> String {
        let path = "\(bench.folder)/\(name)"
        try? FileManager.default.removeItem(atPath: path)
        try FileManager.default.copyItem(atPath: folder, toPath: path)
        return path
    }

    /// Opens and calculates April 2019 on a fresh copy.
    func firstMonth(on bench: Workbench) async throws -> Month {
        let data = try copy(to: "month-data")
        defer { try? FileManager.default.removeItem(atPath: data) }
        let host = try await HostUnderTest.start(on: bench, data: data)
        defer { host.end() }
        let session = try await identity.session(on: host)
        let runs = Pcs_Payments_V1_RunServiceClient(session.transport, options: session.slow)
        var open = Pcs_Payments_V1_OpenRunRequest()
        open.month.year = 2019
        open.month.month = 4
        var calculate = Pcs_Payments_V1_CalculateRunRequest()
        calculate.runID = try await runs.openRun(open).runID
        let watch = Stopwatch()
        let run = try await runs.calculateRun(calculate)
        let seconds = watch.seconds
        // Most practices have a contract; some of the file's rows are only tail payments of closed ones.
        guard run.statements > Int64(practices) * 8 / 10 else {
            throw BenchError("the run made \(run.statements) statements for \(practices) practices")
        }
        await session.close()
        return Month(
            seconds: seconds, hostSeconds: Double(run.calculationMicroseconds) / 1e6,
            statements: run.statements,
            lines: run.lines)
    }
}

/// The committed files of the register, in the order in which hardly any reference has to wait.
enum Organisations {
    struct File {
        let name: String
        let kind: Pcs_Host_V1_SnapshotKind
        /// Year, month and day of the snapshot: opendata/ods/README.md.
        let published: (year: Int, month: Int, day: Int)
    }

    static let files: [File] = [
        File(name: "commissioners", kind: .commissioners, published: (2026, 1, 2)),
        File(name: "hierarchy", kind: .hierarchy, published: (2026, 3, 2)),
        File(name: "pcn", kind: .pcns, published: (2026, 1, 2)),
        File(name: "epraccur-gp-england", kind: .practices, published: (2026, 3, 2)),
        File(name: "epcncorepartnerdetails", kind: .pcnMembers, published: (2026, 3, 2)),
        File(name: "edispensary-open-and-proposed", kind: .pharmacies, published: (2025, 5, 1)),
    ]

    /// A committed file, uncompressed.
    static func bytes(of name: String, repository: String, folder: String) throws -> [UInt8] {
        let unpack = try ChildProcess(
            Programs.find("gzip"), ["-dc", "\(repository)/opendata/ods/\(name).csv.gz"], name: "ods",
            folder: folder)
        try unpack.waitForSuccess(within: 20)
        return Array(try Data(contentsOf: URL(fileURLWithPath: unpack.outputPath)))
    }

    static func load(_ file: File, repository: String, host: HostUnderTest, folder: String) async throws {
        let bytes = try bytes(of: file.name, repository: repository, folder: folder)
        var first = Pcs_Host_V1_LoadSnapshotRequest()
        first.kind = file.kind
        first.fileName = file.name + ".csv"
        first.publishedOn.year = Int32(file.published.year)
        first.publishedOn.month = Int32(file.published.month)
        first.publishedOn.day = Int32(file.published.day)
        let requests = Chunks.of(bytes, first: first) { $0.data = $1 }
        let session = try await host.operatorSession()
        let load = try await Pcs_Host_V1_OrganisationServiceClient(session.transport, options: session.slow)
            .loadSnapshot(requests)
        await session.close()
        guard load.state == .applied else {
            throw BenchError("\(file.name) was not applied: \(load.heldBecause)")
        }
    }
}

/// A file as the messages of a client-streaming call.
enum Chunks {
    private static let bytes = 256 << 10

    static func of<Request>(_ file: [UInt8], first: Request, _ put: (inout Request, Data) -> Void)
        -> [Request]
    where Request: SwiftProtobuf.Message {
        var requests: [Request] = []
        for start in stride(from: 0, to: file.count, by: bytes) {
            var request = requests.isEmpty ? first : Request()
            put(&request, Data(file[start..<min(start + bytes, file.count)]))
            requests.append(request)
        }
        return requests
    }
}
