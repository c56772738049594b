import PaymentsContract
import PluginAPI

/// Reads a run's statements page by page, so that memory stays small, and refuses to go on when the run was calculated
/// again in between: what is read is of one calculation.
struct RunPages {
    let store: any Store
    let runID: String
    private let calculation: Int64
    private var last = ""
    private var isAtEnd = false

    static let size = 200

    init(_ run: RunRecord, store: any Store) throws {
        guard run.state.isCalculated else {
            throw Failure(
                PaymentsReasons.runStateWrong, "Run \(run.id) is \(run.state.name): it has no lines.")
        }
        self.store = store
        runID = run.id
        calculation = run.calculation
    }

    /// The next statements by practice code; none at the end.
    mutating func next() throws -> [StatementStore.Stored] {
        if isAtEnd { return [] }
        let (after, id, calculation) = (last, runID, calculation)
        let page = try store.read { reader in
            let run = try RunHandlers.run(id, reader)
            guard run.calculation == calculation, run.state.isCalculated else {
                throw Failure(PaymentsReasons.calculationChanged)
            }
            return try refusing {
                try StatementStore.page(of: id, after: after, limit: RunPages.size, reader)
            }
        }
        isAtEnd = page.count < RunPages.size
        last = page.last?.document.practice.value ?? last
        return page
    }
}
