import CommonContract
import CqrsContract
import Digests
import PluginAPI
import SwiftProtobuf

/// The figures of one provider, service and date as they count now, with their history.
struct FiguresView {
    struct Cell {
        var name: CellCatalogue.Name
        var value: Int64
        var flags: CountCell.Flags
        var set: CountStore.SetRow
        var isLast: Bool
    }
    let key: IndicatorValuesFile.Key
    let provider: String
    /// In order of submission.
    private(set) var cells: [Cell] = []
    private var lastOf: [CellCatalogue.Name: Int] = [:]
    private let confirmedUpTo: Int64
    let version: Int64

    /// - Parameter catalogue: names of the cells, when they were read already.
    init(
        _ key: IndicatorValuesFile.Key, provider: String, catalogue: CellCatalogue? = nil,
        _ reader: any Reader
    ) throws {
        self.key = key
        self.provider = provider
        let names = try (catalogue ?? CountStore.catalogue(reader)).names
        let sets = try CountStore.sets(of: key, provider: provider, reader)
        version = sets.last?.seq ?? 0
        confirmedUpTo = try FiguresSeenStore.confirmedUpTo(key, provider: provider, reader)
        for set in sets {
            try CountCoding.read(set.body) { cell in
                let name = names[cell.cell]
                var isLast = true
                if let earlier = lastOf[name] {
                    if set.source == .automated, cells[earlier].flags.contains(.isLocked) {
                        isLast = false
                    } else {
                        cells[earlier].isLast = false
                    }
                }
                if isLast { lastOf[name] = cells.count }
                cells.append(Cell(name: name, value: cell.value, flags: cell.flags, set: set, isLast: isLast))
            }
        }
    }

    func cell(_ indicator: String, _ field: String) -> Cell? {
        lastOf[.init(indicator: indicator, field: field)].map { cells[$0] }
    }

    /// Hash over the last submissions, by name of the cell.
    var hash: String {
        let lines = cells.filter(\.isLast).map { "\($0.name.indicator)\t\($0.name.field)\t\($0.value)\n" }
            .sorted()
        return Digest.hex(Digest.sha256(Array(lines.joined().utf8)))
    }

    /// By indicator and field, in order of submission.
    func ordered(withHistory: Bool) -> [Cell] {
        cells.filter { withHistory || $0.isLast }
            .sorted {
                ($0.name.indicator, $0.name.field, $0.set.seq) < (
                    $1.name.indicator, $1.name.field, $1.set.seq
                )
            }
    }

    func messages(withHistory: Bool) -> [Pcs_Cqrs_V1_CountCell] {
        ordered(withHistory: withHistory)
            .map { cell in
                .with {
                    $0.indicatorCode = cell.name.indicator
                    $0.field = cell.name.field
                    $0.value = String(cell.value)
                    $0.source = cell.set.source.name
                    $0.submittedBy = cell.set.by
                    $0.submittedAt = Google_Protobuf_Timestamp(cell.set.at)
                    $0.lastSubmission = cell.isLast
                    $0.defaultUsed = cell.flags.contains(.isDefault)
                    $0.locked = cell.flags.contains(.isLocked)
                    $0.version = cell.set.seq
                }
            }
    }

    /// "n of m submitted" (DAT-4).
    func progress(_ definition: ServiceDefinition) -> Pcs_Cqrs_V1_SubmissionProgress {
        var reply = Pcs_Cqrs_V1_SubmissionProgress()
        var groups: [String: Pcs_Cqrs_V1_GroupProgress] = [:]
        var order: [String] = []
        for indicator in definition.indicators {
            if groups[indicator.group] == nil { order.append(indicator.group) }
            let found = indicator.requiredFields.compactMap { cell(indicator.code, $0.name) }
            let isThere = found.count == indicator.requiredFields.count
            var group = groups[indicator.group] ?? .with { $0.group = indicator.group }
            group.expected += 1
            reply.indicatorsExpected += 1
            if isThere {
                group.submitted += 1
                reply.indicatorsSubmitted += 1
            } else {
                reply.missing.append(indicator.code)
            }
            if let at = found.map(\.set.at).max(),
                Google_Protobuf_Timestamp(at).seconds > group.lastUpdated.seconds
            {
                group.lastUpdated = Google_Protobuf_Timestamp(at)
            }
            if found.contains(where: { $0.flags.contains(.isDefault) && $0.set.seq > confirmedUpTo }) {
                reply.unconfirmedDefaults.append(indicator.code)
            }
            groups[indicator.group] = group
        }
        reply.providerCode = provider
        reply.serviceCode = key.service
        reply.achievementDate = .init(key.date)
        reply.complete = reply.missing.isEmpty
        reply.groups = order.compactMap { groups[$0] }
        reply.version = version
        return reply
    }
}
