import CaseworkContract
import PaymentsContract
import PluginAPI

/// Tells each commissioner, once a run, whose net was below zero: nothing is paid and the shortfall is carried forward
/// (payments.md 5.3).
enum ShortfallNotices {
    /// More are counted and not named: the run's exceptions list them all.
    private static let mostNamed = 40

    static func publish(_ run: RunRecord, in transaction: any Transaction) throws {
        let all = try RunExceptionStore.shortfalls(of: run.id, transaction)
        let byCommissioner = Dictionary(grouping: all.filter { !$0.commissioner.isEmpty }, by: \.commissioner)
        for commissioner in byCommissioner.keys.sorted() {
            let shortfalls = byCommissioner[commissioner] ?? []
            var lines = shortfalls.prefix(mostNamed).map {
                "\($0.payee) \($0.name.prefix(60)): \(Money(pence: $0.pence)) pounds are carried forward."
            }
            if shortfalls.count > mostNamed { lines.append("And \(shortfalls.count - mostNamed) more.") }
            let key = "payments/run/\(run.id)/shortfall/\(commissioner)"
            try transaction.publish(
                Pcs_Casework_V1_MessagePosted.with {
                    $0.messageKey = key
                    $0.role = .commissionerApprover
                    $0.organisationCode = commissioner
                    $0.title = "Net below zero in the run of \(run.month)"
                    $0.body = lines.joined(separator: "\n")
                    $0.record = .with {
                        ($0.area, $0.kind, $0.recordID) = ("payments", "run", run.id)
                        $0.organisationCode = commissioner
                    }
                    $0.class = .ordinary
                }, key: key)
        }
    }
}
