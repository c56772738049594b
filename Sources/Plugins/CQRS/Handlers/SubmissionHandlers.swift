import CommonContract
import CqrsContract
import HostContract
import PluginAPI
import SwiftProtobuf

/// Counts, populations, the collection calendar.
struct SubmissionHandlers: Pcs_Cqrs_V1_SubmissionService {
    let context: PluginContext

    func loadExtract(
        _ requests: RequestStream<Pcs_Cqrs_V1_LoadExtractRequest>, _ call: CallContext
    ) async throws -> Pcs_Cqrs_V1_ExtractLoad {
        try Upload.checkName(requests.first.fileName)
        if requests.first.outsideWindow, !(3...500).contains(requests.first.reason.count) {
            throw Failure.field(
                "reason", "DAT-5", "Outside the window a reason of 3 to 500 characters is needed.")
        }
        switch requests.first.format {
        case .indicatorValues: return try await ExtractLoading(context: context, call: call).load(requests)
        case .achievedPoints:
            return try await StatedLoading(context: context, call: call).loadPoints(requests)
        case .participationList:
            return try await StatedLoading(context: context, call: call).loadParticipation(requests)
        default: throw Failure.field("format", "5.4", "The format is one of cqrs.md 5.4.")
        }
    }

    func submitCounts(
        _ request: Pcs_Cqrs_V1_SubmitCountsRequest, _ call: CallContext
    ) async throws -> Pcs_Cqrs_V1_SubmissionProgress {
        try await ManualEntry(context: context, call: call).submit(request)
    }

    func confirmDefaults(
        _ request: Pcs_Cqrs_V1_ConfirmDefaultsRequest, _ call: CallContext
    ) async throws -> Pcs_Cqrs_V1_SubmissionProgress {
        try await ManualEntry(context: context, call: call).confirmDefaults(request)
    }

    func unlockEntry(
        _ request: Pcs_Cqrs_V1_UnlockEntryRequest, _ call: CallContext
    ) async throws -> Pcs_Cqrs_V1_UnlockEntryResponse {
        try await ManualEntry(context: context, call: call).unlock(request)
    }

