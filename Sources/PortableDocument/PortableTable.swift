/// Columns of a table on a page, with texts broken into lines that fit.
package struct PortableTable: Sendable {
    package struct Column: Sendable {
        var title: String
        var x: Int
        var width: Int
        var align: PortablePage.Alignment

        /// - Parameters:
        ///   - x: left edge, hundredths of a point.
        ///   - width: with the gap to the next column.
        package init(_ title: String, x: Int, width: Int, align: PortablePage.Alignment = .left) {
            (self.title, self.x, self.width, self.align) = (title, x, width, align)
        }

        /// Where texts stand.
        package var anchor: Int { align == .left ? x : x + width - PortableTable.gap }
    }

    package let columns: [Column]
    private static let gap = 600

    package init(_ columns: [Column]) { self.columns = columns }

    package func header(
        on page: inout PortablePage, y: Int, size: Int, ink: PortablePage.Ink = .black
    ) {
        for column in columns {
            page.text(
                column.title, x: column.anchor, y: y, size: size, font: .bold, align: column.align, ink: ink)
        }
    }

    package func cell(
        _ text: String, in column: Int, on page: inout PortablePage, y: Int, size: Int,
        font: PortableFont = .regular, ink: PortablePage.Ink = .black
    ) {
        page.text(
            text, x: columns[column].anchor, y: y, size: size, font: font, align: columns[column].align,
            ink: ink)
    }

    /// A text as lines that fit a column: broken at spaces, and within a word that is wider than the column.
    package func lines(_ text: String, in column: Int, size: Int, font: PortableFont = .regular) -> [String] {
        PortableTable.lines(text, width: columns[column].width - PortableTable.gap, size: size, font: font)
    }

    package static func lines(_ text: String, width: Int, size: Int, font: PortableFont = .regular)
        -> [String]
    {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            let longer = line.isEmpty ? String(word) : line + " " + word
            if font.width(of: longer, size: size) <= width {
                line = longer
                continue
            }
            if !line.isEmpty { lines.append(line) }
            line = ""
            for character in word {
                if !line.isEmpty, font.width(of: line + String(character), size: size) > width {
                    lines.append(line)
                    line = ""
                }
                line.append(character)
            }
        }
        if !line.isEmpty { lines.append(line) }
        return lines
    }
}
