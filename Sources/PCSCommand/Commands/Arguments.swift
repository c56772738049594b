import Accounting
import ArgumentParser
import CommonContract
import SwiftProtobuf

/// A day, `YYYY-MM-DD`.
struct DayArgument: ExpressibleByArgument {
    let message: Pcs_Common_V1_Date

    init?(argument: String) {
        guard let day = CalendarDate(iso8601: argument) else { return nil }
        message = Pcs_Common_V1_Date(day)
    }
}

/// A month, `YYYY-MM`.
struct MonthArgument: ExpressibleByArgument {
    let message: Pcs_Common_V1_Month
    let text: String

    init?(argument: String) {
        guard let first = CalendarDate(iso8601: argument + "-01") else { return nil }
        message = Pcs_Common_V1_Month(containing: first)
        text = argument
    }
}

/// A value of an enum of the contract, in words joined by hyphens; `_`, spaces and capitals are taken too.
struct Choice<Value: SwiftProtobuf.Enum & CaseIterable & Sendable>: ExpressibleByArgument, Sendable {
    let value: Value

    init(_ value: Value) { self.value = value }

    init?(argument: String) {
        let wanted = Self.plain(argument)
        guard let match = Self.choices.first(where: { Self.plain(EnumWords.argument($0)) == wanted }) else {
            return nil
        }
        value = match
    }

    var defaultValueDescription: String { EnumWords.argument(value) }
    static var allValueStrings: [String] { choices.map { EnumWords.argument($0) } }

    private static var choices: [Value] { Value.allCases.filter { $0.rawValue != 0 } }
    private static func plain(_ text: String) -> String {
        text.lowercased().filter { $0.isLetter || $0.isNumber }
    }
}

/// An amount in pounds, `1234.56`; a pound sign and commas may be there.
struct PoundsArgument: ExpressibleByArgument {
    let pence: Int64

    init(pence: Int64) { self.pence = pence }

    init?(argument: String) {
        var text = argument.filter { $0 != "," }[...]
        let isNegative = text.hasPrefix("-")
        if isNegative { text = text.dropFirst() }
        if text.hasPrefix("£") { text = text.dropFirst() }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count),
            parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let pounds = Int64(parts[0])
        else { return nil }
        var pence: Int64 = 0
        if parts.count == 2 {
            guard parts[1].count == 2, let value = Int64(parts[1]) else { return nil }
            pence = value
        }
        let (scaled, overflow) = pounds.multipliedReportingOverflow(by: 100)
        guard !overflow, scaled <= Int64.max - pence else { return nil }
        self.pence = isNegative ? -(scaled + pence) : scaled + pence
    }
}
