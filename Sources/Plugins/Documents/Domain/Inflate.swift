/// Deflate (RFC 1951), to learn how large an entry really is, and for small ones what it says. Stops at a bound: what a
/// file states of its own size is a claim.
struct Inflate {
    private let input: [UInt8]
    private var position: Int
    private let end: Int
    private var bits: UInt32 = 0
    private var bitCount: UInt32 = 0
    private let limit: Int64
    private let keeps: Bool
    private(set) var produced: Int64 = 0
    private(set) var output: [UInt8] = []

    /// - Parameters:
    ///   - limit: most bytes to unpack; more throws `expandsTooFar`.
    ///   - keeps: whether the bytes are wanted, or only their number.
    init(_ bytes: [UInt8], _ range: Range<Int>, limit: Int64, keeps: Bool) {
        input = bytes
        position = range.lowerBound
        end = range.upperBound
        self.limit = limit
        self.keeps = keeps
    }

    static let broken = ContentRefusal.damaged("packed bytes are broken")

    mutating func run() throws {
        var isLast = false
        while !isLast {
            isLast = try take(1) == 1
            switch try take(2) {
            case 0: try stored()
            case 1: try compressed(Inflate.fixedLengths, Inflate.fixedDistances)
            case 2:
                let (lengths, distances) = try dynamicCodes()
                try compressed(lengths, distances)
            default: throw Inflate.broken
            }
        }
    }

    private mutating func take(_ count: UInt32) throws -> Int {
        while bitCount < count {
            guard position < end else { throw Inflate.broken }
            bits |= UInt32(input[position]) << bitCount
            position += 1
            bitCount += 8
        }
        let value = bits & ((1 << count) - 1)
        bits >>= count
        bitCount -= count
        return Int(value)
    }

    private mutating func grow(by count: Int) throws {
        produced += Int64(count)
        guard produced <= limit else {
            throw ContentRefusal.expandsTooFar("an entry unpacks to more than it says")
        }
    }

    private mutating func stored() throws {
        bits = 0
        bitCount = 0
        guard position + 4 <= end else { throw Inflate.broken }
        let length = Int(input[position]) | Int(input[position + 1]) << 8
        let inverse = Int(input[position + 2]) | Int(input[position + 3]) << 8
        position += 4
        guard length == inverse ^ 0xFFFF, position + length <= end else { throw Inflate.broken }
        try grow(by: length)
        if keeps { output += input[position..<position + length] }
        position += length
    }

    /// Canonical codes: how many of each length, and their symbols in order.
    struct Codes {
        var counts: [Int]
        var symbols: [Int]

        init(_ lengths: ArraySlice<Int>) throws {
            counts = Array(repeating: 0, count: 16)
            for length in lengths { counts[length] += 1 }
            var left = 1
            for length in 1...15 {
                left = left * 2 - counts[length]
                guard left >= 0 else { throw Inflate.broken }
            }
            var offsets = Array(repeating: 0, count: 16)
            for length in 1..<15 { offsets[length + 1] = offsets[length] + counts[length] }
            symbols = Array(repeating: 0, count: lengths.count)
            for (symbol, length) in lengths.enumerated() where length > 0 {
                symbols[offsets[length]] = symbol
                offsets[length] += 1
            }
            counts[0] = 0
        }
    }

    private mutating func symbol(_ codes: Codes) throws -> Int {
        var code = 0
        var first = 0
        var index = 0
        for length in 1...15 {
            code |= try take(1)
            let count = codes.counts[length]
            if code - count < first { return codes.symbols[index + code - first] }
            index += count
            first = (first + count) << 1
            code <<= 1
        }
        throw Inflate.broken
    }

    private static let lengthBase = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163,
        195,
        227, 258,
    ]
    private static let lengthBits: [UInt32] = [
        0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
    ]
    private static let distanceBase = [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073,
        4097,
        6145, 8193, 12289, 16385, 24577,
    ]
    private static let distanceBits: [UInt32] = [
        0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
    ]

    private mutating func compressed(_ lengths: Codes, _ distances: Codes) throws {
        while true {
            let symbol = try symbol(lengths)
            if symbol == 256 { return }
            if symbol < 256 {
                try grow(by: 1)
                if keeps { output.append(UInt8(symbol)) }
                continue
            }
            guard symbol - 257 < Inflate.lengthBase.count else { throw Inflate.broken }
            let length = Inflate.lengthBase[symbol - 257] + (try take(Inflate.lengthBits[symbol - 257]))
            let code = try self.symbol(distances)
            guard code < Inflate.distanceBase.count else { throw Inflate.broken }
            let distance = Inflate.distanceBase[code] + (try take(Inflate.distanceBits[code]))
            guard Int64(distance) <= produced else { throw Inflate.broken }
            try grow(by: length)
            guard keeps else { continue }
            for _ in 0..<length { output.append(output[output.count - distance]) }
        }
    }

    private mutating func dynamicCodes() throws -> (Codes, Codes) {
        let lengthCount = try take(5) + 257
        let distanceCount = try take(5) + 1
        let codeCount = try take(4) + 4
        guard lengthCount <= 286, distanceCount <= 30 else { throw Inflate.broken }
        let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
        var lengths = Array(repeating: 0, count: 19)
        for index in 0..<codeCount { lengths[order[index]] = try take(3) }
        let codes = try Codes(lengths[...])
        lengths = []
        while lengths.count < lengthCount + distanceCount {
            let symbol = try symbol(codes)
            switch symbol {
            case 0...15: lengths.append(symbol)
            case 16:
                guard let last = lengths.last else { throw Inflate.broken }
                lengths += Array(repeating: last, count: 3 + (try take(2)))
            case 17: lengths += Array(repeating: 0, count: 3 + (try take(3)))
            default: lengths += Array(repeating: 0, count: 11 + (try take(7)))
            }
        }
        guard lengths.count == lengthCount + distanceCount, lengths[256] > 0 else { throw Inflate.broken }
        return (try Codes(lengths[..<lengthCount]), try Codes(lengths[lengthCount...].map { $0 }[...]))
    }

    private static let fixedLengths: Codes = known(
        Array(repeating: 8, count: 144) + Array(repeating: 9, count: 112) + Array(repeating: 7, count: 24)
            + Array(repeating: 8, count: 8))
    private static let fixedDistances: Codes = known(Array(repeating: 5, count: 30))

    private static func known(_ lengths: [Int]) -> Codes {
        do { return try Codes(lengths[...]) } catch {
            preconditionFailure("the fixed codes of RFC 1951 are codes")
        }
    }
}
