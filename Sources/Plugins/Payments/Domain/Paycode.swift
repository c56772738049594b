/// The paycodes that this slice of Payments produces (payments.md 5.4). The number is what stored statements and
/// ledgers hold: never reuse one. Descriptions and headings are reference data (`PaycodeBook`).
enum Paycode: UInt8, CaseIterable, Sendable {
    case globalSum = 1
    case london = 2
    case temporaryPatients = 3
    case outOfHours = 4
    case minorSurgery = 5
    case pmsBaseline = 6
    case apmsBaseline = 7
    /// Balance carried (positive) and brought (negative) forward, payments.md 5.3.
    case balanceForward = 8
    /// Correction factor (MPIG), payments.md 3.4.
    case correctionFactor = 9

    var code: String {
        switch self {
        case .globalSum: "GSUM"
        case .london: "GSLON"
        case .temporaryPatients: "GSTPA"
        case .outOfHours: "GSOOH"
        case .minorSurgery: "GSMIN"
        case .pmsBaseline: "PMSB"
        case .apmsBaseline: "APMSB"
        case .balanceForward: "BCFD"
        case .correctionFactor: "MPIG"
        }
    }

    init?(code: String) {
        guard let found = Paycode.allCases.first(where: { $0.code == code }) else { return nil }
        self = found
    }

    /// Lines that the official file reports under "Global Sum".
    static let globalSumFamily: [Paycode] = [
        .globalSum, .london, .temporaryPatients, .outOfHours, .minorSurgery,
    ]

    /// Whether a past month's amount can come out differently: everything that is calculated from contract, list and
    /// rates. A balance forward follows from the run itself.
    var isRecalculated: Bool { self != .balanceForward }
}

/// Descriptions of paycodes, as reference data.
struct PaycodeBook: Sendable {
    struct Entry: Hashable, Sendable {
        var code: String
        var description: String
        /// `+`, `-` or `+/-`.
        var sign: String
        /// Heading in the official yearly report.
        var heading: String
    }

    private let entries: [String: Entry]

    init(_ entries: [Entry]) {
        self.entries = Dictionary(entries.map { ($0.code, $0) }, uniquingKeysWith: { _, later in later })
    }

    func description(of paycode: Paycode) -> String { entries[paycode.code]?.description ?? paycode.code }
}
