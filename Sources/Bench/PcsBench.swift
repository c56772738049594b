import Foundation

/// `pcs-bench`: measures this build of `pcs` on this machine and prints one line a figure. docs/benchmarks.md says what
/// each means. Everything it starts listens on loopback or a Unix socket, lives in one temporary folder, and is ended
/// and removed with it.
@main
struct PcsBench {
    static func main() async {
        do {
            let options = try Options(Array(CommandLine.arguments.dropFirst()))
            let bench = try Workbench(options)
            defer { bench.close() }
            try await bench.measure()
        } catch {
            FileHandle.standardError.write(Data("pcs-bench: \(error)\n".utf8))
            ChildProcesses.shared.endAll()
            exit(1)
        }
    }
}

/// A family of figures that are measured together, because they are compared with each other.
protocol Measurement {
    /// Names of the figures it gives.
    static var names: [String] { get }
    static func run(on bench: Workbench) async throws -> [Figure]
}

/// Where the programs lie, where there is room for data, and how often to repeat.
final class Workbench {
    let options: Options
    let report: Report
    /// Removed at the end.
    let folder: String
    /// Removed at the end; with a short path.
    let socketFolder: String
    /// Folder of the release build: `pcs` and `pcs-bench-load` lie beside this program.
    let programs: String
    /// Root of the repository, for the open data.
    let repository: String
    /// Loaded data, made when first wanted.
    var england: [England.Extent: England] = [:]

    var repetitions: Int { options.repetitions }

    init(_ options: Options) throws {
        self.options = options
        report = Report(isJSON: options.isJSON)
        // On the file system of the build, not in memory: a sync of /tmp may cost nothing.
        let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        programs = own.deletingLastPathComponent().path
        folder = "\(programs)/bench-\(getpid())"
        socketFolder = "/tmp/pcs-bench-\(getpid())"
        guard let root = Workbench.repository(above: own) else {
            throw BenchError("opendata/ was not found in any folder above \(programs)")
        }
        repository = root
        ChildProcesses.shared.watchSignals(removing: [folder, socketFolder])
        for path in [folder, socketFolder] {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        }
        Workbench.raiseFileLimit()
        for program in ["pcs", "pcs-bench-load"] where access("\(programs)/\(program)", X_OK) != 0 {
            throw BenchError("\(programs)/\(program) is missing; `make bench` builds it")
        }
    }

    func measure() async throws {
        let families: [any Measurement.Type] = [
            EchoFigures.self, PeerFigures.self, StorageFigures.self, BulkFigure.self, FootprintFigures.self,
            MonthFigures.self, FullMonthFigures.self, ClaimFigures.self, WaitingFigures.self, FrameworkFigures.self,
            DeclarationFigures.self, LocalClaimFigures.self,
        ]
        for family in families where options.wants(family.names) {
            guard options.peers != nil || family != PeerFigures.self else { continue }
            for figure in try await family.run(on: self) where options.wants([figure.name]) {
                report.show(figure)
            }
        }
    }

    func close() { ChildProcesses.shared.endAll() }

    /// A folder of its own below the temporary one.
    func newFolder(_ name: String) throws -> String {
        let path = "\(folder)/\(name)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        return path
    }

    private static func repository(above file: URL) -> String? {
        var folder = file.deletingLastPathComponent()
        while folder.path != "/" {
            if access(folder.path + "/opendata/nhs-payments-gp", F_OK) == 0 { return folder.path }
            folder.deleteLastPathComponent()
        }
        return nil
    }

    /// A thousand connections need more than the usual limit; the host inherits it.
    private static func raiseFileLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = min(limit.rlim_max, 65_536)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
