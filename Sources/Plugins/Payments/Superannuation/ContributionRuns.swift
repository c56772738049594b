import PaymentsContract
import PluginAPI

/// Tells pensions what an approved run deducts, practice by practice (payments.md 9.7).
enum ContributionRuns {
    private static let practices = Statement(
        """
        SELECT DISTINCT payee_code FROM payable_item JOIN payable_item_run
            ON payable_item_run.item_id = payable_item.item_id
        WHERE payable_item_run.run_id = ?1 AND payable_item.paycode IN (65, 66, 67) ORDER BY payee_code
        """)

    static func publish(_ run: RunRecord, in transaction: any Transaction) throws {
        for code in try transaction.all(practices, [.text(run.id)], { $0.text(0) }) {
            guard let practice = ODSCode(code),
                let stored = try refusing({
                    try StatementStore.statement(of: practice, in: run.id, transaction)
                })
            else { continue }
            let contributions = deducted(stored.document)
            guard !contributions.isEmpty else { continue }
            try transaction.publish(
                Pcs_Payments_V1_ContributionsDeducted.with {
                    ($0.runID, $0.practiceCode) = (run.id, practice.value)
                    $0.statementID = stored.document.statementID
                    $0.contributions = contributions
                }, key: practice.value)
        }
    }

    private static func deducted(_ document: StatementDocument) -> [Pcs_Payments_V1_DeductedContribution] {
        document.lines.enumerated().compactMap { index, line in
            guard line.source == .item,
                ContributionKind.allCases.contains(where: { $0.paycode == line.paycode }),
                let id = contributionID(line.origin)
            else { return nil }
            return .with {
                $0.contributionID = id
                $0.lineNumber = Int32(clamping: index + 1)
                $0.deductedPence = -line.pence
            }
        }
    }

    /// Of the origin of a line, `pensions/<id>` or `pensions/<id>/returned`.
    private static func contributionID(_ origin: String) -> String? {
        let prefix = PensionEvents.key("")
        guard origin.hasPrefix(prefix) else { return nil }
        let id = String(origin.dropFirst(prefix.count))
        let ending = PensionEvents.returnKey("").dropFirst(prefix.count)
        return id.hasSuffix(ending) ? String(id.dropLast(ending.count)) : id
    }
}
