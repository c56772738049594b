import PluginAPI
import Tabular

/// The indicator values extract of cqrs.md 5.4: read and checked row by row, gathered by service, date and provider.
/// Rules DAT-1 to DAT-14, EXT01 to EXT04.
struct IndicatorValuesFile {
    static let columns = [
        "QUALITY_SERVICE", "NAME", "ORG_CODE", "ACH_DATE", "IND_CODE", "FIELD_NAME", "VALUE",
        "DEFAULT_VALUES_USED",
        "SUBMIT_USER_ID", "SUBMIT_DATE", "SUBMIT_TIME", "LAST_SUBMISSION",
    ]

    /// Which figures belong together.
    struct Key: Hashable, Sendable {
        var service: String
        var date: CalendarDate
    }

    /// What a file may bring for a service and date; asked once for each.
    struct Scope: Sendable {
        var definition: ServiceDefinition
        /// Names of all cells that may come, and the number of each among them.
        var names: [CellCatalogue.Name]
        var lookup: CellLookup
        /// Providers that take part on the date.
        var participants: Set<String>

        init(_ definition: ServiceDefinition, participants: Set<String>, adjustments: [String]) {
            self.definition = definition
            self.participants = participants
            var names: [CellCatalogue.Name] = []
            for indicator in definition.indicators {
                var fields = indicator.fields.map(\.name)
                if indicator.kind.isFraction {
                    fields += adjustments.filter { code in !indicator.fields.contains { $0.name == code } }
                }
                names += fields.map { CellCatalogue.Name(indicator: indicator.code, field: $0) }
            }
            self.names = names
            lookup = CellLookup(names.map { Array($0.indicator.utf8) + [0] + Array($0.field.utf8) })
        }
    }

    /// The cells that one provider got, by number among the scope's names.
    struct Bucket: Sendable {
        var cells: [CountCell] = []
        var lines: [Int32] = []
        var firstLine = 0
    }

    struct Group: Sendable {
        var key: Key
        var scope: Scope
        var providers: [String: Int] = [:]
        var codes: [String] = []
        var buckets: [Bucket] = []
    }

    private(set) var violations = ViolationList()
    private(set) var groups: [Group] = []
    private(set) var rows: Int64 = 0
    private var groupOf: [Key: Int] = [:]
    private var refused: Set<Key> = []
    private var scanner = ExtractScanner(columns: columns.count)
    private let scope: (Key) throws -> Result<Scope, Breach>
    private let knows: (ODSCode) -> Bool
    // The row before: extracts are sorted, so most rows continue it.
    private var lastService: [UInt8] = []
    private var lastProvider: [UInt8] = []
    private var lastDate: [UInt8] = []
    private var lastGroup = -1
    private var lastBucket = -1
    private var unknownProviders: Set<String> = []

    struct Breach: Error {
        var field: String
        var rule: String
        var message: String
    }

    init(scope: @escaping (Key) throws -> Result<Scope, Breach>, knows: @escaping (ODSCode) -> Bool) {
        self.scope = scope
        self.knows = knows
    }

    mutating func feed(_ piece: [UInt8]) throws {
        var scanner = scanner
        var problems: [(ExtractScanner.Problem, Int)] = []
        try scanner.feed(piece, row: { try take($0, $1) }, broken: { problems.append(($0, $1)) })
        self.scanner = scanner
        for (problem, line) in problems { refuse(problem, line) }
    }

    mutating func finish() throws {
        var scanner = scanner
        var problems: [(ExtractScanner.Problem, Int)] = []
        try scanner.finish(row: { try take($0, $1) }, broken: { problems.append(($0, $1)) })
        for (problem, line) in problems { refuse(problem, line) }
        if rows == 0, violations.isEmpty { violations.add("EXT01", row: 2, "the file has no rows") }
        for index in groups.indices { checkBuckets(of: index) }
    }

    private mutating func refuse(_ problem: ExtractScanner.Problem, _ line: Int) {
        let words =
            switch problem {
            case .columnCount(let count): "the row has \(count) columns; it must have \(Self.columns.count)"
            case .quoting: "a quote stands where none may be"
            case .control: "there is a control character in the row"
            case .tooLong: "the line is longer than \(ExtractScanner.longestLine) bytes"
            }
        violations.add("EXT01", row: line, words)
    }

