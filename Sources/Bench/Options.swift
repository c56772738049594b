import Foundation

/// What the user asked for.
struct Options {
    var isJSON = false
    /// Names of figures; empty = all.
    var only: Set<String> = []
    /// Interleaved repetitions that medians are taken of.
    var repetitions = 5
    /// Folder of the built peers; `nil` = measure ours alone.
    var peers: String?

    static let usage = """
        usage: pcs-bench [--json] [--only NAME[,NAME...]] [--repetitions N] [--peers FOLDER]
          --json           one JSON object a line
          --only           these figures only: \(Goal.all.keys.sorted().joined(separator: " "))
          --repetitions    interleaved repetitions, 1 to 25; default 5
          --peers          folder with the peers that Benchmarks/build.sh has built
        """

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        while let word = rest.popFirst() {
            switch word {
            case "--json": isJSON = true
            case "--only":
                only = Set(try Options.value(of: word, &rest).split(separator: ",").map(String.init))
                if let unknown = only.first(where: { Goal.all[$0] == nil }) {
                    throw BenchError("there is no figure \(unknown)\n\(Options.usage)")
                }
            case "--repetitions":
                guard let count = Int(try Options.value(of: word, &rest)), (1...25).contains(count) else {
                    throw BenchError("--repetitions takes 1 to 25\n\(Options.usage)")
                }
                repetitions = count
            case "--peers": peers = try Options.value(of: word, &rest)
            default: throw BenchError("unknown argument \(word)\n\(Options.usage)")
            }
        }
    }

    private static func value(of option: String, _ rest: inout ArraySlice<String>) throws -> String {
        guard let value = rest.popFirst() else { throw BenchError("\(option) takes a value\n\(usage)") }
        return value
    }

    func wants(_ names: [String]) -> Bool { only.isEmpty || names.contains(where: only.contains) }
}
