import FrameContract
import Foundation
import SwiftProtobuf
import Testing

@testable import FrameProtocol

/// The byte examples of docs/protocol.md: blocks that begin with "```hex NAME", a `#` in a line begins a remark.
private enum Document {
    static let text: String = {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return (try? String(contentsOf: root.appendingPathComponent("docs/protocol.md"), encoding: .utf8))
            ?? ""
    }()

    static let examples: [String: [UInt8]] = {
        var examples: [String: [UInt8]] = [:]
        var name: String?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```hex ") {
                name = String(line.dropFirst(7))
                examples[name ?? ""] = []
            } else if line.hasPrefix("```") {
                name = nil
            } else if let name {
                let bytes = line.prefix { $0 != "#" }.split(separator: " ").compactMap {
                    UInt8($0, radix: 16)
                }
                examples[name, default: []] += bytes
            }
        }
        return examples
    }()
}

@Suite("docs/protocol.md")
struct ProtocolDocumentTests {
    private static let diagnostics = "pcs.host.v1.DiagnosticsService/"
    private static let sentence = "A field of the request breaks a rule."

    /// EchoRequest, EchoReply: number = 7, text = "hi".
    private static let echo: [UInt8] = [0x10, 7, 0x1A, 2] + Array("hi".utf8)

    private static func call(
        _ stream: UInt32, _ method: String, _ body: [UInt8],
        _ change: (inout OutgoingCall.Options) -> Void = { _ in }
    ) -> [UInt8] {
        var options = OutgoingCall.Options()
        change(&options)
        return OutgoingCall(stream: stream, method: diagnostics + method, options: options, body: body)
            .bytes()
    }

    private static func message(_ stream: UInt32, _ body: [UInt8], last: Bool = false) -> [UInt8] {
        OutgoingMessage(stream: stream, body: body, last: last).bytes()
    }

    private static func clientHello() -> [UInt8] {
        var limits = ConnectionLimits()
        limits.maximumFrameBytes = 0
        limits.maximumStreams = 0
        limits.initialCredit = 0
        limits.keepaliveSeconds = 0
        return OutgoingHello(software: "demo/1", limits: limits).bytes()
    }

    private static func text(_ tag: UInt8, _ text: String) -> [UInt8] {
        [tag, UInt8(text.utf8.count)] + text.utf8
    }

    /// A FailureDetail with one Violation, by field numbers of common/v1/types.proto.
    private static func failedReply() -> [UInt8] {
        let violation = text(0x0A, "count") + text(0x12, "RANGE") + text(0x1A, "must be 0 to 1,000,000")
        let nextStep = text(0x12, "Mend the fields listed and send again.")
        let detail =
            text(0x0A, "FIELD_INVALID") + nextStep + [0x1A, UInt8(violation.count)] + violation + [0x20, 1]
            + text(0x2A, "5f0c2d")
        let type = "type.googleapis.com/pcs.common.v1.FailureDetail"
        let status = FrameStatus(code: 3, message: sentence, details: [.init(typeURL: type, value: detail)])
        return OutgoingReply(stream: 3, code: 3, message: sentence, progress: 2, status: status).bytes()
    }

