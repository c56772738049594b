import Digests
import CommonContract
import CqrsContract
import HostContract
import PluginAPI
import Tabular

/// Loads an indicator values extract: read as it arrives, checked as a whole, stored in one commit or not at all.
struct ExtractLoading {
    let context: PluginContext
    let call: CallContext

    func load(_ requests: RequestStream<Pcs_Cqrs_V1_LoadExtractRequest>) async throws
        -> Pcs_Cqrs_V1_ExtractLoad
    {
        let first = requests.first
        var hash = Digest.Running()
        var file = IndicatorValuesFile(
            scope: { try scope($0, outsideWindow: first.outsideWindow) },
            knows: { [organisations = context.organisations, today = call.today] in
                organisations.organisation($0, at: today) != nil
            })
        var size = 0
        for try await request in requests {
            let piece = Array(request.data)
            size += piece.count
            guard size <= Upload.extractLimit else { throw Failure(CqrsReasons.fileTooLarge) }
            hash.add(piece)
            try refusingCQRS { try file.feed(piece) }
        }
        try refusingCQRS { try file.finish() }
        let sha256 = Digest.hex(hash.finish())
        if let earlier = try context.store.read({
            try CountStore.load(format: Pcs_Cqrs_V1_ExtractFormat.indicatorValues.rawValue, sha256, $0)
        }) {
            var reply = Pcs_Cqrs_V1_ExtractLoad(earlier)
            reply.alreadyLoaded = true
            return reply
        }
        guard file.violations.isEmpty else { throw Failure.cqrsFile(file.violations) }
        var submission = CountStore.Submission()
        submission.format = first.format.rawValue
        submission.fileName = first.fileName
        submission.sha256 = sha256
        submission.rows = file.rows
        submission.providers = Int64(Set(file.groups.flatMap(\.codes)).count)
        submission.services = Set(file.groups.map(\.key.service)).sorted().joined(separator: " ")
        submission.reason = first.reason
        submission.by = call.caller.responsible
        return try await store(submission, file.groups, dryRun: first.dryRun)
    }

    private func store(
        _ submission: CountStore.Submission, _ groups: [IndicatorValuesFile.Group], dryRun: Bool
    ) async throws -> Pcs_Cqrs_V1_ExtractLoad {
        if dryRun {
            var counted = submission
            try context.store.read { reader in
                for group in groups { _ = try ExtractLoading.count(group, &counted, reader) }
            }
            var reply = Pcs_Cqrs_V1_ExtractLoad(counted)
            reply.dryRun = true
            return reply
        }
        return try await call.commit { transaction in
            var submission = submission
            submission.id = transaction.newIdentifier()
            submission.at = transaction.now
            var standing: [IndicatorValuesFile.Key: [FiguresNotices.Progress]] = [:]
            for group in groups {
                standing[group.key] = try ExtractLoading.count(group, &submission, transaction)
            }
            let seq = try CountStore.record(submission, in: transaction)
            for group in groups {
                let sets = try ExtractLoading.sets(of: group, in: transaction)
                try CountStore.add(sets, to: group.key, seq: seq, in: transaction)
                guard AchievementDates.isPaid(group.key.date, of: group.scope.definition) else { continue }
                for progress in standing[group.key] ?? [] {
                    try FiguresNotices.refresh(progress, group.key, by: submission.by, in: transaction)
                }
            }
            transaction.audit(
                AuditNote(
                    object: "submission/\(submission.id)",
                    detail:
                        "\(submission.services): \(submission.rows) rows of \(submission.providers) providers, "
                        + "sha256 \(submission.sha256)"))
            return Pcs_Cqrs_V1_ExtractLoad(submission)
        }
    }

    /// The cells of a group under the numbers of the catalogue, in compact form.
    private static func sets(of group: IndicatorValuesFile.Group, in transaction: any Transaction) throws
        -> [(provider: String, body: [UInt8])]
    {
        var isUsed = [Bool](repeating: false, count: group.scope.names.count)
        for bucket in group.buckets { for cell in bucket.cells { isUsed[cell.cell] = true } }
        let used = isUsed.indices.filter { isUsed[$0] }
        let numbers = try CountStore.numbers(of: used.map { group.scope.names[$0] }, in: transaction)
        var numberOf = [Int](repeating: -1, count: isUsed.count)
        for (index, local) in used.enumerated() { numberOf[local] = numbers[index] }
        var sets: [(provider: String, body: [UInt8])] = []
        sets.reserveCapacity(group.buckets.count)
        for (provider, bucket) in zip(group.codes, group.buckets) {
            var cells = bucket.cells
            var isSorted = true
            for index in cells.indices {
                cells[index].cell = numberOf[cells[index].cell]
                if index > 0, cells[index].cell < cells[index - 1].cell { isSorted = false }
            }
            if !isSorted { cells.sort { $0.cell < $1.cell } }
            sets.append((provider, CountCoding.bytes(cells)))
        }
        return sets
    }

