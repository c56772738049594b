package import Tabular

extension Table {
    /// Reads the first visible sheet of an .xlsx workbook under the same layout as a CSV file of the same columns.
    ///
    /// Texts are what the cells say; numbers are written out as `CellText.number` describes; days stay numbers, which
    /// `RowReader.date` understands, because the sheet does not say which numbers are days. Of formulas the value counts
    /// that was saved with them. Rows without any text are passed over. Row numbers are those of the sheet.
    package static func read(
        workbook bytes: [UInt8], layout: TableLayout, into violations: inout ViolationList
    ) -> Table {
        var builder = TableBuilder(layout, violations: violations)
        var serialDays = SerialDays.from1900
        do throws(WorkbookFault) {
            guard bytes.count <= layout.limits.bytes else {
                throw WorkbookFault(
                    .limit, "the file has \(bytes.count) bytes; the limit is \(layout.limits.bytes)")
            }
            var archive = try ZipArchive(bytes, unpackedLimit: layout.limits.bytes)
            let parts = try WorkbookParts(&archive)
            if parts.countsFrom1904 { serialDays = .from1904 }
            var sheet = SheetReader(builder, strings: try SharedStrings(parts.sharedStrings))
            defer { builder = sheet.builder }
            try sheet.read(parts.sheet)
        } catch {
            builder.violations.add(error.rule.rawValue, row: error.row, error.message)
        }
        let table = builder.finish(serialDays: serialDays)
        violations = builder.violations
        return table
    }

    /// Reads a file that may be either; its first bytes say which.
    package static func read(
        upload bytes: [UInt8], layout: TableLayout, into violations: inout ViolationList
    ) -> Table {
        let isArchive =
            bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) || bytes.starts(with: [0xD0, 0xCF, 0x11, 0xE0])
        return isArchive
            ? read(workbook: bytes, layout: layout, into: &violations)
            : read(csv: bytes, layout: layout, into: &violations)
    }
}

/// Takes the rows out of a sheet.
struct SheetReader {
    private(set) var builder: TableBuilder
    private let strings: SharedStrings
    private let layout: TableLayout
    private var row = 0
    private var cells: [String] = []
    private var isSound = true
    private var textBytes = 0

    init(_ builder: TableBuilder, strings: SharedStrings) {
        self.builder = builder
        self.strings = strings
        layout = builder.layout
    }

    mutating func read(_ part: [UInt8]) throws(WorkbookFault) {
        var xml = try XMLReader(part)
        while let event = try xml.next(), event != .start("sheetData") {}
        while let event = try xml.next(), event != .end("sheetData") {
            guard event == .start("row") else { continue }
            do throws(WorkbookFault) {
                guard try readRow(&xml) else { return }
            } catch {
                var fault = error
                fault.row = row
                throw fault
            }
        }
    }

    private mutating func readRow(_ xml: inout XMLReader) throws(WorkbookFault) -> Bool {
        if let number = xml.attribute("r") {
            guard let next = Int(number), next > row, next <= 1_048_576 else {
                throw WorkbookFault(.xml, "row \(number.prefix(20)) follows row \(row)")
            }
            row = next
        } else {
            row += 1
        }
        cells.removeAll(keepingCapacity: true)
        isSound = true
        var column = -1
        while let event = try xml.next(), event != .end("row") {
            guard event == .start("c") else { continue }
            let given = xml.attribute("r")
            guard let place = given.map(CellText.column) ?? (column + 1), place > column else {
                throw WorkbookFault(.xml, "cell \((given ?? "").prefix(20)) is out of place")
            }
            column = place
            try readCell(&xml, column)
        }
        guard !isSound || cells.contains(where: { !$0.isEmpty }) else { return true }
        for cell in cells {
            textBytes += cell.utf8.count
            builder.add(cell.utf8)
        }
        guard textBytes <= layout.limits.bytes else {
            throw WorkbookFault(.limit, "the sheet holds more than \(layout.limits.bytes) bytes of text")
        }
        return builder.endRow(line: row, isSound: isSound, mayBeShort: true)
    }

    private mutating func readCell(_ xml: inout XMLReader, _ column: Int) throws(WorkbookFault) {
        let type = xml.attribute("t") ?? "n"
        var value: String?
        var hasFormula = false
        while let event = try xml.next(), event != .end("c") {
            switch event {
            case .start("v"): value = try plainText(of: "v", &xml)
            case .start("is"): value = try SharedStrings.text(of: "is", &xml)
            case .start("f"):
                hasFormula = true
                try xml.skipElement()
            case .start: try xml.skipElement()
            default: break
            }
        }
        guard let value else {
            if hasFormula {
                refuse(column, "the formula was never calculated; save the workbook with its values")
            }
            return
        }
        guard let text = text(value, type) else {
            refuse(
                column,
                "the cell holds \(type == "e" ? "the error " : "")\(value.prefix(40)), which is no value")
            return
        }
        keep(text, column)
    }

    private func plainText(of element: String, _ xml: inout XMLReader) throws(WorkbookFault) -> String {
        var text = ""
        while let event = try xml.next(), event != .end(element) {
            if case .text(let run) = event { text += run }
        }
        return text
    }

    private func text(_ value: String, _ type: String) -> String? {
        switch type {
        case "n": value.isEmpty ? "" : CellText.number(value)
        case "s": Int(value).flatMap { strings[$0] }
        case "inlineStr", "d": value
        case "str": CellText.unescaped(value)
        case "b": value == "1" ? "TRUE" : value == "0" ? "FALSE" : nil
        default: nil
        }
    }

    private mutating func keep(_ text: String, _ column: Int) {
        guard !text.isEmpty else { return }
        guard column < layout.limits.columns else {
            refuse(column, layout.rules.limit, "the limit is \(layout.limits.columns) columns")
            return
        }
        if text.utf8.count > layout.limits.cellBytes {
            refuse(
                column, layout.rules.limit,
                "the cell has \(text.utf8.count) bytes; the limit is \(layout.limits.cellBytes)")
        } else if let control = text.utf8.first(where: isRefused) {
            refuse(column, layout.rules.control, "the control character \(control) stands inside a cell")
        } else {
            while cells.count < column { cells.append("") }
            cells.append(text)
        }
    }

    private func isRefused(_ byte: UInt8) -> Bool {
        if layout.origin == .person, byte == 0x09 || byte == 0x0A || byte == 0x0D { return false }
        return byte < 0x20 || byte == 0x7F
    }

    private mutating func refuse(_ column: Int, _ message: String) {
        refuse(column, WorkbookRule.cell.rawValue, message)
    }

    private mutating func refuse(_ column: Int, _ rule: String, _ message: String) {
        builder.violations.add(rule, row: row, column: column + 1, message)
        isSound = false
    }
}
