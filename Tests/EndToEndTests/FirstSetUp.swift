import EndToEndSupport
import Foundation
import Testing

/// The commands of the README's part "First set-up", as they stand there, against a live host with an empty data folder.
@Suite("First set-up by the README", .serialized)
struct FirstSetUp {
    /// A fenced block of the README that the set-up consists of.
    private struct Block {
        let isRefused: Bool
        let commands: String
    }

    private static func blocks() throws -> [Block] {
        let text = try String(contentsOfFile: Command.root + "/README.md", encoding: .utf8)
        var blocks: [Block] = []
        var open: (isRefused: Bool, lines: [String])?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("```sh first-set-up") {
                open = (line.hasSuffix(" refused"), [])
            } else if line == "```", let block = open {
                blocks.append(
                    Block(isRefused: block.isRefused, commands: block.lines.joined(separator: "\n")))
                open = nil
            } else {
                open?.lines.append(line)
            }
        }
        return blocks
    }

    /// A newcomer's terminal: the repository's open data, and `pcs` on the path.
    private struct Terminal {
        let folder: TemporaryFolder
        let host: LiveHost

        init(_ host: LiveHost) throws {
            self.host = host
            folder = try TemporaryFolder()
            try FileManager.default.createSymbolicLink(
                atPath: folder.path + "/opendata", withDestinationPath: Command.root + "/opendata")
        }

        func run(_ commands: String) throws -> Finished {
            let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
            return try Command.run(
                "/bin/bash", ["-euo", "pipefail", "-c", "cd '\(folder.path)'\n" + commands],
                environment: [
                    "PATH": Command.binaries + ":" + path, "PCS_HOST": host.address,
                    "PCS_SETTINGS_FOLDER": folder.path + "/settings",
                ], seconds: 240)
        }

        func mode(_ name: String) throws -> Int? {
            let attributes = try FileManager.default.attributesOfItem(atPath: folder.path + "/" + name)
            return (attributes[.posixPermissions] as? NSNumber)?.intValue
        }
    }

    @Test("a newcomer gets from an empty data folder to a colleague with a role, and no further")
    func walk() throws {
        let blocks = try Self.blocks()
        #expect(blocks.count == 8)
        let host = try LiveHost()
        let began = Date()
        try host.start()
        defer { host.stop() }
        let terminal = try Terminal(host)
        var outputs: [String] = []
        for (index, block) in blocks.enumerated() {
            let blockBegan = Date()
            if block.isRefused {
                try expectRefused(block.commands, terminal)
                outputs.append("")
            } else {
                let done = try terminal.run(block.commands)
                try #require(done.status == 0, "step \(index + 1)\n\(done.output)\n\(done.errors)")
                outputs.append(done.output)
            }
            print("first set-up, step \(index + 1): \(Self.seconds(since: blockBegan))")
        }
        print("first set-up, in all: \(Self.seconds(since: began))")
        for plugin in ["payments", "casework", "documents", "changes"] {
            #expect(outputs[0].contains(plugin), "\(outputs[0])")
        }
        #expect(outputs[0].contains("THE DENSHAM SURGERY"))
        #expect(outputs[2].contains("registered"))
        #expect(outputs[3].contains("GPP_USER_ADMINISTRATOR"))
        #expect(outputs[4].contains("PRACTICE_STATEMENTS"))
        #expect(outputs[5].contains("there is no statement of A81001"))
        #expect(outputs[7].contains("Ben Carter") && outputs[7].contains("PRACTICE_STATEMENTS"))
        try expectSecretsKept(terminal, outputs)
        try expectUsedUp(terminal)
    }

    /// Each line ends with the status that it says; what may not be seen is denied, or is not there.
    private func expectRefused(_ commands: String, _ terminal: Terminal) throws {
        for command in commands.split(separator: "\n").map(String.init) {
            let status = try #require(command.split(separator: " ").last.flatMap { Int32($0) })
            #expect(status != 0, "\(command)")
            let refused = try terminal.run(command)
            #expect(refused.status == status, "\(command)\n\(refused.output)\n\(refused.errors)")
            #expect(
                refused.errors.contains(status == 77 ? "ACCESS_DENIED" : "NOT_FOUND"), "\(refused.errors)")
        }
    }

    private func expectSecretsKept(_ terminal: Terminal, _ outputs: [String]) throws {
        let files = [
            "ada.password", "ada.totp", "ben.code", "ben.totp", "letters/A81001-registration.txt",
            "ada.marsh@example.nhs.uk.code",
        ]
        for file in files { #expect(try terminal.mode("set-up/" + file) == 0o600, "\(file)") }
        for file in ["ada.marsh@example.nhs.uk.code", "ben.code", "ada.totp"] {
            let text = try String(contentsOfFile: terminal.folder.path + "/set-up/" + file, encoding: .utf8)
            let secret = try #require(text.split(separator: "\n").first)
            #expect(secret.count >= 10 && outputs.allSatisfy { !$0.contains(secret) }, "\(file)")
        }
    }

    /// What was used once is good for nothing now.
    private func expectUsedUp(_ terminal: Terminal) throws {
        let again = try terminal.run(
            """
            pcs org register redeem A81001 --letter set-up/letters/A81001-registration.txt \
            --contract-holder 'Eve <eve@example.nhs.uk>' --administrator 'Eve <eve@example.nhs.uk>' --acknowledge
            """)
        #expect(again.status != 0 && again.errors.contains("REGISTRATION_CODE_REFUSED"), "\(again.errors)")
        let accepted = try terminal.run(
            "pcs user accept --code-file set-up/ben.code --password-file set-up/ben.password --totp-file set-up/x.totp"
        )
        #expect(accepted.status != 0)
        let loggedOut = try terminal.run("pcs user list A81001 --session ada")
        #expect(loggedOut.status == 77, "\(loggedOut.errors)")
    }

    private static func seconds(since begin: Date) -> String {
        let milliseconds = Int(Date().timeIntervalSince(begin) * 1000)
        return "\(milliseconds / 1000).\(String(milliseconds % 1000 / 100)) s"
    }
}
