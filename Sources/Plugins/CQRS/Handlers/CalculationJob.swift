import Digests
import CqrsContract
import HostContract
import PluginAPI

/// Calculates a service and date for all participants: gathers the frozen inputs, runs the pure calculator, and says
/// which results differ from those that are stored.
struct CalculationJob {
    let context: PluginContext
    let key: IndicatorValuesFile.Key
    /// Empty = every participant.
    let only: Set<String>

    struct Outcome: Sendable {
        var run: CalculationStore.Run
        /// Results that differ from the present ones.
        var changed: [(stored: CalculationStore.Stored, populationID: Int64)]
    }

    func run(_ reader: any Reader) throws -> Outcome {
        guard let record = try ServiceStore.published(key.service, reader) else {
            throw Failure(CqrsReasons.serviceUnknown)
        }
        guard record.state.isCalculated else {
            throw Failure(CqrsReasons.serviceStateWrong, "\(key.service) is \(record.state).")
        }
        let definition = record.definition
        guard AchievementDates.isOne(key.date, of: definition) else {
            throw Failure.field(
                "achievement_date", "DAT-3", "\(key.date) is no achievement date of \(key.service).")
        }
        let figures = NationalFigures(try ReferenceStore.constants(reader))
        let inputs = try RunInputs(definition, on: key.date, figures)
        let catalogue = try CountStore.catalogue(reader)
        let layout = CountLayout(
            definition, catalogue,
            adjustments: ShippedDefinitions.adjustments.filter(\.isAdjustment).map(\.code))
        let calculator = ProviderCalculator(definition, layout, inputs)
        let units = try units(definition, reader)
        let bases = try PopulationTable(definition, key, figures, reader)
        let stated =
            definition.indicators.contains(where: \.isIncomeProtected)
            ? try priorPoints(definition, reader) : [:]
        let books = try books(layout, units, reader)
        let present = try CalculationStore.present(key, reader)

        var run = CalculationStore.Run(date: key.date)
        run.seq = try CalculationStore.nextSequence(reader)
        run.service = key.service
        run.version = definition.version
        run.inputs = ResultCoding.bytes(inputs)
        var changed: [(stored: CalculationStore.Stored, populationID: Int64)] = []
        for unit in units {
            guard let code = ODSCode(unit.code) else { continue }
            let counts = books[unit.code] ?? CountBook(layout)
            let provider = ProviderCalculator.Provider(
                code: code, counts: counts, bases: try bases.bases(of: unit.code, members: unit.members),
                priorPoints: stated[unit.code] ?? [:])
            let result = try calculator.calculate(provider)
            let stored = store(result, counts, run.seq)
            run.providers += 1
            run.lines += Int64(result.lines.count)
            if result.isComplete { run.totalPence += result.total.pence } else { run.incomplete += 1 }
            run.points += result.points.hundredths
            if let earlier = present[unit.code], earlier.body == stored.body,
                earlier.figures == stored.figures,
                earlier.isComplete == stored.isComplete
            {
                run.unchanged += 1
            } else {
                run.changed += 1
                let bases = result.bases
                let figure = bases.list ?? bases.weighted ?? bases.adjusted ?? bases.beds
                changed.append((stored, figure?.rowID ?? 0))
            }
        }
        try compare(&run, figures, reader)
        return Outcome(run: run, changed: changed)
    }

    private func store(_ result: ProviderResult, _ counts: CountBook, _ seq: Int64) -> CalculationStore.Stored
    {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(counts.values.count * 8)
        for value in counts.values {
            withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
        }
        return CalculationStore.Stored(
            provider: result.provider.value, runSeq: seq, isComplete: result.isComplete,
            points: result.points.hundredths, maximum: result.maximum.hundredths,
            totalPence: result.total.pence,
            figures: Digest.sha256(bytes), body: ResultCoding.bytes(result))
    }

    /// What is calculated: a practice, or a network with its members on the date.
    struct Unit: Sendable {
        var code: String
        var members: [String]
    }

