import PluginAPI

/// Points out each practice that a run pays on lists whose turnover index moved (complaint C6): its new-patient premium
/// may be missing. The lists were approved with that warning, so the run is not held up by it.
struct TurnoverCheck: RunCheck {
    private let warnings: [AllocationWarning]

    init(_ read: RunInputs, _ reader: any Reader) throws {
        let quarter = Quarter(containing: read.run.month)
        let lists = read.inputs.lists.lists(in: quarter)
        let versions = Set(lists.values.map(\.version))
        var found: [AllocationWarning] = []
        for version in versions.sorted() {
            guard let calculation = try AllocationStore.calculation(recordedAs: version, reader) else {
                continue
            }
            found += try AllocationStore.warnings(of: calculation.id, reader).filter {
                $0.rule == .movement && lists[$0.practice]?.version == version
            }
        }
        warnings = found
    }

    func exceptions(_ built: BuiltRun, _ accounts: [RunLedger.Account]) throws(PaymentsError)
        -> [RunException]
    {
        warnings.compactMap { warning in
            built.name(of: warning.practice).map { name in
                RunException(
                    severity: .warning, kind: .expectedMissing, practice: warning.practice,
                    practiceName: name,
                    paycode: Paycode.globalSum.code, message: warning.message)
            }
        }
    }
}
