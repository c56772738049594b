import CommonContract
import Crypto
import HostContract
import PluginAPI
import Tabular

/// Takes a file from bytes to a load: validated as a whole, compared, applied or held, all in one transaction.
struct SnapshotLoader: Sendable {
    let settings: OrganisationLoadSettings

    /// A file that has been read and keeps the rules of its layout.
    struct Staged: Sendable {
        let source: SnapshotSource
        let bytes: [UInt8]
        let parsed: ParsedSnapshot
    }

    /// - Throws: `FILE_INVALID` with every violation, up to the limit.
    func stage(
        _ bytes: [UInt8], layout: SnapshotLayout, fileName: String, publishedOn: CalendarDate,
        loadedBy: String
    ) throws -> Staged {
        var violations = ViolationList(limit: settings.listedViolations)
        let parsed = layout.parse(bytes, publishedOn: publishedOn, limits: settings.file, into: &violations)
        guard violations.isEmpty else {
            throw violations.failure(HostReasons.fileInvalid)
        }
        let source = SnapshotSource(
            layout: layout, fileName: fileName, publishedOn: publishedOn,
            sha256: SHA256.hash(data: bytes).hexadecimal, loadedBy: loadedBy)
        return Staged(source: source, bytes: bytes, parsed: parsed)
    }

    /// Records the load in `transaction`; applies it unless it is held or a dry run.
    func load(
        _ staged: Staged, dryRun: Bool, today: CalendarDate, in transaction: any Transaction
    ) throws -> Pcs_Host_V1_SnapshotLoad {
        let source = staged.source
        if var earlier = try transaction.first(
            OrganisationTables.loadOfFile, [.text(source.sha256), .integer(source.layout.rawValue)],
            Pcs_Host_V1_SnapshotLoad.init(row:))
        {
            earlier.alreadyLoaded = true
            transaction.audit(
                AuditNote(
                    object: "snapshot/\(earlier.loadID)", detail: "the same file again: nothing changed"))
            return earlier
        }
        let register = try RegisterState(transaction, layout: source.layout)
        let comparison = try SnapshotComparison.compare(
            staged.parsed, from: source, with: register, settings: settings)
        var load = Pcs_Host_V1_SnapshotLoad(source, comparison, rows: staged.parsed.rows)
        load.loadID = transaction.newIdentifier()
        load.state = dryRun ? .dryRun : comparison.heldBecause == nil ? .applied : .held
        try insert(load, source, in: transaction)
        let writer = SnapshotWriter(
            transaction: transaction, source: source, loadID: load.loadID, knownFrom: today)
        try writer.report(comparison.differences)
        if !dryRun {
            try transaction.run(OrganisationTables.insertFile, [.text(load.loadID), .blob(staged.bytes)])
        }
        if load.state == .applied { try writer.apply(comparison) }
        if load.state == .held { try HeldLoadTask.request(for: load, in: transaction) }
        transaction.audit(AuditNote(object: "snapshot/\(load.loadID)", detail: load.sentence))
        return load
    }

    /// Applies or discards a held load, by the file kept as evidence and the register as it is now.
    func decide(
        _ loadID: String, apply: Bool, by person: String, reason: String, today: CalendarDate,
        in transaction: any Transaction
    ) throws -> Pcs_Host_V1_SnapshotLoad {
        var load = try SnapshotLoader.held(loadID, in: transaction)
        guard let layout = SnapshotLayout(rawValue: load.kind.rawValue),
            let publishedOn = load.publishedOn.calendarDate,
            let bytes = try transaction.first(OrganisationTables.file, [.text(loadID)], { $0.blob(0) })
        else { throw StoredValueError(message: "held load \(loadID) is incomplete") }
        if apply {
            let staged = try stage(
                bytes, layout: layout, fileName: load.fileName, publishedOn: publishedOn,
                loadedBy: load.loadedBy)
            let register = try RegisterState(transaction, layout: layout)
            let comparison = try SnapshotComparison.compare(
                staged.parsed, from: staged.source, with: register, settings: settings)
            load.takeCounts(of: comparison)
            let writer = SnapshotWriter(
                transaction: transaction, source: staged.source, loadID: loadID, knownFrom: today)
            try writer.report(comparison.differences)
            try writer.apply(comparison)
        }
        load.state = apply ? .applied : .discarded
        try transaction.run(
            OrganisationTables.decideLoad,
            [
                .text(loadID), .integer(load.state.rawValue), .integer(load.opened), .integer(load.closed),
                .integer(load.reopened), .integer(load.changed), .integer(load.missing),
                .integer(load.unchanged),
                .integer(load.pendingReferences), .text(person), .instant(transaction.now), .text(reason),
            ])
        try HeldLoadTask.settle(load, by: person, reason: reason, in: transaction)
        transaction.audit(
            AuditNote(
                object: "snapshot/\(loadID)",
                detail:
                    "\(apply ? "applied" : "discarded") although held: \(load.heldBecause). Reason: \(reason). "
                    + load.sentence))
        return load
    }

    /// The load, which must be held.
    static func held(_ loadID: String, in reader: any Reader) throws -> Pcs_Host_V1_SnapshotLoad {
        guard
            let load = try reader.first(
                OrganisationTables.load, [.text(loadID)], Pcs_Host_V1_SnapshotLoad.init(row:))
        else { throw Failure(HostReasons.notFound, "There is no load '\(loadID)'.") }
        guard load.state == .held else {
            throw Failure(
                HostReasons.stateWrong, "The load is \(load.state); only a held load can be decided on.")
        }
        return load
    }

    private func insert(
        _ load: Pcs_Host_V1_SnapshotLoad, _ source: SnapshotSource, in transaction: any Transaction
    ) throws {
        try transaction.run(
            OrganisationTables.insertLoad,
            [
                .text(load.loadID), .integer(source.layout.rawValue), .text(source.fileName),
                .text(source.series),
                .date(source.publishedOn), .text(source.sha256), .integer(load.state.rawValue),
                .integer(load.rows),
                .integer(load.opened), .integer(load.closed), .integer(load.reopened), .integer(load.changed),
                .integer(load.missing), .integer(load.unchanged), .integer(load.pendingReferences),
                .text(load.heldBecause), .text(source.loadedBy), .instant(transaction.now),
            ])
    }
}

extension Digest {
    var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: flatMap { byte in [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }, as: UTF8.self)
    }
}
