import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

extension StatementHandlers {
    func compareRuns(
        _ request: Pcs_Payments_V1_CompareRunsRequest, _ reply: ReplyStream<Pcs_Payments_V1_RunDifference>,
        _ call: CallContext
    ) async throws {
        var fields = RequestFields()
        let practice = request.practiceCode.isEmpty ? nil : fields.practice(request.practiceCode)
        try fields.finish()
        let (before, after) = try context.store.read { reader in
            (try readable(request.beforeRunID, call, reader), try readable(request.afterRunID, call, reader))
        }
        if let practice {
            let (old, new) = try context.store.read { reader in
                try refusing {
                    (
                        try StatementStore.statement(of: practice, in: before.id, reader)?.document,
                        try StatementStore.statement(of: practice, in: after.id, reader)?.document
                    )
                }
            }
            return try await send(old, new, to: reply)
        }
        var old = try Merged(RunPages(before, store: context.store))
        var new = try Merged(RunPages(after, store: context.store))
        while let practice = [try old.peek(), try new.peek()].compactMap({ $0?.practice }).min() {
            try await send(try old.take(practice), try new.take(practice), to: reply)
        }
    }

    private func readable(_ id: String, _ call: CallContext, _ reader: any Reader) throws -> RunRecord {
        let run = try RunHandlers.run(id, reader)
        guard StatementHandlers.mayRead(run, call) else { throw Failure(PaymentsReasons.runUnknown) }
        return run
    }

    private func send(
        _ old: StatementDocument?, _ new: StatementDocument?,
        to reply: ReplyStream<Pcs_Payments_V1_RunDifference>
    ) async throws {
        guard let document = new ?? old else { return }
        for difference in RunComparison.differences(old, new) {
            let message = Pcs_Payments_V1_RunDifference.with {
                $0.practiceCode = document.practice.value
                $0.practiceName = document.practiceName
                $0.paycode = difference.paycode.code
                if let month = difference.originalMonth { $0.originalMonth = Pcs_Common_V1_Month(month) }
                $0.beforePence = difference.beforePence
                $0.afterPence = difference.afterPence
                $0.causes = difference.causes.map { Pcs_Payments_V1_DifferenceCause($0) }
            }
            try await reply.send(message)
        }
    }
}

/// One run's statements in order, one at a time.
private struct Merged {
    private var pages: RunPages
    private var waiting: ArraySlice<StatementStore.Stored> = []

    init(_ pages: RunPages) { self.pages = pages }

    mutating func peek() throws -> StatementDocument? {
        if waiting.isEmpty { waiting = try pages.next()[...] }
        return waiting.first?.document
    }

    mutating func take(_ practice: ODSCode) throws -> StatementDocument? {
        guard let document = try peek(), document.practice == practice else { return nil }
        waiting.removeFirst()
        return document
    }
}
