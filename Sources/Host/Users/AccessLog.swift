import CommonContract
import HostContract
import PluginAPI
import SwiftProtobuf

/// The reads that were recorded: rows of the host's audit chain (identity-and-organisations.md 13).
struct AccessLog {
    struct Question: Sendable {
        /// Person or system; empty = all.
        var subject: String
        /// Read, or acted for; empty = all.
        var organisation: String
        var from: Instant
        /// The first moment after the period.
        var to: Instant
        /// Only reads in this break-glass session; empty = all sensitive reads.
        var glass: String
        var limit: Int
    }

    let store: HostStore

    /// The detail of a read's row begins so.
    static let mark = "read"
    static func mark(ofGlass session: String) -> String { "read through break-glass \(session)" }

    private static let rows = Statement(
        """
        SELECT sequence, recorded_at, person_id, client_id, acting_for, method, organisation_code, detail, correlation_id
        FROM pcs_audit
        WHERE sequence > ?1 AND recorded_at >= ?2 AND recorded_at < ?3 AND outcome = 'done'
            AND substr(detail, 1, length(?4)) = ?4
            AND (?5 = '' OR person_id = ?5 OR client_id = ?5)
            AND (?6 = '' OR organisation_code = ?6 OR acting_for = ?6)
        ORDER BY sequence LIMIT ?7
        """)

    func send(_ question: Question, to reply: ReplyStream<Pcs_Host_V1_AccessLogEntry>) async throws {
        var left = question.limit
        var after: Int64 = 0
        let mark = question.glass.isEmpty ? Self.mark : Self.mark(ofGlass: question.glass)
        while left > 0 {
            // In pages, so that a slow reader holds no snapshot of the file.
            let page = min(left, 500)
            let entries = try store.read { reader in
                try reader.all(
                    Self.rows,
                    [
                        .integer(after), .instant(question.from), .instant(question.to), .text(mark),
                        .text(question.subject), .text(question.organisation), .integer(page),
                    ], Self.entry)
            }
            for entry in entries { try await reply.send(entry) }
            guard entries.count == page, let last = entries.last else { return }
            left -= entries.count
            after = last.sequence
        }
    }

    private static func entry(_ row: any Row) -> Pcs_Host_V1_AccessLogEntry {
        .with {
            $0.sequence = row.integer(0)
            $0.at = Google_Protobuf_Timestamp(row.instant(1))
            $0.personID = row.text(2)
            $0.clientID = row.text(3)
            $0.actingFor = row.text(4)
            $0.method = row.text(5)
            $0.organisationCode = row.text(6)
            $0.detail = row.text(7)
            $0.correlationID = row.text(8)
        }
    }
}

extension HostStore {
    /// Records that something was read: a row for each organisation named.
    /// - Parameter glass: the break-glass session through which it was read.
    func recordRead(_ act: AuditedAct, organisations: [OrganisationTarget], glass: String?) async throws {
        let words = glass.map(AccessLog.mark(ofGlass:)) ?? AccessLog.mark
        let codes = organisations.isEmpty ? [""] : Set(organisations.map(\.code)).sorted()
        try await effect { [self] sql in
            let notes = codes.map { code in
                AuditNote(object: "", organisation: String(code.prefix(12)), detail: words)
            }
            let head = try chain.append(act, outcome: .done, notes: notes, at: clock.now, in: sql)
            return Effect(value: (), head: head, hasPublished: false)
        }
    }
}
