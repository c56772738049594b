import Accounting
package import CommonContract
package import SwiftProtobuf

/// How figures, days and names are written for people.
package enum Wording {
    /// `1,234,567`.
    package static func count(_ number: some BinaryInteger) -> String {
        let digits = String(number.magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return number < 0 ? "-" + text : text
    }

    /// `£1,234,567.89`, `-£0.05`.
    package static func pounds(_ pence: Int64) -> String {
        let magnitude = pence.magnitude
        let rest = magnitude % 100
        return "\(pence < 0 ? "-" : "")£\(count(magnitude / 100)).\(rest < 10 ? "0" : "")\(rest)"
    }

    /// A weighted population: `8,292.59`.
    package static func hundredths(_ number: Int64) -> String {
        (number < 0 ? "-" : "") + decimals(number.magnitude, 2)
    }

    /// A price: `£85.5500`, without zeros to spare beyond pence.
    package static func micropounds(_ number: Int64) -> String {
        var text = decimals(number.magnitude, 6)
        while text.hasSuffix("0"), let point = text.lastIndex(of: "."),
            text.distance(from: point, to: text.endIndex) > 3
        {
            text.removeLast()
        }
        return (number < 0 ? "-£" : "£") + text
    }

    /// `67.9 %` of parts in a whole.
    package static func percent(_ part: Int64, of whole: Int64) -> String {
        guard whole > 0 else { return "-" }
        let thousandths = (part * 10_000 / whole + 5) / 10
        return decimals(UInt64(max(0, thousandths)), 1) + " %"
    }

    /// A number of 10^-places: thousands separated, all decimals.
    package static func decimals(_ number: UInt64, _ places: Int) -> String {
        var unit: UInt64 = 1
        for _ in 0..<places { unit *= 10 }
        let fraction = String(number % unit)
        return count(number / unit) + "." + String(repeating: "0", count: places - fraction.count) + fraction
    }

    /// `12 kB`, `3.4 MB`.
    package static func bytes(_ number: some BinaryInteger) -> String {
        let value = UInt64(max(0, number))
        switch value {
        case ..<10_000: return count(value) + " B"
        case ..<10_000_000: return count(value / 1_000) + " kB"
        case ..<10_000_000_000: return decimals(value / 100_000, 1) + " MB"
        default: return decimals(value / 100_000_000, 1) + " GB"
        }
    }

    /// `0.42 s`, `12.3 s`, `3 min 20 s`, `35 ms`.
    package static func duration(milliseconds: Int64) -> String {
        switch milliseconds {
        case ..<1_000: return "\(max(0, milliseconds)) ms"
        case ..<10_000: return decimals(UInt64(milliseconds / 10), 2) + " s"
        case ..<120_000: return decimals(UInt64(milliseconds / 100), 1) + " s"
        default: return "\(milliseconds / 60_000) min \(milliseconds / 1_000 % 60) s"
        }
    }

    package static func duration(microseconds: Int64) -> String {
        microseconds < 10_000 ? "\(count(microseconds)) µs" : duration(milliseconds: microseconds / 1_000)
    }

    /// `2026-04-01 09:30:00Z`; empty when not set.
    package static func moment(_ time: Google_Protobuf_Timestamp, isSet: Bool) -> String {
        guard isSet, time.seconds != 0 else { return "" }
        let text = WellKnownTypes.timestampText(seconds: time.seconds, nanoseconds: 0)
        return text.replacing("T", with: " ")
    }

    /// `2019-04-01`; empty when not set.
    package static func day(_ date: Pcs_Common_V1_Date) -> String { date.calendarDate?.description ?? "" }

    /// `2019-04`; empty when not set.
    package static func month(_ month: Pcs_Common_V1_Month) -> String {
        guard let first = CalendarDate(year: Int(month.year), month: Int(month.month), day: 1) else {
            return ""
        }
        return String(first.description.prefix(7))
    }

    /// `1 practice`, `2 practices`.
    package static func plural(_ number: some BinaryInteger, _ one: String, _ many: String? = nil) -> String {
        "\(count(number)) \(number == 1 ? one : many ?? one + "s")"
    }
}
