import PluginAPI

/// What a rent is worth from a day on, as somebody valued it (payments.md 6.3). Numbers are stored and follow
/// `pcs.payments.v1`.
struct RentDetermination: Hashable, Sendable {
    enum Kind: Int64, CaseIterable, Sendable {
        /// Paid each month by itself.
        case notional = 1
        /// Ceiling of claims for actual rent.
        case market = 2

        var name: String { self == .notional ? "notional rent" : "market rent" }

        var paycode: Paycode { self == .notional ? .notionalRent : .actualRent }
    }

    enum Valuer: Int64, Sendable {
        case districtValuer = 1
        case appointedSurveyor = 2

        var name: String { self == .districtValuer ? "District Valuer" : "appointed surveyor" }
    }

    enum State: Int64, Sendable {
        case proposed = 1
        case approved = 2
        case returned = 3

        var name: String {
            switch self {
            case .proposed: "proposed"
            case .approved: "approved"
            case .returned: "returned"
            }
        }
    }

    /// Who valued it, and when the practice agreed. A rent that ends has none.
    struct Valuation: Hashable, Sendable {
        var valuer: Valuer
        var valuerName: String
        var on: CalendarDate
        var acceptedOn: CalendarDate?
        /// Why an acceptance after its time is taken.
        var lateReason = ""
    }

    var id: String
    var practice: ODSCode
    var kind: Kind
    /// A year; 0 = the rent ends.
    var annualPence: Int64
    var valuation: Valuation?
    var from: CalendarDate
    /// Hundredths of a percent.
    var privateUseHundredths: Int64 = 0
    var documents: [String] = []
    var reason: String
    var state = State.proposed
    var proposedBy: String
    var proposedAt: Instant
    var decidedBy = ""
    var decidedAt: Instant?
    var decisionReason = ""
    /// Input number from which it is known; 0 = not approved.
    var version: Int64 = 0

    var annual: Money { Money(pence: annualPence) }

    /// For explanations and rules.
    var source: Explanation.Source {
        let valued = valuation.map { ", \($0.valuer.name) \($0.valuerName) on \($0.on)" } ?? ""
        return .init("rent " + id, version: version, note: kind.name + valued)
    }

    /// The day by which it is to be looked at again.
    func reviewDue(months: Int64) -> CalendarDate? {
        valuation.map { ClaimDeadline.adding(months: Int(months), to: $0.on) }
    }
}

/// Approved determinations as known at one moment: on a day that one holds which begins last before it; of two that
/// begin on one day, the one recorded last.
struct RentBook: Sendable {
    private struct Key: Hashable {
        var practice: ODSCode
        var kind: RentDetermination.Kind
    }

    /// By first day and recording.
    private let known: [Key: [RentDetermination]]

    init(_ determinations: [RentDetermination]) {
        known = Dictionary(grouping: determinations) { Key(practice: $0.practice, kind: $0.kind) }
            .mapValues { $0.sorted { ($0.from, $0.version) < ($1.from, $1.version) } }
    }

    var isEmpty: Bool { known.isEmpty }

    var practices: Set<ODSCode> { Set(known.keys.map(\.practice)) }

    func of(_ practice: ODSCode, _ kind: RentDetermination.Kind) -> [RentDetermination] {
        known[Key(practice: practice, kind: kind)] ?? []
    }

    /// `nil` = none, or the rent has ended.
    func determination(
        of practice: ODSCode, _ kind: RentDetermination.Kind, on day: CalendarDate
    ) -> RentDetermination? {
        guard let last = of(practice, kind).last(where: { $0.from <= day }), last.annualPence > 0 else {
            return nil
        }
        return last
    }

    /// First day on which another one takes its place.
    func end(of determination: RentDetermination) -> CalendarDate? {
        let all = of(determination.practice, determination.kind)
        guard let index = all.firstIndex(where: { $0.id == determination.id }) else { return nil }
        return all[(index + 1)...].first?.from
    }

    struct Piece: Hashable, Sendable {
        /// `nil` = no rent is known.
        var determination: RentDetermination?
        var from: CalendarDate
        /// Last day.
        var to: CalendarDate
    }

    /// The days from `from` to `to`, by what holds on them.
    func pieces(
        of practice: ODSCode, _ kind: RentDetermination.Kind, from: CalendarDate, to: CalendarDate
    ) -> [Piece] {
        guard from <= to else { return [] }
        let changes = of(practice, kind).map(\.from).filter { $0 > from && $0 <= to }
        let starts = [from] + Set(changes).sorted()
        return starts.enumerated().map { index, start in
            Piece(
                determination: determination(of: practice, kind, on: start), from: start,
                to: index + 1 < starts.count ? starts[index + 1].adding(days: -1) : to)
        }
    }
}

/// What private use of the premises takes off (payments.md 6.3, private income abatement): its whole share, where it is
/// more than the threshold. The threshold is a parameter; while it is not set, nothing is taken off.
struct PrivateUse: Hashable, Sendable {
    let hundredths: Int64
    let threshold: Rate?

    init(_ determination: RentDetermination, _ rates: RateTable, on day: CalendarDate) {
        hundredths = determination.privateUseHundredths
        threshold = try? rates.rate(.premisesPrivateUsePercent, at: day)
    }

    var isReducing: Bool { threshold.map { hundredths * 10_000 > $0.millionths } ?? false }

    var percent: ExactDecimal { ExactDecimal(mantissa: hundredths, scale: 2).trimmed() }

    /// Percent that is paid.
    var paidPercent: ExactDecimal {
        isReducing ? ExactDecimal(mantissa: 10_000 - hundredths, scale: 2).trimmed() : ExactDecimal(100)
    }

    /// For the explanation.
    var note: String {
        if threshold == nil { return "no threshold is set: nothing is taken off" }
        return isReducing ? "above the threshold" : "not above the threshold: nothing is taken off"
    }

    func paid(of amount: Rational) throws(ArithmeticError) -> Rational {
        guard isReducing else { return amount }
        return try amount.multiplied(by: paidPercent.rational).divided(by: Rational(100))
    }
}