    private mutating func take(_ cells: ExtractScanner.Cells, _ line: Int) throws {
        if line == 1 {
            for (index, name) in Self.columns.enumerated() where cells.text(index) != name {
                violations.add(
                    "EXT01", row: 1, column: index + 1, field: name, "the heading must be \"\(name)\"")
            }
            return
        }
        rows += 1
        // Superseded rows are history of the sender (DAT-2).
        let isLast = cells.with(11) { $0.count == 1 && $0[0] == 0x59 }
        if !isLast {
            if cells.text(11) != "N" { add("DAT-1", line, 11, "LAST_SUBMISSION is Y or N") }
            return
        }
        guard try locate(cells, line) else { return }
        let number = cells.with(4) { indicator in
            cells.with(5) { groups[lastGroup].scope.lookup.number(indicator, $0) }
        }
        guard number >= 0 else {
            let indicator = cells.text(4)
            let isKnown = groups[lastGroup].scope.definition.indicators.contains { $0.code == indicator }
            add(
                "DAT-9", line, isKnown ? 5 : 4,
                isKnown ? "the indicator has no such field" : "the service has no such indicator")
            return
        }
        guard let value = value(cells) else {
            add(
                "DAT-9", line, 6,
                "a value is a whole number from 0 to \(IndicatorScore.largestCount), or Y or N")
            return
        }
        let isDefault = cells.with(7) { $0.count > 0 && ($0[0] == 0x59 || $0[0] == 0x79) }
        groups[lastGroup].buckets[lastBucket].cells.append(
            CountCell(cell: number, value: value, flags: isDefault ? .isDefault : []))
        groups[lastGroup].buckets[lastBucket].lines.append(Int32(clamping: line))
    }

    private mutating func add(_ rule: String, _ line: Int, _ column: Int, _ message: String) {
        violations.add(rule, row: line, column: column + 1, field: Self.columns[column], message)
    }

    private func value(_ cells: ExtractScanner.Cells) -> Int64? {
        cells.with(6) { bytes in
            guard (1...8).contains(bytes.count) else { return nil }
            if bytes.count == 1, bytes[0] == 0x59 { return 1 }
            if bytes.count == 1, bytes[0] == 0x4E { return 0 }
            var value: Int64 = 0
            for byte in bytes {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            return value
        }
    }

    /// Finds group and bucket of the row; `false` when it belongs to none.
    private mutating func locate(_ cells: ExtractScanner.Cells, _ line: Int) throws -> Bool {
        let isSame =
            lastGroup >= 0 && cells.with(2) { $0.elementsEqual(lastProvider) }
            && cells.with(3) { $0.elementsEqual(lastDate) } && cells.with(0) { $0.elementsEqual(lastService) }
        if isSame { return lastBucket >= 0 }
        lastService = cells.with(0) { Array($0) }
        lastProvider = cells.with(2) { Array($0) }
        lastDate = cells.with(3) { Array($0) }
        lastGroup = -1
        lastBucket = -1
        guard let date = CalendarDate(compact: cells.text(3)) else {
            add("DAT-1", line, 3, "the achievement date is written yyyymmdd")
            return false
        }
        let key = Key(service: cells.text(0), date: date)
        guard let group = try group(key, line) else { return false }
        let provider = cells.text(2)
        guard let code = ODSCode(provider), knows(code) else {
            if unknownProviders.insert(provider).inserted {
                add("EXT02", line, 2, "\"\(provider.prefix(12))\" is not in the register of organisations")
            } else {
                add("EXT02", line, 2, "not in the register of organisations")
            }
            return false
        }
        guard groups[group].scope.participants.contains(provider) else {
            add("PAR-1", line, 2, "\(provider) does not take part in \(key.service) on \(key.date)")
            return false
        }
        lastGroup = group
        if let bucket = groups[group].providers[provider] {
            lastBucket = bucket
        } else {
            lastBucket = groups[group].buckets.count
            groups[group].providers[provider] = lastBucket
            groups[group].codes.append(provider)
            var bucket = Bucket()
            bucket.firstLine = line
            bucket.cells.reserveCapacity(groups[group].buckets.last?.cells.count ?? 64)
            bucket.lines.reserveCapacity(groups[group].buckets.last?.cells.count ?? 64)
            groups[group].buckets.append(bucket)
        }
        return true
    }

    private mutating func group(_ key: Key, _ line: Int) throws -> Int? {
        if let group = groupOf[key] { return group }
        if refused.contains(key) {
            add("DAT-1", line, 0, "\(key.service) on \(key.date) is refused")
            return nil
        }
        switch try scope(key) {
        case .success(let scope):
            groupOf[key] = groups.count
            groups.append(Group(key: key, scope: scope))
            return groups.count - 1
        case .failure(let breach):
            refused.insert(key)
            let column = Self.columns.firstIndex(of: breach.field) ?? 0
            add(breach.rule, line, column, breach.message)
            return nil
        }
    }
}

extension IndicatorValuesFile {
    /// A cell twice (DAT-14), a numerator over its denominator (DAT-9), a count over its maximum (DAT-10).
    private mutating func checkBuckets(of index: Int) {
        let rules = PairRules(groups[index].scope)
        for bucket in groups[index].buckets.indices {
            let order = groups[index].buckets[bucket].sortedOrder()
            if let order { groups[index].buckets[bucket].reorder(order) }
            let content = groups[index].buckets[bucket]
            var previous = -1
            for (position, cell) in content.cells.enumerated() {
                if cell.cell == previous {
                    let name = groups[index].scope.names[cell.cell]
                    add(
                        "DAT-14", Int(content.lines[position]), 5,
                        "\(groups[index].codes[bucket]) \(name.indicator) \(name.field) is also in line \(content.lines[position - 1])"
                    )
                }
                previous = cell.cell
            }
            for breach in rules.breaches(content) { add(breach.rule, breach.line, 6, breach.message) }
        }
    }
}

extension IndicatorValuesFile.Bucket {
    /// `nil` when the cells are in order already, as they are in the national extract.
    fileprivate func sortedOrder() -> [Int]? {
        var isSorted = true
        for index in cells.indices.dropFirst() where cells[index].cell <= cells[index - 1].cell {
            isSorted = false
        }
        if isSorted { return nil }
        return cells.indices.sorted { (cells[$0].cell, lines[$0]) < (cells[$1].cell, lines[$1]) }
    }

