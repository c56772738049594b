import Testing

/// Who may import what. The targets of Package.swift bound it from above; this holds each import line to the rule.
@Suite("Import rules")
struct ImportRules {
    /// Modules outside the project that count as the standard library.
    static let standard: Set<String> = ["Swift", "Synchronization", "_Concurrency"]

    struct Rule {
        let folder: String
        let allowed: Set<String>
    }

    static let rules: [Rule] = [
        Rule(folder: "Sources/Accounting", allowed: []),
        Rule(folder: "Sources/FrameProtocol", allowed: []),
        Rule(folder: "Sources/PortableDocument", allowed: []),
        Rule(folder: "Sources/PluginAPI", allowed: ["Accounting", "SwiftProtobuf", "Logging"]),
        Rule(folder: "Sources/Tabular", allowed: ["PluginAPI", "Accounting"]),
        Rule(folder: "Sources/Workbook", allowed: ["Tabular", "CZlib"]),
        Rule(
            folder: "Sources/Contracts",
            allowed: ["PluginAPI", "CommonContract", "SwiftProtobuf", "Foundation", "FoundationEssentials"]),
    ]

    @Test("pure targets and contracts import only what their rule lists", arguments: rules.map(\.folder))
    func allowedImports(folder: String) throws {
        let rule = try #require(Self.rules.first { $0.folder == folder })
        let files = try SourceTree.files(below: folder, endings: [".swift"])
        #expect(!files.isEmpty)
        for file in files {
            for module in SourceTree.imports(of: file)
            where !rule.allowed.contains(module) && !Self.standard.contains(module) {
                Issue.record("\(file.path) imports \(module)")
            }
        }
    }

    @Test(
        "a plugin imports contracts and pure rules, never the Host, a driver, the network or another plugin")
    func plugins() throws {
        let files = try SourceTree.files(below: "Sources/Plugins", endings: [".swift"])
        #expect(!files.isEmpty)
        for file in files {
            for module in SourceTree.imports(of: file) {
                let fine =
                    Self.standard.contains(module) || module.hasSuffix("Contract")
                    || [
                        "PluginAPI", "Accounting", "Digests", "PatientPrivacy", "Tabular", "Workbook", "PortableDocument",
                        "SwiftProtobuf", "Logging",
                    ].contains(module)
                if !fine { Issue.record("\(file.path) imports \(module)") }
            }
        }
    }

    @Test("the Host imports no plugin, no driver and no client")
    func host() throws {
        for file in try SourceTree.files(below: "Sources/Host", endings: [".swift"]) {
            for module in SourceTree.imports(of: file)
            where module.hasSuffix("Plugin") || ["StorageSQLite", "CSQLite", "FrameClient"].contains(module) {
                Issue.record("\(file.path) imports \(module)")
            }
        }
    }

    @Test("only the executable's composition root, the test kit and the benchmark import plugins")
    func compositionRoot() throws {
        let mayImport = ["Sources/pcs/", "Sources/Bench/", "Sources/PluginTestKit/"]
        for file in try SourceTree.files(below: "Sources", endings: [".swift"])
        where !mayImport.contains(where: file.path.hasPrefix) {
            for module in SourceTree.imports(of: file)
            where module.hasSuffix("Plugin") && module != "PluginAPI" {
                Issue.record("\(file.path) imports \(module)")
            }
        }
    }
}
