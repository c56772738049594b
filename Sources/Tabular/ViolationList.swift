package import PluginAPI

/// Everything that is wrong with a file: all of it is counted, the first ones are listed.
///
/// A person mends a file in one go, so nothing that is wrong goes unsaid; a hostile file cannot fill the memory, so no
/// more than `limit` violations are kept. Give it to `failure(_:)` when the file has been read to its end.
package struct ViolationList: Sendable {
    /// The first `limit` violations, in the order found.
    package private(set) var listed: [Violation] = []
    /// How many were found in all.
    package private(set) var count = 0
    private let limit: Int

    package init(limit: Int = 1_000) { self.limit = limit }

    package var isEmpty: Bool { count == 0 }

    /// How many were found and are not listed.
    package var more: Int { count - listed.count }

    /// - Parameters:
    ///   - rule: name of the rule that is broken, for example `CV005`.
    ///   - row: line of the file, the first being 1; 0 when the file as a whole breaks the rule.
    ///   - column: column of the file, the first being 1; 0 when the whole row breaks it.
    ///   - field: name of the column.
    package mutating func add(
        _ rule: String, row: Int, column: Int = 0, field: String = "", _ message: String
    ) {
        count += 1
        guard listed.count < limit else { return }
        listed.append(Violation(field: field, rule: rule, message: message, row: row, column: column))
    }

    /// The refusal of the file, its violations by row and column.
    package func failure(_ reason: Reason) -> Failure {
        var message = count == 1 ? "A rule is broken in one place" : "Rules are broken in \(count) places"
        if more > 0 { message += "; the first \(listed.count) are listed, and there are \(more) more" }
        message += ". Nothing was applied."
        // Those of one cell stay in the order found.
        let sorted = listed.enumerated().sorted { left, right in
            (left.element.row, left.element.column, left.offset)
                < (right.element.row, right.element.column, right.offset)
        }
        return Failure(reason, message, violations: sorted.map(\.element), violationCount: count)
    }
}
