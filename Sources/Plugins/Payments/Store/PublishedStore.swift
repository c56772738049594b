import PluginAPI

/// Loads of yearly published files. The rows themselves are read again from the evidence when they are compared.
enum PublishedStore {
    struct Load: Sendable {
        var id: String
        var year: FinancialYear
        var evidenceID: String
        var rows: Int64 = 0
        var gms: Int64 = 0
        var pms: Int64 = 0
        var apms: Int64 = 0
        var skippedUnknown: Int64 = 0
        var skippedNoList: Int64 = 0
        var skippedNoMoney: Int64 = 0
        var registered: Int64 = 0
        var weightedHundredths: Int64 = 0
        var globalSumPence: Int64 = 0
    }

    private static let insert = Statement(
        """
        INSERT INTO published_load
            (load_id, seq, financial_year, evidence_id, rows, gms, pms, apms, skipped_unknown, skipped_no_list,
             skipped_no_money, registered, weighted_hundredths, global_sum_pence)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
        """)
    private static let lastOfYear = Statement(
        """
        SELECT load_id, evidence_id, rows, gms, pms, apms, skipped_unknown, skipped_no_list, skipped_no_money,
               registered, weighted_hundredths, global_sum_pence
        FROM published_load WHERE financial_year = ?1 ORDER BY seq DESC LIMIT 1
        """)
    /// A financial year as text sorts as the year does.
    private static let lastYearBefore = Statement(
        "SELECT financial_year FROM published_load WHERE financial_year < ?1 ORDER BY financial_year DESC LIMIT 1"
    )

    static func add(_ load: Load, seq: Int64, in transaction: any Transaction) throws {
        try transaction.run(
            insert,
            [
                .text(load.id), .integer(seq), .text(load.year.description), .text(load.evidenceID),
                .integer(load.rows), .integer(load.gms), .integer(load.pms), .integer(load.apms),
                .integer(load.skippedUnknown), .integer(load.skippedNoList), .integer(load.skippedNoMoney),
                .integer(load.registered), .integer(load.weightedHundredths), .integer(load.globalSumPence),
            ])
    }

    /// The last load of the last year before.
    static func lastLoad(before year: FinancialYear, _ reader: any Reader) throws -> Load? {
        let text = try reader.first(lastYearBefore, [.text(year.description)]) { $0.text(0) }
        return try text.flatMap { FinancialYear($0) }.flatMap { try lastLoad(of: $0, reader) }
    }

    static func lastLoad(of year: FinancialYear, _ reader: any Reader) throws -> Load? {
        try reader.first(lastOfYear, [.text(year.description)]) {
            Load(
                id: $0.text(0), year: year, evidenceID: $0.text(1), rows: $0.integer(2), gms: $0.integer(3),
                pms: $0.integer(4), apms: $0.integer(5), skippedUnknown: $0.integer(6),
                skippedNoList: $0.integer(7),
                skippedNoMoney: $0.integer(8), registered: $0.integer(9), weightedHundredths: $0.integer(10),
                globalSumPence: $0.integer(11))
        }
    }
}
