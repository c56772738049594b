import FrameContract
import Foundation
import SwiftProtobuf

@testable import FrameProtocol

/// A random number generator whose every run is the same.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
}

/// What SwiftProtobuf makes of the bytes behind a prefix; `nil` when it refuses them.
func oracleDecode(_ payload: [UInt8]) -> Pcs_Frame_V1_Frame? {
    var options = BinaryDecodingOptions()
    options.discardUnknownFields = true
    return try? Pcs_Frame_V1_Frame(serializedBytes: payload, options: options)
}

/// What our codec makes of them, in the oracle's terms.
func ourDecode(_ payload: [UInt8]) -> Pcs_Frame_V1_Frame? {
    payload.withUnsafeBytes { bytes in
        guard let frame = try? FrameDecoder.decode(bytes) else { return nil }
        return oracleForm(of: frame, in: bytes)
    }
}

func oracleForm(of frame: Frame, in bytes: UnsafeRawBufferPointer) -> Pcs_Frame_V1_Frame {
    var form = Pcs_Frame_V1_Frame()
    form.stream = frame.stream
    switch frame.kind {
    case .unknown: break
    case .hello(let hello):
        form.hello.version = hello.version
        form.hello.software = bytes.string(hello.software)
        form.hello.maxFrameBytes = hello.maximumFrameBytes
        form.hello.maxStreams = hello.maximumStreams
        form.hello.initialCredit = hello.initialCredit
        form.hello.keepaliveSeconds = hello.keepaliveSeconds
        form.hello.accessToken = bytes.string(hello.accessToken)
        form.hello.features = frame.features(in: bytes)
    case .call(let call):
        form.call.method = bytes.string(call.method)
        form.call.timeoutMilliseconds = call.timeoutMilliseconds
        form.call.idempotencyKey = bytes.string(call.idempotencyKey)
        form.call.actingFor = bytes.string(call.actingFor)
        form.call.accessToken = bytes.string(call.accessToken)
        form.call.personToken = bytes.string(call.personToken)
        form.call.traceParent = bytes.string(call.traceParent)
        form.call.credit = call.credit
        form.call.more = call.more
        form.call.body = Data(bytes.array(call.body))
    case .message(let message):
        form.message.last = message.last
        form.message.body = Data(bytes.array(message.body))
    case .reply(let reply):
        form.reply.code = reply.code
        form.reply.message = bytes.string(reply.message)
        form.reply.progress = Pcs_Frame_V1_Progress(rawValue: Int(Int32(bitPattern: reply.progress)))!
        form.reply.replayed = reply.replayed
        form.reply.body = Data(bytes.array(reply.body))
        if let status = frame.status(in: bytes) {
            form.reply.status.code = status.code
            form.reply.status.message = status.message
            form.reply.status.details = status.details.map { detail in
                var any = Google_Protobuf_Any()
                any.typeURL = detail.typeURL
                any.value = Data(detail.value)
                return any
            }
        }
    case .cancel(let cancel): form.cancel.reason = bytes.string(cancel.reason)
    case .credit(let credit): form.credit.messages = credit.messages
    case .ping(let ping):
        form.ping.token = ping.token
        form.ping.acknowledge = ping.acknowledge
    case .goAway(let goAway):
        form.goAway.lastStream = goAway.lastStream
        form.goAway.reason = Pcs_Frame_V1_GoAwayReason(rawValue: Int(Int32(bitPattern: goAway.reason)))!
        form.goAway.message = bytes.string(goAway.message)
        form.goAway.graceMilliseconds = goAway.graceMilliseconds
    }
    return form
}

/// The frame as our encoder writes it, prefix included; `nil` for no kind.
func ourEncode(_ form: Pcs_Frame_V1_Frame) -> [UInt8]? {
    switch form.kind {
    case .hello(let hello):
        var limits = ConnectionLimits()
        limits.maximumFrameBytes = hello.maxFrameBytes
        limits.maximumStreams = hello.maxStreams
        limits.initialCredit = hello.initialCredit
        limits.keepaliveSeconds = hello.keepaliveSeconds
        return OutgoingHello(
            version: hello.version, software: hello.software, limits: limits, accessToken: hello.accessToken,
            features: hello.features
        ).bytes()
    case .call(let call):
        var options = OutgoingCall.Options()
        options.timeoutMilliseconds = call.timeoutMilliseconds
        options.idempotencyKey = call.idempotencyKey
        options.actingFor = call.actingFor
        options.accessToken = call.accessToken
        options.personToken = call.personToken
        options.traceParent = call.traceParent
        options.credit = call.credit
        options.more = call.more
        return OutgoingCall(
            stream: form.stream, method: call.method, options: options, body: Array(call.body)
        ).bytes()
    case .message(let message):
        return OutgoingMessage(stream: form.stream, body: Array(message.body), last: message.last).bytes()
    case .reply(let reply):
        let status = FrameStatus(
            code: reply.status.code, message: reply.status.message,
            details: reply.status.details.map { .init(typeURL: $0.typeURL, value: Array($0.value)) })
        return OutgoingReply(
            stream: form.stream, code: reply.code, message: reply.message,
            progress: UInt32(reply.progress.rawValue),
            status: reply.hasStatus ? status : nil, replayed: reply.replayed, body: Array(reply.body)
        ).bytes()
    case .cancel(let cancel): return OutgoingCancel(stream: form.stream, reason: cancel.reason).bytes()
    case .credit(let credit): return OutgoingCredit(stream: form.stream, messages: credit.messages).bytes()
    case .ping(let ping): return OutgoingPing(token: ping.token, acknowledge: ping.acknowledge).bytes()
    case .goAway(let goAway):
        return OutgoingGoAway(
            lastStream: goAway.lastStream, reason: GoAwayReason(rawValue: UInt32(goAway.reason.rawValue))!,
            message: goAway.message, graceMilliseconds: goAway.graceMilliseconds
        ).bytes()
    case nil: return nil
    }
}

func prefixed(_ payload: [UInt8], flags: UInt8 = 0) -> [UInt8] {
    let count = UInt32(payload.count)
    return [flags] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) } + payload
}

func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
}
