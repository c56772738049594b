import CqrsContract
import PluginAPI

// The layouts of cqrs.md 5.4, cell by cell as national systems write them.
extension ReportBuilder {
    func practiceList(into table: inout ReportTable) throws {
        let takesPart: Set<ParticipationState> = [.accepted, .active, .ended, .cancelled]
        for record in try scope.participations(reader)
        where record.service == query.service && takesPart.contains(record.state)
            && !record.isBackdatingUnconfirmed
        {
            table.append([
                record.service, record.provider, name(record.provider, on: record.start), record.commissioner,
                Self.compact(record.start), record.end.map(Self.compact) ?? "",
            ])
        }
    }

    func achievedPoints(into table: inout ReportTable) throws {
        guard let date = query.date else { return }
        let key = IndicatorValuesFile.Key(service: query.service, date: date)
        let source = try ResultSource(reader)
        let approved = Set(
            try DeclarationStore.live(key, reader).filter {
                $0.state.isLocked || $0.state == .awaitingFinance || $0.state == .awaitingNetwork
                    || $0.state == .aggregated
            }.map(\.calculation))
        for participant in try scope.participants(key, reader) {
            guard let view = try source.view(of: participant.provider, key) else { continue }
            for line in try view.achievement().lines where !line.informationOnly {
                table.append([
                    key.service, participant.provider, Self.compact(date), line.indicatorCode,
                    Points(hundredths: line.pointsHundredths).description,
                    approved.contains(view.stored.id) ? "Approved" : "",
                ])
            }
        }
    }

    func indicatorValues(into table: inout ReportTable) throws {
        guard let date = query.date else { return }
        let key = IndicatorValuesFile.Key(service: query.service, date: date)
        for participant in try scope.participants(key, reader) {
            try indicatorValues(
                of: participant.provider, key, catalogue: CountStore.catalogue(reader), into: &table)
        }
    }

    /// One provider's rows: what counts and what it replaced; as open data only what counts, masked by 5.5 (REP-6).
    func indicatorValues(
        of provider: String, _ key: IndicatorValuesFile.Key, catalogue: CellCatalogue,
        into table: inout ReportTable
    ) throws {
        guard let definition = try ServiceStore.published(key.service, reader)?.definition else { return }
        let indicators = Dictionary(
            definition.indicators.map { ($0.code, $0) }, uniquingKeysWith: { first, _ in first })
        let view = try FiguresView(key, provider: provider, catalogue: catalogue, reader)
        let cells = view.ordered(withHistory: !query.openData)
        var masks: [String: OpenDataSuppression] = [:]
        if query.openData {
            for (code, own) in Dictionary(grouping: cells, by: \.name.indicator) {
                if let indicator = indicators[code] {
                    masks[code] = OpenDataSuppression(indicator, own.map { ($0.name.field, $0.value) })
                }
            }
        }
        for cell in cells {
            guard let indicator = indicators[cell.name.indicator] else { continue }
            let plain =
                indicator.fields.first { $0.name == cell.name.field }?.role == .flag
                ? (cell.value == 1 ? "Y" : "N") : "\(cell.value)"
            guard let value = query.openData ? masks[indicator.code]?.shown(cell.name.field, plain) : plain
            else { continue }
            let wall = LondonTime.moment(at: cell.set.at)
            let seconds = cell.set.at.microsecondsSince1970 / 1_000_000 % 60
            let isAutomated = cell.set.source == .automated
            table.append([
                key.service, definition.name, provider, Self.compact(key.date), indicator.code,
                cell.name.field, value,
                cell.flags.contains(.isDefault) ? "Yes" : "None",
                // No person is named in open data.
                isAutomated ? "AUTOMATED" : query.openData ? cell.set.source.name : cell.set.by,
                Self.slashed(wall.day),
                Cell.clock(Int64(wall.minute) * 60 + seconds), cell.isLast ? "Y" : "N",
            ])
        }
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    /// `yyyymmdd`.
    static func compact(_ day: CalendarDate) -> String { "\(day.year)" + two(day.month) + two(day.day) }
    /// `dd/mm/yyyy`.
    private static func slashed(_ day: CalendarDate) -> String {
        "\(two(day.day))/\(two(day.month))/\(day.year)"
    }
}

/// Masks small numbers of one indicator of one provider for open data (cqrs.md 5.5).
struct OpenDataSuppression {
    private var masked: Set<String> = []
    private var left: Set<String> = []

    init(_ indicator: Indicator, _ cells: [(field: String, value: Int64)]) {
        let roles = Dictionary(
            indicator.fields.map { ($0.name, $0.role) }, uniquingKeysWith: { first, _ in first })
        func isAdjustment(_ field: String) -> Bool {
            roles[field].map { $0 == .adjustment } ?? Self.kinds[field] ?? false
        }
        // Exclusions are never published.
        left = Set(
            cells.map(\.field).filter { roles[$0].map { $0 == .exclusion } ?? (Self.kinds[$0] == false) })
        guard indicator.kind.isFraction, let field = indicator.field(.denominator),
            let denominator = cells.first(where: { $0.field == field })?.value
        else { return }
        let adjustments = cells.filter { isAdjustment($0.field) }
        let total = adjustments.reduce(0) { $0 + $1.value }
        guard total > 0 else { return }
        if adjustments.count == 1 {
            if denominator < 2 { masked = [field, adjustments[0].field] }
        } else if denominator == 0, adjustments.contains(where: { $0.value == total }) {
            masked = Set(adjustments.map(\.field))
        }
    }

    /// Whether a code that any fraction may have is an adjustment or an exclusion.
    private static let kinds = Dictionary(
        ShippedDefinitions.adjustments.map { ($0.code, $0.isAdjustment) },
        uniquingKeysWith: { first, _ in first })

    /// `nil` = it is left out.
    func shown(_ field: String, _ value: String) -> String? {
        left.contains(field) ? nil : masked.contains(field) ? "*" : value
    }
}
