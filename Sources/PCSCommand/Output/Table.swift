/// Rows in aligned columns, for people. Two spaces between columns; numbers to the right; nothing wraps: on a terminal
/// that is too narrow, columns marked `mayShorten` are cut with an ellipsis, and nowhere else is anything cut.
package struct Table: Sendable {
    package enum Alignment: Sendable { case left, right }

    package struct Column: Sendable {
        let title: String
        let alignment: Alignment
        let mayShorten: Bool

        package static func left(_ title: String, mayShorten: Bool = false) -> Column {
            Column(title: title, alignment: .left, mayShorten: mayShorten)
        }
        package static func right(_ title: String) -> Column {
            Column(title: title, alignment: .right, mayShorten: false)
        }
    }

    package struct Cell: Sendable, ExpressibleByStringLiteral {
        let text: String
        let style: TextStyle

        package init(_ text: String, style: TextStyle = .plain) {
            self.text = TextSafety.clean(text)
            self.style = style
        }
        package init(stringLiteral value: String) { self.init(value) }
    }

    private enum Row: Sendable {
        case cells([Cell])
        case rule
    }

    private let columns: [Column]
    private var rows: [Row] = []
    /// A column is never cut below this.
    private static let narrowest = 12

    package init(_ columns: [Column]) { self.columns = columns }

    package mutating func add(_ cells: Cell...) { add(cells) }

    package mutating func add(_ cells: [Cell]) {
        precondition(cells.count == columns.count, "a row has a cell for each column")
        rows.append(.cells(cells))
    }

    /// A line across, before totals.
    package mutating func addRule() { rows.append(.rule) }

    package var isEmpty: Bool { rows.isEmpty }

    /// - Parameter indentation: spaces before each line.
    package func rendered(for terminal: Terminal = .plain, indentation: Int = 0) -> String {
        let widths = columnWidths(fitting: terminal.width.map { $0 - indentation })
        let margin = String(repeating: " ", count: indentation)
        var lines: [String] = []
        if columns.contains(where: { !$0.title.isEmpty }) {
            let header = columns.map { Cell($0.title.uppercased(), style: .faint) }
            lines.append(margin + line(header, widths, terminal))
        }
        for row in rows {
            switch row {
            case .cells(let cells): lines.append(margin + line(cells, widths, terminal))
            case .rule:
                let dashes = widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")
                lines.append(margin + terminal.styled(dashes, .faint))
            }
        }
        return lines.joined(separator: "\n")
    }

    private func columnWidths(fitting width: Int?) -> [Int] {
        var widths = columns.map(\.title.count)
        for case .cells(let cells) in rows {
            for (index, cell) in cells.enumerated() { widths[index] = max(widths[index], cell.text.count) }
        }
        guard let width else { return widths }
        let between = 2 * (columns.count - 1)
        var excess = widths.reduce(between, +) - width
        while excess > 0 {
            let widest = columns.indices
                .filter { columns[$0].mayShorten && widths[$0] > Self.narrowest }
                .max { widths[$0] < widths[$1] }
            guard let widest else { break }
            let cut = min(excess, max(1, widths[widest] / 8), widths[widest] - Self.narrowest)
            widths[widest] -= cut
            excess -= cut
        }
        return widths
    }

    private func line(_ cells: [Cell], _ widths: [Int], _ terminal: Terminal) -> String {
        var text = ""
        for (index, cell) in cells.enumerated() {
            if index > 0 { text += "  " }
            var content = cell.text
            if content.count > widths[index] { content = content.prefix(widths[index] - 1) + "…" }
            let padding = String(repeating: " ", count: widths[index] - content.count)
            let styled = terminal.styled(content, cell.style)
            let isLast = index == cells.count - 1
            switch columns[index].alignment {
            case .left: text += styled + (isLast ? "" : padding)
            case .right: text += padding + styled
            }
        }
        while text.last == " " { text.removeLast() }
        return text
    }
}

/// Names and what they are, one a line, for a single record.
package struct Sheet: Sendable {
    private var pairs: [(name: String, value: Table.Cell)] = []

    package init() {}

    package mutating func add(_ name: String, _ value: String, style: TextStyle = .plain) {
        pairs.append((name, Table.Cell(value, style: style)))
    }

    /// Leaves the line out when there is nothing to say.
    package mutating func addUnlessEmpty(_ name: String, _ value: String, style: TextStyle = .plain) {
        if !value.isEmpty { add(name, value, style: style) }
    }

    package func rendered(for terminal: Terminal = .plain, indentation: Int = 0) -> String {
        let width = pairs.map(\.name.count).max() ?? 0
        let margin = String(repeating: " ", count: indentation)
        return pairs.map { name, value in
            let label = name + String(repeating: " ", count: width - name.count)
            return margin + terminal.styled(label, .faint) + "  " + terminal.styled(value.text, value.style)
        }.joined(separator: "\n")
    }
}
