import PluginAPI

/// Who ophthalmic contractors are: the register of organisations has no kind for them.
struct OphthalmicContractor: Hashable, Sendable {
    var code: ODSCode
    var name: String
    var commissioner: ODSCode
    var committee: String
    var from: CalendarDate

    /// Head of the contractor's statement.
    func profile(_ day: CalendarDate, _ organisations: any OrganisationDirectory) -> PayeeProfile {
        PayeeProfile(
            kind: .ophthalmicContractor, name: name, commissioner: commissioner.value,
            region: organisations.region(of: commissioner, at: day)?.value ?? "", payee: code)
    }
}

enum OphthalmicContractorStore {
    private static let insert = Statement(
        """
        INSERT INTO ophthalmic_contractor
            (contractor_code, name, commissioner_code, committee_name, effective_from, recorded_by, recorded_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        """)
    private static let all = Statement(
        """
        SELECT contractor_code, name, commissioner_code, committee_name, effective_from FROM ophthalmic_contractor
        ORDER BY effective_from, record
        """)
    private static let ofCode = Statement(
        """
        SELECT contractor_code, name, commissioner_code, committee_name, effective_from FROM ophthalmic_contractor
        WHERE contractor_code = ?1 AND effective_from <= ?2 ORDER BY effective_from, record
        """)

    static func add(_ contractor: OphthalmicContractor, by actor: String, in transaction: any Transaction)
        throws
    {
        try transaction.run(
            insert,
            [
                .text(contractor.code.value), .text(contractor.name), .text(contractor.commissioner.value),
                .text(contractor.committee), .date(contractor.from), .text(actor), .instant(transaction.now),
            ])
    }

    private static func contractor(_ row: any Row) throws -> OphthalmicContractor {
        guard let code = ODSCode(row.text(0)), let commissioner = ODSCode(row.text(2)) else {
            throw PaymentsError.damaged("ophthalmic contractor")
        }
        return OphthalmicContractor(
            code: code, name: row.text(1), commissioner: commissioner, committee: row.text(3),
            from: try row.date(4))
    }

    static func contractor(_ code: ODSCode, on day: CalendarDate, _ reader: any Reader) throws
        -> OphthalmicContractor?
    {
        try reader.all(ofCode, [.text(code.value), .date(day)], contractor).last
    }

    /// All as on a day.
    static func contractors(on day: CalendarDate, _ reader: any Reader) throws -> [ODSCode:
        OphthalmicContractor]
    {
        var found: [ODSCode: OphthalmicContractor] = [:]
        for contractor in try reader.all(all, [], contractor) where contractor.from <= day {
            found[contractor.code] = contractor
        }
        return found
    }
}
