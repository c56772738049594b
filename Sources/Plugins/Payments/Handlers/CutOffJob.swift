import PluginAPI

/// At 00:00 after a run's cut-off day its inputs are frozen (payments.md 12.1). Runs every morning; safe to run again.
enum CutOffJob {
    static func run(_ context: PluginContext) async throws -> String {
        let today = context.clock.today
        let due = try context.store.read { reader in
            try RunStore.runs(reader).filter { $0.state == .open && $0.cutOffOn < today }.map(\.id)
        }
        guard !due.isEmpty else { return "no run is at its cut-off" }
        return try await context.store.write(actor: "job/cut-off") { transaction in
            var frozen: [String] = []
            for id in due {
                guard var run = try RunStore.run(id, transaction),
                    let next = RunAction.freeze.next(from: run.state)
                else { continue }
                run.state = next
                run.frozenAt = transaction.now
                run.snapshot = try NetworkMembership.record(
                    for: run, context.organisations, by: "job/cut-off", in: transaction)
                try RunStore.save(run, in: transaction)
                try RunStore.addStep(
                    "inputs frozen", by: "job/cut-off", detail: "input \(run.snapshot)", to: run,
                    in: transaction)
                transaction.audit(AuditNote(object: "run/\(id)", detail: "inputs frozen at \(run.snapshot)"))
                frozen.append(id)
            }
            return "froze the inputs of \(frozen.joined(separator: ", "))"
        }
    }
}
