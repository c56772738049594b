import PluginAPI

/// Lines of all claims that stand, for reports: one pass, in order of the claims.
enum LocalReportStore {
    struct Line: Sendable {
        var claim: Int64
        var provider: String
        var state: LocalClaimState
        var line: LocalLine
    }

    private static let columns = """
        l.service_id, l.service_version, l.component_id, l.activity_on, l.quantity, l.claimed, l.price, l.pence, l.note,
        c.number, c.provider_code, c.state
        """
    private static let ofCommissioner = Statement(
        """
        SELECT \(columns) FROM local_claim c
        JOIN local_claim_line l ON l.claim_number = c.number AND l.lines_version = c.lines_version
        WHERE c.commissioner_code = ?1 ORDER BY c.number, l.line
        """)
    private static let ofProvider = Statement(
        """
        SELECT \(columns) FROM local_claim c
        JOIN local_claim_line l ON l.claim_number = c.number AND l.lines_version = c.lines_version
        WHERE c.provider_code = ?1 ORDER BY c.number, l.line
        """)

    static func lines(of organisation: String, asProvider: Bool, _ reader: any Reader) throws -> [Line] {
        try reader.all(asProvider ? ofProvider : ofCommissioner, [.text(organisation)]) { row in
            guard let state = LocalClaimState(rawValue: Int(row.integer(11))) else {
                throw CQRSError.damaged("local claim")
            }
            return Line(
                claim: row.integer(9), provider: row.text(10), state: state,
                line: try LocalClaimStore.line(row))
        }
    }
}
