import CommonContract
import Digests
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf
import Tabular

extension StatementHandlers {
    private static let chunk = 64 * 1024

    func downloadStatement(
        _ request: Pcs_Payments_V1_DownloadStatementRequest,
        _ reply: ReplyStream<Pcs_Payments_V1_StatementChunk>, _ call: CallContext
    ) async throws {
        var fields = RequestFields()
        let practice = fields.payee(request.practiceCode)
        let month = request.runID.isEmpty ? fields.month(request.month) : nil
        if ![.pdf, .csv].contains(request.format) {
            fields.refuse("format", "payments.md 11", "A statement is had as PDF or CSV.")
        }
        if request.byteOrderMark, request.format == .pdf {
            fields.refuse("byte_order_mark", "payments.md 11", "Only CSV begins with a byte-order mark.")
        }
        if request.withCodes, request.format == .pdf {
            fields.refuse("with_codes", "payments.md 11", "Only CSV has columns of codes.")
        }
        try fields.finish()
        guard let practice else { throw Failure(PaymentsReasons.statementUnknown) }
        let (name, bytes) = try context.store.read { reader in
            let (run, stored) = try find(practice, runID: request.runID, month: month, call, reader)
            let lines = try shownLines(stored.document, collapsed: request.collapsed, reader)
            let name = "statement-\(run.id)-\(practice)"
            guard request.format == .pdf else {
                let book =
                    request.withCodes
                    ? try ReferenceStore.paycodes(knownAt: run.frozenAt == nil ? .max : run.snapshot, reader) : nil
                return (
                    name + ".csv",
                    StatementCSV.file(
                        stored.document, lines, byteOrderMark: request.byteOrderMark, codes: book)
                )
            }
            let footer = try StatementFooter(stored.document, run, reader)
            // Of the very lists that the statement was calculated on, whatever came later.
            let panel = try stored.document.capitation.flatMap { try CapitationPanel.read(practice, $0.lists, reader) }
            let pdf = StatementPDF(
                stored: stored, run: run, lines: lines, footer: footer, panel: panel,
                isCollapsed: request.collapsed)
            return (name + ".pdf", pdf.bytes())
        }
        try await reply.send(
            .with {
                $0.fileName = name
                $0.contentType = request.format == .pdf ? "application/pdf" : "text/csv; charset=utf-8"
                $0.size = Int64(bytes.count)
                $0.sha256 = Digest.hex(Digest.sha256(bytes))
            })
        for start in stride(from: 0, to: bytes.count, by: StatementHandlers.chunk) {
            let end = min(start + StatementHandlers.chunk, bytes.count)
            try await reply.send(.with { $0.data = .init(bytes[start..<end]) })
        }
    }
}

extension StatementCSV {
    /// One statement as a file, in either form.
    ///
    /// - Parameter codes: when the columns of codes are wanted.
    static func file(
        _ document: StatementDocument, _ lines: [Pcs_Payments_V1_StatementLine], byteOrderMark: Bool,
        codes: PaycodeBook? = nil
    ) -> [UInt8] {
        var writer = CSVWriter(byteOrderMark: byteOrderMark)
        appendHeader(to: &writer, withCodes: codes != nil)
        for line in lines {
            append(
                Line(
                    number: line.lineNumber == 0 ? "" : String(line.lineNumber), paycode: line.paycode,
                    description: line.description_p, from: line.periodFrom.calendarDate?.description ?? "",
                    to: line.periodTo.calendarDate?.description ?? "", quantity: line.quantity,
                    rate: line.rate,
                    basis: line.basis, pence: line.amountPence, yearToDatePence: line.yearToDatePence,
                    isRetro: line.isRetro,
                    originalMonth: line.hasOriginalMonth
                        ? YearMonth(year: Int(line.originalMonth.year), month: Int(line.originalMonth.month))?
                            .description ?? "" : "",
                    sourceType: line.sourceType, sourceReference: line.sourceReference,
                    codes: codes.map { [line.displayedCode, $0.externalCode(of: line.paycode)] } ?? []), of: document,
                to: &writer)
        }
        return writer.take()
    }
}
