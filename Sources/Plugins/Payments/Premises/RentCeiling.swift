import HostContract
import PaymentsContract
import PluginAPI

/// A claim for actual rent pays the lower of the bill and the market rent of its period, less what private use takes
/// off (payments.md 6.3). The market rent of a period follows the rule of contract lines: a twelfth of the year for each
/// month, days of a part month. Where none is known for some of its days, the bill is paid and the commissioner is told.
struct RentCeiling {
    let book: RentBook
    let rates: RateTable

    init(_ practice: ODSCode, _ rates: RateTable, _ reader: any Reader) throws {
        book = RentBook(try RentStore.determinations(of: practice, reader))
        self.rates = rates
    }

    /// Of a claim for actual rent.
    func part(of claim: ClaimStore.Claim) throws(PaymentsError) -> AssessedPart {
        var part = AssessedPart(
            from: claim.from, claimedPence: claim.claimedPence, ceilingPence: claim.claimedPence,
            payablePence: claim.claimedPence)
        let pieces = book.pieces(of: claim.practice, .market, from: claim.from, to: claim.to)
        let known = pieces.compactMap(\.determination)
        guard known.count == pieces.count, !known.isEmpty else { return part }
        do throws(ArithmeticError) {
            var market = Rational(0), paid = Rational(0)
            var reductions: [String] = []
            for (piece, determination) in zip(pieces, known) {
                let rent = try rent(determination, piece)
                let privateUse = PrivateUse(determination, rates, on: piece.from)
                market = try market.adding(rent)
                paid = try paid.adding(try privateUse.paid(of: rent))
                if privateUse.isReducing, let threshold = privateUse.threshold {
                    reductions.append(
                        "private use of \(privateUse.percent) % exceeds \(threshold.value.trimmed()) %")
                }
            }
            let bill = Money(pence: claim.claimedPence).pounds.rational
            let payable = bill > market ? paid : try bill.multiplied(by: paid).divided(by: market)
            part.payablePence = Swift.min(claim.claimedPence, try Rounding.toPence(payable).pence)
            guard part.payablePence < part.claimedPence else { return part }
            part.ceilingPence = part.payablePence
            var names: [String] = []
            var rules: [String] = []
            if bill > market {
                names.append("MARKET_RENT")
                let valued = known.map { "\($0.annual) a year by rent \($0.id)" }.joined(separator: ", ")
                rules.append(
                    "lower of the bill and the market rent of \(try Rounding.toPence(market)) for the period (\(valued))")
            }
            if !reductions.isEmpty {
                names.append("PRIVATE_USE")
                rules += Set(reductions).sorted()
            }
            part.reduction = names.joined(separator: ", ")
            part.rule = "6.3 actual rent: " + rules.joined(separator: "; ")
        } catch {
            throw .amountOutOfRange("the claim")
        }
        return part
    }

    private func rent(
        _ determination: RentDetermination, _ piece: RentBook.Piece
    ) throws(ArithmeticError) -> Rational {
        let annual = determination.annual.pounds.rational
        var sum = Rational(0)
        var month = YearMonth(containing: piece.from)
        while month.firstDay <= piece.to {
            let (first, last) = (Swift.max(piece.from, month.firstDay), Swift.min(piece.to, month.lastDay))
            let days = Int(last.daysSince1970 - first.daysSince1970) + 1
            sum = try sum.adding(try Share(days: days, of: month).month(of: annual))
            month = month.adding(months: 1)
        }
        return sum
    }

    /// What the commissioner should know before deciding on a claim for actual rent.
    func warnings(_ claim: ClaimStore.Claim) -> [String] {
        let notional = book.pieces(of: claim.practice, .notional, from: claim.from, to: claim.to)
        let warnings = notional.first { $0.determination != nil }.map { ["a notional rent is paid on \($0.from)"] } ?? []
        let pieces = book.pieces(of: claim.practice, .market, from: claim.from, to: claim.to)
        if let unknown = pieces.first(where: { $0.determination == nil }) {
            return warnings + ["no market rent is known for \(unknown.from): the rent is paid as billed"]
        }
        let uses = pieces.compactMap { piece in piece.determination.map { PrivateUse($0, rates, on: piece.from) } }
        let unset = Set(uses.filter { $0.hundredths > 0 && $0.threshold == nil })
        return warnings + unset.map { "private use of \($0.percent) %: \($0.note)" }.sorted()
    }
}

/// Cost rent is a legacy scheme (payments.md 6.3): closed to practices that had none before it was closed, and ended
/// where a notional rent has taken its place. A commissioner who pays it all the same says why.
enum CostRent {
    static func require(
        _ claim: ClaimStore.Claim, stated reason: String, _ reader: any Reader
    ) throws {
        guard claim.kind == .costRent, reason.isEmpty else { return }
        let book = RentBook(try RentStore.determinations(of: claim.practice, reader))
        let converted = book.pieces(of: claim.practice, .notional, from: claim.from, to: claim.to)
            .first { $0.determination != nil }
        if let converted {
            throw refusal("the practice's cost rent has become a notional rent, paid on \(converted.from)")
        }
        let rates = try ReferenceStore.rates(knownAt: .max, reader)
        let row = rates.row(.premisesCostRentClosed, at: claim.from)
        if row?.value?.scaled(to: 6) == 0 { return }
        // While the day of closing is not set, the practice must at least have had one before.
        let closed = row?.value == nil ? claim.from : row?.from ?? claim.from
        let had = try ClaimStore.claims(of: claim.practice, reader).contains {
            $0.id != claim.id && $0.kind == .costRent && $0.approvedPence > 0 && $0.from < closed
        }
        if !had { throw refusal("closed to new entrants, and \(claim.practice) had none before \(closed)") }
    }

    private static func refusal(_ why: String) -> Failure {
        let message = "payments.md 6.3 cost rent: \(why)."
        return Failure(
            PaymentsReasons.costRentClosed, message,
            violations: [Violation(field: "cost_rent_reason", rule: "payments.md 6.3", message: message)])
    }
}
