import CommonContract
import CqrsContract
import HostContract
import PluginAPI

/// Whether a caller may have a report, over whom, and whether with pounds.
struct ReportAccess {
    let context: PluginContext
    let call: CallContext

    struct Prepared: Sendable {
        var query: ReportQuery
        var scope: ReportScope
        var seesPounds: Bool
        var columns: [ReportColumn] { query.report.columns.filter { seesPounds || !$0.isPounds } }
    }

    func prepare(_ request: Pcs_Cqrs_V1_ReportRequest) async throws -> Prepared {
        guard let report = ReportCatalogue.all[request.name] else {
            throw Failure.field("name", "9", "Name a report.")
        }
        let query = try query(request, report)
        let scope = try await scope(request)
        let roles = call.caller.roles
        let isNational = roles.contains(Role("CQRS_OPERATOR")) || roles.contains(Role("AUDITOR"))
        let side = side(scope)
        if !isNational {
            if report.isNationalFile, scope.kind != .region {
                throw Failure(
                    CqrsReasons.reportNotAllowed, "The national files are for regions and the nation.")
            }
            guard report.isShown(to: roles, side) else {
                throw Failure(
                    CqrsReasons.reportNotAllowed,
                    "\(request.name) takes the roles \(report.rolesNeeded(side)).")
            }
        }
        if request.name == .userAccess, scope.organisation == nil {
            throw Failure.field("organisation_code", "9", "Name the organisation.")
        }
        return Prepared(query: query, scope: scope, seesPounds: isNational || seesPounds(roles, side))
    }

    /// REP-2, and for a network Finance View beside PCN View (12).
    private func seesPounds(_ roles: Set<Role>, _ side: ReportCatalogue.Side) -> Bool {
        let wanted =
            side == .commissioner
            ? ["FINANCE_VIEW", "APPROVAL_MANAGEMENT", "FINANCE_MANAGEMENT"]
            : side == .provider ? ["FINANCE_VIEW", "DECLARATION_MANAGEMENT"] : ["FINANCE_VIEW"]
        return wanted.contains { roles.contains(Role("CQRS_" + $0)) }
    }

    /// The gate has checked that the organisation acted for stands in one of these relations to the one asked for.
    private func side(_ scope: ReportScope) -> ReportCatalogue.Side {
        let acting = ODSCode(call.caller.actingFor)
        switch acting.flatMap({ context.organisations.organisation($0, at: call.today)?.kind }) {
        case .pcn?: return .network
        case .subICBLocation?, .region?: return .commissioner
        case .icb?: return .icb
        default: return acting == scope.organisation ? .provider : .network
        }
    }

    private func query(_ request: Pcs_Cqrs_V1_ReportRequest, _ report: ReportCatalogue) throws -> ReportQuery
    {
        var fields = RequestFields()
        let date = request.hasAchievementDate ? request.achievementDate.calendarDate : nil
        let year = FinancialYear(containing: call.today)
        let from = (request.hasFrom ? request.from.calendarDate : nil) ?? date ?? year.firstDay
        let to = (request.hasTo ? request.to.calendarDate : nil) ?? date ?? year.lastDay
        if request.hasAchievementDate, date == nil {
            fields.refuse("achievement_date", "DAT-1", "This is no day.")
        }
        if date != nil, request.hasFrom || request.hasTo {
            fields.refuse("from", "REP-1", "Name one date, or a span.")
        }
        if to < from || from.adding(days: 3_660) < to {
            fields.refuse("to", "REP-1", "A span ends after it begins, and within ten years.")
        }
        if report.needsService, !DefinitionFiles.isCode(request.serviceCode) {
            fields.refuse("service_code", "REP-1", "Name the service.")
        }
        if report.needsDate, date == nil {
            fields.refuse("achievement_date", "REP-1", "Name the achievement date.")
        }
        if request.openData, request.name != .indicatorValues {
            fields.refuse("open_data", "REP-6", "Indicator values are published as open data.")
        }
        try fields.finish()
        return ReportQuery(
            report: report, service: request.serviceCode, from: from, to: to, date: date,
            formerLabels: request.formerLabels, openData: request.openData,
            calculation: request.calculationID,
            state: DeclarationState(rawValue: request.state.rawValue))
    }

    private func scope(_ request: Pcs_Cqrs_V1_ReportRequest) async throws -> ReportScope {
        let code = ODSCode(request.organisationCode)
        let kind = code.flatMap { context.organisations.organisation($0, at: call.today)?.kind }
        guard request.organisationCode.isEmpty || kind != nil else {
            throw Failure.field("organisation_code", "9", "There is no such organisation.")
        }
        var locations: [ODSCode] = []
        if kind == .icb || kind == .region {
            let found = try await Pcs_Host_V1_OrganisationServiceClient(context.calls).listOrganisations(
                .with { ($0.parentCode, $0.kind) = (request.organisationCode, .subIcbLocation) })
            for try await organisation in found {
                if let code = ODSCode(organisation.code) { locations.append(code) }
            }
        } else if kind == nil {
            locations = try context.store.read { try ParticipationStore.allCommissioners($0) }.compactMap {
                ODSCode($0)
            }
        }
        let allocations = try context.store.read { reader in
            try code.map { try AllocationStore.of($0.value, reader) } ?? []
        }
        return ReportScope(
            organisations: context.organisations, organisation: code, kind: kind,
            sight: NetworkSight(context, call),
            today: call.today, locations: locations, allocations: allocations)
    }
}
