import CommonContract
import CqrsContract
import Foundation
import PluginAPI
import PluginTestKit
import Testing

@testable import CQRSPlugin

/// What is wrong is said by row and rule, and nothing of it is applied.
@Suite("CQRS bad input")
struct BadInputTests {
    private func row(
        _ practice: String, _ date: String, _ indicator: String, _ field: String, _ value: String,
        last: String = "Y"
    )
        -> String
    {
        QualityOffice.row("QOF2324", practice, date, indicator, field, value, last: last)
    }

    private func stored(_ office: QualityOffice) throws -> Int64? {
        try office.host.store(of: "cqrs").read { reader in
            try reader.first(Statement("SELECT COUNT(*) FROM count_set")) { $0.integer(0) }
        }
    }

    @Test("an extract with many faults is refused whole, every fault listed")
    func extract() async throws {
        try await QualityOffice.with { office in
            try await office.participate("QOF2324", ["A81001"], from: "20230401", to: "20240331")
            let text =
                QualityOffice.header
                + row("A81001", "20240331", "AF006", "Numerator", "150")  // 2
                + row("A81001", "20240331", "AF006", "Denominator", "140")  // 3: 2 is over it
                + row("Z99999", "20240331", "AF006", "Numerator", "1")  // 4: unknown practice
                + row("A81002", "20240331", "AF006", "Numerator", "1")  // 5: does not take part
                + row("A81001", "20240331", "AF999", "Numerator", "1")  // 6: unknown indicator
                + row("A81001", "20240331", "AF006", "Nonsense", "1")  // 7: unknown field
                + row("A81001", "20240331", "AF008", "Numerator", "-3")  // 8: no count
                + row("A81001", "20240331", "BP002", "Numerator", "1")  // 9
                + row("A81001", "20240331", "BP002", "Numerator", "1")  // 10: 9 again
                + row("A81001", "20240330", "AF006", "Numerator", "1")  // 11: no achievement date
                + row("A81001", "2024-03-31", "AF006", "Numerator", "1")  // 12: no date
                + "QOF2324,too short\r\n"  // 13
                + row("A81001", "20240331", "AF006", "Denominator", "9", last: "N")  // superseded by the sender: fine
                + row("A81001", "20240331", "AF007", "Numerator", "1", last: "?")  // 15
            let places = [
                "2 DAT-9", "4 EXT02", "5 PAR-1", "6 DAT-9", "7 DAT-9", "8 DAT-9", "10 DAT-14", "11 DAT-3",
                "12 DAT-1",
                "13 EXT01", "15 DAT-1",
            ]
            await expectRefusal("FILE_INVALID", places) {
                _ = try await office.load(text, as: .indicatorValues)
            }
            #expect(try stored(office) == 0)
        }
    }

    @Test("a late or an early file is refused, and let in with a reason")
    func window() async throws {
        try await QualityOffice.with { office in
            try await office.participate("QOF2324", ["A81001"], from: "20230401", to: "20240331")
            let calendar =
                "service_code,achievement_date,extract_from,extract_to,manual_from,manual_to,declare_by,approve_by,pay_on\r\n"
                + "QOF2324,2024-03-31,2024-04-01,2024-04-08,2024-04-09,2024-04-20,2024-04-24,2024-05-05,2024-06-20\r\n"
                + "QOF2324,2024-02-29,2030-03-01,2030-03-08,,,,,\r\n"
            _ = try await office.submissions().loadCalendar([.with { $0.data = Data(calendar.utf8) }])
            let late = QualityOffice.header + row("A81001", "20240331", "AF006", "Numerator", "1")
            await expectRefusal("FILE_INVALID", ["2 EXT04"]) {
                _ = try await office.load(late, as: .indicatorValues)
            }
            let early = QualityOffice.header + row("A81001", "20240229", "AF006", "Numerator", "1")
            await expectRefusal("FILE_INVALID", ["2 EXT04"]) {
                _ = try await office.load(early, as: .indicatorValues)
            }
            let load = try await office.load(late, as: .indicatorValues, outsideWindow: true)
            #expect(load.added == 1)
        }
    }

    @Test("a file with another heading, or no rows, is refused")
    func headings() async throws {
        try await QualityOffice.with { office in
            await expectRefusal("FILE_INVALID", ["1 EXT01"]) {
                _ = try await office.load("A,B,C,D,E,F,G,H,I,J,K,L\r\n", as: .indicatorValues)
            }
            await expectRefusal("FILE_INVALID", ["2 EXT01"]) {
                _ = try await office.load(QualityOffice.header, as: .indicatorValues)
            }
            await expectRefusal("FILE_INVALID") {
                _ = try await office.load("QUALITY_SERVICE,ORG_CODE\r\nx,y\r\n", as: .achievedPoints)
            }
        }
    }

    @Test("a participation list names practices of the register and services that run, once")
    func participation() async throws {
        try await QualityOffice.with { office in
            let header = "QUALITY_SERVICE,SP_ORG_CODE,SP_ORG_NAME,CO_ORG_CODE,PART_ST_DT,PART_ED_DT\r\n"
            let text =
                header + "QOF2324,Z99999,Nobody,,20230401,20240331\r\n"
                + "NONE9,A81001,A,,20230401,20240331\r\n"
                + "QOF2324,A81001,A,,20200401,20240331\r\n" + "QOF2324,A81001,A,,20230401,20240331\r\n"
            await expectRefusal("FILE_INVALID", ["2 EXT02", "3 DAT-1", "4 EXT03", "5 DAT-14"]) {
                _ = try await office.load(text, as: .participationList)
            }
            try await office.participate("QOF2324", ["A81001"], from: "20230401", to: "20240331")
            let again = header + "QOF2324,A81001,Practice again,,20230401,20240331\r\n"
            await expectRefusal("FILE_INVALID", ["2 4.2"]) {
                _ = try await office.load(again, as: .participationList)
            }
        }
    }

    @Test("a calculation without a list or a national figure names what is missing, and stores nothing")
    func missing() async throws {
        try await QualityOffice.with { office in
            try await office.participate("QOF2324", ["A81001"], from: "20230401", to: "20240331")
            await expectRefusal("CONSTANT_MISSING") {
                _ = try await office.calculate("QOF2324", day("2024-03-31"))
            }
            let runs = try await office.calculations().listRuns(.init())
            #expect(runs.runs.isEmpty)
        }
    }
}
