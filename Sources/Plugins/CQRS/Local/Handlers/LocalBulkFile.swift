import PatientPrivacy
import PluginAPI
import Tabular

/// The file of bulk claims: made as a template, filled in, read back, and returned with the outcome of each row (10.5).
enum LocalBulkFile {
    static let columns = [
        "provider_code", "provider_name", "window_id", "activity_from", "activity_to", "component_id",
        "component_name",
        "unit", "activity_on", "quantity", "note",
    ]
    static let outcomes = ["outcome", "claim_id", "amount_pounds", "rule", "message"]

    enum Column: Int { case provider = 0, window = 2, component = 5, activity = 8, quantity = 9, note = 10 }

    struct Row: Sendable {
        var line: Int
        var provider: String
        var window: String
        var component: String
        /// `nil` = the window's last day.
        var activity: CalendarDate?
        var quantity: String
        var note: String

        var draft: LocalDraftLine {
            LocalDraftLine(
                service: "", component: component, quantity: quantity, activity: activity, note: note)
        }
    }

    /// Rows without a quantity are left out: nothing was filled in.
    /// - Parameter rejections: rows that cannot be read; a file that is none is refused.
    static func read(_ bytes: [UInt8], rejecting rejections: inout [Violation]) throws -> (
        table: Table, rows: [Row]
    ) {
        var violations = ViolationList(limit: 200_000)
        let table = Table.read(csv: bytes, layout: .upload(.exact(columns)), into: &violations)
        // A row of the wrong width is that row's fault; everything else is the file's.
        guard violations.listed.allSatisfy({ $0.rule == "UP03" && $0.row > 1 }), violations.more == 0 else {
            throw Failure.cqrsFile(violations)
        }
        rejections += violations.listed
        var rows: [Row] = []
        rows.reserveCapacity(table.rowCount)
        for index in 0..<table.rowCount where !table.isEmpty(index, Column.quantity.rawValue) {
            func text(_ column: Column) -> String { table.text(index, column.rawValue) }
            var row = Row(
                line: table.line(index), provider: text(.provider), window: text(.window),
                component: text(.component),
                activity: nil, quantity: text(.quantity), note: text(.note))
            if !table.isEmpty(index, Column.activity.rawValue) {
                guard let day = CalendarDate(iso8601: text(.activity)) else {
                    rejections.append(
                        Violation(
                            field: "activity_on", rule: "LOC-2",
                            message: "\"\(text(.activity).prefix(20))\" is no day",
                            row: row.line, column: Column.activity.rawValue + 1))
                    continue
                }
                row.activity = day
            }
            rows.append(row)
        }
        return (table, rows)
    }

    static func header(_ more: [String] = []) -> [CSVWriter.Cell] { (columns + more).map { .plain($0) } }
}

/// Rows of a bulk file become claims: one for each provider and window (10.5).
struct LocalBulkLoading {
    let commissioner: String
    let scheme: LocalScheme
    let windows: [String: LocalWindow]
    let terms: [String: [LocalTerm]]
    let figures: NationalFigures
    let today: CalendarDate

    struct Outcome {
        var records: [LocalClaimStore.Record] = []
        var rejections: [Violation] = []
        var rejectedRows = 0
        var pence: Int64 = 0
    }

