import CommonContract
import HostContract
import PaymentsContract
import PluginAPI

// What is done with uploads after their approval: withdrawing, stopping, reading.
extension VariationHandlers {
    func withdrawVariations(
        _ request: Pcs_Payments_V1_VariationStepRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_VariationUpload {
        try await call.commit { transaction in
            var upload = try find(request, transaction)
            try require(upload, [.validated, .submitted, .approved])
            let actor = call.caller.responsible
            if upload.state == .approved {
                let rows = try VariationStore.rows(of: upload.id, transaction)
                let runs = try VariationRuns(transaction)
                for stored in rows {
                    if let run = try runs.first(with: stored, transaction) { throw taken(upload, by: run) }
                }
                let seq = try InputLog.record(
                    .variations, from: rows.filter(\.row.isMonthly).map(\.row.first.firstDay).min(), to: nil,
                    by: actor, detail: "withdrawn \(upload.id)", in: transaction)
                try VariationStore.withdraw(upload.id, seq: seq, in: transaction)
                for stored in rows where !stored.itemID.isEmpty {
                    _ = try PayableItemStore.withdraw(
                        stored.itemID, reason: "upload withdrawn", by: actor, in: transaction)
                }
            }
            upload.state = .withdrawn
            try VariationStore.save(upload, in: transaction)
            try VariationNotices.settled(upload, by: actor, in: transaction)
            note(upload, "withdrawn", in: transaction)
            return try message(upload, [], late: 0)
        }
    }

    private func taken(_ upload: VariationStore.Upload, by run: RunRecord) -> Failure {
        if run.state.isPublished {
            return Failure(
                PaymentsReasons.variationStateWrong,
                "Run \(run.id) has paid of upload \(upload.id): stop or recover its payments instead.")
        }
        return Failure(
            PaymentsReasons.frozenRunHasIt,
            "The inputs of run \(run.id) were frozen with upload \(upload.id): it pays of it.")
    }

    func stopVariation(
        _ request: Pcs_Payments_V1_StopVariationRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_Variation {
        var fields = RequestFields()
        let month = fields.month(request.fromMonth, field: "from_month")
        fields.reason(request.reason)
        try fields.finish()
        guard let month else { throw Failure(HostReasons.fieldInvalid) }
        return try await call.commit { transaction in
            guard let stored = try VariationStore.row(request.variationID, transaction),
                let upload = try VariationStore.upload(stored.uploadID, transaction),
                upload.commissioner.value == request.commissionerCode
            else { throw Failure(HostReasons.notFound, "There is no such variation.") }
            try require(upload, [.approved])
            try requireStoppable(stored, from: month)
            let cutOff = try StopCutOff.day(for: month, transaction)
            guard request.acceptRecovery || call.today <= cutOff else {
                throw Failure.field(
                    "accept_recovery", "2.3",
                    "Stops for \(month) were to come by \(cutOff): its payment may still go out. Choose a later month, "
                        + "or accept that it is recovered.")
            }
            let actor = call.caller.responsible
            let seq = try InputLog.record(
                .variations, from: month.firstDay, to: nil, by: actor, detail: "stop \(stored.id)", in: transaction)
            try VariationStore.stop(
                stored.id, from: month, seq: seq, by: actor, reason: request.reason, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "variation/\(stored.id)", organisation: stored.row.practice.value,
                    detail: "stopped from \(month): \(request.reason)"))
            guard let changed = try VariationStore.row(stored.id, transaction) else {
                throw Failure(HostReasons.notFound)
            }
            return try variation(changed, upload, VariationRuns(transaction), transaction)
        }
    }

    private func requireStoppable(_ stored: VariationStore.Stored, from month: YearMonth) throws {
        guard stored.row.isMonthly, stored.row.isFor(month) else {
            throw Failure.field("from_month", "5.3", "The variation is not paid in \(month).")
        }
        if let stopped = stored.stoppedFrom, month >= stopped {
            throw Failure.field(
                "from_month", "5.3", "The variation is stopped from \(stopped): a stop is never moved to a later month.")
        }
    }

    func listVariations(
        _ request: Pcs_Payments_V1_ListVariationsRequest, _ reply: ReplyStream<Pcs_Payments_V1_Variation>,
        _ call: CallContext
    ) async throws {
        guard let commissioner = ODSCode(request.commissionerCode) else {
            throw Failure.field("commissioner_code", "5.2", "Name the Sub ICB Location.")
        }
        let uploads = try context.store.read { try VariationStore.uploads(of: commissioner, $0) }
        for upload in uploads where request.uploadID.isEmpty || upload.id == request.uploadID {
            let messages = try context.store.read { reader in
                let runs = try VariationRuns(reader)
                return try VariationStore.rows(of: upload.id, reader)
                    .filter { request.practiceCode.isEmpty || $0.row.practice.value == request.practiceCode }
                    .map { try variation($0, upload, runs, reader) }
            }
            for message in messages { try await reply.send(message) }
        }
    }
}