    fileprivate mutating func reorder(_ order: [Int]) {
        cells = order.map { cells[$0] }
        lines = order.map { lines[$0] }
    }
}

/// Pairs of cells of which one may not exceed the other.
struct PairRules {
    struct Pair {
        var least: Int
        var most: Int
        var rule: String
        var words: String
    }
    struct Found {
        var rule: String
        var line: Int
        var message: String
    }
    /// By number of the lesser cell.
    private var pairs: [Int: Pair] = [:]
    private let mostOf: [Int32]

    init(_ scope: IndicatorValuesFile.Scope) {
        var numbers: [CellCatalogue.Name: Int] = [:]
        for (number, name) in scope.names.enumerated() { numbers[name] = number }
        var mostOf = [Int32](repeating: -1, count: scope.names.count)
        for indicator in scope.definition.indicators {
            func number(_ field: String?) -> Int? {
                field.flatMap { numbers[.init(indicator: indicator.code, field: $0)] }
            }
            if let least = number(indicator.field(.numerator)),
                let most = number(indicator.field(.denominator))
            {
                pairs[least] = Pair(
                    least: least, most: most, rule: "DAT-9",
                    words: "\(indicator.code): the numerator is over the denominator")
                mostOf[least] = Int32(most)
            }
            if let least = number(indicator.field(.count)), let most = number(indicator.field(.maximum)) {
                pairs[least] = Pair(
                    least: least, most: most, rule: "DAT-10",
                    words: "\(indicator.code): the count is over its maximum")
                mostOf[least] = Int32(most)
            }
        }
        self.mostOf = mostOf
    }

    /// - Parameter bucket: in order of cell.
    func breaches(_ bucket: IndicatorValuesFile.Bucket) -> [Found] {
        var found: [Found] = []
        for (position, cell) in bucket.cells.enumerated() {
            let most = Int(mostOf[cell.cell])
            if most < 0 { continue }
            guard let limit = value(most, bucket.cells), cell.value > limit, let pair = pairs[cell.cell]
            else { continue }
            found.append(
                Found(
                    rule: pair.rule, line: Int(bucket.lines[position]),
                    message: "\(pair.words), \(cell.value) over \(limit)"))
        }
        return found
    }

    private func value(_ number: Int, _ cells: [CountCell]) -> Int64? {
        var (low, high) = (0, cells.count)
        while low < high {
            let middle = (low + high) / 2
            if cells[middle].cell < number { low = middle + 1 } else { high = middle }
        }
        return low < cells.count && cells[low].cell == number ? cells[low].value : nil
    }
}
