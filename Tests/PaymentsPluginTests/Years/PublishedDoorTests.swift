import Accounting
import Foundation
import PaymentsContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Published years through the public door")
struct PublishedDoorTests {
    /// The head of a year's file with the practices of the north east, whose codes begin with A8.
    private func load(_ office: PaymentsOffice, _ year: String) async throws -> Int64 {
        let lines = String(decoding: try OpenData.read(RealYear.path(year)), as: UTF8.self).split(
            separator: "\n")
        let chosen = lines.prefix(1) + lines.dropFirst().filter { $0.firstMatch(of: #/,"?A8\d{4}/#) != nil }
        let bytes = Data((chosen.joined(separator: "\n") + "\n").utf8)
        let loaded = try await office.published().loadPublishedYear([
            .with { ($0.financialYear, $0.fileName, $0.data) = (year, "published.csv", bytes) }
        ])
        #expect(loaded.rows == Int64(chosen.count - 1))
        return loaded.rows
    }

    private func compare(_ office: PaymentsOffice, _ year: String) async throws
        -> Pcs_Payments_V1_PublishedSummary
    {
        var summary: Pcs_Payments_V1_PublishedSummary?
        for try await part in try await office.published().comparePublishedYear(
            .with { $0.financialYear = year })
        {
            summary = part.summary
        }
        return try #require(summary)
    }

    @Test("a year is compared heading by heading, with the year before where that is loaded")
    func headings() async throws {
        try await PaymentsOffice.with { office in
            _ = try await load(office, "2018/19")
            let alone = try await compare(office, "2018/19")
            #expect(
                alone.missingRate.isEmpty && alone.netPricePence == 8463 && alone.impliedNetPricePence > 8463)
            #expect(!alone.headings.contains { $0.test == .runOff })
            let pertussis = try #require(alone.headings.first { $0.heading == .pertussis })
            #expect(pertussis.test == .multipleOfFee && pertussis.rate == "9.80")
            #expect(pertussis.exact * 100 >= pertussis.practices * 97 && pertussis.practices > 250)
            let practices = try await load(office, "2019/20")
            let next = try await compare(office, "2019/20")
            let runOff = try #require(next.headings.first { $0.test == .runOff })
            #expect(runOff.practices > 50 && runOff.medianRatioMillionths == 1_000_000)
            #expect(
                next.headings.filter { $0.heading == .networkParticipation }.map(\.test) == [
                    .weightedList, .earlierWeightedList,
                ])
            let sums = try #require(next.headings.first { $0.test == .headingsAddUp })
            #expect(sums.exact == practices && sums.practices == practices)
        }
    }

    @Test(
        "a year without a price is not refused: it says which rate is missing, and compares with what the file implies"
    )
    func unpriced() async throws {
        try await PaymentsOffice.with { office in
            _ = try await load(office, "2021/22")
            let summary = try await compare(office, "2021/22")
            #expect(summary.missingRate == "global_sum_price" && summary.netPricePence == 0)
            #expect((9_000...9_500).contains(summary.impliedNetPricePence))
            #expect(summary.shares.map(\.area) == ["outside London"])
            // Once people have set both rates, the year is recomputed.
            try await office.setRate("global_sum_price", "97.28", from: "2021-04-01", to: "2022-04-01")
            try await office.setRate(
                "out_of_hours_percent", "4.75", from: "2021-04-01", to: "2022-04-01", unit: .percent)
            let set = try await compare(office, "2021/22")
            #expect(set.missingRate.isEmpty && set.netPricePence == 9266 && set.shares.count == 3)
        }
    }
}
