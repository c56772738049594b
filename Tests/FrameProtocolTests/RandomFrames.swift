import FrameContract
import Foundation
import SwiftProtobuf

extension SeededGenerator {
    mutating func bytes(upTo most: Int) -> [UInt8] {
        (0..<below(most + 1)).map { _ in UInt8(truncatingIfNeeded: next()) }
    }

    /// Numbers of every length on the wire.
    mutating func number() -> UInt32 { UInt32(truncatingIfNeeded: next()) >> UInt32(below(32)) }

    mutating func text() -> String {
        let alphabet: [Character] = ["a", "Z", "7", "/", ".", "é", "ß", "–", "日", "🙂", " "]
        let length = [0, 0, 1, 7, 8, 9, 40, 127, 130][below(9)]
        let plain = chance(60)
        return String((0..<length).map { _ in alphabet[below(plain ? 5 : alphabet.count)] })
    }

    mutating func body() -> Data {
        Data(
            (0..<[0, 0, 1, 64, 127, 128, 300, 20_000][below(8)]).map { _ in UInt8(truncatingIfNeeded: next())
            })
    }

    /// A frame of any kind, every field set or left out by chance.
    mutating func frame() -> Pcs_Frame_V1_Frame {
        var frame = Pcs_Frame_V1_Frame()
        let kind = below(8)
        // Hello, Ping and GoAway are written on stream 0 only.
        if ![0, 6, 7].contains(kind) { frame.stream = number() }
        switch kind {
        case 0:
            frame.hello = Pcs_Frame_V1_Hello()
            if chance(80) { frame.hello.version = number() }
            if chance(50) { frame.hello.software = text() }
            frame.hello.maxFrameBytes = number()
            frame.hello.maxStreams = number()
            frame.hello.initialCredit = chance(50) ? 0 : number()
            frame.hello.keepaliveSeconds = number()
            if chance(50) { frame.hello.accessToken = text() }
            frame.hello.features = (0..<below(4)).map { _ in text() }
        case 1:
            frame.call = Pcs_Frame_V1_Call()
            frame.call.method = text()
            if chance(50) { frame.call.timeoutMilliseconds = number() }
            if chance(50) { frame.call.idempotencyKey = text() }
            if chance(50) { frame.call.actingFor = text() }
            if chance(50) { frame.call.accessToken = text() }
            if chance(50) { frame.call.personToken = text() }
            if chance(50) { frame.call.traceParent = text() }
            if chance(50) { frame.call.credit = number() }
            frame.call.more = chance(50)
            frame.call.body = body()
        case 2:
            frame.message = Pcs_Frame_V1_Message()
            frame.message.last = chance(50)
            frame.message.body = body()
        case 3: frame.reply = reply()
        case 4:
            frame.cancel = Pcs_Frame_V1_Cancel()
            frame.cancel.reason = text()
        case 5:
            frame.credit = Pcs_Frame_V1_Credit()
            frame.credit.messages = number()
        case 6:
            frame.ping = Pcs_Frame_V1_Ping()
            frame.ping.token = chance(20) ? 0 : next()
            frame.ping.acknowledge = chance(50)
        default:
            frame.goAway = Pcs_Frame_V1_GoAway()
            frame.goAway.lastStream = number()
            frame.goAway.reason = Pcs_Frame_V1_GoAwayReason(rawValue: below(7))!
            frame.goAway.message = text()
            frame.goAway.graceMilliseconds = number()
        }
        return frame
    }

    private mutating func reply() -> Pcs_Frame_V1_Reply {
        var reply = Pcs_Frame_V1_Reply()
        if chance(60) { reply.code = number() }
        if chance(50) { reply.message = text() }
        reply.progress = Pcs_Frame_V1_Progress(rawValue: below(4))!
        reply.replayed = chance(30)
        if chance(50) {
            reply.status = Pcs_Frame_V1_Status()
            reply.status.code = chance(80) ? Int32(below(17)) : -Int32(below(1000))
            reply.status.message = text()
            reply.status.details = (0..<below(4)).map { _ in
                var any = Google_Protobuf_Any()
                any.typeURL = text()
                any.value = body()
                return any
            }
        }
        reply.body = body()
        return reply
    }
}

/// What a message of frame.proto may hold: for writing fields in any order and number, right and wrong.
struct Shape {
    enum Content { case varint, fixed64, text, bytes, message(String) }
    let fields: [(number: UInt32, content: Content)]

