import FrameContract
import SwiftProtobuf
import Testing

@testable import FrameProtocol

@Suite("taking frames off received bytes")
struct FrameDecoderTests {
    private func next(_ bytes: [UInt8], limit: Int = 4 << 20) throws -> (frame: Frame?, position: Int) {
        var position = 0
        let frame = try bytes.withUnsafeBytes {
            try FrameDecoder.next(in: $0, at: &position, maximumFrameBytes: limit)
        }
        return (frame, position)
    }

    @Test("bytes may arrive cut anywhere, in pieces of any size", arguments: [1, 2, 3, 7, 64, 1_000])
    func pieces(size: Int) throws {
        var random = SeededGenerator(UInt64(size))
        let frames = (0..<60).map { _ in random.frame() }
        let stream = frames.flatMap { ourEncode($0) ?? [] }
        var received: [UInt8] = []
        var decoded: [Pcs_Frame_V1_Frame] = []
        for start in stride(from: 0, to: stream.count, by: size) {
            received += stream[start..<min(start + size, stream.count)]
            var position = 0
            try received.withUnsafeBytes { bytes in
                while let frame = try FrameDecoder.next(in: bytes, at: &position, maximumFrameBytes: 4 << 20)
                {
                    decoded.append(oracleForm(of: frame, in: bytes))
                }
                let missing = try FrameDecoder.missingBytes(
                    in: bytes, at: position, maximumFrameBytes: 4 << 20)
                #expect(missing > 0)
            }
            received.removeFirst(position)
        }
        #expect(decoded == frames)
        #expect(received.isEmpty)
    }

    @Test("an empty frame is a frame of no known kind")
    func empty() throws {
        let (frame, position) = try next([0, 0, 0, 0, 0])
        #expect(position == 5)
        guard case .unknown = try #require(frame).kind else {
            Issue.record("a kind was found")
            return
        }
    }

    @Test("a frame over the limit is refused by its prefix alone")
    func oversize() throws {
        #expect(throws: FrameViolation.oversize(announced: 0x40_0001, limit: 0x40_0000)) {
            try next([0, 0, 0x40, 0, 1])
        }
        #expect(try next([0, 0, 0x40, 0, 0]).frame == nil)
        #expect(throws: FrameViolation.oversize(announced: .max, limit: 100)) {
            try next([0, 255, 255, 255, 255], limit: 100)
        }
        #expect(FrameViolation.oversize(announced: 1, limit: 0).goAwayReason == .limitExceeded)
    }

    @Test("compressed frames and unknown flags are refused by the first byte")
    func flags() {
        #expect(throws: FrameViolation.compressed) { try next([1]) }
        #expect(throws: FrameViolation.flagsUnknown(0x47)) { try next(Array("GET / HTTP/1.1".utf8)) }
        #expect(throws: FrameViolation.flagsUnknown(0x16)) { try next([0x16, 3, 1, 2, 0]) }
        #expect(FrameViolation.compressed.goAwayReason == .protocolError)
    }

    @Test("bytes that are no protobuf are refused")
    func malformed() {
        #expect(throws: FrameViolation.malformed(.tagInvalid)) { try next(prefixed([0x07])) }
        #expect(throws: FrameViolation.malformed(.truncated)) { try next(prefixed([0x1A, 0x05, 0x0A])) }
    }

    @Test("the body is a range of the buffer, not a copy")
    func bodyRange() throws {
        let body = Array("the body".utf8)
        let earlier = OutgoingPing(token: 9).bytes()
        let bytes = earlier + OutgoingCall(stream: 1, method: "a.B/C", body: body).bytes()
        var position = earlier.count
        let frame = try bytes.withUnsafeBytes {
            try FrameDecoder.next(in: $0, at: &position, maximumFrameBytes: 100)
        }
        guard case .call(let call) = try #require(frame).kind else {
            Issue.record("not a call")
            return
        }
        #expect(call.body.offset == bytes.count - body.count)
        #expect(Array(bytes[call.body.offset...]) == body)
        #expect(position == bytes.count)
    }
}

@Suite("finding methods by their bytes")
struct MethodIndexTests {
    @Test("finds every name, and none that is not served")
    func lookup() {
        let names =
            (0..<500).map { "pcs.area\($0 % 7).v1.Service\($0 % 13)/Method\($0)" } + ["", "a", "abcdefgh"]
        let index = MethodIndex(names)
        for (position, name) in names.enumerated() {
            #expect(Array(name.utf8).withUnsafeBytes { index.position(of: $0) } == position)
        }
        for name in [
            "pcs.area0.v1.Service0/Method", "A", "abcdefgg", "abcdefghi", "pcs.area0.v1.Service0/Method0 ",
        ] {
            #expect(Array(name.utf8).withUnsafeBytes { index.position(of: $0) } == nil)
        }
        #expect(Array("x".utf8).withUnsafeBytes { MethodIndex([]).position(of: $0) } == nil)
    }
}
