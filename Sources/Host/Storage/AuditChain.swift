import Crypto
import PluginAPI
import Synchronization

/// The hash chain over one database's audit rows: each hash is SHA-256 over the hash before it and the row's
/// canonical encoding, so that no row can be changed, removed or put in between without every later hash
/// being wrong.
///
/// The head is kept in memory, and may be ahead of the file after a rollback: of the body, of its group, or
/// by the disk. So a row is only added behind a row that is in the file and has the remembered hash; when it
/// is not, the head is read again. A head that is *behind what callers were told is durable* is no rollback
/// but a cut chain: the writer then refuses to go on.
final class AuditChain: Sendable {
    struct Head: Hashable, Sendable {
        var sequence: Int64
        var hash: [UInt8]
    }

    private struct State {
        var head: Head?
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
        if notes.isEmpty {
            return try append(act, outcome, AuditNote(object: "", detail: ""), at, in: sql)
        }
        var head = Head(sequence: 0, hash: [])
        for note in notes { head = try append(act, outcome, note, at, in: sql) }
        return head
    }

    private func append(
        _ act: AuditedAct, _ outcome: AuditOutcome, _ note: AuditNote, _ at: Instant,
        in sql: any SQLTransaction
    ) throws -> Head {
        var before: Head
        if let known = state.withLock({ $0.head }) { before = known } else { before = try reload(in: sql) }
        while true {
            var row = AuditRow(
                sequence: before.sequence + 1, at: at, act: act, note: note, outcome: outcome.rawValue,
                hash: [])
            row.hash = AuditChain.hash(of: row, after: before.hash)
            if try insert(row, after: before, in: sql) {
                let head = Head(sequence: row.sequence, hash: row.hash)
                state.withLock { $0.head = head }
                return head
            }
            let found = try reload(in: sql)
            guard found != before else {
                throw StorageError.unusable(
                    message: "the audit chain cannot be continued at \(before.sequence)")
            }
            before = found
        }
    }

    private func insert(_ row: AuditRow, after before: Head, in sql: any SQLTransaction) throws -> Bool {
        var values: [StoredValue] = []
        values.reserveCapacity(14)
        values += [
            .integer(row.sequence), .instant(row.at), .optional(row.act.personID),
            .optional(row.act.clientID),
            .text(row.act.actingFor), .text(row.act.method), .text(row.note.object),
            .text(row.note.organisation),
            .text(row.outcome), .text(row.note.detail), .text(row.act.correlationID),
            .blob(row.act.requestDigest),
            .blob(row.hash),
        ]
        if before.sequence == 0 { return try sql.run(AuditChain.insertFirst, values) == 1 }
        values.append(.blob(before.hash))
        return try sql.run(AuditChain.insertBehind, values) == 1
    }

    private func reload(in reader: any Reader) throws -> Head {
        let found =
            try reader.first(AuditChain.last) { Head(sequence: $0.integer(0), hash: $0.blob(1)) }
            ?? Head(sequence: 0, hash: origin)
        try state.withLock { state in
            if let acknowledged = state.acknowledged, found.sequence < acknowledged.sequence {
                throw StorageError.unusable(
                    message: "audit rows \(found.sequence + 1) to \(acknowledged.sequence) have been removed")
            }
            state.head = found
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
        let act = row.act
        let identities = [act.personID, act.clientID]
        let texts = [
            act.actingFor, act.method, row.note.object, row.note.organisation, row.outcome, row.note.detail,
            act.correlationID,
        ]
        var size = previous.count + 16 + 4 + act.requestDigest.count
        for identity in identities { size += 5 + (identity?.utf8.count ?? 0) }
        for text in texts { size += 4 + text.utf8.count }
        return withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { buffer in
            var encoding = AuditEncoding(buffer: buffer)
            encoding.append(previous)
            encoding.append(row.sequence)
            encoding.append(row.at.microsecondsSince1970)
            for identity in identities {
                encoding.append(byte: identity == nil ? 0 : 1)
                encoding.append(identity ?? "")
            }
            for text in texts { encoding.append(text) }
            encoding.append(length: act.requestDigest.count)
            encoding.append(act.requestDigest)
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

    private static let insertFirst = Statement("INSERT INTO pcs_audit (\(columns)) VALUES (\(values))")
    private static let insertBehind = Statement(
        """
        INSERT INTO pcs_audit (\(columns)) SELECT \(values)
        WHERE EXISTS (SELECT 1 FROM pcs_audit WHERE sequence = ?1 - 1 AND hash = ?14)
        """)
    private static let last = Statement("SELECT sequence, hash FROM pcs_audit ORDER BY sequence DESC LIMIT 1")
    static let all = Statement(
        "SELECT \(columns) FROM pcs_audit WHERE sequence >= ?1 ORDER BY sequence LIMIT ?2")
    static let ofOrganisation = Statement(
        "SELECT \(columns) FROM pcs_audit WHERE sequence >= ?1 AND organisation_code = ?3 ORDER BY sequence LIMIT ?2"
    )
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
