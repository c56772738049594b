import PluginAPI

/// Each time that an instruction of a claim went out, and the payment files of commissioners.
enum LocalPaymentStore {
    struct Sending: Sendable {
        var attempts: Int
        var lastAt: Instant
        var isEscalated: Bool
    }

    struct File: Sendable {
        var number: Int64
        var id: String
        var commissioner: String
        var claims: Int64
        var pence: Int64
        var sha256: String
        var by: String
        var at: Instant
    }

    private static let insertSending = Statement(
        "INSERT INTO instruction_sending (instruction_id, attempt, sent_at, escalated) VALUES (?1, ?2, ?3, ?4)"
    )
    private static let sendings = Statement(
        "SELECT attempt, sent_at, escalated FROM instruction_sending WHERE instruction_id = ?1 ORDER BY attempt"
    )
    private static let columns = "number, file_id, commissioner_code, claims, pence, sha256, made_by, made_at"
    private static let insertFile = Statement(
        "INSERT INTO local_payment_file (\(columns), body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")
    private static let last = Statement("SELECT COALESCE(MAX(number), 0) FROM local_payment_file")
    private static let byID = Statement("SELECT \(columns) FROM local_payment_file WHERE file_id = ?1")
    private static let byNumber = Statement("SELECT file_id FROM local_payment_file WHERE number = ?1")
    private static let byCommissioner = Statement(
        "SELECT \(columns) FROM local_payment_file WHERE commissioner_code = ?1 ORDER BY number DESC")
    private static let bodyOf = Statement("SELECT body FROM local_payment_file WHERE file_id = ?1")

    /// - Parameter escalated: nothing went out; an operator was told.
    static func send(
        _ instruction: String, attempt: Int, escalated: Bool = false, in transaction: any Transaction
    ) throws {
        try transaction.run(
            insertSending,
            [.text(instruction), .integer(attempt), .instant(transaction.now), .integer(escalated ? 1 : 0)])
    }

    static func sendings(of instruction: String, _ reader: any Reader) throws -> Sending {
        var sending = Sending(attempts: 0, lastAt: Instant(microsecondsSince1970: 0), isEscalated: false)
        try reader.forEach(sendings, [.text(instruction)]) { row in
            if row.bool(2) {
                sending.isEscalated = true
            } else {
                sending.attempts += 1
                sending.lastAt = row.instant(1)
            }
        }
        return sending
    }

    static func nextNumber(_ reader: any Reader) throws -> Int64 {
        (try reader.first(last) { $0.integer(0) } ?? 0) + 1
    }

    static func add(_ file: File, _ body: [UInt8], in transaction: any Transaction) throws {
        try transaction.run(
            insertFile,
            [
                .integer(file.number), .text(file.id), .text(file.commissioner), .integer(file.claims),
                .integer(file.pence), .text(file.sha256), .text(file.by), .instant(file.at), .blob(body),
            ])
    }

    static func file(_ id: String, _ reader: any Reader) throws -> File? {
        try reader.first(byID, [.text(id)], file)
    }
    static func id(of number: Int64, _ reader: any Reader) throws -> String {
        number == 0 ? "" : try reader.first(byNumber, [.integer(number)]) { $0.text(0) } ?? ""
    }
    static func files(of commissioner: String, _ reader: any Reader) throws -> [File] {
        try reader.all(byCommissioner, [.text(commissioner)], file)
    }
    static func body(of id: String, _ reader: any Reader) throws -> [UInt8] {
        try reader.first(bodyOf, [.text(id)]) { $0.blob(0) } ?? []
    }

    private static func file(_ row: any Row) throws -> File {
        File(
            number: row.integer(0), id: row.text(1), commissioner: row.text(2), claims: row.integer(3),
            pence: row.integer(4), sha256: row.text(5), by: row.text(6), at: row.instant(7))
    }
}
