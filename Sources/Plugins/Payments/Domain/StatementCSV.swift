import PluginAPI

/// The expanded statement as CSV (payments.md 11): 20 columns, RFC 4180 quoting, and text cells that a spreadsheet
/// would take for a formula prefixed with an apostrophe. Numbers and dates are left as they are.
enum StatementCSV {
    static let columns = [
        "statementId", "payeeOds", "payeeName", "contractType", "paymentDate", "runId", "lineNo", "paycode",
        "description", "periodFrom", "periodTo", "quantity", "rate", "basis", "amount", "ytdAmount",
        "isRetro",
        "originalMonth", "sourceType", "sourceRef",
    ]

    static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    static func header() -> [UInt8] { Array((columns.joined(separator: ",") + "\r\n").utf8) }

    static func append(_ document: StatementDocument, to bytes: inout [UInt8]) {
        for (index, line) in document.lines.enumerated() {
            let retro = line.source == .retro
            let cells: [String] = [
                text(document.statementID), text(document.payee.value), text(document.practiceName),
                document.kind.name, document.paymentDate.description, text(document.runID), String(index + 1),
                text(line.paycode.code), text(document.descriptions[line.paycode] ?? line.paycode.code),
                line.periodFrom.description, line.periodTo.description, line.quantity.description,
                line.rate.description, text(line.basis), Money(pence: line.pence).description,
                Money(pence: line.yearToDatePence).description, retro ? "true" : "false",
                retro ? line.month.description : "", line.source.name, text(line.sourceReference),
            ]
            for (column, cell) in cells.enumerated() {
                if column > 0 { bytes.append(0x2C) }
                bytes.append(contentsOf: cell.utf8)
            }
            bytes.append(0x0D)
            bytes.append(0x0A)
        }
    }

    /// A text cell: guarded against formulas, quoted when it must be.
    static func text(_ value: String) -> String {
        var cell = value
        if let first = value.utf8.first, [0x3D, 0x2B, 0x2D, 0x40, 0x09, 0x0D].contains(first) {
            cell = "'" + value
        }
        let needsQuotes = cell.utf8.contains { $0 == 0x2C || $0 == 0x22 || $0 == 0x0A || $0 == 0x0D }
        guard needsQuotes else { return cell }
        return "\"" + cell.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
            + "\""
    }
}

extension PaymentLine {
    /// Contract and the recorded version that the line stands on.
    var sourceReference: String { contractID + " version " + String(contractVersion) }
}
