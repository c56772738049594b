import PluginAPI

/// Payees whose bank details a run would use for the first time: a person looks before money goes there (payments.md
/// 12.1). What was looked at is kept with the calculation, and the file pays to nothing else that is new.
struct NewBankDetails: RunCheck {
    private let unused: [ODSCode: BankDetailsStore.Change]

    init(_ run: RunRecord, _ reader: any Reader) throws {
        let book = try BankDetailsStore.inForce(
            by: try BankCalendar(reader).lastDayForDetails(of: run), reader)
        guard !book.details.isEmpty else {
            unused = [:]
            return
        }
        let used = try PaymentFileStore.detailsUsed(reader)
        unused = book.details.filter { !used.contains($0.value.id) && book.frozen[$0.key] == nil }
    }

    private func change(paying statement: BuiltStatement) -> BankDetailsStore.Change? {
        statement.figures.netPence > 0 ? unused[statement.payee] : nil
    }

    func exceptions(_ built: BuiltRun, _ accounts: [RunLedger.Account]) -> [RunException] {
        guard !unused.isEmpty else { return [] }
        return built.statements.compactMap { statement in
            guard let change = change(paying: statement) else { return nil }
            return RunException(
                severity: .blocking, kind: .newBankDetails, practice: statement.practice,
                practiceName: statement.practiceName,
                message: "first payment to the account ending \(change.account.lastFour), authorised by "
                    + change.authorisedBy, nowPence: statement.figures.netPence)
        }
    }

    func keep(_ built: BuiltRun, of run: RunRecord, in transaction: any Transaction) throws {
        guard !unused.isEmpty else { return }
        try BankDetailsStore.look(
            at: Set(built.statements.compactMap { change(paying: $0)?.id }).sorted(), in: run, transaction)
    }
}
