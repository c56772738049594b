import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf
import Tabular
import Workbook

/// Uploads of contract variations (payments.md 5).
struct VariationHandlers: Pcs_Payments_V1_VariationService {
    let context: PluginContext

    func uploadVariations(
        _ requests: RequestStream<Pcs_Payments_V1_UploadVariationsRequest>, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_VariationUpload {
        let first = requests.first
        guard let commissioner = ODSCode(first.commissionerCode),
            context.organisations.organisation(commissioner, at: call.today)?.kind == .subICBLocation
        else {
            throw Failure.field("commissioner_code", "5.2", "Name the Sub ICB Location of the practices.")
        }
        let file = try await Upload.collect(requests, name: first.fileName) { Array($0.data) }
        let months = try context.store.read { try OpenMonths($0, today: call.today) }
        let (rows, violations) = try read(file, commissioner, months, call)
        guard violations.isEmpty else { throw Failure.file(violations) }
        let effects = try context.store.read { try VariationEffects(rows, months, $0) }
        let late = rows.filter { months.isPastCutOff($0.first) }
        guard late.isEmpty || first.acceptNextRun || first.dryRun else {
            throw Failure(
                PaymentsReasons.cutOffNotReached,
                "CV011: \(late.count) rows begin in a month whose cut-off has passed; send accept_next_run to pay "
                    + "them in the next run.")
        }
        let threshold = try context.store.read { reader in
            try ReferenceStore.rates(knownAt: .max, reader).whole(.variationSecondApproval, at: call.today) * 100
        }
        let needed: Int64 = rows.contains { abs($0.pence) > threshold } ? 2 : 1
        let upload = VariationStore.Upload(
            id: "", commissioner: commissioner, state: .validated, evidenceID: "", fileName: file.name,
            sha256: file.sha256, rows: Int64(rows.count), oneOffPence: try sum(rows) { !$0.isMonthly },
            monthlyPence: try sum(rows) { $0.isMonthly }, approvalsNeeded: needed,
            uploadedBy: call.caller.responsible, uploadedAt: call.now)
        if first.dryRun { return try message(upload, [], late: late.count, effects) }
        return try await call.commit { [upload] transaction in
            var upload = upload
            if let known = try VariationStore.upload(of: commissioner, sha256: file.sha256, transaction) {
                throw Failure(
                    HostReasons.fileInvalid, "CV010: upload \(known.id) has the same file.",
                    violations: [
                        Violation(field: "file", rule: "CV010", message: "uploaded as \(known.id) by \(known.uploadedBy)")
                    ])
            }
            upload.id = transaction.newIdentifier()
            upload.evidenceID = try EvidenceStore.keep(
                file, kind: .variations, by: upload.uploadedBy, in: transaction)
            try VariationStore.add(upload, rows, in: transaction)
            note(upload, "\(rows.count) rows validated, sha256 \(file.sha256)", in: transaction)
            return try message(upload, [], late: late.count, effects)
        }
    }

    private func sum(_ rows: [VariationRow], _ isWanted: (VariationRow) -> Bool) throws -> Int64 {
        try refusing { try Money.sum(rows.filter(isWanted).map { Money(pence: $0.pence) }).pence }
    }

    private func read(
        _ file: UploadedFile, _ commissioner: ODSCode, _ months: OpenMonths, _ call: CallContext
    ) throws -> ([VariationRow], ViolationList) {
        var faults = ViolationList()
        var layout = TableLayout.upload(.asGiven)
        layout.limits.rows = VariationFile.mostRows
        let table = Table.read(upload: file.bytes, layout: layout, into: &faults)
        guard faults.isEmpty else { return ([], faults) }
        // A file names a few hundred practices; the country has thousands.
        let named = Set((0..<table.rowCount).lazy.compactMap { ODSCode(table.text($0, 0)) })
        let timelines = try context.store.read { try ContractStore.timelines(of: named, $0) }
        let book = try context.store.read { try ReferenceStore.paycodes(knownAt: .max, $0) }
        let organisations = context.organisations
        let store = context.store
        var reading = VariationFile(
            firstOpenMonth: months.first, paycodes: .shipped, book: book,
            commissions: { code, month in
                let days = [month.firstDay, month.lastDay]
                guard days.contains(where: { organisations.organisation(code, at: $0)?.kind == .practice })
                    || timelines[code] != nil
                else { return nil }
                return days.lazy.compactMap { organisations.commissioner(of: code, at: $0) }.first == commissioner
            },
            contract: { code, month in
                timelines[code]?.span(at: month.firstDay)?.terms.payment.kind
                    ?? timelines[code]?.span(at: month.lastDay)?.terms.payment.kind
            },
            balance: { line in try? store.read { try LineRecoveries.balance(of: line, $0) } })
        reading.read(table, faults)
        return (reading.rows, reading.violations)
    }

    func previewVariations(
        _ request: Pcs_Payments_V1_VariationStepRequest, _ reply: ReplyStream<Pcs_Payments_V1_VariationPreview>,
        _ call: CallContext
    ) async throws {
        let effects = try context.store.read { reader in
            let months = try OpenMonths(reader, today: call.today)
            let rows = try VariationStore.rows(of: try find(request, reader).id, reader)
            let timelines = try ContractStore.timelines(of: Set(rows.map(\.row.practice)), reader)
            let monthly = VariationLines(rows, timelines: Array(timelines.values))
            return try VariationEffects(
                rows.map { stored in
                    (
                        stored.row,
                        stored.row.isMonthly
                            ? monthly.isPaid(stored, in: months.next) : stored.row.first <= months.next
                    )
                }, reader
            ).effects
        }
        for effect in effects {
            try await reply.send(
                .with {
                    $0.practiceCode = effect.practice.value
                    $0.practiceName = context.organisations.organisation(effect.practice, at: call.today)?.name ?? ""
                    ($0.lastNetPence, $0.changePence) = (effect.lastPence ?? 0, effect.changePence)
                    $0.belowZero = effect.nextPence < 0
                })
        }
    }

    func submitVariations(
        _ request: Pcs_Payments_V1_VariationStepRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_VariationUpload {
        try await call.commit { transaction in
            var upload = try find(request, transaction)
            try require(upload, [.validated])
            try requireLeft(upload, transaction)
            upload.state = .submitted
            upload.submittedBy = call.caller.responsible
            try VariationStore.save(upload, in: transaction)
            try VariationNotices.submitted(upload, in: transaction)
            note(upload, "submitted", in: transaction)
            return try message(upload, [], late: 0)
        }
    }

    /// Others may have recovered the same lines since the file was uploaded.
    private func requireLeft(_ upload: VariationStore.Upload, _ reader: any Reader) throws {
        let rows = try VariationStore.rows(of: upload.id, reader)
        let excess = try refusing { try LineRecoveries.excess(rows, of: upload.id, reader) }
        guard excess.isEmpty else {
            throw Failure(
                HostReasons.fileInvalid, "CV014: upload \(upload.id) takes back more than is left.",
                violations: excess.map { line, balance in
                    Violation(
                        field: "amount", rule: "CV014",
                        message: "\(line.text) paid \(Money(pence: balance.paid)); "
                            + "\(Money(pence: balance.left)) is left")
                })
        }
    }

    func decideVariations(
        _ request: Pcs_Payments_V1_DecideVariationsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_VariationUpload {
        var fields = RequestFields()
        fields.reason(request.reason, mayBeEmpty: request.approve)
        try fields.finish()
        return try await call.commit { transaction in
            var upload = try find(
                .with { ($0.uploadID, $0.commissionerCode) = (request.uploadID, request.commissionerCode) },
                transaction)
            try require(upload, [.submitted])
            guard upload.sha256 == request.sha256 else {
                throw Failure.field("sha256", "5.3", "This is not the file that was uploaded.")
            }
            let actor = call.caller.responsible
            for person in Set([upload.uploadedBy, upload.submittedBy]) {
                try call.requireOtherPerson(than: person, step: "deciding an upload that one has made")
            }
            let earlier = try VariationStore.approvals(of: upload.id, transaction)
            for person in earlier { try call.requireOtherPerson(than: person, step: "the second approval") }
            upload.reason = request.reason
            if request.approve {
                try VariationStore.addApproval(upload.id, number: earlier.count + 1, by: actor, in: transaction)
                if Int64(earlier.count + 1) >= upload.approvalsNeeded {
                    upload.state = .approved
                    try putInForce(upload, by: actor, today: call.today, in: transaction)
                }
            } else {
                upload.state = .rejected
            }
            try VariationStore.save(upload, in: transaction)
            if upload.state != .submitted {
                try VariationNotices.settled(upload, by: actor, in: transaction)
            }
            note(upload, request.approve ? "approved by \(actor)" : "rejected: \(request.reason)", in: transaction)
            return try message(upload, try VariationStore.approvals(of: upload.id, transaction), late: 0)
        }
    }

    /// One-off rows become items of the first run that can pay them; monthly rows are in force from their first month.
    private func putInForce(
        _ upload: VariationStore.Upload, by actor: String, today: CalendarDate, in transaction: any Transaction
    ) throws {
        let rows = try VariationStore.rows(of: upload.id, transaction)
        let months = try OpenMonths(transaction, today: today)
        let monthly = rows.filter(\.row.isMonthly)
        let seq = try InputLog.record(
            .variations, from: monthly.map(\.row.first.firstDay).min(), to: nil, by: actor,
            detail: "variations \(upload.id)", in: transaction)
        try VariationStore.approve(upload.id, seq: seq, in: transaction)
        let oneOff = rows.filter { !$0.row.isMonthly }
        let ids = try PayableItemStore.add(
            oneOff.map { stored in
                let month = Swift.max(stored.row.first, months.isPastCutOff(stored.row.first) ? months.next : months.first)
                return PayableItem(
                    naturalKey: "variation/" + stored.id, payee: stored.row.practice, firstRun: month,
                    line: stored.line(in: stored.row.countsFor, source: .item))
            }, by: actor, detail: "variations \(upload.id)", in: transaction)
        for (stored, id) in zip(oneOff, ids) { try VariationStore.set(item: id, of: stored.id, in: transaction) }
    }
}
