import PluginAPI
import Tabular

/// The expanded statement as CSV (payments.md 11): 20 columns, RFC 4180 quoting, and text cells that a spreadsheet
/// would take for a formula prefixed with an apostrophe. Numbers and dates are left as they are.
enum StatementCSV {
    static let columns = [
        "statementId", "payeeOds", "payeeName", "contractType", "paymentDate", "runId", "lineNo", "paycode",
        "description", "periodFrom", "periodTo", "quantity", "rate", "basis", "amount", "ytdAmount",
        "isRetro",
        "originalMonth", "sourceType", "sourceRef",
    ]

    /// More columns at the end, for those who ask for them.
    static let codeColumns = ["displayedCode", "externalCode"]

    static func appendHeader(to writer: inout CSVWriter, withCodes: Bool = false) {
        writer.append((columns + (withCodes ? codeColumns : [])).map { .plain($0) })
    }

    /// What a row says of a line.
    struct Line {
        /// Empty = stands for several.
        var number: String
        var paycode: String
        var description: String
        var from: String
        var to: String
        var quantity: String
        var rate: String
        var basis: String
        var pence: Int64
        var yearToDatePence: Int64
        var isRetro: Bool
        /// Month corrected; empty = none, or several.
        var originalMonth: String
        var sourceType: String
        var sourceReference: String
        /// Of `codeColumns`.
        var codes: [String] = []
    }

    static func append(_ document: StatementDocument, to writer: inout CSVWriter) {
        for (index, line) in document.lines.enumerated() {
            let retro = line.source == .retro
            append(
                Line(
                    number: String(index + 1), paycode: line.paycode.code,
                    description: document.descriptions[line.paycode] ?? line.paycode.code,
                    from: line.periodFrom.description, to: line.periodTo.description,
                    quantity: line.quantity.description, rate: line.rate.description, basis: line.basis,
                    pence: line.pence, yearToDatePence: line.yearToDatePence, isRetro: retro,
                    originalMonth: retro ? line.month.description : "", sourceType: line.source.name,
                    sourceReference: line.sourceReference), of: document, to: &writer)
        }
    }

    static func append(_ line: Line, of document: StatementDocument, to writer: inout CSVWriter) {
        let cells: [CSVWriter.Cell] = [
            .text(document.statementID), .text(document.payee.value), .text(document.practiceName),
            .plain(document.typeName), .plain(document.paymentDate.description), .text(document.runID),
            .plain(line.number), .text(line.paycode), .text(line.description), .plain(line.from), .plain(line.to),
            .plain(line.quantity), .plain(line.rate), .text(line.basis), .plain(Money(pence: line.pence).description),
            .plain(Money(pence: line.yearToDatePence).description), .plain(line.isRetro ? "true" : "false"),
            .plain(line.originalMonth), .plain(line.sourceType), .text(line.sourceReference),
        ]
        writer.append(cells + line.codes.map { .text($0) })
    }
}

extension PaymentLine {
    /// What the line stands on: contract and recorded version, or what it comes from beyond the contract.
    var sourceReference: String {
        origin.isEmpty ? contractID + " version " + String(contractVersion) : origin
    }
}
