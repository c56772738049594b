/// Puts rows together under a layout, however they were found: matches the header, holds every row to the number of
/// columns and the bounds, and notes what breaks a rule.
///
/// A reader gives the cells of a row with `add(_:)`, or `skip` for those it could not read, then calls `endRow`, and
/// stops when that returns `false`. At the end it calls `finish()` once.
package struct TableBuilder {
    package let layout: TableLayout
    package var violations: ViolationList
    /// Of the row at hand, those not kept included.
    package private(set) var cellsInRow = 0

    private var bytes: [UInt8]
    private var cells: [Table.Cell] = []
    private var lines: [Int32] = []
    private var header: [String]?
    private var columns: Int
    private var rowsSeen = 0
    private var rowStart = 0

    package init(_ layout: TableLayout, violations: ViolationList) {
        self.init(layout, bytes: [], cellsExpected: 0, violations: violations)
    }

    /// - Parameter bytes: of the file, in which the cells lie.
    init(_ layout: TableLayout, bytes: [UInt8], cellsExpected: Int, violations: ViolationList) {
        self.layout = layout
        self.bytes = bytes
        self.violations = violations
        cells.reserveCapacity(cellsExpected)
        switch layout.header {
        case .none(let columns):
            self.columns = columns
            header = []
        case .exact(let names): columns = names.count
        case .asGiven: columns = 0
        }
    }

    /// Adds a cell that is not part of a larger whole. At most `TableLimits.cellBytes`; the reader has seen to it.
    package mutating func add(_ text: some Collection<UInt8>) {
        let start = bytes.count
        bytes.append(contentsOf: text)
        add(Table.Cell(start: Int32(start), length: Int32(bytes.count - start)))
    }

    mutating func add(_ cell: Table.Cell) {
        cellsInRow += 1
        // A hostile row cannot grow the table.
        if cellsInRow <= layout.limits.columns { cells.append(cell) }
    }

    /// Adds an empty cell.
    package mutating func addEmpty() { add(Table.Cell(start: 0, length: 0)) }

    /// Ends the row at hand.
    ///
    /// - Parameters:
    ///   - line: where it began, the first line of the file being 1.
    ///   - isSound: whether all its cells could be read. If not, what was wrong is noted already, and it is left out.
    ///   - mayBeShort: whether cells that are not there are empty ones.
    /// - Returns: whether there is a point in reading on.
    package mutating func endRow(line: Int, isSound: Bool, mayBeShort: Bool = false) -> Bool {
        defer {
            rowStart = cells.count
            cellsInRow = 0
        }
        guard cellsInRow <= layout.limits.columns else {
            violations.add(
                layout.rules.limit, row: line, column: layout.limits.columns + 1,
                "the row has \(cellsInRow) columns; the limit is \(layout.limits.columns)")
            dropRow()
            return header != nil
        }
        if header == nil { return takeHeader(line, isSound) }
        rowsSeen += 1
        guard rowsSeen <= layout.limits.rows else {
            violations.add(layout.rules.limit, row: line, "the file has more than \(layout.limits.rows) rows")
            dropRow()
            return false
        }
        guard cells.count <= layout.limits.cells else {
            violations.add(
                layout.rules.limit, row: line, "the file has more than \(layout.limits.cells) cells")
            dropRow()
            return false
        }
        if isSound, fitRow(line, mayBeShort) { lines.append(Int32(clamping: line)) } else { dropRow() }
        return true
    }

    package mutating func finish(serialDays: SerialDays? = nil) -> Table {
        if rowsSeen == 0, violations.isEmpty {
            let hasHeader = header.map { !$0.isEmpty } ?? false
            violations.add(layout.rules.notEmpty, row: hasHeader ? 2 : 1, "the file has no rows")
        }
        return Table(
            header: header ?? [], columns: columns, serialDays: serialDays, bytes: bytes, cells: cells,
            lines: lines)
    }

    private mutating func dropRow() { cells.removeSubrange(rowStart...) }

    private mutating func takeHeader(_ line: Int, _ isSound: Bool) -> Bool {
        var names = cells[rowStart...].map { Table.text(of: $0, in: bytes) }
        dropRow()
        guard case .exact(let wanted) = layout.header else {
            if layout.origin == .person { while names.last == "" { names.removeLast() } }
            header = names
            columns = names.count
            return isSound
        }
        if layout.origin == .person {
            while names.count > wanted.count, names.last == "" { names.removeLast() }
        }
        header = names
        guard names != wanted else { return true }
        for (index, name) in wanted.enumerated() where index >= names.count || names[index] != name {
            let found = index < names.count ? "\"\(names[index].prefix(60))\"" : "nothing"
            violations.add(
                layout.rules.header, row: line, column: index + 1, field: name,
                "the heading must be \"\(name)\"; found \(found)")
        }
        for index in names.indices.dropFirst(wanted.count) {
            violations.add(
                layout.rules.header, row: line, column: index + 1,
                "there is no column \(index + 1); found \"\(names[index].prefix(60))\"")
        }
        // Without its header nothing below can be judged.
        return false
    }

    /// Gives the row at hand the number of columns of the layout, or says why it cannot have it.
    private mutating func fitRow(_ line: Int, _ mayBeShort: Bool) -> Bool {
        if cellsInRow == columns { return true }
        if cellsInRow < columns {
            if mayBeShort {
                for _ in cellsInRow..<columns { cells.append(Table.Cell(start: 0, length: 0)) }
                return true
            }
        } else if layout.origin == .person {
            guard let index = cells[(rowStart + columns)...].firstIndex(where: { $0.length != 0 }) else {
                cells.removeSubrange((rowStart + columns)...)
                return true
            }
            let column = index - rowStart + 1
            violations.add(
                layout.rules.columnCount, row: line, column: column,
                "there are \(columns) columns; column \(column) holds "
                    + "\"\(Table.text(of: cells[index], in: bytes).prefix(60))\"")
            return false
        }
        violations.add(
            layout.rules.columnCount, row: line, "the row has \(cellsInRow) columns; it must have \(columns)")
        return false
    }
}
