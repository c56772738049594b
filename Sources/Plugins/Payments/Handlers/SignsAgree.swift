import PluginAPI

/// Lines whose sign contradicts that of their paycode (payments.md 5.4). Differences and balances may have either; so
/// may what gives back: a recovery, a recall, a correction that names what it corrects.
struct SignsAgree: RunCheck {
    private let paycodes: PaycodeBook

    init(_ read: RunInputs) { paycodes = read.inputs.paycodes }

    func exceptions(_ built: BuiltRun, _ accounts: [RunLedger.Account]) throws(PaymentsError) -> [RunException] {
        var found: [RunException] = []
        let suspects = Set(
            accounts.lazy.filter { account in
                account.entries.contains { entry in
                    entry.source != .retro && entry.source != .balance && !paycodes.allows(entry.pence, on: entry.paycode)
                }
            }.map(\.practice))
        guard !suspects.isEmpty else { return [] }
        for statement in built.statements where suspects.contains(statement.practice) {
            let document = try StatementDocument.decode(statement.body)
            for line in document.lines where !line.givesBack && !paycodes.allows(line.pence, on: line.paycode) {
                found.append(
                    RunException(
                        severity: .blocking, kind: .signContradicted, practice: statement.practice,
                        practiceName: statement.practiceName, paycode: line.paycode.code,
                        message: "\(Money(pence: line.pence)) of \(line.sourceReference) stands on a paycode of sign "
                            + (paycodes.entry(line.paycode)?.sign ?? ""),
                        nowPence: line.pence))
            }
        }
        return found
    }
}

extension PaycodeBook {
    /// Whether an amount has the sign of its paycode; nothing, and a paycode that the book does not know, have any.
    func allows(_ pence: Int64, on paycode: Paycode) -> Bool {
        switch entry(paycode)?.sign {
        case "+": pence >= 0
        case "-": pence <= 0
        default: true
        }
    }
}

extension PaymentLine {
    /// A difference, a balance, or an amount that takes back, or gives back, one that stands elsewhere.
    fileprivate var givesBack: Bool {
        if source == .retro || source == .balance || paycode == .recovery { return true }
        if basis == "RECALLED" || origin.hasPrefix(PensionEvents.key("")) { return true }
        let notes = explanation.inputs.map(\.source.note)
        if origin.hasPrefix("variation/") {
            return pence < 0 && notes.contains { RecoveryGrounds(narrative: $0) != nil }
        }
        return notes.contains { $0.contains(QualityEvents.corrects) }
    }
}
