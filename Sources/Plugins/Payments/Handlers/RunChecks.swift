import PluginAPI

/// Looks at a run as a whole once its lines are built: what is expected and absent, what does not agree (payments.md
/// 12.1 and 13).
protocol RunCheck: Sendable {
    /// - Parameter accounts: every amount of the run, by payee.
    func exceptions(_ built: BuiltRun, _ accounts: [RunLedger.Account]) throws(PaymentsError) -> [RunException]
    /// Keeps, with the calculation, what later steps of the run go by; nothing unless a check has something to keep.
    func keep(_ built: BuiltRun, of run: RunRecord, in transaction: any Transaction) throws
}

extension RunCheck {
    func keep(_ built: BuiltRun, of run: RunRecord, in transaction: any Transaction) throws {}
}

/// Reads what the checks of a run compare with. A new check adds one line here.
enum RunChecks {
    static func read(_ read: RunInputs, _ reader: any Reader) throws -> [any RunCheck] {
        [
            try NewBankDetails(read.run, reader),
            try LevyControl(read, reader),
            try TurnoverCheck(read, reader),
            try ExpectedTrainingGrants(read, reader),
            try ExpectedRetentionExpenses(read, reader),
            try ExpectedQuality(read, reader),
            MissingOpticalLevies(read),
            UnsetNetworkFigures(read),
            try CapacityImprovementMost(read, reader),
            try NewNetworkPayee(read, reader),
            try AmountsInBounds(read, reader),
            try ExpectedAdditionalRoles(read, reader),
            try EndedWithContract(read, reader),
            try ClosedContracts(read, reader),
            try RentChecks(read, reader),
            SignsAgree(read),
        ]
    }
}
