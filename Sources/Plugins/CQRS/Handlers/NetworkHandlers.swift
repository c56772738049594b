import CommonContract
import CqrsContract
import HostContract
import PluginAPI
import SwiftProtobuf

/// Networks as CQRS sees them: members by the register, payee and lead commissioner by the register or as set here.
struct NetworkHandlers: Pcs_Cqrs_V1_NetworkService {
    let context: PluginContext

    private func network(_ text: String, at day: CalendarDate) throws -> (code: ODSCode, name: String) {
        guard let code = ODSCode(text), let entry = context.organisations.organisation(code, at: day),
            entry.kind == .pcn
        else { throw Failure.field("pcn_code", "ORG-4", "There is no such network on \(day).") }
        return (code, entry.name)
    }

    private func reason(_ text: String, field: String = "reason") throws {
        guard (3...500).contains(text.count) else {
            throw Failure.field(field, "R11", "3 to 500 characters are needed.")
        }
    }

    func getNetwork(_ request: Pcs_Cqrs_V1_GetNetworkRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_Network
    {
        let day = (request.hasAt ? request.at.calendarDate : nil) ?? call.today
        return try context.store.read { try view(request.pcnCode, at: day, $0) }
    }

    private func view(_ pcn: String, at day: CalendarDate, _ reader: any Reader) throws -> Pcs_Cqrs_V1_Network
    {
        let (code, name) = try network(pcn, at: day)
        let organisations = context.organisations
        let lead =
            try NetworkStore.lead(of: pcn, on: day, reader) ?? organisations.commissioner(of: code, at: day)?
            .value ?? ""
        let payees = try NetworkStore.payees(of: pcn, reader)
        let payee =
            payees.first { !$0.isRequest && $0.from <= day }?.payee ?? organisations.payee(
                forPCN: code, at: day)?.value ?? pcn
        return try .with { reply in
            reply.pcnCode = pcn
            reply.pcnName = name
            reply.leadCommissionerCode = lead
            reply.nominatedPayeeCode = payee
            reply.nominatedPayeeName =
                ODSCode(payee).flatMap { organisations.organisation($0, at: day)?.name } ?? ""
            let membership = Membership(organisations: organisations, pcn: code)
            reply.members = try organisations.members(of: code, at: day).sorted().map { practice in
                let list = try ReferenceStore.populations(of: practice.value, reader)
                    .filter { $0.base == Int64(PopulationBase.wpls.rawValue) && $0.asOf <= day }.max {
                        $0.asOf < $1.asOf
                    }
                return .with {
                    $0.practiceCode = practice.value
                    $0.practiceName = organisations.organisation(practice, at: day)?.name ?? ""
                    let span = membership.span(of: practice, around: day)
                    $0.memberFrom = Pcs_Common_V1_Date(span.from)
                    if let to = span.to { $0.memberTo = Pcs_Common_V1_Date(to) }
                    let own = organisations.commissioner(of: practice, at: day)?.value ?? ""
                    $0.commissionerCode = own == lead ? "" : own
                    $0.weightedList = list.map { "\($0.value)" } ?? ""
                }
            }
            reply.reports = try NetworkStore.reports(of: pcn, reader).map(message)
            if let newest = payees.first, newest.isRequest { reply.requestedPayee = message(newest) }
        }
    }

    func reportMembershipError(_ request: Pcs_Cqrs_V1_ReportMembershipErrorRequest, _ call: CallContext)
        async throws
        -> Pcs_Cqrs_V1_MembershipReport
    {
        try reason(request.detail, field: "detail")
        _ = try network(request.pcnCode, at: call.today)
        guard let practice = ODSCode(request.practiceCode),
            context.organisations.organisation(practice, at: call.today)?.kind == .practice
        else { throw Failure.field("practice_code", "R11", "There is no such practice.") }
        let from = request.hasClaimedFrom ? request.claimedFrom.calendarDate : nil
        let to = request.hasClaimedTo ? request.claimedTo.calendarDate : nil
        guard from != nil || to != nil, (from ?? to).map({ $0 <= (to ?? $0) }) ?? true else {
            throw Failure.field(
                "claimed_from", "R11", "Say from or to which day it is a member, in order.")
        }
        return try await call.commit { transaction in
            let report = NetworkStore.Report(
                id: transaction.newIdentifier(), pcn: request.pcnCode, practice: practice.value, from: from,
                to: to,
                detail: request.detail, by: call.caller.responsible, at: transaction.now)
            try NetworkStore.add(report, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "network/" + request.pcnCode, organisation: request.pcnCode,
                    detail: "membership of \(practice) reported as wrong"))
            return message(report)
        }
    }

