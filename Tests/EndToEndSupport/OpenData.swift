import Foundation

/// The open data that the repository carries.
public enum OpenData {
    /// The published payments of 2019/20 as plain CSV; only the first `practices` rows when given.
    public static func payments2019(practices: Int? = nil) throws -> String {
        let file = Command.root + "/opendata/nhs-payments-gp/nhs_payments_gp_practice_2019-20.csv.gz"
        let text = try Command.run("/usr/bin/gzip", ["-dc", file]).output
        guard let practices else { return text }
        return text.split(separator: "\n", omittingEmptySubsequences: true).prefix(practices + 1).joined(
            separator: "\n") + "\n"
    }
}
