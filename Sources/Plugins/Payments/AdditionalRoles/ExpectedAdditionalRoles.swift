import PluginAPI

/// Claims for additional roles that are approved and that the run does not pay: a claim that was approved after the
/// inputs were frozen waits for the next run, and people should know (payments.md 13).
struct ExpectedAdditionalRoles: RunCheck {
    private let waiting: [AdditionalRolesItems.Waiting]

    init(_ read: RunInputs, _ reader: any Reader) throws {
        waiting = try AdditionalRolesItems.waiting(for: read.run, reader)
    }

    func exceptions(_ built: BuiltRun, _ accounts: [RunLedger.Account]) -> [RunException] {
        guard !waiting.isEmpty else { return [] }
        let paid = Set(built.itemIDs)
        let missing = Dictionary(grouping: waiting.filter { !paid.contains($0.itemID) }) {
            Claimed(network: $0.network, month: $0.month)
        }
        return missing.sorted { ($0.key.network, $0.key.month) < ($1.key.network, $1.key.month) }.map {
            claimed, items in
            let pence = items.reduce(Int64(0)) { $0 + $1.pence }
            return RunException(
                severity: .warning, kind: .expectedMissing, practice: claimed.network,
                practiceName: built.name(of: claimed.network) ?? "", paycode: Paycode.networkAdditionalRoles.code,
                message:
                    "\(Money(pence: pence)) for additional roles in \(claimed.month) are approved and not in the run: "
                    + "the next one pays them", nowPence: pence)
        }
    }

    private struct Claimed: Hashable {
        var network: ODSCode
        var month: YearMonth
    }
}
