import Accounting

/// Message types that JSON writes in a form of their own: `google.protobuf.Timestamp` and `Duration`, and, when
/// reading, the days and months of `pcs.common.v1`.
enum WellKnownTypes {
    // MARK: Reading

    /// `nil` when the type has no form of its own, or the JSON is an object of its fields.
    static func message(_ type: MessageType, from json: JSONValue, path: String) throws -> DynamicMessage? {
        guard case .string(let text) = json else { return nil }
        let numbers: [(String, DynamicValue)]?
        let form: String
        switch type.fullName {
        case "google.protobuf.Timestamp":
            numbers = timestamp(text).map {
                [("seconds", .signed($0.seconds)), ("nanos", .signed($0.nanoseconds))]
            }
            form = "a moment such as \"2026-04-01T09:30:00Z\""
        case "google.protobuf.Duration":
            numbers = duration(text).map {
                [("seconds", .signed($0.seconds)), ("nanos", .signed($0.nanoseconds))]
            }
            form = "a length of time in seconds such as \"1.5s\""
        case "pcs.common.v1.Date":
            numbers = CalendarDate(iso8601: text).map {
                [
                    ("year", .signed(Int64($0.year))), ("month", .signed(Int64($0.month))),
                    ("day", .signed(Int64($0.day))),
                ]
            }
            form = "a day such as \"2026-04-01\""
        case "pcs.common.v1.Month":
            numbers = CalendarDate(iso8601: text + "-01").map {
                [("year", .signed(Int64($0.year))), ("month", .signed(Int64($0.month)))]
            }
            form = "a month such as \"2026-04\""
        default: return nil
        }
        guard let numbers else { throw DynamicError(path: path, problem: "must be \(form), not \"\(text)\"") }
        var message = DynamicMessage(type)
        for (name, value) in numbers {
            if let field = type.field(named: name) { message.set(field, value) }
        }
        return message
    }

    /// RFC 3339 with any offset.
    private static func timestamp(_ text: String) -> (seconds: Int64, nanoseconds: Int64)? {
        guard text.utf8.count >= 20, let day = CalendarDate(iso8601: text.prefix(10)) else { return nil }
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count, bytes[range].allSatisfy({ (0x30...0x39).contains($0) })
            else { return nil }
            return bytes[range].reduce(0) { $0 * 10 + Int64($1 - 0x30) }
        }
        guard bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: "t"),
            bytes[13] == UInt8(ascii: ":"),
            bytes[16] == UInt8(ascii: ":"), let hour = number(11..<13), let minute = number(14..<16),
            let second = number(17..<19), hour < 24, minute < 60, second < 60
        else { return nil }
        var position = 19
        var nanoseconds: Int64 = 0
        if bytes[position] == UInt8(ascii: ".") {
            let digits = bytes[(position + 1)...].prefix { (0x30...0x39).contains($0) }
            guard (1...9).contains(digits.count) else { return nil }
            for place in 0..<9 {
                nanoseconds =
                    nanoseconds * 10 + (place < digits.count ? Int64(digits[position + 1 + place] - 0x30) : 0)
            }
            position += 1 + digits.count
        }
        guard let offset = offset(bytes.dropFirst(position)) else { return nil }
        let seconds = Int64(day.daysSince1970) * 86_400 + hour * 3_600 + minute * 60 + second - offset
        return (seconds, nanoseconds)
    }

    /// `Z` or `+01:00`, in seconds.
    private static func offset(_ rest: ArraySlice<UInt8>) -> Int64? {
        let bytes = Array(rest)
        if bytes == [UInt8(ascii: "Z")] || bytes == [UInt8(ascii: "z")] { return 0 }
        guard bytes.count == 6, bytes[3] == UInt8(ascii: ":"), "+-".utf8.contains(bytes[0]),
            let hours = Int64(String(decoding: bytes[1...2], as: UTF8.self)), hours < 24,
            let minutes = Int64(String(decoding: bytes[4...5], as: UTF8.self)), minutes < 60
        else { return nil }
        return (hours * 3_600 + minutes * 60) * (bytes[0] == UInt8(ascii: "-") ? -1 : 1)
    }

    private static func duration(_ text: String) -> (seconds: Int64, nanoseconds: Int64)? {
        guard text.hasSuffix("s") else { return nil }
        let parts = text.dropLast().split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let seconds = Int64(parts[0]) else { return nil }
        guard parts.count == 2 else { return (seconds, 0) }
        guard (1...9).contains(parts[1].count), parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let fraction = Int64(parts[1] + String(repeating: "0", count: 9 - parts[1].count))
        else { return nil }
        return (seconds, text.hasPrefix("-") ? -fraction : fraction)
    }

    // MARK: Writing

    /// `nil` when the type is written as an object of its fields.
    static func json(_ message: DynamicMessage) -> JSONValue? {
        func number(_ name: String) -> Int64 {
            guard let field = message.type.field(named: name),
                case .signed(let value) = message.value(of: field)
            else { return 0 }
            return value
        }
        switch message.type.fullName {
        case "google.protobuf.Timestamp":
            return .string(timestampText(seconds: number("seconds"), nanoseconds: number("nanos")))
        case "google.protobuf.Duration":
            let (seconds, nanoseconds) = (number("seconds"), number("nanos"))
            let sign = seconds < 0 || nanoseconds < 0 ? "-" : ""
            return .string("\(sign)\(seconds.magnitude)\(fraction(Int64(nanoseconds.magnitude)))s")
        default: return nil
        }
    }

    /// `2026-04-01T09:30:00Z`, with 3, 6 or 9 decimals when there are any.
    static func timestampText(seconds: Int64, nanoseconds: Int64) -> String {
        let days = (seconds >= 0 ? seconds : seconds - 86_399) / 86_400
        let ofDay = seconds - days * 86_400
        guard let day = Int32(exactly: days).map({ CalendarDate(daysSince1970: $0) }),
            (1...9999).contains(day.year)
        else {
            return "\(seconds)"
        }
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return
            "\(day)T\(two(ofDay / 3_600)):\(two(ofDay / 60 % 60)):\(two(ofDay % 60))\(fraction(nanoseconds))Z"
    }

    private static func fraction(_ nanoseconds: Int64) -> String {
        guard nanoseconds > 0 else { return "" }
        let digits = String(String(nanoseconds + 1_000_000_000).dropFirst())
        if digits.hasSuffix("000000") { return "." + digits.prefix(3) }
        if digits.hasSuffix("000") { return "." + digits.prefix(6) }
        return "." + digits
    }
}
