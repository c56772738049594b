import PaymentsContract
import PluginAPI
import SwiftProtobuf
import Tabular

extension RunHandlers {
    func exportRun(
        _ request: Pcs_Payments_V1_ExportRunRequest, _ reply: ReplyStream<Pcs_Payments_V1_ExportRunChunk>,
        _ call: CallContext
    ) async throws {
        let run = try context.store.read { try RunHandlers.run(request.runID, $0) }
        var pages = try RunPages(run, store: context.store)
        var writer = CSVWriter(byteOrderMark: request.byteOrderMark)
        StatementCSV.appendHeader(to: &writer)
        while true {
            let page = try pages.next()
            var rows: Int64 = 0
            for statement in page {
                StatementCSV.append(statement.document, to: &writer)
                rows += Int64(statement.document.lines.count)
            }
            let bytes = writer.take()
            if !bytes.isEmpty {
                let chunk = Pcs_Payments_V1_ExportRunChunk.with {
                    $0.data = .init(bytes)
                    $0.rows = rows
                }
                try await reply.send(chunk)
            }
            if page.isEmpty { return }
        }
    }
}