    private func units(_ definition: ServiceDefinition, _ reader: any Reader) throws -> [Unit] {
        let participants = try ParticipantList.participants(in: key.service, on: key.date, reader)
        let byNetwork = definition.offerUnit == .pcn && !definition.flags.contains(.pcnAggregated)
        guard byNetwork else {
            return participants.filter { only.isEmpty || only.contains($0.provider) }.map {
                Unit(code: $0.provider, members: [$0.provider])
            }
        }
        // Members at the achievement date (6.9); of a month's payment, on the first of the month (PCN-4).
        let day = definition.method == .population ? YearMonth(containing: key.date).firstDay : key.date
        var networks: [String: [String]] = [:]
        for participant in participants {
            // The register decides, whatever was offered or is claimed (ORG-3, R11).
            let pcn = ODSCode(participant.provider).flatMap {
                context.organisations.pcn(of: $0, at: day)?.value
            }
            if let pcn { networks[pcn, default: []].append(participant.provider) }
        }
        return networks.filter { only.isEmpty || only.contains($0.key) }.sorted { $0.key < $1.key }.map {
            Unit(code: $0.key, members: $0.value.sorted())
        }
    }

    /// What counts, by practice or summed by network.
    private func books(_ layout: CountLayout, _ units: [Unit], _ reader: any Reader) throws -> [String:
        CountBook]
    {
        var unitOf: [String: String] = [:]
        for unit in units { for member in unit.members { unitOf[member] = unit.code } }
        var books: [String: CountBook] = [:]
        try CountStore.forEachSet(of: key, reader) { provider, isAutomated, body in
            guard
                unitOf[provider] != nil || books[provider] != nil
                    || units.contains(where: { $0.code == provider })
            else {
                return
            }
            var book = books.removeValue(forKey: provider) ?? CountBook(layout)
            try book.take(body, isAutomated: isAutomated, layout)
            books[provider] = book
        }
        for unit in units where unit.members != [unit.code] {
            // Figures typed in for the network itself come on top of the members' sums.
            var sum = books[unit.code] ?? CountBook(layout)
            for member in unit.members { if let book = books[member] { sum.add(book) } }
            books[unit.code] = sum
        }
        return books
    }

    /// 6.5: last year's points under the codes of this year.
    private func priorPoints(_ definition: ServiceDefinition, _ reader: any Reader) throws -> [String:
        [String: Points]]
    {
        let date = CalendarDate(year: key.date.year - 1, month: key.date.month, day: key.date.day) ?? key.date
        guard let earlier = try PriorService.of(definition, covering: date, reader) else { return [:] }
        return try CountStore.stated(.init(service: earlier.definition.code, date: date), reader)
    }

    /// R1: the mean payment against the run of a year ago, or else the one before; a large movement holds the run.
    private func compare(_ run: inout CalculationStore.Run, _ figures: NationalFigures, _ reader: any Reader)
        throws
    {
        let date =
            CalendarDate(year: key.date.year - 1, month: key.date.month, day: min(key.date.day, 28))
            ?? key.date
        let lastYear = YearMonth(containing: date)
        let stem = PriorService.stem(of: key.service)
        let earlier = try CalculationStore.runs(reader).first { earlier in
            earlier.state == .released && PriorService.stem(of: earlier.service) == stem
                && (YearMonth(containing: earlier.date) == lastYear
                    || (earlier.service == key.service && earlier.date == key.date))
                && earlier.providers > earlier.incomplete
        }
        guard let earlier, run.providers > run.incomplete else { return }
        run.meanBefore = earlier.totalPence / (earlier.providers - earlier.incomplete)
        let mean = run.totalPence / (run.providers - run.incomplete)
        guard run.meanBefore > 0 else { return }
        run.movement = (mean - run.meanBefore) * 10_000 / run.meanBefore
        let bound = figures.optionalFigure("movement_hold_basis_points", "", on: key.date)?.value.scaled(
            to: 0)
        if let bound, abs(run.movement) > bound, only.isEmpty { run.state = .held }
    }
}

/// The same service in another year: its code without the year.
enum PriorService {
    static func stem(of code: String) -> String {
        let digits = code.utf8.reversed().prefix { (0x30...0x39).contains($0) }.count
        return String(code.dropLast(min(4, digits)))
    }

    static func of(_ definition: ServiceDefinition, covering day: CalendarDate, _ reader: any Reader) throws
        -> ServiceStore.Record?
    {
        let stem = stem(of: definition.code)
        return try ServiceStore.all(reader).last {
            self.stem(of: $0.definition.code) == stem && $0.definition.covers(day) && $0.state != .draft
        }
    }
}
