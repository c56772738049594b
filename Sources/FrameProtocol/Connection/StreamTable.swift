/// One open stream, seen from one side. `outward` is what we send, `inward` what the peer sends.
struct StreamState: Sendable {
    /// Messages that we may still send.
    var outwardCredit: UInt32
    /// Messages that the peer may still send.
    var inwardCredit: UInt32
    /// Credit that the peer began with; it is filled up again when half of it has been used.
    var window: UInt32
    /// Messages handled since credit was last given.
    var handled: UInt32 = 0
    /// The peer may send further messages.
    var inwardOpen: Bool
    /// We may send further messages.
    var outwardOpen: Bool
    /// Nobody waits for the outcome any more (client: cancelled).
    var abandoned = false

    /// Counts a handled message; returns the credit to give now, or 0.
    mutating func messageHandled() -> UInt32 {
        handled += 1
        guard inwardOpen, handled >= max(1, window / 2) else { return 0 }
        let grant = handled
        handled = 0
        inwardCredit = inwardCredit.addingSaturated(grant)
        return grant
    }
}

extension UInt32 {
    func addingSaturated(_ other: UInt32) -> UInt32 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}

/// Open streams by number. Numbers rise by two, so a table indexed by half the number with linear probing
/// finds each at once. Grows with use: an idle connection holds eight slots.
struct StreamTable: Sendable {
    private var keys: [UInt32]
    private var states: [StreamState]
    private(set) var count = 0

    private static let vacant = StreamState(
        outwardCredit: 0, inwardCredit: 0, window: 0, inwardOpen: false, outwardOpen: false)

    init() {
        keys = Array(repeating: 0, count: 8)
        states = Array(repeating: Self.vacant, count: 8)
    }

    private var mask: Int { keys.count - 1 }

    @inline(__always)
    private func home(_ stream: UInt32) -> Int { Int(stream >> 1) & mask }

    /// Place of an open stream; stays valid until the table changes.
    @inline(__always)
    func place(of stream: UInt32) -> Int? {
        var place = home(stream)
        while keys[place] != 0 {
            if keys[place] == stream { return place }
            place = (place + 1) & mask
        }
        return nil
    }

    subscript(place: Int) -> StreamState {
        get { states[place] }
        _modify { yield &states[place] }
    }

    mutating func insert(_ stream: UInt32, _ state: StreamState) {
        if count * 2 >= keys.count { grow() }
        var place = home(stream)
        while keys[place] != 0 { place = (place + 1) & mask }
        keys[place] = stream
        states[place] = state
        count += 1
    }

    mutating func remove(at place: Int) {
        count -= 1
        // Move back those that were pushed on from an earlier home, so that no search meets a hole.
        var hole = place
        var next = (hole + 1) & mask
        while keys[next] != 0 {
            let distance = (next - home(keys[next])) & mask
            if distance >= (next - hole) & mask {
                keys[hole] = keys[next]
                states[hole] = states[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        keys[hole] = 0
    }

    mutating func removeAll() { self = StreamTable() }

    /// Open streams in rising order.
    var streams: [UInt32] { keys.filter { $0 != 0 }.sorted() }

    private mutating func grow() {
        let (oldKeys, oldStates) = (keys, states)
        keys = Array(repeating: 0, count: oldKeys.count * 2)
        states = Array(repeating: Self.vacant, count: oldKeys.count * 2)
        count = 0
        for (index, key) in oldKeys.enumerated() where key != 0 { insert(key, oldStates[index]) }
    }
}
