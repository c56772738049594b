import PluginAPI

/// Looks at a run as a whole once its lines are built: what is expected and absent, what does not agree (payments.md
/// 12.1 and 13).
protocol RunCheck: Sendable {
    /// - Parameter accounts: every amount of the run, by payee.
    func exceptions(_ built: BuiltRun, _ accounts: [RunLedger.Account]) throws(PaymentsError) -> [RunException]
}

/// Reads what the checks of a run compare with. A new check adds one line here.
enum RunChecks {
    static func read(_ read: RunInputs, _ reader: any Reader) throws -> [any RunCheck] {
        [
            try NewBankDetails(read.run, reader),
            try LevyControl(read, reader),
            try TurnoverCheck(read, reader),
            try ExpectedTrainingGrants(read, reader),
            try ExpectedQuality(read, reader),
            try AmountsInBounds(read, reader),
            try RentChecks(read, reader),
            SignsAgree(read),
        ]
    }
}
