import CommonContract
import CqrsContract
import HostContract
import PluginAPI

/// Figures typed in: by the provider, its network, or the commissioner on its behalf (DAT-5 to DAT-12).
struct ManualEntry {
    let context: PluginContext
    let call: CallContext

    func submit(_ request: Pcs_Cqrs_V1_SubmitCountsRequest) async throws -> Pcs_Cqrs_V1_SubmissionProgress {
        let key = try SubmissionKey.read(
            request.serviceCode, request.achievementDate, isSet: request.hasAchievementDate)
        guard (1...1_000).contains(request.entries.count) else {
            throw Failure.field("entries", "DAT-1", "There are 1 to 1,000 entries.")
        }
        let isOnBehalf = call.caller.actingFor != request.providerCode
        if isOnBehalf || request.lock, !(3...500).contains(request.reason.count) {
            throw Failure.field(
                "reason", "DAT-7", "On behalf of a provider a reason of 3 to 500 characters is needed.")
        }
        let isCommissioner = isOnBehalf && !call.caller.roles.contains(Role("CQRS_PCN_MANAGEMENT"))
        guard isCommissioner || !request.lock else {
            throw Failure.field("lock", "DAT-11", "Only the commissioner locks a figure.")
        }
        let (call, context) = (call, context)
        return try await call.commit { transaction in
            let definition = try requireOpen(key, request.providerCode, transaction)
            let view = try FiguresView(key, provider: request.providerCode, transaction)
            guard request.expectedVersion == 0 || request.expectedVersion == view.version else {
                throw Failure(CqrsReasons.versionChanged)
            }
            let entry = Entry(
                definition: definition, view: view, isCommissioner: isCommissioner, locks: request.lock,
                today: call.today)
            let cells = try entry.cells(request.entries)
            try requireWindow(
                key, definition, request.providerCode, cells.map(\.indicator), context, transaction)
            try entry.requireCaps(
                cells, earlier: { try earlierCount($0, key, request.providerCode, transaction) })
            let numbers = try CountStore.numbers(
                of: cells.map { .init(indicator: $0.indicator.code, field: $0.field) }, in: transaction)
            let flags: CountCell.Flags = request.lock ? .isLocked : []
            let stored = zip(numbers, cells).map { CountCell(cell: $0, value: $1.value, flags: flags) }
                .sorted { $0.cell < $1.cell }
            var submission = CountStore.Submission()
            submission.id = transaction.newIdentifier()
            submission.source = isCommissioner ? .onBehalf : .manual
            submission.services = key.service
            submission.rows = Int64(cells.count)
            submission.providers = 1
            submission.reason = request.reason
            submission.by = call.caller.responsible
            let seq = try CountStore.record(submission, in: transaction)
            try CountStore.add(
                [(request.providerCode, CountCoding.bytes(stored))], to: key, seq: seq, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "submission/\(submission.id)", organisation: request.providerCode,
                    detail: "\(key.service) \(key.date): \(cells.count) figures, \(submission.source.name)"))
            let progress = try FiguresView(key, provider: request.providerCode, transaction).progress(
                definition)
            if progress.complete || AchievementDates.isPaid(key.date, of: definition) {
                try FiguresNotices.refresh(progress, key, by: submission.by, in: transaction)
            }
            return progress
        }
    }

    func confirmDefaults(_ request: Pcs_Cqrs_V1_ConfirmDefaultsRequest) async throws
        -> Pcs_Cqrs_V1_SubmissionProgress
    {
        let key = try SubmissionKey.read(
            request.serviceCode, request.achievementDate, isSet: request.hasAchievementDate)
        let call = call
        return try await call.commit { transaction in
            let definition = try requireOpen(key, request.providerCode, transaction)
            let view = try FiguresView(key, provider: request.providerCode, transaction)
            try FiguresSeenStore.confirm(
                key, provider: request.providerCode, upTo: view.version, by: call.caller.responsible,
                in: transaction)
            transaction.audit(
                AuditNote(
                    object: "defaults/\(key.service)/\(key.date)", organisation: request.providerCode,
                    detail: "confirmed, figures \(view.hash)"))
            return try FiguresView(key, provider: request.providerCode, transaction).progress(definition)
        }
    }

    func unlock(_ request: Pcs_Cqrs_V1_UnlockEntryRequest) async throws -> Pcs_Cqrs_V1_UnlockEntryResponse {
        let key = try SubmissionKey.read(
            request.serviceCode, request.achievementDate, isSet: request.hasAchievementDate)
        guard request.hasOpenUntil, let day = request.openUntil.calendarDate, day >= call.today else {
            throw Failure.field(
                "open_until", "DAT-5", "The day until which entry is open is today or later.")
        }
        guard (3...500).contains(request.reason.count) else {
            throw Failure.field("reason", "reason", "A reason of 3 to 500 characters is needed.")
        }
        let call = call
        return try await call.commit { transaction in
            _ = try requireOpen(key, request.providerCode, transaction)
            try FiguresSeenStore.unlock(
                key, provider: request.providerCode, until: day, reason: request.reason,
                by: call.caller.responsible,
                in: transaction)
            transaction.audit(
                AuditNote(
                    object: "entry/\(key.service)/\(key.date)", organisation: request.providerCode,
                    detail: "unlocked until \(day): \(request.reason)"))
            return .with { $0.openUntil = Pcs_Common_V1_Date(day) }
        }
    }

    /// The service takes figures of the date, and the provider takes part (PAR-1, DAT-3).
    private func requireOpen(_ key: IndicatorValuesFile.Key, _ provider: String, _ reader: any Reader) throws
        -> ServiceDefinition
    {
        guard let record = try ServiceStore.published(key.service, reader) else {
            throw Failure(CqrsReasons.serviceUnknown)
        }
        guard record.state.takesSubmissions else {
            throw Failure(
                CqrsReasons.serviceStateWrong, "\(key.service) is \(record.state) and takes no figures.")
        }
        guard AchievementDates.isOne(key.date, of: record.definition), key.date <= call.today else {
            throw Failure.field(
                "achievement_date", "DAT-3", "\(key.date) is no achievement date that has passed.")
        }
        let participants = try ParticipantList.participants(in: key.service, on: key.date, reader)
        guard participants.contains(where: { $0.provider == provider || $0.pcn == provider }) else {
            throw Failure(
                CqrsReasons.notParticipating,
                "\(provider) does not take part in \(key.service) on \(key.date).")
        }
        return record.definition
    }

    private func requireWindow(
        _ key: IndicatorValuesFile.Key, _ definition: ServiceDefinition, _ provider: String,
        _ indicators: [Indicator],
        _ context: PluginContext, _ reader: any Reader
    ) throws {
        var window =
            try ReferenceStore.windows(reader)[key] ?? CollectionWindow(service: key.service, date: key.date)
        if window.manualTo == nil {
            let figures = NationalFigures(try ReferenceStore.constants(reader))
            let days = indicators.compactMap {
                figures.optionalFigure("manual_days_after_month_end", $0.group, on: key.date)?.value.scaled(
                    to: 0)
            }.min()
            if let days { window.manualTo = key.date.adding(days: Int(days)) }
        }
        if let until = try FiguresSeenStore.unlockedUntil(key, provider: provider, reader),
            call.today <= until
        {
            return
        }
        switch window.manual(on: call.today) {
        case .open: return
        case .early(let from):
            throw Failure(CqrsReasons.windowClosed, "Entry for \(key.date) opens on \(from).")
        case .late(let since):
            throw Failure(
                CqrsReasons.windowClosed,
                "Entry for \(key.date) closed on \(since); the commissioner can unlock it.")
        }
    }

    /// What the year brought before this date for a capped count (DAT-10).
    private func earlierCount(
        _ indicator: Indicator, _ key: IndicatorValuesFile.Key, _ provider: String, _ reader: any Reader
    ) throws -> Int64 {
        guard let field = indicator.field(.count), let year = context.firstDay(of: key.date) else { return 0 }
        var sum: Int64 = 0
        var month = YearMonth(containing: year)
        while month.lastDay < key.date {
            let earlier = IndicatorValuesFile.Key(service: key.service, date: month.lastDay)
            sum +=
                try FiguresView(earlier, provider: provider, reader).cell(indicator.code, field)?.value ?? 0
            month = month.adding(months: 1)
        }
        return sum
    }
}

