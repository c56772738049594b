/// An organisation acted for and the one that the request names.
struct Pair: Hashable, CustomStringConvertible {
    let acting: String
    /// `nil` = the request has no organisation at all.
    let named: String?

    var description: String { "\(acting)>\(named ?? "nothing")" }

    /// From `"02Q>C84101"`.
    init(_ text: String) {
        let parts = text.split(separator: ">", omittingEmptySubsequences: false).map(String.init)
        acting = parts[0]
        named = parts[1] == "nothing" ? nil : parts[1]
    }
}

/// What a caller brings to prove themselves.
enum Proof: CaseIterable {
    case session, agedSession, expiredSession, revokedSession, disabledAccount, withoutSecondFactor
    case sessionWithoutOrganisation, signedAssertion
    case clientWithScope, clientWithoutScope, disabledClient
    case personThroughSystem, personThroughSystemWithoutScope, personThroughDisabledSystem
    case nobody

    /// Nothing is proved, or not enough of it.
    var isVoid: Bool {
        switch self {
        case .expiredSession, .revokedSession, .disabledAccount, .withoutSecondFactor, .disabledClient,
            .personThroughDisabledSystem, .nobody:
            true
        default: false
        }
    }

    var isClient: Bool { [.clientWithScope, .clientWithoutScope, .disabledClient].contains(self) }
    /// No person proved themselves within the last five minutes.
    var isStale: Bool { isClient || self == .agedSession }
    var lacksScope: Bool { self == .clientWithoutScope || self == .personThroughSystemWithoutScope }
}

/// Who may, by the words of the document and a map of England written out by hand. Nothing here asks the
/// code.
struct Oracle {
    /// Pairs that have a relation, for organisations that are open.
    let holds: [PrintedMatrix.Relation: Set<String>]
    /// Further pairs, for reading the past of a practice that closed within the last ninety days.
    let holdsForReading: [PrintedMatrix.Relation: Set<String>]
    let national: Set<String>
    /// Closed less than ninety days ago: its people read, and change nothing.
    let closedLately: Set<String>
    let closedLongAgo: Set<String>

    func admits(_ rule: PrintedMatrix.Rule, role: String, _ pair: Pair, _ proof: Proof) -> Bool {
        if rule.isForAnybody { return true }
        if proof.isVoid || rule.needsFreshProof && proof.isStale { return false }
        if rule.isForAnyCaller { return true }
        if proof.lacksScope || proof == .sessionWithoutOrganisation { return false }
        if closedLongAgo.contains(pair.acting) { return false }
        if closedLately.contains(pair.acting), rule.changesState { return false }
        return rule.ways.contains { way in
            // A system is nobody's member; every person here is a member where they hold a role.
            guard way.role == "MEMBER" ? !proof.isClient : way.role == role else { return false }
            return reaches(way.relation, pair, changes: rule.changesState)
        }
    }

    private func reaches(_ relation: PrintedMatrix.Relation, _ pair: Pair, changes: Bool) -> Bool {
        switch relation {
        case .national: return national.contains(pair.acting)
        case .acting: return true
        case .icb where changes: return false
        default: break
        }
        let text = pair.description
        return holds[relation]?.contains(text) == true
            || !changes && holdsForReading[relation]?.contains(text) == true
    }

    /// The small register, read from its picture and not from its code.
    static let smallEngland = Oracle(
        holds: [
            .own: [
                "PCS>PCS", "Y60>Y60", "Y58>Y58", "QT1>QT1", "QJK>QJK", "02Q>02Q", "15N>15N", "C84101>C84101",
                "L83001>L83001", "U10001>U10001",
            ],
            .commissioner: ["02Q>02Q", "15N>15N", "02Q>C84101", "15N>L83001", "15N>U10001"],
            .icb: [
                "QT1>QT1", "QT1>02Q", "QT1>C84101", "QJK>QJK", "QJK>15N", "QJK>L83001", "QJK>U10001",
            ],
            .region: [
                "Y60>Y60", "Y60>QT1", "Y60>02Q", "Y60>C84101", "Y58>Y58", "Y58>QJK", "Y58>15N", "Y58>L83001",
                "Y58>U10001",
            ],
            .pcnMember: ["C84101>U10001", "L83001>U10001"],
            .pcnOf: ["U10001>C84101", "U10001>L83001"],
            .pcnPeer: [
                "PCS>PCS", "Y60>Y60", "Y58>Y58", "QT1>QT1", "QJK>QJK", "02Q>02Q", "15N>15N", "C84101>C84101",
                "L83001>L83001", "U10001>U10001", "C84101>L83001", "L83001>C84101",
            ],
        ],
        holdsForReading: [
            .own: ["A80001>A80001"], .commissioner: ["02Q>A80001"], .icb: ["QT1>A80001"],
            .region: ["Y60>A80001"], .pcnPeer: ["A80001>A80001"],
        ],
        national: ["PCS"], closedLately: ["A80001"], closedLongAgo: ["A80002"])

    /// Every relation, held and not held, from each kind of organisation; closed, unknown and missing ones.
    static let pairsOfSmallEngland = [
        "PCS>PCS", "PCS>C84101", "PCS>nothing", "PCS>",
        "Y60>C84101", "Y60>Y60", "Y60>A80001", "Y60>L83001",
        "QT1>C84101", "QT1>02Q", "QT1>QT1", "QT1>A80001", "QT1>15N",
        "02Q>C84101", "02Q>02Q", "02Q>A80001", "02Q>A80002", "02Q>L83001", "02Q>Z99999", "02Q>nothing",
        "15N>U10001", "U10001>C84101", "U10001>U10001", "U10001>A80001",
        "C84101>C84101", "C84101>L83001", "C84101>U10001", "C84101>02Q", "C84101>A80001", "C84101>PCS",
        "C84101>Z99999", "C84101>not a code", "C84101>", "C84101>nothing",
        "A80001>A80001", "A80002>A80002",
    ].map { Pair($0) }
}
