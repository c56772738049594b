import PluginAPI

/// The statement lines that come from a claim: what it pays, and what is recovered of it.
struct ClaimLine {
    let claim: ClaimStore.Claim
    let parts: [AssessedPart]
    let contract: ContractSpan

    private var contractID: String { contract.terms.contractID(of: claim.practice) }
    private var origin: String { "claim/\(claim.id)/\(claim.version)" }

    /// One line for the claim; its explanation lists every week with what was invoiced and what is payable.
    func line(paying pence: Int64) throws(ArithmeticError) -> PaymentLine {
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
            paycode: claim.kind.paycode, contractID: contractID, contractVersion: contract.version,
            periodFrom: claim.from, periodTo: claim.to, quantity: ExactDecimal(1), rate: Money(pence: pence).pounds,
            basis: claim.kind.displayedCode(contract.terms.payment.kind), pence: pence, source: .item,
            month: YearMonth(containing: claim.from),
            explanation: Explanation(
                rule: claim.kind.isLocumCover ? "6.4 locum cover" : "6.3 premises", ruleVersion: 1, inputs: inputs,
                steps: steps, rounding: "RND-2", amount: Money(pence: pence)),
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
