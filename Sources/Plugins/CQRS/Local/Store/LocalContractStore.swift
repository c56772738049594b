import PluginAPI

/// Contracts, what they hold, and the part of each provider.
enum LocalContractStore {
    struct Contract: Sendable {
        var id: String
        var commissioner: String
        var name: String
        var isOffer: Bool
        var start: CalendarDate
        var end: CalendarDate
        var paper: String
        var by: String
        var at: Instant
        var items: [String: Set<String>] = [:]
    }

    struct Part: Sendable {
        var contract: String
        var provider: String
        var kind: LocalProviderKind
        var group: String
        var state: LocalContractState
        var isBulkAgreed: Bool
        var reason = ""
        var answeredBy = ""
        var answeredAt: Instant?
        var endedOn: CalendarDate?
    }

    private static let columns =
        "contract_id, commissioner_code, name, is_offer, start_on, end_on, paper_reference, made_by, made_at"
    private static let insert = Statement(
        "INSERT INTO local_contract (\(columns)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")
    private static let insertItem = Statement(
        "INSERT INTO local_contract_item (contract_id, service_id, component_id) VALUES (?1, ?2, ?3)")
    private static let insertParts = BulkInsert(
        into: "local_contract_provider",
        [
            "contract_id", "provider_code", "kind", "provider_group", "state", "bulk_agreed", "reason",
            "answered_by",
            "answered_at", "ended_on",
        ])
    private static let insertSteps = BulkInsert(
        into: "local_contract_step",
        [
            "number", "contract_id", "provider_code", "from_state", "to_state", "taken_by", "taken_at",
            "reason",
        ])
    private static let lastStep = Statement("SELECT COALESCE(MAX(number), 0) FROM local_contract_step")
    private static let update = Statement(
        """
        UPDATE local_contract_provider SET state = ?3, bulk_agreed = ?4, reason = ?5, answered_by = ?6, answered_at = ?7,
            ended_on = ?8
        WHERE contract_id = ?1 AND provider_code = ?2
        """)
    private static let byID = Statement("SELECT \(columns) FROM local_contract WHERE contract_id = ?1")
    private static let byCommissioner = Statement(
        "SELECT \(columns) FROM local_contract WHERE commissioner_code = ?1 ORDER BY contract_id")
    private static let byService = Statement(
        "SELECT DISTINCT contract_id FROM local_contract_item WHERE service_id = ?1 ORDER BY contract_id")
    private static let itemsOf = Statement(
        "SELECT service_id, component_id FROM local_contract_item WHERE contract_id = ?1 ORDER BY service_id, component_id"
    )
    private static let partColumns = """
        contract_id, provider_code, kind, provider_group, state, bulk_agreed, reason, answered_by, answered_at, ended_on
        """
    private static let partsOf = Statement(
        "SELECT \(partColumns) FROM local_contract_provider WHERE contract_id = ?1 ORDER BY provider_code")
    private static let partsOfProvider = Statement(
        "SELECT \(partColumns) FROM local_contract_provider WHERE provider_code = ?1 ORDER BY contract_id")
    private static let part = Statement(
        "SELECT \(partColumns) FROM local_contract_provider WHERE contract_id = ?1 AND provider_code = ?2")

    static func add(_ contract: Contract, _ parts: [Part], in transaction: any Transaction) throws {
        try transaction.run(
            insert,
            [
                .text(contract.id), .text(contract.commissioner), .text(contract.name),
                .integer(contract.isOffer ? 1 : 0), .date(contract.start), .date(contract.end),
                .text(contract.paper),
                .text(contract.by), .instant(contract.at),
            ])
        for service in contract.items.keys.sorted() {
            let components = contract.items[service] ?? []
            for component in components.isEmpty ? [""] : components.sorted() {
                try transaction.run(insertItem, [.text(contract.id), .text(service), .text(component)])
            }
        }
        try insertParts.run(parts, in: transaction) { part, values in
            values += [
                .text(part.contract), .text(part.provider), .integer(part.kind.rawValue), .text(part.group),
                .integer(part.state.rawValue), .integer(part.isBulkAgreed ? 1 : 0), .text(part.reason),
                .text(part.answeredBy), .optional(part.answeredAt?.microsecondsSince1970),
                .date(part.endedOn),
            ]
        }
        let (actor, now) = (contract.by, transaction.now)
        var number = try transaction.first(lastStep) { $0.integer(0) } ?? 0
        try insertSteps.run(parts, in: transaction) { part, values in
            number += 1
            values += [
                .integer(number), .text(part.contract), .text(part.provider), .integer(0),
                .integer(part.state.rawValue), .text(actor),
                .instant(now), .text(contract.isOffer ? "offered" : "on paper: " + contract.paper),
            ]
        }
    }

