import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf

/// The allocation formula: coefficients and inputs. Calculating and deciding are in a file of their own.
struct AllocationHandlers: Pcs_Payments_V1_AllocationService {
    let context: PluginContext

    func proposeFormula(
        _ requests: RequestStream<Pcs_Payments_V1_ProposeFormulaRequest>, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_FormulaSet {
        let first = requests.first
        var fields = RequestFields()
        fields.reason(first.reason)
        let version = FormulaVersion(rawValue: first.formula)
        if version == nil {
            let known = FormulaVersion.allCases.map(\.rawValue).joined(separator: ", ")
            fields.refuse("formula", "FOR05", "The formula is one of: \(known).")
        }
        let quarter = fields.quarter(
            first.effectiveFrom, isSet: first.hasEffectiveFrom, field: "effective_from")
        try fields.finish()
        guard let version, let quarter else { throw Failure(HostReasons.fieldInvalid) }
        let file = try await Upload.collect(requests, name: first.fileName) { Array($0.data) }
        let (rows, violations) = FormulaFile.read(file.bytes, version)
        guard violations.isEmpty else { throw Failure.file(violations) }
        return try await call.commit { transaction in
            let actor = call.caller.responsible
            let set = FormulaStore.Set(
                id: transaction.newIdentifier(), formula: version, from: quarter.quarterDay,
                reason: first.reason,
                fileName: file.name, sha256: file.sha256,
                evidenceID: try EvidenceStore.keep(file, kind: .reference, by: actor, in: transaction),
                proposedBy: actor, proposedAt: transaction.now)
            try FormulaStore.propose(set, rows, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "formula-set/\(set.id)",
                    detail: "\(version.rawValue) proposed from \(set.from): \(first.reason)"))
            return Pcs_Payments_V1_FormulaSet(set, rows)
        }
    }

    func decideFormula(
        _ request: Pcs_Payments_V1_DecideFormulaRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_FormulaSet {
        var fields = RequestFields()
        fields.reason(request.reason, mayBeEmpty: request.approve)
        try fields.finish()
        return try await call.commit { transaction in
            guard var set = try FormulaStore.set(request.setID, transaction) else {
                throw Failure(PaymentsReasons.allocationUnknown, "There is no such set of coefficients.")
            }
            guard set.state == .proposed else { throw Failure(PaymentsReasons.alreadyDecided) }
            try call.requireOtherPerson(than: set.proposedBy, step: "deciding coefficients of the formula")
            set.state = request.approve ? .approved : .returned
            set.decidedBy = call.caller.responsible
            set.decisionReason = request.reason
            try FormulaStore.saveDecision(set, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "formula-set/\(set.id)",
                    detail: request.approve ? "approved" : "returned: \(request.reason)"))
            return Pcs_Payments_V1_FormulaSet(set, try FormulaStore.rows(of: set.id, transaction))
        }
    }

