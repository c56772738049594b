import PluginAPI

/// What kind of organisation a statement is for. Numbers are stored and follow `pcs.payments.v1.PayeeKind`.
enum PayeeKind: UInt8, CaseIterable, Sendable {
    case practice = 1
    case network = 2
    case pharmacy = 3
    case ophthalmicContractor = 4
    /// Local Medical, Optical or Pharmaceutical Committee.
    case localCommittee = 5
    case other = 6

    var name: String {
        switch self {
        case .practice: "PRACTICE"
        case .network: "PCN"
        case .pharmacy: "PHARMACY"
        case .ophthalmicContractor: "OPHTHALMIC"
        case .localCommittee: "LOCAL_COMMITTEE"
        case .other: "OTHER"
        }
    }
}

/// Head of a statement for somebody without a contract timeline: networks, pharmacies, opticians, committees.
struct PayeeProfile: Hashable, Sendable {
    var kind: PayeeKind
    var name: String
    /// ODS code of the commissioner; empty = none known.
    var commissioner: String
    var region: String
    /// Who receives the money; the organisation itself unless it names another (payments.md 8.2).
    var payee: ODSCode
}

/// Lines that are calculated anew for a month from what is recorded, like those of a contract: network payments,
/// network participation, levies by list. A past month that comes out differently makes a difference line by itself
/// (payments.md 12.2).
protocol RecurringLines: Sendable {
    /// Organisations that may have lines in the month.
    func payees(in month: YearMonth) -> Set<ODSCode>
    /// What is due to the payee for the month, each line with `source` `.recurring`.
    func lines(for payee: ODSCode, in month: YearMonth) throws(PaymentsError) -> [PaymentLine]
}
