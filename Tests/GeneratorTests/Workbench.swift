import Foundation

/// A folder with a small contract of its own, and the real protoc with the real generator.
struct Workbench: ~Copyable {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "pcs-generator-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("out"), withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    struct Outcome {
        let status: Int32
        let errors: String
        /// Generated files by name.
        let files: [String: String]
    }

    /// Runs the generator over `body`, which stands on line 6 of `pcs/probe/v1/probe.proto`.
    func generate(_ body: String) throws -> Outcome {
        try write(body, to: "probe")
        let (status, errors) = try Self.run(
            "/usr/bin/env",
            [
                "protoc", "-I", inFolder("probe"), "-I", Self.repository.appendingPathComponent("proto").path,
                "--plugin=protoc-gen-pcs=\(Self.generator)",
                "--pcs_out=Module=ProbeContract:\(inFolder("out"))",
                "pcs/probe/v1/probe.proto",
            ])
        var files: [String: String] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: inFolder("out")) {
            files[name] = try String(
                contentsOf: folder.appendingPathComponent("out/" + name), encoding: .utf8)
        }
        return Outcome(status: status, errors: errors, files: files)
    }

    /// What the comparison says of a change from one contract to another; empty when it is compatible.
    func compare(_ older: String, _ newer: String) throws -> String {
        for (name, body) in [("older", older), ("newer", newer)] {
            try write(body, to: name)
            let (status, errors) = try Self.run(
                "/usr/bin/env",
                [
                    "protoc", "-I", inFolder(name), "-I",
                    Self.repository.appendingPathComponent("proto").path,
                    "--include_imports", "--descriptor_set_out=\(inFolder(name + ".binpb"))",
                    "pcs/probe/v1/probe.proto",
                ])
            guard status == 0 else { return "protoc: " + errors }
        }
        return try Self.run(Self.generator, ["--compare", inFolder("older.binpb"), inFolder("newer.binpb")])
            .errors
    }

    private func write(_ body: String, to name: String) throws {
        let area = folder.appendingPathComponent(name + "/pcs/probe/v1")
        try FileManager.default.createDirectory(at: area, withIntermediateDirectories: true)
        let head = """
            syntax = "proto3";
            package pcs.probe.v1;
            import "pcs/access/v1/access.proto";
            import "google/protobuf/timestamp.proto";


            """
        try Data((head + body).utf8).write(to: area.appendingPathComponent("probe.proto"))
    }

    private func inFolder(_ name: String) -> String { folder.appendingPathComponent(name).path }

    static let repository = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Built beside the tests.
    private static let generator =
        (Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0]))
        .resolvingSymlinksInPath().deletingLastPathComponent().appendingPathComponent("protoc-gen-pcs").path

    private static func run(_ tool: String, _ arguments: [String]) throws -> (status: Int32, errors: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: tool)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardError = pipe
        try process.run()
        let errors = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: errors, as: UTF8.self))
    }
}
