import Digests
import PluginAPI

/// The reference data files that come with the plugin: approved version 1 at the first start; a later release's changed
/// file is only proposed, for people to approve.
enum ShippedReferenceData {
    static let actor = "shipped"

    private static let files: [(ReferenceStore.Kind, name: String, bytes: [UInt8])] = [
        (.rates, "rates.csv", PackageResources.rates_csv),
        (.bankHolidays, "bank_holidays.csv", PackageResources.bank_holidays_csv),
        (.paycodes, "paycodes.csv", PackageResources.paycodes_csv),
        (.dispensingBands, "dispensing_bands.csv", PackageResources.dispensing_bands_csv),
        (.trainingRates, "training_rates.csv", PackageResources.training_rates_csv),
        (.additionalRoles, "additional_roles.csv", PackageResources.additional_roles_csv),
        (.amountBounds, "amount_bounds.csv", PackageResources.amount_bounds_csv),
        (.claimPaycodes, "claim_paycodes.csv", PackageResources.claim_paycodes_csv),
        (.guaranteedUse, "guaranteed_use.csv", PackageResources.guaranteed_use_csv),
    ]

    /// Safe to call at every start.
    static func load(into store: any Store) async throws {
        for (kind, name, bytes) in files {
            let hash = Digest.hex(Digest.sha256(bytes))
            let isNew = try store.read { reader in
                try !ReferenceStore.rateSets(reader).contains { $0.kind == kind && $0.sha256 == hash }
            }
            guard isNew else { continue }
            let content = try ReferenceDataHandlers.read(bytes, kind)
            try await store.write(actor: actor) { transaction in
                try add(content, UploadedFile(name: name, bytes: bytes, sha256: hash), in: transaction)
            }
        }
        try await loadFormula(into: store)
    }

    /// The coefficients of the allocation formula, likewise.
    private static func loadFormula(into store: any Store) async throws {
        let bytes = PackageResources.formula_carr_hill_2004_csv
        let file = UploadedFile(
            name: "formula_carr_hill_2004.csv", bytes: bytes, sha256: Digest.hex(Digest.sha256(bytes)))
        let isNew = try store.read { try !FormulaStore.sets($0).contains { $0.sha256 == file.sha256 } }
        guard isNew, let from = CalendarDate(year: 2004, month: 4, day: 1) else { return }
        let (rows, violations) = FormulaFile.read(bytes, .carrHill2004)
        guard violations.isEmpty else { throw Failure.file(violations) }
        try await store.write(actor: actor) { transaction in
            let sets = try FormulaStore.sets(transaction)
            if sets.contains(where: { $0.sha256 == file.sha256 }) { return }
            var set = FormulaStore.Set(
                id: transaction.newIdentifier(), formula: .carrHill2004, from: from,
                reason: "shipped with the plugin", fileName: file.name, sha256: file.sha256,
                evidenceID: try EvidenceStore.keep(file, kind: .reference, by: actor, in: transaction),
                proposedBy: actor, proposedAt: transaction.now)
            try FormulaStore.propose(set, rows, in: transaction)
            transaction.audit(
                AuditNote(object: "formula-set/\(set.id)", detail: "\(file.name), \(rows.count) coefficients"))
            guard sets.isEmpty else { return }
            (set.state, set.decidedBy) = (.approved, actor)
            try FormulaStore.saveDecision(set, in: transaction)
        }
    }

    private static func add(
        _ content: ReferenceStore.Content, _ file: UploadedFile, in transaction: any Transaction
    ) throws {
        let sets = try ReferenceStore.rateSets(transaction).filter { $0.kind == content.kind }
        if sets.contains(where: { $0.sha256 == file.sha256 }) { return }
        let evidence = try EvidenceStore.keep(file, kind: .reference, by: actor, in: transaction)
        var set = ReferenceStore.RateSet(
            id: transaction.newIdentifier(), kind: content.kind, state: .proposed,
            reason: "shipped with the plugin",
            rows: Int64(content.count), proposedBy: actor, proposedAt: transaction.now, fileName: file.name,
            sha256: file.sha256, evidenceID: evidence)
        try ReferenceStore.propose(set, content, in: transaction)
        transaction.audit(
            AuditNote(object: "rate-set/\(set.id)", detail: "\(file.name), \(content.count) rows"))
        guard sets.isEmpty else { return }
        set.state = .approved
        set.decidedBy = actor
        // Nothing is paid yet, so no month can be affected.
        set.version = try InputLog.record(
            content.kind.inputKind, from: nil, to: nil, by: actor, detail: file.name, in: transaction)
        try ReferenceStore.saveDecision(set, in: transaction)
    }
}
