import PluginAPI

/// The statement lines that come from a claim: what it pays, and what is recovered of it.
struct ClaimLine {
    let claim: ClaimStore.Claim
    let parts: [AssessedPart]
    let contract: ContractSpan

    private var contractID: String { contract.terms.contractID(of: claim.practice) }
    private var origin: String { "claim/\(claim.id)/\(claim.version)" }

    /// One line for the claim; its explanation lists every week with what was invoiced and what is payable.
    func line(paying pence: Int64, on paycode: ClaimPaycode) throws(ArithmeticError) -> PaymentLine {
        if let line = try cappedLine(paying: pence, on: paycode) { return line }
        let source = Explanation.Source("claim " + claim.id, version: claim.version)
        var inputs = parts.filter { $0.payablePence != 0 }.map { part in
            Explanation.Input(
                part.ceilingPence < part.claimedPence ? "ceiling" : "invoiced", Money(pence: part.payablePence).pounds,
                .pounds,
                from: .init(
                    source.record, version: source.version,
                    note: "claimed \(Money(pence: part.claimedPence))" + (part.rule.isEmpty ? "" : ", " + part.rule)),
                asOf: part.from)
        }
        let assessed = parts.reduce(Int64(0)) { $0 + $1.payablePence }
        if assessed != pence {
            inputs.append(
                .init(
                    "adjustment", try Money(pence: pence).subtracting(Money(pence: assessed)).pounds, .pounds,
                    from: .init("decision on claim " + claim.id, note: claim.reason), asOf: claim.from))
        }
        var steps: [Explanation.Step] = [.init("sum", .whole(0), .add, .input(0))]
        for index in inputs.indices.dropFirst() {
            steps.append(.init("sum", .step(steps.count - 1), .add, .input(index)))
        }
        steps.append(.init("amount", rounding: .step(steps.count - 1)))
        return PaymentLine(
            paycode: paycode.family, contractID: contractID, contractVersion: contract.version,
            periodFrom: claim.from, periodTo: claim.to, quantity: ExactDecimal(1), rate: Money(pence: pence).pounds,
            basis: paycode.code, pence: pence, source: .item,
            month: YearMonth(containing: claim.from),
            explanation: Explanation(
                rule: claim.kind.rule, ruleVersion: 1, inputs: inputs,
                steps: steps, rounding: "RND-2", amount: Money(pence: pence)),
            origin: origin)
    }

    /// Where one rate caps all parts: the quantity at that rate (C1).
    private func cappedLine(
        paying pence: Int64, on paycode: ClaimPaycode
    ) throws(ArithmeticError) -> PaymentLine? {
        guard let rate = parts.first?.cap?.rate, parts.allSatisfy({ $0.cap?.rate == rate }) else { return nil }
        var hundredths: Int64 = 0
        for part in parts { hundredths += part.cap?.quantity.scaled(to: 2) ?? 0 }
        let quantity = ExactDecimal(mantissa: hundredths, scale: 2)
        let pounds = try quantity.rational.multiplied(by: rate.value.rational)
        guard try Rounding.toPence(pounds).pence == pence else { return nil }
        return PaymentLine(
            paycode: paycode.family, contractID: contractID, contractVersion: contract.version,
            periodFrom: claim.from, periodTo: claim.to, quantity: quantity.trimmed(), rate: rate.value, basis: "HOURS",
            pence: pence, source: .item, month: YearMonth(containing: claim.from),
            explanation: Explanation(
                rule: claim.kind.rule, ruleVersion: 1,
                inputs: [
                    .init(
                        "hours", quantity, .count,
                        from: .init(
                            "claim " + claim.id, version: claim.version,
                            note: "claimed \(Money(pence: claim.claimedPence))"), asOf: claim.from),
                    rate.input("hourly_cap", .pounds),
                ],
                steps: [.init("capped", .input(0), .multiply, .input(1)), .init("amount", rounding: .step(0))],
                rounding: "RND-2", amount: Money(pence: pence)),
            origin: origin)
    }

    /// Equal months that add up to the penny (RND-6).
    func recovery(
        of pence: Int64, months: Int, from first: YearMonth, number: Int, reason: String
    ) throws(ArithmeticError) -> [PayableItem] {
        try RecoveryPlan(
            pence: pence, months: months, first: first, payee: claim.practice, contractID: contractID,
            contractVersion: contract.version, basis: "RECOVERY",
            source: .init("claim " + claim.id, version: claim.version, note: reason), asOf: claim.from,
            origin: "\(origin)/recovery/\(number)", naturalKey: "claim/\(claim.id)/recovery/\(number)"
        ).items()
    }
}