    func claims(_ rows: [LocalBulkFile.Row], _ reader: any Reader) throws -> Outcome {
        var (usage, claimed) = try LocalUsageStore.of(service: scheme.id, commissioner: commissioner, reader)
        var outcome = Outcome()
        var places: [String: Int] = [:]
        var inClaims: [[String: LocalQuantity]] = []
        var seen: Set<String> = []
        seen.reserveCapacity(rows.count)
        var lists = LocalLists()
        var breaches: [LocalLineRules.Breach] = []
        for row in rows {
            breaches.removeAll(keepingCapacity: true)
            guard let (window, term) = try place(row, reader, &breaches) else {
                outcome.reject(row, breaches)
                continue
            }
            let day = row.activity ?? window.activityTo
            let key = LocalUsageStore.Claimed(
                provider: row.provider, service: scheme.id, component: row.component,
                from: window.activityFrom)
            if claimed.contains(key) {
                breaches.append(
                    .init(
                        field: "component_id", rule: "LOC-7",
                        message: "it has been claimed for this activity period"))
            } else if !seen.insert("\(row.provider)/\(row.window)/\(row.component)/\(day)").inserted {
                breaches.append(
                    .init(field: "component_id", rule: "LOC-7", message: "it is in the file twice for \(day)")
                )
            }
            guard breaches.isEmpty else {
                outcome.reject(row, breaches)
                continue
            }
            var rules = LocalLineRules(window: window, term: term, scheme: scheme)
            if scheme.component(row.component)?.caps.contains(where: { $0.kind == .perMilleOfList }) ?? false
            {
                rules.list = try lists.patients(of: row.provider, on: day, reader)
            }
            let name = row.provider + "/" + row.window
            let index = places[name] ?? outcome.records.count
            if index == inClaims.count { inClaims.append([:]) }
            guard let line = rules.check(row.draft, &usage, &inClaims[index], capped: true, &breaches) else {
                outcome.reject(row, breaches)
                continue
            }
            if index == outcome.records.count {
                places[name] = index
                outcome.records.append(
                    LocalClaimStore.Record(
                        service: scheme.id, provider: row.provider, commissioner: commissioner,
                        window: window.id,
                        state: .bulkReview, route: scheme.route, isLate: today > window.closes,
                        submittedOn: today))
            }
            outcome.records[index].lines.append(line)
            let (sum, overflow) = outcome.records[index].pence.addingReportingOverflow(line.pence)
            let (all, high) = outcome.pence.addingReportingOverflow(line.pence)
            guard !overflow, !high else { throw CQRSError.amountOutOfRange(row.provider).failure }
            outcome.records[index].pence = sum
            outcome.pence = all
        }
        for index in outcome.records.indices {
            outcome.records[index].figures = LocalDesk.figures(outcome.records[index])
            outcome.records[index].band = try LocalGate.band(
                outcome.records[index].pence, scheme, figures,
                on: outcome.records[index].lines.first?.activity ?? today)
        }
        return outcome
    }

    /// Window and contract of a row, open and agreed.
    private func place(
        _ row: LocalBulkFile.Row, _ reader: any Reader, _ breaches: inout [LocalLineRules.Breach]
    ) throws
        -> (LocalWindow, LocalTerm)?
    {
        guard let window = windows[row.window] else {
            breaches.append(
                .init(
                    field: "window_id", rule: "LOC-2",
                    message: "\"\(row.window.prefix(40))\" is no window of the service"))
            return nil
        }
        let day = row.activity ?? window.activityTo
        guard let all = terms[row.provider], let term = all.first(where: { $0.covers(day) }) ?? all.first
        else {
            breaches.append(
                .init(
                    field: "provider_code", rule: "LOC-2",
                    message: "\"\(row.provider.prefix(12))\" has no active contract for the service"))
            return nil
        }
        if !term.isBulkAgreed {
            breaches.append(
                .init(
                    field: "provider_code", rule: "10.5",
                    message: "no agreement of \(row.provider) to bulk claims is on file"))
        }
        if today < window.opens {
            breaches.append(
                .init(
                    field: "window_id", rule: "LOC-2", message: "WINDOW_NOT_OPEN: it opens on \(window.opens)"
                ))
        } else if today > window.lastDay(extended: nil) {
            let last = window.lastDay(
                extended: try LocalWindowStore.extendedUntil(window.id, row.provider, reader))
            if today > last {
                breaches.append(
                    .init(field: "window_id", rule: "LOC-2", message: "WINDOW_CLOSED: it closed on \(last)"))
            }
        }
        if !row.note.isEmpty {
            if row.note.count > 500 {
                breaches.append(.init(field: "note", rule: "LOC-6", message: "at most 500 characters"))
            }
            if PatientIdentifiers.count(in: Array(row.note.utf8)) > 0 {
                breaches.append(
                    .init(field: "note", rule: "LOC-6", message: "it seems to hold an NHS number"))
            }
        }
        return breaches.isEmpty ? (window, term) : nil
    }
}

extension LocalBulkLoading.Outcome {
    mutating func reject(_ row: LocalBulkFile.Row, _ breaches: [LocalLineRules.Breach]) {
        rejectedRows += 1
        rejections += breaches.map {
            Violation(field: $0.field, rule: $0.rule, message: $0.message, row: row.line)
        }
    }
}
