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

    static func appendHeader(to writer: inout CSVWriter) { writer.append(columns.map { .plain($0) }) }

    static func append(_ document: StatementDocument, to writer: inout CSVWriter) {
        for (index, line) in document.lines.enumerated() {
            let retro = line.source == .retro
            writer.append([
                .text(document.statementID), .text(document.payee.value), .text(document.practiceName),
                .plain(document.typeName), .plain(document.paymentDate.description), .text(document.runID),
                .plain(String(index + 1)), .text(line.paycode.code),
                .text(document.descriptions[line.paycode] ?? line.paycode.code),
                .plain(line.periodFrom.description), .plain(line.periodTo.description),
                .plain(line.quantity.description), .plain(line.rate.description), .text(line.basis),
                .plain(Money(pence: line.pence).description),
                .plain(Money(pence: line.yearToDatePence).description), .plain(retro ? "true" : "false"),
                .plain(retro ? line.month.description : ""), .plain(line.source.name),
                .text(line.sourceReference),
            ])
        }
    }
}

extension PaymentLine {
    /// What the line stands on: contract and recorded version, or what it comes from beyond the contract.
    var sourceReference: String {
        origin.isEmpty ? contractID + " version " + String(contractVersion) : origin
    }
}