    func getCounts(_ request: Pcs_Cqrs_V1_GetCountsRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_Counts
    {
        let key = try SubmissionKey.read(
            request.serviceCode, request.achievementDate, isSet: request.hasAchievementDate)
        try NetworkSight(context, call).require(request.providerCode, on: key.date)
        let view = try context.store.read { try FiguresView(key, provider: request.providerCode, $0) }
        let hash = view.hash
        // Who saw which figures: what is declared later can be held against it (GEN-6).
        try await context.store.write(actor: call.caller.responsible) { transaction in
            try FiguresSeenStore.add(
                key, provider: request.providerCode, hash: hash, by: call.caller.responsible,
                actingFor: call.caller.actingFor, in: transaction)
        }
        return .with {
            $0.cells = view.messages(withHistory: request.withHistory)
            $0.figuresSha256 = hash
        }
    }

    func getProgress(
        _ request: Pcs_Cqrs_V1_GetProgressRequest, _ call: CallContext
    ) async throws -> Pcs_Cqrs_V1_SubmissionProgress {
        let key = try SubmissionKey.read(
            request.serviceCode, request.achievementDate, isSet: request.hasAchievementDate)
        try NetworkSight(context, call).require(request.providerCode, on: key.date)
        return try context.store.read { reader in
            guard let record = try ServiceStore.published(key.service, reader) else {
                throw Failure(CqrsReasons.serviceUnknown)
            }
            return try FiguresView(key, provider: request.providerCode, reader).progress(record.definition)
        }
    }

    func listExtractLoads(
        _ request: Pcs_Cqrs_V1_ListExtractLoadsRequest, _ call: CallContext
    ) async throws -> Pcs_Cqrs_V1_ListExtractLoadsResponse {
        let limit = request.limit == 0 ? 100 : min(1_000, max(1, Int(request.limit)))
        let loads = try context.store.read { try CountStore.loads($0) }
            .filter {
                request.serviceCode.isEmpty
                    || $0.services.split(separator: " ").contains { $0 == request.serviceCode }
            }
        return .with { $0.loads = loads.prefix(limit).map { Pcs_Cqrs_V1_ExtractLoad($0) } }
    }

    func loadPopulations(
        _ requests: RequestStream<Pcs_Cqrs_V1_LoadPopulationsRequest>, _ call: CallContext
    ) async throws -> Pcs_Cqrs_V1_PopulationLoad {
        try await PopulationLoading(context: context, call: call).load(requests)
    }

    func listPopulations(
        _ request: Pcs_Cqrs_V1_ListPopulationsRequest, _ call: CallContext
    ) async throws -> Pcs_Cqrs_V1_ListPopulationsResponse {
        let rows = try context.store.read { try ReferenceStore.populations(of: request.organisationCode, $0) }
        return .with { response in
            response.populations = rows.filter { request.base == 0 || $0.base == Int64(request.base) }.map {
                row in
                .with {
                    $0.populationID = row.id
                    $0.organisationCode = request.organisationCode
                    $0.base = Int32(clamping: row.base)
                    $0.group = row.group
                    $0.asOf = Pcs_Common_V1_Date(row.asOf)
                    $0.value = row.value.description
                    $0.source = row.source
                    $0.recordedAt = Google_Protobuf_Timestamp(row.recordedAt)
                }
            }
        }
    }

    func loadCalendar(
        _ requests: RequestStream<Pcs_Cqrs_V1_LoadCalendarRequest>, _ call: CallContext
    ) async throws -> Pcs_Cqrs_V1_CalendarLoad {
        let first = requests.first
        let file = try await Upload.collect(requests, name: first.fileName) { Array($0.data) }
        let (rows, violations) = CalendarFile.read(file.bytes)
        guard violations.isEmpty else { throw Failure.cqrsFile(violations) }
        let actor = call.caller.responsible
        @Sendable func reply(_ reader: any Reader) throws -> Pcs_Cqrs_V1_CalendarLoad {
            let before = try ReferenceStore.windows(reader)
            let moved = rows.count { row in
                before[.init(service: row.service, date: row.date)].map { $0.payOn != row.payOn } ?? false
            }
            return .with {
                $0.rows = Int64(rows.count)
                $0.movedPayDays = Int64(moved)
                $0.sha256 = file.sha256
                $0.dryRun = first.dryRun
            }
        }
        if first.dryRun { return try context.store.read(reply) }
        return try await call.commit { transaction in
            let reply = try reply(transaction)
            let before = try ReferenceStore.windows(transaction)
            let load = try ReferenceStore.record(
                .calendar, file, rows: rows.count, by: actor, in: transaction)
            try ReferenceStore.add(rows, load: load, in: transaction)
            let desk = DeclarationHandlers(context: context).desk(call, transaction)
            for row in rows {
                if let earlier = before[.init(service: row.service, date: row.date)] {
                    try CalendarNotices.moved(from: earlier, to: row, desk)
                }
            }
            transaction.audit(
                AuditNote(
                    object: "calendar/\(load)",
                    detail: "\(rows.count) windows, \(reply.movedPayDays) pay days moved"))
            return reply
        }
    }

    func listCalendar(
        _ request: Pcs_Cqrs_V1_ListCalendarRequest, _ call: CallContext
    ) async throws -> Pcs_Cqrs_V1_ListCalendarResponse {
        let from = request.hasFrom ? request.from.calendarDate : nil
        let to = request.hasTo ? request.to.calendarDate : nil
        let windows = try context.store.read { try ReferenceStore.windows($0) }.values.filter { window in
            (request.serviceCode.isEmpty || window.service == request.serviceCode)
                && (from.map { window.date >= $0 } ?? true) && (to.map { window.date <= $0 } ?? true)
        }
        return .with {
            $0.windows = windows.sorted { ($0.service, $0.date) < ($1.service, $1.date) }.map {
                Pcs_Cqrs_V1_CollectionWindow($0)
            }
        }
    }
}

extension Pcs_Cqrs_V1_CollectionWindow {
    init(_ window: CollectionWindow) {
        self.init()
        serviceCode = window.service
        achievementDate = Pcs_Common_V1_Date(window.date)
        if let day = window.extractFrom { extractFrom = Pcs_Common_V1_Date(day) }
        if let day = window.extractTo { extractTo = Pcs_Common_V1_Date(day) }
        if let day = window.manualFrom { manualFrom = Pcs_Common_V1_Date(day) }
        if let day = window.manualTo { manualTo = Pcs_Common_V1_Date(day) }
        if let day = window.declareBy { declareBy = Pcs_Common_V1_Date(day) }
        if let day = window.approveBy { approveBy = Pcs_Common_V1_Date(day) }
        if let day = window.payOn { payOn = Pcs_Common_V1_Date(day) }
    }
}

/// The service and date of a request.
enum SubmissionKey {
    static func read(_ service: String, _ date: Pcs_Common_V1_Date, isSet: Bool) throws
        -> IndicatorValuesFile.Key
    {
        guard DefinitionFiles.isCode(service) else {
            throw Failure.field("service_code", "SVC01", "This is no service code.")
        }
        guard isSet, let day = date.calendarDate, SupportedDays.all.contains(day) else {
            throw Failure.field("achievement_date", "DAT-1", "The achievement date is needed.")
        }
        return IndicatorValuesFile.Key(service: service, date: day)
    }
}