    /// What each example must be, written by our codec.
    private static func written() -> [String: [UInt8]] {
        [
            "client-hello": clientHello(),
            "server-hello": OutgoingHello(software: "pcs/1", limits: ConnectionLimits()).bytes(),
            "unary-call": call(1, "Echo", echo) { $0.timeoutMilliseconds = 1_000 },
            "unary-reply": OutgoingReply(stream: 1, body: echo).bytes(),
            "failed-reply": failedReply(),
            "streaming-call": call(5, "Count", [8, 3]) { $0.credit = 2 },
            "streaming-message-1": message(5, [8, 1]),
            "streaming-message-2": message(5, [8, 2]),
            "streaming-message-3": message(5, [8, 3]),
            "credit": OutgoingCredit(stream: 5, messages: 1).bytes(),
            "streaming-reply": OutgoingReply(stream: 5, body: []).bytes(),
            "collect-call": call(7, "Collect", [8, 10]) { $0.more = true },
            "collect-message": message(7, [8, 20]),
            "collect-end": message(7, [], last: true),
            "collect-reply": OutgoingReply(stream: 7, body: [8, 2, 0x10, 30]).bytes(),
            "cancel": OutgoingCancel(stream: 9, reason: "closed by user").bytes(),
            "cancelled-reply": OutgoingReply(
                stream: 9, code: 1, message: "The caller cancelled the call.", progress: 2, status: nil
            ).bytes(),
            "ping": OutgoingPing(token: 258).bytes(),
            "ping-answer": OutgoingPing(token: 258, acknowledge: true).bytes(),
            "go-away": OutgoingGoAway(
                lastStream: 9, reason: .draining, message: "The host is being stopped.",
                graceMilliseconds: 10_000
            ).bytes(),
            "go-away-violation": OutgoingGoAway(
                lastStream: 9, reason: .protocolError, message: "Stream 7 does not rise above 9."
            ).bytes(),
            "idempotent-call": call(11, "WriteNote", [0x0A, 5] + Array("hello".utf8)) {
                $0.idempotencyKey = "note-42"
                $0.actingFor = "PCS"
            },
            "replayed-reply": OutgoingReply(stream: 11, body: [8, 1], replayed: true).bytes(),
        ]
    }

    @Test("every byte example is what the codec writes")
    func examples() {
        var written = Self.written()
        // Holds fields that no sender of this version writes; decoded below.
        written["unknown-fields"] = Document.examples["unknown-fields"]
        #expect(Set(written.keys) == Set(Document.examples.keys))
        for (name, bytes) in written {
            #expect(Document.examples[name] == bytes, "\(name): \(hex(bytes))")
        }
    }

    @Test("every byte example is decoded by all three codecs alike")
    func decoded() {
        for (name, bytes) in Document.examples {
            let payload = Array(bytes.dropFirst(FrameDecoder.prefixBytes))
            #expect(bytes == prefixed(payload), "\(name)")
            #expect(ourDecode(payload) != nil, "\(name)")
            #expect(ourDecode(payload) == oracleDecode(payload), "\(name)")
        }
    }

    @Test("the example with unknown fields is a call like any other")
    func unknownFields() throws {
        let payload = try #require(Document.examples["unknown-fields"]).dropFirst(FrameDecoder.prefixBytes)
        let frame = try #require(ourDecode(Array(payload)))
        #expect(frame.stream == 13)
        #expect(frame.call.method == Self.diagnostics + "Echo")
    }

    @Test("the streaming examples are a conversation that both state machines allow")
    func conversation() throws {
        var server = ServerConnectionStateMachine(limits: ConnectionLimits(), software: "pcs/1", now: 0)
        let names = [
            "client-hello", "unary-call", "streaming-call", "credit", "collect-call", "collect-message",
            "collect-end",
            "idempotent-call", "unknown-fields", "ping",
        ]
        for name in names {
            let bytes = try #require(Document.examples[name])
            try bytes.withUnsafeBytes { bytes in
                var position = 0
                let next = try FrameDecoder.next(in: bytes, at: &position, maximumFrameBytes: 4 << 20)
                let frame = try #require(next)
                switch server.receive(frame) {
                case .close, .streamViolation, .refuse: Issue.record("\(name) is refused")
                default: break
                }
            }
        }
    }

    @Test("the limits told are those in force")
    func limits() {
        let limits = ConnectionLimits()
        #expect(Document.text.contains("4 MiB (4,194,304)") && limits.maximumFrameBytes == 4_194_304)
        #expect(Document.text.contains("at least 16,384") && ConnectionLimits.leastFrameBytes == 16_384)
        #expect(
            Document.text.contains("| Hello | 16,384 bytes |") && ConnectionLimits.maximumHelloBytes == 16_384
        )
        #expect(
            Document.text.contains("| streams open on a connection | 128 |") && limits.maximumStreams == 128)
        #expect(Document.text.contains("| messages without credit | 16 |") && limits.initialCredit == 16)
        #expect(Document.text.contains("| time to Hello | 10 s |") && limits.handshakeSeconds == 10)
        #expect(
            Document.text.contains("| silence | 30 s, then ping; 60 s, then end |")
                && limits.keepaliveSeconds == 30)
    }
}
