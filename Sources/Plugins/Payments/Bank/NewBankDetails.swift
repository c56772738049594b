import PluginAPI

/// Payees whose bank details a run would use for the first time: a person looks before money goes there (payments.md
/// 12.1).
struct NewBankDetails: RunCheck {
    private let unused: [ODSCode: BankDetailsStore.Change]

    init(_ run: RunRecord, _ reader: any Reader) throws {
        let days = try ReferenceStore.workingDays(knownAt: .max, reader)
        let book = try BankDetailsStore.inForce(on: try days.stepping(back: 2, from: run.cutOffOn), reader)
        guard !book.details.isEmpty else {
            unused = [:]
            return
        }
        let used = try PaymentFileStore.detailsUsed(reader)
        unused = book.details.filter { !used.contains($0.value.id) && book.frozen[$0.key] == nil }
    }

    func exceptions(_ built: BuiltRun, _ accounts: [RunLedger.Account]) -> [RunException] {
        guard !unused.isEmpty else { return [] }
        return built.statements.compactMap { statement in
            guard statement.figures.netPence > 0, let change = unused[statement.payee] else { return nil }
            return RunException(
                severity: .blocking, kind: .newBankDetails, practice: statement.practice,
                practiceName: statement.practiceName,
                message: "first payment to the account ending \(change.account.lastFour), authorised by "
                    + change.authorisedBy, nowPence: statement.figures.netPence)
        }
    }
}
