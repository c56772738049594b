package import PluginAPI
package import Tabular

/// The kinds of file that the register takes; numbers as in `pcs.host.v1.SnapshotKind`.
package enum SnapshotLayout: Int, Sendable, CaseIterable {
    case practices = 1, pcns, pcnMembers, commissioners, hierarchy, pharmacies
    case pharmacyHeadquarters, branchSurgeries, opticalHeadquarters, opticalSites, dentalPractices, trusts
    case nominatedPayees, successions

    package var columns: Int {
        switch self {
        case .practices, .pharmacies, .pharmacyHeadquarters, .branchSurgeries, .opticalHeadquarters,
            .opticalSites,
            .dentalPractices, .trusts:
            27
        case .pcns: 8
        case .pcnMembers: 11
        case .commissioners: 19
        case .hierarchy: 7
        case .nominatedPayees: 4
        case .successions: 5
        }
    }

    /// The relation whose rows are listed one by one in a file of this layout, each with its own life.
    var listedRelation: LinkRelation? {
        switch self {
        case .pcnMembers: .pcn
        case .hierarchy: .hierarchy
        case .nominatedPayees: .payee
        case .practices, .pcns, .commissioners, .pharmacies, .pharmacyHeadquarters, .branchSurgeries,
            .opticalHeadquarters, .opticalSites, .dentalPractices, .trusts, .successions:
            nil
        }
    }

    /// Names of the columns; `nil` for the ODS reports, which come without a header.
    package var header: [String]? {
        switch self {
        case .practices, .pharmacies, .pcnMembers, .pharmacyHeadquarters, .branchSurgeries,
            .opticalHeadquarters,
            .opticalSites, .dentalPractices, .trusts, .successions:
            nil
        case .nominatedPayees: ["pcn_code", "payee_code", "start_date", "end_date"]
        case .pcns:
            [
                "pcn_code", "pcn_name", "sub_icb_code", "sub_icb_name", "open_date", "close_date", "postcode",
                "town",
            ]
        case .commissioners:
            [
                "code", "name", "status", "primary_role", "other_roles", "operational_start", "legal_start",
                "last_change", "address1", "address2", "address3", "town", "county", "postcode", "country",
                "predecessor_codes", "successor_code", "parent_code", "parent_name",
            ]
        case .hierarchy:
            [
                "region_code", "region_name", "icb_code", "icb_name", "sub_icb_code", "sub_icb_name",
                "active_gp_practices",
            ]
        }
    }

    /// Reads a file by its layout. The result must not be used when `violations` has any.
    package func parse(
        _ bytes: [UInt8], publishedOn: CalendarDate, limits: TableLimits = TableLimits(),
        into violations: inout ViolationList
    ) -> ParsedSnapshot {
        let document = Table.read(
            csv: bytes,
            layout: TableLayout(form(of: bytes), origin: .system, limits: limits),
            into: &violations)
        var parser = RowParser(document: document, violations: violations)
        switch self {
        case .practices: parser.parsePractices()
        case .pcns: parser.parsePCNs(publishedOn: publishedOn)
        case .pcnMembers: parser.parseMembers()
        case .commissioners: parser.parseCommissioners()
        case .hierarchy: parser.parseHierarchy()
        case .pharmacies: parser.parsePharmacies()
        case .pharmacyHeadquarters: parser.parseReport(.pharmacyHeadquarters, parent: .none)
        case .branchSurgeries: parser.parseReport(.branchSurgery, form: .branch, parent: .operatedBy)
        case .opticalHeadquarters: parser.parseReport(.opticalHeadquarters, parent: .none)
        case .opticalSites: parser.parseReport(.opticalSite, parent: .operatedBy)
        case .dentalPractices: parser.parseReport(.dentalPractice, form: .dental, parent: .commissioner)
        case .trusts: parser.parseReport(.trust, parent: .none)
        case .nominatedPayees: parser.parsePayees()
        case .successions: parser.parseSuccessions()
        }
        violations = parser.violations
        return parser.result
    }

    /// Two files come in two forms: PCNs as the raw report epcn of 12 columns too, successions with 2 to 5 columns.
    private func form(of bytes: [UInt8]) -> TableLayout.Header {
        switch self {
        case .pcns where SnapshotLayout.columnsOfFirstLine(bytes) == SnapshotLayout.pcnReportColumns:
            .none(columns: SnapshotLayout.pcnReportColumns)
        case .successions:
            .none(columns: min(max(SnapshotLayout.columnsOfFirstLine(bytes), 2), columns))
        default: header.map { .exact($0) } ?? .none(columns: columns)
        }
    }

    static let pcnReportColumns = 12

    private static func columnsOfFirstLine(_ bytes: [UInt8]) -> Int {
        var isQuoted = false
        var columns = 1
        for byte in bytes {
            if byte == UInt8(ascii: "\n"), !isQuoted { break }
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if byte == UInt8(ascii: ","), !isQuoted { columns += 1 }
        }
        return columns
    }
}

/// Forms of codes (identity-and-organisations.md 2.4). They catch typing errors and never decide what a code is.
enum CodeForm: Sendable {
    case any, practice, pcn, icb, region, pharmacy, branch, dental

    func matches(_ code: ODSCode) -> Bool {
        let bytes = Array(code.value.utf8)
        func letters(_ index: Int) -> Bool { (0x41...0x5A).contains(bytes[index]) }
        func digits(_ range: Range<Int>) -> Bool { range.allSatisfy { (0x30...0x39).contains(bytes[$0]) } }
        switch self {
        case .any: return true
        // England has a letter and five digits; the Channel Islands and Man begin with three letters.
        case .practice:
            return bytes.count == 6 && (digits(1..<6) || letters(1) && letters(2) && digits(3..<6))
                && letters(0)
        case .pcn: return bytes.count == 6 && bytes[0] == UInt8(ascii: "U") && digits(1..<6)
        case .icb: return bytes.count == 3 && bytes[0] == UInt8(ascii: "Q") && letters(1)
        case .region: return bytes.count == 3 && bytes[0] == UInt8(ascii: "Y") && digits(1..<3)
        case .pharmacy:
            return bytes.count == 5 && bytes[0] == UInt8(ascii: "F") && letters(1) && digits(3..<5)
        // The practice's code and 001 upwards.
        case .branch:
            return bytes.count == 9 && letters(0) && digits(1..<9) && !bytes[6...].allSatisfy { $0 == 0x30 }
        case .dental: return bytes.count == 6 && bytes[0] == UInt8(ascii: "V") && digits(1..<6)
        }
    }

    var words: String {
        switch self {
        case .any: "3 to 12 of A-Z and 0-9"
        case .practice: "six characters, a letter or three first and digits then"
        case .pcn: "U and five digits"
        case .icb: "Q, a letter, a letter or digit"
        case .region: "Y and two digits"
        case .pharmacy: "F, a letter, a letter or digit, two digits"
        case .branch: "the practice's code and three digits from 001"
        case .dental: "V and five digits"
        }
    }
}
