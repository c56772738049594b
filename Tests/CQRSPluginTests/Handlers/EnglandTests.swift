import CommonContract
import CqrsContract
import Foundation
import PluginAPI
import PluginTestKit
import Testing

@testable import CQRSPlugin

/// A national extract through the door: real practices, 76 indicators, three counts each. By default a twentieth of
/// England; `PCS_CQRS_PRACTICES` sets another number, for looking at the speed of a release build.
@Suite("CQRS at size")
struct EnglandTests {
    @Test(
        "an extract of many practices is loaded and calculated; the sums of the results are those of the run")
    func england() async throws {
        let wanted = ProcessInfo.processInfo.environment["PCS_CQRS_PRACTICES"].flatMap { Int($0) } ?? 320
        try await QualityOffice.with { office in
            let date = day("2024-03-31")
            var definition = try Shipped.definition("QOF2324")
            definition.code = "QOF2324"
            let practices = try office.practices(wanted, on: day("2023-04-01"))
            try await office.participate("QOF2324", practices, from: "20230401", to: "20240331")
            let groups = Set(definition.indicators.map(\.weightingGroup)).subtracting([""])
            try await office.loadConstants(
                groups.sorted().map { "national_register,\($0),2024-03-31,2024-03-31,1316260,A,test," })
            try await office.loadPopulations(
                practices.enumerated().map { "\($1),crp,2024-01-01,\(4_000 + $0 % 9_000),test" })

            let clock = ContinuousClock()
            let pieces = try Self.extract(definition, practices)
            let submissions = try await office.submissions()
            var start = clock.now
            let load = try await submissions.loadExtract(pieces)
            let loaded = clock.now - start
            #expect(load.providers == Int64(practices.count))
            start = clock.now
            let run = try await office.calculate("QOF2324", date)
            let calculated = clock.now - start
            #expect(run.providers == Int64(practices.count))
            #expect(run.incomplete == 0)
            #expect(run.lines == Int64(practices.count * 76))
            print(
                "CQRS at size: \(practices.count) practices, \(load.rows) rows: loaded \(loaded), calculated \(calculated)"
            )

            var (sum, lines) = (Int64(0), Int64(0))
            for try await payment in try await office.calculations().listResults(
                .with { $0.runID = run.runID })
            {
                sum += payment.totalPence
                lines += payment.lines.reduce(0) { $0 + $1.amountPence }
            }
            #expect(sum == run.totalPence)
            #expect(lines == run.totalPence)
        }
    }

    /// 228 rows a practice, in messages of a megabyte.
    private static func extract(_ definition: ServiceDefinition, _ practices: [String]) throws
        -> [Pcs_Cqrs_V1_LoadExtractRequest]
    {
        var messages: [Pcs_Cqrs_V1_LoadExtractRequest] = [
            .with {
                $0.format = .indicatorValues
                $0.fileName = "england.csv"
                $0.data = Data(QualityOffice.header.utf8)
            }
        ]
        var bytes = Data()
        for (number, practice) in practices.enumerated() {
            for (index, indicator) in definition.indicators.enumerated() {
                for field in indicator.requiredFields {
                    let value =
                        switch field.role {
                        case .numerator: String(100 + (number * 7 + index * 3) % 100)
                        case .denominator: "200"
                        case .register: String(100 + (number + index) % 900)
                        default: "Y"
                        }
                    bytes.append(
                        contentsOf: QualityOffice.row(
                            "QOF2324", practice, "20240331", indicator.code, field.name, value
                        ).utf8)
                }
            }
            if bytes.count > 1 << 20 || number == practices.count - 1 {
                messages.append(.with { $0.data = bytes })
                bytes = Data()
            }
        }
        return messages
    }
}

extension QualityOffice {
    /// So many practices of the register, open on a day.
    func practices(_ count: Int, on day: CalendarDate) throws -> [String] {
        var codes: [String] = []
        let text = String(decoding: try OpenData.read("ods/epraccur-gp-england.csv.gz"), as: UTF8.self)
        for line in text.split(whereSeparator: \.isNewline) {
            let code = line.split(separator: ",").first.map { $0.filter { $0 != "\"" } } ?? ""
            guard let ods = ODSCode(code), ods.looksLikePractice, line.contains("\"ACTIVE\""),
                line.contains("\"RO76\""),
                let opened = line.split(separator: ",").lazy.map({ $0.filter { $0 != "\"" } }).first(where: {
                    $0.count == 8 && $0.allSatisfy(\.isNumber)
                }), let since = CalendarDate(compact: opened), since <= day
            else { continue }
            codes.append(code)
            if codes.count == count { break }
        }
        return codes
    }
}
