import CommonContract
import CqrsContract
import HostContract
import PluginAPI
import SwiftProtobuf

/// Who can declare at an organisation, who is away, who stands in. The Host keeps the grants and is asked for them.
struct DelegateHandlers: Pcs_Cqrs_V1_DelegateService {
    let context: PluginContext

    /// A holder of Declaration Management, with the days on which the grants hold.
    private struct Holder {
        var person: String
        var name: String
        var grants: [Pcs_Host_V1_RoleGiven]

        func mayDeclare(on day: CalendarDate) -> Bool {
            grants.contains { grant in
                (grant.validFrom.calendarDate.map { $0 <= day } ?? true)
                    && (!grant.hasValidTo || grant.validTo.calendarDate.map { day < $0 } ?? true)
            }
        }
    }

    private func holders(at organisation: String) async throws -> [Holder] {
        let users = try await Pcs_Host_V1_UserServiceClient(context.calls).listUsers(
            .with { $0.organisationCode = organisation }
        ).users
        return users.filter { $0.active && !$0.accountDisabled }.compactMap { user in
            let grants = user.roles.filter { $0.role == .cqrsDeclarationManagement && !$0.hasRevokedAt }
            return grants.isEmpty ? nil : Holder(person: user.accountID, name: user.name, grants: grants)
        }
    }

    func listDeclarers(_ request: Pcs_Cqrs_V1_ListDeclarersRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_Declarers
    {
        let today = call.today
        let holders = try await holders(at: request.organisationCode).filter { $0.mayDeclare(on: today) }
        return try context.store.read { reader in
            let leave = try LeaveStore.upcoming(at: request.organisationCode, from: today, reader)
            let figures = NationalFigures(try ReferenceStore.constants(reader))
            var reply = Pcs_Cqrs_V1_Declarers()
            reply.declarers = holders.map { holder in
                let own = leave.filter { $0.person == holder.person }
                return .with {
                    $0.personID = holder.person
                    $0.name = holder.name
                    $0.leave = own.map(message)
                    $0.awayToday = own.contains { $0.covers(today) }
                }
            }
            let there = reply.declarers.count { !$0.awayToday }
            // USR-7.
            if let least = figures.optionalFigure("declarers_at_least", "", on: today)?.value.scaled(to: 0),
                there < least
            {
                let away = reply.declarers.count - there
                reply.warnings.append(
                    "USR-7: \(there) can declare at \(request.organisationCode) today; \(least) are advised."
                        + (away > 0 ? " \(away) on leave." : ""))
            }
            return reply
        }
    }

    func recordLeave(_ request: Pcs_Cqrs_V1_RecordLeaveRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_Leave
    {
        var fields = RequestFields()
        let from = request.hasFrom ? request.from.calendarDate : nil
        let to = request.hasTo ? request.to.calendarDate : nil
        if from == nil { fields.refuse("from", "R4", "The first day is needed.") }
        if to == nil { fields.refuse("to", "R4", "The last day is needed.") }
        if let from, let to, to < from || to < call.today || from.adding(days: 366) < to {
            fields.refuse("to", "R4", "A leave ends today or later, at most a year after its first day.")
        }
        if request.personID == request.delegatePersonID {
            fields.refuse("delegate_person_id", "R4", "Nobody stands in for themselves.")
        }
        let holders = try await holders(at: request.organisationCode)
        if !holders.contains(where: { $0.person == request.personID }) {
            fields.refuse(
                "person_id", "R4", "\(request.personID.prefix(64)) does not hold Declaration Management here."
            )
        }
        try fields.finish()
        guard let from, let to else { throw Failure(HostReasons.fieldInvalid) }
        var day = max(from, call.today)
        let delegate = holders.first { $0.person == request.delegatePersonID }
        while day <= to {
            guard delegate?.mayDeclare(on: day) ?? false else {
                throw Failure(
                    CqrsReasons.delegateCannotDeclare,
                    "\(request.delegatePersonID.prefix(64)) does not hold Declaration Management on \(day).")
            }
            day = day.adding(days: 1)
        }
        return try await call.commit { transaction in
            let leave = LeaveStore.Leave(
                id: transaction.newIdentifier(), organisation: request.organisationCode,
                person: request.personID,
                delegate: request.delegatePersonID, from: from, to: to, by: call.caller.responsible,
                at: transaction.now)
            try LeaveStore.add(leave, in: transaction)
            if leave.covers(call.today) {
                try LeaveNotices.tellWaiting(
                    leave, DeclarationHandlers(context: context).desk(call, transaction))
            }
            transaction.audit(
                AuditNote(
                    object: "leave/" + leave.id, organisation: leave.organisation,
                    detail: "\(leave.person) away \(from) to \(to), \(leave.delegate) stands in"))
            return message(leave)
        }
    }

    func endLeave(_ request: Pcs_Cqrs_V1_EndLeaveRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_Leave
    {
        try await call.commit { transaction in
            guard var leave = try LeaveStore.leave(request.leaveID, transaction), !leave.isEnded,
                leave.organisation == request.organisationCode, leave.to >= call.today
            else { throw Failure(CqrsReasons.leaveUnknown) }
            try LeaveStore.end(leave.id, by: call.caller.responsible, in: transaction)
            leave.isEnded = true
            transaction.audit(
                AuditNote(
                    object: "leave/" + leave.id, organisation: leave.organisation, detail: "ended early"))
            return message(leave)
        }
    }

    private func message(_ leave: LeaveStore.Leave) -> Pcs_Cqrs_V1_Leave {
        .with {
            $0.leaveID = leave.id
            $0.organisationCode = leave.organisation
            $0.personID = leave.person
            $0.delegatePersonID = leave.delegate
            $0.from = Pcs_Common_V1_Date(leave.from)
            $0.to = Pcs_Common_V1_Date(leave.to)
            $0.recordedBy = leave.by
            $0.recordedAt = Google_Protobuf_Timestamp(leave.at)
            $0.ended = leave.isEnded
        }
    }
}
