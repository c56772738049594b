import Accounting
import PluginAPI
import Tabular
import Testing

@testable import CQRSPlugin

@Suite("CQRS service definitions")
struct DefinitionFileTests {
    @Test("the shipped definitions are sound, and have the published numbers of indicators and points")
    func shipped() throws {
        let read = DefinitionFiles.read(
            services: ShippedFiles.services, indicators: ShippedFiles.indicators,
            tariffs: ShippedFiles.tariffs)
        #expect(read.violations.listed == [])
        let expected = [
            "QOF1920": (68, "559.00"), "QOF2021": (68, "567.00"), "QOF2324": (76, "635.00"),
            "QOF2425": (76, "635.00"),
            "QOF2526": (44, "564.00"),
        ]
        for (code, (indicators, points)) in expected {
            let definition = try Shipped.definition(code)
            #expect(definition.indicators.count == indicators, "\(code)")
            #expect(definition.points.description == points, "\(code)")
        }
        #expect(try Shipped.definition("QOF2122").points.description == "635.00")
        #expect(try Shipped.definition("QOF2223").points.description == "635.00")
        for code in ["PCNCORE2021", "PCNCD2021", "PCNEHA2021", "PCNNPP2021", "PCN2021"] {
            #expect(Shipped.definitions[code] != nil, "\(code)")
        }
        #expect(try Shipped.definition("PCNNPP2021").offerUnit == .practice)
    }

    @Test("the points weighted by prevalence in 2025/26 are 462 of 564 (cqrs.md 6.3)")
    func weighted() throws {
        let definition = try Shipped.definition("QOF2526")
        let weighted = definition.indicators.filter { $0.weighting == .register }
        #expect(weighted.reduce(0) { $0 + $1.points.hundredths } == 462_00)
    }

    @Test("a definition written out is read back the same")
    func roundTrip() throws {
        for definition in Shipped.definitions.values {
            let read = DefinitionFiles.read(
                services: DefinitionText.services([definition]),
                indicators: DefinitionText.indicators(definition),
                tariffs: DefinitionText.tariffs(definition))
            #expect(read.violations.listed == [])
            #expect(read.definitions == [definition])
        }
    }

    @Test("what is wrong with a definition is said by file, row and rule")
    func wrong() {
        func file(_ columns: [String], _ rows: [String]) -> [UInt8] {
            [UInt8](([columns.joined(separator: ",")] + rows).joined(separator: "\n").utf8)
        }
        let services = file(
            DefinitionFiles.serviceColumns,
            [
                "TEST1,1,A test service,2025/26,qof,2025-04-01,2024-03-31,annual,monthly,mixed,practice,qof,crp,"
                    + "PRACTICE,flying,,,A,test"
            ])
        let indicators = file(
            DefinitionFiles.indicatorColumns,
            [
                "TEST1,1,AA001,AA,payment,fraction,10,90,40,,none,,A,,,,,,,A,test,",
                "TEST1,1,AA002,AA,payment,count,10,,,,none,,A,,,,,,,A,test,",
                "TEST1,1,AA002,AA,payment,sideways,x,,,,none,,A,,,,,,,A,test,",
                "OTHER,1,AA003,AA,payment,fraction,10,40,90,,none,,A,,,,,,,A,test,",
            ])
        let violations = DefinitionFiles.read(services: services, indicators: indicators, tariffs: [])
            .violations
        let found = Set(violations.listed.map { "\($0.row) \($0.rule) \($0.field)" })
        #expect(found.contains("2 SVC03 services.end_on"))
        #expect(found.contains("2 SVC04 services.flags"))
        #expect(found.contains("4 SVC07 indicators.kind"))
        #expect(found.contains("4 SVC08 indicators.points"))
        #expect(found.contains("5 SVC01 indicators.service"))
        #expect(found.contains("0 SVC08 indicators.upper"))
        #expect(found.contains("0 SVC08 indicators.points"))
    }
}
