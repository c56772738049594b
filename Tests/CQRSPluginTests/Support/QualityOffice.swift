import CaseworkPlugin
import CommonContract
import CqrsContract
import Foundation
import PluginAPI
import PluginTestKit
import Testing

@testable import CQRSPlugin

/// The people of CQRS on a test host with the real register of organisations, and short ways to do what they do.
struct QualityOffice: Sendable {
    static let practices = ["A81001", "A81002", "A81004"]

    let host: TestHost
    let operating: TestSubject
    let second: TestSubject

    /// - Parameter casework: whether tasks and messages arrive, to be looked at through the door.
    static func with(
        casework: Bool = false, others: [any Plugin.Type] = [], _ body: (QualityOffice) async throws -> Void
    ) async throws {
        let plugins: [any Plugin.Type] =
            casework ? [CQRSPlugin.self, CaseworkPlugin.self] : [CQRSPlugin.self]
        try await TestHost.with(plugins + others) { host in
            try await host.loadOrganisations()
            let office = QualityOffice(
                host: host, operating: try await host.person("olive", roles: [Role("CQRS_OPERATOR")]),
                second: try await host.person("sam", roles: [Role("CQRS_OPERATOR")]))
            try await body(office)
        }
    }

    func services(_ subject: TestSubject? = nil) async throws -> Pcs_Cqrs_V1_QualityServiceServiceClient {
        Pcs_Cqrs_V1_QualityServiceServiceClient(
            try await host.transport(.inProcess, as: subject ?? operating))
    }
    func submissions(_ subject: TestSubject? = nil) async throws -> Pcs_Cqrs_V1_SubmissionServiceClient {
        Pcs_Cqrs_V1_SubmissionServiceClient(try await host.transport(.inProcess, as: subject ?? operating))
    }
    func calculations(_ subject: TestSubject? = nil) async throws -> Pcs_Cqrs_V1_CalculationServiceClient {
        Pcs_Cqrs_V1_CalculationServiceClient(try await host.transport(.inProcess, as: subject ?? operating))
    }

    // MARK: Files

    func load(
        _ text: String, as format: Pcs_Cqrs_V1_ExtractFormat, outsideWindow: Bool = false,
        dryRun: Bool = false
    ) async throws -> Pcs_Cqrs_V1_ExtractLoad {
        let bytes = Data(text.utf8)
        var messages: [Pcs_Cqrs_V1_LoadExtractRequest] = []
        // In pieces that cut rows in two.
        for start in stride(from: 0, to: max(1, bytes.count), by: 1_000) {
            messages.append(
                .with {
                    if start == 0 {
                        $0.format = format
                        $0.fileName = "extract.csv"
                        $0.dryRun = dryRun
                        $0.outsideWindow = outsideWindow
                        $0.reason = outsideWindow ? "agreed with the region" : ""
                    }
                    $0.data = bytes[start..<min(start + 1_000, bytes.count)]
                })
        }
        return try await submissions().loadExtract(messages)
    }

    @discardableResult
    func participate(_ service: String, _ practices: [String], from: String, to: String) async throws
        -> Pcs_Cqrs_V1_ExtractLoad
    {
        var text = "QUALITY_SERVICE,SP_ORG_CODE,SP_ORG_NAME,CO_ORG_CODE,PART_ST_DT,PART_ED_DT\r\n"
        for practice in practices { text += "\(service),\(practice),Practice,,\(from),\(to)\r\n" }
        return try await load(text, as: .participationList)
    }

    static let header =
        "QUALITY_SERVICE,NAME,ORG_CODE,ACH_DATE,IND_CODE,FIELD_NAME,VALUE,DEFAULT_VALUES_USED,SUBMIT_USER_ID,SUBMIT_DATE,SUBMIT_TIME,LAST_SUBMISSION\r\n"

    static func row(
        _ service: String, _ practice: String, _ date: String, _ indicator: String, _ field: String,
        _ value: String,
        defaults: String = "None", last: String = "Y"
    ) -> String {
        let quoted = field.contains(",") ? "\"\(field)\"" : field
        return
            "\(service),Name,\(practice),\(date),\(indicator),\(quoted),\(value),\(defaults),AUTOMATED,02/04/2024,11:19:50,\(last)\r\n"
    }

    func loadConstants(_ rows: [String]) async throws {
        let text =
            "name,group,valid_from,valid_to,value,confidence,source,note\r\n"
            + rows.map { $0 + "\r\n" }.joined()
        _ = try await services().loadConstants([
            .with {
                $0.fileName = "constants.csv"
                $0.data = Data(text.utf8)
            }
        ])
    }

    @discardableResult
    func loadPopulations(_ rows: [String]) async throws -> Pcs_Cqrs_V1_PopulationLoad {
        let text = "org_code,base,as_of,value,source\r\n" + rows.map { $0 + "\r\n" }.joined()
        return try await submissions().loadPopulations([
            .with {
                $0.fileName = "populations.csv"
                $0.data = Data(text.utf8)
            }
        ])
    }

    /// Loads a service of rows in the layout of the shipped files, and publishes it.
    func define(service: String, indicator: String? = nil, tariff: String? = nil) async throws {
        let files: [(Pcs_Cqrs_V1_ServiceFile, [UInt8], String?)] = [
            (.services, Array(ShippedFiles.services), service),
            (.indicators, Array(ShippedFiles.indicators), indicator),
            (.tariffs, Array(ShippedFiles.tariffs), tariff),
        ]
        let load = try await services().loadServices(
            files.compactMap { file, shipped, row in
                guard let row else { return nil }
                let header = String(decoding: shipped.prefix { $0 != 0x0A && $0 != 0x0D }, as: UTF8.self)
                return .with {
                    $0.file = file
                    $0.fileName = "service.csv"
                    $0.data = Data((header + "\r\n" + row + "\r\n").utf8)
                }
            })
        let draft = try #require(load.services.first)
        _ = try await services(second).publishService(
            .with {
                ($0.code, $0.version, $0.definitionSha256) = (
                    draft.code, draft.version, draft.definitionSha256
                )
            })
    }

    /// Collection windows: `service,date,extract_from,extract_to,manual_from,manual_to,declare_by,approve_by,pay_on`.
    @discardableResult
    func loadCalendar(_ rows: [String]) async throws -> Pcs_Cqrs_V1_CalendarLoad {
        let text =
            "service_code,achievement_date,extract_from,extract_to,manual_from,manual_to,declare_by,approve_by,pay_on\r\n"
            + rows.map { $0 + "\r\n" }.joined()
        return try await submissions().loadCalendar([.with { $0.data = Data(text.utf8) }])
    }

    func calculate(_ service: String, _ date: CalendarDate, dryRun: Bool = false) async throws
        -> Pcs_Cqrs_V1_CalculationRun
    {
        try await calculations().calculate(
            .with {
                $0.serviceCode = service
                $0.achievementDate = Pcs_Common_V1_Date(date)
                $0.dryRun = dryRun
            })
    }
}

/// Expects a refusal of this name, with these violations as "row rule" among those listed.
func expectRefusal(
    _ name: String, _ places: [String] = [], sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
) async {
    do {
        try await body()
        Issue.record("nothing was refused", sourceLocation: sourceLocation)
    } catch let failure as Failure {
        #expect(failure.reason.name == name, "\(failure)", sourceLocation: sourceLocation)
        let found = Set(failure.violations.map { "\($0.row) \($0.rule)" })
        for place in places {
            #expect(found.contains(place), "\(place) in \(found.sorted())", sourceLocation: sourceLocation)
        }
    } catch {
        Issue.record(error, sourceLocation: sourceLocation)
    }
}
