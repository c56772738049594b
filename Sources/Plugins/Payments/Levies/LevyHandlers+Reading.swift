import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf
import Tabular

extension LevyHandlers {
    func listLevyInstructions(
        _ request: Pcs_Payments_V1_ListLevyInstructionsRequest,
        _ reply: ReplyStream<Pcs_Payments_V1_LevyInstruction>, _ call: CallContext
    ) async throws {
        guard let commissioner = ODSCode(request.commissionerCode) else {
            throw Failure.field("commissioner_code", "LEV01", "Name the Sub ICB Location.")
        }
        let instructions = try context.store.read { try LevyStore.instructions(of: commissioner, $0) }
        for instruction in instructions {
            let message = try message(instruction)
            if request.state == .unspecified || message.state == request.state {
                try await reply.send(message)
            }
        }
    }

    func getLevyCommittee(
        _ request: Pcs_Payments_V1_GetLevyCommitteeRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_LevyCommittee {
        let book = try context.store.read { try LevyStore.book(knownAt: .max, $0) }
        guard let code = ODSCode(request.committeeCode), let terms = book.committees[code],
            let last = terms.last,
            request.commissionerCode.isEmpty || request.commissionerCode == last.commissioner.value
        else { throw Failure(PaymentsReasons.levyCommitteeUnknown) }
        let quarter = Quarter(containing: call.today)
        return .with {
            $0.committeeCode = code.value
            $0.commissionerCode = last.commissioner.value
            $0.terms = terms.reversed().map { Pcs_Payments_V1_LevyCommitteeTerms($0) }
            $0.rates = LevyKind.allCases.flatMap { kind in
                (book.rates[LevyBook.RateKey(committee: code, kind: kind)] ?? []).reversed().map {
                    Pcs_Payments_V1_LevyRate($0, kind, of: code)
                }
            }
            let members = last.family == .optical ? book.contractors : book.memberships
            $0.members = members.keys.sorted().compactMap { member in
                guard let held = members[member]?.last(where: { $0.from <= quarter.quarterDay }),
                    held.committee == code
                else { return nil }
                return Pcs_Payments_V1_LevyMember(held, member)
            }
        }
    }

    func listLevyMemberships(
        _ request: Pcs_Payments_V1_ListLevyMembershipsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ListLevyMembershipsResponse {
        var fields = RequestFields()
        let practice = fields.practice(request.practiceCode)
        try fields.finish()
        guard let practice else { throw Failure(HostReasons.fieldInvalid) }
        let book = try context.store.read { try LevyStore.book(knownAt: .max, $0) }
        return .with {
            $0.memberships = (book.memberships[practice] ?? []).reversed().map { held in
                .with {
                    $0.committeeCode = held.committee?.value ?? ""
                    $0.effectiveFrom = Pcs_Common_V1_Date(held.from)
                    $0.members = [Pcs_Payments_V1_LevyMember(held, practice)]
                }
            }
        }
    }

    func getLevyRemittance(
        _ request: Pcs_Payments_V1_LevyRemittanceRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_LevyRemittance {
        try remittance(request, call).message
    }

    static let exportColumns = [
        "committeeCode", "runId", "paymentDate", "practiceCode", "practiceName", "levy", "month", "isRetro",
        "registeredPatients", "penceAPatient", "ratePeriod", "amount", "fees", "percentOfFees",
    ]

    func exportLevyRemittance(
        _ request: Pcs_Payments_V1_LevyRemittanceRequest,
        _ reply: ReplyStream<Pcs_Payments_V1_LevyRemittanceChunk>,
        _ call: CallContext
    ) async throws {
        let found = try remittance(request, call)
        var writer = CSVWriter()
        writer.append(LevyHandlers.exportColumns.map { .plain($0) })
        for row in found.rows {
            writer.append([
                .plain(found.document.practice.value), .plain(found.run.id),
                .plain(found.document.paymentDate.description), .plain(row.practice?.value ?? ""),
                .text(row.practiceName), .plain(row.kind?.name.uppercased() ?? ""),
                .plain(row.month.description),
                .plain(row.isRetro ? "Y" : "N"), .plain(String(row.patients)),
                .plain(row.pence?.description ?? ""),
                .plain(row.period?.name ?? ""), .plain(Money(pence: row.amount).description),
                .plain(row.percent == nil ? "" : Money(pence: row.fees).description),
                .plain(row.percent?.description ?? ""),
            ])
        }
        try await reply.send(Pcs_Payments_V1_LevyRemittanceChunk.with { $0.data = .init(writer.take()) })
    }

    private func remittance(
        _ request: Pcs_Payments_V1_LevyRemittanceRequest, _ call: CallContext
    ) throws -> LevyRemittance {
        var fields = RequestFields()
        let month = fields.month(request.month)
        let code = fields.payee(request.committeeCode, field: "committee_code")
        try fields.finish()
        guard let month, let code else { throw Failure(HostReasons.fieldInvalid) }
        return try context.store.read { reader in
            let run = try RunStore.runs(reader).first { $0.month == month && $0.state != .aborted }
            guard let run, StatementHandlers.mayRead(run, call),
                let stored = try refusing({ try StatementStore.statement(of: code, in: run.id, reader) })
            else { throw Failure(PaymentsReasons.statementUnknown) }
            return try refusing { try LevyRemittance(run, stored, reader) }
        }
    }
}

extension Pcs_Payments_V1_LevyCommitteeTerms {
    init(_ committee: LevyCommittee) {
        self.init()
        (committeeCode, name, payeeCode) = (committee.code.value, committee.name, committee.payee.value)
        runBy = committee.isRunByCommissioner ? .commissioner : .payments
        collection =
            Pcs_Payments_V1_LevyCollection(rawValue: Int(committee.collection.rawValue)) ?? .unspecified
        family = committee.family == .optical ? .optical : .medical
        effectiveFrom = Pcs_Common_V1_Date(committee.from)
    }
}

extension Pcs_Payments_V1_LevyRate {
    init(_ rate: LevyRate, _ kind: LevyKind, of committee: ODSCode) {
        self.init()
        committeeCode = committee.value
        self.kind = kind.contractKind
        if rate.period == .sightTestFees {
            percentOfFees = rate.pence.description
        } else {
            pencePerPatient = rate.pence.description
        }
        period = rate.period.contractPeriod
        effectiveFrom = Pcs_Common_V1_Date(rate.from)
    }
}

extension Pcs_Payments_V1_LevyMember {
    init(_ membership: LevyMembership, _ practice: ODSCode) {
        self.init()
        practiceCode = practice.value
        (mandate, voluntary) = (membership.hasMandate, membership.isVoluntary)
    }
}

extension LevyKind {
    var contractKind: Pcs_Payments_V1_LevyKind { .init(rawValue: Int(rawValue)) ?? .unspecified }
}

extension LevyRatePeriod {
    var contractPeriod: Pcs_Payments_V1_LevyRatePeriod { .init(rawValue: Int(rawValue)) ?? .unspecified }
}
