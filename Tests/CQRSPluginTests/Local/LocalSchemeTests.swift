import CommonContract
import CqrsContract
import Foundation
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@testable import CQRSPlugin

/// Services, contracts and who may act for what (10.1 to 10.3).
@Suite("Local services")
struct LocalSchemeTests {
    typealias Office = LocalOffice

    private func define(
        _ office: Office, _ definition: Pcs_Cqrs_V1_LocalServiceDefinition, of service: String = ""
    )
        async throws -> Pcs_Cqrs_V1_LocalService
    {
        try await office.schemes(office.admin).defineLocalService(
            .with {
                ($0.commissionerCode, $0.serviceID, $0.definition) = (
                    Office.commissioner, service, definition
                )
            })
    }

    @Test("a definition is refused with every rule that it breaks, and nothing is kept")
    func broken() async throws {
        try await Office.with { office in
            let broken = Office.definition {
                ($0.name, $0.payCode) = ("X", "QOFACH")
                $0.providerKinds = []
                $0.endOn = Pcs_Common_V1_Date(day("2025-03-31"))
                $0.mediumBandFromPounds = "20000"
                $0.components = [
                    Office.component("blood", ["": "1.00001"]) {
                        $0.caps = [Office.cap(.valueAYear, "1.001")]
                        ($0.minimumQuantity, $0.maximumQuantity) = ("5", "4")
                    },
                    Office.component("ECG", ["": "1"]) { $0.tariffs.append($0.tariffs[0]) },
                    Office.component("ECG", [:]),
                ]
                $0.backingColumns = [.with { ($0.name, $0.type, $0.componentID) = ("when", .date, "ECG") }]
            }
            await expectLocalRefusal(
                "FIELD_INVALID",
                ["LS01", "LS02", "LS03", "LS06", "LS07", "LS09", "LS10", "LS11", "LS12"]
            ) { _ = try await define(office, broken) }
            let band = Office.definition { $0.mediumBandFromPounds = "20000" }
            await expectLocalRefusal("FIELD_INVALID", ["LS08"]) { _ = try await define(office, band) }
            let list = try await office.schemes(office.admin).listLocalServices(
                .with { $0.commissionerCode = Office.commissioner })
            #expect(list.services.isEmpty)
        }
    }

    @Test("another administrator publishes what was seen; publishing freezes the pay code")
    func publishing() async throws {
        try await Office.with { office in
            let draft = try await define(office, Office.definition())
            func publish(_ subject: TestSubject, _ hash: String) async throws -> Pcs_Cqrs_V1_LocalService {
                try await office.schemes(subject).publishLocalService(
                    .with {
                        ($0.commissionerCode, $0.serviceID) = (Office.commissioner, draft.serviceID)
                        $0.definitionSha256 = hash
                    })
            }
            await expectLocalRefusal("SECOND_PERSON_REQUIRED") {
                _ = try await publish(office.admin, draft.definitionSha256)
            }
            await expectLocalRefusal("DEFINITION_CHANGED") {
                _ = try await publish(office.otherAdmin, "another")
            }
            _ = try await publish(office.otherAdmin, draft.definitionSha256)
            await expectLocalRefusal("LOCAL_PAY_CODE_FROZEN") {
                _ = try await define(
                    office, Office.definition { $0.paymentRoute = .file }, of: draft.serviceID)
            }
            // A tariff may change with the next version; the one that holds stays until that is published.
            let next = try await define(
                office, Office.definition { $0.components[1].tariffs[0].amountPounds = "18.00" },
                of: draft.serviceID)
            #expect(next.version == 2)
            let held = try await office.schemes(office.tier1).getLocalService(
                .with { ($0.commissionerCode, $0.serviceID) = (Office.commissioner, draft.serviceID) })
            #expect(held.version == 1)
            _ = try await office.schemes(office.admin).closeLocalService(
                .with {
                    ($0.commissionerCode, $0.serviceID, $0.reason) = (
                        Office.commissioner, draft.serviceID, "no longer bought"
                    )
                })
            await expectLocalRefusal("LOCAL_SERVICE_STATE_WRONG") {
                try await office.windows(draft.serviceID)
            }
            // The draft of the next version is not put into force any more.
            await expectLocalRefusal("LOCAL_SERVICE_STATE_WRONG") {
                _ = try await publish(office.otherAdmin, next.definitionSha256)
            }
        }
    }

