import SwiftProtobufPluginLibrary

/// Something in a `.proto` file that generation refuses: where it stands, what is wrong and what to do about it.
struct Fault: Hashable, CustomStringConvertible {
    let file: String
    /// First line = 1; 0 when protoc gave no position.
    let line: Int
    let message: String

    init(_ message: String, at place: some ProvidesSourceCodeLocation & ProvidesLocationPath) {
        self.file = place.file.name
        self.line = place.sourceCodeInfoLocation?.span.first.map { Int($0) + 1 } ?? 0
        self.message = message
    }

    var description: String { "\(file):\(line > 0 ? "\(line):" : "") \(message)" }
}

/// All faults of one run, so that they can be mended together.
struct Faults: Error, CustomStringConvertible {
    private(set) var list: [Fault] = []

    mutating func add(_ message: String, at place: some ProvidesSourceCodeLocation & ProvidesLocationPath) {
        list.append(Fault(message, at: place))
    }

    mutating func add(_ fault: Fault) { list.append(fault) }

    func throwIfAny() throws {
        if !list.isEmpty { throw self }
    }

    var description: String { list.map(\.description).joined(separator: "\n") }
}

extension ProvidesSourceCodeLocation {
    /// The comment that stands before this in the `.proto` file, line by line, without the comment signs.
    var commentLines: [String] {
        guard let location = sourceCodeInfoLocation, location.hasLeadingComments else { return [] }
        var lines = location.leadingComments.split(separator: "\n", omittingEmptySubsequences: false).map {
            line in
            String(line.first == " " ? line.dropFirst() : line)
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }
}
