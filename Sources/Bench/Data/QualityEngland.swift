import CommonContract
import CqrsContract
import Foundation
import HostContract
import PluginAPI

/// A data folder in which the Quality and Outcomes Framework of 2023/24 waits for its extract: practices that take
/// part, their lists, the national registers.
final class QualityEngland {
    static let service = "QOF2324"
    /// A personalised care adjustment of the shipped list.
    private static let adjustment = "AFIBPCAPU"
    /// Practices of England in one extract.
    static let practicesOfEngland = 6_400

    /// What one load of an extract and the calculation after it took.
    struct Measured {
        let loadSeconds: Double
        let calculateSeconds: Double
        let rows: Int64
        let lines: Int64
        let providers: Int64
        var seconds: Double { loadSeconds + calculateSeconds }
    }

    private let folder: String
    private let bench: Workbench
    private let practices: [String]
    private let operating = BenchPerson("olive", [.national(.cqrsOperator)])
    /// Indicator and field of each count that an extract brings.
    private var cells: [(indicator: String, field: String, role: Character)] = []
    private var groups: [String] = []

    init(on bench: Workbench, practices count: Int) async throws {
        self.bench = bench
        folder = try bench.newFolder("quality-\(count)")
        let register = try BenchRegister(on: bench, practices: count)
        practices = register.practices.map(\.code)
        let host = try await HostUnderTest.start(on: bench, data: folder)
        defer { host.end() }
        try await register.load(into: host)
        let local = try await host.operatorSession()
        try await operating.register(over: local)
        await local.close()
        let session = try await operating.session(on: host)
        try await learnCells(over: session)
        try await loadLists(over: session)
        await session.close()
    }

    private func learnCells(over session: HostSession) async throws {
        let definition = try await Pcs_Cqrs_V1_QualityServiceServiceClient(session.transport)
            .getService(.with { $0.code = QualityEngland.service })
        for indicator in definition.indicators {
            for field in indicator.fields {
                // "N=Numerator": numerators, denominators, registers and answers; adjustments may be left out.
                let parts = field.split(separator: "=", maxSplits: 1)
                guard parts.count == 2, let role = parts[0].first, "NDRYC".contains(role) else { continue }
                cells.append((indicator.code, String(parts[1]), role))
            }
            // Of patients asked and not fit, as extracts bring them with every fraction.
            if [.fraction, .steppedFraction, .inverseFraction].contains(indicator.kind) {
                cells.append((indicator.code, QualityEngland.adjustment, "A"))
            }
        }
        groups = Set(definition.indicators.map(\.weightingGroup)).subtracting([""]).sorted()
    }

    private func loadLists(over session: HostSession) async throws {
        let submissions = Pcs_Cqrs_V1_SubmissionServiceClient(session.transport, options: session.slow)
        var participation = "QUALITY_SERVICE,SP_ORG_CODE,SP_ORG_NAME,CO_ORG_CODE,PART_ST_DT,PART_ED_DT\r\n"
        var populations = "org_code,base,as_of,value,source\r\n"
        for (number, practice) in practices.enumerated() {
            participation += "\(QualityEngland.service),\(practice),Practice,,20230401,20240331\r\n"
            populations += "\(practice),crp,2024-01-01,\(4_000 + number % 9_000),bench\r\n"
        }
        let list = Pcs_Cqrs_V1_LoadExtractRequest.with {
            ($0.format, $0.fileName) = (.participationList, "participation.csv")
        }
        _ = try await submissions.loadExtract(
            Chunks.of(Array(participation.utf8), first: list) { $0.data = $1 })
        let sizes = Pcs_Cqrs_V1_LoadPopulationsRequest.with { $0.fileName = "populations.csv" }
        _ = try await submissions.loadPopulations(
            Chunks.of(Array(populations.utf8), first: sizes) { $0.data = $1 })
        let header = "name,group,valid_from,valid_to,value,confidence,source,note\r\n"
        let constants =
            header
            + groups.map { "national_register,\($0),2024-03-31,2024-03-31,1316260,A,bench,\r\n" }.joined()
        _ = try await Pcs_Cqrs_V1_QualityServiceServiceClient(session.transport, options: session.slow)
            .loadConstants([
                .with { ($0.fileName, $0.data) = ("constants.csv", Data(constants.utf8)) }
            ])
    }

