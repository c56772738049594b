import PluginAPI

/// Lines whose sign contradicts that of their paycode (payments.md 5.4). Differences and balances may have either; so
/// may what gives back: a recovery, a recall, a correction that names what it corrects.
struct SignsAgree: RunCheck {
    private let paycodes: PaycodeBook

    init(_ read: RunInputs) { paycodes = read.inputs.paycodes }

    func exceptions(_ built: BuiltRun, _ accounts: [RunLedger.Account]) throws(PaymentsError) -> [RunException] {
        built.againstSign.map { line in
            RunException(
                severity: .blocking, kind: .signContradicted, practice: line.practice, practiceName: line.practiceName,
                paycode: line.paycode.code,
                message: "\(Money(pence: line.pence)) of \(line.reference) stands on a paycode of sign "
                    + (paycodes.entry(line.paycode)?.sign ?? ""),
                nowPence: line.pence)
        }
    }
}

/// A line that contradicts the sign of its paycode.
struct AgainstSign: Hashable, Sendable {
    var practice: ODSCode
    var practiceName: String
    var paycode: Paycode
    var pence: Int64
    /// What the line comes from.
    var reference: String
}

extension StatementDocument {
    func against(signsOf paycodes: PaycodeBook) -> [AgainstSign] {
        lines.filter { !paycodes.allows($0.pence, on: $0.paycode) && !$0.givesBack }.map {
            AgainstSign(
                practice: practice, practiceName: practiceName, paycode: $0.paycode, pence: $0.pence,
                reference: $0.sourceReference)
        }
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
