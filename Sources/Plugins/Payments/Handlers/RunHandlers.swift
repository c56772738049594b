import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

/// The monthly payment run: reading it. Each step of its life is in a file of its own.
struct RunHandlers: Pcs_Payments_V1_RunService {
    let context: PluginContext

    func getRun(_ request: Pcs_Payments_V1_GetRunRequest, _ call: CallContext) async throws
        -> Pcs_Payments_V1_Run
    {
        try context.store.read { reader in try message(try RunHandlers.run(request.runID, reader), reader) }
    }

    func listRuns(
        _ request: Pcs_Payments_V1_ListRunsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ListRunsResponse {
        var fields = RequestFields()
        let year = request.financialYear.isEmpty ? nil : fields.financialYear(request.financialYear)
        try fields.finish()
        return try context.store.read { reader in
            let runs = try RunStore.runs(reader).filter { run in
                year.map { FinancialYear(containing: run.month) == $0 } ?? true
            }
            let messages = try runs.map { run in
                Pcs_Payments_V1_Run(
                    run, try RunExceptionStore.counts(of: run.id, reader),
                    try RunStore.approvals(of: run.id, reader))
            }
            return .with { $0.runs = messages }
        }
    }

    func getRunTotals(
        _ request: Pcs_Payments_V1_GetRunTotalsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_RunTotals {
        guard let dimension = TotalDimension(rawValue: Int64(request.dimension.rawValue)) else {
            throw Failure.field(
                "dimension", "12.1", "Totals are by commissioner, region, contract type or paycode.")
        }
        return try context.store.read { reader in
            let run = try RunHandlers.run(request.runID, reader)
            guard run.state.isCalculated else {
                throw Failure(
                    PaymentsReasons.runStateWrong, "Run \(run.id) is \(run.state.name): it has no lines.")
            }
            let paycodes = try ReferenceStore.paycodes(knownAt: .max, reader)
            let totals = try StatementStore.totals(of: run.id, by: dimension, reader)
            return .with {
                $0.runID = run.id
                $0.calculation = Int32(clamping: run.calculation)
                $0.dimension = request.dimension
                $0.totals = totals.map { key, figures in
                    .with {
                        $0.key = key
                        $0.name = name(key, dimension, paycodes)
                        $0.statements = figures.statements
                        $0.lines = figures.lines
                        $0.grossPence = figures.grossPence
                        $0.deductionsPence = figures.deductionsPence
                        $0.netPence = figures.netPence
                    }
                }
            }
        }
    }

    private func name(_ key: String, _ dimension: TotalDimension, _ paycodes: PaycodeBook) -> String {
        switch dimension {
        case .commissioner, .region:
            guard let code = ODSCode(key) else { return "" }
            return context.organisations.organisation(code, at: context.clock.today)?.name ?? ""
        case .contractType: return key
        case .paycode: return Paycode(code: key).map { paycodes.description(of: $0) } ?? ""
        }
    }

    static func run(_ id: String, _ reader: any Reader) throws -> RunRecord {
        guard let run = try RunStore.run(id, reader) else {
            throw Failure(PaymentsReasons.runUnknown, "There is no run \"\(id.prefix(40))\".")
        }
        return run
    }

    /// The run as the caller sees it, with its history.
    func message(_ run: RunRecord, _ reader: any Reader) throws -> Pcs_Payments_V1_Run {
        Pcs_Payments_V1_Run(
            run, try RunExceptionStore.counts(of: run.id, reader), try RunStore.approvals(of: run.id, reader),
            try RunStore.steps(of: run.id, reader))
    }

    /// Saves a step of the run's life: the run, its history and the audit note.
    func save(
        _ run: RunRecord, step: String, by actor: String, detail: String, in transaction: any Transaction
    ) throws {
        try RunStore.save(run, in: transaction)
        try RunStore.addStep(step, by: actor, detail: detail, to: run, in: transaction)
        transaction.audit(AuditNote(object: "run/\(run.id)", detail: "\(step). \(detail)"))
    }
}
