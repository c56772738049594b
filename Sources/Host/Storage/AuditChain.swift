import Crypto
import PluginAPI
import Synchronization

/// The hash chain over one database's audit rows: each hash is SHA-256 over the hash before it and the row's
/// canonical encoding, so that no row can be changed, removed or put in between without every later hash
/// being wrong.
///
/// The head is kept in memory, and may be ahead of the file after a rollback: of the body, of its group, or
/// by the disk. So it counts only within one epoch of the engine: the first row of a group reads it from the
/// file, the others of the group go on from it. A head that is *behind what callers were told is durable* is
/// no rollback but a cut chain: the writer then refuses to go on.
final class AuditChain: Sendable {
    struct Head: Hashable, Sendable {
        var sequence: Int64
        var hash: [UInt8]
    }

    private struct State {
        var head: Head?
        /// The engine's epoch in which `head` was read or written.
        var epoch: UInt64 = 0
        var acknowledged: Head?
    }

    /// What the first row stands on: names the chain, so that one database's rows do not fit into another's.
    let origin: [UInt8]
    private let state = Mutex(State())

    init(name: String) {
        origin = Array(SHA256.hash(data: Array("pcs audit chain of \(name)".utf8)))
    }

    /// Adds a row a note (one in all when there are none). Returns the new head.
    func append(
        _ act: AuditedAct, outcome: AuditOutcome, notes: [AuditNote], at: Instant, in sql: any SQLTransaction
    ) throws -> Head {
        let epoch = sql.epoch
        let known = state.withLock { $0.epoch == epoch ? $0.head : nil }
        var head = try known ?? reload(in: sql)
        if notes.isEmpty {
            head = try append(act, outcome, AuditChain.noNote, at, behind: head, in: sql)
        } else {
            for note in notes { head = try append(act, outcome, note, at, behind: head, in: sql) }
        }
        state.withLock { state in
            state.head = head
            state.epoch = epoch
        }
        return head
    }

    private static let noNote = AuditNote(object: "", detail: "")

    private func append(
        _ act: AuditedAct, _ outcome: AuditOutcome, _ note: AuditNote, _ at: Instant, behind head: Head,
        in sql: any SQLTransaction
    ) throws -> Head {
        let sequence = head.sequence + 1
        let outcome = outcome.rawValue
        let hash = AuditChain.hash(sequence, at, act, note, outcome, after: head.hash)
        try sql.run(
            AuditChain.insert,
            [
                .integer(sequence), .instant(at), .optional(act.personID), .optional(act.clientID),
                .text(act.actingFor), .text(act.method), .text(note.object), .text(note.organisation),
                .text(outcome), .text(note.detail), .text(act.correlationID), .blob(act.requestDigest),
                .blob(hash),
            ])
        return Head(sequence: sequence, hash: hash)
    }

    private func reload(in reader: any Reader) throws -> Head {
        let found =
            try reader.first(AuditChain.last) { Head(sequence: $0.integer(0), hash: $0.blob(1)) }
            ?? Head(sequence: 0, hash: origin)
        let acknowledged = state.withLock { $0.acknowledged?.sequence ?? 0 }
        guard found.sequence >= acknowledged else {
            throw StorageError.unusable(
                message: "audit rows \(found.sequence + 1) to \(acknowledged) have been removed")
        }
        return found
    }

    /// Rows up to `head` are durable and a caller knows it.
    func acknowledge(_ head: Head) {
        state.withLock { state in
            if head.sequence > state.acknowledged?.sequence ?? 0 { state.acknowledged = head }
        }
    }

    /// Another file has taken the place of the one that was read.
    func forget() { state.withLock { $0 = State() } }

    // MARK: Verification

    func verify(in reader: any Reader) throws -> AuditVerification {
        let acknowledged = state.withLock { $0.acknowledged }
        var result = AuditVerification(entries: 0, brokenAt: 0, lastHash: origin)
        var previous = Head(sequence: 0, hash: origin)
        try reader.forEach(AuditChain.all, [.integer(Int64(1)), .integer(Int64.max)]) { stored in
            let row = AuditChain.row(stored)
            result.entries += 1
            let fits =
                row.sequence == previous.sequence + 1
                && AuditChain.hash(of: row, after: previous.hash) == row.hash
            if !fits, result.brokenAt == 0 { result.brokenAt = previous.sequence + 1 }
            previous = Head(sequence: row.sequence, hash: row.hash)
            result.lastHash = row.hash
        }
        if result.isWhole, let acknowledged, previous.sequence < acknowledged.sequence {
            result.brokenAt = previous.sequence + 1
        }
        return result
    }