    func requestNominatedPayee(_ request: Pcs_Cqrs_V1_NominatedPayeeRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_NominatedPayee
    {
        try reason(request.reason)
        let (pcn, _) = try network(request.pcnCode, at: call.today)
        let from = (request.hasFrom ? request.from.calendarDate : nil) ?? call.today
        let payee = request.payeeCode.isEmpty ? pcn.value : request.payeeCode
        guard let code = ODSCode(payee), context.organisations.organisation(code, at: from)?.status == .active
        else {
            throw Failure.field("payee_code", "AGG-4", "The payee is not active on \(from).")
        }
        return try await call.commit { transaction in
            let row = NetworkStore.Payee(
                pcn: pcn.value, payee: payee, from: from, isRequest: true, by: call.caller.responsible,
                at: transaction.now)
            try NetworkStore.add(row, reason: request.reason, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "network/" + pcn.value, organisation: pcn.value,
                    detail: "payee \(payee) from \(from) asked for: \(request.reason)"))
            return message(row)
        }
    }

    func setNominatedPayee(_ request: Pcs_Cqrs_V1_NominatedPayeeRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_NominatedPayee
    {
        throw Failure(CqrsReasons.nominatedPayeeSetInPayments)
    }

    func setLeadCommissioner(_ request: Pcs_Cqrs_V1_SetLeadCommissionerRequest, _ call: CallContext)
        async throws
        -> Pcs_Cqrs_V1_Network
    {
        try reason(request.reason)
        let (pcn, _) = try network(request.pcnCode, at: call.today)
        let from = (request.hasFrom ? request.from.calendarDate : nil) ?? call.today
        guard let code = ODSCode(request.commissionerCode),
            let body = context.organisations.organisation(code, at: from),
            body.kind == .subICBLocation || body.kind == .region
        else {
            throw Failure.field(
                "commissioner_code", "ORG-5", "The lead is a Sub ICB Location or a region.")
        }
        return try await call.commit { transaction in
            try NetworkStore.setLead(
                code.value, of: pcn.value, from: from, reason: request.reason, by: call.caller.responsible,
                in: transaction)
            transaction.audit(
                AuditNote(
                    object: "network/" + pcn.value, organisation: pcn.value,
                    detail: "lead commissioner \(code) from \(from): \(request.reason)"))
            return try view(pcn.value, at: max(from, call.today), transaction)
        }
    }

    private func message(_ report: NetworkStore.Report) -> Pcs_Cqrs_V1_MembershipReport {
        .with {
            $0.reportID = report.id
            $0.pcnCode = report.pcn
            $0.practiceCode = report.practice
            if let from = report.from { $0.claimedFrom = Pcs_Common_V1_Date(from) }
            if let to = report.to { $0.claimedTo = Pcs_Common_V1_Date(to) }
            $0.detail = report.detail
            $0.reportedBy = report.by
            $0.reportedAt = Google_Protobuf_Timestamp(report.at)
        }
    }

    private func message(_ payee: NetworkStore.Payee) -> Pcs_Cqrs_V1_NominatedPayee {
        .with {
            $0.pcnCode = payee.pcn
            $0.payeeCode = payee.payee
            $0.from = Pcs_Common_V1_Date(payee.from)
            $0.requestedOnly = payee.isRequest
            $0.setBy = payee.by
            $0.setAt = Google_Protobuf_Timestamp(payee.at)
        }
    }
}