extension PluginContext {
    /// First day of the financial year of a day.
    fileprivate func firstDay(of day: CalendarDate) -> CalendarDate? {
        FinancialYear(containing: day).firstDay
    }
}

/// The checks of one entry.
private struct Entry {
    struct Cell {
        var indicator: Indicator
        var field: String
        var value: Int64
    }
    let definition: ServiceDefinition
    let view: FiguresView
    let isCommissioner: Bool
    let locks: Bool
    let today: CalendarDate

    func cells(_ entries: [Pcs_Cqrs_V1_CountEntry]) throws -> [Cell] {
        var cells: [Cell] = []
        var violations: [Violation] = []
        var seen: Set<CellCatalogue.Name> = []
        for (index, entry) in entries.enumerated() {
            func refuse(_ field: String, _ rule: String, _ message: String) {
                violations.append(
                    Violation(field: "entries[\(index)].\(field)", rule: rule, message: message))
            }
            guard let indicator = definition.indicators.first(where: { $0.code == entry.indicatorCode })
            else {
                refuse(
                    "indicator_code", "DAT-9",
                    "The service has no indicator \(entry.indicatorCode.prefix(20)).")
                continue
            }
            guard let field = indicator.fields.first(where: { $0.name == entry.field }) else {
                refuse("field", "DAT-9", "\(indicator.code) has no field \(entry.field.prefix(40)).")
                continue
            }
            if !seen.insert(.init(indicator: indicator.code, field: field.name)).inserted {
                refuse("field", "DAT-14", "\(indicator.code) \(field.name) is given twice.")
            }
            let isManual = indicator.isManual || definition.collectionType == .manual
            if !isManual, !locks {
                refuse(
                    "indicator_code", "DAT-6",
                    "\(indicator.code) is extracted; only the commissioner replaces it, with a lock.")
            }
            if let earlier = view.cell(indicator.code, field.name), earlier.set.source == .onBehalf,
                !isCommissioner
            {
                refuse("indicator_code", "DAT-6", "\(indicator.code) was entered by the commissioner.")
            }
            guard let value = value(entry.value, field) else {
                refuse("value", "DAT-9", "The value is a whole number of at most 8 digits, or Y or N.")
                continue
            }
            cells.append(Cell(indicator: indicator, field: field.name, value: value))
        }
        for cell in cells {
            let (least, most) = (cell.indicator.field(.numerator), cell.indicator.field(.denominator))
            guard let least, let most, let numerator = value(of: cell.indicator, least, cells),
                let denominator = value(of: cell.indicator, most, cells), numerator > denominator,
                cell.field == least
            else { continue }
            violations.append(
                Violation(
                    field: "entries", rule: "DAT-9",
                    message:
                        "\(cell.indicator.code): the numerator \(numerator) is over the denominator \(denominator)."
                ))
        }
        if !violations.isEmpty {
            let isEntry = violations.allSatisfy { $0.rule == "DAT-6" }
            throw Failure(
                isEntry ? CqrsReasons.entryNotAllowed : HostReasons.fieldInvalid, violations[0].message,
                violations: violations)
        }
        return cells
    }

    /// The value as it will count after this entry.
    private func value(of indicator: Indicator, _ field: String, _ cells: [Cell]) -> Int64? {
        cells.first { $0.indicator.code == indicator.code && $0.field == field }?.value
            ?? view.cell(indicator.code, field)?.value
    }

    private func value(_ text: String, _ field: CountField) -> Int64? {
        if text == "Y" { return 1 }
        if text == "N" { return 0 }
        guard text.utf8.count <= 8, !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int64(text)
    }

    /// DAT-10: a year's counts do not exceed the register.
    func requireCaps(_ cells: [Cell], earlier: (Indicator) throws -> Int64) throws {
        for cell in cells
        where cell.field == cell.indicator.field(.count) && !cell.indicator.cappedByField.isEmpty {
            guard let most = value(of: cell.indicator, cell.indicator.cappedByField, cells) else { continue }
            let before = try earlier(cell.indicator)
            if before + cell.value > most {
                throw Failure(
                    HostReasons.fieldInvalid, "\(before) + \(cell.value) is over the register of \(most).",
                    violations: [
                        Violation(
                            field: "entries", rule: "DAT-10",
                            message: "\(cell.indicator.code): \(before) + \(cell.value) > \(most)")
                    ])
            }
        }
    }
}
