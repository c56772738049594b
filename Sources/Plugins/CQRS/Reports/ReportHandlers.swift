import CommonContract
import CqrsContract
import HostContract
import PluginAPI
import SwiftProtobuf

/// Reports on the screen and as files, and who was let see which.
struct ReportHandlers: Pcs_Cqrs_V1_ReportService {
    let context: PluginContext

    /// Most rows on a screen.
    private static let mostRows = 20_000
    /// Providers in one piece of a national file, so that no file is whole in memory.
    private static let providersAtOnce = 100

    func runReport(_ request: Pcs_Cqrs_V1_ReportRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_Report
    {
        let prepared = try await ReportAccess(context: context, call: call).prepare(request)
        let table = try await table(prepared, request, call)
        guard table.rows.count <= Self.mostRows else {
            throw Failure(
                CqrsReasons.reportTooLarge,
                "The report has \(table.rows.count) rows; \(Self.mostRows) are shown at once.")
        }
        return .with {
            $0.name = request.name
            $0.columns = table.columns.map(\.name)
            $0.rows = table.rows.map { row in .with { $0.cells = row } }
            $0.asOf = Google_Protobuf_Timestamp(call.now)
        }
    }

    func exportReport(
        _ request: Pcs_Cqrs_V1_ReportRequest, _ replies: ReplyStream<Pcs_Cqrs_V1_ReportChunk>,
        _ call: CallContext
    ) async throws {
        let prepared = try await ReportAccess(context: context, call: call).prepare(request)
        var writer = ReportWriter(
            request.format == .json ? .json : .csv,
            columns: prepared.columns.map(\.name))
        if prepared.query.report.name == .indicatorValues, let date = prepared.query.date {
            let key = IndicatorValuesFile.Key(service: prepared.query.service, date: date)
            let providers = try context.store.read {
                try prepared.scope.participants(key, $0).map(\.provider)
            }
            for start in stride(from: 0, to: providers.count, by: Self.providersAtOnce) {
                let piece = providers[start..<min(start + Self.providersAtOnce, providers.count)]
                let rows = try context.store.read { reader in
                    let builder = try ReportBuilder(context, prepared.query, prepared.scope, call, reader)
                    var table = ReportTable(prepared.columns)
                    let catalogue = try CountStore.catalogue(reader)
                    for provider in piece {
                        try builder.indicatorValues(of: provider, key, catalogue: catalogue, into: &table)
                    }
                    return table.rows
                }
                try await send(rows, &writer, replies)
            }
        } else {
            try await send(try await table(prepared, request, call).rows, &writer, replies)
        }
        writer.finish()
        try await replies.send(.with { $0.data = .init(writer.take()) })
    }

    private func send(
        _ rows: [[String]], _ writer: inout ReportWriter, _ replies: ReplyStream<Pcs_Cqrs_V1_ReportChunk>
    ) async throws {
        for start in stride(from: 0, to: rows.count, by: 2_000) {
            let piece = rows[start..<min(start + 2_000, rows.count)]
            for row in piece { writer.append(row) }
            let bytes = writer.take()
            try await replies.send(
                .with {
                    $0.data = .init(bytes)
                    $0.rows = Int64(piece.count)
                })
        }
    }

    private func table(
        _ prepared: ReportAccess.Prepared, _ request: Pcs_Cqrs_V1_ReportRequest, _ call: CallContext
    )
        async throws -> ReportTable
    {
        if request.name == .userAccess { return try await userAccess(request.organisationCode, call) }
        let table = try context.store.read { reader in
            try refusingCQRS {
                try ReportBuilder(context, prepared.query, prepared.scope, call, reader).table()
            }
        }
        return prepared.seesPounds ? table : table.withoutPounds()
    }

    /// Who has which access, as the Host keeps it.
    private func userAccess(_ organisation: String, _ call: CallContext) async throws -> ReportTable {
        guard let report = ReportCatalogue.all[.userAccess] else {
            throw Failure(CqrsReasons.reportNotAllowed)
        }
        var table = ReportTable(report.columns)
        let users = try await Pcs_Host_V1_UserServiceClient(context.calls).listUsers(
            .with { $0.organisationCode = organisation }
        ).users
        for user in users {
            let used =
                user.hasLastUsedAt ? Instant(microsecondsSince1970: user.lastUsedAt.seconds * 1_000_000) : nil
            for role in user.roles where !role.hasRevokedAt {
                table.append([
                    user.accountID, user.name, user.organisationCode,
                    role.label.isEmpty ? "\(role.role)" : role.label,
                    role.paymentTypes.joined(separator: " "), Cell.day(role.validFrom.calendarDate),
                    role.hasValidTo ? Cell.day(role.validTo.calendarDate) : "", Cell.moment(used),
                    Cell.moment(call.now),
                ])
            }
        }
        return table
    }

    // MARK: Allocated reports (REP-4)

    func allocateReport(_ request: Pcs_Cqrs_V1_AllocateReportRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_ReportAllocation
    {
        var fields = RequestFields()
        let today = call.today
        let organisations = context.organisations
        if let parent = ODSCode(request.parentCode), let child = ODSCode(request.toOrganisationCode) {
            let above = [
                organisations.commissioner(of: child, at: today), organisations.icb(of: child, at: today),
                organisations.region(of: child, at: today),
            ]
            if organisations.organisation(child, at: today) == nil || !above.contains(parent) {
                fields.refuse("to_organisation_code", "REP-4", "\(child) is not below \(parent).")
            }
        } else {
            fields.refuse("to_organisation_code", "REP-4", "Name the organisation by its code.")
        }
        if !request.financialYear.isEmpty, FinancialYear(request.financialYear) == nil {
            fields.refuse("financial_year", "REP-4", "A financial year is written 2026/27.")
        }
        try fields.finish()
        return try await call.commit { transaction in
            guard try ServiceStore.published(request.serviceCode, transaction) != nil else {
                throw Failure(CqrsReasons.serviceUnknown)
            }
            let allocation = AllocationStore.Allocation(
                id: transaction.newIdentifier(), parent: request.parentCode, to: request.toOrganisationCode,
                service: request.serviceCode, year: request.financialYear, by: call.caller.responsible,
                at: transaction.now)
            try AllocationStore.add(allocation, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "allocation/" + allocation.id, organisation: allocation.to,
                    detail:
                        "reports of \(allocation.service) \(allocation.year) allocated by \(allocation.parent)"
                ))
            return message(allocation)
        }
    }

    func removeReportAllocation(_ request: Pcs_Cqrs_V1_RemoveReportAllocationRequest, _ call: CallContext)
        async throws
        -> Pcs_Cqrs_V1_ReportAllocation
    {
        var fields = RequestFields()
        fields.reason(request.reason)
        try fields.finish()
        return try await call.commit { transaction in
            guard let found = try AllocationStore.allocation(request.allocationID, transaction),
                found.removedAt == nil,
                found.parent == request.parentCode
            else { throw Failure(CqrsReasons.allocationUnknown) }
            try AllocationStore.remove(
                found.id, by: call.caller.responsible, because: request.reason, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "allocation/" + found.id, organisation: found.to,
                    detail: "removed: " + request.reason))
            return message(try AllocationStore.allocation(found.id, transaction) ?? found)
        }
    }

    func listReportAllocations(_ request: Pcs_Cqrs_V1_ListReportAllocationsRequest, _ call: CallContext)
        async throws
        -> Pcs_Cqrs_V1_ListReportAllocationsResponse
    {
        let found = try context.store.read { try AllocationStore.of(request.organisationCode, $0) }
        return .with { $0.allocations = found.map(message) }
    }

    private func message(_ allocation: AllocationStore.Allocation) -> Pcs_Cqrs_V1_ReportAllocation {
        .with {
            $0.allocationID = allocation.id
            $0.parentCode = allocation.parent
            $0.toOrganisationCode = allocation.to
            $0.serviceCode = allocation.service
            $0.financialYear = allocation.year
            $0.allocatedBy = allocation.by
            $0.allocatedAt = Google_Protobuf_Timestamp(allocation.at)
            $0.removedBy = allocation.removedBy
            if let at = allocation.removedAt { $0.removedAt = Google_Protobuf_Timestamp(at) }
            $0.removedBecause = allocation.removedBecause
        }
    }
}
