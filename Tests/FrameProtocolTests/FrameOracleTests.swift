import CClient
import CProtobufC
import FrameContract
import Foundation
import SwiftProtobuf
import Testing

@testable import FrameProtocol

@Suite("the codec and SwiftProtobuf agree")
struct FrameOracleTests {
    @Test("on every frame that SwiftProtobuf writes")
    func decodesWhatTheOracleWrites() throws {
        var random = SeededGenerator(1)
        for _ in 0..<4_000 {
            let frame = random.frame()
            let payload: [UInt8] = try frame.serializedBytes()
            #expect(ourDecode(payload) == frame)
        }
    }

    @Test("on every frame that we write, byte for byte")
    func writesWhatTheOracleWrites() throws {
        var random = SeededGenerator(2)
        for _ in 0..<4_000 {
            let frame = random.frame()
            let bytes = try #require(ourEncode(frame))
            let payload: [UInt8] = try frame.serializedBytes()
            #expect(bytes == prefixed(payload))
            #expect(oracleDecode(Array(bytes.dropFirst(FrameDecoder.prefixBytes))) == frame)
        }
    }

    @Test("on fields that are unknown, repeated or out of order")
    func toleratesFieldSoup() {
        var soup = FieldSoup(random: SeededGenerator(3), hostile: false)
        for _ in 0..<20_000 {
            let payload = soup.message("Frame")
            let theirs = oracleDecode(payload)
            #expect(theirs != nil)
            #expect(ourDecode(payload) == theirs, "\(hex(payload))")
        }
    }

    @Test("on wrong wire types, lying lengths, long varints, broken groups and text that is not UTF-8")
    func refusesWhatTheOracleRefuses() {
        var soup = FieldSoup(random: SeededGenerator(4), hostile: true)
        var refused = 0
        for _ in 0..<40_000 {
            let payload = soup.message("Frame")
            let theirs = oracleDecode(payload)
            if theirs == nil { refused += 1 }
            #expect(ourDecode(payload) == theirs, "\(hex(payload))")
        }
        #expect(refused > 1_000)
    }

    @Test("on every truncation of a frame")
    func truncations() throws {
        var random = SeededGenerator(5)
        for _ in 0..<200 {
            let payload: [UInt8] = try random.frame().serializedBytes()
            for cut in 0..<min(payload.count, 300) {
                let piece = Array(payload.prefix(cut))
                #expect(ourDecode(piece) == oracleDecode(piece), "\(hex(piece))")
            }
        }
    }

    @Test("on frames with bytes changed, put in and taken out")
    func mutations() throws {
        var random = SeededGenerator(6)
        for _ in 0..<600 {
            var frame = random.frame()
            while (try frame.serializedBytes() as [UInt8]).count > 2_000 { frame = random.frame() }
            let whole: [UInt8] = try frame.serializedBytes()
            for _ in 0..<50 {
                var payload = whole
                for _ in 0...random.below(3) {
                    let at = random.below(payload.count + 1)
                    switch random.below(3) {
                    case 0 where at < payload.count: payload[at] = UInt8(truncatingIfNeeded: random.next())
                    case 1: payload.insert(UInt8(truncatingIfNeeded: random.next()), at: at)
                    default: if at < payload.count { payload.remove(at: at) }
                    }
                }
                #expect(ourDecode(payload) == oracleDecode(payload), "\(hex(payload))")
            }
        }
    }

    @Test("on noise")
    func noise() {
        var random = SeededGenerator(7)
        for _ in 0..<20_000 {
            let payload = random.bytes(upTo: 40)
            #expect(ourDecode(payload) == oracleDecode(payload), "\(hex(payload))")
        }
    }

    @Test(
        "on how deep groups may nest, in the frame and in a message of it",
        arguments: [1, 98, 99, 100, 5_000])
    func groupDepth(depth: Int) {
        let group = Array(repeating: UInt8(0x53), count: depth) + Array(repeating: UInt8(0x54), count: depth)
        #expect(ourDecode(group) == oracleDecode(group))
        #expect((ourDecode(group) != nil) == (depth <= 99))
        guard depth < 1_000 else { return }
        let length = UInt8(truncatingIfNeeded: group.count)
        let inCall = [0x1A, length | 0x80, UInt8(group.count >> 7)] + group
        let payload = group.count < 128 ? [0x1A, length] + group : inCall
        #expect(ourDecode(payload) == oracleDecode(payload))
        #expect((ourDecode(payload) != nil) == (depth <= 98))
    }

    @Test("on all lead and trail bytes of UTF-8")
    func textValidation() {
        for lead in UInt8(0xBF)...UInt8.max {
            for second in stride(from: 0x70, through: 0xFF, by: 0x08) {
                for tail in [[], [0x80], [0x80, 0x80], [0x80, 0xC0], [0x41]] as [[UInt8]] {
                    let text = Array("acme corp".utf8) + [lead, UInt8(second)] + tail
                    let payload: [UInt8] = [0x32, UInt8(text.count + 2), 0x0A, UInt8(text.count)] + text
                    #expect(ourDecode(payload) == oracleDecode(payload), "\(hex(text))")
                }
            }
        }
    }
}

@Suite("the codec and protobuf-c agree")
struct ProtobufCOracleTests {
    /// Unpacks and packs with protobuf-c; `nil` when it refuses.
    private func roundTrip(_ payload: [UInt8]) -> [UInt8]? {
        guard let frame = pcs__frame__v1__frame__unpack(nil, payload.count, payload) else { return nil }
        defer { pcs__frame__v1__frame__free_unpacked(frame, nil) }
        var packed = [UInt8](repeating: 0, count: pcs__frame__v1__frame__get_packed_size(frame))
        let size = pcs__frame__v1__frame__pack(frame, &packed)
        #expect(size == packed.count)
        return packed
    }

    @Test("on every frame that we write: it reads all fields, and writes the same bytes")
    func readsOurs() throws {
        var random = SeededGenerator(8)
        for _ in 0..<4_000 {
            let frame = random.frame()
            let payload = try #require(ourEncode(frame)).dropFirst(FrameDecoder.prefixBytes)
            #expect(roundTrip(Array(payload)) == Array(payload))
        }
    }

    @Test("on unknown and repeated fields: we read what it read, and it kept what we do not know")
    func fieldSoup() {
        var soup = FieldSoup(random: SeededGenerator(9), hostile: false, forProtobufC: true)
        for _ in 0..<20_000 {
            let payload = soup.message("Frame")
            guard let packed = roundTrip(payload) else {
                Issue.record("protobuf-c refuses \(hex(payload))")
                continue
            }
            #expect(ourDecode(packed) == ourDecode(payload), "\(hex(payload))")
        }
    }

    @Test("that a frame cut anywhere never reads beyond its end")
    func truncations() throws {
        var random = SeededGenerator(10)
        for _ in 0..<100 {
            let payload: [UInt8] = try random.frame().serializedBytes()
            for cut in 0..<min(payload.count, 200) {
                let piece = Array(payload.prefix(cut))
                // protobuf-c checks no UTF-8: what we accept it accepts, not the other way round.
                if ourDecode(piece) != nil { #expect(roundTrip(piece) != nil, "\(hex(piece))") }
            }
        }
    }
}
