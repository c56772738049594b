import PluginAPI

/// A practice's lists on a quarter day.
struct PatientLists: Hashable, Sendable {
    var registered: Int64
    /// Hundredths of a patient (RND-7).
    var weightedHundredths: Int64
    /// Patients living in Greater London.
    var london: Int64
    /// Recorded version of the load that brought them.
    var version: Int64

    /// Largest figure taken: far above any practice, and small enough for every product in the month's arithmetic.
    static let largest: Int64 = 1_000_000
}

/// All lists as known at one moment, by quarter.
struct ListTable: Sendable {
    private(set) var quarters: [Quarter: [ODSCode: PatientLists]] = [:]

    init() {}

    mutating func set(_ lists: PatientLists, of practice: ODSCode, in quarter: Quarter) {
        quarters[quarter, default: [:]][practice] = lists
    }

    func lists(in quarter: Quarter) -> [ODSCode: PatientLists] { quarters[quarter] ?? [:] }
}