    /// Loads extracts of all practices, `practicesOfEngland` a file, and calculates once, on a fresh copy.
    func measure() async throws -> Measured {
        let data = "\(bench.folder)/quality-data"
        try? FileManager.default.removeItem(atPath: data)
        try FileManager.default.copyItem(atPath: folder, toPath: data)
        defer { try? FileManager.default.removeItem(atPath: data) }
        let host = try await HostUnderTest.start(on: bench, data: data)
        defer { host.end() }
        let session = try await operating.session(on: host)
        let submissions = Pcs_Cqrs_V1_SubmissionServiceClient(session.transport, options: session.slowest)
        var (loading, rows) = (0.0, Int64(0))
        for start in stride(from: 0, to: practices.count, by: QualityEngland.practicesOfEngland) {
            let file = extract(start..<min(start + QualityEngland.practicesOfEngland, practices.count))
            let watch = Stopwatch()
            rows += try await submissions.loadExtract(file).rows
            loading += watch.seconds
        }
        let watch = Stopwatch()
        let run = try await Pcs_Cqrs_V1_CalculationServiceClient(session.transport, options: session.slowest)
            .calculate(
                .with {
                    $0.serviceCode = QualityEngland.service
                    ($0.achievementDate.year, $0.achievementDate.month, $0.achievementDate.day) = (
                        2024, 3, 31
                    )
                })
        let calculating = watch.seconds
        await session.close()
        guard run.providers == Int64(practices.count), run.incomplete == 0, run.totalPence > 0 else {
            throw BenchError("\(run.providers) practices calculated, \(run.incomplete) of them incomplete")
        }
        return Measured(
            loadSeconds: loading, calculateSeconds: calculating, rows: rows, lines: run.lines,
            providers: run.providers)
    }

    /// The national extract of some practices, in messages of a megabyte.
    private func extract(_ range: Range<Int>) -> [Pcs_Cqrs_V1_LoadExtractRequest] {
        let header =
            "QUALITY_SERVICE,NAME,ORG_CODE,ACH_DATE,IND_CODE,FIELD_NAME,VALUE,DEFAULT_VALUES_USED,SUBMIT_USER_ID,"
            + "SUBMIT_DATE,SUBMIT_TIME,LAST_SUBMISSION\r\n"
        var messages: [Pcs_Cqrs_V1_LoadExtractRequest] = [
            .with {
                ($0.format, $0.fileName, $0.data) = (
                    .indicatorValues, "extract-\(range.lowerBound).csv", Data(header.utf8)
                )
            }
        ]
        let before = Array("\(QualityEngland.service),Name,".utf8)
        let after = Array(",None,AUTOMATED,02/04/2024,11:19:50,Y\r\n".utf8)
        let heads = cells.map { cell in
            let field = cell.field.contains(",") ? "\"\(cell.field)\"" : cell.field
            return Array(",20240331,\(cell.indicator),\(field),".utf8)
        }
        var bytes: [UInt8] = []
        for number in range {
            let code = Array(practices[number].utf8)
            for (index, cell) in cells.enumerated() {
                let value =
                    switch cell.role {
                    case "N": String(100 + (number * 7 + index * 3) % 100)
                    case "D": "200"
                    case "A": String((number + index) % 20)
                    case "R": String(100 + (number + index) % 900)
                    default: "Y"
                    }
                bytes += before
                bytes += code
                bytes += heads[index]
                bytes += value.utf8
                bytes += after
            }
            if bytes.count > 1 << 20 || number == range.upperBound - 1 {
                let piece = Data(bytes)
                messages.append(.with { $0.data = piece })
                bytes.removeAll(keepingCapacity: true)
            }
        }
        return messages
    }
}
