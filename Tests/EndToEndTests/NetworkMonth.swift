import CommonContract
import CqrsContract
import EndToEndSupport
import Foundation
import FrameClient
import HostContract
import PaymentsContract
import PluginAPI
import Testing

/// A network's money from the offer to the statement, and its correction in the next month, through the sockets of a real
/// host with both areas in it. cqrs.md 4, 7, 11; payments.md 8, 12.2.
@Suite("A network's month by all its people", .serialized)
struct NetworkMonth {
    private static let service = "PCNREV2526"
    private static let april = Pcs_Common_V1_Date.with { ($0.year, $0.month, $0.day) = (2025, 4, 30) }
    /// Reviews at 11.50 pounds each: 1,380.00, 977.50, 494.50 and 701.50 pounds.
    private static let reviews = ["G83001": 120, "G83013": 85, "G83021": 43, "G83044": 61]
    private static let leaver = "G83044"

    private let people = NetworkMonthPeople()

    @Test(
        "offered, counted, declared, approved, summed without the one who left, paid once, corrected a month later"
    )
    func wholeMonth() async throws {
        let host = try LiveHost()
        try host.start()
        try await RegisterOfEngland.load(host)
        try await people.register(host)
        try await prepare(host)

        let declared = try await declare(host)
        let sum = try await approveAndSum(declared, host)
        #expect(sum.amountPence == 1_380_00 + 977_50 + 494_50)

        let month = try await release(sum, host)
        try await people.loadContract(host)
        let run = try await people.pay(month, host)
        #expect(run.netPence == 10_000_00 + 2_852_00)
        // On the network's own statement, whose money the nominated member receives (payments.md 8.3).
        let statement = try await people.statement(month, host, as: people.networkReader)
        #expect(statement.lines.map(\.paycode) == ["PCNIIF"])
        #expect((statement.netPence, statement.payeeCode) == (2_852_00, NetworkMonthPeople.payee))
        let own = try await people.statement(month, of: NetworkMonthPeople.payee, host, as: people.reader)
        #expect(own.lines.map(\.paycode) == ["PMSB"])
        #expect(own.netPence == 10_000_00)
        let line = try #require(statement.lines.last)
        #expect(line.sourceType == "ITEM")
        #expect(try await people.replayed(line.lineNumber, month, host) == 2_852_00)
        await #expect(throws: Failure.self) { try await people.statement(month, host, as: people.stranger) }

        try await correct(sum, host)
        let next = following(month)
        _ = try await people.pay(next, host)
        let corrected = try await people.statement(next, host, as: people.networkReader)
        // Nothing else is there to take it from: it is carried forward, never taken from the member's own money.
        #expect(corrected.lines.map(\.paycode) == ["PCNIIF", "BCFD"])
        #expect(corrected.lines.map(\.amountPence) == [-57_50, 57_50])
        #expect(
            try await people.statement(next, of: NetworkMonthPeople.payee, host, as: people.reader).netPence
                == 10_000_00)
        // The first month's statement stays as it was read.
        #expect(try await people.statement(month, host, as: people.networkReader) == statement)
        #expect(host.stop() == 0)
    }

    // MARK: Offer and counts

    private func prepare(_ host: LiveHost) async throws {
        let services =
            "code,version,name,financial_year,payment_type,start_on,end_on,payment_period,collection_frequency,"
            + "collection_type,offer_unit,method,population_base,provider_kinds,flags,pay_code,subjective_code,"
            + "confidence,source\r\n"
            + "\(Self.service),1,Network reviews 2025/26,2025/26,pcn,2025-04-01,2026-03-31,monthly,monthly,automated,pcn,"
            + "itemOfService,none,PRACTICE|PCN,autoAcceptOffer|pcnAggregated|financeApprovalRequired,PCNIIF,,C,test\r\n"
        let indicators =
            "service,version,indicator,group,purpose,kind,points,lower,upper,step_points,weighting,weighting_group,entry,"
            + "default,protected,register_field,fields,capped_by,routes,confidence,source,description\r\n"
            + "\(Self.service),1,REV01,REV,payment,count,0,,,,none,,A,,,,C=Count,,,C,test,\r\n"
        let tariffs =
            "service,version,name,indicator,amount,base,divided_by,from,to,cap_a_year,confidence,source\r\n"
            + "\(Self.service),1,reviews,REV01,11.50,none,1,2025-04-01,,,C,test\r\n"
        try await people.publish(
            Self.service, [(.services, services), (.indicators, indicators), (.tariffs, tariffs)], host)
        let offer = try await people.participation(host) { client in
            try await client.createOffer(
                .with {
                    ($0.commissionerCode, $0.serviceCode) = (NetworkMonthPeople.lead, Self.service)
                    ($0.pcnCodes, $0.automaticallyAccept) = ([NetworkMonthPeople.pcn], true)
                })
        }
        #expect((offer.providers, offer.accepted) == (4, 4))
        try await loadExtract(host)
    }

    private func loadExtract(_ host: LiveHost) async throws {
        let header =
            "QUALITY_SERVICE,NAME,ORG_CODE,ACH_DATE,IND_CODE,FIELD_NAME,VALUE,DEFAULT_VALUES_USED,SUBMIT_USER_ID,"
            + "SUBMIT_DATE,SUBMIT_TIME,LAST_SUBMISSION\r\n"
        let rows = Self.reviews.sorted { $0.key < $1.key }.map {
            "\(Self.service),Name,\($0.key),20250430,REV01,Count,\($0.value),None,AUTOMATED,02/05/2025,11:19:50,Y\r\n"
        }
        let load = try await people.qualityOperator.calls(host) { client, options in
            try await Pcs_Cqrs_V1_SubmissionServiceClient(client, options: options).loadExtract([
                .with {
                    ($0.format, $0.fileName) = (.indicatorValues, "april.csv")
                    $0.data = Data((header + rows.joined()).utf8)
                }
            ])
        }
        #expect(load.providers == 4)
    }

    // MARK: Declarations

    /// The result is calculated, and three of four practices declare what they see.
    private func declare(_ host: LiveHost) async throws -> [String: Pcs_Cqrs_V1_Declaration] {
        let run = try await people.qualityOperator.calls(host) { client, options in
            try await Pcs_Cqrs_V1_CalculationServiceClient(client, options: options).calculate(
                .with { ($0.serviceCode, $0.achievementDate) = (Self.service, Self.april) })
        }
        #expect(run.totalPence == 3_553_50)
        let night = try await people.declarations(host, as: people.qualityOperator) {
            try await $0.runNightly(.init())
        }
        #expect(night.drafts == 4)
        let drafts = try await waiting(.awaitingServiceProviderApproval, host)
        var declared: [String: Pcs_Cqrs_V1_Declaration] = [:]
        for draft in drafts where draft.providerCode != Self.leaver {
            let person = try #require(people.declaring[draft.providerCode])
            declared[draft.providerCode] = try await people.declarations(host, as: person) { client in
                try await client.declare(
                    .with {
                        ($0.providerCode, $0.declarationID) = (draft.providerCode, draft.declarationID)
                        $0.figuresSha256 = draft.figuresSha256
                    })
            }
        }
        #expect(declared.values.map(\.amountPence).sorted() == [494_50, 977_50, 1_380_00])
        return declared
    }

    /// Two approvals wait for the network; one member leaves by the register; the third approval completes the rest.
    private func approveAndSum(_ declared: [String: Pcs_Cqrs_V1_Declaration], _ host: LiveHost) async throws
        -> Pcs_Cqrs_V1_Declaration
    {
        let ids = declared.sorted { $0.key < $1.key }.map(\.value.declarationID)
        for id in ids.dropLast() {
            let reply = try await people.declarations(host, as: people.approver) { client in
                try await client.approveDeclarations(Self.decision([id]))
            }
            #expect(reply.results.map(\.state) == [.awaitingNetworkAchievement])
        }
        let before = try await standing(host)
        #expect((before.approved, before.expected, before.ready) == (2, 4, false))
        try await RegisterOfEngland.leave(Self.leaver, on: "20250415", host)
        try await host.eventsDelivered()
        let after = try await standing(host)
        #expect((after.approved, after.expected, after.ready) == (2, 3, false))
        #expect(after.blockers.map(\.practiceCode) == ["G83021"])
        #expect(try await waiting(.void, host).map(\.providerCode) == [Self.leaver])
        let last = try #require(ids.last)
        let reply = try await people.declarations(host, as: people.approver) { client in
            try await client.approveDeclarations(Self.decision([last]))
        }
        #expect(reply.aggregatedDeclarationIds.count == 1)
        return try #require(try await waiting(.awaitingFinancialApproval, host).first)
    }

    private static func decision(_ ids: [String]) -> Pcs_Cqrs_V1_DecideDeclarationsRequest {
        .with { ($0.commissionerCode, $0.declarationIds) = (NetworkMonthPeople.lead, ids) }
    }

    private func waiting(_ state: Pcs_Cqrs_V1_DeclarationState, _ host: LiveHost) async throws
        -> [Pcs_Cqrs_V1_Declaration]
    {
        try await people.declarations(host, as: people.qualityOperator) { client in
            try await client.listCommissionerDeclarations(
                .with { ($0.commissionerCode, $0.state) = (NetworkMonthPeople.lead, state) }
            ).declarations
        }
    }

    private func standing(_ host: LiveHost) async throws -> Pcs_Cqrs_V1_NetworkStanding {
        try await people.declarations(host, as: people.qualityOperator) { client in
            try await client.getNetworkStanding(
                .with {
                    ($0.pcnCode, $0.serviceCode) = (NetworkMonthPeople.pcn, Self.service)
                    $0.achievementDate = Self.april
                })
        }
    }

    // MARK: Payment

    /// Finance approves, the night hands over; the month in which it may be paid.
    private func release(_ sum: Pcs_Cqrs_V1_Declaration, _ host: LiveHost) async throws -> Pcs_Common_V1_Month
    {
        try await people.nominate(host)
        let approved = try await people.declarations(host, as: people.finance) { client in
            try await client.financeApproveDeclarations(Self.decision([sum.declarationID]))
        }
        #expect((approved.decided, approved.totalPence) == (1, 2_852_00))
        #expect(try await night(host) == 1)
        #expect(try await night(host) == 0)
        let sent = try await instructions(host)
        #expect(sent.map(\.grossPence) == [2_852_00])
        let release = try #require(sent.first?.releaseDate)
        return .with { ($0.year, $0.month) = (release.year, release.month) }
    }

    private func correct(_ sum: Pcs_Cqrs_V1_Declaration, _ host: LiveHost) async throws {
        let adjustment = try await people.declarations(host, as: people.approver) { client in
            try await client.createAdjustment(
                .with {
                    ($0.commissionerCode, $0.declarationID) = (NetworkMonthPeople.lead, sum.declarationID)
                    ($0.reason, $0.detail, $0.amountPence) = (
                        .dataError, "five reviews were counted twice", -57_50
                    )
                    $0.practiceCode = "G83001"
                })
        }
        _ = try await people.declarations(host, as: people.finance) { client in
            try await client.approveAdjustment(
                .with {
                    $0.commissionerCode = NetworkMonthPeople.lead
                    $0.declarationID = adjustment.declarationID
                })
        }
        #expect(try await night(host) == 1)
        #expect(Set(try await instructions(host).map(\.grossPence)) == [2_852_00, -57_50])
    }

    /// Instructions that one night has handed over, delivered.
    private func night(_ host: LiveHost) async throws -> Int64 {
        let report = try await people.declarations(host, as: people.qualityOperator) {
            try await $0.runNightly(.init())
        }
        try await host.eventsDelivered()
        return report.releasedInstructions
    }

    private func instructions(_ host: LiveHost) async throws -> [Pcs_Cqrs_V1_Instruction] {
        try await people.qualityOperator.calls(host) { client, options in
            try await Pcs_Cqrs_V1_InstructionServiceClient(client, options: options).listInstructions(
                .with { $0.payeeCode = NetworkMonthPeople.payee }
            ).instructions
        }
    }

    private func following(_ month: Pcs_Common_V1_Month) -> Pcs_Common_V1_Month {
        .with {
            ($0.year, $0.month) = month.month == 12 ? (month.year + 1, 1) : (month.year, month.month + 1)
        }
    }
}
