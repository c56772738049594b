import Synchronization

/// Names for calls: fifteen characters, so that Swift keeps each in place without an allocation. Seven are
/// drawn at the start of the process, eight count.
package enum CorrelationID {
    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
    private static let processPart: UInt64 = .random(in: 0..<(1 << 35))
    private static let counter = Atomic<UInt64>(0)

    package static func next() -> String {
        let number = counter.add(1, ordering: .relaxed).newValue
        let process = processPart
        return String(unsafeUninitializedCapacity: 15) { bytes in
            alphabet.withUnsafeBufferPointer { letters in
                for place in 0..<7 { bytes[6 - place] = letters[Int(process >> UInt64(5 * place) & 31)] }
                for place in 0..<8 { bytes[14 - place] = letters[Int(number >> UInt64(5 * place) & 31)] }
            }
            return 15
        }
    }
}
