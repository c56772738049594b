import PluginAPI

/// A week, hours or a month of a claim as approved, less what was recovered of it. It counts against the ceiling of the
/// same days in other claims, and weeks of sickness against the tiers (payments.md 6.4, 6.5).
struct ApprovedPart: Hashable, Sendable {
    /// Numbers are stored.
    enum Span: Int64, Sendable {
        case week = 1
        /// Extra hours from a day on.
        case hours = 2
        case month = 3
    }

    var claimID: String
    var kind: ClaimKind
    var span = Span.week
    var from: CalendarDate
    /// Of a week 1 to 7.
    var days = 7
    /// Of cover: first day of the absence.
    var absentFrom: CalendarDate
    /// Above nothing.
    var pence: Int64

    /// What is approved in all, divided among the parts in the proportion of what is payable (RND-6).
    static func divided(_ parts: [AssessedPart], approved: Int64) throws(ArithmeticError) -> [Int64] {
        let payable = parts.reduce(Int64(0)) { $0 + $1.payablePence }
        guard payable > 0 else { return parts.map { _ in 0 } }
        var (sum, given) = (Int64(0), Int64(0))
        var shares: [Int64] = []
        for part in parts {
            sum += part.payablePence
            let upToHere = try Rounding.quotient(Int128(approved) * Int128(sum), Int128(payable))
            shares.append(upToHere - given)
            given = upToHere
        }
        return shares
    }
}

/// What other claims have of a ceiling.
struct TakenCeiling: Hashable, Sendable {
    var pence: Int64 = 0
    var claims: Set<String> = []

    /// For the rule of the part that is left less.
    var words: String {
        "of which \(Money(pence: pence)) is approved in claim " + claims.sorted().joined(separator: ", ")
    }
}
