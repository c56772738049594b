import Synchronization

/// Counts of one method and how long its handler takes, kept without locks: one addition a call for each
/// figure.
///
/// Times fall into buckets of a quarter octave from 0.25 µs to about 18 minutes, so a percentile read from
/// here is at most 19 % too high.
package final class MethodCounters: Sendable {
    private static let bucketCount = 128
    private let calls = Atomic<Int>(0)
    private let failed = Atomic<Int>(0)
    private let refused = Atomic<Int>(0)
    // Atomics cannot live in an Array; the block is made once and freed with the counters.
    private nonisolated(unsafe) let buckets: UnsafeMutablePointer<Atomic<Int>>

    package init() {
        buckets = .allocate(capacity: Self.bucketCount)
        for index in 0..<Self.bucketCount { (buckets + index).initialize(to: Atomic<Int>(0)) }
    }

    deinit {
        buckets.deinitialize(count: Self.bucketCount)
        buckets.deallocate()
    }

    /// A handler ran and ended.
    func handled(nanoseconds: UInt64, failed didFail: Bool) {
        calls.add(1, ordering: .relaxed)
        if didFail { failed.add(1, ordering: .relaxed) }
        buckets[Self.bucket(of: nanoseconds)].add(1, ordering: .relaxed)
    }

    /// A gate before the handler refused.
    func refusedAtGate() {
        calls.add(1, ordering: .relaxed)
        refused.add(1, ordering: .relaxed)
    }

    package var callsTotal: Int { calls.load(ordering: .relaxed) }
    /// Calls that did not end well, at a gate or in the handler.
    package var failuresTotal: Int { failed.load(ordering: .relaxed) + refused.load(ordering: .relaxed) }
    package var refusalsTotal: Int { refused.load(ordering: .relaxed) }

    /// Upper bound of the time within which this share of the handlers ended, in microseconds; 0 before the
    /// first.
    package func microseconds(percentile: Double) -> Int64 {
        let counts = (0..<Self.bucketCount).map { buckets[$0].load(ordering: .relaxed) }
        let total = counts.reduce(0, +)
        guard total > 0 else { return 0 }
        let wanted = max(1, Int((Double(total) * percentile).rounded(.up)))
        var seen = 0
        for (index, count) in counts.enumerated() {
            seen += count
            if seen >= wanted { return max(1, Int64(Self.upperBound(of: index) / 1000)) }
        }
        return Int64(Self.upperBound(of: Self.bucketCount - 1) / 1000)
    }

    private static func bucket(of nanoseconds: UInt64) -> Int {
        let value = max(4, nanoseconds >> 6)
        let octave = 63 - value.leadingZeroBitCount
        let quarter = Int(truncatingIfNeeded: (value >> (octave - 2)) & 3)
        return min((octave - 2) * 4 + quarter, bucketCount - 1)
    }

    private static func upperBound(of bucket: Int) -> UInt64 {
        let octave = bucket / 4 + 2
        return (UInt64(5 + bucket % 4) << (octave - 2)) << 6
    }
}
