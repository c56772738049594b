import PluginAPI

/// Why a calculation cannot be done. `Refusals.swift` turns each into a `Failure` for the caller.
enum PaymentsError: Error, Hashable, Sendable {
    case rateMissing(RateName, CalendarDate)
    /// A band or another figure of reference data that is not a rate.
    case figureMissing(String, CalendarDate)
    case amountOutOfRange(String)
    case calendarMissing(Int)
    /// Stored bytes are not what was written.
    case damaged(String)
}
