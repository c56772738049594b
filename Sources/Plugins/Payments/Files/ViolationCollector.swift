import PluginAPI

/// Gathers everything that is wrong with a file: all of it is counted, the first 1,000 are listed.
struct ViolationCollector: Sendable {
    static let limit = 1_000

    private(set) var listed: [Violation] = []
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    mutating func add(_ rule: String, row: Int, column: Int = 0, field: String = "", _ message: String) {
        count += 1
        guard listed.count < ViolationCollector.limit else { return }
        listed.append(Violation(field: field, rule: rule, message: message, row: row, column: column))
    }
}
