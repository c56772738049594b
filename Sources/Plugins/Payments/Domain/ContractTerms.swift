import PluginAPI

/// Kind of contract (payments.md 2.1). Numbers follow `pcs.payments.v1.ContractType` and are stored.
enum ContractKind: Int64, CaseIterable, Sendable {
    case gms = 1
    case pms = 2
    case apms = 3

    var name: String {
        switch self {
        case .gms: "GMS"
        case .pms: "PMS"
        case .apms: "APMS"
        }
    }

    init?(name: String) {
        guard let found = ContractKind.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }
}

/// Which patients attract the London adjustment. Numbers are stored.
enum LondonBasis: Int64, CaseIterable, Sendable {
    case none = 1
    case counted = 2
    case allRegistered = 3

    var name: String {
        switch self {
        case .none: "NONE"
        case .counted: "COUNTED"
        case .allRegistered: "ALL_REGISTERED"
        }
    }

    init?(name: String) {
        guard let found = LondonBasis.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }
}

/// How a PMS or APMS contract is priced (payments.md 4).
enum Baseline: Hashable, Sendable {
    case fixed(annualPence: Int64)
    case weighted(priceMicropounds: Int64)
    case raw(priceMicropounds: Int64)

    /// `FIXED`, `WEIGHTED`, `RAW`; the number is stored.
    var basis: (number: Int64, name: String) {
        switch self {
        case .fixed: (1, "FIXED")
        case .weighted: (2, "WEIGHTED")
        case .raw: (3, "RAW")
        }
    }
}

/// What a contract says that decides its payments. Two spans with the same payment terms are paid as one.
struct PaymentTerms: Hashable, Sendable {
    var kind: ContractKind
    var outOfHoursOptOut = false
    var minorSurgeryOptOut = false
    var temporaryPatientsPence: Int64 = 0
    /// Monthly correction factor of 2013/14 (payments.md 3.4).
    var correctionFactorPence: Int64 = 0
    var london = LondonBasis.none
    var baseline: Baseline?
    /// "Do not pay" (payments.md 12.3).
    var isStopped = false
}

/// What a contract says from one day to another.
struct ContractTerms: Hashable, Sendable {
    var payment: PaymentTerms
    var practiceName: String
    var commissioner: String
    var region: String
    /// Who is paid; the practice itself unless it says otherwise.
    var payee: ODSCode

    func contractID(of practice: ODSCode) -> String { practice.value + "-" + payment.kind.name }
}
