import PluginAPI
import SwiftProtobuf

extension Google_Protobuf_Timestamp {
    /// The moment as messages carry it.
    init(_ instant: Instant) {
        let microseconds = instant.microsecondsSince1970
        // Rounded down, so that the nanoseconds are never negative.
        let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        self.init()
        seconds = remainder < 0 ? quotient - 1 : quotient
        nanos = Int32((remainder < 0 ? remainder + 1_000_000 : remainder) * 1_000)
    }
}
