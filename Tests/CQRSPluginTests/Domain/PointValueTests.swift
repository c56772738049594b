import CqrsContract
import Foundation
import PluginAPI
import PluginTestKit
import Testing

@testable import CQRSPlugin

@Suite("Value per point over the average list (payments.md 7.1)")
struct PointValueTests {
    private func load(_ office: QualityOffice, _ rows: String..., dryRun: Bool = false) async throws -> [String] {
        let header = "name,group,valid_from,valid_to,value,confidence,source,note\r\n"
        let text = header + rows.map { $0 + "\r\n" }.joined()
        return try await office.services().loadConstants([
            .with { ($0.fileName, $0.dryRun, $0.data) = ("constants.csv", dryRun, Data(text.utf8)) }
        ]).warnings
    }

    @Test("a year outside the ratio of the others is loaded with a warning; what is shipped fits")
    func ratio() async throws {
        try await QualityOffice.with { office in
            let wrong = "average_list_size,QOF,2026-01-01,2026-01-01,10349,B,test,"
            let words =
                "2026/27: 227.95 pounds a point over an average list of 10349 is 0.022026, not about 0.022142: one of the "
                + "two may be wrong"
            #expect(try await load(office, wrong, dryRun: true) == [words])
            #expect(try await load(office, wrong) == [words])
            #expect(try await load(office, "average_list_size,QOF,2026-01-01,2026-01-01,10295,B,test,").isEmpty)
            // 9,103 of a trade guide fails too.
            #expect(try await load(office, "average_list_size,QOF,2021-01-01,2021-01-01,9103,B,test,").count == 1)
            let shipped = try ShippedConstants.rows()
            #expect(PointValueCheck(shipped).warnings(about: shipped).isEmpty)
            #expect(shipped.contains { $0.name == "average_list_size" && $0.value == ExactDecimal(10_295) })
        }
    }
}

private enum ShippedConstants {
    static func rows() throws -> [NationalFigures.Row] {
        let (rows, violations) = ConstantsFile.read(ShippedFiles.constants)
        #expect(violations.isEmpty)
        return rows
    }
}
