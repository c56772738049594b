import PluginAPI

/// Size of a network that a rate is paid on (payments.md 8.1).
enum NetworkBase: String, Sendable {
    case registered, adjusted, weighted, beds
}

/// One line of a network's month: an annual rate on each base, summed, a twelfth, rounded once (RND-3).
struct NetworkRule: Sendable {
    let paycode: Paycode
    let parts: [(rate: RateName, base: NetworkBase)]
    let rule: String

    /// All lines, in the order of the statement. A rate without a row for the month means that the item did not exist
    /// then; a row without a value, that it is not known.
    static let all: [NetworkRule] = [
        NetworkRule(
            paycode: .networkCore, parts: [(.networkCoreRegistered, .registered), (.networkCoreAdjusted, .adjusted)],
            rule: "8.1 core"),
        NetworkRule(
            paycode: .networkClinicalDirector, parts: [(.networkClinicalDirector, .registered)],
            rule: "8.1 clinical director"),
        NetworkRule(
            paycode: .networkLeadership, parts: [(.networkLeadership, .adjusted)],
            rule: "8.1 leadership and management"),
        NetworkRule(
            paycode: .networkExtendedHours, parts: [(.networkExtendedHours, .registered)],
            rule: "8.1 extended hours"),
        NetworkRule(
            paycode: .networkEnhancedAccess, parts: [(.networkEnhancedAccess, .adjusted)],
            rule: "8.1 enhanced access"),
        NetworkRule(
            paycode: .networkCapacitySupport,
            parts: [(.networkCapacitySupport, .adjusted), (.networkSupportWeighted, .weighted)],
            rule: "8.1 capacity and access support"),
        NetworkRule(
            paycode: .networkCareHomes, parts: [(.networkCareHomeBed, .beds)], rule: "8.1 care home premium"),
    ]
}

/// Sizes of a network as recorded.
struct NetworkSizes: Hashable, Sendable {
    var registered: Int64
    var adjustedHundredths: Int64
    var weightedHundredths: Int64
    /// Number of the input that brought them.
    var version: Int64
}

/// Beds from a month on.
struct NetworkBeds: Hashable, Sendable {
    var from: YearMonth
    var beds: Int64
    var version: Int64
}
