import PaymentsContract
import PluginAPI

/// Instructions of the quality service for networks (payments.md 8.2, 8.3). They are lines of the network's own statement,
/// whoever receives its money; and where payments calculates the same by itself, they are refused: a network would be paid
/// twice.
enum NetworkInstructions {
    static let calculatedHere = "NETWORK_CALCULATED_HERE"

    /// Families that are the network's own money; participation is the practice's.
    static let families: Set<Paycode> = [
        .networkCore, .networkEnhancedAccess, .networkCareHomes, .networkCapacitySupport,
        .networkCapacityImprovement, .networkAdditionalRoles, .networkInvestment, .networkClinicalDirector,
        .networkLeadership, .networkExtendedHours,
    ]

    /// Families that follow from rates, populations, beds and lists without an instruction. Also where a rate has no row
    /// yet: once it is loaded, its difference is paid.
    static let calculated: Set<Paycode> = Set(NetworkRule.all.map(\.paycode)).union([.networkParticipation])

    /// Why an instruction for a month is not paid; `nil` = it is.
    static func obstacle(_ family: Paycode, for month: YearMonth, _ reader: any Reader) throws -> String? {
        guard calculated.contains(family) else { return nil }
        let rates = try ReferenceStore.rates(knownAt: .max, reader)
        guard (try? rates.whole(.networkCalculatedHere, at: month.firstDay)) == 1 else { return nil }
        return "\(family.code) of \(month) is calculated here by rate, population and beds; an instruction would pay "
            + "it twice"
    }
}

/// Instructions that were refused, each with the reason. Only ever added to.
enum InstructionRefusalStore {
    static let schema = [
        """
        CREATE TABLE quality_refusal (
            instruction_id TEXT PRIMARY KEY NOT NULL, declaration_id TEXT NOT NULL, provider_code TEXT NOT NULL,
            service_code TEXT NOT NULL, pence INTEGER NOT NULL, reason TEXT NOT NULL, received_at INTEGER NOT NULL
        ) STRICT
        """,
        "CREATE INDEX quality_refusal_by_declaration ON quality_refusal (declaration_id)",
    ]

    struct Refusal: Hashable, Sendable {
        var instruction: String
        var declaration: String
        var provider: ODSCode
        var service: String
        var pence: Int64
        var reason: String
    }

    private static let insert = Statement(
        """
        INSERT INTO quality_refusal
            (instruction_id, declaration_id, provider_code, service_code, pence, reason, received_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        """)
    private static let byID = Statement("SELECT instruction_id FROM quality_refusal WHERE instruction_id = ?1")
    private static let received = Statement(
        """
        SELECT instruction_id, declaration_id, provider_code, service_code, pence, reason FROM quality_refusal
        WHERE received_at > ?1 AND received_at <= ?2 ORDER BY service_code, instruction_id
        """)

    static func isKnown(_ instruction: String, _ reader: any Reader) throws -> Bool {
        try reader.first(byID, [.text(instruction)]) { _ in true } ?? false
    }

    static func add(_ refusal: Refusal, in transaction: any Transaction) throws {
        try transaction.run(
            insert,
            [
                .text(refusal.instruction), .text(refusal.declaration), .text(refusal.provider.value),
                .text(refusal.service), .integer(refusal.pence), .text(refusal.reason), .instant(transaction.now),
            ])
    }

    static func refusals(after: Instant, until: Instant, _ reader: any Reader) throws -> [Refusal] {
        try reader.all(received, [.instant(after), .instant(until)]) { row in
            guard let provider = ODSCode(row.text(2)) else {
                throw PaymentsError.damaged("refused instruction " + row.text(0))
            }
            return Refusal(
                instruction: row.text(0), declaration: row.text(1), provider: provider, service: row.text(3),
                pence: row.integer(4), reason: row.text(5))
        }
    }
}
