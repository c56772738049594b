import CommonContract
import Foundation
import HostContract
import PaymentsContract
import PluginAPI

/// An office that has paid every practice of England for six years.
final class PaidYears {
    static let months = 72
    private let bench: Workbench
    private let office: BenchOffice
    private let folder: String
    private let last = BenchMonth()

    init(on bench: Workbench) async throws {
        self.bench = bench
        folder = try bench.newFolder("paid-years")
        office = BenchOffice(try BenchRegister(on: bench))
        let host = try await HostUnderTest.start(on: bench, data: folder)
        defer { host.end() }
        try await office.open(on: host)
        let payer = try await office.payer.session(on: host)
        let first = last.adding(1 - Self.months)
        try await office.loadContracts(from: first.firstDayText, allFixed: true, over: payer)
        await payer.close()
        guard bench.options.wants(["statement_history_ms"]) else { return }
        let people = [
            try await office.payer.session(on: host), try await office.approver.session(on: host),
            try await office.secondApprover.session(on: host),
        ]
        for number in 0..<Self.months { try await pay(first.adding(number), people) }
        for session in people { await session.close() }
    }

    private func pay(_ month: BenchMonth, _ people: [HostSession]) async throws {
        let runs = people.map { Pcs_Payments_V1_RunServiceClient($0.transport, options: $0.slow) }
        let opened = try await runs[0].openRun(.with { $0.month = month.month })
        let run = try await runs[0].calculateRun(
            .with { ($0.runID, $0.beforeCutOff, $0.reason) = (opened.runID, true, "Benchmark") })
        try await accept(run.runID, runs[0])
        _ = try await runs[0].reviewRun(.with { ($0.runID, $0.calculation) = (run.runID, run.calculation) })
        _ = try await runs[1].approveRun(.with { ($0.runID, $0.calculation) = (run.runID, run.calculation) })
        _ = try await runs[2].approveRun(
            .with {
                ($0.runID, $0.calculation) = (run.runID, run.calculation)
                $0.controlTotalPence = run.netPence
            })
    }

    private func accept(_ runID: String, _ runs: Pcs_Payments_V1_RunServiceClient) async throws {
        var numbers: [Int32] = []
        for try await exception in try await runs.listExceptions(
            .with { ($0.runID, $0.openOnly) = (runID, true) })
        {
            numbers.append(exception.number)
        }
        for start in stride(from: 0, to: numbers.count, by: 1_000) {
            _ = try await runs.acceptException(
                .with {
                    ($0.runID, $0.reason) = (runID, "Benchmark")
                    $0.numbers = Array(numbers[start..<min(start + 1_000, numbers.count)])
                })
        }
    }

    /// Milliseconds for the list of a practice's statements, and for all of them with their lines one after the other.
    func measureHistory(repetitions: Int) async throws -> (list: [Double], lines: [Double], statements: Int) {
        let host = try await HostUnderTest.start(on: bench, data: folder)
        defer { host.end() }
        let session = try await office.payer.session(on: host)
        let client = Pcs_Payments_V1_StatementServiceClient(session.transport)
        var (list, lines, count) = ([Double](), [Double](), 0)
        for repetition in 0..<repetitions {
            let code = office.register.practices[repetition * 97 % office.register.practices.count].code
            let watch = Stopwatch()
            let statements = try await client.listStatements(.with { $0.practiceCode = code }).statements
            list.append(watch.seconds * 1_000)
            guard statements.count == Self.months else {
                throw BenchError("\(code) has \(statements.count) statements, not \(Self.months)")
            }
            count = statements.count
            guard repetition.isMultiple(of: 10) else { continue }
            let all = Stopwatch()
            for statement in statements {
                _ = try await client.getStatement(
                    .with { ($0.practiceCode, $0.month) = (code, statement.month) })
            }
            lines.append(all.seconds * 1_000)
        }
        await session.close()
        return (list, lines, count)
    }

    /// Seconds until a file of 20,000 rows is checked: with faults in every row, all listed or counted in the refusal,
    /// and without any, stored to be submitted.
    func measureVariations(repetitions: Int) async throws -> (faulty: [Double], sound: [Double], faults: Int)
    {
        let host = try await HostUnderTest.start(on: bench, data: folder)
        defer { host.end() }
        let session = try await office.payer.session(on: host)
        let largest = Dictionary(grouping: office.register.practices, by: \.commissioner)
            .max { $0.value.count < $1.value.count }
        guard let largest else { throw BenchError("there is no commissioner") }
        let practices = largest.value.map(\.code)
        let month = last.adding(bench.options.wants(["statement_history_ms"]) ? 1 : 0).text
        let faulty = VariationRows.faulty(practices, month: month)
        var (bad, good, faults) = ([Double](), [Double](), 0)
        for repetition in 0..<repetitions {
            let watch = Stopwatch()
            do {
                _ = try await upload(faulty, for: largest.key, "faulty.csv", session)
                throw BenchError("a file with faults was taken")
            } catch let failure as Failure {
                bad.append(watch.seconds)
                faults = failure.violationCount
            }
            guard faults >= VariationRows.most else { throw BenchError("only \(faults) faults were counted") }
            let each = VariationRows.most / practices.count
            // Of another name of file and other narratives: the same file again would be refused.
            let sound = VariationRows.sound(practices, each: each, month: last.adding(2 + repetition).text)
            let second = Stopwatch()
            _ = try await upload(sound, for: largest.key, "sound-\(repetition).csv", session)
            good.append(second.seconds)
        }
        await session.close()
        return (bad, good, faults)
    }

    private func upload(_ file: [UInt8], for commissioner: String, _ name: String, _ session: HostSession)
        async throws
        -> Pcs_Payments_V1_VariationUpload
    {
        let first = Pcs_Payments_V1_UploadVariationsRequest.with {
            ($0.commissionerCode, $0.fileName) = (commissioner, name)
        }
        return try await Pcs_Payments_V1_VariationServiceClient(session.transport, options: session.slow)
            .uploadVariations(Chunks.of(file, first: first) { $0.data = $1 })
    }
}
