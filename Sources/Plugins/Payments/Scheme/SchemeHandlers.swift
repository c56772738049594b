import CommonContract
import HostContract
import PaymentsContract
import PluginAPI

/// Populations and allocations of the practice-level reimbursement scheme.
struct SchemeHandlers: Pcs_Payments_V1_ReimbursementSchemeService {
    let context: PluginContext

    func loadSchemePopulations(
        _ requests: RequestStream<Pcs_Payments_V1_LoadSchemePopulationsRequest>, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_SchemePopulationsLoad {
        let first = requests.first
        var fields = RequestFields()
        let year = fields.financialYear(first.financialYear)
        try fields.finish()
        guard let year else { throw Failure(HostReasons.fieldInvalid) }
        let file = try await Upload.collect(requests, name: first.fileName) { Array($0.data) }
        let timelines = try context.store.read { try ContractStore.timelines(knownAt: .max, $0) }
        let practices = Set(
            timelines.lazy.filter { timeline in
                timeline.spans.contains {
                    $0.from <= year.lastDay && ($0.to.map { $0 > year.firstDay } ?? true)
                }
            }.map(\.practice))
        let (rows, violations) = SchemePopulationFile.read(file.bytes) { practices.contains($0) }
        guard violations.isEmpty else { throw Failure.file(violations) }
        return try await call.commit { transaction in
            if let known = try SchemeStore.load(year, sha256: file.sha256, transaction) {
                var reply = message(known)
                reply.alreadyLoaded = true
                return reply
            }
            let actor = call.caller.responsible
            let load = SchemeStore.Load(
                id: transaction.newIdentifier(), year: year,
                evidenceID: try EvidenceStore.keep(
                    file, kind: .schemePopulations, by: actor, in: transaction),
                sha256: file.sha256, practices: Int64(rows.count),
                adjustedHundredths: rows.reduce(0) { $0 + $1.adjustedHundredths }, loadedBy: actor)
            try SchemeStore.add(load, rows, in: transaction)
            note(load, "\(load.practices) practices loaded, sha256 \(file.sha256)", in: transaction)
            return message(load)
        }
    }

    func decideSchemePopulations(
        _ request: Pcs_Payments_V1_DecideSchemePopulationsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_SchemePopulationsLoad {
        var fields = RequestFields()
        fields.reason(request.reason, mayBeEmpty: request.approve)
        try fields.finish()
        return try await call.commit { transaction in
            guard var load = try SchemeStore.load(request.loadID, transaction) else {
                throw Failure(PaymentsReasons.schemeLoadUnknown)
            }
            guard load.state == .proposed else { throw Failure(PaymentsReasons.alreadyDecided) }
            try call.requireOtherPerson(than: load.loadedBy, step: "putting populations in force")
            load.decidedBy = call.caller.responsible
            load.decisionReason = request.reason
            load.state = request.approve ? .approved : .returned
            if request.approve {
                guard request.controlTotalHundredths == load.adjustedHundredths else {
                    throw Failure(
                        PaymentsReasons.controlTotalMismatch,
                        "The control total is not the sum of adjusted patients.")
                }
                // An allocation bounds decisions to come; nothing already paid changes.
                load.seq = try InputLog.record(
                    .scheme, from: nil, to: nil, by: load.decidedBy, detail: "populations \(load.id)",
                    in: transaction)
            }
            try SchemeStore.saveDecision(load, in: transaction)
            note(load, request.approve ? "in force" : "returned: \(request.reason)", in: transaction)
            return message(load)
        }
    }

    func getSchemeAllocation(
        _ request: Pcs_Payments_V1_GetSchemeAllocationRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_SchemeAllocation {
        var fields = RequestFields()
        let practice = fields.practice(request.practiceCode)
        let year = fields.financialYear(request.financialYear)
        try fields.finish()
        guard let practice, let year else { throw Failure(HostReasons.fieldInvalid) }
        return try context.store.read { reader in
            let rates = try ReferenceStore.rates(knownAt: .max, reader)
            let found = try refusing { try SchemeAllocation(practice, year, rates: rates, reader) }
            return .with {
                ($0.practiceCode, $0.financialYear) = (practice.value, year.description)
                ($0.adjustedPatientsHundredths, $0.rate) = (
                    found.adjustedHundredths, found.rate.value.description
                )
                ($0.allocationPence, $0.approvedPence) = (found.pence, found.approvedPence)
                $0.remainingPence = found.remainingPence
            }
        }
    }

    private func note(_ load: SchemeStore.Load, _ detail: String, in transaction: any Transaction) {
        transaction.audit(
            AuditNote(object: "scheme-populations/\(load.id)", detail: "\(load.year): \(detail)"))
    }

    private func message(_ load: SchemeStore.Load) -> Pcs_Payments_V1_SchemePopulationsLoad {
        .with {
            ($0.loadID, $0.financialYear) = (load.id, load.year.description)
            ($0.practices, $0.adjustedPatientsHundredths) = (load.practices, load.adjustedHundredths)
            ($0.sha256, $0.state) = (load.sha256, load.state.name)
            ($0.loadedBy, $0.decidedBy, $0.version) = (load.loadedBy, load.decidedBy, load.seq ?? 0)
        }
    }
}
