import Accounting
import Foundation
import Testing

/// hledger as an independent reader of the journal. Where it is not installed nothing is shown; `make test` installs it
/// and sets `PCS_TEST_HLEDGER=required`.
enum HLedger {
    private static let path = ["/usr/bin/hledger", "/usr/local/bin/hledger"]
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    private static func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(path))
        process.arguments = arguments
        let pipe = Pipe()
        (process.standardOutput, process.standardError) = (pipe, pipe)
        try process.run()
        let bytes = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
    }

    /// `hledger check --strict` accepts the journal, and its balances are those of the postings, account by account.
    static func check(_ journal: SandboxJournal) throws {
        guard path != nil else {
            #expect(
                ProcessInfo.processInfo.environment["PCS_TEST_HLEDGER"] != "required",
                "hledger is not installed")
            print("hledger is not installed: the journal is not read by it")
            return
        }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(
            "journal-\(UUID().uuidString).journal")
        try journal.text.write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        let checked = try run(["-f", file.path, "check", "--strict"])
        #expect(checked.status == 0, "\(checked.output.prefix(2000))")
        let balances = try run(["-f", file.path, "bal", "--flat", "-E", "-N", "-O", "csv"])
        try #require(balances.status == 0, "\(balances.output.prefix(2000))")
        var found: [String: Int64] = [:]
        for line in balances.output.split(separator: "\n").dropFirst() {
            let cells = line.split(separator: "\"").filter { $0 != "," }.map(String.init)
            try #require(cells.count == 2, "\(line)")
            let amount = cells[1].replacing("GBP ", with: "").replacing("GBP", with: "")
            found[cells[0]] = try #require(Money(amount)?.pence, "\(line)")
        }
        #expect(found == journal.balances)
        print("hledger agrees on \(found.count) accounts of \(journal.entries) entries")
    }
}
