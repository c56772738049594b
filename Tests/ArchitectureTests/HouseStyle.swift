import Foundation
import Testing

/// Style as a test: limits and words that hold in every file that people write.
@Suite("House style")
struct HouseStyle {
    /// A file is one concept; past this it is surely two.
    static let longestFile = 500
    /// For code; a line with a literal or a pattern may be as long as that.
    static let longestLine = 125

    @Test("no file is longer than its limit, no line wider than the page")
    func lengths() throws {
        for folder in ["Sources", "Tests"] {
            for file in try SourceTree.writtenSwift(below: folder) {
                if file.lines.count > Self.longestFile {
                    Issue.record("\(file.path) has \(file.lines.count) lines, limit \(Self.longestFile)")
                }
                for (index, line) in file.lines.enumerated()
                where line.count > Self.longestLine && !line.contains("\"") && !line.contains("#/") {
                    Issue.record(
                        "\(file.path):\(index + 1) has \(line.count) columns, limit \(Self.longestLine)")
                }
            }
        }
    }

    @Test("a plugin's wiring is short, and says who owns it")
    func pluginWiring() throws {
        let plugins = try FileManager.default.contentsOfDirectory(
            atPath: SourceTree.root.appendingPathComponent("Sources/Plugins").path)
        #expect(plugins.contains("Payments"))
        for area in plugins {
            let wiring = try #require(
                try SourceTree.files(below: "Sources/Plugins/\(area)", endings: ["\(area)Plugin.swift"])
                    .first,
                "\(area) has no \(area)Plugin.swift")
            #expect(wiring.lines.count <= 100, "\(wiring.path) is wiring only")
            for name in ["README.md", "OWNERS"] {
                let text = try String(
                    contentsOf: SourceTree.root.appendingPathComponent("Sources/Plugins/\(area)/\(name)"),
                    encoding: .utf8)
                #expect(!text.isEmpty, "\(area) lacks \(name)")
                guard name == "OWNERS" else { continue }
                for owner in text.split(separator: "\n") where !owner.hasPrefix("#") {
                    #expect(
                        wiring.lines.contains { $0.contains(owner) }, "the manifest does not name \(owner)")
                }
            }
        }
    }

    @Test("nothing is left for later", arguments: ["Sources", "Tests", "proto", "clients", "scripts"])
    func nothingLeftOver(folder: String) throws {
        // Spelled in parts, so that this file passes its own test.
        let marks = ["TO" + "DO", "FIX" + "ME", "XX" + "X:", "unimplemented" + "("]
        for file in try SourceTree.files(
            below: folder, endings: [".swift", ".proto", ".py", ".c", ".h", ".sh"])
        {
            for (index, line) in file.lines.enumerated() {
                for mark in marks where line.contains(mark) {
                    Issue.record("\(file.path):\(index + 1) says \(mark)")
                }
            }
        }
    }

    @Test("money and rules never touch binary floating point")
    func noFloatingPoint() throws {
        for folder in ["Sources/Accounting", "Sources/Plugins"] {
            for file in try SourceTree.writtenSwift(below: folder) {
                for (index, line) in file.lines.enumerated() {
                    let code = line.prefix { $0 != "/" }
                    if code.firstMatch(of: #/\b(Double|Float|Float32|Float64|CGFloat)\b/#) != nil {
                        Issue.record("\(file.path):\(index + 1) uses binary floating point")
                    }
                }
            }
        }
    }

    @Test("plugins take time from the Host")
    func noOwnClock() throws {
        for file in try SourceTree.writtenSwift(below: "Sources/Plugins") {
            for (index, line) in file.lines.enumerated() {
                if line.firstMatch(
                    of: #/\b(Date\(\)|Date\.now|ContinuousClock|SuspendingClock|Task\.sleep)\b/#) != nil
                {
                    Issue.record("\(file.path):\(index + 1) asks the system for the time")
                }
            }
        }
    }

    // The library's Mutex hands its value out in the most general form: a function that stands bare in it comes back in
    // one more wrapper after each access, and every call then goes through all of them.
    @Test("no function stands bare in a Mutex")
    func noBareFunctionInMutex() throws {
        for file in try SourceTree.writtenSwift(below: "Sources") {
            for (index, line) in file.lines.enumerated() {
                let code = line.prefix { $0 != "/" }
                if code.firstMatch(of: #/\bMutex<\(?\(?(@\w+ )*\([^)]*\)( async)?( throws)? ->/#) != nil {
                    Issue.record("\(file.path):\(index + 1) keeps a function bare in a Mutex: give it a type of its own")
                }
            }
        }
    }

    static let foreignSQL = [
        #"(?i)\bSELECT \*"#, #"(?i)\bCREATE TRIGGER\b"#, #"(?i)\bINSERT OR\b"#, #"(?i)\bCURRENT_TIMESTAMP\b"#,
        #"(?i)\bREPLACE INTO\b"#,
    ]

    @Test("SQL stays within what SQLite and PostgreSQL share, in STRICT tables")
    func portableSQL() throws {
        for folder in ["Sources/Host", "Sources/Plugins"] {
            for file in try SourceTree.writtenSwift(below: folder) {
                let text = file.lines.joined(separator: "\n")
                for pattern in Self.foreignSQL
                where text.range(of: pattern, options: .regularExpression) != nil {
                    Issue.record("\(file.path) uses SQL against the rule: \(pattern)")
                }
                for statement in text.components(separatedBy: "CREATE TABLE ").dropFirst() {
                    let declaration = statement.components(separatedBy: "\"\"\"").first ?? ""
                    if !declaration.contains("STRICT") {
                        Issue.record(
                            "\(file.path) makes a table that is not STRICT: \(declaration.prefix(40))")
                    }
                }
            }
        }
    }

    @Test("every file of tests asserts something, or only helps those that do")
    func testsAssert() throws {
        for file in try SourceTree.writtenSwift(below: "Tests") {
            let text = file.lines.joined(separator: "\n")
            if text.contains("@Test") && text.firstMatch(of: #/#expect|#require|Issue\.record/#) == nil {
                Issue.record("\(file.path) has tests that cannot fail")
            }
        }
    }
}
