import CaseworkContract
import CommonContract
import HostContract
import PluginAPI

// Teams and reports.
extension CaseHandlers {
    func setTeamMember(
        _ request: Pcs_Casework_V1_SetTeamMemberRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_Team {
        var fields = RequestFields()
        if !reference.teams.contains(request.team) {
            let known = reference.teams.sorted().joined(separator: ", ")
            fields.refuse("team", "14.1", "The teams are \(known).")
        }
        if request.personID.isEmpty { fields.refuse("person_id", "14.1", "Name the person.") }
        fields.people([request.personID], "person_id")
        try fields.finish()
        return try await call.commit { transaction in
            if request.remove {
                try TeamStore.remove(request.personID, from: request.team, in: transaction)
            } else {
                try TeamStore.add(
                    request.personID, to: request.team, by: call.caller.responsible, in: transaction)
            }
            transaction.audit(
                AuditNote(
                    object: "team/\(request.team)",
                    detail: "\(request.remove ? "without" : "with") \(request.personID)"))
            let members = try TeamStore.members(transaction)
            return .with {
                $0.team = request.team
                $0.members = members.filter { $0.team == request.team }.map(\.person)
            }
        }
    }

    func listTeams(
        _ request: Pcs_Casework_V1_ListTeamsRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_ListTeamsResponse {
        let members = try context.store.read { try TeamStore.members($0) }
        return .with { response in
            response.teams = reference.teams.sorted().map { team in
                .with {
                    $0.team = team
                    $0.members = members.filter { $0.team == team }.map(\.person)
                }
            }
        }
    }

    /// Most cases that one report reckons with.
    private static let mostReported = 200_000

    func reportCases(
        _ request: Pcs_Casework_V1_ReportCasesRequest, _ call: CallContext
    ) async throws -> Pcs_Casework_V1_CaseReport {
        var fields = RequestFields()
        let from = fields.day(request.from, isSet: request.hasFrom, "from")
        let to = fields.day(request.to, isSet: request.hasTo, "to")
        if let from, let to, to < from || to > from.adding(days: 731) {
            fields.refuse("to", "14.2", "A report is of at most two years.")
        }
        try fields.finish()
        guard let from, let to else { throw Failure(HostReasons.fieldInvalid) }
        let rows = try context.store.read {
            try EnquiryStore.raised(
                from: LondonTime.instant(on: from, minute: 0),
                to: LondonTime.instant(on: to.adding(days: 1), minute: 0),
                limit: Self.mostReported + 1, $0)
        }
        guard rows.count <= Self.mostReported else {
            let message = "More than \(Self.mostReported) cases were raised; ask for a shorter period."
            throw Failure(
                HostReasons.fieldInvalid, message,
                violations: [Violation(field: "to", rule: "14.2", message: message)])
        }
        struct Group: Hashable {
            var category: String
            var kind: CaseKind
            var month: YearMonth
        }
        var lines: [Group: Pcs_Casework_V1_CaseReportLine] = [:]
        for record in rows {
            let month = YearMonth(containing: LondonTime.day(at: record.raisedAt))
            let group = Group(category: record.category, kind: record.kind, month: month)
            lines[group, default: .init()].count(record, try book.clocks(record, at: call.now), at: call.now)
        }
        let sorted = lines.sorted {
            ($0.key.month, $0.key.category, $0.key.kind.rawValue) < (
                $1.key.month, $1.key.category, $1.key.kind.rawValue
            )
        }
        return .with { report in
            report.lines = sorted.map { group, counts in
                var line = counts
                line.category = group.category
                line.kind = group.kind == .complaint ? .complaint : .enquiry
                line.month = Pcs_Common_V1_Month(year: group.month.year, month: group.month.month)
                return line
            }
        }
    }
}

extension Pcs_Casework_V1_CaseReportLine {
    fileprivate mutating func count(_ record: CaseRecord, _ clocks: CaseClocks, at now: Instant) {
        raised += 1
        switch record.state {
        case .duplicate, .withdrawn:
            withdrawnOrDuplicate += 1
            return
        default:
            if record.state.isAnswered { resolved += 1 } else { open += 1 }
        }
        func isLate(_ clock: CaseClock) -> Int64 {
            guard let reading = clocks.readings[clock] else { return 0 }
            return reading.isLate || (reading.doneAt == nil && reading.due < now) ? 1 : 0
        }
        acknowledgedLate += isLate(.acknowledge)
        firstAnsweredLate += isLate(.firstAnswer)
        resolvedLate += isLate(.resolve)
        if record.timesReopened > 0 { reopened += 1 }
    }
}
