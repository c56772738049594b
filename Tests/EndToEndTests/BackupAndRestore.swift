import EndToEndSupport
import Foundation
import FrameClient
import HostContract
import PluginAPI
import Testing

/// Backups are taken while the host is written to, verified, and put back while it runs.
@Suite("Backup and restore", .serialized)
struct BackupAndRestore {
    @Test("a live backup holds everything acknowledged before it, verifies, and can be put back")
    func backupRestore() async throws {
        let host = try LiveHost()
        try host.start()
        let client = FrameClient(FrameClientConfiguration(address: .unixSocket(path: host.socketPath)))
        let before = try await Self.write("before the backup", client)
        let writing = Task {
            for index in 0..<200 { _ = try await Self.write("while it is taken \(index)", client) }
        }
        let taken = try host.pcs("backup", "--name", "first", "-o", "json")
        #expect(taken.status == 0, "\(taken.errors)")
        try await writing.value
        let verified = try host.pcs("verify", "first", "-o", "json")
        #expect(verified.status == 0, "\(verified.errors)")
        let after = try await Self.write("after the backup", client)

        let restored = try host.pcs("restore", "first", "--reason", "the test puts it back", "-o", "json")
        #expect(restored.status == 0, "\(restored.errors)")
        #expect(try await Self.read(before, client) == "before the backup")
        #expect(
            try await Self.read(after, client) == nil, "written after the backup: only in the safety backup")
        let audit = try host.pcs("audit", "verify", "-o", "json")
        #expect(audit.status == 0, "\(audit.output)")
        await client.close()
        #expect(host.stop() == 0)
    }

    @Test("a backup that was tampered with does not verify and is not put back")
    func tampered() async throws {
        let host = try LiveHost()
        try host.start()
        let client = FrameClient(FrameClientConfiguration(address: .unixSocket(path: host.socketPath)))
        let note = try await Self.write("kept", client)
        #expect(try host.pcs("backup", "--name", "second").status == 0)
        let folder = host.dataFolder + "/backups/second"
        let file = try #require(
            try FileManager.default.contentsOfDirectory(atPath: folder).first { $0.hasPrefix("host") })
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: folder + "/" + file))
        try handle.seek(toOffset: 8_192)
        try handle.write(contentsOf: Data([0xFF, 0x00, 0xFF]))
        try handle.close()
        let verified = try host.pcs("verify", "second")
        #expect(verified.status != 0)
        #expect(verified.errors.contains("BACKUP_INVALID"), "\(verified.errors)")
        #expect(try host.pcs("restore", "second", "--reason", "must be refused").status != 0)
        #expect(try await Self.read(note, client) == "kept")
        await client.close()
        #expect(host.stop() == 0)
    }

    private static func write(_ text: String, _ client: FrameClient) async throws -> Int64 {
        var request = Pcs_Host_V1_WriteNoteRequest()
        request.text = text
        return try await Pcs_Host_V1_DiagnosticsServiceClient(client).writeNote(request).noteNumber
    }

    private static func read(_ number: Int64, _ client: FrameClient) async throws -> String? {
        var request = Pcs_Host_V1_ReadNoteRequest()
        request.noteNumber = number
        do {
            return try await Pcs_Host_V1_DiagnosticsServiceClient(client).readNote(request).text
        } catch let failure as Failure where failure.reason.name == "NOT_FOUND" {
            return nil
        }
    }
}
