import PluginAPI

/// Reads every source of recurring lines for the months of a calculation. A new kind of recurring payment adds one line
/// here.
enum RecurringSources {
    /// - Parameters:
    ///   - months: the run's own month and the past ones that are looked at again.
    ///   - snapshot: number of the last input that counts.
    static func read(
        months: [YearMonth], knownAt snapshot: Int64, _ reader: any Reader
    ) throws -> [any RecurringLines] {
        []
    }
}

extension PayeeProfile {
    /// What the register says of a payee without a contract; `nil` when it does not know the code.
    init?(_ code: ODSCode, on day: CalendarDate, _ organisations: any OrganisationDirectory) {
        guard let entry = organisations.organisation(code, at: day) else { return nil }
        let kind: PayeeKind =
            switch entry.kind {
            case .practice, .otherPrescribingSetting: .practice
            case .pcn: .network
            case .pharmacy: .pharmacy
            default: .other
            }
        self.init(
            kind: kind, name: entry.name, commissioner: organisations.commissioner(of: code, at: day)?.value ?? "",
            region: organisations.region(of: code, at: day)?.value ?? "", payee: code)
    }
}