    static let all: [String: Shape] = [
        "Frame": Shape(fields: [
            (1, .varint), (2, .message("Hello")), (3, .message("Call")), (4, .message("Message")),
            (5, .message("Reply")), (6, .message("Cancel")), (7, .message("Credit")), (8, .message("Ping")),
            (9, .message("GoAway")),
        ]),
        "Hello": Shape(fields: [
            (1, .varint), (2, .text), (3, .varint), (4, .varint), (5, .varint), (6, .varint), (7, .text),
            (8, .text),
        ]),
        "Call": Shape(fields: [
            (1, .text), (2, .varint), (3, .text), (4, .text), (5, .text), (6, .text), (7, .text),
            (8, .varint),
            (9, .varint), (15, .bytes),
        ]),
        "Message": Shape(fields: [(1, .varint), (15, .bytes)]),
        "Reply": Shape(fields: [
            (1, .varint), (2, .text), (3, .varint), (4, .message("Status")), (5, .varint), (15, .bytes),
        ]),
        "Status": Shape(fields: [(1, .varint), (2, .text), (3, .message("Any"))]),
        "Any": Shape(fields: [(1, .text), (2, .bytes)]),
        "Cancel": Shape(fields: [(1, .text)]),
        "Credit": Shape(fields: [(1, .varint)]),
        "Ping": Shape(fields: [(1, .fixed64), (2, .varint)]),
        "GoAway": Shape(fields: [(1, .varint), (2, .varint), (3, .text), (4, .varint)]),
    ]
}

/// Fields thrown together: repeated, out of order, unknown, and, when `hostile`, of wrong types or not
/// well-formed.
struct FieldSoup {
    var random: SeededGenerator
    let hostile: Bool
    /// protobuf-c neither merges repeated messages nor knows groups: leave both out for it.
    var forProtobufC = false

    mutating func message(_ name: String, depth: Int = 0) -> [UInt8] {
        guard let shape = Shape.all[name] else { return [] }
        var out: [UInt8] = []
        var used: Set<UInt32> = []
        for _ in 0..<random.below(depth == 0 ? 4 : 7) {
            if random.chance(25) {
                unknown(&out)
                continue
            }
            let field = shape.fields[random.below(shape.fields.count)]
            if hostile, random.chance(4) {
                // The right number with any wire type.
                raw(number: field.number, wire: UInt32(random.below(8)), &out)
                continue
            }
            if forProtobufC, case .message = field.content, name != "Status" {
                if name == "Frame" ? used.contains(where: { $0 > 1 }) : used.contains(field.number) {
                    continue
                }
            }
            used.insert(field.number)
            known(field.number, field.content, depth: depth, &out)
        }
        return out
    }

    private mutating func known(_ number: UInt32, _ content: Shape.Content, depth: Int, _ out: inout [UInt8])
    {
        switch content {
        case .varint: raw(number: number, wire: 0, &out)
        case .fixed64: raw(number: number, wire: 1, &out)
        case .bytes: raw(number: number, wire: 2, &out)
        case .text:
            var text = Array(random.text().utf8)
            if hostile, random.chance(5), !text.isEmpty {
                text[random.below(text.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            delimited(number, text, &out)
        case .message(let inner): delimited(number, message(inner, depth: depth + 1), &out)
        }
    }

    private mutating func unknown(_ out: inout [UInt8]) {
        let number = [10, 14, 16, 100, 2_047, 2_048, 300_000, 536_870_911][random.below(8)] as UInt32
        let wire = [0, 1, 2, 5, 3][random.below(forProtobufC ? 4 : 5)] as UInt32
        if wire == 3 { group(number, depth: 0, &out) } else { raw(number: number, wire: wire, &out) }
    }

    private mutating func group(_ number: UInt32, depth: Int, _ out: inout [UInt8]) {
        varint(UInt64(number << 3 | 3), &out)
        for _ in 0..<random.below(3) {
            if depth < 3, random.chance(30) {
                group(UInt32(random.below(40) + 1), depth: depth + 1, &out)
            } else {
                raw(number: UInt32(random.below(40) + 1), wire: [0, 1, 2, 5][random.below(4)], &out)
            }
        }
        if !hostile || random.chance(90) { varint(UInt64(number << 3 | 4), &out) }
    }

    private mutating func raw(number: UInt32, wire: UInt32, _ out: inout [UInt8]) {
        varint(UInt64(number << 3 | wire), &out)
        switch wire {
        case 0: varint(random.next() >> UInt64(random.below(64)), &out)
        case 1: for _ in 0..<8 { out.append(UInt8(truncatingIfNeeded: random.next())) }
        case 2: delimitedContent(random.bytes(upTo: 20), &out)
        case 5: for _ in 0..<4 { out.append(UInt8(truncatingIfNeeded: random.next())) }
        default: break
        }
    }

    private mutating func delimited(_ number: UInt32, _ content: [UInt8], _ out: inout [UInt8]) {
        varint(UInt64(number << 3 | 2), &out)
        delimitedContent(content, &out)
    }

    private mutating func delimitedContent(_ content: [UInt8], _ out: inout [UInt8]) {
        let lies = hostile && random.chance(2)
        varint(UInt64(lies ? content.count + random.below(5) : content.count), &out)
        out += content
    }

    private mutating func varint(_ value: UInt64, _ out: inout [UInt8]) {
        var rest = value
        var length = 1
        while rest >= 0x80 {
            out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
            length += 1
        }
        // Longer than needed is allowed.
        let padding = hostile && random.chance(3) ? random.below(11 - min(length, 10) + 1) : 0
        if padding == 0 { return out.append(UInt8(rest)) }
        out.append(UInt8(rest) | 0x80)
        for _ in 1..<padding { out.append(0x80) }
        out.append(0)
    }
}
