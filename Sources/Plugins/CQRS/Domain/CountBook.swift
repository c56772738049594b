import PluginAPI

/// Names of cells by number: one number an indicator and field, the same for all services and providers.
struct CellCatalogue: Sendable {
    struct Name: Hashable, Sendable {
        var indicator: String
        var field: String
    }

    private(set) var names: [Name] = []
    private var numbers: [Name: Int] = [:]

    /// Number of the cell, from 0; a new one when it has none yet.
    mutating func number(of name: Name) -> Int {
        if let number = numbers[name] { return number }
        numbers[name] = names.count
        names.append(name)
        return names.count - 1
    }

    func existing(_ name: Name) -> Int? { numbers[name] }
}

/// One figure as sent.
struct CountCell: Hashable, Sendable {
    var cell: Int
    /// Y is 1, N is 0.
    var value: Int64
    var flags: Flags

    struct Flags: OptionSet, Hashable, Sendable {
        var rawValue: UInt8
        /// Filled in because nobody touched it (DAT-8).
        static let isDefault = Flags(rawValue: 1)
        /// An extract does not replace it (DAT-11).
        static let isLocked = Flags(rawValue: 2)
    }
}

/// The cells of one submission for one provider and date, in order of cell: what is stored.
enum CountCoding {
    static func bytes(_ cells: [CountCell]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(cells.count * 4)
        append(UInt64(cells.count), to: &bytes)
        var previous = 0
        for cell in cells {
            // In rising order, so that the distance to the one before is small.
            append(UInt64(cell.cell - previous), to: &bytes)
            append(UInt64(cell.value) << 2 | UInt64(cell.flags.rawValue & 3), to: &bytes)
            previous = cell.cell
        }
        return bytes
    }

    @inline(__always)
    private static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    static func read(_ bytes: [UInt8], _ body: (CountCell) -> Void) throws(CQRSError) {
        var position = 0
        func next() throws(CQRSError) -> UInt64 {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            while position < bytes.count, shift < 64 {
                let byte = bytes[position]
                position += 1
                value |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return value }
                shift += 7
            }
            throw .damaged("set of counts")
        }
        var cell = 0
        for _ in 0..<(try next()) {
            cell += Int(truncatingIfNeeded: try next())
            let packed = try next()
            body(
                CountCell(
                    cell: cell, value: Int64(truncatingIfNeeded: packed >> 2),
                    flags: CountCell.Flags(rawValue: UInt8(packed & 3))))
        }
        guard position == bytes.count else { throw .damaged("set of counts") }
    }
}

/// Where the figures of a definition stand: one slot a field of an indicator.
struct CountLayout: Sendable {
    /// Slots of each indicator's roles, by index of the indicator; -1 = it has no such field.
    struct Slots: Hashable, Sendable {
        var numerator = -1
        var denominator = -1
        var register = -1
        var flag = -1
        var count = -1
        var maximum = -1
        var required: [Int] = []
        var adjustments: [Int] = []
    }

    let slots: [Slots]
    let slotCount: Int
    /// Slot by number of the cell, -1 = not one of the definition.
    private let slotOfCell: [Int32]

    /// - Parameter adjustments: codes of personalised care adjustments, which any fraction may have.
    init(_ definition: ServiceDefinition, _ catalogue: CellCatalogue, adjustments: [String]) {
        var slots: [Slots] = []
        var slotOfCell = [Int32](repeating: -1, count: catalogue.names.count)
        var next = 0
        func place(_ indicator: String, _ field: String) -> Int {
            if let number = catalogue.existing(.init(indicator: indicator, field: field)) {
                slotOfCell[number] = Int32(next)
            }
            next += 1
            return next - 1
        }
        for indicator in definition.indicators {
            var own = Slots()
            for field in indicator.fields {
                let slot = place(indicator.code, field.name)
                switch field.role {
                case .numerator: own.numerator = slot
                case .denominator: own.denominator = slot
                case .register: own.register = slot
                case .flag: own.flag = slot
                case .count: own.count = slot
                case .maximum: own.maximum = slot
                case .adjustment: own.adjustments.append(slot)
                case .exclusion: break
                }
                if field.role.isRequired { own.required.append(slot) }
            }
            if indicator.kind.isFraction {
                for code in adjustments
                where catalogue.existing(.init(indicator: indicator.code, field: code)) != nil {
                    own.adjustments.append(place(indicator.code, code))
                }
            }
            slots.append(own)
        }
        self.slots = slots
        self.slotOfCell = slotOfCell
        slotCount = next
    }

    func slot(_ cell: Int) -> Int { cell < slotOfCell.count ? Int(slotOfCell[cell]) : -1 }
}

/// What counts for one provider and date: the last submission of each cell (DAT-2).
struct CountBook: Sendable {
    /// By slot; -1 = nothing was sent.
    private(set) var values: [Int64]
    private var locked: [Bool]
    private(set) var hasDefaults = false

    init(_ layout: CountLayout) {
        values = [Int64](repeating: -1, count: layout.slotCount)
        locked = [Bool](repeating: false, count: layout.slotCount)
    }

    /// Takes a later submission. DAT-11: what a commissioner locked stays until it is entered by hand again.
    mutating func take(_ body: [UInt8], isAutomated: Bool, _ layout: CountLayout) throws(CQRSError) {
        try CountCoding.read(body) { cell in
            let slot = layout.slot(cell.cell)
            if slot < 0 || (isAutomated && locked[slot]) { return }
            values[slot] = cell.value
            locked[slot] = cell.flags.contains(.isLocked)
            if cell.flags.contains(.isDefault) { hasDefaults = true }
        }
    }

    func value(_ slot: Int) -> Int64 { slot < 0 ? -1 : values[slot] }

    /// Network figures are sums over the members, then scored (cqrs.md 6.9).
    mutating func add(_ other: CountBook) {
        for slot in values.indices where other.values[slot] >= 0 {
            values[slot] = max(0, values[slot]) + other.values[slot]
        }
        hasDefaults = hasDefaults || other.hasDefaults
    }
}
