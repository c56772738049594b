import PluginAPI

/// Contract records: only ever added to.
enum ContractStore {
    private static let columns = """
        version, practice_code, contract_record.effective_from, contract_record.effective_to, ended, contract_kind,
        practice_name, commissioner_code, region_code, payee_code, out_of_hours_opt_out, minor_surgery_opt_out,
        temporary_patients_pence, london_basis, baseline_basis, baseline_amount, payments_stopped,
        correction_factor_pence
        """
    private static let allKnown = Statement(
        "SELECT \(columns) FROM contract_record WHERE seq <= ?1 ORDER BY practice_code, version")
    private static let ofPractice = Statement(
        "SELECT \(columns) FROM contract_record WHERE practice_code = ?1 AND seq <= ?2 ORDER BY version")
    private static let history = Statement(
        """
        SELECT \(columns), recorded_at, recorded_by, reason, source
        FROM contract_record JOIN input ON input.seq = contract_record.seq WHERE practice_code = ?1 ORDER BY version
        """)
    private static let recording = Statement(
        """
        SELECT recorded_at, recorded_by, reason FROM contract_record JOIN input ON input.seq = contract_record.seq
        WHERE version = ?1
        """)
    private static let lastVersion = Statement("SELECT COALESCE(MAX(version), 0) FROM contract_record")
    private static let insert = BulkInsert(
        into: "contract_record",
        [
            "version", "seq", "practice_code", "effective_from", "effective_to", "ended", "contract_kind",
            "practice_name", "commissioner_code", "region_code", "payee_code", "out_of_hours_opt_out",
            "minor_surgery_opt_out", "temporary_patients_pence", "london_basis", "baseline_basis",
            "baseline_amount",
            "payments_stopped", "correction_factor_pence", "reason", "source",
        ])

    struct NewRecord: Sendable {
        var practice: ODSCode
        var from: CalendarDate
        var to: CalendarDate?
        /// `nil` = no contract in that time.
        var terms: ContractTerms?
        /// Without a contract: who is paid what still comes; `nil` = the payee of the contract before.
        var trailingPayee: ODSCode?
    }

    /// When and by whom a version was recorded, and why.
    struct Recording: Sendable {
        var at: Instant
        var by: String
        var reason: String
        var source = ""
    }

    /// Adds records under one input number; returns the last version given.
    static func add(
        _ records: [NewRecord], seq: Int64, reason: String, source: String, in transaction: any Transaction
    ) throws -> Int64 {
        var version = try transaction.first(lastVersion) { $0.integer(0) } ?? 0
        try insert.run(records, in: transaction) { record, values in
            version += 1
            let terms = record.terms
            let payment = terms?.payment
            let (basis, amount) = stored(payment?.baseline)
            values += [
                .integer(version), .integer(seq), .text(record.practice.value), .date(record.from),
                .date(record.to),
                .integer(terms == nil ? 1 : 0), .integer(payment?.kind.rawValue ?? 0),
                .text(terms?.practiceName ?? ""), .text(terms?.commissioner ?? ""),
                .text(terms?.region ?? ""),
                .text((terms?.payee ?? record.trailingPayee)?.value ?? ""),
                .integer(payment?.outOfHoursOptOut == true ? 1 : 0),
                .integer(payment?.minorSurgeryOptOut == true ? 1 : 0),
                .integer(payment?.temporaryPatientsPence ?? 0), .integer(payment?.london.rawValue ?? 0),
                .integer(basis), .integer(amount), .integer(payment?.isStopped == true ? 1 : 0),
                .integer(payment?.correctionFactorPence ?? 0), .text(reason), .text(source),
            ]
        }
        return version
    }

    private static func stored(_ baseline: Baseline?) -> (basis: Int64, amount: Int64) {
        switch baseline {
        case nil: (0, 0)
        case .fixed(let pence): (1, pence)
        case .weighted(let price): (2, price)
        case .raw(let price): (3, price)
        }
    }

    private static func record(_ row: any Row) throws -> ContractRecord {
        let version = row.integer(0)
        let (from, to) = (try row.date(2), try row.optionalDate(3))
        if row.bool(4) {
            return ContractRecord(
                version: version, from: from, to: to, terms: nil, trailingPayee: ODSCode(row.text(9)))
        }
        guard let kind = ContractKind(rawValue: row.integer(5)), let payee = ODSCode(row.text(9)),
            let london = LondonBasis(rawValue: row.integer(13))
        else { throw StoredValueError(message: "contract record \(version) is not as it was written") }
        var payment = PaymentTerms(kind: kind)
        payment.outOfHoursOptOut = row.bool(10)
        payment.minorSurgeryOptOut = row.bool(11)
        payment.temporaryPatientsPence = row.integer(12)
        payment.london = london
        payment.isStopped = row.bool(16)
        payment.correctionFactorPence = row.integer(17)
        payment.baseline =
            switch row.integer(14) {
            case 1: .fixed(annualPence: row.integer(15))
            case 2: .weighted(priceMicropounds: row.integer(15))
            case 3: .raw(priceMicropounds: row.integer(15))
            default: nil
            }
        return ContractRecord(
            version: version, from: from, to: to,
            terms: ContractTerms(
                payment: payment, practiceName: row.text(6), commissioner: row.text(7), region: row.text(8),
                payee: payee))
    }

    /// Every practice's contract as known at an input number, by practice code.
    static func timelines(knownAt seq: Int64, _ reader: any Reader) throws -> [ContractTimeline] {
        var result: [ContractTimeline] = []
        var code = ""
        var records: [ContractRecord] = []
        func finish() {
            if let practice = ODSCode(code) {
                result.append(ContractTimeline(practice: practice, records: records))
            }
            records.removeAll(keepingCapacity: true)
        }
        try reader.forEach(allKnown, [.integer(seq)]) { row in
            let next = row.text(1)
            if next != code {
                finish()
                code = next
            }
            records.append(try record(row))
        }
        finish()
        return result
    }

    static func timeline(of practice: ODSCode, knownAt seq: Int64, _ reader: any Reader) throws
        -> ContractTimeline
    {
        let records = try reader.all(ofPractice, [.text(practice.value), .integer(seq)], record)
        return ContractTimeline(practice: practice, records: records)
    }

    /// Of each of these practices that ever had a contract.
    static func timelines(of practices: Set<ODSCode>, _ reader: any Reader) throws -> [ODSCode: ContractTimeline] {
        var found: [ODSCode: ContractTimeline] = [:]
        for practice in practices {
            let records = try reader.all(ofPractice, [.text(practice.value), .integer(Int64.max)], record)
            if !records.isEmpty { found[practice] = ContractTimeline(practice: practice, records: records) }
        }
        return found
    }

    static func recording(ofVersion version: Int64, _ reader: any Reader) throws -> Recording? {
        try reader.first(recording, [.integer(version)]) {
            Recording(at: $0.instant(0), by: $0.text(1), reason: $0.text(2))
        }
    }

    static func history(of practice: ODSCode, _ reader: any Reader) throws -> [(ContractRecord, Recording)] {
        try reader.all(history, [.text(practice.value)]) {
            (
                try record($0),
                Recording(at: $0.instant(18), by: $0.text(19), reason: $0.text(20), source: $0.text(21))
            )
        }
    }
}
