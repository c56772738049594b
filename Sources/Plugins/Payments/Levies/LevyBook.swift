import PluginAPI

/// Numbers are stored and follow `pcs.payments.v1.LevyKind`.
enum LevyKind: Int64, CaseIterable, Sendable {
    case statutory = 1
    case voluntary = 2
    /// Of Local Optical Committees, on sight-test fees (payments.md 10.2).
    case optical = 3

    var paycode: Paycode {
        switch self {
        case .statutory: .statutoryLevy
        case .voluntary: .voluntaryLevy
        case .optical: .opticalLevy
        }
    }

    var name: String {
        switch self {
        case .statutory: "statutory"
        case .voluntary: "voluntary"
        case .optical: "optical"
        }
    }

    var family: LevyFamily { self == .optical ? .optical : .medical }
}

/// Whose committee it is. Numbers are stored and follow `pcs.payments.v1.LevyFamily`.
enum LevyFamily: Int64, Sendable {
    /// Members are practices.
    case medical = 1
    /// Members are ophthalmic contractors.
    case optical = 2
}

/// Numbers are stored and follow `pcs.payments.v1.LevyRatePeriod`.
enum LevyRatePeriod: Int64, Sendable {
    case year = 1
    case quarter = 2
    /// Percent of each month's sight-test fees.
    case sightTestFees = 3

    var name: String {
        switch self {
        case .year: "YEAR"
        case .quarter: "QUARTER"
        case .sightTestFees: "SIGHT_TEST_FEES"
        }
    }
}

/// In which months a quarter's levy is deducted. Numbers are stored and follow `pcs.payments.v1.LevyCollection`.
enum LevyCollection: Int64, Sendable {
    case firstMonth = 1
    case secondMonth = 2
    case thirdMonth = 3
    case eachMonth = 4
}

/// A committee's record from a day on.
struct LevyCommittee: Hashable, Sendable {
    var code: ODSCode
    var name: String
    /// Who receives the money.
    var payee: ODSCode
    /// The commissioner deducts and pays over by itself: runs deduct nothing (payments.md 9.6).
    var isRunByCommissioner: Bool
    var collection: LevyCollection
    /// Sub ICB Location that authorises its instructions.
    var commissioner: ODSCode
    /// First day of a quarter.
    var from: CalendarDate
    var family = LevyFamily.medical

    /// Head of the committee's statement.
    func profile(_ day: CalendarDate, _ organisations: any OrganisationDirectory) -> PayeeProfile {
        PayeeProfile(
            kind: .localCommittee, name: name, commissioner: commissioner.value,
            region: organisations.region(of: commissioner, at: day)?.value ?? "", payee: payee)
    }
}

/// Pence a raw registered patient, or percent of sight-test fees, from a day on.
struct LevyRate: Hashable, Sendable {
    /// As the period says: pence, or percent.
    var pence: ExactDecimal
    var period: LevyRatePeriod
    /// First day of a quarter.
    var from: CalendarDate
    /// Recorded version.
    var version: Int64

    static let mostDecimals: UInt8 = 4

    var pounds: ExactDecimal { ExactDecimal(mantissa: pence.mantissa, scale: pence.scale + 2) }

    /// Pence a year, in millionths, to compare with the bounds.
    var annualMillionths: Int64 {
        let millionths = pence.scaled(to: 6) ?? .max
        return period == .year ? millionths : millionths * 4
    }
}

/// To which committee a practice belongs from a day on.
struct LevyMembership: Hashable, Sendable {
    /// `nil` = to none.
    var committee: ODSCode?
    var family = LevyFamily.medical
    /// PMS and APMS agreed to the statutory levy.
    var hasMandate: Bool
    /// Opted in to the voluntary levy.
    var isVoluntary: Bool
    /// First day of a quarter.
    var from: CalendarDate
}

/// Committees, rates and memberships as known at one moment. Each record holds until the next one's first day; of one
/// day the one recorded last.
struct LevyBook: Sendable {
    struct RateKey: Hashable, Sendable {
        var committee: ODSCode
        var kind: LevyKind
    }

    private(set) var committees: [ODSCode: [LevyCommittee]] = [:]
    private(set) var rates: [RateKey: [LevyRate]] = [:]
    /// Of practices.
    private(set) var memberships: [ODSCode: [LevyMembership]] = [:]
    /// Of ophthalmic contractors.
    private(set) var contractors: [ODSCode: [LevyMembership]] = [:]

    // Records are added in order of their first day, then of recording.

    mutating func add(_ committee: LevyCommittee) {
        if committees[committee.code]?.last?.from == committee.from {
            committees[committee.code]?.removeLast()
        }
        committees[committee.code, default: []].append(committee)
    }

    mutating func add(_ rate: LevyRate, _ key: RateKey) {
        if rates[key]?.last?.from == rate.from { rates[key]?.removeLast() }
        rates[key, default: []].append(rate)
    }

    mutating func add(_ membership: LevyMembership, of member: ODSCode) {
        switch membership.family {
        case .medical: LevyBook.add(membership, of: member, to: &memberships)
        case .optical: LevyBook.add(membership, of: member, to: &contractors)
        }
    }

    private static func add(
        _ membership: LevyMembership, of member: ODSCode, to table: inout [ODSCode: [LevyMembership]]
    ) {
        if table[member]?.last?.from == membership.from { table[member]?.removeLast() }
        table[member, default: []].append(membership)
    }

    func committee(_ code: ODSCode, at day: CalendarDate) -> LevyCommittee? {
        committees[code]?.last { $0.from <= day }
    }

    func rate(_ committee: ODSCode, _ kind: LevyKind, at day: CalendarDate) -> LevyRate? {
        rates[RateKey(committee: committee, kind: kind)]?.last { $0.from <= day }
    }

    func membership(_ practice: ODSCode, at day: CalendarDate) -> LevyMembership? {
        memberships[practice]?.last { $0.from <= day }
    }

    /// All as on a day.
    func committees(on day: CalendarDate) -> [ODSCode: LevyCommittee] {
        committees.compactMapValues { records in records.last { $0.from <= day } }
    }

    /// The committee to which a practice belongs in a quarter.
    func committee(of practice: ODSCode, in quarter: Quarter) -> ODSCode? {
        membership(practice, at: quarter.quarterDay)?.committee
    }

    /// The Local Optical Committee to which a contractor belongs in a quarter.
    func opticalCommittee(of contractor: ODSCode, in quarter: Quarter) -> ODSCode? {
        contractors[contractor]?.last { $0.from <= quarter.quarterDay }?.committee
    }
}
