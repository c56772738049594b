import PluginAPI
import Synchronization

/// Makes ULIDs: 48 bits of milliseconds and 80 random bits in 26 characters of Crockford's base 32. Those of
/// one millisecond count up from a random start, so that identifiers of one maker always rise.
final class IdentifierMaker: Sendable {
    private struct State {
        var millisecond: UInt64 = 0
        var high: UInt16 = 0
        var low: UInt64 = 0
    }

    private let state = Mutex(State())
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    func next(at now: Instant) -> String {
        let wanted = UInt64(max(0, now.microsecondsSince1970 / 1_000)) & 0xFFFF_FFFF_FFFF
        let value = state.withLock { state in
            // A clock that steps back does not make identifiers fall.
            if wanted > state.millisecond {
                state.millisecond = wanted
                state.high = UInt16.random(in: 0...0x7FFF)
                state.low = UInt64.random(in: 0...UInt64.max)
            } else {
                state.low &+= 1
                if state.low == 0 { state.high &+= 1 }
            }
            return state
        }
        return String(unsafeUninitializedCapacity: 26) { text in
            var number = UInt128(value.millisecond) << 80 | UInt128(value.high) << 64 | UInt128(value.low)
            for index in stride(from: 25, through: 0, by: -1) {
                text[index] = IdentifierMaker.alphabet[Int(truncatingIfNeeded: number & 31)]
                number >>= 5
            }
            return 26
        }
    }
}
