import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

/// Files of dispensing data: loaded, authorised by another person, read (payments.md 9.4).
struct DispensingHandlers: Pcs_Payments_V1_DispensingService {
    let context: PluginContext

    func loadDispensing(
        _ requests: RequestStream<Pcs_Payments_V1_LoadDispensingRequest>, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_DispensingLoad {
        let first = requests.first
        var fields = RequestFields()
        let month = fields.month(first.month)
        if let month {
            let today = YearMonth(containing: call.today)
            if month > today { fields.refuse("month", "DSP02", "The month of dispensing lies ahead.") }
            if month < today.adding(months: -RunInputs.retroMonths) {
                fields.refuse("month", "12.2", "Corrections reach back six years.")
            }
        }
        try fields.finish()
        guard let month else { throw Failure(HostReasons.fieldInvalid) }
        let file = try await Upload.collect(requests, name: first.fileName) { Array($0.data) }
        let timelines = try context.store.read { try ContractStore.timelines(knownAt: .max, $0) }
        let practices = Set(timelines.lazy.filter { !$0.segments(in: month).isEmpty }.map(\.practice))
        let (rows, violations) = DispensingFile(month: month) { practices.contains($0) }.read(file.bytes)
        guard violations.isEmpty else { throw Failure.file(violations) }
        let checked = try context.store.read { reader in
            try requirePriced(rows, month, reader)
            return try figures(rows, month, file, call, reader)
        }
        if first.dryRun { return try context.store.read { try message(checked, $0) } }
        return try await call.commit { transaction in
            let known = try DispensingStore.loads(transaction).first {
                $0.month == month && $0.sha256 == file.sha256 && $0.state != .returned
            }
            if let known {
                var reply = try message(known, transaction)
                reply.alreadyLoaded = true
                return reply
            }
            var load = try figures(rows, month, file, call, transaction)
            load.id = transaction.newIdentifier()
            load.evidenceID = try EvidenceStore.keep(
                file, kind: .dispensing, by: load.loadedBy, in: transaction)
            try DispensingStore.add(load, rows, in: transaction)
            note(load, "\(load.rows) rows loaded, sha256 \(file.sha256)", in: transaction)
            return try message(load, transaction)
        }
    }

    /// A scale that is not set for the month is refused now, by name, not in the run that would need it.
    private func requirePriced(_ rows: [DispensingData], _ month: YearMonth, _ reader: any Reader) throws {
        let rules = DispensingRules(
            bands: DispensingBands(try DispensingBandStore.rows(knownAt: .max, reader)),
            rates: try ReferenceStore.rates(knownAt: .max, reader))
        try refusing { for row in rows { _ = try rules.lines(row, paidIn: month) } }
    }

    private func figures(
        _ rows: [DispensingData], _ month: YearMonth, _ file: UploadedFile, _ call: CallContext,
        _ reader: any Reader
    ) throws -> DispensingStore.Load {
        let known = try DispensingStore.data(from: month, to: month, knownAt: .max, reader)
        let changed = rows.count { row in
            known.contains { before in
                var same = row
                (same.loadID, same.version) = (before.loadID, before.version)
                return before.practice == row.practice && before.kind == row.kind && before != same
            }
        }
        return try refusing {
            DispensingStore.Load(
                id: "", month: month, state: .loaded, fileName: file.name, sha256: file.sha256,
                rows: Int64(rows.count), practices: Int64(Set(rows.map(\.practice)).count),
                prescriptions: rows.reduce(0) { $0 + $1.prescriptions },
                basicPricePence: try Money.sum(rows.map { Money(pence: $0.basicPricePence) }).pence,
                chargesPence: try Money.sum(rows.map { Money(pence: $0.chargesPence) }).pence,
                changed: Int64(changed), loadedBy: call.caller.responsible, loadedAt: call.now)
        }
    }

    func decideDispensing(
        _ request: Pcs_Payments_V1_DecideDispensingRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_DispensingLoad {
        var fields = RequestFields()
        fields.reason(request.reason, mayBeEmpty: request.authorise)
        try fields.finish()
        return try await call.commit { transaction in
            guard var load = try DispensingStore.load(request.loadID, transaction) else {
                throw Failure(PaymentsReasons.dispensingLoadUnknown)
            }
            guard load.state == .loaded else { throw Failure(PaymentsReasons.alreadyDecided) }
            try call.requireOtherPerson(than: load.loadedBy, step: "authorising dispensing data")
            load.decidedBy = call.caller.responsible
            load.decisionReason = request.reason
            load.state = request.authorise ? .authorised : .returned
            if request.authorise {
                guard request.controlTotalPence == load.basicPricePence else {
                    throw Failure(
                        PaymentsReasons.controlTotalMismatch,
                        "The control total is not the sum of the basic prices.")
                }
                let paid = try paymentMonth(of: load.month, transaction)
                load.seq = try InputLog.record(
                    .dispensing, from: paid.firstDay, to: paid.adding(months: 1).firstDay, by: load.decidedBy,
                    detail: "dispensing of \(load.month), file \(load.id)", in: transaction)
            }
            try DispensingStore.saveDecision(load, in: transaction)
            note(
                load,
                request.authorise
                    ? "authorised: basic price \(Money(pence: load.basicPricePence))"
                    : "returned: \(request.reason)",
                in: transaction)
            return try message(load, transaction)
        }
    }

    func listDispensingLoads(
        _ request: Pcs_Payments_V1_ListDispensingLoadsRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ListDispensingLoadsResponse {
        var fields = RequestFields()
        let month = request.hasMonth ? fields.month(request.month) : nil
        try fields.finish()
        return try context.store.read { reader in
            let loads = try DispensingStore.loads(reader).filter { load in
                month.map { $0 == load.month } ?? true
            }
            return try .with { $0.loads = try loads.map { try message($0, reader) } }
        }
    }

    func getDispensing(
        _ request: Pcs_Payments_V1_GetDispensingRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_DispensingAccount {
        var fields = RequestFields()
        let practice = fields.practice(request.practiceCode)
        let month = fields.month(request.month)
        try fields.finish()
        guard let practice, let month else { throw Failure(HostReasons.fieldInvalid) }
        return try context.store.read { reader in
            let paid = try paymentMonth(of: month, reader)
            let held = try DispensingStore.data(from: month, to: month, knownAt: .max, reader)
                .filter { $0.practice == practice }
            let rules = DispensingRules(
                bands: DispensingBands(try DispensingBandStore.rows(knownAt: .max, reader)),
                rates: try ReferenceStore.rates(knownAt: .max, reader))
            let lines = try refusing { try held.flatMap { try rules.lines($0, paidIn: paid) } }
            let history = try DispensingStore.history(of: practice, in: month, reader)
            return .with {
                $0.practiceCode = practice.value
                $0.month = Pcs_Common_V1_Month(month)
                $0.paymentMonth = Pcs_Common_V1_Month(paid)
                $0.entries = history.map { entry($0, isSuperseded: !held.contains($0)) }
                $0.lines = lines.map(message)
            }
        }
    }

    // MARK: Messages

    private func paymentMonth(of month: YearMonth, _ reader: any Reader) throws -> YearMonth {
        let rates = try ReferenceStore.rates(knownAt: .max, reader)
        return try refusing {
            try Arrears(rates: rates, name: .dispensingArrearsMonths).paymentMonth(of: month)
        }
    }

    private func note(_ load: DispensingStore.Load, _ detail: String, in transaction: any Transaction) {
        transaction.audit(AuditNote(object: "dispensing/\(load.id)", detail: "\(load.month): \(detail)"))
    }

    private func message(
        _ load: DispensingStore.Load, _ reader: any Reader
    ) throws -> Pcs_Payments_V1_DispensingLoad {
        let paid = try paymentMonth(of: load.month, reader)
        return .with {
            $0.loadID = load.id
            $0.month = Pcs_Common_V1_Month(load.month)
            $0.paymentMonth = Pcs_Common_V1_Month(paid)
            $0.state = Pcs_Payments_V1_DispensingLoadState(rawValue: Int(load.state.rawValue)) ?? .unspecified
            ($0.rows, $0.practices, $0.prescriptions) = (load.rows, load.practices, load.prescriptions)
            ($0.basicPricePence, $0.chargesPence) = (load.basicPricePence, load.chargesPence)
            ($0.changed, $0.fileName, $0.sha256) = (load.changed, load.fileName, load.sha256)
            ($0.loadedBy, $0.decidedBy, $0.decisionReason) = (
                load.loadedBy, load.decidedBy, load.decisionReason
            )
            $0.loadedAt = Google_Protobuf_Timestamp(load.loadedAt)
            $0.version = load.seq ?? 0
        }
    }

    private func entry(_ data: DispensingData, isSuperseded: Bool) -> Pcs_Payments_V1_DispensingEntry {
        .with {
            $0.kind = Pcs_Payments_V1_DispensingKind(rawValue: Int(data.kind.rawValue)) ?? .unspecified
            ($0.prescriptions, $0.practitioners) = (data.prescriptions, Int32(clamping: data.practitioners))
            ($0.basicPricePence, $0.vatBasePence) = (data.basicPricePence, data.vatBasePence)
            ($0.chargesPence, $0.loadID, $0.version) = (data.chargesPence, data.loadID, data.version)
            $0.superseded = isSuperseded
        }
    }

    private func message(_ line: PaymentLine) -> Pcs_Payments_V1_DispensingLine {
        let bands = line.explanation.inputs.filter { $0.source.record == BandedAmount.record }
        return .with {
            ($0.paycode, $0.amountPence) = (line.paycode.code, line.pence)
            ($0.quantity, $0.rate, $0.basis) = (line.quantity.description, line.rate.description, line.basis)
            $0.band = bands.map(\.source.note).joined(separator: "; ")
        }
    }
}
