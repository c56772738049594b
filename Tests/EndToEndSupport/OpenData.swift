import Foundation

/// The open data that the repository carries.
public enum OpenData {
    /// A file below `opendata/`, uncompressed.
    public static func text(_ path: String) throws -> String {
        try Command.run("/usr/bin/gzip", ["-dc", Command.root + "/opendata/" + path]).output
    }

    /// Open practices of the register by the Sub ICB Location that commissions them, by code.
    public static func practicesByCommissioner() throws -> [String: [String]] {
        var found: [String: [String]] = [:]
        for line in try text("ods/epraccur-gp-england.csv.gz").split(whereSeparator: \.isNewline) {
            let cells = line.split(separator: "\",\"", omittingEmptySubsequences: false)
            guard cells.count == 27, cells[12] == "ACTIVE", cells[11].isEmpty, cells[25] == "RO76" else {
                continue
            }
            let code = cells[0].drop { $0 == "\"" }
            if code.utf8.count == 6 { found[String(cells[14]), default: []].append(String(code)) }
        }
        return found.mapValues { $0.sorted() }
    }

    /// The published payments of 2019/20 as plain CSV; only the first `practices` rows when given.
    public static func payments2019(practices: Int? = nil) throws -> String {
        let file = Command.root + "/opendata/nhs-payments-gp/nhs_payments_gp_practice_2019-20.csv.gz"
        let text = try Command.run("/usr/bin/gzip", ["-dc", file]).output
        guard let practices else { return text }
        return text.split(separator: "\n", omittingEmptySubsequences: true).prefix(practices + 1).joined(
            separator: "\n") + "\n"
    }
}