    func listFormulas(
        _ request: Pcs_Payments_V1_ListFormulasRequest, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_ListFormulasResponse {
        try context.store.read { reader in
            let sets = try FormulaStore.sets(reader).filter {
                request.formula.isEmpty || $0.formula.rawValue == request.formula
            }
            let messages = try sets.map {
                Pcs_Payments_V1_FormulaSet($0, try FormulaStore.rows(of: $0.id, reader))
            }
            return .with { $0.sets = messages }
        }
    }

    func loadAllocationInputs(
        _ requests: RequestStream<Pcs_Payments_V1_LoadAllocationInputsRequest>, _ call: CallContext
    ) async throws -> Pcs_Payments_V1_AllocationInputs {
        let first = requests.first
        var fields = RequestFields()
        let quarter = fields.quarter(first.quarterDay, isSet: first.hasQuarterDay, field: "quarter_day")
        let snapshot = fields.date(
            first.snapshotOn, isSet: first.hasSnapshotOn, field: "snapshot_on", mayBeEmpty: false)
        if let quarter, let snapshot, abs(snapshot.daysSince1970 - quarter.quarterDay.daysSince1970) > 31 {
            fields.refuse("snapshot_on", "3.3", "Lists are taken within a month of the quarter day.")
        }
        try fields.finish()
        guard let quarter, let snapshot else { throw Failure(HostReasons.fieldInvalid) }
        let file = try await Upload.collect(requests, name: first.fileName) { Array($0.data) }
        if let earlier = try context.store.read({ try loaded(file.sha256, quarter, $0) }) { return earlier }
        let (inputs, violations) = AllocationInputFile.read(file.bytes)
        guard violations.isEmpty else { throw Failure.file(violations) }
        try KnownPractices.require(
            inputs.map(\.practice), rule: "ALL07", in: file, columns: AllocationInputFile.columns, context)
        let load = AllocationStore.Load(
            id: "", quarterDay: quarter.quarterDay, snapshotOn: snapshot, evidenceID: "",
            practices: Int64(inputs.count), registered: inputs.reduce(0) { $0 + $1.registered })
        if first.dryRun {
            var message = Pcs_Payments_V1_AllocationInputs(load, nil)
            (message.fileName, message.sha256, message.dryRun) = (file.name, file.sha256, true)
            return message
        }
        return try await call.commit { [load] transaction in
            if let earlier = try loaded(file.sha256, quarter, transaction) { return earlier }
            var load = load
            load.id = transaction.newIdentifier()
            load.evidenceID = try EvidenceStore.keep(
                file, kind: .capitation, by: call.caller.responsible, in: transaction)
            try AllocationStore.add(load, inputs, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "allocation-inputs/\(quarter)",
                    detail: "\(load.practices) practices, \(load.registered) patients, sha256 \(file.sha256)")
            )
            return Pcs_Payments_V1_AllocationInputs(
                load, try EvidenceStore.evidence(load.evidenceID, transaction))
        }
    }

    private func loaded(
        _ sha256: String, _ quarter: Quarter, _ reader: any Reader
    ) throws -> Pcs_Payments_V1_AllocationInputs? {
        guard let load = try AllocationStore.lastLoad(of: quarter, reader),
            let evidence = try EvidenceStore.evidence(load.evidenceID, reader), evidence.sha256 == sha256
        else { return nil }
        var message = Pcs_Payments_V1_AllocationInputs(load, evidence)
        message.alreadyLoaded = true
        return message
    }
}

extension RequestFields {
    mutating func quarter(_ date: Pcs_Common_V1_Date, isSet: Bool, field: String) -> Quarter? {
        guard let day = self.date(date, isSet: isSet, field: field, mayBeEmpty: false) else { return nil }
        guard let quarter = Quarter(quarterDay: day) else {
            refuse(field, "payments 0", "A quarter day is 1 January, 1 April, 1 July or 1 October.")
            return nil
        }
        return quarter
    }
}

extension Pcs_Payments_V1_FormulaSet {
    init(_ set: FormulaStore.Set, _ rows: [FormulaRow]) {
        self.init()
        (setID, formula, reason) = (set.id, set.formula.rawValue, set.reason)
        effectiveFrom = Pcs_Common_V1_Date(set.from)
        state = Pcs_Payments_V1_ProposalState(set.state)
        (fileName, sha256, proposedBy) = (set.fileName, set.sha256, set.proposedBy)
        proposedAt = Google_Protobuf_Timestamp(set.proposedAt)
        (decidedBy, decisionReason) = (set.decidedBy, set.decisionReason)
        coefficients = rows.map { row in
            .with {
                ($0.component, $0.cell) = (row.cell.component.rawValue, row.cell.name)
                ($0.value, $0.grade, $0.source) = (row.value?.description ?? "", row.grade, row.source)
            }
        }
        missing = Int32(clamping: rows.count { $0.value == nil })
    }
}

extension Pcs_Payments_V1_ProposalState {
    init(_ state: ProposalState) { self = Self(rawValue: Int(state.rawValue)) ?? .unspecified }
}

extension Pcs_Payments_V1_AllocationInputs {
    init(_ load: AllocationStore.Load, _ evidence: EvidenceStore.Evidence?) {
        self.init()
        loadID = load.id
        quarterDay = Pcs_Common_V1_Date(load.quarterDay)
        snapshotOn = Pcs_Common_V1_Date(load.snapshotOn)
        (practices, registeredPatients) = (load.practices, load.registered)
        guard let evidence else { return }
        (fileName, sha256, loadedBy) = (evidence.fileName, evidence.sha256, evidence.uploadedBy)
        loadedAt = Google_Protobuf_Timestamp(evidence.uploadedAt)
    }
}