    @Test("10.3: everyone offered is pending; each answers for itself, and the commissioner sees the count")
    func offers() async throws {
        try await Office.with { office in
            let service = try await office.publish(Office.definition())
            let offered = try await office.schemes(office.admin).offerLocalContract(
                office.offer([service], to: [Office.practice, Office.second]))
            #expect((offered.pending, offered.active) == (2, 0))
            func answer(_ subject: TestSubject, _ accept: Bool, _ reason: String = "") async throws
                -> Pcs_Cqrs_V1_LocalContract
            {
                try await office.schemes(subject).answerLocalContract(
                    .with {
                        ($0.providerCode, $0.contractID) = (subject.actingFor ?? "", offered.contractID)
                        ($0.accept, $0.reason) = (accept, reason)
                    })
            }
            await expectLocalRefusal("FIELD_INVALID") { _ = try await answer(office.otherUser, false) }
            let accepted = try await answer(office.user, true)
            #expect(
                accepted.providers.map(\.providerCode) == [Office.practice], "nothing of the others is shown")
            _ = try await answer(office.otherUser, false, "no room")
            await expectLocalRefusal("LOCAL_CONTRACT_STATE_WRONG") {
                _ = try await answer(office.otherUser, true)
            }
            let seen = try await office.schemes(office.admin).listLocalContracts(
                .with { $0.commissionerCode = Office.commissioner }
            ).contracts
            #expect(seen.map { [$0.pending, $0.active, $0.rejected] } == [[0, 1, 1]])
            #expect(seen.first?.providers.last?.reason == "no room")
            // Two tasks a provider were opened, and both settled.
            #expect(try office.published("pcs.casework.v1.TaskRequested").count == 4)
            #expect(try office.published("pcs.casework.v1.TaskSettled").count == 4)
            // A second contract for the same components and days is refused; after an end the days after it are free.
            await expectLocalRefusal("PROVIDER_OUTSIDE_SCOPE", ["10.3"]) {
                try await office.contract([service], with: [Office.practice])
            }
            let ended = try await office.schemes(office.admin).endLocalContract(
                .with {
                    ($0.commissionerCode, $0.contractID, $0.reason) = (
                        Office.commissioner, offered.contractID, "agreed"
                    )
                    $0.lastDay = Pcs_Common_V1_Date(day("2026-01-31"))
                })
            #expect(ended.ended == 1)
            try await office.windows(service)
            let availability = try await office.schemes(office.user).getClaimAvailability(
                .with { $0.providerCode = Office.practice })
            #expect(availability.windows.map(\.reason) == [.noContract])
        }
    }

    @Test("providers of other kinds, of other commissioners, closed or unknown are refused, each by name")
    func scope() async throws {
        try await Office.with { office in
            let service = try await office.publish(Office.definition { $0.providerKinds = [.pcn] })
            let refusal = await expectLocalRefusal("PROVIDER_OUTSIDE_SCOPE", ["10.1", "10.3"]) {
                try await office.contract([service], with: [Office.practice, "X99999"])
            }
            #expect(refusal?.violations.count == 2)
            let practices = try await office.publish(Office.definition())
            await expectLocalRefusal("PROVIDER_OUTSIDE_SCOPE", ["ORG-2"]) {
                try await office.contract([practices], with: ["A81001"])
            }
        }
    }

    @Test("a service for participation only ends with the contracts: in its report, never in claims")
    func participationOnly() async throws {
        try await Office.with { office in
            let service = try await office.publish(
                Office.definition {
                    ($0.participationOnly, $0.payCode) = (true, "")
                    ($0.components, $0.paymentRoute) = ([], .unspecified)
                })
            try await office.contract([service], with: [Office.practice])
            let report = try await office.report(.participation)
            #expect(
                report.rows.map { [$0.cells[2], $0.cells[5], $0.cells[8]] } == [
                    ["Y", Office.practice, "active"]
                ])
            await expectLocalRefusal("LOCAL_SERVICE_STATE_WRONG") { try await office.windows(service) }
        }
    }

    @Test(
        "a shared service is offered and its claims are decided by the other commissioner, for its own providers"
    )
    func shared() async throws {
        try await Office.with { office in
            let other = "16C"
            let service = try await office.publish(Office.definition { $0.sharedWith = [other] })
            let window = try #require(try await office.windows(service).first)
            let admin = try await office.host.person("otto", roles: [Roles.cqrsLocalAdministrator], at: other)
            let foreign = try await office.host.person(
                "nia", roles: [Roles.cqrsLocalAdministrator], at: "15E")
            var offer = office.offer([service], to: ["A81001"], isOffer: false)
            offer.commissionerCode = "15E"
            await expectLocalRefusal("FIELD_INVALID") {
                _ = try await office.schemes(foreign).offerLocalContract(offer)
            }
            offer.commissionerCode = other
            _ = try await office.schemes(admin).offerLocalContract(offer)
            let user = try await office.host.person("ann", roles: [Roles.cqrsLocalUser], at: "A81001")
            let claim = try await office.submit(
                try await office.create(service, window, [Office.line("ECG", "1")], by: user), by: user)
            #expect(claim.commissionerCode == other)
            let notTheirs = try await office.claims(office.tier1).checkLocalClaims(office.decision([claim]))
            #expect(notTheirs.results.first?.refusedBecause == "there is no such claim")
            await expectLocalRefusal("LOCAL_SERVICE_UNKNOWN") {
                _ = try await office.schemes(admin).closeLocalService(
                    .with { ($0.commissionerCode, $0.serviceID, $0.reason) = (other, service, "not mine") })
            }
        }
    }

    @Test("S2, R16: the ICB level is refused with who acts instead, until the switch is on")
    func icb() async throws {
        try await Office.with { office in
            let icb = try await office.host.person("ivy", roles: [Roles.cqrsLocalAdministrator], at: "QHM")
            let definition = Pcs_Cqrs_V1_DefineLocalServiceRequest.with {
                ($0.commissionerCode, $0.definition) = ("QHM", Office.definition())
            }
            let refusal = await expectLocalRefusal("ICB_MAY_NOT_ACT") {
                _ = try await office.schemes(icb).defineLocalService(definition)
            }
            #expect(refusal?.message.contains("Sub ICB Location") == true)
            let services = Pcs_Cqrs_V1_QualityServiceServiceClient(
                try await office.host.transport(.inProcess, as: office.operator))
            let text =
                "name,group,valid_from,valid_to,value,confidence,source,note\r\n"
                + "icb_may_commission_local,,2026-03-01,,1,C,decision of the board,\r\n"
            _ = try await services.loadConstants([
                .with { ($0.fileName, $0.data) = ("constants.csv", Data(text.utf8)) }
            ])
            #expect(try await office.schemes(icb).defineLocalService(definition).ownerCode == "QHM")
        }
    }

    @Test("windows do not cover the same activity twice, and one with claims stays")
    func windows() async throws {
        try await Office.with { office in
            let open = try await office.open()
            await expectLocalRefusal("FIELD_INVALID", ["LOC-7"]) {
                try await office.windows(
                    open.service,
                    [Office.window("2026-02-28", "2026-03-31", opens: "2026-04-01", closes: "2026-04-30")])
            }
            _ = try await office.create(open.service, open.window, [Office.line("ECG", "1")])
            await expectLocalRefusal("LOCAL_WINDOW_IN_USE") {
                _ = try await office.schemes(office.admin).withdrawClaimWindow(
                    .with {
                        ($0.commissionerCode, $0.windowID, $0.reason) = (
                            Office.commissioner, open.window, "not needed"
                        )
                    })
            }
        }
    }

    @Test(
        "10.7: reports have the same columns on screen and as CSV; budget with a forecast, payments by pay code and month"
    )
    func reports() async throws {
        try await Office.with { office in
            let open = try await office.open(
                Office.definition { $0.components[1].caps = [Office.cap(.quantityAYear, "40")] })
            _ = try await office.schemes(office.admin).setLocalBudget(
                .with {
                    ($0.commissionerCode, $0.serviceID) = (Office.commissioner, open.service)
                    ($0.financialYear, $0.budgetPence, $0.reason) = (
                        "2025/26", 10_000_00, "agreed by the board"
                    )
                })
            let claim = try await office.submit(
                try await office.create(
                    open.service, open.window, [Office.line("BLOOD", "42"), Office.line("ECG", "9")]))
            _ = try await office.approve(claim)
            let second = try await office.create(
                open.service, open.window, [Office.line("ECG", "2")], by: office.otherUser)
            _ = try await office.submit(second, by: office.otherUser)

            let names: [Pcs_Cqrs_V1_LocalReportName] = [
                .claims, .components, .paymentsAndAccruals, .participation, .evidence, .budget, .bulk, .pcse,
            ]
            for name in names {
                let report = try await office.report(name)
                let lines = String(decoding: report.csv, as: UTF8.self).split(separator: "\r\n").map(
                    String.init)
                #expect(lines.first == report.columns.joined(separator: ","))
                #expect(lines.count == report.rows.count + 1, "\(name)")
                #expect(report.rows.allSatisfy { $0.cells.count == report.columns.count }, "\(name)")
            }
            let payments = try await office.report(.paymentsAndAccruals).rows.map(\.cells)
            #expect(payments == [["LIS", "2026-02", "0.00", "1352.25", "34.50", "1386.75"]])
            // Eleven months are claimed for up to February; twelve are in the year.
            let budget = try await office.report(.budget).rows.map(\.cells)
            #expect(
                budget.map { Array($0.dropFirst(3)) } == [
                    ["10000.00", "1352.25", "34.50", "8647.75", "1512.82"]
                ])
            let ecg = try await office.report(.components).rows.map(\.cells).first {
                $0[1] == "ECG" && $0[2] == Office.practice
            }
            #expect(
                ecg.map { Array($0.dropFirst(4)) } == [
                    "1", "9", "155.25", "quantity a financial year", "40", "22.5",
                ])
            // A provider has the reports of its own claims, and no others.
            await expectLocalRefusal("FIELD_INVALID") {
                _ = try await office.claims(office.user).runLocalReport(
                    .with { ($0.providerCode, $0.name) = (Office.practice, .budget) })
            }
            let own = try await office.claims(office.user).runLocalReport(
                .with { ($0.providerCode, $0.name) = (Office.practice, .claims) })
            #expect(own.rows.count == 1)
        }
    }
}
