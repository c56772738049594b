import Foundation
import HostContract
import PluginAPI

/// Serves `pcs.host.v1.DiagnosticsService`: every behaviour of the protocol without touching any record.
struct DiagnosticsServiceHandler: Pcs_Host_V1_DiagnosticsService {
    let store: HostStore

    func echo(_ request: Pcs_Host_V1_EchoRequest, _ call: CallContext) async throws -> Pcs_Host_V1_EchoReply {
        var reply = Pcs_Host_V1_EchoReply()
        reply.payload = request.payload
        reply.number = request.number
        reply.text = request.text
        return reply
    }

    func count(
        _ request: Pcs_Host_V1_CountRequest, _ reply: ReplyStream<Pcs_Host_V1_CountReply>, _ call: CallContext
    ) async throws {
        try require((0...1_000_000).contains(request.count), "count", "must be 0 to 1,000,000")
        try require(request.paddingBytes <= 65_536, "padding_bytes", "must be 0 to 65,536")
        var message = Pcs_Host_V1_CountReply()
        message.padding = Data(count: Int(request.paddingBytes))
        for number in 0..<request.count {
            if request.intervalMilliseconds > 0, number > 0 {
                try await Task.sleep(for: .milliseconds(Int(request.intervalMilliseconds)))
            }
            message.number = number + 1
            try await reply.send(message)
        }
    }

    func collect(
        _ requests: RequestStream<Pcs_Host_V1_CollectRequest>, _ call: CallContext
    ) async throws -> Pcs_Host_V1_CollectReply {
        var reply = Pcs_Host_V1_CollectReply()
        for try await request in requests {
            reply.messages += 1
            reply.sum &+= request.number
            reply.bytes += Int64(request.padding.count)
        }
        return reply
    }

    func wait(_ request: Pcs_Host_V1_WaitRequest, _ call: CallContext) async throws -> Pcs_Host_V1_WaitReply {
        try require(request.milliseconds <= 60_000, "milliseconds", "must be 0 to 60,000")
        let began = MonotonicTime.now
        try await Task.sleep(for: .milliseconds(Int(request.milliseconds)))
        var reply = Pcs_Host_V1_WaitReply()
        reply.waitedMilliseconds = Int64((MonotonicTime.now - began) / 1_000_000)
        return reply
    }

    func writeNote(
        _ request: Pcs_Host_V1_WriteNoteRequest, _ call: CallContext
    ) async throws -> Pcs_Host_V1_WriteNoteReply {
        try require((1...1_024).contains(request.text.count), "text", "must have 1 to 1,024 characters")
        let text = request.text
        return try await call.commit { transaction in
            var reply = Pcs_Host_V1_WriteNoteReply()
            // Two plain statements cost less than one with RETURNING, which gathers its rows in a table of its own.
            reply.noteNumber = try (transaction.first(Self.lastNote) { $0.integer(0) } ?? 0) + 1
            try transaction.run(Self.insertNote, [.integer(reply.noteNumber), .text(text)])
            return reply
        }
    }

    func readNote(_ request: Pcs_Host_V1_ReadNoteRequest, _ call: CallContext) async throws
        -> Pcs_Host_V1_ReadNoteReply
    {
        let text = try store.read {
            try $0.first(Self.selectNote, [.integer(request.noteNumber)]) { $0.text(0) }
        }
        guard let text else { throw Failure(HostReasons.notFound, "There is no note \(request.noteNumber).") }
        var reply = Pcs_Host_V1_ReadNoteReply()
        reply.noteNumber = request.noteNumber
        reply.text = text
        return reply
    }

    private static let insertNote = Statement(
        "INSERT INTO diagnostic_note (note_number, text) VALUES (?1, ?2)")
    private static let lastNote = Statement(
        "SELECT note_number FROM diagnostic_note ORDER BY note_number DESC LIMIT 1")
    private static let selectNote = Statement("SELECT text FROM diagnostic_note WHERE note_number = ?1")

    private func require(_ condition: Bool, _ field: String, _ message: String) throws {
        guard condition else {
            throw Failure(
                HostReasons.fieldInvalid,
                violations: [Violation(field: field, rule: "RANGE", message: message)])
        }
    }
}
