import PluginAPI

/// What the gates look at (identity-and-organisations.md 15.2).
struct GateFacts: Hashable, Sendable {
    struct Practice: Hashable, Sendable {
        var code: String
        var isClosing: Bool
        /// Open on the day of the look, and a GP practice.
        var isOpen: Bool
        /// Sub ICB Location that commissions it; empty = none, for example commissioned from Wales.
        var commissioner: String
        /// Another case that is not ended.
        var otherCase: String?
    }
    struct Performer: Hashable, Sendable {
        var name: String
        var practice: String
        var hasDestinationOrEnd: Bool
    }

    var receivedOn: CalendarDate
    var effectiveOn: CalendarDate
    var expeditedBecause: String
    var practices: [Practice]
    /// Commissioners that approved.
    var approvedBy: Set<String>
    var performers: [Performer]
    var isMerger: Bool
    var survivor: String
    var branchCodes: [String]
    var accountChanges: Bool
    var bankVerification: String
    var noOpenBankChange: String
    var noOpenIncident: String
    var paymentMoves: Int
}

struct Gate: Hashable, Sendable {
    var name: String
    var passed: Bool
    var words: String
}

enum Gates {
    /// Six weeks between receipt and effect [S17].
    static let noticeDays = 42

    static func all(_ facts: GateFacts) -> [Gate] {
        practices(facts) + [
            notice(facts), approvals(facts), performers(facts), branches(facts), bank(facts),
            Gate(
                name: "G8 no open bank change", passed: facts.noOpenBankChange.count >= 3,
                words: facts.noOpenBankChange.isEmpty
                    ? "Where it was seen that no change of bank details is open?" : facts.noOpenBankChange),
            Gate(
                name: "G9 no secure forms incident", passed: facts.noOpenIncident.count >= 3,
                words: facts.noOpenIncident.isEmpty
                    ? "Where it was seen that no incident with secure forms is open?" : facts.noOpenIncident),
            quarter(facts),
        ]
    }

    private static func practices(_ facts: GateFacts) -> [Gate] {
        let shut = facts.practices.filter { !$0.isOpen }.map(\.code)
        let foreign = facts.practices.filter(\.commissioner.isEmpty).map(\.code)
        let busy = facts.practices.compactMap { practice in
            practice.otherCase.map { "\(practice.code) in \($0)" }
        }
        return [
            Gate(
                name: "G1 open and commissioned", passed: shut.isEmpty && foreign.isEmpty,
                words: shut.isEmpty && foreign.isEmpty
                    ? "All practices are open and commissioned in England."
                    : "Not open: \(list(shut)); without an English commissioner: \(list(foreign))."),
            Gate(
                name: "G10 no other case", passed: busy.isEmpty,
                words: busy.isEmpty ? "No practice is in another open case." : "Open already: \(list(busy))."),
        ]
    }

    static func notice(_ facts: GateFacts) -> Gate {
        let days = Int(facts.effectiveOn.daysSince1970 - facts.receivedOn.daysSince1970)
        let isExpedited = facts.expeditedBecause.count >= 3
        return Gate(
            name: "G2 six weeks", passed: days >= noticeDays || (isExpedited && days > 0),
            words: days >= noticeDays
                ? "\(days) days between \(facts.receivedOn) and \(facts.effectiveOn)."
                : isExpedited
                    ? "\(days) days, expedited: \(facts.expeditedBecause)"
                    : "\(days) days are fewer than \(noticeDays): the commissioner says why it is expedited.")
    }

    private static func approvals(_ facts: GateFacts) -> Gate {
        let missing = Set(facts.practices.map(\.commissioner)).subtracting(facts.approvedBy).sorted()
        return Gate(
            name: "G3 approvals", passed: missing.isEmpty,
            words: missing.isEmpty ? "Every commissioner approved." : "Not approved by \(list(missing)).")
    }

    private static func performers(_ facts: GateFacts) -> Gate {
        let open = facts.performers.filter { !$0.hasDestinationOrEnd }.map(\.name)
        let without = facts.practices.filter { practice in
            practice.isClosing && !facts.performers.contains { $0.practice == practice.code }
        }
        let passed = open.isEmpty && without.isEmpty
        return Gate(
            name: "G4 performers", passed: passed,
            words: passed
                ? "Each of \(facts.performers.count) performers has a destination or a leaving day."
                : "Without destination or leaving day: \(list(open)); no performer named of "
                    + "\(list(without.map(\.code))).")
    }

    /// A branch's code is the survivor's and a number of three digits [S17].
    private static func branches(_ facts: GateFacts) -> Gate {
        let wrong = facts.branchCodes.filter { code in
            !(code.hasPrefix(facts.survivor) && code.utf8.count == facts.survivor.utf8.count + 3
                && code.utf8.suffix(3).allSatisfy { (0x30...0x39).contains($0) } && !code.hasSuffix("000"))
        }
        let isTwice = Set(facts.branchCodes).count != facts.branchCodes.count
        let passed = wrong.isEmpty && !isTwice
        return Gate(
            name: "G5 branch codes", passed: passed,
            words: passed
                ? "\(facts.branchCodes.count) branch codes."
                : "Not a code of \(facts.survivor), or twice: \(list(wrong)).")
    }

    private static func bank(_ facts: GateFacts) -> Gate {
        let passed = !facts.accountChanges || facts.bankVerification.count >= 3
        return Gate(
            name: "G6 bank verified", passed: passed,
            words: !facts.accountChanges
                ? "The account does not change."
                : passed
                    ? facts.bankVerification : "The account changes: where was the bank declaration verified?"
        )
    }

    private static func quarter(_ facts: GateFacts) -> Gate {
        let isAligned = QuarterAlignment.isAligned(facts.effectiveOn)
        let moves = QuarterAlignment.globalSumMoves(facts.effectiveOn)
        return Gate(
            name: "G7 quarter", passed: isAligned || facts.paymentMoves > 0,
            words: isAligned
                ? "\(facts.effectiveOn) is a quarter day; the global sum moves with it."
                : facts.paymentMoves > 0
                    ? "In the middle of a quarter: \(facts.paymentMoves) payments move, the global sum on \(moves)."
                    : "In the middle of a quarter the commissioner lists the payments that move; the global sum moves "
                        + "on \(moves).")
    }

    private static func list(_ words: [String]) -> String {
        words.isEmpty ? "none" : words.joined(separator: ", ")
    }
}