    /// Canonical encoding: numbers as eight bytes, big-endian; every text and blob with its length in four
    /// bytes before it; an absent identity is told from an empty one by a byte. In the order of the table's
    /// columns.
    static func hash(of row: AuditRow, after previous: [UInt8]) -> [UInt8] {
        hash(row.sequence, row.at, row.act, row.note, row.outcome, after: previous)
    }

    /// Every audited write passes here, on the one writer's thread: nothing is put into arrays on the way.
    private static func hash(
        _ sequence: Int64, _ at: Instant, _ act: AuditedAct, _ note: AuditNote, _ outcome: String,
        after previous: [UInt8]
    ) -> [UInt8] {
        // Two numbers, two bytes for absence and ten lengths.
        var size = 16 + 2 + 4 * 10 + previous.count + act.requestDigest.count
        size += (act.personID?.utf8.count ?? 0) + (act.clientID?.utf8.count ?? 0)
        size += act.actingFor.utf8.count + act.method.utf8.count + act.correlationID.utf8.count
        size += note.object.utf8.count + note.organisation.utf8.count + note.detail.utf8.count
        size += outcome.utf8.count
        return withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { buffer in
            var encoding = AuditEncoding(buffer: buffer)
            encoding.append(previous)
            encoding.append(sequence)
            encoding.append(at.microsecondsSince1970)
            encoding.append(identity: act.personID)
            encoding.append(identity: act.clientID)
            encoding.append(act.actingFor)
            encoding.append(act.method)
            encoding.append(note.object)
            encoding.append(note.organisation)
            encoding.append(outcome)
            encoding.append(note.detail)
            encoding.append(act.correlationID)
            encoding.append(length: act.requestDigest.count)
            encoding.append(act.requestDigest)
            assert(encoding.count == size)
            var hash = SHA256()
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<encoding.count]))
            return hash.finalize().withUnsafeBytes { Array($0) }
        }
    }

    // MARK: SQL

    static func row(_ row: any Row) -> AuditRow {
        AuditRow(
            sequence: row.integer(0), at: row.instant(1),
            act: AuditedAct(
                personID: row.optionalText(2), clientID: row.optionalText(3), actingFor: row.text(4),
                method: row.text(5), correlationID: row.text(10), requestDigest: row.blob(11)),
            note: AuditNote(object: row.text(6), organisation: row.text(7), detail: row.text(9)),
            outcome: row.text(8), hash: row.blob(12))
    }

    private static let columns = """
        sequence, recorded_at, person_id, client_id, acting_for, method, object, organisation_code, outcome,
        detail, correlation_id, request_digest, hash
        """
    private static let values = "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13"

    private static let insert = Statement("INSERT INTO pcs_audit (\(columns)) VALUES (\(values))")
    private static let last = Statement("SELECT sequence, hash FROM pcs_audit ORDER BY sequence DESC LIMIT 1")
    static let all = Statement(
        "SELECT \(columns) FROM pcs_audit WHERE sequence >= ?1 ORDER BY sequence LIMIT ?2")
    static let ofOrganisation = Statement(
        """
        SELECT \(columns) FROM pcs_audit WHERE sequence >= ?1 AND organisation_code = ?3 AND organisation_code <> ''
        ORDER BY sequence LIMIT ?2
        """)
}

/// Fills a buffer that has been measured before: every audited write passes here, on the one writer's thread.
private struct AuditEncoding {
    let buffer: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(buffer: UnsafeMutableRawBufferPointer) { self.buffer = buffer }

    mutating func append(byte: UInt8) {
        buffer[count] = byte
        count += 1
    }

    mutating func append(identity: String?) {
        append(byte: identity == nil ? 0 : 1)
        append(identity ?? "")
    }

    mutating func append(_ number: Int64) { append(raw: number.bigEndian) }

    mutating func append(length: Int) { append(raw: UInt32(truncatingIfNeeded: length).bigEndian) }

    mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { copy($0) }
    }

    mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            append(length: bytes.count)
            copy(UnsafeRawBufferPointer(bytes))
        }
    }

    private mutating func append(raw value: some FixedWidthInteger) {
        withUnsafeBytes(of: value) { copy($0) }
    }

    private mutating func copy(_ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return }
        UnsafeMutableRawBufferPointer(rebasing: buffer[count..<(count + bytes.count)]).copyMemory(from: bytes)
        count += bytes.count
    }
}