    /// How many cells are new, changed, the same, or stand locked (DAT-11).
    /// - Returns: what each provider of the file has after it.
    private static func count(
        _ group: IndicatorValuesFile.Group, _ submission: inout CountStore.Submission, _ reader: any Reader
    ) throws -> [FiguresNotices.Progress] {
        let required = RequiredCells(group.scope)
        var progress: [FiguresNotices.Progress] = []
        let catalogue = try CountStore.catalogue(reader)
        let localOf = Dictionary(
            uniqueKeysWithValues: group.scope.names.enumerated().compactMap { local, name in
                catalogue.existing(name).map { ($0, local) }
            })
        var before: [String: [Int: CountCell]] = [:]
        try CountStore.forEachSet(of: group.key, reader) { provider, isAutomated, body in
            guard group.providers[provider] != nil else { return }
            try CountCoding.read(body) { cell in
                guard let local = localOf[cell.cell] else { return }
                if isAutomated, before[provider]?[local]?.flags.contains(.isLocked) == true { return }
                before[provider, default: [:]][local] = cell
            }
        }
        for (provider, bucket) in zip(group.codes, group.buckets) {
            var isThere = [Bool](repeating: false, count: group.scope.names.count)
            for cell in bucket.cells { isThere[cell.cell] = true }
            for cell in before[provider, default: [:]].keys { isThere[cell] = true }
            progress.append(required.progress(of: provider, isThere))
            guard let known = before[provider] else {
                submission.added += Int64(bucket.cells.count)
                continue
            }
            for cell in bucket.cells {
                guard let earlier = known[cell.cell] else {
                    submission.added += 1
                    continue
                }
                if earlier.flags.contains(.isLocked) {
                    submission.keptManual += 1
                } else if earlier.value == cell.value {
                    submission.unchanged += 1
                } else {
                    submission.changed += 1
                }
            }
        }
        return progress
    }

    /// What the file may bring for a service and date, or why it may bring nothing.
    private func scope(_ key: IndicatorValuesFile.Key, outsideWindow: Bool) throws
        -> Result<IndicatorValuesFile.Scope, IndicatorValuesFile.Breach>
    {
        func breach(_ field: String, _ rule: String, _ message: String)
            -> Result<IndicatorValuesFile.Scope, IndicatorValuesFile.Breach>
        { .failure(.init(field: field, rule: rule, message: message)) }
        let today = call.today
        return try context.store.read { reader in
            guard let record = try ServiceStore.published(key.service, reader) else {
                return breach(
                    "QUALITY_SERVICE", "DAT-1",
                    "there is no service \(key.service.prefix(20)) that is published")
            }
            guard record.state.takesSubmissions else {
                return breach("QUALITY_SERVICE", "3.1", "\(key.service) is closed to submission")
            }
            guard AchievementDates.isOne(key.date, of: record.definition) else {
                return breach(
                    "ACH_DATE", "DAT-3",
                    "\(key.date) is no achievement date of \(key.service): the last day of a month, or quarter, of the service"
                )
            }
            if key.date > today {
                return breach("ACH_DATE", "EXT04", "\(key.date) lies in the future: the file is early")
            }
            if !outsideWindow, let window = try ReferenceStore.windows(reader)[key] {
                switch window.extract(on: today) {
                case .open: break
                case .early(let from):
                    return breach("ACH_DATE", "EXT04", "the file is early: extraction begins on \(from)")
                case .late(let since):
                    return breach("ACH_DATE", "EXT04", "the file is late: extraction ended on \(since)")
                }
            }
            let participants = try ParticipantList.participants(in: key.service, on: key.date, reader)
            return .success(
                IndicatorValuesFile.Scope(
                    record.definition, participants: Set(participants.map(\.provider)),
                    adjustments: ShippedDefinitions.adjustments.map(\.code)))
        }
    }
}

/// The cells that make each indicator complete, by their numbers in a file's scope (DAT-4).
private struct RequiredCells {
    private let indicators: [(code: String, cells: [Int])]

    init(_ scope: IndicatorValuesFile.Scope) {
        let numbers = Dictionary(
            scope.names.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })
        indicators = scope.definition.indicators.map { indicator in
            (
                indicator.code,
                indicator.requiredFields.compactMap {
                    numbers[.init(indicator: indicator.code, field: $0.name)]
                }
            )
        }
    }

    func progress(of provider: String, _ isThere: [Bool]) -> FiguresNotices.Progress {
        let missing = indicators.filter { indicator in !indicator.cells.allSatisfy { isThere[$0] } }.map(
            \.code)
        return FiguresNotices.Progress(
            provider: provider, submitted: indicators.count - missing.count, expected: indicators.count,
            missing: missing)
    }
}