    static func save(
        _ part: Part, from: LocalContractState, by actor: String, in transaction: any Transaction
    ) throws {
        try transaction.run(
            update,
            [
                .text(part.contract), .text(part.provider), .integer(part.state.rawValue),
                .integer(part.isBulkAgreed ? 1 : 0), .text(part.reason), .text(part.answeredBy),
                .optional(part.answeredAt?.microsecondsSince1970), .date(part.endedOn),
            ])
        let (reason, now) = (part.reason, transaction.now)
        let number = (try transaction.first(lastStep) { $0.integer(0) } ?? 0) + 1
        try insertSteps.run([part], in: transaction) { part, values in
            values += [
                .integer(number), .text(part.contract), .text(part.provider), .integer(from.rawValue),
                .integer(part.state.rawValue),
                .text(actor), .instant(now), .text(reason),
            ]
        }
    }

    static func contract(_ id: String, _ reader: any Reader) throws -> Contract? {
        guard var contract = try reader.first(byID, [.text(id)], contract) else { return nil }
        contract.items = try items(of: id, reader)
        return contract
    }

    static func of(commissioner: String, _ reader: any Reader) throws -> [Contract] {
        try reader.all(byCommissioner, [.text(commissioner)], contract).map { contract in
            var contract = contract
            contract.items = try items(of: contract.id, reader)
            return contract
        }
    }

    /// Contracts that hold a service, of any commissioner.
    static func contracts(of service: String, _ reader: any Reader) throws -> [Contract] {
        try reader.all(byService, [.text(service)]) { $0.text(0) }.compactMap { try contract($0, reader) }
    }

    private static func items(of id: String, _ reader: any Reader) throws -> [String: Set<String>] {
        var items: [String: Set<String>] = [:]
        try reader.forEach(itemsOf, [.text(id)]) { row in
            items[row.text(0), default: []].formUnion(row.text(1).isEmpty ? [] : [row.text(1)])
        }
        return items
    }

    static func parts(of contract: String, _ reader: any Reader) throws -> [Part] {
        try reader.all(partsOf, [.text(contract)], part)
    }
    static func parts(ofProvider provider: String, _ reader: any Reader) throws -> [Part] {
        try reader.all(partsOfProvider, [.text(provider)], part)
    }
    static func part(_ contract: String, _ provider: String, _ reader: any Reader) throws -> Part? {
        try reader.first(part, [.text(contract), .text(provider)], part)
    }

    // MARK: Terms

    /// What a provider may claim, of contracts that it accepted; ended ones up to their last day.
    static func terms(of provider: String, _ reader: any Reader) throws -> [LocalTerm] {
        try parts(ofProvider: provider, reader).compactMap { part in
            try contract(part.contract, reader).flatMap { term($0, part) }
        }
    }

    /// Of everybody with a contract of the commissioner for a service.
    static func terms(in service: String, of commissioner: String, _ reader: any Reader) throws -> [LocalTerm]
    {
        try contracts(of: service, reader).filter { $0.commissioner == commissioner }.flatMap { contract in
            try parts(of: contract.id, reader).compactMap { term(contract, $0) }
        }
    }

    private static func term(_ contract: Contract, _ part: Part) -> LocalTerm? {
        guard part.state == .active || part.state == .ended else { return nil }
        return LocalTerm(
            contract: contract.id, commissioner: contract.commissioner, provider: part.provider,
            kind: part.kind,
            group: part.group, start: contract.start,
            end: Swift.min(contract.end, part.endedOn ?? contract.end),
            isBulkAgreed: part.isBulkAgreed, items: contract.items)
    }

    private static func contract(_ row: any Row) throws -> Contract {
        Contract(
            id: row.text(0), commissioner: row.text(1), name: row.text(2), isOffer: row.bool(3),
            start: try row.date(4),
            end: try row.date(5), paper: row.text(6), by: row.text(7), at: row.instant(8))
    }

    private static func part(_ row: any Row) throws -> Part {
        guard let kind = LocalProviderKind(rawValue: Int(row.integer(2))),
            let state = LocalContractState(rawValue: Int(row.integer(4)))
        else { throw CQRSError.damaged("local contract") }
        return Part(
            contract: row.text(0), provider: row.text(1), kind: kind, group: row.text(3), state: state,
            isBulkAgreed: row.bool(5), reason: row.text(6), answeredBy: row.text(7),
            answeredAt: row.isNull(8) ? nil : row.instant(8), endedOn: try row.optionalDate(9))
    }
}
